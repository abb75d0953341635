//! Consumer groups and their offsets: the classic protocol (JoinGroup, SyncGroup, Heartbeat, LeaveGroup), the consumer protocol
//! (ConsumerGroupHeartbeat, KIP-848), static members, commits, expiry (Kafka: `GroupMetadataManager`, `OffsetMetadataManager`,
//! `ClassicGroup`, `ConsumerGroup`).
//!
//! [`Groups`] holds all groups of one partition of `__consumer_offsets`. Requests and times go in; records to append, answers
//! and the time of the next call come out. In a classic group a client chooses the assignment, which is bytes here; in a consumer
//! group an [`assignor`] of the broker does, over the topics that [`Groups::set_topics`] tells of.
//!
//! **Changes come before the write.** [`Groups::handle`] and [`Groups::tick`] change the groups at once, and the shell appends
//! the records before it hands out the answers. If the append fails, the shell throws the whole [`Groups`] away, tells everyone
//! who waits to come again (`COORDINATOR_NOT_AVAILABLE` or `NOT_COORDINATOR`), and reads the partition anew. So nothing here is
//! ever undone. What is stored changes only in the code that also reads it back.
//!
//! **What is lost in a restart** is what Kafka loses too: who was about to join, and ids that were given out. Members come back
//! with the generation or the epoch that was stored, and their sessions start anew. A consumer group is stored whole.
//!
//! **A connection that goes** is no event. Kafka does not look either: the member stays until its session ends, and an answer
//! that nobody waits for is thrown away by the shell.
//!
//! **Memory.** A member keeps what its last JoinGroup carried and what was assigned to it; a group at most `group.max.size`
//! members, and as many ids that were given out, each for one session timeout at most. What is assigned to all must fit a batch, and
//! what all say of themselves takes no more than four. How many groups there are, and offsets in them, is
//! limited as in Kafka: by expiry alone. Each member costs a deadline, and each event O(log n) of all deadlines.
//!
//! **Two protocols.** A group is of one kind, and may go over to the other while it has members ([`MigrationPolicy`]); in a
//! consumer group members of the classic protocol find their place. Offsets are kept beside the groups, since they stay then.

pub mod assignor;
mod classic;
mod consumer;
mod embedded;
mod error;
mod groups;
mod offsets;
mod record;
mod reply;
mod request;
mod settings;
mod size;
mod step;
mod timers;

pub use error::GroupError;
pub use groups::Groups;
pub use record::{
    ClassicMemberMetadata, CommittedOffset, ConsumerGroupMetadata, ConsumerMemberMetadata, CurrentAssignment,
    GroupMetadata, OffsetKey, Partitions, Record, ResolvedRegex, StoredMember,
};
pub use reply::{
    AssignedTopic, ConsumerHeartbeatAnswer, ConsumerState, DescribedConsumerGroup, DescribedConsumerMember,
    DescribedGroup, DescribedMember, FetchedPartition, FetchedTopic, GroupKind, JoinRefused, Joined,
    JoinedMember, LeftMember, ListedGroup, Refused, Reply, State, Synced, TopicResults,
};
pub use request::{
    Assignment, CommitOffsets, CommitPartition, CommitTopic, ConsumerHeartbeat, DeleteOffsets, Event,
    FetchOffsets, FetchTopic, Heartbeat, Join, Leave, Leaving, Protocol, Sync,
};
pub use settings::{GroupOverrides, MigrationPolicy, Settings};
pub use step::{Step, Ticket};
