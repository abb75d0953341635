//! `quorum-state`: who led the metadata log last, and in which epoch (Kafka: `FileQuorumStateStore`).

use std::path::Path;

use base::{LeaderEpoch, NodeId};
use disk::{Disk, DiskError, read_whole};
use serde_json::Value;

use crate::files;

pub(crate) const FILE: &str = "quorum-state";

/// A real one has about 130 bytes.
const LARGEST: u64 = 1 << 20;

/// What matters of the file to the only voter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct QuorumState {
    pub(crate) leader_epoch: LeaderEpoch,
    /// The voters, where the file has them (kraft.version 0); with kraft.version 1 they stand in the log.
    pub(crate) voters: Option<Vec<NodeId>>,
}

impl QuorumState {
    /// Reads the text; `None` when it is not of the file's form.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(bytes).ok()?;
        let number = |value: &Value| i32::try_from(value.as_i64()?).ok();
        let version = number(value.get("data_version")?)?;
        let voters = match version {
            0 => {
                let voters = value.get("currentVoters")?.as_array()?.iter();
                Some(voters.map(|voter| number(voter.get("voterId")?).map(NodeId)).collect::<Option<_>>()?)
            }
            1 => None,
            _ => return None,
        };
        Some(Self { leader_epoch: LeaderEpoch(number(value.get("leaderEpoch")?)?), voters })
    }

    /// What stands in the metadata log's directory; `Some(None)` for a file that is not understood.
    pub(crate) fn read(disk: &dyn Disk, dir: &Path) -> Result<Option<Option<Self>>, DiskError> {
        Ok(read_whole(disk, &dir.join(FILE), LARGEST)?.map(|bytes| Self::parse(&bytes)))
    }
}

/// Writes that `node`, the only voter, leads in `epoch`. The directory is not synced: the log itself says which epoch was
/// the last, and Kafka believes it over an older file.
pub(crate) fn write(
    disk: &dyn Disk,
    dir: &Path,
    node: NodeId,
    epoch: LeaderEpoch,
    kraft_version: i16,
) -> Result<(), DiskError> {
    let text = if kraft_version == 0 {
        format!(
            r#"{{"clusterId":"","leaderId":{node},"leaderEpoch":{epoch},"votedId":-1,"appliedOffset":0,"currentVoters":[{{"voterId":{node}}}],"data_version":0}}"#
        )
    } else {
        format!(
            r#"{{"leaderId":{node},"leaderEpoch":{epoch},"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}}"#
        )
    };
    files::replace(disk, &dir.join(FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use testkit::CrashDisk;

    use super::*;

    #[test]
    fn both_forms_are_written_as_kafka_writes_them_and_read_back() {
        let disk = CrashDisk::calm(1);
        let dir = Path::new("/d");
        disk.create_dir_all(dir).unwrap();
        assert_eq!(QuorumState::read(&disk, dir).unwrap(), None);

        write(&disk, dir, NodeId(1), LeaderEpoch(1), 0).unwrap();
        let text = read_whole(&disk, &dir.join(FILE), 1000).unwrap().unwrap();
        // Kafka 4.1.1 wrote this one.
        let kafka = br#"{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#;
        assert_eq!(text, kafka);
        let state = QuorumState { leader_epoch: LeaderEpoch(1), voters: Some(vec![NodeId(1)]) };
        assert_eq!(QuorumState::read(&disk, dir).unwrap(), Some(Some(state)));

        write(&disk, dir, NodeId(4), LeaderEpoch(9), 1).unwrap();
        let state = QuorumState { leader_epoch: LeaderEpoch(9), voters: None };
        assert_eq!(QuorumState::read(&disk, dir).unwrap(), Some(Some(state)));
    }

    #[test]
    fn what_is_not_understood_is_said_to_be_so() {
        for text in [
            "",
            "{}",
            "[]",
            r#"{"leaderEpoch":1,"data_version":2}"#,
            r#"{"leaderEpoch":99999999999,"data_version":1}"#,
        ] {
            assert_eq!(QuorumState::parse(text.as_bytes()), None, "{text}");
        }
    }
}
