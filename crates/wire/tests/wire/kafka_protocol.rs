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
fn check<Ours: Message + Sample, Theirs: TheirMessage + Decodable + Encodable + Debug>(
    seed: u64,
    longest: u8,
) -> Result<(), TestCaseError> {
    let common =
        Theirs::VERSIONS.min.max(*Ours::VERSIONS.start())..=Theirs::VERSIONS.max.min(*Ours::VERSIONS.end());
    prop_assert_eq!(&common, &Ours::VERSIONS, "{} of theirs has fewer versions", Ours::NAME);
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
    ($($module:ident: [$($message:ident in $their_module:ident { $($part:ident $($since:literal)?)* })*])*) => {$($({
        type Whole = ours::$module::$message;
        check_default::<Whole, theirs::$message>(
            &Default::default(),
            stringify!($message),
            Whole::VERSIONS,
            Whole::FLEXIBLE_FROM,
        );
        $(
            let versions = Whole::VERSIONS;
            $(let versions = $since..=*versions.end();)?
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
    ($($test:ident: $module:ident $($message:ident)*;)*) => {
        proptest! {
            #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]
            $(
                #[test]
                fn $test(seed in any::<u64>(), longest in 0..4u8) {
                    $(check::<ours::$module::$message, theirs::$message>(seed, longest)?;)*
                }
            )*
        }
    };
}

compare! {
    api_versions: api_versions ApiVersionsRequest ApiVersionsResponse;
    create_partitions: create_partitions CreatePartitionsRequest CreatePartitionsResponse;
    create_topics: create_topics CreateTopicsRequest CreateTopicsResponse;
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
}
