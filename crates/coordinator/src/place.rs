//! Which partition of an internal topic a key lives in.

use base::PartitionIndex;

/// The partition of `key` among `partitions` (at least 1): Java's `String.hashCode` over UTF-16 units, made positive, modulo
/// (Kafka: `GroupCoordinatorService.partitionFor`, `Utils.abs`). Clients and other brokers compute the same.
///
/// # Panics
/// When there are no partitions.
#[must_use]
pub fn partition_of(key: &str, partitions: usize) -> PartitionIndex {
    assert!(partitions > 0, "an internal topic has partitions");
    let hash =
        key.encode_utf16().fold(0_i32, |hash, unit| hash.wrapping_mul(31).wrapping_add(i32::from(unit)));
    // The one number without a positive twin counts as 0.
    let positive = hash.checked_abs().unwrap_or(0);
    let partitions = i32::try_from(partitions).unwrap_or(i32::MAX);
    PartitionIndex(positive % partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_java_counts() {
        for (key, partition) in [
            ("", 0),
            ("a", 47),
            ("my-group", 12),
            ("test", 48),
            ("my-txn", 45),
            ("console-consumer-12345", 6),
            ("group\u{e9}", 6),
            ("polygenelubricants", 0),
        ] {
            assert_eq!(partition_of(key, 50), PartitionIndex(partition), "{key}");
        }
        assert_eq!(partition_of("anything", 1), PartitionIndex(0));
    }
}
