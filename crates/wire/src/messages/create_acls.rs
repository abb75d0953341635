//! CreateAcls (key 30): adds access rules (KIP-140).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | users as resources (KIP-373) |

use crate::{Message, StrBytes};

/// Adds access rules.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = CreateAcls, response = CreateAclsResponse, versions = "1-3", flexible = "2+")]
pub struct CreateAclsRequest {
    /// The rules.
    pub creations: Vec<AclCreation>,
}

/// A rule to add.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AclCreation {
    /// Kind of resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type: i8,
    /// Name of the resource.
    pub resource_name: StrBytes,
    /// How the name is matched: 3 literally, 4 by prefix.
    #[field(default = 3)]
    pub resource_pattern_type: i8,
    /// Whom the rule is for.
    pub principal: StrBytes,
    /// From where.
    pub host: StrBytes,
    /// What is done: 1 any, 2 all, 3 read, 4 write and so on.
    pub operation: i8,
    /// 1 any, 2 deny, 3 allow.
    pub permission_type: i8,
}

/// What became of each rule, in the order of the request.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = CreateAcls, versions = "1-3", flexible = "2+")]
pub struct CreateAclsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What became of each rule.
    pub results: Vec<AclCreationResult>,
}

/// What became of one rule.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct AclCreationResult {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
}
