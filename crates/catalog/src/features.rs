//! Feature levels (KIP-584): what this broker could speak, what the cluster has agreed on, and which version of a record
//! that allows (Kafka: `MetadataVersion`, `Feature`).

use std::collections::BTreeMap;

use crate::error::Unservable;

/// The versions of a feature that this broker supports.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FeatureRange {
    /// Name, such as `metadata.version`.
    pub name: &'static str,
    /// The lowest version.
    pub min: i16,
    /// The highest version.
    pub max: i16,
}

/// The level of a feature that the cluster has agreed on; never 0.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureLevel {
    /// Name, such as `metadata.version`.
    pub name: String,
    /// The level.
    pub level: i16,
}

/// Supported and finalized features, as ApiVersions shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Features {
    /// What this broker supports, by name.
    pub supported: &'static [FeatureRange],
    /// What the cluster has agreed on, by name.
    pub finalized: Vec<FeatureLevel>,
}

pub(crate) const METADATA_VERSION: &str = "metadata.version";
pub(crate) const ELIGIBLE_LEADER_REPLICAS: &str = "eligible.leader.replicas.version";
pub(crate) const KRAFT_VERSION: &str = "kraft.version";

/// What Kafka 4.1 supports, and so do we: whose records we understand.
pub(crate) const SUPPORTED: &[FeatureRange] = &[
    FeatureRange { name: ELIGIBLE_LEADER_REPLICAS, min: 0, max: 1 },
    FeatureRange { name: "group.version", min: 0, max: 1 },
    FeatureRange { name: KRAFT_VERSION, min: 0, max: 1 },
    FeatureRange { name: METADATA_VERSION, min: 7, max: 27 },
    FeatureRange { name: "share.version", min: 0, max: 1 },
    FeatureRange { name: "transaction.version", min: 0, max: 2 },
];

/// What Kafka 4.1 knows but offers at no level, unless unstable features are switched on: not shown, and may be set to 0.
pub(crate) const NOT_OFFERED: &[FeatureRange] = &[FeatureRange { name: "streams.version", min: 0, max: 0 }];

/// What Kafka 4.1 sets in a fresh cluster, in the order of its records.
pub(crate) const FRESH: &[(&str, i16)] = &[
    (METADATA_VERSION, 27),
    (ELIGIBLE_LEADER_REPLICAS, 1),
    ("group.version", 1),
    ("transaction.version", 2),
];

/// The level of `metadata.version` when no record says it.
const LEAST_METADATA_VERSION: i16 = 7;

/// The levels that the cluster has agreed on, by name; 0 is the same as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Levels(BTreeMap<String, i16>);

impl Levels {
    pub(crate) fn set(&mut self, name: &str, level: i16) {
        if level == 0 {
            self.0.remove(name);
        } else {
            self.0.insert(name.to_owned(), level);
        }
    }

    pub(crate) fn of(&self, name: &str) -> i16 {
        self.0.get(name).copied().unwrap_or(0)
    }

    pub(crate) fn metadata_version(&self) -> i16 {
        self.0.get(METADATA_VERSION).copied().unwrap_or(LEAST_METADATA_VERSION)
    }

    pub(crate) fn finalized(&self) -> Vec<FeatureLevel> {
        self.0.iter().map(|(name, level)| FeatureLevel { name: name.clone(), level: *level }).collect()
    }

    /// Whether every level is one we understand.
    pub(crate) fn check(&self) -> Result<(), Unservable> {
        for (feature, level) in &self.0 {
            let known = SUPPORTED.iter().find(|range| range.name == feature);
            let (min, max) = known.map_or((0, 0), |range| (range.min, range.max));
            if !(min..=max).contains(level) {
                return Err(Unservable::FeatureLevel { feature: feature.clone(), level: *level, min, max });
            }
        }
        Ok(())
    }

    /// Whether records may stand between BeginTransactionRecord and EndTransactionRecord (3.6-IV1, KIP-868).
    pub(crate) fn has_transactions(&self) -> bool {
        self.metadata_version() >= 13
    }

    /// Whether controllers register (3.7-IV0, KIP-919).
    pub(crate) fn has_controller_registration(&self) -> bool {
        self.metadata_version() >= 15
    }

    /// Whether replicas have directories (3.7-IV2, KIP-858).
    pub(crate) fn has_directories(&self) -> bool {
        self.metadata_version() >= 17
    }

    pub(crate) fn register_broker_version(&self) -> i16 {
        match self.metadata_version() {
            17.. => 3,
            8.. => 2,
            7.. => 1,
            _ => 0,
        }
    }

    /// The version of PartitionRecord and PartitionChangeRecord.
    pub(crate) fn partition_version(&self) -> i16 {
        match self.metadata_version() {
            23.. => 2,
            17.. => 1,
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_above_what_is_known_are_refused() {
        let mut levels = Levels::default();
        for (name, level) in FRESH {
            levels.set(name, *level);
        }
        assert_eq!(levels.check(), Ok(()));
        levels.set(METADATA_VERSION, 28);
        let refusal = levels.check().unwrap_err().to_string();
        assert!(refusal.starts_with("its metadata.version is 28, and Ottla knows 7 to 27; "), "{refusal}");
        levels.set(METADATA_VERSION, 7);
        levels.set("new.version", 1);
        let refusal = levels.check().unwrap_err().to_string();
        assert!(refusal.starts_with("its new.version is 1, and Ottla knows 0 to 0; "), "{refusal}");
        levels.set("new.version", 0);
        assert_eq!(levels.check(), Ok(()));
    }

    #[test]
    fn record_versions_follow_the_metadata_version() {
        let mut levels = Levels::default();
        for (level, broker, partition) in
            [(7, 1, 0), (8, 2, 0), (16, 2, 0), (17, 3, 1), (22, 3, 1), (23, 3, 2), (27, 3, 2)]
        {
            levels.set(METADATA_VERSION, level);
            assert_eq!(
                (levels.register_broker_version(), levels.partition_version()),
                (broker, partition),
                "{level}"
            );
        }
    }
}
