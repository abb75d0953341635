//! Messages that Kafka itself wrote (`tests/fixtures/kafka-4.1.1`): read, shown as Kafka shows them, written again.

use bytes::Bytes;
use wire::consumer_protocol::{ConsumerProtocolAssignment, ConsumerProtocolSubscription};
use wire::control_records::{
    KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord, VotersRecord,
};
use wire::group_records::{
    ConsumerGroupCurrentMemberAssignmentKey, ConsumerGroupCurrentMemberAssignmentValue,
    ConsumerGroupMemberMetadataKey, ConsumerGroupMemberMetadataValue, ConsumerGroupMetadataKey,
    ConsumerGroupMetadataValue, ConsumerGroupPartitionMetadataKey, ConsumerGroupPartitionMetadataValue,
    ConsumerGroupRegularExpressionKey, ConsumerGroupRegularExpressionValue,
    ConsumerGroupTargetAssignmentMemberKey, ConsumerGroupTargetAssignmentMemberValue,
    ConsumerGroupTargetAssignmentMetadataKey, ConsumerGroupTargetAssignmentMetadataValue, GroupMetadataKey,
    GroupMetadataValue, GroupRecord, LegacyOffsetCommitKey, LegacyOffsetCommitValue, OffsetCommitKey,
    OffsetCommitValue, ShareGroupCurrentMemberAssignmentKey, ShareGroupCurrentMemberAssignmentValue,
    ShareGroupMemberMetadataKey, ShareGroupMemberMetadataValue, ShareGroupMetadataKey,
    ShareGroupMetadataValue, ShareGroupStatePartitionMetadataKey, ShareGroupStatePartitionMetadataValue,
    ShareGroupTargetAssignmentMemberKey, ShareGroupTargetAssignmentMemberValue,
    ShareGroupTargetAssignmentMetadataKey, ShareGroupTargetAssignmentMetadataValue,
    StreamsGroupCurrentMemberAssignmentKey, StreamsGroupCurrentMemberAssignmentValue,
    StreamsGroupMemberMetadataKey, StreamsGroupMemberMetadataValue, StreamsGroupMetadataKey,
    StreamsGroupMetadataValue, StreamsGroupTargetAssignmentMemberKey,
    StreamsGroupTargetAssignmentMemberValue, StreamsGroupTargetAssignmentMetadataKey,
    StreamsGroupTargetAssignmentMetadataValue, StreamsGroupTopologyKey, StreamsGroupTopologyValue,
};
use wire::metadata_records::{
    AbortTransactionRecord, AccessControlEntryRecord, BeginTransactionRecord, BrokerRegistrationChangeRecord,
    ClearElrRecord, ClientQuotaRecord, ConfigRecord, DelegationTokenRecord, EndTransactionRecord,
    FeatureLevelRecord, FenceBrokerRecord, MetadataRecord, NoOpRecord, PartitionChangeRecord,
    PartitionRecord, ProducerIdsRecord, RegisterBrokerRecord, RegisterControllerRecord,
    RemoveAccessControlEntryRecord, RemoveDelegationTokenRecord, RemoveTopicRecord,
    RemoveUserScramCredentialRecord, TopicRecord, UnfenceBrokerRecord, UnregisterBrokerRecord,
    UserScramCredentialRecord, ZkMigrationStateRecord,
};
use wire::share_records::{
    ShareRecord, ShareSnapshotKey, ShareSnapshotValue, ShareUpdateKey, ShareUpdateValue,
};
use wire::transaction_records::{TransactionLogKey, TransactionLogValue, TransactionRecord};
use wire::{Message, decode_exact, to_bytes};

/// Every request and response.
pub(crate) mod all {
    pub(crate) use wire::messages::alter_client_quotas::{
        AlterClientQuotasRequest, AlterClientQuotasResponse,
    };
    pub(crate) use wire::messages::alter_partition_reassignments::{
        AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    };
    pub(crate) use wire::messages::alter_replica_log_dirs::{
        AlterReplicaLogDirsRequest, AlterReplicaLogDirsResponse,
    };
    pub(crate) use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
    pub(crate) use wire::messages::consumer_group_describe::{
        ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse,
    };
    pub(crate) use wire::messages::consumer_group_heartbeat::{
        ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse,
    };
    pub(crate) use wire::messages::create_acls::{CreateAclsRequest, CreateAclsResponse};
    pub(crate) use wire::messages::create_delegation_token::{
        CreateDelegationTokenRequest, CreateDelegationTokenResponse,
    };
    pub(crate) use wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
    pub(crate) use wire::messages::create_topics::{CreateTopicsRequest, CreateTopicsResponse};
    pub(crate) use wire::messages::delete_acls::{DeleteAclsRequest, DeleteAclsResponse};
    pub(crate) use wire::messages::delete_groups::{DeleteGroupsRequest, DeleteGroupsResponse};
    pub(crate) use wire::messages::delete_records::{DeleteRecordsRequest, DeleteRecordsResponse};
    pub(crate) use wire::messages::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
    pub(crate) use wire::messages::describe_acls::{DescribeAclsRequest, DescribeAclsResponse};
    pub(crate) use wire::messages::describe_client_quotas::{
        DescribeClientQuotasRequest, DescribeClientQuotasResponse,
    };
    pub(crate) use wire::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
    pub(crate) use wire::messages::describe_delegation_token::{
        DescribeDelegationTokenRequest, DescribeDelegationTokenResponse,
    };
    pub(crate) use wire::messages::describe_groups::{DescribeGroupsRequest, DescribeGroupsResponse};
    pub(crate) use wire::messages::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResponse};
    pub(crate) use wire::messages::describe_producers::{
        DescribeProducersRequest, DescribeProducersResponse,
    };
    pub(crate) use wire::messages::describe_quorum::{DescribeQuorumRequest, DescribeQuorumResponse};
    pub(crate) use wire::messages::describe_topic_partitions::{
        DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
    };
    pub(crate) use wire::messages::elect_leaders::{ElectLeadersRequest, ElectLeadersResponse};
    pub(crate) use wire::messages::expire_delegation_token::{
        ExpireDelegationTokenRequest, ExpireDelegationTokenResponse,
    };
    pub(crate) use wire::messages::fetch::{FetchRequest, FetchResponse};
    pub(crate) use wire::messages::find_coordinator::{FindCoordinatorRequest, FindCoordinatorResponse};
    pub(crate) use wire::messages::heartbeat::{HeartbeatRequest, HeartbeatResponse};
    pub(crate) use wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
    pub(crate) use wire::messages::join_group::{JoinGroupRequest, JoinGroupResponse};
    pub(crate) use wire::messages::leave_group::{LeaveGroupRequest, LeaveGroupResponse};
    pub(crate) use wire::messages::list_groups::{ListGroupsRequest, ListGroupsResponse};
    pub(crate) use wire::messages::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
    pub(crate) use wire::messages::list_partition_reassignments::{
        ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
    };
    pub(crate) use wire::messages::metadata::{MetadataRequest, MetadataResponse};
    pub(crate) use wire::messages::offset_commit::{OffsetCommitRequest, OffsetCommitResponse};
    pub(crate) use wire::messages::offset_delete::{OffsetDeleteRequest, OffsetDeleteResponse};
    pub(crate) use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchResponse};
    pub(crate) use wire::messages::offset_for_leader_epoch::{
        OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    };
    pub(crate) use wire::messages::produce::{ProduceRequest, ProduceResponse};
    pub(crate) use wire::messages::renew_delegation_token::{
        RenewDelegationTokenRequest, RenewDelegationTokenResponse,
    };
    pub(crate) use wire::messages::sync_group::{SyncGroupRequest, SyncGroupResponse};
    pub(crate) use wire::messages::unregister_broker::{UnregisterBrokerRequest, UnregisterBrokerResponse};
    pub(crate) use wire::messages::update_features::{UpdateFeaturesRequest, UpdateFeaturesResponse};
}
use all::*;

pub(crate) const APIS: &str = include_str!("../fixtures/kafka-4.1.1/apis.tsv");
const COORDINATORS: &str = include_str!("../fixtures/kafka-4.1.1/coordinators.tsv");
const DEFAULTS: &str = include_str!("../fixtures/kafka-4.1.1/defaults.tsv");
const RECORDS: &str = include_str!("../fixtures/kafka-4.1.1/records.tsv");

pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) version: i16,
    pub(crate) bytes: Bytes,
    json: &'a str,
}

pub(crate) fn lines(file: &str) -> impl Iterator<Item = Line<'_>> {
    file.lines().map(|line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().expect("four columns");
        let (name, version, hex, json) = (next(), next(), next(), next());
        let bytes =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
        Line { name, version: version.parse().expect("a version"), bytes: bytes.collect(), json }
    })
}

/// Runs a piece of code for each request and response of the fixture, with its type and its line.
macro_rules! each_message {
    (|$type:ident, $line:ident| $run:block) => {
        each_message!(@ $type $line $run;
            ApiVersionsRequest ApiVersionsResponse
            ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse
            ConsumerGroupHeartbeatRequest ConsumerGroupHeartbeatResponse
            DeleteGroupsRequest DeleteGroupsResponse
            DescribeGroupsRequest DescribeGroupsResponse
            FindCoordinatorRequest FindCoordinatorResponse
            HeartbeatRequest HeartbeatResponse
            JoinGroupRequest JoinGroupResponse
            LeaveGroupRequest LeaveGroupResponse
            ListGroupsRequest ListGroupsResponse
            OffsetCommitRequest OffsetCommitResponse
            OffsetDeleteRequest OffsetDeleteResponse
            OffsetFetchRequest OffsetFetchResponse
            SyncGroupRequest SyncGroupResponse
            CreatePartitionsRequest CreatePartitionsResponse
            CreateTopicsRequest CreateTopicsResponse
            DeleteRecordsRequest DeleteRecordsResponse
            DeleteTopicsRequest DeleteTopicsResponse
            DescribeClusterRequest DescribeClusterResponse
            DescribeProducersRequest DescribeProducersResponse
            DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse
            FetchRequest FetchResponse
            InitProducerIdRequest InitProducerIdResponse
            ListOffsetsRequest ListOffsetsResponse
            MetadataRequest MetadataResponse
            OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse
            ProduceRequest ProduceResponse
            DescribeLogDirsRequest DescribeLogDirsResponse
            AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse
            DescribeQuorumRequest DescribeQuorumResponse
            UpdateFeaturesRequest UpdateFeaturesResponse
            ElectLeadersRequest ElectLeadersResponse
            AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse
            ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse
            UnregisterBrokerRequest UnregisterBrokerResponse
            DescribeAclsRequest DescribeAclsResponse
            CreateAclsRequest CreateAclsResponse
            DeleteAclsRequest DeleteAclsResponse
            CreateDelegationTokenRequest CreateDelegationTokenResponse
            RenewDelegationTokenRequest RenewDelegationTokenResponse
            ExpireDelegationTokenRequest ExpireDelegationTokenResponse
            DescribeDelegationTokenRequest DescribeDelegationTokenResponse
            DescribeClientQuotasRequest DescribeClientQuotasResponse
            AlterClientQuotasRequest AlterClientQuotasResponse
        )
    };
    (@ $type:ident $line:ident $run:block; $($message:ident)*) => {
        for $line in crate::kafka::lines(crate::kafka::APIS) {
            match $line.name {
                $(stringify!($message) => {
                    type $type = crate::kafka::all::$message;
                    $run
                })*
                other => panic!("{other} is not declared"),
            }
        }
    };
}
pub(crate) use each_message;

/// Calls `run` with the bytes of each metadata record of the fixture.
pub(crate) fn each_metadata_record(run: impl Fn(Bytes)) {
    lines(RECORDS).skip_while(|line| line.name != "RegisterBrokerRecord").for_each(|line| run(line.bytes));
}

/// The records of the coordinators' topics in the fixture: the line of the key and the line of the value.
pub(crate) fn coordinators_records() -> Vec<[Line<'static>; 2]> {
    let mut lines = lines(COORDINATORS).skip_while(|line| line.name.starts_with("ConsumerProtocol"));
    let mut records = Vec::new();
    while let Some(key) = lines.next() {
        records.push([key, lines.next().expect("a value after each key")]);
    }
    records
}

fn check<M: Message>(line: &Line<'_>) {
    let Line { name, version, ref bytes, json } = *line;
    assert_eq!(M::NAME, name);
    let message: M =
        decode_exact(bytes.clone(), version).unwrap_or_else(|error| panic!("{name} {version}: {error}"));
    assert_eq!(message.value(version).to_json(), json, "{name} {version}");
    assert_eq!(to_bytes(&message, version).as_ref(), Ok(bytes), "{name} {version}");
}

macro_rules! check_by_name {
    ($line:expr; $($message:ident)*) => {
        match $line.name {
            $(stringify!($message) => {
                check::<$message>($line);
                ($line.version, *$message::VERSIONS.end())
            })*
            other => panic!("{other} is not declared"),
        }
    };
}

#[test]
fn requests_and_responses_are_kafkas() {
    let mut at_highest_version = 0;
    each_message!(|M, line| {
        check::<M>(&line);
        at_highest_version += usize::from(line.version == *M::VERSIONS.end());
    });
    assert_eq!(at_highest_version, 2 * 2 * 44, "two lines for each of the two messages of 44 APIs");
}

#[test]
fn control_records_are_kafkas() {
    for line in lines(RECORDS).take_while(|line| line.name != "RegisterBrokerRecord") {
        check_by_name!(&line;
            LeaderChangeMessage SnapshotHeaderRecord SnapshotFooterRecord KRaftVersionRecord VotersRecord
        );
    }
}

#[test]
fn metadata_records_are_kafkas() {
    let mut names = Vec::new();
    for Line { name, version, bytes, json } in
        lines(RECORDS).skip_while(|line| line.name != "RegisterBrokerRecord")
    {
        let (record, found) =
            MetadataRecord::decode(bytes.clone()).unwrap_or_else(|error| panic!("{name} {version}: {error}"));
        assert_eq!(found, version, "{name}");
        assert_eq!(record.name().replace('_', "").to_lowercase(), name.to_lowercase());
        assert_eq!(record.value(version).to_json(), json, "{name} {version}");
        assert_eq!(record.encode(version), Ok(bytes), "{name} {version}");
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    assert_eq!(names.len(), 26, "{names:?}");
}

/// Reads the lines of `$records`, a key and a value by turns, shows them and writes them again.
macro_rules! check_coordinators {
    ($records:ident, $types:expr) => {
        let mut types = Vec::new();
        for [key, value] in coordinators_records() {
            if !$types.contains(&key.name.trim_end_matches("Key")) {
                continue;
            }
            let read = |value| {
                $records::decode(key.bytes.clone(), value)
                    .unwrap_or_else(|error| panic!("{} {}: {error}", key.name, key.version))
            };
            let record = read(Some(value.bytes.clone()));
            assert_eq!(record.record_type(), i16::from_be_bytes([key.bytes[0], key.bytes[1]]));
            assert_eq!(record.key().unwrap().to_json(), key.json, "{}", key.name);
            let (version, shown) = record.value().unwrap();
            assert_eq!((version, shown.to_json().as_str()), (value.version, value.json), "{}", value.name);
            assert_eq!(record.encode(), Ok((key.bytes.clone(), Some(value.bytes.clone()))), "{}", key.name);
            let tombstone = read(None);
            assert_eq!((tombstone.key(), tombstone.value()), (record.key(), None));
            assert_eq!(tombstone.encode(), Ok((key.bytes.clone(), None)), "{}", key.name);
            if !types.contains(&key.name.trim_end_matches("Key")) {
                types.push(key.name.trim_end_matches("Key"));
            }
        }
        assert_eq!(types, $types);
    };
}

#[test]
fn records_of_coordinators_are_kafkas() {
    check_coordinators!(TransactionRecord, ["TransactionLog"]);
    check_coordinators!(ShareRecord, ["ShareSnapshot", "ShareUpdate"]);
    check_coordinators!(
        GroupRecord,
        [
            "LegacyOffsetCommit",
            "OffsetCommit",
            "GroupMetadata",
            "ConsumerGroupMetadata",
            "ConsumerGroupPartitionMetadata",
            "ConsumerGroupMemberMetadata",
            "ConsumerGroupTargetAssignmentMetadata",
            "ConsumerGroupTargetAssignmentMember",
            "ConsumerGroupCurrentMemberAssignment",
            "ShareGroupMemberMetadata",
            "ShareGroupMetadata",
            "ShareGroupTargetAssignmentMetadata",
            "ShareGroupTargetAssignmentMember",
            "ShareGroupCurrentMemberAssignment",
            "ShareGroupStatePartitionMetadata",
            "ConsumerGroupRegularExpression",
            "StreamsGroupMetadata",
            "StreamsGroupMemberMetadata",
            "StreamsGroupTargetAssignmentMetadata",
            "StreamsGroupTargetAssignmentMember",
            "StreamsGroupCurrentMemberAssignment",
            "StreamsGroupTopology"
        ]
    );
}

#[test]
fn messages_between_consumers_are_kafkas() {
    for line in lines(COORDINATORS).take_while(|line| line.name.starts_with("ConsumerProtocol")) {
        check_by_name!(&line; ConsumerProtocolSubscription ConsumerProtocolAssignment);
    }
}

/// How many lines were compared.
macro_rules! check_defaults {
    ($($message:ident)*) => {{
        $({
            let line = lines(DEFAULTS).find(|line| line.name == stringify!($message));
            let line = line.expect("every message has a line");
            let default = $message::default();
            assert_eq!(line.version, *$message::VERSIONS.end());
            assert_eq!(default.value(line.version).to_json(), line.json, "{}", line.name);
            assert_eq!(to_bytes(&default, line.version), Ok(line.bytes), "{}", line.name);
        })*
        [$(stringify!($message)),*].len()
    }};
}

#[test]
fn defaults_are_kafkas() {
    let compared = check_defaults! {
        ApiVersionsRequest ApiVersionsResponse CreatePartitionsRequest CreatePartitionsResponse
        CreateTopicsRequest CreateTopicsResponse DeleteRecordsRequest DeleteRecordsResponse DeleteTopicsRequest
        DeleteTopicsResponse DescribeClusterRequest DescribeClusterResponse DescribeProducersRequest DescribeProducersResponse
        DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse FetchRequest FetchResponse
        InitProducerIdRequest InitProducerIdResponse ListOffsetsRequest ListOffsetsResponse MetadataRequest
        MetadataResponse OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse ProduceRequest ProduceResponse
        ConsumerGroupDescribeRequest ConsumerGroupDescribeResponse ConsumerGroupHeartbeatRequest
        ConsumerGroupHeartbeatResponse DeleteGroupsRequest DeleteGroupsResponse DescribeGroupsRequest
        DescribeGroupsResponse FindCoordinatorRequest FindCoordinatorResponse HeartbeatRequest HeartbeatResponse
        JoinGroupRequest JoinGroupResponse LeaveGroupRequest LeaveGroupResponse ListGroupsRequest
        ListGroupsResponse OffsetCommitRequest OffsetCommitResponse OffsetDeleteRequest OffsetDeleteResponse
        OffsetFetchRequest OffsetFetchResponse SyncGroupRequest SyncGroupResponse DescribeLogDirsRequest DescribeLogDirsResponse
        AlterReplicaLogDirsRequest AlterReplicaLogDirsResponse
        DescribeQuorumRequest DescribeQuorumResponse
        UpdateFeaturesRequest UpdateFeaturesResponse
        ElectLeadersRequest ElectLeadersResponse
        AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse
        ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse
        UnregisterBrokerRequest UnregisterBrokerResponse
        DescribeAclsRequest DescribeAclsResponse
        CreateAclsRequest CreateAclsResponse
        DeleteAclsRequest DeleteAclsResponse
        CreateDelegationTokenRequest CreateDelegationTokenResponse
        RenewDelegationTokenRequest RenewDelegationTokenResponse
        ExpireDelegationTokenRequest ExpireDelegationTokenResponse
        DescribeDelegationTokenRequest DescribeDelegationTokenResponse
        DescribeClientQuotasRequest DescribeClientQuotasResponse
        AlterClientQuotasRequest AlterClientQuotasResponse
        LeaderChangeMessage
        SnapshotHeaderRecord SnapshotFooterRecord KRaftVersionRecord VotersRecord AbortTransactionRecord
        AccessControlEntryRecord BeginTransactionRecord BrokerRegistrationChangeRecord ClearElrRecord
        ClientQuotaRecord ConfigRecord DelegationTokenRecord EndTransactionRecord FeatureLevelRecord
        FenceBrokerRecord NoOpRecord PartitionChangeRecord PartitionRecord ProducerIdsRecord
        RegisterBrokerRecord RegisterControllerRecord RemoveAccessControlEntryRecord RemoveDelegationTokenRecord
        RemoveTopicRecord RemoveUserScramCredentialRecord TopicRecord UnfenceBrokerRecord UnregisterBrokerRecord
        UserScramCredentialRecord ZkMigrationStateRecord ConsumerProtocolSubscription ConsumerProtocolAssignment
        TransactionLogKey TransactionLogValue LegacyOffsetCommitKey LegacyOffsetCommitValue OffsetCommitKey
        OffsetCommitValue GroupMetadataKey GroupMetadataValue ConsumerGroupMetadataKey
        ConsumerGroupMetadataValue ConsumerGroupPartitionMetadataKey ConsumerGroupPartitionMetadataValue
        ConsumerGroupMemberMetadataKey ConsumerGroupMemberMetadataValue ConsumerGroupTargetAssignmentMetadataKey
        ConsumerGroupTargetAssignmentMetadataValue ConsumerGroupTargetAssignmentMemberKey
        ConsumerGroupTargetAssignmentMemberValue ConsumerGroupCurrentMemberAssignmentKey
        ConsumerGroupCurrentMemberAssignmentValue ShareGroupMemberMetadataKey ShareGroupMemberMetadataValue
        ShareGroupMetadataKey ShareGroupMetadataValue ShareGroupTargetAssignmentMetadataKey
        ShareGroupTargetAssignmentMetadataValue ShareGroupTargetAssignmentMemberKey
        ShareGroupTargetAssignmentMemberValue ShareGroupCurrentMemberAssignmentKey
        ShareGroupCurrentMemberAssignmentValue ShareGroupStatePartitionMetadataKey
        ShareGroupStatePartitionMetadataValue ConsumerGroupRegularExpressionKey
        ConsumerGroupRegularExpressionValue StreamsGroupMetadataKey StreamsGroupMetadataValue
        StreamsGroupMemberMetadataKey StreamsGroupMemberMetadataValue StreamsGroupTargetAssignmentMetadataKey
        StreamsGroupTargetAssignmentMetadataValue StreamsGroupTargetAssignmentMemberKey
        StreamsGroupTargetAssignmentMemberValue StreamsGroupCurrentMemberAssignmentKey
        StreamsGroupCurrentMemberAssignmentValue StreamsGroupTopologyKey StreamsGroupTopologyValue
        ShareSnapshotKey ShareSnapshotValue ShareUpdateKey ShareUpdateValue
    };
    assert_eq!(compared, lines(DEFAULTS).count());
}
