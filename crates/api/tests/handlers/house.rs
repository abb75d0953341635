//! A broker without sockets, and the few requests that most stories need.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::{Broker, CloseReason, Listener, Outcome, Pending, Piece, Reply, Request};
use base::{Millis, NodeId, Offset, ProducerEpoch, ProducerId, Sequence, Uuid};
use bytes::{Bytes, BytesMut};
use catalog::{Catalog, CatalogConfig};
use coordinator::Coordinator;
use disk::{Disk, RealDisk};
use records::{BatchBuilder, NewRecord};
use settings::{Endpoint, Settings};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use wire::header::RequestHeader;
use wire::messages::create_topics::{CreatableTopic, CreatableTopicConfig, CreateTopicsRequest};
use wire::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, FetchTopic, PartitionData};
use wire::messages::produce::{
    PartitionProduceData, PartitionProduceResponse, ProduceRequest, ProduceResponse, TopicProduceData,
};
use wire::{Payload, StrBytes};

/// The clock of all requests.
pub(crate) const NOW: Millis = Millis(1_700_000_000_000);

/// A broker over a fresh data directory.
pub(crate) struct House {
    pub(crate) broker: Arc<Broker>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) runtime: Runtime,
    listener: Arc<Listener>,
    /// Removed with the house.
    dir: TempDir,
}

impl House {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    /// With these settings.
    pub(crate) fn with(given: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        Self::over(RealDisk::new().into_shared(), dir, given)
    }

    pub(crate) fn over(disk: Arc<dyn Disk>, dir: TempDir, given: &[(&str, &str)]) -> Self {
        let mut settings = Settings::default();
        for (key, value) in given {
            settings.set(key, value).unwrap();
        }
        let settings = Arc::new(settings);
        let catalog = open(disk, dir.path(), &settings);
        let listener = Arc::new(Listener {
            name: "PLAINTEXT".to_owned(),
            advertised: Some(("broker.example".to_owned(), 9092)),
            rack: Some("r1".to_owned()),
        });
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let coordinator =
            Coordinator::start(catalog.clone(), settings.clone(), runtime.handle().clone(), || NOW).unwrap();
        let broker = Broker::new(catalog.clone(), coordinator, settings);
        Self { broker, catalog, runtime, listener, dir }
    }

    /// The end of the house, without a clean stop; its directory stays.
    pub(crate) fn abandon(self) -> TempDir {
        self.dir
    }

    /// A request as it comes off the wire.
    pub(crate) fn request(&self, key: i16, version: i16, body: Bytes) -> Request {
        Request {
            header: RequestHeader {
                api_key: key,
                api_version: version,
                correlation_id: 7,
                client_id: Some(StrBytes::from_static("tester")),
            },
            body,
            received_at: NOW,
            peer: SocketAddr::from(([127, 0, 0, 1], 50_000)),
            listener: self.listener.clone(),
        }
    }

    pub(crate) fn begin_bytes(&self, key: i16, version: i16, body: Bytes) -> Pending {
        let _inside = self.runtime.enter();
        self.broker.begin(self.request(key, version, body))
    }

    pub(crate) fn begin<R: wire::Request>(&self, version: i16, request: &R) -> Pending {
        self.begin_bytes(R::API_KEY, version, wire::to_bytes(request, version).unwrap())
    }

    /// Begins, and waits for the answer, which must come.
    pub(crate) fn ask<R: wire::Request>(&self, version: i16, request: &R) -> R::Response {
        self.decode::<R>(version, self.end(self.begin(version, request)).unwrap())
    }

    /// Waits for the answer.
    pub(crate) fn end(&self, pending: Pending) -> Result<Reply, CloseReason> {
        match pending {
            Pending::Ready(reply) => Ok(reply),
            Pending::Later(later) => {
                let in_time = async { tokio::time::timeout(Duration::from_secs(20), later).await };
                match self.runtime.block_on(in_time).expect("an answer within 20 s") {
                    Outcome::Reply(reply) => Ok(reply),
                    Outcome::Close(reason) => Err(reason),
                }
            }
            Pending::Close(reason) => Err(reason),
            Pending::Silent { .. } => panic!("no answer is to be had"),
        }
    }

    pub(crate) fn decode<R: wire::Request>(&self, version: i16, reply: Reply) -> R::Response {
        wire::decode_exact(bytes_of(reply), version).unwrap()
    }

    /// A topic with so many partitions and these settings; gives its id.
    pub(crate) fn create(&self, name: &str, partitions: i32, configs: &[(&str, &str)]) -> Uuid {
        let request = CreateTopicsRequest {
            topics: vec![CreatableTopic {
                name: text(name),
                num_partitions: partitions,
                replication_factor: 1,
                configs: configs
                    .iter()
                    .map(|(name, value)| CreatableTopicConfig { name: text(name), value: Some(text(value)) })
                    .collect(),
                ..CreatableTopic::default()
            }],
            timeout_ms: 20_000,
            validate_only: false,
        };
        let response = self.ask(7, &request);
        assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0].error_message);
        response.topics[0].topic_id
    }

    /// Sends batches, each to a partition of one topic, with acks=all.
    pub(crate) fn produce(&self, version: i16, topic: &str, batches: &[(i32, Bytes)]) -> ProduceResponse {
        self.ask(version, &produce_request(topic, batches))
    }

    /// Sends one batch to partition 0 in version 9.
    pub(crate) fn send(&self, topic: &str, batch: Bytes) -> PartitionProduceResponse {
        let mut response = self.produce(9, topic, &[(0, batch)]);
        response.responses.remove(0).partition_responses.remove(0)
    }

    /// Fetches without waiting.
    pub(crate) fn fetch(&self, version: i16, request: &FetchRequest) -> FetchResponse {
        self.ask(version, request)
    }

    /// What lies in partition 0 from an offset on.
    pub(crate) fn read(&self, topic: &str, from: i64) -> PartitionData {
        let mut response = self.fetch(12, &fetch_request(topic, &[(0, from)]));
        response.responses.remove(0).partitions.remove(0)
    }
}

fn open(disk: Arc<dyn Disk>, dir: &Path, settings: &Arc<Settings>) -> Arc<Catalog> {
    let config = CatalogConfig {
        data_dir: dir.join("data"),
        node_id: NodeId(1),
        cluster_id: Some("5L6g3nShT-eMCtK--X86sw".to_owned()),
        endpoints: vec![Endpoint {
            name: "PLAINTEXT".to_owned(),
            host: "broker.example".to_owned(),
            port: 9092,
        }],
        settings: settings.clone(),
    };
    let mut ids = (1_u128 << 100)..;
    let random = Box::new(move || Uuid::from_u128(ids.next().unwrap()));
    Catalog::open_unlocked(disk, config, random, NOW).unwrap()
}

trait IntoShared {
    fn into_shared(self) -> Arc<dyn Disk>;
}

impl IntoShared for RealDisk {
    fn into_shared(self) -> Arc<dyn Disk> {
        Arc::new(self)
    }
}

/// All bytes of an answer, those in files too.
pub(crate) fn bytes_of(reply: Reply) -> Bytes {
    let announced = reply.len();
    let mut bytes = BytesMut::new();
    for piece in reply.pieces {
        match piece {
            Piece::Bytes(piece) => bytes.extend_from_slice(&piece),
            Piece::File(range) => bytes.extend_from_slice(&range.read().unwrap()),
        }
    }
    assert_eq!(bytes.len() as u64, announced);
    bytes.freeze()
}

pub(crate) fn text(text: &str) -> StrBytes {
    StrBytes::from(text.to_owned())
}

pub(crate) fn produce_request(topic: &str, batches: &[(i32, Bytes)]) -> ProduceRequest {
    ProduceRequest {
        acks: -1,
        timeout_ms: 5000,
        topic_data: vec![TopicProduceData {
            name: text(topic),
            partition_data: batches
                .iter()
                .map(|(index, batch)| PartitionProduceData {
                    index: *index,
                    records: Some(Payload::from(batch.clone())),
                })
                .collect(),
            ..TopicProduceData::default()
        }],
        ..ProduceRequest::default()
    }
}

/// A consumer that wants a byte, does not wait, and takes a megabyte per partition.
pub(crate) fn fetch_request(topic: &str, from: &[(i32, i64)]) -> FetchRequest {
    FetchRequest {
        min_bytes: 1,
        max_bytes: 50 << 20,
        topics: vec![FetchTopic {
            topic: text(topic),
            partitions: from
                .iter()
                .map(|&(partition, fetch_offset)| FetchPartition {
                    partition,
                    fetch_offset,
                    partition_max_bytes: 1 << 20,
                    ..FetchPartition::default()
                })
                .collect(),
            ..FetchTopic::default()
        }],
        ..FetchRequest::default()
    }
}

/// A batch with a record per value, stamped with `NOW`.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    batch_of(BatchBuilder::new(Offset(0)), values, NOW)
}

/// A batch whose records bear this time.
pub(crate) fn batch_at(time: Millis, values: &[&str]) -> Bytes {
    batch_of(BatchBuilder::new(Offset(0)), values, time)
}

/// A batch of an idempotent producer.
pub(crate) fn signed(producer: i64, epoch: i16, sequence: i32, values: &[&str]) -> Bytes {
    let builder = BatchBuilder::new(Offset(0));
    batch_of(builder.producer(ProducerId(producer), ProducerEpoch(epoch), Sequence(sequence)), values, NOW)
}

pub(crate) fn batch_of(mut builder: BatchBuilder, values: &[&str], timestamp: Millis) -> Bytes {
    for value in values {
        builder.push(&NewRecord { timestamp, key: Some(b"k"), value: Some(value.as_bytes()), headers: &[] });
    }
    builder.build()
}
