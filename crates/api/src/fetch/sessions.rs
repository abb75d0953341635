//! All fetch sessions of the broker (KIP-227): who may have one, and who has to go for it.
//!
//! Pure: time and random numbers come in as arguments. A client without a session names all its partitions in each
//! request and loses nothing but bandwidth, so refusing one is never an error.

use std::collections::{BTreeSet, HashMap};

use base::Millis;

use super::session::{FINAL_EPOCH, INITIAL_EPOCH, PartitionKey, Session, Shown, Wanted, next_epoch};

/// The id of no session.
pub(crate) const NO_SESSION: i32 = 0;

/// How long a session is safe from a larger one that wants its place, and how long it may be unused until anybody may
/// take it (Kafka: `KafkaServer.MIN_INCREMENTAL_FETCH_SESSION_EVICTION_MS`).
pub(crate) const EVICTION_MS: i64 = 120_000;

/// Partitions that all sessions together may hold, per slot. Kafka knows no such bound; without one a few large requests
/// could fill the memory with sessions of partitions that do not exist.
const PARTITIONS_PER_SLOT: usize = 1000;

/// What a request says about sessions, and the partitions it names.
#[derive(Debug)]
pub(crate) struct Ask {
    pub(crate) session: i32,
    pub(crate) epoch: i32,
    /// Whether topics are named by id.
    pub(crate) by_id: bool,
    pub(crate) wanted: Vec<(PartitionKey, Wanted)>,
    pub(crate) forgotten: Vec<PartitionKey>,
}

/// What a request turns out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Turn {
    /// All partitions, and no session afterwards.
    Sessionless,
    /// All partitions; a session if there is room once it is answered.
    Full,
    /// A step in a session; the epoch is that of the request.
    Incremental { session: i32, epoch: i32 },
}

/// Why a request gets no records at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SessionError {
    /// No such session: it never was, was evicted, or has outgrown its bounds. The client starts a new one.
    #[error("no such fetch session")]
    NotFound,
    /// The epoch is not the next one: a request was lost, or came twice.
    #[error("not the next epoch of the fetch session")]
    WrongEpoch,
    /// The session names topics by id and the request by name, or the other way round.
    #[error("the fetch session names topics in the other way")]
    OtherNaming,
}

/// The sessions, and the orders in which they may be evicted.
#[derive(Debug)]
pub(crate) struct Sessions {
    slots: usize,
    max_partitions: usize,
    sessions: HashMap<i32, Session>,
    /// Partitions in all of them.
    partitions: usize,
    by_last_use: BTreeSet<(Millis, i32)>,
    /// Those old enough to give way to a larger one, by size.
    by_size: BTreeSet<(usize, i32)>,
}

impl Sessions {
    /// Room for `slots` sessions (`max.incremental.fetch.session.cache.slots`).
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots,
            max_partitions: slots.saturating_mul(PARTITIONS_PER_SLOT),
            sessions: HashMap::new(),
            partitions: 0,
            by_last_use: BTreeSet::new(),
            by_size: BTreeSet::new(),
        }
    }

    /// Settles what a request is and which partitions it fetches, each once, in order (Kafka: `FetchManager.newContext`).
    pub(crate) fn begin(
        &mut self,
        ask: Ask,
        now: Millis,
    ) -> Result<(Turn, Vec<(PartitionKey, Wanted)>), SessionError> {
        if ask.epoch == INITIAL_EPOCH || ask.epoch == FINAL_EPOCH {
            self.remove(ask.session);
            let turn = if ask.epoch == FINAL_EPOCH { Turn::Sessionless } else { Turn::Full };
            return Ok((turn, each_once(ask.wanted)));
        }
        let session = self.sessions.get(&ask.session).ok_or(SessionError::NotFound)?;
        if session.epoch != ask.epoch {
            return Err(SessionError::WrongEpoch);
        }
        if session.by_id != ask.by_id {
            return Err(SessionError::OtherNaming);
        }
        if self.partitions + session.additions(&ask.wanted) > self.max_partitions {
            self.remove(ask.session);
            return Err(SessionError::NotFound);
        }
        let mut session = self.take_out(ask.session).expect("it was there a moment ago");
        session.take_in(&ask.wanted, &ask.forgotten);
        if session.len() == 0 {
            return Ok((Turn::Sessionless, each_once(ask.wanted)));
        }
        let wanted = session.wanted();
        session.epoch = next_epoch(session.epoch);
        session.last_used = now;
        self.put_in(ask.session, session, now);
        Ok((Turn::Incremental { session: ask.session, epoch: ask.epoch }, wanted))
    }

    /// Begins a session with what a full request was answered, if there is room; gives its id, or [`NO_SESSION`].
    pub(crate) fn create<'a>(
        &mut self,
        by_id: bool,
        answered: impl ExactSizeIterator<Item = (&'a PartitionKey, Wanted, Shown)>,
        now: Millis,
        random: &mut dyn FnMut() -> i32,
    ) -> i32 {
        let size = answered.len();
        if self.sessions.len() >= self.slots && !self.evict_for(size, now) {
            return NO_SESSION;
        }
        if self.partitions + size > self.max_partitions {
            return NO_SESSION;
        }
        let mut session = Session::new(by_id, now);
        for (key, wanted, shown) in answered {
            session.add_answered(key, wanted, shown);
        }
        let id = loop {
            let id = random();
            if id > NO_SESSION && !self.sessions.contains_key(&id) {
                break id;
            }
        };
        self.put_in(id, session, now);
        id
    }

    /// Takes in what an incremental request is answered, and says of each answer whether it has to be sent.
    pub(crate) fn answer<'a>(
        &mut self,
        session: i32,
        epoch: i32,
        answers: impl Iterator<Item = (&'a PartitionKey, Shown)>,
    ) -> Result<Vec<bool>, SessionError> {
        let session = self.sessions.get_mut(&session).ok_or(SessionError::NotFound)?;
        if session.epoch != next_epoch(epoch) {
            return Err(SessionError::WrongEpoch);
        }
        Ok(answers.map(|(key, shown)| session.must_tell(key, shown)).collect())
    }

    /// Makes room for a session of `size` partitions: by one that nobody has used for [`EVICTION_MS`], else by the
    /// smallest of those that are at least so old, if it is smaller (Kafka: `FetchSessionCacheShard.tryEvict`).
    fn evict_for(&mut self, size: usize, now: Millis) -> bool {
        let Some(&(last_used, id)) = self.by_last_use.first() else { return false };
        if now.since(last_used) > EVICTION_MS {
            self.remove(id);
            return true;
        }
        match self.by_size.first() {
            Some(&(smallest, id)) if smallest < size => {
                self.remove(id);
                true
            }
            _ => false,
        }
    }

    fn remove(&mut self, id: i32) {
        self.take_out(id);
    }

    fn take_out(&mut self, id: i32) -> Option<Session> {
        let session = self.sessions.remove(&id)?;
        self.by_last_use.remove(&(session.last_used, id));
        self.by_size.remove(&(session.len(), id));
        self.partitions -= session.len();
        Some(session)
    }

    fn put_in(&mut self, id: i32, session: Session, now: Millis) {
        self.by_last_use.insert((session.last_used, id));
        if now.since(session.created) > EVICTION_MS {
            self.by_size.insert((session.len(), id));
        }
        self.partitions += session.len();
        self.sessions.insert(id, session);
    }
}

/// A partition named twice is fetched once, at the place of its first mention and as its last one says.
fn each_once(wanted: Vec<(PartitionKey, Wanted)>) -> Vec<(PartitionKey, Wanted)> {
    if wanted.len() < 2 {
        return wanted;
    }
    let mut place = HashMap::with_capacity(wanted.len());
    let mut once: Vec<(PartitionKey, Wanted)> = Vec::with_capacity(wanted.len());
    for (key, wanted) in wanted {
        match place.get(&key) {
            Some(&at) => {
                let (_, earlier): &mut (PartitionKey, Wanted) = &mut once[at];
                *earlier = wanted;
            }
            None => {
                place.insert(key.clone(), once.len());
                once.push((key, wanted));
            }
        }
    }
    once
}

#[cfg(test)]
mod tests;
