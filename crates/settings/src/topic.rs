//! The keys of a topic: their rows, and what a topic comes to with its overrides.

use std::collections::BTreeMap;

use crate::error::SettingError;
use crate::nearest::nearest;
use crate::settings::{Settings, bad};
use crate::value::{Allowed, Kind, Rule, Typed};

pub(crate) const CODECS: &[&str] = &["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"];
pub(crate) const POLICIES: &[&str] = &["compact", "delete"];
pub(crate) const TIMESTAMP_TYPES: &[&str] = &["CreateTime", "LogAppendTime"];

/// A broker key that a topic key takes its value from when it is not overridden.
#[derive(Clone, Copy, Debug)]
pub struct Synonym {
    /// The broker key.
    pub name: &'static str,
    /// Milliseconds in one unit of the broker key, where the topic key is in milliseconds and the broker key is not.
    pub millis: Option<i64>,
}

/// Whether a topic key does something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It does what [`TopicRow::doc`] says.
    Works,
    /// It is checked, kept and answered, and nothing looks at it, because what it steers does not exist here.
    Stored,
    /// As [`Effect::Works`], but Kafka's tools do not show it.
    Internal,
}

/// One topic key.
#[derive(Clone, Copy, Debug)]
pub struct TopicRow {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The value when neither the topic nor a synonym is set, as text; `None`: unset.
    pub default: Option<&'static str>,
    /// What is allowed beyond the type.
    pub allowed: Allowed,
    /// The broker keys that stand in for it, strongest first.
    pub synonyms: &'static [Synonym],
    /// Whether it does something.
    pub effect: Effect,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

impl TopicRow {
    pub(crate) const fn rule(&self) -> Rule {
        Rule { kind: self.kind, allowed: self.allowed }
    }
}

/// What batches of a topic are stored with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// What the producer chose.
    Producer,
    /// Not compressed.
    None,
    /// gzip at this level, 1 to 9, or -1 for the library's own.
    Gzip(i32),
    /// snappy.
    Snappy,
    /// lz4, which has one level here.
    Lz4,
    /// zstd at this level, -131072 to 22.
    Zstd(i32),
}

/// Whose clock stamps the records of a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer's.
    CreateTime,
    /// The broker's, at the append.
    LogAppendTime,
}

/// What a topic comes to: overrides, broker synonyms and defaults resolved. Times in milliseconds, sizes in bytes.
#[derive(Clone, Debug, PartialEq)]
pub struct TopicSettings {
    /// Whether `cleanup.policy` holds `delete`: old segments go.
    pub delete: bool,
    /// Whether `cleanup.policy` holds `compact`: every record needs a key.
    pub compact: bool,
    /// Codec and level that batches are stored with.
    pub compression: Compression,
    /// How long a compacted topic keeps tombstones; not negative.
    pub delete_retention_ms: i64,
    /// Wait between renaming a file to `.deleted` and removing it; not negative.
    pub file_delete_delay_ms: i64,
    /// Records after which the partition is flushed; at least 1.
    pub flush_messages: i64,
    /// Time after which the partition is flushed; not negative.
    pub flush_ms: i64,
    /// Bytes of log between two index entries.
    pub index_interval_bytes: u32,
    /// Largest batch, with its 12 bytes of offset and length.
    pub max_message_bytes: u32,
    /// Whose clock stamps the records.
    pub timestamp_type: TimestampType,
    /// How far a record's time may lie in the past; not negative.
    pub timestamp_before_max_ms: i64,
    /// How far a record's time may lie in the future; not negative.
    pub timestamp_after_max_ms: i64,
    /// Age at which a record must be compacted; at least 1, and not less than [`Self::min_compaction_lag_ms`].
    pub max_compaction_lag_ms: i64,
    /// Share of a log that must be new before it is compacted; from 0 to 1.
    pub min_cleanable_dirty_ratio: f64,
    /// Age below which a record is not compacted; not negative.
    pub min_compaction_lag_ms: i64,
    /// Whether segment files are made at full size.
    pub preallocate: bool,
    /// Size above which the oldest segments go; negative: no limit.
    pub retention_bytes: i64,
    /// Age at which closed segments go; -1: never.
    pub retention_ms: i64,
    /// Size at which a segment is closed; at least 1 (`internal.segment.bytes` goes below `segment.bytes`'s own least).
    pub segment_bytes: u32,
    /// Largest size of one index file; at least 4.
    pub segment_index_bytes: u32,
    /// Random part taken off `segment_ms`; not negative.
    pub segment_jitter_ms: i64,
    /// Age at which a segment is closed; at least 1.
    pub segment_ms: i64,
}

const MINUTE: i64 = 60_000;
const HOUR: i64 = 3_600_000;

const fn same(name: &'static str) -> Synonym {
    Synonym { name, millis: None }
}

/// Declares the topic keys, one row each.
macro_rules! topic_keys {
    ($($name:literal $kind:ident = $default:expr, $allowed:expr, [$($synonym:expr),*], $effect:ident, $doc:literal;)*) => {
        /// Every topic key, sorted by name.
        pub(crate) const ROWS: &[TopicRow] = &[$(TopicRow {
            name: $name,
            kind: Kind::$kind,
            default: $default,
            allowed: { use Allowed::*; $allowed },
            synonyms: &[$($synonym),*],
            effect: Effect::$effect,
            doc: $doc,
        }),*];
    };
}

const LONGEST: Option<&str> = Some("9223372036854775807");

topic_keys! {
    "cleanup.policy" List = Some("delete"), Words(POLICIES), [same("log.cleanup.policy")], Works,
        "What happens to old records: delete, compact, both, or (empty) neither.";
    "compression.gzip.level" Int = Some("-1"), OneOrBetween(-1, 1, 9), [same("compression.gzip.level")], Works,
        "Level for batches the broker compresses with gzip; -1: the library's own.";
    "compression.lz4.level" Int = Some("9"), Between(1, 17), [same("compression.lz4.level")], Stored,
        "Level for batches the broker compresses with lz4, of which there is one here.";
    "compression.type" Text = Some("producer"), Words(CODECS), [same("compression.type")], Works,
        "Codec that batches are stored with; producer keeps what was sent.";
    "compression.zstd.level" Int = Some("3"), Between(-131_072, 22), [same("compression.zstd.level")], Works,
        "Level for batches the broker compresses with zstd.";
    "delete.retention.ms" Long = Some("86400000"), AtLeast(0), [same("log.cleaner.delete.retention.ms")], Works,
        "How long a compacted topic keeps tombstones.";
    "file.delete.delay.ms" Long = Some("60000"), AtLeast(0), [same("log.segment.delete.delay.ms")], Works,
        "Time between the renaming of a file to .deleted and its removal.";
    "flush.messages" Long = LONGEST, AtLeast(1), [same("log.flush.interval.messages")], Works,
        "Records after which the partition is flushed to the disk; with 1 every ack means flushed.";
    "flush.ms" Long = LONGEST, AtLeast(0),
        [same("log.flush.interval.ms"), same("log.flush.scheduler.interval.ms")], Works,
        "Time after which the partition is flushed to the disk.";
    "follower.replication.throttled.replicas" List = Some(""), Replicas, [], Stored,
        "Replicas whose copying is slowed down on the follower.";
    "index.interval.bytes" Int = Some("4096"), AtLeast(0), [same("log.index.interval.bytes")], Works,
        "Bytes of log between two index entries.";
    "internal.segment.bytes" Int = None, AtLeast(1), [], Internal,
        "As segment.bytes, without its least value, for tests.";
    "leader.replication.throttled.replicas" List = Some(""), Replicas, [], Stored,
        "Replicas whose copying is slowed down on the leader.";
    "local.retention.bytes" Long = Some("-2"), AtLeast(-2), [same("log.local.retention.bytes")], Stored,
        "As retention.bytes, for what tiered storage keeps here.";
    "local.retention.ms" Long = Some("-2"), AtLeast(-2), [same("log.local.retention.ms")], Stored,
        "As retention.ms, for what tiered storage keeps here.";
    "max.compaction.lag.ms" Long = LONGEST, AtLeast(1), [same("log.cleaner.max.compaction.lag.ms")], Works,
        "Age at which a record must be compacted.";
    "max.message.bytes" Int = Some("1048588"), AtLeast(0), [same("message.max.bytes")], Works,
        "Largest batch in bytes, with its 12 bytes of offset and length.";
    "message.timestamp.after.max.ms" Long = Some("3600000"), AtLeast(0),
        [same("log.message.timestamp.after.max.ms")], Works,
        "How far a record's time may lie in the future.";
    "message.timestamp.before.max.ms" Long = LONGEST, AtLeast(0),
        [same("log.message.timestamp.before.max.ms")], Works,
        "How far a record's time may lie in the past.";
    "message.timestamp.type" Text = Some("CreateTime"), Words(TIMESTAMP_TYPES),
        [same("log.message.timestamp.type")], Works,
        "Whose clock stamps a record: the producer's or the broker's.";
    "min.cleanable.dirty.ratio" Double = Some("0.5"), Ratio, [same("log.cleaner.min.cleanable.ratio")], Works,
        "Share of a log that must be new before it is compacted.";
    "min.compaction.lag.ms" Long = Some("0"), AtLeast(0), [same("log.cleaner.min.compaction.lag.ms")], Works,
        "Age below which a record is not compacted.";
    "min.insync.replicas" Int = Some("1"), AtLeast(1), [same("min.insync.replicas")], Stored,
        "Replicas that must have a record before acks=all is answered; of one replica that one is enough.";
    "preallocate" Boolean = Some("false"), Any, [same("log.preallocate")], Works,
        "Whether a segment file is made at its full size.";
    "remote.log.copy.disable" Boolean = Some("false"), Any, [], Stored,
        "Whether tiered storage stops copying.";
    "remote.log.delete.on.disable" Boolean = Some("false"), Any, [], Stored,
        "Whether tiered storage is emptied when it is switched off.";
    "remote.storage.enable" Boolean = Some("false"), Never("there is no tiered storage"), [], Stored,
        "Whether tiered storage is used.";
    "retention.bytes" Long = Some("-1"), Any, [same("log.retention.bytes")], Works,
        "Size of a partition above which its oldest segments are deleted; negative: no limit.";
    "retention.ms" Long = Some("604800000"), AtLeast(-1),
        [same("log.retention.ms"), Synonym { name: "log.retention.minutes", millis: Some(MINUTE) },
         Synonym { name: "log.retention.hours", millis: Some(HOUR) }], Works,
        "Age at which closed segments are deleted; -1: never.";
    "segment.bytes" Int = Some("1073741824"), AtLeast(1_048_576), [same("log.segment.bytes")], Works,
        "Size at which a segment is closed and the next one begun.";
    "segment.index.bytes" Int = Some("10485760"), AtLeast(4), [same("log.index.size.max.bytes")], Works,
        "Largest size of one index file; a full one closes its segment.";
    "segment.jitter.ms" Long = Some("0"), AtLeast(0),
        [same("log.roll.jitter.ms"), Synonym { name: "log.roll.jitter.hours", millis: Some(HOUR) }], Works,
        "Random part taken off segment.ms, so that not all partitions roll together.";
    "segment.ms" Long = Some("604800000"), AtLeast(1),
        [same("log.roll.ms"), Synonym { name: "log.roll.hours", millis: Some(HOUR) }], Works,
        "Age at which a segment is closed and the next one begun.";
    "unclean.leader.election.enable" Boolean = Some("false"), Any, [same("unclean.leader.election.enable")], Stored,
        "Whether a replica that is behind may become the leader.";
}

/// See [`Settings::topic`].
pub(crate) fn resolve(
    settings: &Settings,
    overrides: &BTreeMap<String, String>,
) -> Result<TopicSettings, SettingError> {
    for (key, text) in overrides {
        let Some(row) = ROWS.iter().find(|row| row.name == key) else {
            let nearest = nearest(key, ROWS.iter().map(|row| row.name));
            return Err(SettingError::Unknown { key: key.clone(), nearest });
        };
        if !row.rule().takes(text) {
            return Err(bad(key, text, row.rule().to_string()));
        }
    }
    let of = Lookup { settings, overrides };
    let policies: Vec<String> = of.value("cleanup.policy")?;
    let has = |policy: &str| policies.iter().any(|p| p == policy);
    let (min_lag, max_lag): (i64, i64) =
        (of.value("min.compaction.lag.ms")?, of.value("max.compaction.lag.ms")?);
    if min_lag > max_lag {
        return Err(SettingError::Conflict(format!(
            "`min.compaction.lag.ms` ({min_lag}) cannot be greater than `max.compaction.lag.ms` ({max_lag})"
        )));
    }
    let segment_bytes = match of.value::<Option<i32>>("internal.segment.bytes")? {
        Some(bytes) => bytes.unsigned_abs(),
        None => of.size("segment.bytes")?,
    };
    Ok(TopicSettings {
        delete: has("delete"),
        compact: has("compact"),
        compression: of.compression()?,
        delete_retention_ms: of.value("delete.retention.ms")?,
        file_delete_delay_ms: of.value("file.delete.delay.ms")?,
        flush_messages: of.value("flush.messages")?,
        flush_ms: of.value("flush.ms")?,
        index_interval_bytes: of.size("index.interval.bytes")?,
        max_message_bytes: of.size("max.message.bytes")?,
        timestamp_type: if of.value::<String>("message.timestamp.type")? == "CreateTime" {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        },
        timestamp_before_max_ms: of.value("message.timestamp.before.max.ms")?,
        timestamp_after_max_ms: of.value("message.timestamp.after.max.ms")?,
        max_compaction_lag_ms: max_lag,
        min_cleanable_dirty_ratio: of.value("min.cleanable.dirty.ratio")?,
        min_compaction_lag_ms: min_lag,
        preallocate: of.value("preallocate")?,
        retention_bytes: of.value("retention.bytes")?,
        retention_ms: of.value("retention.ms")?,
        segment_bytes,
        segment_index_bytes: of.size("segment.index.bytes")?,
        segment_jitter_ms: of.value("segment.jitter.ms")?,
        segment_ms: of.value("segment.ms")?,
    })
}

struct Lookup<'a> {
    settings: &'a Settings,
    overrides: &'a BTreeMap<String, String>,
}

impl Lookup<'_> {
    fn value<T: Typed>(&self, name: &str) -> Result<T, SettingError> {
        let row = ROWS.iter().find(|row| row.name == name).expect("asked for by a name of the table");
        debug_assert_eq!(row.kind, T::KIND, "{name}");
        let (key, text) = match self.overrides.get(name) {
            Some(text) => (name, Some(text.clone())),
            None => match self.settings.synonym(row) {
                Some((synonym, text, _)) => (synonym, Some(text)),
                None => (name, row.default.map(str::to_owned)),
            },
        };
        match text {
            None => Ok(T::unset().expect("only a row that may be unset has no default")),
            Some(text) => T::read(&text, row.allowed).ok_or_else(|| bad(key, &text, row.rule().to_string())),
        }
    }

    /// A number that its row keeps from being negative.
    fn size(&self, name: &str) -> Result<u32, SettingError> {
        self.value::<i32>(name).map(i32::unsigned_abs)
    }

    fn compression(&self) -> Result<Compression, SettingError> {
        Ok(match self.value::<String>("compression.type")?.as_str() {
            "producer" => Compression::Producer,
            "gzip" => Compression::Gzip(self.value("compression.gzip.level")?),
            "snappy" => Compression::Snappy,
            "lz4" => Compression::Lz4,
            "zstd" => Compression::Zstd(self.value("compression.zstd.level")?),
            _ => Compression::None,
        })
    }
}
