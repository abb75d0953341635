//! DeleteAcls (key 31): removes the access rules that filters find (KIP-140).
//!
//! Version 0 went with Kafka 4.0 (KIP-896).
//!
//! | version | what changed |
//! | --- | --- |
//! | 2 | flexible |
//! | 3 | users as resources (KIP-373) |

use crate::{Message, StrBytes};

/// Removes access rules.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(request = DeleteAcls, response = DeleteAclsResponse, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsRequest {
    /// The filters.
    pub filters: Vec<DeleteAclsFilter>,
}

/// Which rules to remove.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteAclsFilter {
    /// Kind of resource: 1 any, 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type_filter: i8,
    /// Name of the resource; null for any.
    pub resource_name_filter: Option<StrBytes>,
    /// How names are matched: 1 any, 2 whatever would apply to the name, 3 literally, 4 by prefix.
    #[field(default = 3)]
    pub pattern_type_filter: i8,
    /// Whom the rule is for; null for anyone.
    pub principal_filter: Option<StrBytes>,
    /// From where; null for anywhere.
    pub host_filter: Option<StrBytes>,
    /// What is done: 1 any, 2 all, 3 read, 4 write and so on.
    pub operation: i8,
    /// 1 any, 2 deny, 3 allow.
    pub permission_type: i8,
}

/// What became of each filter, in the order of the request.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(response = DeleteAcls, versions = "1-3", flexible = "2+")]
pub struct DeleteAclsResponse {
    /// For how long a quota holds the client back, in milliseconds.
    pub throttle_time_ms: i32,
    /// What each filter found.
    pub filter_results: Vec<DeleteAclsFilterResult>,
}

/// What one filter found.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteAclsFilterResult {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// The rules that were found.
    pub matching_acls: Vec<DeleteAclsMatchingAcl>,
}

/// A rule that was found.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct DeleteAclsMatchingAcl {
    /// Kafka's error code; 0 for none.
    pub error_code: i16,
    /// What went wrong, for people; null for nothing to say.
    pub error_message: Option<StrBytes>,
    /// Kind of resource: 2 topic, 3 group, 4 cluster, 5 transactional id, 6 delegation token, 7 user.
    pub resource_type: i8,
    /// Name of the resource.
    pub resource_name: StrBytes,
    /// How the name is matched: 3 literally, 4 by prefix.
    #[field(default = 3)]
    pub pattern_type: i8,
    /// Whom the rule is for.
    pub principal: StrBytes,
    /// From where.
    pub host: StrBytes,
    /// What is done: 1 any, 2 all, 3 read, 4 write and so on.
    pub operation: i8,
    /// 1 any, 2 deny, 3 allow.
    pub permission_type: i8,
}
