//! What a client knows of a partition's leader epochs, held against what is (KIP-320).

use base::{LeaderEpoch, Offset};
use partition::Partition;

use crate::code::Code;

/// Whether a client that names `epoch` as the current leader epoch is up to date; a negative one is not checked.
pub(crate) fn check(partition: &Partition, epoch: LeaderEpoch) -> Result<(), Code> {
    let current = partition.leader_epoch();
    if epoch.0 < 0 || epoch == current {
        Ok(())
    } else if epoch < current {
        Err(Code::FencedLeaderEpoch)
    } else {
        Err(Code::UnknownLeaderEpoch)
    }
}

/// The largest leader epoch not above `epoch`, and the offset where it ends; both -1 when unknown. The current epoch ends
/// at the log end even before anything was appended in it, since a leader's epoch is noted when it becomes leader
/// (Kafka: `LeaderEpochFileCache.endOffsetFor`).
pub(crate) fn end_of(partition: &Partition, epoch: LeaderEpoch) -> (LeaderEpoch, Offset) {
    if epoch == partition.leader_epoch() && epoch.0 >= 0 {
        (epoch, partition.marks().log_end)
    } else {
        partition.end_offset_for_epoch(epoch)
    }
}
