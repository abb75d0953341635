use std::sync::Arc;

use api::CloseReason;
use disk::{Operation, RealDisk};
use testkit::{FailingDisk, Fault, Injected};
use wire::messages::alter_partition_reassignments::{
    AlterPartitionReassignmentsRequest, ReassignablePartition, ReassignableTopic,
};
use wire::messages::alter_replica_log_dirs::{
    AlterReplicaLogDir, AlterReplicaLogDirTopic, AlterReplicaLogDirsRequest,
};
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::create_acls::{AclCreation, CreateAclsRequest};
use wire::messages::create_delegation_token::CreateDelegationTokenRequest;
use wire::messages::describe_acls::DescribeAclsRequest;
use wire::messages::describe_log_dirs::{
    DescribableLogDirTopic, DescribeLogDirsRequest, DescribeLogDirsResponse,
};
use wire::messages::describe_quorum::{DescribeQuorumRequest, PartitionRequest, TopicRequest};
use wire::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};
use wire::messages::list_partition_reassignments::ListPartitionReassignmentsRequest;
use wire::messages::unregister_broker::UnregisterBrokerRequest;
use wire::messages::update_features::{FeatureUpdateKey, UpdateFeaturesRequest};

use crate::house::{House, NOW, batch, text};

/// Topic, partition, bytes.
fn sizes(answer: &DescribeLogDirsResponse) -> Vec<(String, i32, i64)> {
    assert_eq!(answer.results.len(), 1, "{answer:?}");
    let topics = answer.results[0].topics.iter();
    topics
        .flat_map(|topic| {
            let size = |p: &wire::messages::describe_log_dirs::DescribeLogDirsPartition| {
                assert_eq!((p.offset_lag, p.is_future_key), (0, false));
                (topic.name.to_string(), p.partition_index, p.partition_size)
            };
            topic.partitions.iter().map(size).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn log_directories_are_told_with_what_lies_in_them() {
    let house = House::new();
    house.create("a", 2, &[]);
    house.create("b", 1, &[]);
    let sent = batch(&["one", "two"]);
    house.send("b", sent.clone());
    let size = i64::try_from(sent.len()).unwrap();
    for version in 1..=4 {
        let all = house.ask(version, &DescribeLogDirsRequest { topics: None });
        let expected = [("a".to_owned(), 0, 0), ("a".to_owned(), 1, 0), ("b".to_owned(), 0, size)];
        assert_eq!(sizes(&all), expected);
        let result = &all.results[0];
        assert_eq!((all.error_code, result.error_code), (0, 0));
        assert_eq!(*result.log_dir, house.catalog.log_dir().to_string_lossy());
        if version >= 4 {
            assert!(result.total_bytes > 0 && result.usable_bytes <= result.total_bytes);
        } else {
            assert_eq!((result.total_bytes, result.usable_bytes), (-1, -1));
        }
        let asked = |topic: &str, partitions: &[i32]| DescribableLogDirTopic {
            topic: text(topic),
            partitions: partitions.to_vec(),
        };
        let topics = Some(vec![asked("a", &[1, 1, 2, -1]), asked("nowhere", &[0]), asked("a", &[1])]);
        assert_eq!(sizes(&house.ask(version, &DescribeLogDirsRequest { topics })), [("a".to_owned(), 1, 0)]);
        let none = house.ask(version, &DescribeLogDirsRequest { topics: Some(Vec::new()) });
        assert!(sizes(&none).is_empty());
    }
}

#[test]
fn a_log_directory_that_cannot_be_looked_at_is_an_error_of_its_own() {
    let disk = FailingDisk::new(Arc::new(RealDisk::new()));
    let house = House::over(disk.shared(), tempfile::tempdir().unwrap(), &[]);
    house.create("a", 1, &[]);
    disk.fail(Fault::on(Operation::Look, "*/data", Injected::Io));
    let answer = house.ask(4, &DescribeLogDirsRequest { topics: None });
    assert_eq!((answer.error_code, answer.results[0].error_code), (0, 56));
    assert!(sizes(&answer).is_empty());
}

#[test]
fn the_only_way_into_a_log_directory_is_to_stay_there() {
    let house = House::new();
    house.create("t", 1, &[]);
    let here = house.catalog.log_dir().to_string_lossy().into_owned();
    let long = "x".repeat(214);
    for version in [1, 2] {
        let ask = |path: &str, topic: &str, partition: i32| {
            let topics = vec![AlterReplicaLogDirTopic { name: text(topic), partitions: vec![partition] }];
            let dirs = vec![AlterReplicaLogDir { path: text(path), topics }];
            let answer = house.ask(version, &AlterReplicaLogDirsRequest { dirs });
            let result = &answer.results[0];
            assert_eq!((&*result.topic_name, result.partitions[0].partition_index), (topic, partition));
            result.partitions[0].error_code
        };
        assert_eq!(ask(&here, "t", 0), 0);
        assert_eq!(ask("/elsewhere", "t", 0), 57);
        assert_eq!(ask(&here, "t", 1), 3);
        assert_eq!(ask(&here, "nowhere", 0), 3);
        assert_eq!(ask(&here, &long, 0), 17, "its directory would have too long a name");
    }
}

#[test]
fn the_metadata_log_has_one_voter() {
    let house = House::new();
    let asked = |name: &str, partitions: &[i32]| DescribeQuorumRequest {
        topics: vec![TopicRequest {
            topic_name: text(name),
            partitions: partitions.iter().map(|index| PartitionRequest { partition_index: *index }).collect(),
        }],
    };
    for version in 0..=2 {
        let before = house.ask(version, &asked("__cluster_metadata", &[0]));
        house.create(&format!("t{version}"), 1, &[]);
        let answer = house.ask(version, &asked("__cluster_metadata", &[0]));
        let partition = &answer.topics[0].partitions[0];
        assert_eq!((answer.error_code, partition.error_code, partition.leader_id), (0, 0, 1));
        assert!(partition.leader_epoch > 0);
        assert!(partition.high_watermark > before.topics[0].partitions[0].high_watermark);
        let [voter] = &partition.current_voters[..] else { panic!("{partition:?}") };
        assert_eq!((voter.replica_id, voter.log_end_offset), (1, partition.high_watermark));
        let time = if version >= 1 { NOW.0 } else { -1 };
        assert_eq!((voter.last_fetch_timestamp, voter.last_caught_up_timestamp), (time, time));
        assert!(partition.observers.is_empty());
        assert_eq!(answer.nodes.len(), usize::from(version >= 2));

        for wrong in [asked("__cluster_metadata", &[0, 1]), asked("t0", &[0])] {
            let refused = house.ask(version, &wrong);
            assert!(refused.topics[0].partitions.iter().all(|partition| partition.error_code == 3));
        }
    }
}

#[test]
fn there_is_nobody_else_to_elect() {
    let house = House::new();
    house.create("t", 1, &[]);
    let ask = |version, election_type, partitions: Option<&[i32]>, timeout_ms| {
        let topics =
            |partitions: &[i32]| vec![TopicPartitions { topic: text("t"), partitions: partitions.to_vec() }];
        let topic_partitions = partitions.map(topics);
        let request = ElectLeadersRequest { election_type, topic_partitions, timeout_ms };
        let answer = house.ask(version, &request);
        let results = answer.replica_election_results.iter().flat_map(|topic| &topic.partition_result);
        (answer.error_code, results.map(|result| result.error_code).collect::<Vec<_>>())
    };
    assert_eq!(ask(0, 0, Some(&[0, 1]), 1000), (0, vec![84, 3]));
    for election_type in [0, 1] {
        assert_eq!(ask(2, election_type, Some(&[0]), 1000), (0, vec![84]));
        assert_eq!(ask(2, election_type, None, 1000), (0, Vec::new()));
    }
    assert_eq!(ask(2, 2, Some(&[0, 1]), 1000), (42, vec![42, 42]));
    assert_eq!(ask(2, 0, Some(&[0]), 0), (7, vec![7]));
}

#[test]
fn partitions_stay_where_they_are() {
    let house = House::new();
    house.create("t", 1, &[]);
    let ask = |name: &str, partition_index, replicas: Option<&[i32]>| {
        let partitions =
            vec![ReassignablePartition { partition_index, replicas: replicas.map(<[i32]>::to_vec) }];
        let topics = vec![ReassignableTopic { name: text(name), partitions }];
        let request =
            AlterPartitionReassignmentsRequest { topics, ..AlterPartitionReassignmentsRequest::default() };
        let answer = house.ask(1, &request);
        assert_eq!(answer.error_code, 0);
        answer.responses[0].partitions[0].error_code
    };
    assert_eq!(ask("t", 0, Some(&[1])), 0);
    assert_eq!(ask("t", 0, None), 85);
    for replicas in [&[][..], &[2], &[1, 1], &[1, 2]] {
        assert_eq!(ask("t", 0, Some(replicas)), 39, "{replicas:?}");
    }
    assert_eq!((ask("t", 1, Some(&[1])), ask("u", 0, None)), (3, 3));
    let listed = house.ask(0, &ListPartitionReassignmentsRequest::default());
    assert_eq!((listed.error_code, listed.topics.len()), (0, 0));
}

fn update(house: &House, version: i16, updates: &[(&str, i16, i8)], validate_only: bool) -> i16 {
    let update = |&(feature, max_version_level, upgrade_type): &(&str, i16, i8)| FeatureUpdateKey {
        feature: text(feature),
        max_version_level,
        upgrade_type,
        ..FeatureUpdateKey::default()
    };
    let feature_updates = updates.iter().map(update).collect();
    let request =
        UpdateFeaturesRequest { feature_updates, validate_only, ..UpdateFeaturesRequest::default() };
    let answer = house.ask(version, &request);
    assert_eq!(answer.error_message.is_some(), answer.error_code != 0);
    let told = if version <= 1 && answer.error_code == 0 { updates.len() } else { 0 };
    assert_eq!(answer.results.len(), told);
    answer.error_code
}

fn finalized(house: &House, feature: &str) -> Option<i16> {
    let request =
        ApiVersionsRequest { client_software_name: text("tester"), client_software_version: text("1") };
    let answer = house.ask(4, &request);
    let found = answer.finalized_features.iter().find(|known| *known.name == *feature)?;
    Some(found.max_version_level)
}

#[test]
fn feature_levels_change_and_clients_see_it() {
    let house = House::new();
    for version in 1..=2 {
        assert_eq!(update(&house, version, &[("group.version", 0, 2)], true), 0);
        assert_eq!(finalized(&house, "group.version"), Some(1), "it was only looked at");
        assert_eq!(update(&house, version, &[("group.version", 0, 2)], false), 0);
        assert_eq!(finalized(&house, "group.version"), None);
        assert_eq!(update(&house, version, &[("group.version", 1, 1), ("share.version", 9, 1)], false), 95);
        assert_eq!(finalized(&house, "group.version"), None, "all of them or none");
        assert_eq!(update(&house, version, &[("group.version", 1, 1)], false), 0);
        assert_eq!(finalized(&house, "group.version"), Some(1));
    }
    assert_eq!(update(&house, 2, &[("metadata.version", 22, 3)], false), 95);
    assert_eq!(finalized(&house, "metadata.version"), Some(27));
}

#[test]
fn no_broker_can_be_taken_off() {
    let house = House::new();
    let ask = |broker_id| house.ask(0, &UnregisterBrokerRequest { broker_id }).error_code;
    assert_eq!((ask(2), ask(-1), ask(1)), (102, 102, 42));
}

#[test]
fn without_an_authorizer_there_are_no_rules() {
    let house = House::new();
    let rule = |operation| AclCreation {
        resource_type: 2,
        resource_name: text("t"),
        operation,
        permission_type: 3,
        ..AclCreation::default()
    };
    let answer = house.ask(3, &CreateAclsRequest { creations: vec![rule(3), rule(4)] });
    assert_eq!(answer.results.iter().map(|result| result.error_code).collect::<Vec<_>>(), [54, 54]);
    let unknown = CreateAclsRequest { creations: vec![rule(3), rule(0)] };
    let closed = house.end(house.begin(3, &unknown)).unwrap_err();
    assert!(matches!(closed, CloseReason::Senseless { key: 30, version: 3 }), "{closed}");
    let filter = DescribeAclsRequest {
        resource_type_filter: 1,
        operation: 1,
        permission_type: 1,
        ..DescribeAclsRequest::default()
    };
    assert_eq!(house.ask(3, &filter).error_code, 54);
}

#[test]
fn nobody_gets_a_token_without_saying_who_he_is() {
    let house = House::new();
    let answer =
        house.ask(3, &CreateDelegationTokenRequest { owner_principal_name: None, ..Default::default() });
    assert_eq!(
        (answer.error_code, &*answer.principal_name, answer.issue_timestamp_ms),
        (64, "ANONYMOUS", -1)
    );
}
