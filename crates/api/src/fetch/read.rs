//! Reading the partitions of a Fetch up to its limits (Kafka: `ReplicaManager.readFromLog`, `Partition.readRecords`).

use std::sync::Arc;

use base::{LeaderEpoch, Offset};
use log::FileRange;
use log::index::TxnEntry;
use partition::{Isolation, Marks, Partition, Stopped};
use settings::{Compression, TopicSettings};
use wire::messages::fetch::AbortedTransaction;

use super::enough::Look;
use super::session::{PartitionKey, Wanted};
use super::{Fetch, Terms};
use crate::code::Code;
use crate::{leader_epoch, partitions};

/// A partition that the metadata knows, and how it is to be read.
pub(super) struct Target {
    pub(super) key: PartitionKey,
    pub(super) wanted: Wanted,
    /// Or why it cannot be read at all.
    pub(super) partition: Result<Arc<Partition>, Code>,
}

/// What a partition gives.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) marks: Marks,
    pub(super) ranges: Vec<FileRange>,
    pub(super) bytes: u32,
    /// The epoch where the client's log and ours part, and its end here; then there are no records.
    pub(super) diverging: Option<(LeaderEpoch, Offset)>,
    /// For read_committed: the aborted transactions among the records.
    pub(super) aborted: Option<Vec<AbortedTransaction>>,
}

impl Target {
    pub(super) fn new(
        key: PartitionKey,
        wanted: Wanted,
        partition: Result<Arc<Partition>, Code>,
        settings: Option<&TopicSettings>,
        terms: &Terms,
    ) -> Self {
        // A topic that is kept in zstd is not for clients from before it (KIP-110).
        let too_new = terms.version < 10
            && settings.is_some_and(|settings| matches!(settings.compression, Compression::Zstd(_)));
        let partition = match terms.follower {
            Some(_) if wanted.leader_epoch.0 >= 0 => Err(Code::UnknownLeaderEpoch),
            Some(_) => Err(Code::NotLeaderOrFollower),
            None if too_new => Err(Code::UnsupportedCompressionType),
            None => partition,
        };
        // The code came with version 6.
        let partition = match partition {
            Err(Code::KafkaStorageError) if terms.version <= 5 => Err(Code::NotLeaderOrFollower),
            partition => partition,
        };
        Self { key, wanted, partition }
    }

    /// At most how many bytes the client takes of it.
    pub(super) fn max_bytes(&self) -> Result<u32, Code> {
        u32::try_from(self.wanted.max_bytes).map_err(|_| Code::InvalidFetchSize)
    }

    fn read(&self, limit: u32, at_least_one: bool, terms: &Terms) -> Result<Found, Code> {
        let partition = self.partition.as_ref().map_err(|code| *code)?;
        if is_closed(partition) {
            return Err(Code::NotLeaderOrFollower);
        }
        leader_epoch::check(partition, self.wanted.leader_epoch)?;
        if let Some(found) = self.diverging(partition)? {
            return Ok(found);
        }
        let offset = self.wanted.offset;
        let read = partition.read(offset, limit, at_least_one, terms.isolation).map_err(|error| {
            match partitions::unreadable(&error) {
                Code::KafkaStorageError if terms.version <= 5 => Code::NotLeaderOrFollower,
                code => code,
            }
        })?;
        let aborted = read.aborted.map(|entries| entries.iter().map(aborted).collect());
        Ok(Found { marks: read.marks, ranges: read.ranges, bytes: read.bytes, diverging: None, aborted })
    }

    /// Whether the client's last record is of an epoch that ended differently here: its log has to be cut (KIP-595).
    fn diverging(&self, partition: &Partition) -> Result<Option<Found>, Code> {
        let Wanted { offset, last_fetched_epoch, .. } = self.wanted;
        if last_fetched_epoch.0 < 0 {
            return Ok(None);
        }
        let marks = partition.marks();
        let (epoch, end) = leader_epoch::end_of(partition, last_fetched_epoch);
        if epoch == LeaderEpoch::NONE || end == Offset::NONE || offset < marks.log_start {
            return Err(Code::OffsetOutOfRange);
        }
        let parted = epoch < last_fetched_epoch || end < offset;
        Ok(parted.then(|| Found {
            marks,
            ranges: Vec::new(),
            bytes: 0,
            diverging: Some((epoch, end)),
            aborted: None,
        }))
    }

    /// What the client could have of the partition if it waited.
    pub(super) fn look(&self, terms: &Terms) -> Look {
        let urgent = Look { urgent: true, ..Look::default() };
        let (Ok(partition), Ok(max_bytes)) = (&self.partition, self.max_bytes()) else { return urgent };
        match self.read(u32::MAX, true, terms) {
            Err(_) => urgent,
            Ok(found) if found.diverging.is_some() => urgent,
            Ok(found) => Look {
                read: 0,
                available: u64::from(found.bytes),
                partition_max: u64::from(max_bytes),
                behind: found.bytes > 0
                    && is_behind(partition, self.wanted.offset, &found.marks, terms.isolation),
                urgent: false,
            },
        }
    }
}

impl Target {
    /// As [`Self::look`], but only whether there is anything.
    pub(super) fn glance(&self, marks: &Marks, terms: &Terms) -> Look {
        let available = u64::from(self.wanted.offset < ceiling(marks, terms.isolation));
        Look { available, partition_max: u64::MAX, ..Look::default() }
    }
}

impl Fetch {
    /// Reads all targets in order, each within what its predecessors left of the limit of the whole answer. The first
    /// records of an answer may exceed the limits, so that a client always gets on (KIP-74).
    pub(super) fn read(&self) -> Vec<Result<Found, Code>> {
        let mut left = self.terms.max_bytes;
        let mut at_least_one = true;
        self.targets
            .iter()
            .map(|target| {
                let limit = left.ok_or(Code::InvalidFetchSize)?.min(target.max_bytes()?);
                let found = target.read(limit, at_least_one, &self.terms)?;
                at_least_one &= found.bytes == 0;
                left = left.map(|left| left.saturating_sub(found.bytes));
                Ok(found)
            })
            .collect()
    }
}

/// Up to where a client reads.
fn ceiling(marks: &Marks, isolation: Isolation) -> Offset {
    match isolation {
        Isolation::ReadUncommitted => marks.high_watermark,
        Isolation::ReadCommitted => marks.last_stable,
    }
}

fn is_closed(partition: &Partition) -> bool {
    matches!(partition.health(), Err(Stopped::Closed))
}

/// Whether records lie in a newer segment than the one that `offset` is in.
fn is_behind(partition: &Partition, offset: Offset, marks: &Marks, isolation: Isolation) -> bool {
    let ceiling = ceiling(marks, isolation);
    partition.log().segment_bases().iter().any(|base| offset < *base && *base < ceiling)
}

fn aborted(entry: &TxnEntry) -> AbortedTransaction {
    AbortedTransaction { producer_id: entry.producer_id.0, first_offset: entry.first_offset.0 }
}
