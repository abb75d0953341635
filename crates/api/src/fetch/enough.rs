//! Whether a Fetch has enough to answer now, or had better wait (Kafka: `ReplicaManager.fetchMessages`, `DelayedFetch`).
//!
//! Pure; the waiting is done by whoever asks.

/// What a look at one partition showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Bytes that would be sent.
    pub(super) read: u64,
    /// Bytes from the fetch offset to the ceiling, as far as known without crossing a segment border.
    pub(super) available: u64,
    /// The most the client takes of this partition.
    pub(super) partition_max: u64,
    /// The client is at an older segment: it is far behind, and waiting would not bring more.
    pub(super) behind: bool,
    /// An error or a diverging epoch, which the client has to hear of at once.
    pub(super) urgent: bool,
}

/// Whether these are enough for a client that asked to wait for `min_bytes`.
///
/// What counts beside the bytes that would be sent is what the client could have: batches are sent whole, so a client
/// that asks for 100 bytes of a partition with 80-byte batches has all it will ever get.
pub(super) fn enough(min_bytes: u64, looks: impl IntoIterator<Item = Look>) -> bool {
    let (mut read, mut available) = (0_u64, 0_u64);
    for look in looks {
        if look.urgent || look.behind {
            return true;
        }
        read = read.saturating_add(look.read);
        available = available.saturating_add(look.available.min(look.partition_max));
    }
    read >= min_bytes || available >= min_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(read: u64, available: u64, partition_max: u64) -> Look {
        Look { read, available, partition_max, ..Look::default() }
    }

    #[test]
    fn a_request_without_a_minimum_never_waits() {
        assert!(enough(0, []));
        assert!(enough(0, [bytes(0, 0, 1000)]));
    }

    #[test]
    fn the_bytes_of_all_partitions_count_together() {
        assert!(!enough(1, [bytes(0, 0, 1000), bytes(0, 0, 1000)]));
        assert!(!enough(100, [bytes(40, 40, 1000), bytes(59, 59, 1000)]));
        assert!(enough(100, [bytes(40, 40, 1000), bytes(60, 60, 1000)]));
    }

    #[test]
    fn a_batch_that_does_not_fit_any_more_counts_up_to_the_limit_of_the_partition() {
        assert!(enough(100, [bytes(80, 400, 100)]), "nothing more would ever fit");
        assert!(!enough(1000, [bytes(80, 400, 100)]), "the client asked to wait for other partitions");
    }

    #[test]
    fn an_error_and_a_client_that_lags_are_answered_at_once() {
        assert!(enough(1 << 20, [bytes(0, 0, 1), Look { urgent: true, ..Look::default() }]));
        assert!(enough(1 << 20, [Look { behind: true, ..bytes(80, 80, 1000) }]));
    }

    #[test]
    fn sums_do_not_overflow() {
        assert!(enough(u64::MAX, [bytes(u64::MAX, 0, 0), bytes(1, 0, 0)]));
    }
}
