//! The broker's own keys that have an effect: their rows, and their values once they are read.

use crate::listeners::PROTOCOLS;
use crate::settings::Settings;
use crate::topic;
use crate::value::{Allowed, Kind, Rule, Typed};

/// One broker key.
#[derive(Clone, Copy, Debug)]
pub struct BrokerRow {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// The value when none is given, as text; `None`: unset.
    pub default: Option<&'static str>,
    /// What is allowed beyond the type.
    pub allowed: Allowed,
    /// Who may change it while the broker runs: as in Kafka, where it can be done here.
    pub scope: Scope,
    /// What it does, in a sentence.
    pub doc: &'static str,
}

impl BrokerRow {
    pub(crate) const fn rule(&self) -> Rule {
        Rule { kind: self.kind, allowed: self.allowed }
    }

    /// Whether its value is a secret, which no answer and no page shows (Kafka: `KafkaConfig.maybeSensitive`).
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }
}

/// Who may change a key while the broker runs (Kafka: `DynamicBrokerConfig.dynamicConfigUpdateModes`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Nobody: it is read at the start.
    ReadOnly,
    /// A change for one broker, by its id.
    PerBroker,
    /// A change for one broker, or one for all of them.
    ClusterWide,
}

/// The column of the table that says who may change a key.
macro_rules! scope {
    (Start) => {
        Scope::ReadOnly
    };
    (Broker) => {
        Scope::PerBroker
    };
    (Running) => {
        Scope::ClusterWide
    };
}
pub(crate) use scope;

const ROLES: &[&str] = &["broker", "controller"];

/// Declares the broker keys: for each one its row in [`ROWS`], its place in [`Settings`] and its getter.
macro_rules! broker_keys {
    ($($name:literal $getter:ident: $type:ty = $default:expr, $allowed:expr, $when:ident, $doc:literal;)*) => {
        /// Every broker key.
        pub(crate) const ROWS: &[BrokerRow] = &[$(BrokerRow {
            name: $name,
            kind: <$type as Typed>::KIND,
            default: $default,
            allowed: { use Allowed::*; $allowed },
            scope: scope!($when),
            doc: $doc,
        }),*];

        #[derive(Clone, Debug)]
        pub(crate) struct Values {
            $($getter: $type,)*
        }

        impl Values {
            /// Takes the value that `text` stands for, if `row` allows it.
            pub(crate) fn assign(&mut self, row: &BrokerRow, text: &str) -> bool {
                match row.name {
                    $($name => Typed::read(text, row.allowed).map(|value| self.$getter = value).is_some(),)*
                    _ => false,
                }
            }
        }

        impl Values {
            /// Takes the value that `text` stands for, which was checked, or else the one that no text stands for.
            pub(crate) fn reset(&mut self, row: &BrokerRow, text: Option<&str>) {
                match row.name {
                    $($name => {
                        let value = text.map_or_else(Typed::unset, |text| Typed::read(text, row.allowed));
                        self.$getter = value.expect("checked, or a row that may be unset");
                    })*
                    _ => unreachable!("{} has no place", row.name),
                }
            }
        }

        impl Default for Values {
            fn default() -> Self {
                let mut rows = ROWS.iter();
                Self {
                    $($getter: {
                        let row = rows.next().expect("one row per value");
                        row.default.map_or_else(Typed::unset, |text| Typed::read(text, row.allowed))
                            .expect("a default is allowed by its own row")
                    },)*
                }
            }
        }

        impl Settings {
            $(
                #[doc = concat!("`", $name, "`: ", $doc)]
                #[must_use]
                pub fn $getter(&self) -> $type {
                    self.values.$getter.clone()
                }
            )*
        }
    };
}

broker_keys! {
    "node.id" node_id_given: i32 = Some("1"), AtLeast(0), Start,
        "The number of this node, written into the data directory on the first start.";
    "broker.id" broker_id: Option<i32> = None, AtLeast(0), Start,
        "The older name of node.id.";
    "process.roles" process_roles: Vec<String> = Some("broker,controller"), Words(ROLES), Start,
        "What this node is: broker and controller in one. Set, it asks for what Kafka asks for: node.id, \
         controller.listener.names, and one of controller.quorum.voters and controller.quorum.bootstrap.servers.";
    "controller.listener.names" controller_listener_names_text: Option<String> = None, Any, Start,
        "The names in listeners that are for controllers. They are checked and not opened.";
    "controller.quorum.voters" controller_quorum_voters: Vec<String> = Some(""), Any, Start,
        "The controllers, as ID@HOST:PORT; this node alone.";
    "controller.quorum.bootstrap.servers" controller_quorum_bootstrap_servers: Vec<String> = Some(""), Any, Start,
        "Where controllers are found, as HOST:PORT. Checked; there is none but this node.";
    "log.dirs" log_dirs: Option<String> = None, Any, Start,
        "The data directory; one, until several are supported. Unset: log.dir.";
    "log.dir" log_dir: String = Some("./ottla-data"), Any, Start,
        "The data directory, when log.dirs is unset.";
    "metadata.log.dir" metadata_log_dir: Option<String> = None, Any, Start,
        "The directory of the metadata log: the data directory.";
    "listeners" listeners_text: String = Some("PLAINTEXT://127.0.0.1:9092"), Any, Start,
        "Where to listen, as NAME://HOST:PORT; an empty host is every interface, port 0 any free port.";
    "advertised.listeners" advertised_listeners_text: Option<String> = None, Any, Start,
        "Where clients are told to connect, under the names of listeners. Unset: listeners.";
    "listener.security.protocol.map" listener_security_protocol_map: Option<String> = None, Any, Start,
        "The protocol of each listener name, as NAME:PROTOCOL. Only PLAINTEXT is built.";
    "broker.rack" broker_rack: Option<String> = None, Any, Start,
        "The rack that clients are told this broker stands in.";
    "inter.broker.listener.name" inter_broker_listener_name: Option<String> = None, Any, Start,
        "The listener that other brokers would use; checked as Kafka does.";
    "security.inter.broker.protocol" security_inter_broker_protocol: String = Some("PLAINTEXT"), Words(PROTOCOLS), Start,
        "The protocol that other brokers would use, when inter.broker.listener.name is unset; checked as Kafka does.";
    "authorizer.class.name" authorizer_class_name: String = Some(""), Any, Start,
        "Who may do what. Access rules are not built, so it must be empty.";

    "num.network.threads" num_network_threads: Option<i32> = None, AtLeast(1), Start,
        "Threads that serve connections; one more stands by for when the disk is slow. Unset: one per processor.";
    "socket.listen.backlog.size" socket_listen_backlog_size: i32 = Some("50"), AtLeast(1), Start,
        "Connections the kernel may hold until they are accepted.";
    "socket.send.buffer.bytes" socket_send_buffer_bytes: i32 = Some("102400"), AtLeast(-1), Start,
        "SO_SNDBUF of a connection in bytes; -1 leaves it to the kernel.";
    "socket.receive.buffer.bytes" socket_receive_buffer_bytes: i32 = Some("-1"), AtLeast(-1), Start,
        "SO_RCVBUF of a connection in bytes; -1 leaves it to the kernel.";
    "socket.request.max.bytes" socket_request_max_bytes: i32 = Some("104857600"), AtLeast(1), Start,
        "Largest request in bytes; the sender of a larger one is cut off.";
    "max.connections" max_connections: i32 = Some("10000"), AtLeast(0), Running,
        "Connections at a time; one more is closed at once.";
    "max.connections.per.ip" max_connections_per_ip: i32 = Some("10000"), AtLeast(0), Running,
        "Connections at a time from one address; one more is closed at once. 0: only those of \
         max.connections.per.ip.overrides are let in.";
    "max.connections.per.ip.overrides" max_connections_per_ip_overrides_text: String = Some(""), Any, Running,
        "The same for single addresses, as HOST:NUMBER with commas between. A name is looked up when it is set.";
    "max.connection.creation.rate" max_connection_creation_rate: i32 = Some("2147483647"), AtLeast(0), Running,
        "Connections per second, measured as quotas are; beyond it the next one waits, for a sample of it at most.";
    "connections.max.idle.ms" connections_max_idle_ms: i64 = Some("600000"), Any, Start,
        "A connection without a byte or a request in work for this long is closed; negative: never.";
    "queued.max.requests" queued_max_requests: i32 = Some("500"), AtLeast(1), Start,
        "Requests of one connection in work at a time; at the limit its reading pauses.";
    "queued.max.request.bytes" queued_max_request_bytes_given: Option<i64> = None, Any, Start,
        "Bytes of all requests in work; at the limit reading pauses. Unset: 268435456, or socket.request.max.bytes \
         if larger. 0 or negative: no limit.";

    "quota.window.num" quota_window_num: i32 = Some("11"), AtLeast(1), Start,
        "Samples over which a client's rate is measured for its quotas of bytes and of request time.";
    "quota.window.size.seconds" quota_window_size_seconds: i32 = Some("1"), AtLeast(1), Start,
        "Seconds that each of those samples spans.";
    "controller.quota.window.num" controller_quota_window_num: i32 = Some("11"), AtLeast(1), Start,
        "Samples for the quota controller_mutation_rate: with their length they say how large a burst may be.";
    "controller.quota.window.size.seconds" controller_quota_window_size_seconds: i32 = Some("1"), AtLeast(1), Start,
        "Seconds that each of those samples spans.";

    "auto.create.topics.enable" auto_create_topics_enable: bool = Some("true"), Any, Start,
        "Whether a Metadata request may create the topics it names.";
    "delete.topic.enable" delete_topic_enable: bool = Some("true"), Any, Start,
        "Whether topics can be deleted.";
    "num.partitions" num_partitions: i32 = Some("1"), AtLeast(1), Start,
        "Partitions of a topic whose creator leaves the number open.";
    "default.replication.factor" default_replication_factor: i32 = Some("1"), Any, Start,
        "Replicas of a topic whose creator leaves the number open; one node can hold 1.";
    "ottla.replication.factor.clamp" replication_factor_clamp: bool = Some("false"), Any, Start,
        "Whether a topic that is asked for with several replicas is created with 1, instead of being refused. Ottla's own.";
    "fetch.max.bytes" fetch_max_bytes: i32 = Some("57671680"), AtLeast(1024), Start,
        "Most bytes of records in one Fetch answer, however much is asked for.";
    "max.incremental.fetch.session.cache.slots" max_incremental_fetch_session_cache_slots: i32 = Some("1000"),
        AtLeast(0), Start, "Fetch sessions kept at a time (KIP-227).";
    "max.request.partition.size.limit" max_request_partition_size_limit: i32 = Some("2000"), AtLeast(1), Start,
        "Most partitions in one DescribeTopicPartitions answer.";

    "ottla.client.telemetry" client_telemetry: String = Some("off"), Words(&["off", "log"]), Start,
        "Whether clients are asked for their metrics (KIP-714), as the subscriptions to client metrics say, and what is done \
         with them: log writes each push into the broker's log. Ottla's own, in place of Kafka's plugins.";
    "telemetry.max.bytes" telemetry_max_bytes: i32 = Some("1048576"), AtLeast(1), Start,
        "Most bytes, compressed, of the metrics that a client pushes at a time.";

    "message.max.bytes" message_max_bytes: i32 = Some("1048588"), AtLeast(0), Running,
        "Largest batch in bytes, with its 12 bytes of offset and length.";
    "min.insync.replicas" min_insync_replicas: i32 = Some("1"), AtLeast(1), Running,
        "Replicas that must have a record before acks=all is answered; of one replica that one is enough. Written into \
         fresh metadata, for the brokers to come.";
    "compression.type" compression_type: String = Some("producer"), Words(topic::CODECS), Running,
        "Codec that batches are stored with; producer keeps what was sent.";
    "compression.gzip.level" compression_gzip_level: i32 = Some("-1"), OneOrBetween(-1, 1, 9), Running,
        "Level for batches the broker compresses with gzip; -1: the library's own.";
    "compression.zstd.level" compression_zstd_level: i32 = Some("3"), Between(-131_072, 22), Running,
        "Level for batches the broker compresses with zstd.";
    "producer.id.expiration.ms" producer_id_expiration_ms: i32 = Some("86400000"), AtLeast(1), Running,
        "How long a partition remembers a producer that is silent.";
    "producer.id.expiration.check.interval.ms" producer_id_expiration_check_interval_ms: i32 = Some("600000"),
        AtLeast(1), Start, "How often silent producers are looked for.";

    "metadata.log.segment.bytes" metadata_log_segment_bytes: i32 = Some("1073741824"), AtLeast(8_388_608), Start,
        "Size at which a segment of the metadata log is closed and the next one begun.";
    "metadata.log.segment.ms" metadata_log_segment_ms: i64 = Some("604800000"), Any, Start,
        "Age at which a segment of the metadata log is closed and the next one begun.";
    "metadata.log.max.record.bytes.between.snapshots" metadata_log_max_record_bytes_between_snapshots: i64 =
        Some("20971520"), AtLeast(1), Start, "Bytes of metadata log after which a snapshot of it is written.";
    "metadata.log.max.snapshot.interval.ms" metadata_log_max_snapshot_interval_ms: i64 = Some("3600000"),
        AtLeast(0), Start, "Time after which a snapshot is written if the metadata changed; 0: never by time.";
    "metadata.max.retention.bytes" metadata_max_retention_bytes: i64 = Some("104857600"), Any, Start,
        "Size of the metadata log and its snapshots above which the oldest go; negative: no limit.";
    "metadata.max.retention.ms" metadata_max_retention_ms: i64 = Some("604800000"), Any, Start,
        "Age at which a snapshot goes, with the log before the next one; negative: never.";

    "log.cleanup.policy" log_cleanup_policy: Vec<String> = Some("delete"), Words(topic::POLICIES), Running,
        "What happens to old records: delete, compact, both, or (empty) neither.";
    "log.segment.bytes" log_segment_bytes: i32 = Some("1073741824"), AtLeast(1_048_576), Running,
        "Size at which a segment is closed and the next one begun.";
    "log.roll.ms" log_roll_ms: Option<i64> = None, Any, Running,
        "Age at which a segment is closed and the next one begun. Unset: log.roll.hours.";
    "log.roll.hours" log_roll_hours: i32 = Some("168"), AtLeast(1), Start,
        "As log.roll.ms, in hours.";
    "log.roll.jitter.ms" log_roll_jitter_ms: Option<i64> = None, Any, Running,
        "Random part taken off log.roll.ms, so that not all partitions roll together. Unset: log.roll.jitter.hours.";
    "log.roll.jitter.hours" log_roll_jitter_hours: i32 = Some("0"), AtLeast(0), Start,
        "As log.roll.jitter.ms, in hours.";
    "log.index.size.max.bytes" log_index_size_max_bytes: i32 = Some("10485760"), AtLeast(4), Running,
        "Largest size of one index file; a full one closes its segment.";
    "log.index.interval.bytes" log_index_interval_bytes: i32 = Some("4096"), AtLeast(0), Running,
        "Bytes of log between two index entries.";
    "log.preallocate" log_preallocate: bool = Some("false"), Any, Running,
        "Whether a segment file is made at its full size.";
    "log.retention.ms" log_retention_ms: Option<i64> = None, Any, Running,
        "Age at which closed segments are deleted; negative: never. Unset: log.retention.minutes.";
    "log.retention.minutes" log_retention_minutes: Option<i32> = None, Any, Start,
        "As log.retention.ms, in minutes. Unset: log.retention.hours.";
    "log.retention.hours" log_retention_hours: i32 = Some("168"), Any, Start,
        "As log.retention.ms, in hours.";
    "log.retention.bytes" log_retention_bytes: i64 = Some("-1"), Any, Running,
        "Size of a partition above which its oldest segments are deleted; negative: no limit.";
    "log.retention.check.interval.ms" log_retention_check_interval_ms: i64 = Some("300000"), AtLeast(1), Start,
        "How often old segments are looked for.";
    "log.initial.task.delay.ms" log_initial_task_delay_ms: i64 = Some("30000"), AtLeast(0), Start,
        "How long after the start the periodic work on logs begins.";
    "log.segment.delete.delay.ms" log_segment_delete_delay_ms: i64 = Some("60000"), AtLeast(0), Running,
        "Time between the renaming of a file to .deleted and its removal.";
    "log.cleaner.enable" log_cleaner_enable: bool = Some("true"), Any, Start,
        "Whether topics with the policy compact are compacted.";
    "log.cleaner.backoff.ms" log_cleaner_backoff_ms: i64 = Some("15000"), AtLeast(0), Running,
        "How long compaction rests when no partition needs it.";
    "log.cleaner.dedupe.buffer.size" log_cleaner_dedupe_buffer_size: i64 = Some("134217728"), Any, Running,
        "Most bytes of memory for the keys of the partition that is compacted; 24 per key. At least 1048576.";
    "log.cleaner.io.buffer.load.factor" log_cleaner_io_buffer_load_factor: f64 = Some("0.9"), Any, Running,
        "How full the memory for keys may become, above 0 and below 1.";
    "log.cleaner.io.buffer.size" log_cleaner_io_buffer_size: i32 = Some("524288"), AtLeast(0), Running,
        "Bytes that compaction reads, and writes, at once; a larger batch is read whole.";
    "log.cleaner.io.max.bytes.per.second" log_cleaner_io_max_bytes_per_second: f64 =
        Some("1.7976931348623157E308"), Any, Running,
        "Most bytes per second that compaction reads and writes, taken together, on average.";
    "log.cleaner.min.cleanable.ratio" log_cleaner_min_cleanable_ratio: f64 = Some("0.5"), Ratio, Running,
        "Share of a log that must be new before it is compacted.";
    "log.cleaner.delete.retention.ms" log_cleaner_delete_retention_ms: i64 = Some("86400000"), AtLeast(0), Running,
        "How long a compacted topic keeps tombstones.";
    "log.cleaner.min.compaction.lag.ms" log_cleaner_min_compaction_lag_ms: i64 = Some("0"), AtLeast(0), Running,
        "Age below which a record is not compacted.";
    "log.cleaner.max.compaction.lag.ms" log_cleaner_max_compaction_lag_ms: i64 = Some("9223372036854775807"),
        AtLeast(1), Running, "Age at which a record must be compacted.";
    "log.flush.interval.messages" log_flush_interval_messages: i64 = Some("9223372036854775807"), AtLeast(1),
        Running, "Records after which a partition is flushed to the disk; with 1 every ack means flushed.";
    "log.flush.interval.ms" log_flush_interval_ms: Option<i64> = None, Any, Running,
        "Time after which a partition is flushed to the disk. Unset: log.flush.scheduler.interval.ms.";
    "log.flush.scheduler.interval.ms" log_flush_scheduler_interval_ms: i64 = Some("9223372036854775807"), Any, Start,
        "How often partitions that are due to be flushed are looked for; at least once a second.";
    "log.flush.offset.checkpoint.interval.ms" log_flush_offset_checkpoint_interval_ms: i32 = Some("60000"),
        AtLeast(0), Start, "How often recovery-point-offset-checkpoint is written.";
    "log.flush.start.offset.checkpoint.interval.ms" log_flush_start_offset_checkpoint_interval_ms: i32 =
        Some("60000"), AtLeast(0), Start, "How often log-start-offset-checkpoint is written.";
    "replica.high.watermark.checkpoint.interval.ms" replica_high_watermark_checkpoint_interval_ms: i64 =
        Some("5000"), Any, Start, "How often replication-offset-checkpoint is written.";
    "log.message.timestamp.type" log_message_timestamp_type: String = Some("CreateTime"),
        Words(topic::TIMESTAMP_TYPES), Running, "Whose clock stamps a record: the producer's or the broker's.";
    "log.message.timestamp.before.max.ms" log_message_timestamp_before_max_ms: i64 = Some("9223372036854775807"),
        AtLeast(0), Running, "How far a record's time may lie in the past.";
    "log.message.timestamp.after.max.ms" log_message_timestamp_after_max_ms: i64 = Some("3600000"), AtLeast(0),
        Running, "How far a record's time may lie in the future.";

    "group.min.session.timeout.ms" group_min_session_timeout_ms: i32 = Some("6000"), Any, Start,
        "Shortest session timeout that a member of a classic group may ask for.";
    "group.max.session.timeout.ms" group_max_session_timeout_ms: i32 = Some("1800000"), Any, Start,
        "Longest session timeout that a member of a classic group may ask for.";
    "group.initial.rebalance.delay.ms" group_initial_rebalance_delay_ms: i32 = Some("3000"), Any, Start,
        "How long the first rebalance of an empty classic group waits for more members.";
    "group.max.size" group_max_size: i32 = Some("10000"), AtLeast(1), Start,
        "Most members of a classic group, and most member ids that it has given out and nobody has joined with yet.";
    "group.coordinator.rebalance.protocols" group_coordinator_rebalance_protocols: Vec<String> =
        Some("classic, consumer, streams"), Words(&["consumer", "classic", "share", "streams"]), Start,
        "The kinds of groups that are served: classic, always, and consumer (KIP-848). Others are not built.";
    "group.consumer.session.timeout.ms" group_consumer_session_timeout_ms: i32 = Some("45000"), AtLeast(1), Start,
        "How long a member of a consumer group may be silent.";
    "group.consumer.min.session.timeout.ms" group_consumer_min_session_timeout_ms: i32 = Some("45000"), AtLeast(1),
        Start, "Least that group.consumer.session.timeout.ms, and a group's own, may be.";
    "group.consumer.max.session.timeout.ms" group_consumer_max_session_timeout_ms: i32 = Some("60000"), AtLeast(1),
        Start, "Most that group.consumer.session.timeout.ms, and a group's own, may be.";
    "group.consumer.heartbeat.interval.ms" group_consumer_heartbeat_interval_ms: i32 = Some("5000"), AtLeast(1), Start,
        "How often a member of a consumer group is told to come.";
    "group.consumer.min.heartbeat.interval.ms" group_consumer_min_heartbeat_interval_ms: i32 = Some("5000"),
        AtLeast(1), Start, "Least that group.consumer.heartbeat.interval.ms, and a group's own, may be.";
    "group.consumer.max.heartbeat.interval.ms" group_consumer_max_heartbeat_interval_ms: i32 = Some("15000"),
        AtLeast(1), Start, "Most that group.consumer.heartbeat.interval.ms, and a group's own, may be.";
    "group.consumer.max.size" group_consumer_max_size: i32 = Some("10000"), AtLeast(1), Start,
        "Most members of a consumer group.";
    "group.consumer.assignors" group_consumer_assignors: Vec<String> = Some("uniform, range"),
        Words(&["uniform", "range"]), Start,
        "The assignors that members of a consumer group may ask for; the first is that of those who ask for none.";
    "group.consumer.migration.policy" group_consumer_migration_policy: String = Some("bidirectional"),
        WordsInAnyCase(&["DISABLED", "DOWNGRADE", "UPGRADE", "BIDIRECTIONAL"]), Start,
        "Which groups with members may go over to the other protocol: upgrade from classic to consumer, downgrade back.";
    "group.consumer.regex.refresh.interval.ms" group_consumer_regex_refresh_interval_ms: i32 = Some("600000"),
        AtLeast(10_000), Start, "How old the topics that a regular expression stands for may become.";
    "offsets.topic.num.partitions" offsets_topic_num_partitions: i32 = Some("50"), AtLeast(1), Start,
        "Partitions of __consumer_offsets when it is created; not to be changed afterwards.";
    "offsets.topic.segment.bytes" offsets_topic_segment_bytes: i32 = Some("104857600"), AtLeast(1_048_576), Start,
        "segment.bytes of __consumer_offsets when it is created.";
    "offsets.load.buffer.size" offsets_load_buffer_size: i32 = Some("5242880"), AtLeast(1), Start,
        "Bytes of __consumer_offsets read at a time when groups are loaded; a larger batch is read whole.";
    "offsets.retention.minutes" offsets_retention_minutes: i32 = Some("10080"), AtLeast(1), Start,
        "How long committed offsets are kept once their group is empty or no longer subscribes to the topic.";
    "offsets.retention.check.interval.ms" offsets_retention_check_interval_ms: i64 = Some("600000"), AtLeast(1), Start,
        "How often offsets that are due to go are looked for.";
    "offset.metadata.max.bytes" offset_metadata_max_bytes: i32 = Some("4096"), Any, Start,
        "Largest metadata that a consumer may commit with an offset, in bytes.";
}
