//! `kafka-features.sh describe`: the features of the cluster and their levels (Kafka: `FeatureCommand`).

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows the features of the cluster and their levels (describe).",
    flags: &[
        BOOTSTRAP,
        COMMAND_CONFIG,
        Flag {
            name: "bootstrap-controller",
            takes: Takes::Refused,
            help: "ask the broker with --bootstrap-server",
        },
    ],
    word: Word::Command(&["describe"]),
};

/// The first level of `metadata.version` that has a name.
const FIRST: i16 = 7;
/// The names of its levels, from [`FIRST`] on (Kafka: `MetadataVersion`).
const NAMES: [&str; 23] = [
    "3.3-IV3", "3.4-IV0", "3.5-IV0", "3.5-IV1", "3.5-IV2", "3.6-IV0", "3.6-IV1", "3.6-IV2", "3.7-IV0",
    "3.7-IV1", "3.7-IV2", "3.7-IV3", "3.7-IV4", "3.8-IV0", "3.9-IV0", "4.0-IV0", "4.0-IV1", "4.0-IV2",
    "4.0-IV3", "4.1-IV0", "4.1-IV1", "4.2-IV0", "4.2-IV1",
];

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    call.options.command()?;
    let mut client = call.client("ottla-features", COMMAND_CONFIG.name)?;
    let address = client.persist(|client| client.any())?;
    let versions = client.connection(&address)?.versions();
    let mut features: Vec<_> = versions.supported_features.iter().collect();
    features.sort_by(|one, other| one.name.cmp(&other.name));
    let epoch = match versions.finalized_features_epoch {
        -1 => "-".to_owned(),
        epoch => epoch.to_string(),
    };
    for feature in features {
        let finalized = versions.finalized_features.iter().find(|finalized| finalized.name == feature.name);
        let finalized = finalized.map_or(0, |finalized| finalized.max_version_level);
        let [min, max, now] =
            [feature.min_version, feature.max_version, finalized].map(|level| shown(&feature.name, level));
        writeln!(
            call.out,
            "Feature: {}\tSupportedMinVersion: {min}\tSupportedMaxVersion: {max}\tFinalizedVersionLevel: {now}\tEpoch: {epoch}",
            feature.name
        )?;
    }
    Ok(())
}

fn shown(feature: &str, level: i16) -> String {
    if feature != "metadata.version" {
        return level.to_string();
    }
    let name = usize::try_from(level - FIRST).ok().and_then(|at| NAMES.get(at));
    name.map_or_else(|| format!("UNKNOWN {level}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_the_metadata_have_names() {
        let levels = [7, 21, 27, 29, 30, 0].map(|level| shown("metadata.version", level));
        assert_eq!(levels, ["3.3-IV3", "3.9-IV0", "4.1-IV1", "4.2-IV1", "UNKNOWN 30", "UNKNOWN 0"]);
        assert_eq!(shown("group.version", 1), "1");
    }
}
