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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use base::Millis;
    use disk::RealDisk;
    use log::Known;
    use partition::{Flusher, PartitionConfig};

    use super::*;

    #[test]
    fn an_older_epoch_is_fenced_and_a_newer_one_is_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let known = Known { clean: false, recovery_point: Offset(0), log_start: Offset(0) };
        let (partition, _) = Partition::open(
            Arc::new(RealDisk::new()),
            Flusher::start(1, Arc::default()),
            &dir.path().join("t-0"),
            PartitionConfig::default(),
            known,
            LeaderEpoch(5),
            Millis(0),
        )
        .unwrap();
        for (epoch, expected) in [
            (-1, Ok(())),
            (-7, Ok(())),
            (0, Err(Code::FencedLeaderEpoch)),
            (4, Err(Code::FencedLeaderEpoch)),
            (5, Ok(())),
            (6, Err(Code::UnknownLeaderEpoch)),
        ] {
            assert_eq!(check(&partition, LeaderEpoch(epoch)), expected, "epoch {epoch}");
        }
        assert_eq!(end_of(&partition, LeaderEpoch(5)), (LeaderEpoch(5), Offset(0)));
        assert_eq!(end_of(&partition, LeaderEpoch::NONE), (LeaderEpoch::NONE, Offset::NONE));
    }
}
