//! What the metadata log knows of clients: blocks of producer ids, quotas, users, tokens and access rules.

use bytes::Bytes;
use uuid::Uuid;

use crate::{Message, StrBytes};

/// Hands out a block of producer ids.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 15, versions = "0", flexible = "0+")]
pub struct ProducerIdsRecord {
    /// Node id of the broker that the block goes to; -1 in a snapshot.
    pub broker_id: i32,
    /// Its broker epoch; -1 in a snapshot.
    #[field(default = -1)]
    pub broker_epoch: i64,
    /// The first producer id after the block.
    pub next_producer_id: i64,
}

/// Sets or removes a quota.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 14, versions = "0", flexible = "0+")]
pub struct ClientQuotaRecord {
    /// Whom the quota is for.
    pub entity: Vec<EntityData>,
    /// The quota, such as `producer_byte_rate`.
    pub key: StrBytes,
    /// Its value.
    pub value: f64,
    /// Whether the quota is removed rather than set.
    pub remove: bool,
}

/// Whom a quota is for.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct EntityData {
    /// `user`, `client-id` or `ip`.
    pub entity_type: StrBytes,
    /// The name; null for the default of that type.
    pub entity_name: Option<StrBytes>,
}

/// Sets a user's SCRAM credential (KIP-800).
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 11, versions = "0", flexible = "0+")]
pub struct UserScramCredentialRecord {
    /// The user.
    pub name: StrBytes,
    /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
    /// The salt.
    pub salt: Bytes,
    /// What the server checks the client with.
    pub stored_key: Bytes,
    /// What the client checks the server with.
    pub server_key: Bytes,
    /// How often the hash is applied.
    pub iterations: i32,
}

/// Removes a user's SCRAM credential.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 22, versions = "0", flexible = "0+")]
pub struct RemoveUserScramCredentialRecord {
    /// The user.
    pub name: StrBytes,
    /// 1 SCRAM-SHA-256, 2 SCRAM-SHA-512.
    pub mechanism: i8,
}

/// Adds or renews a delegation token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 10, versions = "0", flexible = "0+")]
pub struct DelegationTokenRecord {
    /// Who the token stands for.
    pub owner: StrBytes,
    /// Who asked for it.
    pub requester: StrBytes,
    /// Who may renew it.
    pub renewers: Vec<StrBytes>,
    /// When it was issued, in milliseconds.
    pub issue_timestamp: i64,
    /// Until when it can be renewed, in milliseconds.
    pub max_timestamp: i64,
    /// When it expires unless renewed, in milliseconds.
    pub expiration_timestamp: i64,
    /// Id of the token.
    pub token_id: StrBytes,
}

/// Removes a delegation token.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 26, versions = "0", flexible = "0+")]
pub struct RemoveDelegationTokenRecord {
    /// Id of the token.
    pub token_id: StrBytes,
}

/// Adds an access rule.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 18, versions = "0", flexible = "0+")]
pub struct AccessControlEntryRecord {
    /// Id of the rule.
    pub id: Uuid,
    /// What kind of thing it protects (Kafka: `ResourceType`).
    pub resource_type: i8,
    /// Which thing.
    pub resource_name: StrBytes,
    /// How the name is matched (Kafka: `PatternType`).
    pub pattern_type: i8,
    /// Whom it is about.
    pub principal: StrBytes,
    /// From which host; `*` for any.
    pub host: StrBytes,
    /// What they would do (Kafka: `AclOperation`).
    pub operation: i8,
    /// Whether they may (Kafka: `AclPermissionType`).
    pub permission_type: i8,
}

/// Removes an access rule.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 19, versions = "0", flexible = "0+")]
pub struct RemoveAccessControlEntryRecord {
    /// Id of the rule.
    pub id: Uuid,
}
