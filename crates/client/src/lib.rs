//! A small Kafka client, for the command line tools and the health check.
//!
//! Plain blocking sockets and one request at a time: what a person at a terminal waits for, not what an application
//! needs. It speaks PLAINTEXT only. Versions are settled by ApiVersions on each connection; an answer reserves no more
//! memory than the bytes at hand, and one above [`LARGEST_ANSWER`] is refused.

mod client;
mod code;
mod connection;
mod consumer;
mod consumer_member;
mod error;
mod groups;
mod member;
mod membership;
mod partitions;
mod producer;

pub use client::{Client, Config, LATEST, Retry};
pub use code::Code;
pub use connection::{Connection, LARGEST_ANSWER};
pub use consumer::{Consumed, Consumer, ConsumerConfig, Reset};
pub use consumer_member::ConsumerMember;
pub use error::ClientError;
pub use groups::{Committed, GroupDescription, MemberDescription};
pub use member::{Member, MemberConfig, Pulse};
pub use membership::{GroupProtocol, Membership};
pub use partitions::{Offsets, TopicPartition, Wanted};
pub use producer::{NotWritten, Producer, ProducerConfig};
