//! Runs the group machines: finds the one that a group lives in, writes what it decides, and wakes it when it asked for it.
//!
//! The rules stand in `state_machines::group`; here is the shell around them. A [`Coordinator`] has one shard per partition of
//! `__consumer_offsets`, which is loaded by replaying that partition and is in force from then on. Knows nothing of requests and
//! connections: `api` turns a request into an event, and a reply into an answer.

mod convert;
mod coordinator;
mod internal_topic;
mod moment;
mod offsets_log;
mod overrides;
mod place;
mod shard;
mod threads;

pub use coordinator::{Answer, Coordinator};
pub use internal_topic::CONSUMER_OFFSETS;
pub use place::partition_of;
pub use shard::Unavailable;
