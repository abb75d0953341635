//! Changing feature levels (KIP-584; Kafka: `FeatureControlManager.updateFeatures`).

use std::sync::Arc;

use base::Millis;
use state_machines::configs::{Configs, ResourceType};
use wire::metadata_records::{ConfigRecord, FeatureLevelRecord};

use crate::catalog::Catalog;
use crate::convert::BROKER_RESOURCE;
use crate::error::CatalogError;
use crate::features::{
    ELIGIBLE_LEADER_REPLICAS, KRAFT_VERSION, Levels, METADATA_VERSION, NOT_OFFERED, SUPPORTED,
};
use crate::registration::{self, Versioned};

/// The levels of `metadata.version` that brought records, or fields of them: nothing goes back beyond one.
const METADATA_CHANGES: &[i16] = &[7, 8, 11, 13, 14, 15, 17, 23];

/// Eligible leader replicas need this `metadata.version` (4.0-IV1).
const ELIGIBLE_LEADER_REPLICAS_NEED: i16 = 23;

/// How far a change may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeType {
    /// Only up.
    Upgrade,
    /// Down, if nothing is lost.
    SafeDowngrade,
    /// Down, whatever is lost.
    UnsafeDowngrade,
}

/// A wish for another level of a feature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature.
    pub feature: String,
    /// Its new level; 0 switches it off.
    pub level: i16,
    /// In which direction; `None` for a direction that nobody knows.
    pub upgrade_type: Option<UpgradeType>,
}

/// Why feature levels stay as they are.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FeatureError {
    /// INVALID_UPDATE_VERSION 95.
    #[error("{feature} cannot be set to {level}: {why}")]
    Refused {
        /// The feature.
        feature: String,
        /// The level that was wanted.
        level: i16,
        /// What is wrong with it.
        why: FeatureRefusal,
    },
    /// The metadata log does not take it.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
}

/// What is wrong with a feature level.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeatureRefusal {
    /// A kind of upgrade that nobody knows.
    #[error("there is no such upgrade type")]
    UnknownUpgradeType,
    /// A feature that nobody knows.
    #[error("there is no such feature")]
    UnknownFeature,
    /// Outside of what this broker supports.
    #[error("this broker supports {min} to {max}")]
    Unsupported {
        /// The lowest level.
        min: i16,
        /// The highest level.
        max: i16,
    },
    /// Below the level of today, without being called a downgrade.
    #[error("its level is {level}, and the update is not called a downgrade")]
    WouldSink {
        /// The level of today.
        level: i16,
    },
    /// Above the level of today, but called a downgrade.
    #[error("its level is {level}, and the update is called a downgrade")]
    WouldRise {
        /// The level of today.
        level: i16,
    },
    /// The metadata may hold what the lower level cannot say.
    #[error("metadata may be lost on the way down from {level}")]
    LosesMetadata {
        /// The level of today.
        level: i16,
    },
    /// Another feature has to come first.
    #[error("it needs {feature} {level}")]
    Needs {
        /// The other feature.
        feature: &'static str,
        /// Its lowest level that will do.
        level: i16,
    },
    /// `kraft.version` does not change.
    #[error("the one voter stands in the configuration, not in the log, and stays there")]
    StaticVoter,
}

impl Levels {
    /// Judges changes that stand or fall together; of a feature that is named twice the last one counts. Gives those
    /// that change anything.
    pub(crate) fn judge(&self, updates: &[FeatureUpdate]) -> Result<Vec<(String, i16)>, FeatureError> {
        let last = |at: usize| updates[at + 1..].iter().all(|later| later.feature != updates[at].feature);
        let updates: Vec<&FeatureUpdate> =
            (0..updates.len()).filter(|at| last(*at)).map(|at| &updates[at]).collect();
        let mut proposed = self.clone();
        updates.iter().for_each(|update| proposed.set(&update.feature, update.level));
        let mut changes = Vec::new();
        for update in updates {
            let refused =
                |why| FeatureError::Refused { feature: update.feature.clone(), level: update.level, why };
            self.judge_one(update, &proposed).map_err(refused)?;
            if self.current(&update.feature) != update.level {
                changes.push((update.feature.clone(), update.level));
            }
        }
        Ok(changes)
    }

    fn current(&self, feature: &str) -> i16 {
        if feature == METADATA_VERSION { self.metadata_version() } else { self.of(feature) }
    }

    fn judge_one(&self, update: &FeatureUpdate, proposed: &Self) -> Result<(), FeatureRefusal> {
        let upgrade_type = update.upgrade_type.ok_or(FeatureRefusal::UnknownUpgradeType)?;
        let range = SUPPORTED.iter().chain(NOT_OFFERED).find(|range| range.name == update.feature);
        let range = range.ok_or(FeatureRefusal::UnknownFeature)?;
        let (min, max) = (range.min, range.max);
        if !(min..=max).contains(&update.level) {
            return Err(FeatureRefusal::Unsupported { min, max });
        }
        let level = self.current(range.name);
        if update.level < level && upgrade_type == UpgradeType::Upgrade {
            return Err(FeatureRefusal::WouldSink { level });
        }
        if update.level > level && upgrade_type != UpgradeType::Upgrade {
            return Err(FeatureRefusal::WouldRise { level });
        }
        match range.name {
            // An unsafe downgrade is no way around that: Kafka 4.1 has none either.
            METADATA_VERSION if METADATA_CHANGES.iter().any(|at| (update.level + 1..=level).contains(at)) => {
                Err(FeatureRefusal::LosesMetadata { level })
            }
            KRAFT_VERSION if update.level != level => Err(FeatureRefusal::StaticVoter),
            ELIGIBLE_LEADER_REPLICAS
                if update.level > 0 && proposed.metadata_version() < ELIGIBLE_LEADER_REPLICAS_NEED =>
            {
                Err(FeatureRefusal::Needs { feature: METADATA_VERSION, level: ELIGIBLE_LEADER_REPLICAS_NEED })
            }
            _ => Ok(()),
        }
    }
}

impl Catalog {
    /// Changes feature levels, all of them or none. With `validate_only` nothing is changed. Waits for a sync.
    ///
    /// # Errors
    /// When one of them may not be so, or the metadata log cannot be written.
    pub fn update_features(
        &self,
        updates: &[FeatureUpdate],
        validate_only: bool,
        now: Millis,
    ) -> Result<(), FeatureError> {
        self.at(now);
        let mut writer = self.writer.lock();
        let changes = writer.image.levels.judge(updates)?;
        if validate_only || changes.is_empty() {
            return Ok(writer.check_open()?);
        }
        let mut records = Vec::new();
        let eligible = |(name, level): &(String, i16)| name == ELIGIBLE_LEADER_REPLICAS && *level > 0;
        if changes.iter().any(eligible) {
            let found = min_insync_replicas(&writer.image.configs);
            records.extend(pin_min_insync_replicas(&found, self.ground.given.min_insync_replicas()));
        }
        records.extend(changes.iter().map(|(name, level)| {
            (FeatureLevelRecord { name: name.clone().into(), feature_level: *level }.into(), 0)
        }));
        writer.commit(records, now)?;
        for (name, level) in changes {
            tracing::info!("{name} is {level} from now on");
        }
        self.levels.store(Arc::new(writer.image.levels.clone()));
        self.applied(&writer);
        Ok(())
    }
}

/// The brokers with a `min.insync.replicas` of their own; "" is all of them.
fn min_insync_replicas(configs: &Configs) -> Vec<String> {
    configs
        .of_type(ResourceType::Broker)
        .filter(|(_, configs)| configs.contains_key(registration::MIN_INSYNC_REPLICAS))
        .map(|(broker, _)| broker.to_owned())
        .collect()
}

/// Eligible leader replicas want one `min.insync.replicas` for the whole cluster, and none for a broker (KIP-966).
/// `found` names those that have one; "" is all brokers.
fn pin_min_insync_replicas(found: &[String], setting: i32) -> Vec<Versioned> {
    let mut records = Vec::new();
    if found.iter().all(|broker| !broker.is_empty()) {
        records.push(registration::min_insync_replicas(setting));
    }
    records.extend(found.iter().filter(|broker| !broker.is_empty()).map(|broker| {
        let removed = ConfigRecord {
            resource_type: BROKER_RESOURCE,
            resource_name: broker.clone().into(),
            name: registration::MIN_INSYNC_REPLICAS.into(),
            value: None,
        };
        (removed.into(), 0)
    }));
    records
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::FRESH;

    fn levels() -> Levels {
        let mut levels = Levels::default();
        FRESH.iter().for_each(|(name, level)| levels.set(name, *level));
        levels
    }

    fn update(feature: &str, level: i16, upgrade_type: UpgradeType) -> FeatureUpdate {
        FeatureUpdate { feature: feature.to_owned(), level, upgrade_type: Some(upgrade_type) }
    }

    fn judge(levels: &Levels, updates: &[FeatureUpdate]) -> Result<Vec<(String, i16)>, FeatureRefusal> {
        levels.judge(updates).map_err(|error| match error {
            FeatureError::Refused { why, .. } => why,
            FeatureError::Catalog(error) => panic!("{error}"),
        })
    }

    #[test]
    fn metadata_goes_back_as_far_as_nothing_changed() {
        use UpgradeType::{SafeDowngrade, UnsafeDowngrade, Upgrade};
        let levels = levels();
        let to = |level, kind| judge(&levels, &[update(METADATA_VERSION, level, kind)]);
        for level in 23..27 {
            assert_eq!(to(level, SafeDowngrade), Ok(vec![(METADATA_VERSION.to_owned(), level)]));
        }
        for kind in [SafeDowngrade, UnsafeDowngrade] {
            assert_eq!(to(22, kind), Err(FeatureRefusal::LosesMetadata { level: 27 }));
        }
        assert_eq!(to(26, Upgrade), Err(FeatureRefusal::WouldSink { level: 27 }));
        assert_eq!(to(28, Upgrade), Err(FeatureRefusal::Unsupported { min: 7, max: 27 }));
        assert_eq!(to(0, UnsafeDowngrade), Err(FeatureRefusal::Unsupported { min: 7, max: 27 }));
        assert_eq!(to(27, SafeDowngrade), Ok(Vec::new()), "it is so already");
    }

    #[test]
    fn a_feature_may_need_another_which_may_come_with_it() {
        use UpgradeType::Upgrade;
        let mut levels = Levels::default();
        levels.set(METADATA_VERSION, 17);
        let eligible = update(ELIGIBLE_LEADER_REPLICAS, 1, Upgrade);
        let needs = FeatureRefusal::Needs { feature: METADATA_VERSION, level: 23 };
        assert_eq!(judge(&levels, std::slice::from_ref(&eligible)), Err(needs));
        let both = [eligible, update(METADATA_VERSION, 23, Upgrade)];
        assert_eq!(judge(&levels, &both).map(|changes| changes.len()), Ok(2));
    }

    #[test]
    fn one_bad_change_stops_all_and_the_last_of_one_name_counts() {
        use UpgradeType::{SafeDowngrade, Upgrade};
        let levels = levels();
        let off = update("group.version", 0, SafeDowngrade);
        assert_eq!(judge(&levels, std::slice::from_ref(&off)), Ok(vec![("group.version".to_owned(), 0)]));
        let up = update("group.version", 1, Upgrade);
        assert_eq!(judge(&levels, &[off.clone(), up.clone()]), Ok(Vec::new()));
        let unknown = update("new.version", 1, Upgrade);
        assert_eq!(judge(&levels, &[off.clone(), unknown]), Err(FeatureRefusal::UnknownFeature));
        let kraft = update(KRAFT_VERSION, 1, Upgrade);
        assert_eq!(judge(&levels, &[kraft]), Err(FeatureRefusal::StaticVoter));
        let rising = update("share.version", 1, SafeDowngrade);
        assert_eq!(judge(&levels, &[rising]), Err(FeatureRefusal::WouldRise { level: 0 }));
        let strange = FeatureUpdate { upgrade_type: None, ..off };
        assert_eq!(judge(&levels, &[strange]), Err(FeatureRefusal::UnknownUpgradeType));
    }

    #[test]
    fn one_min_insync_replicas_is_left() {
        let names = |found: &[&str]| -> Vec<String> {
            let found: Vec<String> = found.iter().map(|name| (*name).to_owned()).collect();
            let of = |(record, _): Versioned| match record {
                wire::metadata_records::MetadataRecord::Config(record) => {
                    format!("{:?}={:?}", record.resource_name, record.value)
                }
                other => panic!("{other:?}"),
            };
            pin_min_insync_replicas(&found, 1).into_iter().map(of).collect()
        };
        assert_eq!(names(&[]), [r#"""=Some("1")"#]);
        assert_eq!(names(&["", "1"]), [r#""1"=None"#]);
    }
}
