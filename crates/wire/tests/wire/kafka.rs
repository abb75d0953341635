//! Messages that Kafka itself wrote (`tests/fixtures/kafka-4.1.1`): read, shown as Kafka shows them, written again.

use bytes::Bytes;
use wire::control_records::{
    KRaftVersionRecord, LeaderChangeMessage, SnapshotFooterRecord, SnapshotHeaderRecord, VotersRecord,
};
use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};
use wire::messages::create_partitions::{CreatePartitionsRequest, CreatePartitionsResponse};
use wire::messages::create_topics::{CreateTopicsRequest, CreateTopicsResponse};
use wire::messages::delete_topics::{DeleteTopicsRequest, DeleteTopicsResponse};
use wire::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use wire::messages::describe_producers::{DescribeProducersRequest, DescribeProducersResponse};
use wire::messages::describe_topic_partitions::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
};
use wire::messages::fetch::{FetchRequest, FetchResponse};
use wire::messages::init_producer_id::{InitProducerIdRequest, InitProducerIdResponse};
use wire::messages::list_offsets::{ListOffsetsRequest, ListOffsetsResponse};
use wire::messages::metadata::{MetadataRequest, MetadataResponse};
use wire::messages::offset_for_leader_epoch::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use wire::messages::produce::{ProduceRequest, ProduceResponse};
use wire::metadata_records::MetadataRecord;
use wire::{Message, decode_exact, to_bytes};

const APIS: &str = include_str!("../fixtures/kafka-4.1.1/apis.tsv");
const RECORDS: &str = include_str!("../fixtures/kafka-4.1.1/records.tsv");

struct Line<'a> {
    name: &'a str,
    version: i16,
    bytes: Bytes,
    json: &'a str,
}

fn lines(file: &str) -> impl Iterator<Item = Line<'_>> {
    file.lines().map(|line| {
        let mut columns = line.split('\t');
        let mut next = || columns.next().expect("four columns");
        let (name, version, hex, json) = (next(), next(), next(), next());
        let bytes =
            (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).expect("hex"));
        Line { name, version: version.parse().expect("a version"), bytes: bytes.collect(), json }
    })
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
    for line in lines(APIS) {
        let (version, highest) = check_by_name!(&line;
            ApiVersionsRequest ApiVersionsResponse
            CreatePartitionsRequest CreatePartitionsResponse
            CreateTopicsRequest CreateTopicsResponse
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
        );
        at_highest_version += usize::from(version == highest);
    }
    assert_eq!(at_highest_version, 2 * 2 * 13, "two lines for each of the two messages of 13 APIs");
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
