//! A frame from a client: header, then the body of any request at any version.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::header::RequestHeader;
use wire::messages::alter_client_quotas::AlterClientQuotasRequest;
use wire::messages::alter_partition_reassignments::AlterPartitionReassignmentsRequest;
use wire::messages::alter_replica_log_dirs::AlterReplicaLogDirsRequest;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::consumer_group_describe::ConsumerGroupDescribeRequest;
use wire::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatRequest;
use wire::messages::create_acls::CreateAclsRequest;
use wire::messages::create_delegation_token::CreateDelegationTokenRequest;
use wire::messages::create_partitions::CreatePartitionsRequest;
use wire::messages::create_topics::CreateTopicsRequest;
use wire::messages::delete_acls::DeleteAclsRequest;
use wire::messages::delete_groups::DeleteGroupsRequest;
use wire::messages::delete_records::DeleteRecordsRequest;
use wire::messages::delete_topics::DeleteTopicsRequest;
use wire::messages::describe_acls::DescribeAclsRequest;
use wire::messages::describe_client_quotas::DescribeClientQuotasRequest;
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_delegation_token::DescribeDelegationTokenRequest;
use wire::messages::describe_groups::DescribeGroupsRequest;
use wire::messages::describe_log_dirs::DescribeLogDirsRequest;
use wire::messages::describe_producers::DescribeProducersRequest;
use wire::messages::describe_quorum::DescribeQuorumRequest;
use wire::messages::describe_topic_partitions::DescribeTopicPartitionsRequest;
use wire::messages::elect_leaders::ElectLeadersRequest;
use wire::messages::expire_delegation_token::ExpireDelegationTokenRequest;
use wire::messages::fetch::FetchRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::heartbeat::HeartbeatRequest;
use wire::messages::init_producer_id::InitProducerIdRequest;
use wire::messages::join_group::JoinGroupRequest;
use wire::messages::leave_group::LeaveGroupRequest;
use wire::messages::list_groups::ListGroupsRequest;
use wire::messages::list_offsets::ListOffsetsRequest;
use wire::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use wire::messages::metadata::MetadataRequest;
use wire::messages::offset_commit::OffsetCommitRequest;
use wire::messages::offset_delete::OffsetDeleteRequest;
use wire::messages::offset_fetch::OffsetFetchRequest;
use wire::messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest;
use wire::messages::produce::ProduceRequest;
use wire::messages::renew_delegation_token::RenewDelegationTokenRequest;
use wire::messages::sync_group::SyncGroupRequest;
use wire::messages::unregister_broker::UnregisterBrokerRequest;
use wire::messages::update_features::UpdateFeaturesRequest;
use wire::{ApiKey, Decoder, Message, decode, decode_exact, to_bytes};

fuzz_target!(|frame: &[u8]| {
    let mut from = Decoder::new(Bytes::copy_from_slice(frame));
    let Ok(header) = RequestHeader::decode(&mut from) else { return };
    let (body, version) = (from.into_rest(), header.api_version);
    match ApiKey::try_from(header.api_key).expect("the header names an API") {
        ApiKey::AlterPartitionReassignments => settle::<AlterPartitionReassignmentsRequest>(body, version),
        ApiKey::AlterReplicaLogDirs => settle::<AlterReplicaLogDirsRequest>(body, version),
        ApiKey::ApiVersions => settle::<ApiVersionsRequest>(body, version),
        ApiKey::ConsumerGroupDescribe => settle::<ConsumerGroupDescribeRequest>(body, version),
        ApiKey::ConsumerGroupHeartbeat => settle::<ConsumerGroupHeartbeatRequest>(body, version),
        ApiKey::CreateAcls => settle::<CreateAclsRequest>(body, version),
        ApiKey::CreateDelegationToken => settle::<CreateDelegationTokenRequest>(body, version),
        ApiKey::CreatePartitions => settle::<CreatePartitionsRequest>(body, version),
        ApiKey::CreateTopics => settle::<CreateTopicsRequest>(body, version),
        ApiKey::DeleteAcls => settle::<DeleteAclsRequest>(body, version),
        ApiKey::DeleteGroups => settle::<DeleteGroupsRequest>(body, version),
        ApiKey::DeleteRecords => settle::<DeleteRecordsRequest>(body, version),
        ApiKey::DeleteTopics => settle::<DeleteTopicsRequest>(body, version),
        ApiKey::DescribeAcls => settle::<DescribeAclsRequest>(body, version),
        ApiKey::DescribeCluster => settle::<DescribeClusterRequest>(body, version),
        ApiKey::DescribeDelegationToken => settle::<DescribeDelegationTokenRequest>(body, version),
        ApiKey::DescribeGroups => settle::<DescribeGroupsRequest>(body, version),
        ApiKey::DescribeClientQuotas => settle::<DescribeClientQuotasRequest>(body, version),
        ApiKey::AlterClientQuotas => settle::<AlterClientQuotasRequest>(body, version),
        ApiKey::DescribeLogDirs => settle::<DescribeLogDirsRequest>(body, version),
        ApiKey::DescribeProducers => settle::<DescribeProducersRequest>(body, version),
        ApiKey::DescribeQuorum => settle::<DescribeQuorumRequest>(body, version),
        ApiKey::DescribeTopicPartitions => settle::<DescribeTopicPartitionsRequest>(body, version),
        ApiKey::ElectLeaders => settle::<ElectLeadersRequest>(body, version),
        ApiKey::ExpireDelegationToken => settle::<ExpireDelegationTokenRequest>(body, version),
        ApiKey::Fetch => settle::<FetchRequest>(body, version),
        ApiKey::FindCoordinator => settle::<FindCoordinatorRequest>(body, version),
        ApiKey::Heartbeat => settle::<HeartbeatRequest>(body, version),
        ApiKey::InitProducerId => settle::<InitProducerIdRequest>(body, version),
        ApiKey::JoinGroup => settle::<JoinGroupRequest>(body, version),
        ApiKey::LeaveGroup => settle::<LeaveGroupRequest>(body, version),
        ApiKey::ListGroups => settle::<ListGroupsRequest>(body, version),
        ApiKey::ListOffsets => settle::<ListOffsetsRequest>(body, version),
        ApiKey::ListPartitionReassignments => settle::<ListPartitionReassignmentsRequest>(body, version),
        ApiKey::Metadata => settle::<MetadataRequest>(body, version),
        ApiKey::OffsetCommit => settle::<OffsetCommitRequest>(body, version),
        ApiKey::OffsetDelete => settle::<OffsetDeleteRequest>(body, version),
        ApiKey::OffsetFetch => settle::<OffsetFetchRequest>(body, version),
        ApiKey::OffsetForLeaderEpoch => settle::<OffsetForLeaderEpochRequest>(body, version),
        ApiKey::Produce => settle::<ProduceRequest>(body, version),
        ApiKey::RenewDelegationToken => settle::<RenewDelegationTokenRequest>(body, version),
        ApiKey::SyncGroup => settle::<SyncGroupRequest>(body, version),
        ApiKey::UnregisterBroker => settle::<UnregisterBrokerRequest>(body, version),
        ApiKey::UpdateFeatures => settle::<UpdateFeaturesRequest>(body, version),
        _ => {}
    }
});

/// What can be read can be written, and reads as the same again.
fn settle<M: Message>(body: Bytes, version: i16) {
    let Ok(message) = decode::<M>(body, version) else { return };
    let written = to_bytes(&message, version).expect("what was read can be written");
    let again: M = decode_exact(written.clone(), version).expect("what was written can be read");
    // Compared as bytes, since a NaN equals nothing.
    assert_eq!(to_bytes(&again, version), Ok(written), "{message:?}");
}
