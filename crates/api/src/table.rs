//! The handler table: the truth about what is served. ApiVersions and `docs/apis.md` are computed from it.

use std::fmt::Write;
use std::ops::RangeInclusive;
use std::sync::Arc;

use wire::ApiKey;

use crate::answer::Handled;
use crate::broker::{Broker, CloseReason, Pending, Request};
use crate::{
    acls, alter_configs, alter_replica_log_dirs, api_versions, create_partitions, create_topics,
    delegation_tokens, delete_records, delete_topics, describe_cluster, describe_configs, describe_log_dirs,
    describe_producers, describe_quorum, describe_topic_partitions, elect_leaders, fetch, groups,
    init_producer_id, list_config_resources, list_offsets, metadata, offset_for_leader_epoch, produce,
    quotas, reassignments, telemetry, throttle, unregister_broker, update_features,
};

/// One API that is served.
#[derive(Debug)]
pub struct Api {
    /// Which.
    pub key: ApiKey,
    /// The versions of it that are served; all others cost the sender its connection.
    pub versions: RangeInclusive<i16>,
    /// A sentence for the documentation.
    pub note: &'static str,
    handle: fn(&Arc<Broker>, &Request) -> Handled,
}

impl Api {
    const fn new(
        key: ApiKey,
        versions: RangeInclusive<i16>,
        handle: fn(&Arc<Broker>, &Request) -> Handled,
        note: &'static str,
    ) -> Self {
        Self { key, versions, note, handle }
    }

    /// The lowest version that ApiVersions names. Produce is said to begin at 0, as Kafka 4.1 says: a librdkafka that
    /// sees more than 0 stops compressing (KAFKA-18659). It never sends those versions.
    #[must_use]
    pub fn advertised_from(&self) -> i16 {
        if self.key == ApiKey::Produce { 0 } else { *self.versions.start() }
    }

    /// Whether this broker serves it: clients are asked for their metrics only where somebody looks at them.
    pub(crate) fn is_served_by(&self, broker: &Broker) -> bool {
        match self.key {
            ApiKey::GetTelemetrySubscriptions | ApiKey::PushTelemetry => broker.telemetry.is_on(),
            _ => true,
        }
    }
}

/// Every API that is served: what is not here is neither advertised nor answered.
pub const APIS: &[Api] = &[
    Api::new(
        ApiKey::Produce,
        3..=13,
        produce::handle,
        "ApiVersions names 0 as the lowest version, as Kafka does for old librdkafka (KAFKA-18659); 0 to 2 are not \
         served. Transactional batches are refused.",
    ),
    Api::new(
        ApiKey::Fetch,
        4..=18,
        fetch::handle,
        "Incremental sessions from version 7, topic ids from 13. Only consumers: a follower is not a replica of \
         anything here.",
    ),
    Api::new(
        ApiKey::ListOffsets,
        1..=10,
        list_offsets::handle,
        "Timestamps -1 to -5 and real ones; nothing is tiered.",
    ),
    Api::new(
        ApiKey::Metadata,
        0..=13,
        metadata::handle,
        "Creates topics that it does not know if the client and `auto.create.topics.enable` allow it.",
    ),
    Api::new(
        ApiKey::OffsetCommit,
        2..=9,
        groups::offset_commit::handle,
        "For members of either protocol, and for consumers that only use a group's name.",
    ),
    Api::new(
        ApiKey::OffsetFetch,
        1..=9,
        groups::offset_fetch::handle,
        "Several groups at a time from version 8.",
    ),
    Api::new(
        ApiKey::FindCoordinator,
        0..=6,
        groups::find_coordinator::handle,
        "Groups. The first question makes `__consumer_offsets`. A transactional id is refused with \
         TRANSACTIONAL_ID_AUTHORIZATION_FAILED.",
    ),
    Api::new(
        ApiKey::JoinGroup,
        0..=9,
        groups::join_group::handle,
        "The classic protocol, with static members (KIP-345) and cooperative rebalances (KIP-429).",
    ),
    Api::new(ApiKey::Heartbeat, 0..=4, groups::heartbeat::handle, ""),
    Api::new(ApiKey::LeaveGroup, 0..=5, groups::leave_group::handle, ""),
    Api::new(ApiKey::SyncGroup, 0..=5, groups::sync_group::handle, ""),
    Api::new(ApiKey::DescribeGroups, 0..=6, groups::describe_groups::handle, ""),
    Api::new(ApiKey::ListGroups, 0..=5, groups::list_groups::handle, "With filters by state and type."),
    Api::new(
        ApiKey::ApiVersions,
        0..=4,
        api_versions::handle,
        "Any other version is answered with UNSUPPORTED_VERSION in version 0.",
    ),
    Api::new(
        ApiKey::CreateTopics,
        2..=7,
        create_topics::handle,
        "One node holds one copy: a replication factor above 1 is refused.",
    ),
    Api::new(ApiKey::DeleteTopics, 1..=6, delete_topics::handle, "By name, and by id from version 6."),
    Api::new(
        ApiKey::DeleteRecords,
        0..=2,
        |broker, request| delete_records::handle(&broker.catalog, request),
        "The answer waits until the new log start is on disk.",
    ),
    Api::new(
        ApiKey::InitProducerId,
        0..=5,
        init_producer_id::handle,
        "Idempotent producers only: a transactional id is refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED.",
    ),
    Api::new(
        ApiKey::OffsetForLeaderEpoch,
        2..=4,
        |broker, request| offset_for_leader_epoch::handle(&broker.catalog, request),
        "",
    ),
    Api::new(
        ApiKey::DescribeAcls,
        1..=3,
        |_, request| acls::describe(request),
        "Without an authorizer: SECURITY_DISABLED.",
    ),
    Api::new(ApiKey::CreateAcls, 1..=3, |_, request| acls::create(request), "The same."),
    Api::new(ApiKey::DeleteAcls, 1..=3, |_, request| acls::delete(request), "The same."),
    Api::new(
        ApiKey::DescribeConfigs,
        1..=4,
        |broker, request| describe_configs::handle(&broker.catalog, request),
        "Topics, the broker, all brokers, groups, client metrics subscriptions. There are no loggers to list.",
    ),
    Api::new(
        ApiKey::AlterConfigs,
        0..=2,
        |broker, request| alter_configs::handle(&broker.catalog, request),
        "",
    ),
    Api::new(
        ApiKey::AlterReplicaLogDirs,
        1..=2,
        |broker, request| alter_replica_log_dirs::handle(&broker.catalog, request),
        "There is one log directory: whoever names it is answered with NONE, any other with LOG_DIR_NOT_FOUND.",
    ),
    Api::new(
        ApiKey::DescribeLogDirs,
        1..=4,
        |broker, request| describe_log_dirs::handle(&broker.catalog, request),
        "The one log directory.",
    ),
    Api::new(ApiKey::CreatePartitions, 0..=3, create_partitions::handle, ""),
    Api::new(
        ApiKey::CreateDelegationToken,
        1..=3,
        |_, request| delegation_tokens::create(request),
        "Over PLAINTEXT: DELEGATION_TOKEN_REQUEST_NOT_ALLOWED.",
    ),
    Api::new(
        ApiKey::RenewDelegationToken,
        1..=2,
        |_, request| delegation_tokens::renew(request),
        "The same.",
    ),
    Api::new(
        ApiKey::ExpireDelegationToken,
        1..=2,
        |_, request| delegation_tokens::expire(request),
        "The same.",
    ),
    Api::new(
        ApiKey::DescribeDelegationToken,
        1..=3,
        |_, request| delegation_tokens::describe(request),
        "The same.",
    ),
    Api::new(ApiKey::DeleteGroups, 0..=2, groups::delete_groups::handle, ""),
    Api::new(
        ApiKey::ElectLeaders,
        0..=2,
        |broker, request| elect_leaders::handle(&broker.catalog, request),
        "The one node leads everything: ELECTION_NOT_NEEDED.",
    ),
    Api::new(
        ApiKey::IncrementalAlterConfigs,
        0..=1,
        |broker, request| alter_configs::handle_incremental(&broker.catalog, request),
        "All four operations. What is changed is in force before the answer.",
    ),
    Api::new(
        ApiKey::AlterPartitionReassignments,
        0..=1,
        |broker, request| reassignments::alter(&broker.catalog, request),
        "The one node is the only place to go to.",
    ),
    Api::new(
        ApiKey::ListPartitionReassignments,
        0..=0,
        |_, request| reassignments::list(request),
        "Nothing is ever under way.",
    ),
    Api::new(ApiKey::OffsetDelete, 0..=0, groups::offset_delete::handle, ""),
    Api::new(
        ApiKey::DescribeClientQuotas,
        0..=1,
        |broker, request| quotas::describe_client_quotas::handle(&broker.catalog, request),
        "",
    ),
    Api::new(
        ApiKey::AlterClientQuotas,
        0..=1,
        quotas::alter_client_quotas::handle,
        "What is altered counts at once. The address of an ip is one, not a host name.",
    ),
    Api::new(
        ApiKey::DescribeQuorum,
        0..=2,
        |broker, request| describe_quorum::handle(&broker.catalog, request),
        "One voter, this node.",
    ),
    Api::new(
        ApiKey::UpdateFeatures,
        0..=2,
        |broker, request| update_features::handle(&broker.catalog, request),
        "`kraft.version` stays as it is.",
    ),
    Api::new(
        ApiKey::DescribeCluster,
        0..=2,
        |broker, request| describe_cluster::handle(&broker.catalog, request),
        "The one node, which is broker and controller.",
    ),
    Api::new(
        ApiKey::DescribeProducers,
        0..=0,
        |broker, request| describe_producers::handle(&broker.catalog, request),
        "",
    ),
    Api::new(
        ApiKey::UnregisterBroker,
        0..=0,
        |broker, request| unregister_broker::handle(&broker.catalog, request),
        "This node itself is refused with INVALID_REQUEST.",
    ),
    Api::new(
        ApiKey::ConsumerGroupHeartbeat,
        0..=1,
        groups::consumer_group_heartbeat::handle,
        "The consumer protocol (KIP-848), with regular expressions and both of Kafka's assignors. Classic members share the group.",
    ),
    Api::new(ApiKey::ConsumerGroupDescribe, 0..=1, groups::consumer_group_describe::handle, ""),
    Api::new(
        ApiKey::GetTelemetrySubscriptions,
        0..=0,
        telemetry::subscriptions,
        "With `ottla.client.telemetry`; without it neither offered nor answered.",
    ),
    Api::new(
        ApiKey::PushTelemetry,
        0..=0,
        telemetry::push,
        "The same. Counters, gauges, and the counts and sums of histograms and summaries are written down.",
    ),
    Api::new(
        ApiKey::ListConfigResources,
        0..=1,
        |broker, request| list_config_resources::handle(&broker.catalog, request),
        "",
    ),
    Api::new(
        ApiKey::DescribeTopicPartitions,
        0..=0,
        |broker, request| describe_topic_partitions::handle(&broker.catalog, &broker.settings, request),
        "Pages of at most `max.request.partition.size.limit` partitions.",
    ),
];

/// Hands a request to its API, and holds its client back if it has had too much.
pub(crate) fn dispatch(broker: &Arc<Broker>, request: &Request) -> Pending {
    throttle::hold_back(broker, request, serve)
}

fn serve(broker: &Arc<Broker>, request: &Request) -> Pending {
    let (key, version) = (request.header.api_key, request.header.api_version);
    let served = APIS.iter().find(|api| api.key.key() == key && api.is_served_by(broker));
    let handled = match served {
        None => Err(CloseReason::UnknownApi { key }),
        Some(api) if api.versions.contains(&version) => (api.handle)(broker, request),
        Some(api) if api.key == ApiKey::ApiVersions => api_versions::handle_unsupported(),
        Some(_) => Err(CloseReason::UnsupportedVersion { key, version }),
    };
    handled.unwrap_or_else(Pending::Close)
}

/// `docs/apis.md`, computed from [`APIS`].
#[must_use]
pub fn render_markdown() -> String {
    let mut text = String::from(
        "# APIs\n\n\
         <!-- Written by `cargo xtask apis` from the handler table in crates/api/src/table.rs. Do not edit. -->\n\n\
         What a client may ask this broker, by Kafka's numbers. ApiVersions answers with the same table. A request with \
         another key or version closes its connection, as in Kafka.\n\n\
         | key | API | versions | note |\n| ---: | --- | --- | --- |\n",
    );
    for api in APIS {
        let (low, high) = (api.versions.start(), api.versions.end());
        let versions = if low == high { low.to_string() } else { format!("{low}-{high}") };
        // Writing into a String does not fail.
        let _ = writeln!(text, "| {} | {} | {versions} | {} |", api.key.key(), api.key, api.note);
    }
    let missing: Vec<&str> = ApiKey::ALL
        .iter()
        .filter(|key| APIS.iter().all(|api| api.key != **key))
        .map(|key| key.name())
        .collect();
    let _ = write!(text, "\n## Not served\n\nOf the APIs that Kafka 4.1 has: {}.\n", missing.join(", "));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_names_each_api_once() {
        assert!(APIS.windows(2).all(|pair| pair[0].key < pair[1].key));
    }

    #[test]
    fn the_documentation_is_up_to_date() {
        let written = include_str!("../../../docs/apis.md");
        assert!(written == render_markdown(), "run `cargo xtask apis` and look at the difference");
    }

    #[test]
    fn no_transaction_api_is_advertised() {
        use ApiKey::{AddPartitionsToTxn, EndTxn, TxnOffsetCommit};
        for key in [AddPartitionsToTxn, EndTxn, TxnOffsetCommit] {
            assert!(APIS.iter().all(|api| api.key != key), "{key}");
        }
    }
}
