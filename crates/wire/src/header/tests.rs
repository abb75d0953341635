use bytes::Bytes;

use super::*;
use crate::messages::{self, api_versions::ApiVersionsRequest};

fn encoded(header: &RequestHeader) -> Bytes {
    let mut to = Encoder::new();
    header.encode(&mut to).expect("a header that can be written");
    to.into_bytes().expect("a header is in memory")
}

fn decode(bytes: &'static [u8]) -> Result<(RequestHeader, Bytes), DecodeError> {
    let mut from = Decoder::new(Bytes::from_static(bytes));
    RequestHeader::decode(&mut from).map(|header| (header, from.into_rest()))
}

#[test]
fn a_header_is_flexible_when_its_body_is() {
    let plain = RequestHeader {
        api_key: ApiKey::Produce.key(),
        api_version: 8,
        correlation_id: 7,
        client_id: Some("me".into()),
    };
    assert_eq!(encoded(&plain)[..], *b"\0\0\0\x08\0\0\0\x07\0\x02me");
    let flexible = RequestHeader { api_version: 9, ..plain.clone() };
    assert_eq!(encoded(&flexible)[..], *b"\0\0\0\x09\0\0\0\x07\0\x02me\0");

    assert_eq!(decode(b"\0\0\0\x08\0\0\0\x07\0\x02me\0"), Ok((plain, Bytes::from_static(b"\0"))));
    assert_eq!(
        decode(b"\0\0\0\x09\0\0\0\x07\0\x02me\0body"),
        Ok((flexible.clone(), Bytes::from_static(b"body")))
    );
    // A tagged field that nobody knows.
    assert_eq!(
        decode(b"\0\0\0\x09\0\0\0\x07\0\x02me\x01\x63\x02xxbody"),
        Ok((flexible, Bytes::from_static(b"body")))
    );
}

#[test]
fn a_client_id_may_be_null() {
    let (header, _) = decode(b"\0\0\0\x08\0\0\0\x07\xff\xff").expect("a header");
    assert_eq!(header.client_id, None);
    assert_eq!(encoded(&header)[..], *b"\0\0\0\x08\0\0\0\x07\xff\xff");
}

#[test]
fn what_cannot_be_a_header_is_refused() {
    assert_eq!(decode(b"\0\x04\0\0\0\0\0\x07\xff\xff"), Err(DecodeFault::UnknownApiKey(4).into()));
    assert_eq!(decode(b"\xff\xff\0\0\0\0\0\x07\xff\xff"), Err(DecodeFault::UnknownApiKey(-1).into()));
    let error = decode(b"\0\0\0\x08\0\0\0\x07\0\x05me").unwrap_err();
    assert_eq!(error.to_string(), "5 bytes are claimed and 2 are left (in clientId)");
    let error = decode(b"\0\0\0\x08\0\0").unwrap_err();
    assert_eq!(error.field, "correlationId");
    // A million tagged fields in no bytes at all.
    let error = decode(b"\0\0\0\x09\0\0\0\x07\xff\xff\xff\xff\xff\xff\x07").unwrap_err();
    assert_eq!(error.fault, DecodeFault::TooShort { needed: 1, left: 0 });
}

#[test]
fn a_request_of_an_unknown_version_still_has_a_header() {
    // A client newer than us asks which versions there are.
    let (header, body) = decode(b"\0\x12\0\x63\0\0\0\x07\0\x02me\0???").expect("a header");
    assert_eq!((header.api_key, header.api_version), (18, 99));
    assert_eq!(body[..], *b"???");
}

#[test]
fn the_response_to_api_versions_has_the_oldest_header_at_every_version() {
    for version in 0..10 {
        assert_eq!(response_header_version(ApiKey::ApiVersions, version), 0);
    }
    assert_eq!(response_header_version(ApiKey::Fetch, 11), 0);
    assert_eq!(response_header_version(ApiKey::Fetch, 12), 1);
    assert_eq!(request_header_version(ApiKey::SaslHandshake, i16::MAX - 1), 1);
}

#[test]
fn response_headers_go_there_and_back() {
    for (key, version, expected) in [
        (ApiKey::ApiVersions, 3, &b"\0\0\0\x07"[..]),
        (ApiKey::Produce, 8, b"\0\0\0\x07"),
        (ApiKey::Produce, 9, b"\0\0\0\x07\0"),
    ] {
        let header = ResponseHeader { correlation_id: 7 };
        let mut to = Encoder::new();
        header.encode(&mut to, key, version);
        let bytes = to.into_bytes().expect("a header is in memory");
        assert_eq!(bytes[..], *expected);
        let mut from = Decoder::new(bytes);
        assert_eq!(ResponseHeader::decode(&mut from, key, version), Ok(header));
        assert_eq!(from.remaining(), 0);
    }
}

#[test]
fn a_request_is_written_with_its_header() {
    let mut to = Encoder::new();
    let request =
        ApiVersionsRequest { client_software_name: "a".into(), client_software_version: "1".into() };
    encode_request(&request, 3, 7, None, &mut to).expect("a request that can be written");
    let bytes = to.into_bytes().expect("a request is in memory");
    assert_eq!(bytes[..], *b"\0\x12\0\x03\0\0\0\x07\xff\xff\0\x02a\x021\0");
}

#[test]
fn the_flexible_versions_are_those_of_the_messages() {
    fn check<R: Request>() {
        assert_eq!(R::API_KEY, R::API.key());
        assert_eq!(R::Response::API_KEY, R::API.key());
        assert_eq!(R::VERSIONS, R::Response::VERSIONS, "{}", R::API);
        assert_eq!(R::FLEXIBLE_FROM, R::API.flexible_from(), "{}", R::API);
        assert_eq!(R::Response::FLEXIBLE_FROM, R::API.flexible_from(), "{}", R::API);
        assert_eq!(R::NAME, format!("{}Request", R::API));
        assert_eq!(R::Response::NAME, format!("{}Response", R::API));
    }
    check::<messages::api_versions::ApiVersionsRequest>();
    check::<messages::create_partitions::CreatePartitionsRequest>();
    check::<messages::create_topics::CreateTopicsRequest>();
    check::<messages::delete_records::DeleteRecordsRequest>();
    check::<messages::delete_topics::DeleteTopicsRequest>();
    check::<messages::describe_cluster::DescribeClusterRequest>();
    check::<messages::describe_producers::DescribeProducersRequest>();
    check::<messages::describe_topic_partitions::DescribeTopicPartitionsRequest>();
    check::<messages::fetch::FetchRequest>();
    check::<messages::init_producer_id::InitProducerIdRequest>();
    check::<messages::list_offsets::ListOffsetsRequest>();
    check::<messages::metadata::MetadataRequest>();
    check::<messages::offset_for_leader_epoch::OffsetForLeaderEpochRequest>();
    check::<messages::produce::ProduceRequest>();
}
