//! A bare receiver: it says what librdkafka must hear to produce idempotently to one partition, and for each batch only
//! checks the CRC and writes the bytes to a file. What a broker costs beyond this is the broker's own work.

use std::fs::File;
use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::thread;

use bytes::Bytes;
use wire::header::{RequestHeader, ResponseHeader};
use wire::messages::api_versions::{ApiVersion, ApiVersionsResponse};
use wire::messages::init_producer_id::InitProducerIdResponse;
use wire::messages::metadata::{
    MetadataResponse, MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use wire::messages::produce::{
    PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceResponse,
};
use wire::{ApiKey, Decoder, Encoder, Message, Payload};

/// What the connections share.
struct Receiver {
    address: SocketAddr,
    topic: String,
    file: File,
    next_offset: AtomicI64,
}

/// Starts a receiver for partition 0 of `topic` that writes to `file`; it lives as long as the process.
pub(crate) fn start(topic: &str, file: &Path) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    let receiver = Arc::new(Receiver {
        address,
        topic: topic.to_owned(),
        file: File::create(file)?,
        next_offset: AtomicI64::new(0),
    });
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let receiver = Arc::clone(&receiver);
            thread::spawn(move || receiver.serve(stream));
        }
    });
    Ok(address)
}

impl Receiver {
    fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        loop {
            let mut len = [0; 4];
            stream.read_exact(&mut len)?;
            let mut frame = vec![0; u32::from_be_bytes(len) as usize];
            stream.read_exact(&mut frame)?;
            let answer = self.answer(frame.into()).ok_or(io::ErrorKind::InvalidData)?;
            stream.write_all(&answer)?;
        }
    }

    fn answer(&self, frame: Bytes) -> Option<Bytes> {
        let mut from = Decoder::new(frame);
        let header = RequestHeader::decode(&mut from).ok()?;
        let key = ApiKey::try_from(header.api_key).ok()?;
        let version = header.api_version;
        let mut to = Encoder::new();
        to.i32(0);
        ResponseHeader { correlation_id: header.correlation_id }.encode(&mut to, key, version);
        match key {
            ApiKey::ApiVersions => api_versions().encode(&mut to, version),
            ApiKey::Metadata => self.metadata().encode(&mut to, version),
            ApiKey::InitProducerId => {
                InitProducerIdResponse { producer_id: 1, ..Default::default() }.encode(&mut to, version)
            }
            ApiKey::Produce => {
                let request = ProduceRequest::decode(&mut from, version).ok()?;
                self.produce(&request)?.encode(&mut to, version)
            }
            _ => return None,
        }
        .ok()?;
        let mut bytes = Vec::from(to.into_bytes().ok()?);
        let len = i32::try_from(bytes.len() - 4).ok()?;
        bytes[..4].copy_from_slice(&len.to_be_bytes());
        Some(bytes.into())
    }

    fn metadata(&self) -> MetadataResponse {
        let partition = MetadataResponsePartition {
            leader_id: 1,
            replica_nodes: vec![1],
            isr_nodes: vec![1],
            ..Default::default()
        };
        MetadataResponse {
            brokers: vec![MetadataResponseBroker {
                node_id: 1,
                host: self.address.ip().to_string().into(),
                port: i32::from(self.address.port()),
                ..Default::default()
            }],
            controller_id: 1,
            topics: vec![MetadataResponseTopic {
                name: Some(self.topic.clone().into()),
                partitions: vec![partition],
                ..Default::default()
            }],
            ..Default::default()
        }
    }

    fn produce(&self, request: &ProduceRequest) -> Option<ProduceResponse> {
        let mut responses = Vec::new();
        for topic in &request.topic_data {
            let mut partition_responses = Vec::new();
            for partition in &topic.partition_data {
                let Some(Payload::Bytes(batch)) = &partition.records else { return None };
                let header = records::BatchHeader::parse(batch).ok()?;
                if !records::crc_is_valid(batch) {
                    return None;
                }
                (&self.file).write_all(batch).ok()?;
                let count = i64::from(header.last_offset_delta) + 1;
                let base_offset = self.next_offset.fetch_add(count, Ordering::Relaxed);
                partition_responses.push(PartitionProduceResponse { base_offset, ..Default::default() });
            }
            responses.push(TopicProduceResponse {
                name: topic.name.clone(),
                partition_responses,
                ..Default::default()
            });
        }
        Some(ProduceResponse { responses, ..Default::default() })
    }
}

fn api_versions() -> ApiVersionsResponse {
    let apis = [
        (ApiKey::Produce, 0, 10),
        (ApiKey::Fetch, 4, 16),
        (ApiKey::Metadata, 0, 12),
        (ApiKey::ApiVersions, 0, 3),
        (ApiKey::InitProducerId, 0, 4),
    ];
    let api_keys = apis
        .map(|(key, min_version, max_version)| ApiVersion { api_key: key as i16, min_version, max_version })
        .to_vec();
    ApiVersionsResponse { api_keys, ..Default::default() }
}
