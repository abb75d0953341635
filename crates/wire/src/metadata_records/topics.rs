//! Topics, their partitions and their settings.
//!
//! PartitionRecord and PartitionChangeRecord: version 1 adds the log directories of replicas (KIP-858), version 2 the
//! eligible leader replicas (KIP-966).

use uuid::Uuid;

use crate::{Message, StrBytes};

/// Creates a topic.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 2, versions = "0", flexible = "0+")]
pub struct TopicRecord {
    /// The topic's name.
    pub name: StrBytes,
    /// The topic's id.
    pub topic_id: Uuid,
}

/// Creates a partition.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 3, versions = "0-2", flexible = "0+")]
pub struct PartitionRecord {
    /// The partition.
    #[field(default = -1)]
    pub partition_id: i32,
    /// The topic's id.
    pub topic_id: Uuid,
    /// Node ids of its replicas, the preferred leader first.
    pub replicas: Vec<i32>,
    /// Node ids of those that are in sync.
    pub isr: Vec<i32>,
    /// Node ids of those on their way out.
    pub removing_replicas: Vec<i32>,
    /// Node ids of those on their way in.
    pub adding_replicas: Vec<i32>,
    /// Node id of the leader; -1 for none.
    #[field(default = -1)]
    pub leader: i32,
    /// 1 while the leader recovers from an unclean election, else 0.
    #[field(tag = 0)]
    pub leader_recovery_state: i8,
    /// The leader epoch.
    #[field(default = -1)]
    pub leader_epoch: i32,
    /// Grows with each change of the partition.
    #[field(default = -1)]
    pub partition_epoch: i32,
    /// Id of the log directory of each replica, in the order of `replicas`.
    #[field(versions = "1+")]
    pub directories: Vec<Uuid>,
    /// Node ids of replicas that may become leader although not in sync (KIP-966); null for none.
    #[field(versions = "2+", tag = 1, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// Node ids of the last replicas that could; null for none.
    #[field(versions = "2+", tag = 2, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
}

/// Changes a partition: only what is set changes.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 5, versions = "0-2", flexible = "0+")]
pub struct PartitionChangeRecord {
    /// The partition.
    #[field(default = -1)]
    pub partition_id: i32,
    /// The topic's id.
    pub topic_id: Uuid,
    /// The new in-sync replicas; null changes nothing.
    #[field(tag = 0, default = null)]
    pub isr: Option<Vec<i32>>,
    /// Node id of the new leader; -1 for none, -2 changes nothing.
    #[field(tag = 1, default = -2)]
    pub leader: i32,
    /// The new replicas; null changes nothing.
    #[field(tag = 2, default = null)]
    pub replicas: Option<Vec<i32>>,
    /// The new list of replicas on their way out; null changes nothing.
    #[field(tag = 3, default = null)]
    pub removing_replicas: Option<Vec<i32>>,
    /// The new list of replicas on their way in; null changes nothing.
    #[field(tag = 4, default = null)]
    pub adding_replicas: Option<Vec<i32>>,
    /// 1 while the leader recovers from an unclean election, 0 when it has, -1 changes nothing.
    #[field(tag = 5, default = -1)]
    pub leader_recovery_state: i8,
    /// The new log directories of the replicas; null changes nothing.
    #[field(versions = "1+", tag = 8, default = null)]
    pub directories: Option<Vec<Uuid>>,
    /// The new eligible leader replicas (KIP-966); null changes nothing.
    #[field(versions = "2+", tag = 6, default = null)]
    pub eligible_leader_replicas: Option<Vec<i32>>,
    /// The new last known eligible leaders; null changes nothing.
    #[field(versions = "2+", tag = 7, default = null)]
    pub last_known_elr: Option<Vec<i32>>,
}

/// Sets or removes a setting.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 4, versions = "0", flexible = "0+")]
pub struct ConfigRecord {
    /// 2 topic, 4 broker, 8 broker logger, 16 client metrics, 32 group.
    pub resource_type: i8,
    /// The topic's name, the broker's node id (empty for all brokers), and so on.
    pub resource_name: StrBytes,
    /// The setting.
    pub name: StrBytes,
    /// Its value; null takes it away.
    pub value: Option<StrBytes>,
}

/// Deletes a topic with its partitions and settings.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 9, versions = "0", flexible = "0+")]
pub struct RemoveTopicRecord {
    /// The topic's id.
    pub topic_id: Uuid,
}

/// Forgets the eligible leader replicas of a topic or of all topics (KIP-966).
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 28, versions = "0", flexible = "0+")]
pub struct ClearElrRecord {
    /// The topic; empty for all.
    pub topic_name: StrBytes,
}
