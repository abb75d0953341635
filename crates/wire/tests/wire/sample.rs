//! Messages with random content.

use bytes::Bytes;
use uuid::Uuid;
use wire::messages::{
    alter_client_quotas, alter_configs, alter_partition_reassignments, alter_replica_log_dirs, api_versions,
    consumer_group_describe, consumer_group_heartbeat, create_acls, create_delegation_token,
    create_partitions, create_topics, delete_acls, delete_groups, delete_records, delete_topics,
    describe_acls, describe_client_quotas, describe_cluster, describe_configs, describe_delegation_token,
    describe_groups, describe_log_dirs, describe_producers, describe_quorum, describe_topic_partitions,
    elect_leaders, expire_delegation_token, fetch, find_coordinator, get_telemetry_subscriptions, heartbeat,
    incremental_alter_configs, init_producer_id, join_group, leave_group, list_config_resources, list_groups,
    list_offsets, list_partition_reassignments, metadata, offset_commit, offset_delete, offset_fetch,
    offset_for_leader_epoch, produce, push_telemetry, renew_delegation_token, sync_group, unregister_broker,
    update_features,
};
use wire::{Payload, StrBytes};

/// What content is drawn from.
pub(crate) struct Draw {
    /// State of an xorshift generator; never 0.
    state: u64,
    /// The most elements of a list, so that a failing message can shrink.
    longest: u8,
    /// The version that the message is for: what it cannot say is not drawn.
    version: i16,
}

impl Draw {
    pub(crate) fn new(seed: u64, longest: u8, version: i16) -> Self {
        Self { state: seed | 1, longest, version }
    }

    fn byte(&mut self) -> u8 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        (self.state >> 32) as u8
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }
}

pub(crate) trait Sample: Sized {
    fn sample(draw: &mut Draw) -> Self;
}

macro_rules! numbers {
    ($($number:ident)*) => {$(
        impl Sample for $number {
            fn sample(draw: &mut Draw) -> Self {
                // Small numbers, -1 among them, meet defaults more often.
                match draw.byte() {
                    small @ 0..128 => $number::from((small % 4) as i8) - 1,
                    _ => $number::from_be_bytes(draw.array()),
                }
            }
        }
    )*};
}
numbers!(i8 i16 i32 i64);

impl Sample for u16 {
    fn sample(draw: &mut Draw) -> Self {
        Self::from_be_bytes(draw.array())
    }
}

impl Sample for f64 {
    fn sample(draw: &mut Draw) -> Self {
        // Never a NaN, which equals nothing.
        Self::from(i32::from_be_bytes(draw.array())) / 8.0
    }
}

impl Sample for bool {
    fn sample(draw: &mut Draw) -> Self {
        draw.byte() % 2 == 1
    }
}

impl Sample for Uuid {
    fn sample(draw: &mut Draw) -> Self {
        Self::from_bytes(draw.array())
    }
}

impl Sample for Bytes {
    fn sample(draw: &mut Draw) -> Self {
        // Long enough now and then for a length of two bytes in compact form, and for a segment of its own.
        let len = match draw.byte() {
            255 => 2 * wire::SHARED_FROM,
            long @ 240.. => usize::from(long) * 2,
            short => usize::from(short % 8),
        };
        (0..len).map(|_| draw.byte()).collect()
    }
}

impl Sample for StrBytes {
    fn sample(draw: &mut Draw) -> Self {
        let letters = ['a', 'b', '-', '.', '"', '\0', '\u{e9}', '\u{4e16}', '\u{1f600}'];
        let text: String =
            Bytes::sample(draw).iter().map(|byte| letters[usize::from(*byte) % letters.len()]).collect();
        text.into()
    }
}

impl Sample for Payload {
    fn sample(draw: &mut Draw) -> Self {
        Bytes::sample(draw).into()
    }
}

impl<T: Sample> Sample for Vec<T> {
    fn sample(draw: &mut Draw) -> Self {
        let len = draw.byte() % (draw.longest + 1);
        (0..len).map(|_| T::sample(draw)).collect()
    }
}

impl<T: Sample> Sample for Option<T> {
    fn sample(draw: &mut Draw) -> Self {
        (draw.byte() >= 64).then(|| T::sample(draw))
    }
}

/// `field` is drawn at all versions, `field(3..)` only where setting it is no error, `field(null 3..)` may be null
/// only there. A second telling of the schemas, which the encoder has to agree with.
macro_rules! sample {
    ($($module:ident::{$($type:ident { $($field:ident $(($($when:tt)*))?),* })*})*) => {$($(
        impl Sample for $module::$type {
            fn sample(draw: &mut Draw) -> Self {
                let mut sample = Self::default();
                let Self { $($field),* } = &mut sample;
                $(sample!(@set draw, $field $(, $($when)*)?);)*
                sample
            }
        }
    )*)*};
    (@set $draw:ident, $field:ident) => { *$field = Sample::sample($draw) };
    (@set $draw:ident, $field:ident, null $versions:expr) => {
        if ($versions).contains(&$draw.version) {
            *$field = Sample::sample($draw);
        } else {
            *$field = Some(Sample::sample($draw));
        }
    };
    (@set $draw:ident, $field:ident, $versions:expr) => {
        if ($versions).contains(&$draw.version) {
            *$field = Sample::sample($draw);
        }
    };
}

sample! {
    produce::{
        ProduceRequest { transactional_id, acks, timeout_ms, topic_data }
        TopicProduceData { name, topic_id, partition_data }
        PartitionProduceData { index, records }
        ProduceResponse { responses, throttle_time_ms, node_endpoints(10..) }
        TopicProduceResponse { name, topic_id, partition_responses }
        PartitionProduceResponse {
            index, error_code, base_offset, log_append_time_ms, log_start_offset, record_errors, error_message,
            current_leader(10..)
        }
        BatchIndexAndErrorMessage { batch_index, batch_index_error_message }
        LeaderIdAndEpoch { leader_id, leader_epoch }
        NodeEndpoint { node_id, host, port, rack }
    }
    fetch::{
        FetchRequest {
            cluster_id, replica_id(..15), replica_state(15..), max_wait_ms, min_bytes, max_bytes, isolation_level,
            session_id, session_epoch, topics, forgotten_topics_data(7..), rack_id
        }
        ReplicaState { replica_id, replica_epoch }
        FetchTopic { topic, topic_id, partitions }
        FetchPartition {
            partition, current_leader_epoch, fetch_offset, last_fetched_epoch(12..), log_start_offset,
            partition_max_bytes, replica_directory_id, high_watermark
        }
        ForgottenTopic { topic, topic_id, partitions }
        FetchResponse { throttle_time_ms, error_code, session_id(7..), responses, node_endpoints(16..) }
        FetchableTopicResponse { topic, topic_id, partitions }
        PartitionData {
            partition_index, error_code, high_watermark, last_stable_offset, log_start_offset, diverging_epoch(12..),
            current_leader(12..), snapshot_id(12..), aborted_transactions, preferred_read_replica(11..), records
        }
        EpochEndOffset { epoch, end_offset }
        LeaderIdAndEpoch { leader_id, leader_epoch }
        SnapshotId { end_offset, epoch }
        AbortedTransaction { producer_id, first_offset }
        NodeEndpoint { node_id, host, port, rack }
    }
    list_offsets::{
        ListOffsetsRequest { replica_id, isolation_level(2..), topics, timeout_ms }
        ListOffsetsTopic { name, partitions }
        ListOffsetsPartition { partition_index, current_leader_epoch, timestamp }
        ListOffsetsResponse { throttle_time_ms, topics }
        ListOffsetsTopicResponse { name, partitions }
        ListOffsetsPartitionResponse { partition_index, error_code, timestamp, offset, leader_epoch(4..) }
    }
    metadata::{
        MetadataRequest {
            topics(null 1..), allow_auto_topic_creation(4..), include_cluster_authorized_operations(8..11),
            include_topic_authorized_operations(8..)
        }
        MetadataRequestTopic { topic_id, name(null 10..) }
        MetadataResponse {
            throttle_time_ms, brokers, cluster_id, controller_id, topics, cluster_authorized_operations(8..11),
            error_code
        }
        MetadataResponseBroker { node_id, host, port, rack }
        MetadataResponseTopic {
            error_code, name(null 12..), topic_id, is_internal, partitions, topic_authorized_operations(8..)
        }
        MetadataResponsePartition {
            error_code, partition_index, leader_id, leader_epoch, replica_nodes, isr_nodes, offline_replicas
        }
    }
    api_versions::{
        ApiVersionsRequest { client_software_name, client_software_version }
        ApiVersionsResponse {
            error_code, api_keys, throttle_time_ms, supported_features, finalized_features_epoch,
            finalized_features, zk_migration_ready
        }
        ApiVersion { api_key, min_version, max_version }
        SupportedFeatureKey { name, min_version, max_version }
        FinalizedFeatureKey { name, max_version_level, min_version_level }
    }
    create_topics::{
        CreateTopicsRequest { topics, timeout_ms, validate_only }
        CreatableTopic { name, num_partitions, replication_factor, assignments, configs }
        CreatableReplicaAssignment { partition_index, broker_ids }
        CreatableTopicConfig { name, value }
        CreateTopicsResponse { throttle_time_ms, topics }
        CreatableTopicResult {
            name, topic_id, error_code, error_message, topic_config_error_code, num_partitions, replication_factor,
            configs
        }
        CreatableTopicConfigs { name, value, read_only, config_source, is_sensitive }
    }
    delete_records::{
        DeleteRecordsRequest { topics, timeout_ms }
        DeleteRecordsTopic { name, partitions }
        DeleteRecordsPartition { partition_index, offset }
        DeleteRecordsResponse { throttle_time_ms, topics }
        DeleteRecordsTopicResult { name, partitions }
        DeleteRecordsPartitionResult { partition_index, low_watermark, error_code }
    }
    delete_topics::{
        DeleteTopicsRequest { topics(6..), topic_names, timeout_ms }
        DeleteTopicState { name, topic_id }
        DeleteTopicsResponse { throttle_time_ms, responses }
        DeletableTopicResult { name(null 6..), topic_id, error_code, error_message }
    }
    init_producer_id::{
        InitProducerIdRequest { transactional_id, transaction_timeout_ms, producer_id(3..), producer_epoch(3..) }
        InitProducerIdResponse { throttle_time_ms, error_code, producer_id, producer_epoch }
    }
    offset_for_leader_epoch::{
        OffsetForLeaderEpochRequest { replica_id, topics }
        OffsetForLeaderTopic { topic, partitions }
        OffsetForLeaderPartition { partition, current_leader_epoch, leader_epoch }
        OffsetForLeaderEpochResponse { throttle_time_ms, topics }
        OffsetForLeaderTopicResult { topic, partitions }
        EpochEndOffset { error_code, partition, leader_epoch, end_offset }
    }
    create_partitions::{
        CreatePartitionsRequest { topics, timeout_ms, validate_only }
        CreatePartitionsTopic { name, count, assignments }
        CreatePartitionsAssignment { broker_ids }
        CreatePartitionsResponse { throttle_time_ms, results }
        CreatePartitionsTopicResult { name, error_code, error_message }
    }
    describe_cluster::{
        DescribeClusterRequest {
            include_cluster_authorized_operations, endpoint_type(1..), include_fenced_brokers(2..)
        }
        DescribeClusterResponse {
            throttle_time_ms, error_code, error_message, endpoint_type(1..), cluster_id, controller_id, brokers,
            cluster_authorized_operations
        }
        DescribeClusterBroker { broker_id, host, port, rack, is_fenced(2..) }
    }
    describe_producers::{
        DescribeProducersRequest { topics }
        TopicRequest { name, partition_indexes }
        DescribeProducersResponse { throttle_time_ms, topics }
        TopicResponse { name, partitions }
        PartitionResponse { partition_index, error_code, error_message, active_producers }
        ProducerState {
            producer_id, producer_epoch, last_sequence, last_timestamp, coordinator_epoch, current_txn_start_offset
        }
    }
    describe_topic_partitions::{
        DescribeTopicPartitionsRequest { topics, response_partition_limit, cursor }
        TopicRequest { name }
        Cursor { topic_name, partition_index }
        DescribeTopicPartitionsResponse { throttle_time_ms, topics, next_cursor }
        DescribeTopicPartitionsResponseTopic {
            error_code, name, topic_id, is_internal, partitions, topic_authorized_operations
        }
        DescribeTopicPartitionsResponsePartition {
            error_code, partition_index, leader_id, leader_epoch, replica_nodes, isr_nodes,
            eligible_leader_replicas, last_known_elr, offline_replicas
        }
    }    find_coordinator::{
        FindCoordinatorRequest { key(..4), key_type(1..), coordinator_keys(4..) }
        FindCoordinatorResponse {
            throttle_time_ms, error_code(..4), error_message, node_id(..4), host(..4), port(..4), coordinators(4..)
        }
        Coordinator { key, node_id, host, port, error_code, error_message }
    }
    join_group::{
        JoinGroupRequest {
            group_id, session_timeout_ms, rebalance_timeout_ms, member_id, group_instance_id(5..), protocol_type,
            protocols, reason
        }
        JoinGroupRequestProtocol { name, metadata }
        JoinGroupResponse {
            throttle_time_ms, error_code, generation_id, protocol_type, protocol_name(null 7..), leader,
            skip_assignment(9..), member_id, members
        }
        JoinGroupResponseMember { member_id, group_instance_id, metadata }
    }
    sync_group::{
        SyncGroupRequest {
            group_id, generation_id, member_id, group_instance_id(3..), protocol_type, protocol_name, assignments
        }
        SyncGroupRequestAssignment { member_id, assignment }
        SyncGroupResponse { throttle_time_ms, error_code, protocol_type, protocol_name, assignment }
    }
    heartbeat::{
        HeartbeatRequest { group_id, generation_id, member_id, group_instance_id(3..) }
        HeartbeatResponse { throttle_time_ms, error_code }
    }
    leave_group::{
        LeaveGroupRequest { group_id, member_id(..3), members(3..) }
        MemberIdentity { member_id, group_instance_id, reason }
        LeaveGroupResponse { throttle_time_ms, error_code, members(3..) }
        MemberResponse { member_id, group_instance_id, error_code }
    }
    offset_commit::{
        OffsetCommitRequest {
            group_id, generation_id_or_member_epoch, member_id, group_instance_id(7..), retention_time_ms, topics
        }
        OffsetCommitRequestTopic { name, topic_id, partitions }
        OffsetCommitRequestPartition {
            partition_index, committed_offset, committed_leader_epoch, committed_metadata
        }
        OffsetCommitResponse { throttle_time_ms, topics }
        OffsetCommitResponseTopic { name, topic_id, partitions }
        OffsetCommitResponsePartition { partition_index, error_code }
    }
    offset_fetch::{
        OffsetFetchRequest { group_id(..8), topics(2..8), groups(8..), require_stable(7..) }
        OffsetFetchRequestTopic { name, partition_indexes }
        OffsetFetchRequestGroup { group_id, member_id, member_epoch, topics }
        OffsetFetchRequestTopics { name, topic_id, partition_indexes }
        OffsetFetchResponse { throttle_time_ms, topics(..8), error_code, groups(8..) }
        OffsetFetchResponseTopic { name, partitions }
        OffsetFetchResponsePartition {
            partition_index, committed_offset, committed_leader_epoch, metadata, error_code
        }
        OffsetFetchResponseGroup { group_id, topics, error_code }
        OffsetFetchResponseTopics { name, topic_id, partitions }
        OffsetFetchResponsePartitions {
            partition_index, committed_offset, committed_leader_epoch, metadata, error_code
        }
    }
    offset_delete::{
        OffsetDeleteRequest { group_id, topics }
        OffsetDeleteRequestTopic { name, partitions }
        OffsetDeleteRequestPartition { partition_index }
        OffsetDeleteResponse { error_code, throttle_time_ms, topics }
        OffsetDeleteResponseTopic { name, partitions }
        OffsetDeleteResponsePartition { partition_index, error_code }
    }
    list_groups::{
        ListGroupsRequest { states_filter(4..), types_filter(5..) }
        ListGroupsResponse { throttle_time_ms, error_code, groups }
        ListedGroup { group_id, protocol_type, group_state, group_type }
    }
    describe_groups::{
        DescribeGroupsRequest { groups, include_authorized_operations(3..) }
        DescribeGroupsResponse { throttle_time_ms, groups }
        DescribedGroup {
            error_code, error_message(6..), group_id, group_state, protocol_type, protocol_data, members,
            authorized_operations(3..)
        }
        DescribedGroupMember {
            member_id, group_instance_id, client_id, client_host, member_metadata, member_assignment
        }
    }
    delete_groups::{
        DeleteGroupsRequest { groups_names }
        DeleteGroupsResponse { throttle_time_ms, results }
        DeletableGroupResult { group_id, error_code }
    }
    consumer_group_heartbeat::{
        ConsumerGroupHeartbeatRequest {
            group_id, member_id, member_epoch, instance_id, rack_id, rebalance_timeout_ms, subscribed_topic_names,
            subscribed_topic_regex(1..), server_assignor, topic_partitions
        }
        ConsumerGroupHeartbeatResponse {
            throttle_time_ms, error_code, error_message, member_id, member_epoch, heartbeat_interval_ms, assignment
        }
        Assignment { topic_partitions }
        TopicPartitions { topic_id, partitions }
    }
    consumer_group_describe::{
        ConsumerGroupDescribeRequest { group_ids, include_authorized_operations }
        ConsumerGroupDescribeResponse { throttle_time_ms, groups }
        DescribedGroup {
            error_code, error_message, group_id, group_state, group_epoch, assignment_epoch, assignor_name, members,
            authorized_operations
        }
        Member {
            member_id, instance_id, rack_id, member_epoch, client_id, client_host, subscribed_topic_names,
            subscribed_topic_regex, assignment, target_assignment, member_type
        }
        Assignment { topic_partitions }
        TopicPartitions { topic_id, topic_name, partitions }
    }
    describe_client_quotas::{
        DescribeClientQuotasRequest { components, strict }
        ComponentData { entity_type, match_type, name }
        DescribeClientQuotasResponse { throttle_time_ms, error_code, error_message, entries }
        EntryData { entity, values }
        EntityData { entity_type, entity_name }
        ValueData { key, value }
    }
    alter_client_quotas::{
        AlterClientQuotasRequest { entries, validate_only }
        EntryData { entity, ops }
        EntityData { entity_type, entity_name }
        OpData { key, value, remove }
        AlterClientQuotasResponse { throttle_time_ms, entries }
        AlteredEntryData { error_code, error_message, entity }
    }
    describe_log_dirs::{
        DescribeLogDirsRequest { topics }
        DescribableLogDirTopic { topic, partitions }
        DescribeLogDirsResponse { throttle_time_ms, error_code, results }
        DescribeLogDirsResult { error_code, log_dir, topics, total_bytes, usable_bytes }
        DescribeLogDirsTopic { name, partitions }
        DescribeLogDirsPartition { partition_index, partition_size, offset_lag, is_future_key }
    }
    alter_replica_log_dirs::{
        AlterReplicaLogDirsRequest { dirs }
        AlterReplicaLogDir { path, topics }
        AlterReplicaLogDirTopic { name, partitions }
        AlterReplicaLogDirsResponse { throttle_time_ms, results }
        AlterReplicaLogDirTopicResult { topic_name, partitions }
        AlterReplicaLogDirPartitionResult { partition_index, error_code }
    }
    describe_quorum::{
        DescribeQuorumRequest { topics }
        TopicRequest { topic_name, partitions }
        PartitionRequest { partition_index }
        DescribeQuorumResponse { error_code, error_message, topics, nodes(2..) }
        TopicData { topic_name, partitions }
        PartitionData { partition_index, error_code, error_message, leader_id, leader_epoch, high_watermark, current_voters, observers }
        ReplicaState { replica_id, replica_directory_id(2..), log_end_offset, last_fetch_timestamp, last_caught_up_timestamp }
        Node { node_id(2..), listeners(2..) }
        Listener { name(2..), host(2..), port(2..) }
    }
    update_features::{
        UpdateFeaturesRequest { timeout_ms, feature_updates, validate_only(1..) }
        FeatureUpdateKey { feature, max_version_level, allow_downgrade(..1), upgrade_type(1..) }
        UpdateFeaturesResponse { throttle_time_ms, error_code, error_message, results }
        UpdatableFeatureResult { feature, error_code, error_message }
    }
    elect_leaders::{
        ElectLeadersRequest { election_type(1..), topic_partitions, timeout_ms }
        TopicPartitions { topic, partitions }
        ElectLeadersResponse { throttle_time_ms, error_code(1..), replica_election_results }
        ReplicaElectionResult { topic, partition_result }
        PartitionResult { partition_id, error_code, error_message }
    }
    alter_partition_reassignments::{
        AlterPartitionReassignmentsRequest { timeout_ms, allow_replication_factor_change(1..), topics }
        ReassignableTopic { name, partitions }
        ReassignablePartition { partition_index, replicas }
        AlterPartitionReassignmentsResponse { throttle_time_ms, allow_replication_factor_change, error_code, error_message, responses }
        ReassignableTopicResponse { name, partitions }
        ReassignablePartitionResponse { partition_index, error_code, error_message }
    }
    list_partition_reassignments::{
        ListPartitionReassignmentsRequest { timeout_ms, topics }
        ListPartitionReassignmentsTopics { name, partition_indexes }
        ListPartitionReassignmentsResponse { throttle_time_ms, error_code, error_message, topics }
        OngoingTopicReassignment { name, partitions }
        OngoingPartitionReassignment { partition_index, replicas, adding_replicas, removing_replicas }
    }
    unregister_broker::{
        UnregisterBrokerRequest { broker_id }
        UnregisterBrokerResponse { throttle_time_ms, error_code, error_message }
    }
    describe_acls::{
        DescribeAclsRequest { resource_type_filter, resource_name_filter, pattern_type_filter, principal_filter, host_filter, operation, permission_type }
        DescribeAclsResponse { throttle_time_ms, error_code, error_message, resources }
        DescribeAclsResource { resource_type, resource_name, pattern_type, acls }
        AclDescription { principal, host, operation, permission_type }
    }
    create_acls::{
        CreateAclsRequest { creations }
        AclCreation { resource_type, resource_name, resource_pattern_type, principal, host, operation, permission_type }
        CreateAclsResponse { throttle_time_ms, results }
        AclCreationResult { error_code, error_message }
    }
    delete_acls::{
        DeleteAclsRequest { filters }
        DeleteAclsFilter { resource_type_filter, resource_name_filter, pattern_type_filter, principal_filter, host_filter, operation, permission_type }
        DeleteAclsResponse { throttle_time_ms, filter_results }
        DeleteAclsFilterResult { error_code, error_message, matching_acls }
        DeleteAclsMatchingAcl { error_code, error_message, resource_type, resource_name, pattern_type, principal, host, operation, permission_type }
    }
    create_delegation_token::{
        CreateDelegationTokenRequest { owner_principal_type(3..), owner_principal_name(3..), renewers, max_lifetime_ms }
        CreatableRenewers { principal_type, principal_name }
        CreateDelegationTokenResponse { error_code, principal_type, principal_name, token_requester_principal_type(3..), token_requester_principal_name(3..), issue_timestamp_ms, expiry_timestamp_ms, max_timestamp_ms, token_id, hmac, throttle_time_ms }
    }
    renew_delegation_token::{
        RenewDelegationTokenRequest { hmac, renew_period_ms }
        RenewDelegationTokenResponse { error_code, expiry_timestamp_ms, throttle_time_ms }
    }
    expire_delegation_token::{
        ExpireDelegationTokenRequest { hmac, expiry_time_period_ms }
        ExpireDelegationTokenResponse { error_code, expiry_timestamp_ms, throttle_time_ms }
    }
    describe_delegation_token::{
        DescribeDelegationTokenRequest { owners }
        DescribeDelegationTokenOwner { principal_type, principal_name }
        DescribeDelegationTokenResponse { error_code, tokens, throttle_time_ms }
        DescribedDelegationToken { principal_type, principal_name, token_requester_principal_type(3..), token_requester_principal_name(3..), issue_timestamp, expiry_timestamp, max_timestamp, token_id, hmac, renewers }
        DescribedDelegationTokenRenewer { principal_type, principal_name }
    }
    describe_configs::{
        DescribeConfigsRequest { resources, include_synonyms, include_documentation(3..) }
        DescribeConfigsResource { resource_type, resource_name, configuration_keys }
        DescribeConfigsResponse { throttle_time_ms, results }
        DescribeConfigsResult { error_code, error_message, resource_type, resource_name, configs }
        DescribeConfigsResourceResult {
            name, value, read_only, config_source, is_sensitive, synonyms, config_type, documentation
        }
        DescribeConfigsSynonym { name, value, source }
    }
    alter_configs::{
        AlterConfigsRequest { resources, validate_only }
        AlterConfigsResource { resource_type, resource_name, configs }
        AlterableConfig { name, value }
        AlterConfigsResponse { throttle_time_ms, responses }
        AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
    }
    incremental_alter_configs::{
        IncrementalAlterConfigsRequest { resources, validate_only }
        AlterConfigsResource { resource_type, resource_name, configs }
        AlterableConfig { name, config_operation, value }
        IncrementalAlterConfigsResponse { throttle_time_ms, responses }
        AlterConfigsResourceResponse { error_code, error_message, resource_type, resource_name }
    }
    get_telemetry_subscriptions::{
        GetTelemetrySubscriptionsRequest { client_instance_id }
        GetTelemetrySubscriptionsResponse {
            throttle_time_ms, error_code, client_instance_id, subscription_id, accepted_compression_types,
            push_interval_ms, telemetry_max_bytes, delta_temporality, requested_metrics
        }
    }
    push_telemetry::{
        PushTelemetryRequest { client_instance_id, subscription_id, terminating, compression_type, metrics }
        PushTelemetryResponse { throttle_time_ms, error_code }
    }
    list_config_resources::{
        ListConfigResourcesRequest { resource_types(1..) }
        ListConfigResourcesResponse { throttle_time_ms, error_code, config_resources }
        ConfigResource { resource_name, resource_type }
    }
}
