//! A response as a client of ours reads it: the API and the version as a byte each, then header and body.
#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use wire::header::ResponseHeader;
use wire::messages::alter_client_quotas::AlterClientQuotasResponse;
use wire::messages::alter_partition_reassignments::AlterPartitionReassignmentsResponse;
use wire::messages::alter_replica_log_dirs::AlterReplicaLogDirsResponse;
use wire::messages::api_versions::ApiVersionsResponse;
use wire::messages::consumer_group_describe::ConsumerGroupDescribeResponse;
use wire::messages::consumer_group_heartbeat::ConsumerGroupHeartbeatResponse;
use wire::messages::create_acls::CreateAclsResponse;
use wire::messages::create_delegation_token::CreateDelegationTokenResponse;
use wire::messages::create_partitions::CreatePartitionsResponse;
use wire::messages::create_topics::CreateTopicsResponse;
use wire::messages::delete_acls::DeleteAclsResponse;
use wire::messages::delete_groups::DeleteGroupsResponse;
use wire::messages::delete_records::DeleteRecordsResponse;
use wire::messages::delete_topics::DeleteTopicsResponse;
use wire::messages::describe_acls::DescribeAclsResponse;
use wire::messages::describe_client_quotas::DescribeClientQuotasResponse;
use wire::messages::describe_cluster::DescribeClusterResponse;
use wire::messages::describe_delegation_token::DescribeDelegationTokenResponse;
use wire::messages::describe_groups::DescribeGroupsResponse;
use wire::messages::describe_log_dirs::DescribeLogDirsResponse;
use wire::messages::describe_producers::DescribeProducersResponse;
use wire::messages::describe_quorum::DescribeQuorumResponse;
use wire::messages::describe_topic_partitions::DescribeTopicPartitionsResponse;
use wire::messages::elect_leaders::ElectLeadersResponse;
use wire::messages::expire_delegation_token::ExpireDelegationTokenResponse;
use wire::messages::fetch::FetchResponse;
use wire::messages::find_coordinator::FindCoordinatorResponse;
use wire::messages::heartbeat::HeartbeatResponse;
use wire::messages::init_producer_id::InitProducerIdResponse;
use wire::messages::join_group::JoinGroupResponse;
use wire::messages::leave_group::LeaveGroupResponse;
use wire::messages::list_groups::ListGroupsResponse;
use wire::messages::list_offsets::ListOffsetsResponse;
use wire::messages::list_partition_reassignments::ListPartitionReassignmentsResponse;
use wire::messages::metadata::MetadataResponse;
use wire::messages::offset_commit::OffsetCommitResponse;
use wire::messages::offset_delete::OffsetDeleteResponse;
use wire::messages::offset_fetch::OffsetFetchResponse;
use wire::messages::offset_for_leader_epoch::OffsetForLeaderEpochResponse;
use wire::messages::produce::ProduceResponse;
use wire::messages::renew_delegation_token::RenewDelegationTokenResponse;
use wire::messages::sync_group::SyncGroupResponse;
use wire::messages::unregister_broker::UnregisterBrokerResponse;
use wire::messages::update_features::UpdateFeaturesResponse;
use wire::{ApiKey, Decoder, Message, decode, decode_exact, to_bytes};

fuzz_target!(|input: &[u8]| {
    let [key, version, frame @ ..] = input else { return };
    let (Ok(key), version) = (ApiKey::try_from(i16::from(*key)), i16::from(*version)) else { return };
    let mut from = Decoder::new(Bytes::copy_from_slice(frame));
    if ResponseHeader::decode(&mut from, key, version).is_err() {
        return;
    }
    let body = from.into_rest();
    match key {
        ApiKey::AlterPartitionReassignments => settle::<AlterPartitionReassignmentsResponse>(body, version),
        ApiKey::AlterReplicaLogDirs => settle::<AlterReplicaLogDirsResponse>(body, version),
        ApiKey::ApiVersions => settle::<ApiVersionsResponse>(body, version),
        ApiKey::ConsumerGroupDescribe => settle::<ConsumerGroupDescribeResponse>(body, version),
        ApiKey::ConsumerGroupHeartbeat => settle::<ConsumerGroupHeartbeatResponse>(body, version),
        ApiKey::CreateAcls => settle::<CreateAclsResponse>(body, version),
        ApiKey::CreateDelegationToken => settle::<CreateDelegationTokenResponse>(body, version),
        ApiKey::CreatePartitions => settle::<CreatePartitionsResponse>(body, version),
        ApiKey::CreateTopics => settle::<CreateTopicsResponse>(body, version),
        ApiKey::DeleteAcls => settle::<DeleteAclsResponse>(body, version),
        ApiKey::DeleteGroups => settle::<DeleteGroupsResponse>(body, version),
        ApiKey::DeleteRecords => settle::<DeleteRecordsResponse>(body, version),
        ApiKey::DeleteTopics => settle::<DeleteTopicsResponse>(body, version),
        ApiKey::DescribeAcls => settle::<DescribeAclsResponse>(body, version),
        ApiKey::DescribeCluster => settle::<DescribeClusterResponse>(body, version),
        ApiKey::DescribeDelegationToken => settle::<DescribeDelegationTokenResponse>(body, version),
        ApiKey::DescribeGroups => settle::<DescribeGroupsResponse>(body, version),
        ApiKey::DescribeClientQuotas => settle::<DescribeClientQuotasResponse>(body, version),
        ApiKey::AlterClientQuotas => settle::<AlterClientQuotasResponse>(body, version),
        ApiKey::DescribeLogDirs => settle::<DescribeLogDirsResponse>(body, version),
        ApiKey::DescribeProducers => settle::<DescribeProducersResponse>(body, version),
        ApiKey::DescribeQuorum => settle::<DescribeQuorumResponse>(body, version),
        ApiKey::DescribeTopicPartitions => settle::<DescribeTopicPartitionsResponse>(body, version),
        ApiKey::ElectLeaders => settle::<ElectLeadersResponse>(body, version),
        ApiKey::ExpireDelegationToken => settle::<ExpireDelegationTokenResponse>(body, version),
        ApiKey::Fetch => settle::<FetchResponse>(body, version),
        ApiKey::FindCoordinator => settle::<FindCoordinatorResponse>(body, version),
        ApiKey::Heartbeat => settle::<HeartbeatResponse>(body, version),
        ApiKey::InitProducerId => settle::<InitProducerIdResponse>(body, version),
        ApiKey::JoinGroup => settle::<JoinGroupResponse>(body, version),
        ApiKey::LeaveGroup => settle::<LeaveGroupResponse>(body, version),
        ApiKey::ListGroups => settle::<ListGroupsResponse>(body, version),
        ApiKey::ListOffsets => settle::<ListOffsetsResponse>(body, version),
        ApiKey::ListPartitionReassignments => settle::<ListPartitionReassignmentsResponse>(body, version),
        ApiKey::Metadata => settle::<MetadataResponse>(body, version),
        ApiKey::OffsetCommit => settle::<OffsetCommitResponse>(body, version),
        ApiKey::OffsetDelete => settle::<OffsetDeleteResponse>(body, version),
        ApiKey::OffsetFetch => settle::<OffsetFetchResponse>(body, version),
        ApiKey::OffsetForLeaderEpoch => settle::<OffsetForLeaderEpochResponse>(body, version),
        ApiKey::Produce => settle::<ProduceResponse>(body, version),
        ApiKey::RenewDelegationToken => settle::<RenewDelegationTokenResponse>(body, version),
        ApiKey::SyncGroup => settle::<SyncGroupResponse>(body, version),
        ApiKey::UnregisterBroker => settle::<UnregisterBrokerResponse>(body, version),
        ApiKey::UpdateFeatures => settle::<UpdateFeaturesResponse>(body, version),
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
