//! `meta.properties`: which cluster and node a data directory belongs to (Kafka: `MetaProperties`,
//! `PropertiesUtils.writePropertiesFile`).

use std::collections::HashMap;
use std::path::Path;

use base::{Millis, NodeId, Uuid};
use disk::{Disk, DiskError, read_whole, write_atomically};
use java_properties::{PropertiesIter, PropertiesWriter};
use log::checkpoint::{format_id, parse_id};

pub(crate) const FILE: &str = "meta.properties";

/// A real one has about 120 bytes.
const LARGEST: u64 = 1 << 16;

/// What the file says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct MetaProperties {
    /// 0 or 1; Kafka in KRaft mode writes 1.
    pub(crate) version: u8,
    pub(crate) cluster_id: String,
    pub(crate) node_id: NodeId,
    /// Missing in directories that were never used by Kafka 3.7 or newer (KIP-858).
    pub(crate) directory_id: Option<Uuid>,
}

/// Why the text is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MetaPropertiesError {
    /// Not of the form of a properties file.
    #[error("it is no properties file: {0}")]
    Malformed(String),
    /// Neither 0 nor 1.
    #[error("version {0} is not known")]
    Version(String),
    /// A key that has to be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A value that its key cannot have.
    #[error("{key} cannot be {value:?}")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
    },
}

impl MetaProperties {
    /// Reads the text. A version 0 file calls the node `broker.id`.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, MetaPropertiesError> {
        let mut values = HashMap::new();
        PropertiesIter::new(bytes)
            .read_into(|key, value| {
                values.insert(key, value);
            })
            .map_err(|e| MetaPropertiesError::Malformed(e.to_string()))?;
        let bad = |key, value: &str| MetaPropertiesError::Value { key, value: value.to_owned() };

        let version = match values.get("version").map(String::as_str) {
            None | Some("0") => 0,
            Some("1") => 1,
            Some(other) => return Err(MetaPropertiesError::Version(other.to_owned())),
        };
        let cluster_id = values
            .remove("cluster.id")
            .filter(|id| !id.is_empty())
            .ok_or(MetaPropertiesError::Missing("cluster.id"))?;
        let node_key = if version == 0 { "broker.id" } else { "node.id" };
        let node_id = values.get(node_key).ok_or(MetaPropertiesError::Missing(node_key))?;
        let node_id = node_id.parse().ok().filter(|id| *id >= 0).ok_or_else(|| bad(node_key, node_id))?;
        let directory_id = match values.get("directory.id") {
            None => None,
            Some(text) => {
                let id = parse_id(text).filter(|id| !is_reserved(*id));
                Some(id.ok_or_else(|| bad("directory.id", text))?)
            }
        };
        Ok(Self { version, cluster_id, node_id: NodeId(node_id), directory_id })
    }

    /// The text, always of version 1, in the order of keys that Kafka 4.1 happens to write.
    pub(crate) fn format(&self, now: Millis) -> Vec<u8> {
        let mut text = format!("#\n#{}\n", java_date(now)).into_bytes();
        let mut put = |key, value: &str| {
            let mut line = Vec::new();
            let mut writer = PropertiesWriter::new(&mut line);
            writer.write(key, value).and_then(|()| writer.finish()).expect("a vector takes every byte");
            drop(writer);
            text.extend_from_slice(&line);
        };
        put("node.id", &self.node_id.to_string());
        if let Some(id) = self.directory_id {
            put("directory.id", &format_id(id));
        }
        put("version", "1");
        put("cluster.id", &self.cluster_id);
        text
    }

    /// What stands in the data directory, if anything does.
    pub(crate) fn read(
        disk: &dyn Disk,
        data_dir: &Path,
    ) -> Result<Option<Result<Self, MetaPropertiesError>>, DiskError> {
        let bytes = read_whole(disk, &data_dir.join(FILE), LARGEST)?;
        Ok(bytes.map(|bytes| Self::parse(&bytes)))
    }

    pub(crate) fn write(&self, disk: &dyn Disk, data_dir: &Path, now: Millis) -> Result<(), DiskError> {
        write_atomically(disk, &data_dir.join(FILE), &self.format(now))
    }
}

/// Ids below 100 have a meaning of their own (Kafka: `DirectoryId.reserved`).
pub(crate) fn is_reserved(id: Uuid) -> bool {
    id.as_u128() < 100
}

/// A random id that Kafka takes for a cluster or a directory: not reserved, and its text does not begin with `-`, which
/// command lines would take for an option.
pub(crate) fn random_id(random: &mut dyn FnMut() -> Uuid) -> Uuid {
    loop {
        let id = random();
        if !is_reserved(id) && !format_id(id).starts_with('-') {
            return id;
        }
    }
}

/// A new id for a cluster, as `kafka-storage.sh random-uuid` prints it: 22 letters, digits, `-` and `_`.
pub fn random_cluster_id(random: &mut dyn FnMut() -> Uuid) -> String {
    format_id(random_id(random))
}

/// The time as `java.util.Date.toString` says it in UTC: `Sun Nov 22 17:46:41 UTC 2026`.
fn java_date(now: Millis) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    // 1970-01-01 was a Thursday.
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let is_leap = |year: i64| (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    let seconds = now.0.clamp(0, 253_402_300_799_000) / 1000;
    let (mut days, second) = (seconds / 86_400, seconds % 86_400);
    let day_name = DAYS[usize::try_from(days % 7).expect("below 7")];
    let mut year = 1970;
    while days >= 365 + i64::from(is_leap(year)) {
        days -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let mut month = 0;
    let length = |month| match month {
        1 => 28 + i64::from(is_leap(year)),
        3 | 5 | 8 | 10 => 30,
        _ => 31,
    };
    while days >= length(month) {
        days -= length(month);
        month += 1;
    }
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{day_name} {} {:02} {hour:02}:{minute:02}:{second:02} UTC {year}", MONTHS[month], days + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written by `StorageTool format` of Kafka 4.1.1.
    const KAFKA: &str = "#\n#Sun Nov 22 17:46:41 UTC 2026\nnode.id=1\ndirectory.id=hmldVRXbPot_eQreE6SbZQ\nversion=1\ncluster.id=4L6g3nShT-eMCtK--X86sw\n";

    fn parse(text: &str) -> Result<MetaProperties, String> {
        MetaProperties::parse(text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn reads_and_writes_what_kafka_writes() {
        let meta = parse(KAFKA).unwrap();
        assert_eq!(meta.version, 1);
        assert_eq!(meta.node_id, NodeId(1));
        assert_eq!(meta.cluster_id, "4L6g3nShT-eMCtK--X86sw");
        assert_eq!(format_id(meta.directory_id.unwrap()), "hmldVRXbPot_eQreE6SbZQ");
        assert_eq!(String::from_utf8(meta.format(Millis(1_795_369_601_000))).unwrap(), KAFKA);
    }

    #[test]
    fn a_cluster_id_of_any_text_survives() {
        let odd = MetaProperties {
            version: 1,
            cluster_id: "my cluster: #1 = ä\\".into(),
            node_id: NodeId(7),
            directory_id: None,
        };
        assert_eq!(MetaProperties::parse(&odd.format(Millis(0))), Ok(odd));
    }

    #[test]
    fn version_0_calls_the_node_a_broker() {
        let meta = parse("broker.id=3\ncluster.id=abc\n").unwrap();
        assert_eq!((meta.version, meta.node_id, meta.directory_id), (0, NodeId(3), None));
    }

    #[test]
    fn what_is_not_understood_is_refused_by_name() {
        for (text, message) in [
            ("version=2\n", "version 2 is not known"),
            ("version=1\nnode.id=1\n", "cluster.id is missing"),
            ("version=1\ncluster.id=\nnode.id=1\n", "cluster.id is missing"),
            ("version=1\ncluster.id=a\n", "node.id is missing"),
            ("version=0\ncluster.id=a\nnode.id=1\n", "broker.id is missing"),
            ("version=1\ncluster.id=a\nnode.id=x\n", "node.id cannot be \"x\""),
            ("version=1\ncluster.id=a\nnode.id=-1\n", "node.id cannot be \"-1\""),
            ("version=1\ncluster.id=a\nnode.id=1\ndirectory.id=x\n", "directory.id cannot be \"x\""),
            (
                "version=1\ncluster.id=a\nnode.id=1\ndirectory.id=AAAAAAAAAAAAAAAAAAAAAQ\n",
                "directory.id cannot be \"AAAAAAAAAAAAAAAAAAAAAQ\"",
            ),
        ] {
            assert_eq!(parse(text).unwrap_err(), message, "{text:?}");
        }
        assert!(parse("\\u12").unwrap_err().starts_with("it is no properties file"));
    }

    #[test]
    fn dates_are_those_of_java() {
        for (millis, text) in [
            (0, "Thu Jan 01 00:00:00 UTC 1970"),
            (951_782_400_000, "Tue Feb 29 00:00:00 UTC 2000"),
            (1_709_251_199_999, "Thu Feb 29 23:59:59 UTC 2024"),
            (4_107_542_400_000, "Mon Mar 01 00:00:00 UTC 2100"),
            (1_735_689_599_000, "Tue Dec 31 23:59:59 UTC 2024"),
        ] {
            assert_eq!(java_date(Millis(millis)), text);
        }
    }

    #[test]
    fn random_ids_are_usable_on_a_command_line() {
        let dash = Uuid::from_u128(0xfb << 120);
        assert!(format_id(dash).starts_with('-'));
        let mut draws = [Uuid::from_u128(1), dash, Uuid::from_u128(7 << 90)].into_iter();
        assert_eq!(random_id(&mut || draws.next().unwrap()), Uuid::from_u128(7 << 90));
    }
}
