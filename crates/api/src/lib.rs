//! One file per Kafka API: what each request means, and which of Kafka's codes answers it.
//!
//! [`Broker::begin`] takes a request whose frame and header `frontend` has read, and hands back a [`Pending`]. When it
//! returns, a Produce has its place in the log; only waiting is left over, as a future. [`APIS`] is the truth about what
//! is served: ApiVersions and `docs/apis.md` are both computed from it. Knows nothing of sockets, framing, segments or
//! threads (work that blocks on a disk goes to tokio's blocking pool).

mod acls;
mod alter_configs;
mod alter_replica_log_dirs;
mod answer;
mod api_versions;
mod blocking;
mod broker;
mod code;
mod create_partitions;
mod create_topics;
mod delegation_tokens;
mod delete_records;
mod delete_topics;
mod describe_cluster;
mod describe_configs;
mod describe_log_dirs;
mod describe_producers;
mod describe_quorum;
mod describe_topic_partitions;
mod elect_leaders;
mod fetch;
mod groups;
mod init_producer_id;
mod leader_epoch;
mod list_config_resources;
mod list_offsets;
mod metadata;
mod offset_for_leader_epoch;
mod operations;
mod partitions;
mod produce;
mod quotas;
mod reassignments;
mod table;
mod telemetry;
mod throttle;
mod unregister_broker;
mod update_features;

pub use broker::{Broker, CloseReason, Listener, Outcome, Pending, Piece, Reply, Request};
pub use code::Code;
pub use log::FileRange;
pub use table::{APIS, Api, render_markdown};
