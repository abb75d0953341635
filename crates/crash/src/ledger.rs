//! What was promised: kept by whoever plays a story, read by whoever judges what is left.

use std::collections::BTreeMap;

use base::{Offset, ProducerEpoch, ProducerId, Sequence, Uuid};
use catalog::Topics;
use partition::Marks;
use records::{BatchHeader, CheckedBatch};
use testkit::Crash;

/// Topics by name. As in a metadata image, without what a restart changes.
pub type TopicList = BTreeMap<String, Described>;

/// One topic: its id, unless nobody was told; its number of partitions; its own configuration.
pub type Described = (Option<Uuid>, usize, BTreeMap<String, String>);

/// A partition, by its topic's id and its number.
pub type Place = (Uuid, i32);

/// One batch that was sent.
#[derive(Clone, Debug)]
pub struct Sent {
    /// Its first offset, as the broker answered.
    pub base: Offset,
    /// What was sent; its header has base offset 0.
    pub batch: CheckedBatch,
    /// The timestamp of each record.
    pub times: Vec<i64>,
}

impl Sent {
    /// The header without the place in the log.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        self.batch.header()
    }

    /// The offset after its last record.
    #[must_use]
    pub fn end(&self) -> Offset {
        self.base.plus(i64::from(self.header().last_offset_delta) + 1)
    }

    /// Whether a producer signed it.
    #[must_use]
    pub fn producer(&self) -> Option<ProducerId> {
        Some(self.header().producer_id).filter(|id| id.is_some())
    }

    /// Whether `found`, read from a log, is this batch at its place.
    #[must_use]
    pub fn is(&self, found: &BatchHeader) -> bool {
        (found.base_offset, found.crc, found.batch_length)
            == (self.base, self.header().crc, self.header().batch_length)
    }
}

/// What was told about one partition.
#[derive(Clone, Debug, Default)]
pub struct PartitionLedger {
    /// Every batch whose append succeeded, by offset; also those that retention has taken since.
    pub batches: Vec<Sent>,
    /// The append that failed, if it came to that: it may be there or not.
    pub pending: Option<Sent>,
    /// The farthest that the log start has come.
    pub log_start: Offset,
    /// Everything below survives a power loss.
    pub durable: Offset,
}

impl PartitionLedger {
    /// Notes where the partition stands. `acks_are_flushed`: what lies below the high watermark was acknowledged as synced.
    pub fn observe(&mut self, marks: &Marks, acks_are_flushed: bool) {
        self.log_start = self.log_start.max(marks.log_start);
        let acked = if acks_are_flushed { marks.high_watermark } else { Offset::ZERO };
        self.durable = self.durable.max(marks.flushed).max(acked);
    }

    /// The offset below which every batch must be found again.
    #[must_use]
    pub fn promised(&self, crash: Crash) -> Offset {
        match crash {
            Crash::ProcessKill => self.batches.last().map_or(Offset::ZERO, Sent::end).max(self.durable),
            Crash::PowerLoss => self.durable,
        }
    }

    /// All that may be in the log, in order.
    pub fn possible(&self) -> impl Iterator<Item = &Sent> {
        self.batches.iter().chain(&self.pending)
    }

    /// The newest state of each producer, from what lies below `end`.
    #[must_use]
    pub fn producers(&self, end: Offset) -> BTreeMap<ProducerId, Standing> {
        let signed = self.possible().filter(|sent| sent.end() <= end);
        let standing = signed.filter_map(|sent| Some((sent.producer()?, Standing::of(sent))));
        standing.collect()
    }

    /// The batches below `end` of one producer's newest epoch, the newest first.
    #[must_use]
    pub fn newest_of(&self, producer: ProducerId, end: Offset) -> Vec<&Sent> {
        let mut own: Vec<&Sent> =
            self.possible().filter(|sent| sent.end() <= end && sent.producer() == Some(producer)).collect();
        own.reverse();
        let epoch = own.first().map(|sent| sent.header().producer_epoch);
        own.retain(|sent| Some(sent.header().producer_epoch) == epoch);
        own
    }

    /// Goes on with a log that ends at `end` and starts at `log_start`: what was lost was not promised.
    pub fn resume(&mut self, log_start: Offset, end: Offset) {
        self.batches.extend(self.pending.take());
        self.batches.retain(|sent| sent.end() <= end);
        self.log_start = log_start;
        self.durable = self.durable.min(end);
    }
}

/// Where a producer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its epoch.
    pub epoch: ProducerEpoch,
    /// The last sequence of its newest batch.
    pub last_sequence: Sequence,
    /// The last offset of that batch.
    pub last_offset: Offset,
}

impl Standing {
    /// Where `sent` leaves its producer.
    #[must_use]
    pub fn of(sent: &Sent) -> Self {
        let header = sent.header();
        Self {
            epoch: header.producer_epoch,
            last_sequence: header.base_sequence.plus(header.last_offset_delta),
            last_offset: sent.end().plus(-1),
        }
    }
}

/// What was promised to everybody.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// The topics that were acknowledged.
    pub topics: TopicList,
    /// The topics as they may be as well: had the change that failed been made, or not been made.
    pub or_else: Option<TopicList>,
    /// What stands in each partition, by topic id and number.
    pub partitions: BTreeMap<Place, PartitionLedger>,
    /// No producer id below this may be handed out any more.
    pub next_producer_id: i64,
}

impl Ledger {
    /// The topics of an image, as the ledger keeps them.
    #[must_use]
    pub fn list(topics: &Topics) -> TopicList {
        let entry = |topic: &catalog::Topic| (Some(topic.id), topic.partitions.len(), topic.configs.clone());
        topics.iter().map(|topic| (topic.name.to_string(), entry(topic))).collect()
    }

    /// Whether acks of a topic with these settings wait for a sync.
    #[must_use]
    pub fn acks_are_flushed(configs: &BTreeMap<String, String>) -> bool {
        configs.get("flush.messages").is_some_and(|value| value == "1")
    }
}

/// Whether `found` is what was promised. An id that nobody was told may be any.
#[must_use]
pub fn agree(promised: &TopicList, found: &TopicList) -> bool {
    promised.len() == found.len()
        && promised.iter().all(|(name, (id, partitions, configs))| {
            found.get(name).is_some_and(|found| {
                id.is_none_or(|id| found.0 == Some(id)) && found.1 == *partitions && found.2 == *configs
            })
        })
}
