//! One fetch session (KIP-227): the partitions a client fetches, and what it was last told about each.
//!
//! Pure: requests and answers come in as values, and what has to be fetched or sent goes out as values.

use std::collections::{BTreeMap, HashMap};

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};
use wire::StrBytes;

/// How a request names a topic: by name up to Fetch version 12, by id from 13 on (KIP-516).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TopicKey {
    /// By name.
    Name(StrBytes),
    /// By id.
    Id(Uuid),
}

/// A partition as a request names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct PartitionKey {
    pub(crate) topic: TopicKey,
    pub(crate) index: PartitionIndex,
}

impl PartitionKey {
    /// A copy that does not keep the frame of its request in memory.
    fn detached(&self) -> Self {
        let topic = match &self.topic {
            TopicKey::Name(name) => TopicKey::Name(name.detached()),
            TopicKey::Id(id) => TopicKey::Id(*id),
        };
        Self { topic, index: self.index }
    }
}

/// What a client wants of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    /// From where on.
    pub(crate) offset: Offset,
    /// At most so many bytes.
    pub(crate) max_bytes: i32,
    /// The leader epoch the client knows; [`LeaderEpoch::NONE`]: not checked (KIP-320).
    pub(crate) leader_epoch: LeaderEpoch,
    /// The leader epoch of the last record the client has; [`LeaderEpoch::NONE`]: not checked (KIP-595).
    pub(crate) last_fetched_epoch: LeaderEpoch,
}

/// What of an answer decides whether a client has to see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// -1 in an error.
    pub(crate) high_watermark: Offset,
    /// -1 in an error.
    pub(crate) log_start: Offset,
    /// Whether it carries records.
    pub(crate) records: bool,
    /// Whether it is an error.
    pub(crate) error: bool,
    /// Whether it names a diverging epoch.
    pub(crate) diverging: bool,
}

/// Epoch of a request that asks for a session.
pub(crate) const INITIAL_EPOCH: i32 = 0;
/// Epoch of a request that wants none, and ends the one it names.
pub(crate) const FINAL_EPOCH: i32 = -1;

/// The epoch of the request after one with `epoch`: from 1 on upwards, and after the largest number 1 again
/// (Kafka: `FetchMetadata.nextEpoch`).
pub(crate) const fn next_epoch(epoch: i32) -> i32 {
    match epoch {
        i32::MIN..=-1 => FINAL_EPOCH,
        i32::MAX => 1,
        _ => epoch + 1,
    }
}

#[derive(Debug)]
struct Cached {
    wanted: Wanted,
    /// What the client was last told; -1 before the first answer and after an error, so that the next one is sent.
    high_watermark: Offset,
    log_start: Offset,
}

/// The state of a session. Who evicts it is [`super::sessions::Sessions`]'s business.
#[derive(Debug)]
pub(crate) struct Session {
    /// Whether its topics are named by id.
    pub(crate) by_id: bool,
    /// The epoch that the next request must bear.
    pub(crate) epoch: i32,
    pub(crate) created: Millis,
    pub(crate) last_used: Millis,
    /// In the order they are fetched: who was served goes to the end, so that nobody starves behind a full answer.
    queue: BTreeMap<u64, (PartitionKey, Cached)>,
    place: HashMap<PartitionKey, u64>,
    next_place: u64,
}

impl Session {
    pub(crate) fn new(by_id: bool, now: Millis) -> Self {
        Self {
            by_id,
            epoch: next_epoch(INITIAL_EPOCH),
            created: now,
            last_used: now,
            queue: BTreeMap::new(),
            place: HashMap::new(),
            next_place: 0,
        }
    }

    /// How many partitions it has.
    pub(crate) fn len(&self) -> usize {
        self.queue.len()
    }

    /// The partitions in the order they are to be fetched.
    pub(crate) fn wanted(&self) -> Vec<(PartitionKey, Wanted)> {
        self.queue.values().map(|(key, cached)| (key.clone(), cached.wanted)).collect()
    }

    /// How many of `wanted` are not part of it yet, a partition named twice counting twice.
    pub(crate) fn additions(&self, wanted: &[(PartitionKey, Wanted)]) -> usize {
        wanted.iter().filter(|(key, _)| !self.place.contains_key(key)).count()
    }

    /// Takes in what an incremental request adds, changes and forgets.
    pub(crate) fn take_in(&mut self, wanted: &[(PartitionKey, Wanted)], forgotten: &[PartitionKey]) {
        for (key, wanted) in wanted {
            match self.place.get(key) {
                Some(place) => {
                    let (_, cached) = self.queue.get_mut(place).expect("each place is taken");
                    cached.wanted = *wanted;
                }
                None => self.add(key, *wanted, Offset::NONE, Offset::NONE),
            }
        }
        for key in forgotten {
            if let Some(place) = self.place.remove(key) {
                self.queue.remove(&place);
            }
        }
    }

    /// Adds a partition with what its first answer told.
    pub(crate) fn add_answered(&mut self, key: &PartitionKey, wanted: Wanted, shown: Shown) {
        self.add(key, wanted, shown.high_watermark, shown.log_start);
    }

    fn add(&mut self, key: &PartitionKey, wanted: Wanted, high_watermark: Offset, log_start: Offset) {
        if self.place.contains_key(key) {
            return;
        }
        let key = key.detached();
        self.place.insert(key.clone(), self.next_place);
        self.queue.insert(self.next_place, (key, Cached { wanted, high_watermark, log_start }));
        self.next_place += 1;
    }

    /// Whether the client must be told, and remembers that it was (Kafka: `CachedPartition.maybeUpdateResponseData`).
    pub(crate) fn must_tell(&mut self, key: &PartitionKey, shown: Shown) -> bool {
        let Some(&place) = self.place.get(key) else {
            // Forgotten by a later request, which cannot be: its epoch would have ended this answer.
            return true;
        };
        let (_, cached) = self.queue.get_mut(&place).expect("each place is taken");
        let changed = cached.high_watermark != shown.high_watermark || cached.log_start != shown.log_start;
        cached.log_start = shown.log_start;
        // -1 in an error, so that the first good answer after it is sent too.
        cached.high_watermark = shown.high_watermark;
        if shown.records {
            let served = self.queue.remove(&place).expect("each place is taken");
            self.place.insert(served.0.clone(), self.next_place);
            self.queue.insert(self.next_place, served);
            self.next_place += 1;
        }
        changed || shown.records || shown.error || shown.diverging
    }
}
