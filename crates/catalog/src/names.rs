//! What the sub-directories of a data directory are called (Kafka: `UnifiedLog.parseTopicPartitionName`,
//! `logDeleteDirName`, `logStrayDirName`).

use base::{PartitionIndex, Uuid};
use state_machines::topics::name::CLUSTER_METADATA;

/// Most bytes of a file name.
const LONGEST: usize = 255;

/// The directory of the metadata log.
pub(crate) const METADATA_DIR: &str = "__cluster_metadata-0";

/// Tiered storage's cache, the only sub-directory of Kafka's that is no partition.
const REMOTE_INDEX_CACHE: &str = "remote-log-index-cache";

/// What a sub-directory is, by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Subdir {
    /// The metadata log.
    Metadata,
    /// A partition.
    Partition { topic: String, index: PartitionIndex },
    /// A deleted partition that waits to be removed.
    Deleted,
    /// A copy of a partition that was to replace it.
    Future,
    /// A partition that belonged to no topic.
    Stray,
    /// Nothing to do with partitions, and known.
    Ignored,
}

impl Subdir {
    /// What Kafka takes a sub-directory of this name for; `None` when Kafka would refuse to start because of it.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        if name == REMOTE_INDEX_CACHE {
            return Some(Self::Ignored);
        }
        for (suffix, kind) in [("-delete", Self::Deleted), ("-future", Self::Future), ("-stray", Self::Stray)]
        {
            if let Some(rest) = name.strip_suffix(suffix) {
                // As the pattern `^(\S+)-(\S+)\.(\S+)-delete` asks.
                let (partition, unique) = rest.rsplit_once('.')?;
                let (topic, index) = partition.rsplit_once('-')?;
                let whole = !topic.is_empty() && !index.is_empty() && !unique.is_empty();
                return (whole && !name.contains(char::is_whitespace)).then_some(kind);
            }
        }
        let (topic, index) = name.rsplit_once('-')?;
        let digits = !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit());
        let index = PartitionIndex(index.parse().ok().filter(|_| digits)?);
        match topic {
            "" => None,
            CLUSTER_METADATA => (name == METADATA_DIR).then_some(Self::Metadata),
            _ => Some(Self::Partition { topic: topic.to_owned(), index }),
        }
    }
}

/// The directory of a partition.
pub(crate) fn partition_dir(topic: &str, index: PartitionIndex) -> String {
    format!("{topic}-{index}")
}

/// What the directory of a deleted partition is renamed to; `unique` keeps it apart from earlier ones of the same name.
pub(crate) fn deleted_dir(topic: &str, index: PartitionIndex, unique: Uuid) -> String {
    suffixed(topic, index, unique, "delete")
}

/// What a directory that belongs to no topic is renamed to.
pub(crate) fn stray_dir(topic: &str, index: PartitionIndex, unique: Uuid) -> String {
    suffixed(topic, index, unique, "stray")
}

/// The topic's name is cut so that the whole fits.
fn suffixed(topic: &str, index: PartitionIndex, unique: Uuid, suffix: &str) -> String {
    let end = format!("-{index}.{}-{suffix}", unique.simple());
    let fits = LONGEST.saturating_sub(end.len());
    format!("{}{end}", &topic[..topic.floor_char_boundary(fits)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(topic: &str, index: i32) -> Option<Subdir> {
        Some(Subdir::Partition { topic: topic.into(), index: PartitionIndex(index) })
    }

    #[test]
    fn partitions_are_told_by_their_last_hyphen() {
        assert_eq!(Subdir::parse("orders-0"), partition("orders", 0));
        assert_eq!(Subdir::parse("a-b-12"), partition("a-b", 12));
        assert_eq!(Subdir::parse("a--1"), partition("a-", 1));
        assert_eq!(Subdir::parse("__cluster_metadata-0"), Some(Subdir::Metadata));
        assert_eq!(Subdir::parse("remote-log-index-cache"), Some(Subdir::Ignored));
        for foreign in [
            "lost+found",
            "orders",
            "orders-",
            "-0",
            "orders-x",
            "orders-99999999999",
            "__cluster_metadata-1",
        ] {
            assert_eq!(Subdir::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn suffixes_are_kafkas() {
        assert_eq!(Subdir::parse("gone-0.770528d31c504aefb896a34829919133-delete"), Some(Subdir::Deleted));
        assert_eq!(Subdir::parse("a.b-1.770528d31c504aefb896a34829919133-stray"), Some(Subdir::Stray));
        assert_eq!(Subdir::parse("a-1.x-future"), Some(Subdir::Future));
        for foreign in ["a-delete", "a-0-delete", ".x-delete", "a b-0.x-delete"] {
            assert_eq!(Subdir::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_long_name_is_cut_to_fit() {
        let unique = Uuid::from_u128(0x7705_28d3_1c50_4aef_b896_a348_2991_9133);
        assert_eq!(
            deleted_dir("gone", PartitionIndex(0), unique),
            "gone-0.770528d31c504aefb896a34829919133-delete"
        );
        let long = stray_dir(&"t".repeat(249), PartitionIndex(123), unique);
        assert_eq!(long.len(), 255);
        assert!(long.ends_with("t-123.770528d31c504aefb896a34829919133-stray"));
        assert_eq!(Subdir::parse(&long), Some(Subdir::Stray));
    }
}
