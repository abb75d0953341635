//! Every message beside `kafka-protocol`, an independent reader and writer, at every version that both know.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages as theirs;
use kafka_protocol::protocol::{Decodable, Encodable, Message as TheirMessage};
use proptest::prelude::*;
use wire::messages as ours;
use wire::{DecodeError, Encoder, Field, Layout, Message, Payload, decode_exact, to_bytes};

use crate::sample::{Draw, Sample};

/// Ours writes, theirs reads all of it and writes the same bytes again; ours reads those. What ours reads, ours writes.
/// Their highest version is `missing` below ours: those are not stable in Kafka 4.1.
fn check<Ours: Message + Sample, Theirs: TheirMessage + Decodable + Encodable + Debug>(
    seed: u64,
    longest: u8,
    missing: i16,
) -> Result<(), TestCaseError> {
    let common =
        Theirs::VERSIONS.min.max(*Ours::VERSIONS.start())..=Theirs::VERSIONS.max.min(*Ours::VERSIONS.end());
    let expected = *Ours::VERSIONS.start()..=*Ours::VERSIONS.end() - missing;
    prop_assert_eq!(&common, &expected, "{} of theirs has other versions", Ours::NAME);
    for version in common {
        let message = Ours::sample(&mut Draw::new(seed, longest, version));
        let written = to_bytes(&message, version);
        let written =
            written.map_err(|error| TestCaseError::fail(format!("{} {version}: {error}", Ours::NAME)))?;

        let mut left = written.clone();
        let read_by_them = Theirs::decode(&mut left, version)
            .map_err(|error| TestCaseError::fail(format!("{} {version}: {error}", Ours::NAME)))?;
        prop_assert!(left.is_empty(), "{} {version}: they leave {} bytes", Ours::NAME, left.len());
        prop_assert!(!has_unknown_tags(&read_by_them), "{} {version}: {read_by_them:?}", Ours::NAME);

        let mut written_by_them = BytesMut::new();
        read_by_them
            .encode(&mut written_by_them, version)
            .map_err(|error| TestCaseError::fail(format!("{} {version}: {error}", Ours::NAME)))?;
        prop_assert_eq!(&written, &written_by_them, "{} {}", Ours::NAME, version);

        let read: Result<Ours, DecodeError> = decode_exact(written_by_them.freeze(), version);
        let read = read.map_err(|error| TestCaseError::fail(format!("{} {version}: {error}", Ours::NAME)))?;
        prop_assert_eq!(to_bytes(&read, version), Ok::<Bytes, _>(written), "{} {}", Ours::NAME, version);
    }
    Ok(())
}

/// A tag that they do not know would go back and forth unnoticed.
fn has_unknown_tags(theirs: &impl Debug) -> bool {
    let shown = format!("{theirs:?}");
    let mut maps = shown.split("unknown_tagged_fields: {").skip(1);
    maps.any(|map| !map.starts_with('}'))
}

/// What ours and theirs make of a struct that nobody has filled in, at each of `versions`.
fn check_default<Ours: Field, Theirs: Default + Encodable>(
    ours: &Ours,
    name: &str,
    versions: RangeInclusive<i16>,
    flexible_from: i16,
) {
    for version in versions {
        let mut written = Encoder::new();
        let layout = Layout::new(version, version >= flexible_from);
        ours.write(&mut written, layout).unwrap_or_else(|error| panic!("{name} {version}: {error}"));
        let mut written_by_them = BytesMut::new();
        Theirs::default()
            .encode(&mut written_by_them, version)
            .unwrap_or_else(|error| panic!("{name} {version}: {error}"));
        assert_eq!(written.into_bytes(), Ok(written_by_them.freeze()), "{name} {version}");
    }
}

macro_rules! compare_defaults {
    ($($module:ident: [
        $($message:ident in $their_module:ident { $($part:ident $($since:literal $(- $until:literal)?)?)* })*
    ])*) => {$($({
        type Whole = ours::$module::$message;
        // Versions that they lack are not stable in Kafka 4.1.
        let common = *Whole::VERSIONS.start()..=theirs::$message::VERSIONS.max.min(*Whole::VERSIONS.end());
        check_default::<Whole, theirs::$message>(
            &Default::default(),
            stringify!($message),
            common.clone(),
            Whole::FLEXIBLE_FROM,
        );
        $(
            let versions = common.clone();
            $(let versions = $since..=*versions.end(); $(let versions = *versions.start()..=$until;)?)?
            check_default::<ours::$module::$part, theirs::$their_module::$part>(
                &Default::default(),
                concat!(stringify!($message), " ", stringify!($part)),
                versions,
                Whole::FLEXIBLE_FROM,
            );
        )*
    })*)*};
}

#[test]
fn defaults_are_theirs() {
    compare_defaults! {
        produce: [
            ProduceRequest in produce_request { TopicProduceData }
            ProduceResponse in produce_response {
                TopicProduceResponse PartitionProduceResponse BatchIndexAndErrorMessage 8
            }
        ]
        fetch: [
            FetchRequest in fetch_request { FetchTopic FetchPartition }
            FetchResponse in fetch_response { FetchableTopicResponse }
        ]
        list_offsets: [
            ListOffsetsRequest in list_offsets_request { ListOffsetsTopic ListOffsetsPartition }
            ListOffsetsResponse in list_offsets_response {
                ListOffsetsTopicResponse ListOffsetsPartitionResponse
            }
        ]
        metadata: [
            MetadataRequest in metadata_request { MetadataRequestTopic }
            MetadataResponse in metadata_response {
                MetadataResponseBroker MetadataResponseTopic MetadataResponsePartition
            }
        ]
        api_versions: [
            ApiVersionsResponse in api_versions_response { ApiVersion }
        ]
        create_topics: [
            CreateTopicsRequest in create_topics_request {
                CreatableTopic CreatableReplicaAssignment
            }
            CreateTopicsResponse in create_topics_response { CreatableTopicResult }
        ]
        delete_records: [
            DeleteRecordsRequest in delete_records_request { DeleteRecordsTopic DeleteRecordsPartition }
            DeleteRecordsResponse in delete_records_response {
                DeleteRecordsTopicResult DeleteRecordsPartitionResult
            }
        ]
        delete_topics: [
            DeleteTopicsResponse in delete_topics_response { DeletableTopicResult }
        ]
        offset_for_leader_epoch: [
            OffsetForLeaderEpochRequest in offset_for_leader_epoch_request {
                OffsetForLeaderTopic OffsetForLeaderPartition
            }
            OffsetForLeaderEpochResponse in offset_for_leader_epoch_response {
                OffsetForLeaderTopicResult EpochEndOffset
            }
        ]
        create_partitions: [
            CreatePartitionsRequest in create_partitions_request { CreatePartitionsTopic }
            CreatePartitionsResponse in create_partitions_response { CreatePartitionsTopicResult }
        ]
        describe_cluster: [
            DescribeClusterResponse in describe_cluster_response { DescribeClusterBroker }
        ]
        describe_producers: [
            DescribeProducersRequest in describe_producers_request { TopicRequest }
            DescribeProducersResponse in describe_producers_response {
                TopicResponse PartitionResponse ProducerState
            }
        ]
        describe_topic_partitions: [
            DescribeTopicPartitionsRequest in describe_topic_partitions_request { TopicRequest Cursor }
            DescribeTopicPartitionsResponse in describe_topic_partitions_response {
                DescribeTopicPartitionsResponseTopic DescribeTopicPartitionsResponsePartition
            }
        ]
        find_coordinator: [
            FindCoordinatorRequest in find_coordinator_request {}
            FindCoordinatorResponse in find_coordinator_response { Coordinator 4 }
        ]
        join_group: [
            JoinGroupRequest in join_group_request { JoinGroupRequestProtocol }
            JoinGroupResponse in join_group_response { JoinGroupResponseMember }
        ]
        sync_group: [
            SyncGroupRequest in sync_group_request { SyncGroupRequestAssignment }
            SyncGroupResponse in sync_group_response {}
        ]
        heartbeat: [
            HeartbeatRequest in heartbeat_request {}
            HeartbeatResponse in heartbeat_response {}
        ]
        leave_group: [
            LeaveGroupRequest in leave_group_request { MemberIdentity 3 }
            LeaveGroupResponse in leave_group_response { MemberResponse 3 }
        ]
        offset_commit: [
            OffsetCommitRequest in offset_commit_request { OffsetCommitRequestTopic OffsetCommitRequestPartition }
            OffsetCommitResponse in offset_commit_response {
                OffsetCommitResponseTopic OffsetCommitResponsePartition
            }
        ]
        offset_fetch: [
            OffsetFetchRequest in offset_fetch_request {
                OffsetFetchRequestTopic 1-7 OffsetFetchRequestGroup 8 OffsetFetchRequestTopics 8
            }
            OffsetFetchResponse in offset_fetch_response {
                OffsetFetchResponseTopic 1-7 OffsetFetchResponsePartition 1-7 OffsetFetchResponseGroup 8
                OffsetFetchResponseTopics 8 OffsetFetchResponsePartitions 8
            }
        ]
        offset_delete: [
            OffsetDeleteRequest in offset_delete_request { OffsetDeleteRequestTopic OffsetDeleteRequestPartition }
            OffsetDeleteResponse in offset_delete_response { OffsetDeleteResponseTopic OffsetDeleteResponsePartition }
        ]
        list_groups: [
            ListGroupsRequest in list_groups_request {}
            ListGroupsResponse in list_groups_response { ListedGroup }
        ]
        describe_groups: [
            DescribeGroupsRequest in describe_groups_request {}
            DescribeGroupsResponse in describe_groups_response { DescribedGroup DescribedGroupMember }
        ]
        delete_groups: [
            DeleteGroupsRequest in delete_groups_request {}
            DeleteGroupsResponse in delete_groups_response { DeletableGroupResult }
        ]
        consumer_group_heartbeat: [
            ConsumerGroupHeartbeatRequest in consumer_group_heartbeat_request { TopicPartitions }
            ConsumerGroupHeartbeatResponse in consumer_group_heartbeat_response { Assignment }
        ]
        describe_configs: [
            DescribeConfigsRequest in describe_configs_request { DescribeConfigsResource }
            DescribeConfigsResponse in describe_configs_response {
                DescribeConfigsResult DescribeConfigsResourceResult DescribeConfigsSynonym
            }
        ]
        alter_configs: [
            AlterConfigsRequest in alter_configs_request { AlterConfigsResource }
            AlterConfigsResponse in alter_configs_response { AlterConfigsResourceResponse }
        ]
        incremental_alter_configs: [
            IncrementalAlterConfigsRequest in incremental_alter_configs_request { AlterConfigsResource }
            IncrementalAlterConfigsResponse in incremental_alter_configs_response { AlterConfigsResourceResponse }
        ]
        get_telemetry_subscriptions: [
            GetTelemetrySubscriptionsRequest in get_telemetry_subscriptions_request {}
            GetTelemetrySubscriptionsResponse in get_telemetry_subscriptions_response {}
        ]
        push_telemetry: [
            PushTelemetryRequest in push_telemetry_request {}
            PushTelemetryResponse in push_telemetry_response {}
        ]
        list_config_resources: [
            ListConfigResourcesRequest in list_config_resources_request {}
            ListConfigResourcesResponse in list_config_resources_response { ConfigResource }
        ]
        consumer_group_describe: [
            ConsumerGroupDescribeRequest in consumer_group_describe_request {}
            ConsumerGroupDescribeResponse in consumer_group_describe_response { DescribedGroup Member Assignment TopicPartitions }
        ]
        describe_client_quotas: [
            DescribeClientQuotasRequest in describe_client_quotas_request { ComponentData }
            DescribeClientQuotasResponse in describe_client_quotas_response { EntryData EntityData ValueData }
        ]
        alter_client_quotas: [
            AlterClientQuotasRequest in alter_client_quotas_request { OpData }
            AlterClientQuotasResponse in alter_client_quotas_response {}
        ]
        describe_log_dirs: [
            DescribeLogDirsRequest in describe_log_dirs_request { DescribableLogDirTopic }
            DescribeLogDirsResponse in describe_log_dirs_response { DescribeLogDirsResult DescribeLogDirsTopic DescribeLogDirsPartition }
        ]
        alter_replica_log_dirs: [
            AlterReplicaLogDirsRequest in alter_replica_log_dirs_request { AlterReplicaLogDir AlterReplicaLogDirTopic }
            AlterReplicaLogDirsResponse in alter_replica_log_dirs_response { AlterReplicaLogDirTopicResult AlterReplicaLogDirPartitionResult }
        ]
        describe_quorum: [
            DescribeQuorumRequest in describe_quorum_request {}
            DescribeQuorumResponse in describe_quorum_response { TopicData PartitionData ReplicaState Node Listener }
        ]
        update_features: [
            UpdateFeaturesRequest in update_features_request { FeatureUpdateKey }
            UpdateFeaturesResponse in update_features_response { UpdatableFeatureResult }
        ]
        elect_leaders: [
            ElectLeadersRequest in elect_leaders_request { TopicPartitions }
            ElectLeadersResponse in elect_leaders_response { ReplicaElectionResult PartitionResult }
        ]
        alter_partition_reassignments: [
            AlterPartitionReassignmentsRequest in alter_partition_reassignments_request { ReassignableTopic ReassignablePartition }
            AlterPartitionReassignmentsResponse in alter_partition_reassignments_response { ReassignableTopicResponse ReassignablePartitionResponse }
        ]
        list_partition_reassignments: [
            ListPartitionReassignmentsRequest in list_partition_reassignments_request { ListPartitionReassignmentsTopics }
            ListPartitionReassignmentsResponse in list_partition_reassignments_response { OngoingTopicReassignment OngoingPartitionReassignment }
        ]
        unregister_broker: [
            UnregisterBrokerRequest in unregister_broker_request {}
            UnregisterBrokerResponse in unregister_broker_response {}
        ]
        describe_acls: [
            DescribeAclsRequest in describe_acls_request {}
            DescribeAclsResponse in describe_acls_response { DescribeAclsResource AclDescription }
        ]
        create_acls: [
            CreateAclsRequest in create_acls_request { AclCreation }
            CreateAclsResponse in create_acls_response { AclCreationResult }
        ]
        delete_acls: [
            DeleteAclsRequest in delete_acls_request { DeleteAclsFilter }
            DeleteAclsResponse in delete_acls_response { DeleteAclsFilterResult DeleteAclsMatchingAcl }
        ]
        create_delegation_token: [
            CreateDelegationTokenRequest in create_delegation_token_request { CreatableRenewers }
            CreateDelegationTokenResponse in create_delegation_token_response {}
        ]
        renew_delegation_token: [
            RenewDelegationTokenRequest in renew_delegation_token_request {}
            RenewDelegationTokenResponse in renew_delegation_token_response {}
        ]
        expire_delegation_token: [
            ExpireDelegationTokenRequest in expire_delegation_token_request {}
            ExpireDelegationTokenResponse in expire_delegation_token_response {}
        ]
        describe_delegation_token: [
            DescribeDelegationTokenRequest in describe_delegation_token_request { DescribeDelegationTokenOwner }
            DescribeDelegationTokenResponse in describe_delegation_token_response { DescribedDelegationToken DescribedDelegationTokenRenewer }
        ]
    }
}

#[test]
fn defaults_are_theirs_but_for_records() {
    // Kafka's default is null (its `FieldSpec.fieldDefault`), theirs is empty.
    check_default::<_, theirs::produce_request::PartitionProduceData>(
        &ours::produce::PartitionProduceData { records: Some(Payload::default()), ..Default::default() },
        "PartitionProduceData",
        ours::produce::ProduceRequest::VERSIONS,
        ours::produce::ProduceRequest::FLEXIBLE_FROM,
    );
    check_default::<_, theirs::fetch_response::PartitionData>(
        &ours::fetch::PartitionData { records: Some(Payload::default()), ..Default::default() },
        "PartitionData",
        ours::fetch::FetchResponse::VERSIONS,
        ours::fetch::FetchResponse::FLEXIBLE_FROM,
    );
}

macro_rules! compare {
    ($($test:ident: $module:ident $($message:ident $(- $missing:literal)?)*;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $test(seed in any::<u64>(), longest in 0..4u8) {
                    $(check::<ours::$module::$message, theirs::$message>(seed, longest, 0 $(+ $missing)?)?;)*
                }
            )*
        }
    };
}

compare! {
    api_versions: api_versions ApiVersionsRequest ApiVersionsResponse;
    create_partitions: create_partitions CreatePartitionsRequest CreatePartitionsResponse;
    create_topics: create_topics CreateTopicsRequest CreateTopicsResponse;
    delete_records: delete_records DeleteRecordsRequest DeleteRecordsResponse;
    delete_topics: delete_topics DeleteTopicsRequest DeleteTopicsResponse;
    describe_cluster: describe_cluster DescribeClusterRequest DescribeClusterResponse;
    describe_producers: describe_producers DescribeProducersRequest DescribeProducersResponse;
    describe_topic_partitions:
        describe_topic_partitions DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse;
    fetch: fetch FetchRequest FetchResponse;
    init_producer_id: init_producer_id InitProducerIdRequest InitProducerIdResponse;
    list_offsets: list_offsets ListOffsetsRequest ListOffsetsResponse;
    metadata: metadata MetadataRequest MetadataResponse;
    offset_for_leader_epoch:
        offset_for_leader_epoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse;
    produce: produce ProduceRequest ProduceResponse;
    find_coordinator: find_coordinator FindCoordinatorRequest FindCoordinatorResponse;
    join_group: join_group JoinGroupRequest JoinGroupResponse;
    sync_group: sync_group SyncGroupRequest SyncGroupResponse;
    heartbeat: heartbeat HeartbeatRequest HeartbeatResponse;
    leave_group: leave_group LeaveGroupRequest LeaveGroupResponse;
    offset_commit: offset_commit OffsetCommitRequest - 1 OffsetCommitResponse;
    offset_fetch: offset_fetch OffsetFetchRequest - 1 OffsetFetchResponse;
    offset_delete: offset_delete OffsetDeleteRequest OffsetDeleteResponse;
    list_groups: list_groups ListGroupsRequest ListGroupsResponse;
    describe_groups: describe_groups DescribeGroupsRequest DescribeGroupsResponse;
    describe_configs: describe_configs DescribeConfigsRequest DescribeConfigsResponse;
    alter_configs: alter_configs AlterConfigsRequest AlterConfigsResponse;
    incremental_alter_configs:
        incremental_alter_configs IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse;
    get_telemetry_subscriptions:
        get_telemetry_subscriptions GetTelemetrySubscriptionsRequest GetTelemetrySubscriptionsResponse;
    push_telemetry: push_telemetry PushTelemetryRequest PushTelemetryResponse;
    list_config_resources: list_config_resources ListConfigResourcesRequest ListConfigResourcesResponse;
    delete_groups: delete_groups DeleteGroupsRequest DeleteGroupsResponse;
    consumer_group_heartbeat: consumer_group_heartbeat ConsumerGroupHeartbeatRequest ConsumerGroupHeartbeatResponse;
    consumer_group_describe: consumer_group_describe ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse;
    describe_client_quotas: describe_client_quotas DescribeClientQuotasRequest DescribeClientQuotasResponse;
    alter_client_quotas: alter_client_quotas AlterClientQuotasRequest AlterClientQuotasResponse;
    describe_log_dirs: describe_log_dirs DescribeLogDirsRequest DescribeLogDirsResponse;
    alter_replica_log_dirs: alter_replica_log_dirs AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse;
    describe_quorum: describe_quorum DescribeQuorumRequest DescribeQuorumResponse;
    update_features: update_features UpdateFeaturesRequest UpdateFeaturesResponse;
    elect_leaders: elect_leaders ElectLeadersRequest ElectLeadersResponse;
    alter_partition_reassignments: alter_partition_reassignments AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse;
    list_partition_reassignments: list_partition_reassignments ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse;
    unregister_broker: unregister_broker UnregisterBrokerRequest UnregisterBrokerResponse;
    describe_acls: describe_acls DescribeAclsRequest DescribeAclsResponse;
    create_acls: create_acls CreateAclsRequest CreateAclsResponse;
    delete_acls: delete_acls DeleteAclsRequest DeleteAclsResponse;
    create_delegation_token: create_delegation_token CreateDelegationTokenRequest CreateDelegationTokenResponse;
    renew_delegation_token: renew_delegation_token RenewDelegationTokenRequest RenewDelegationTokenResponse;
    expire_delegation_token: expire_delegation_token ExpireDelegationTokenRequest ExpireDelegationTokenResponse;
    describe_delegation_token: describe_delegation_token DescribeDelegationTokenRequest DescribeDelegationTokenResponse;
}
