//! Writes records to one topic: batches per partition, one request at a time, idempotent if wanted.
//!
//! With a single request in flight order needs no care: a batch is written, refused or given up before the next one of
//! any partition is sent. A batch that is sent again has the same sequence, so the broker knows it (KIP-98).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use base::{Offset, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;
use records::{BatchBuilder, Codec, NewRecord};
use wire::Payload;
use wire::messages::init_producer_id::InitProducerIdRequest;
use wire::messages::produce::{PartitionProduceData, ProduceRequest, TopicProduceData};

use crate::client::LATEST;
use crate::{Client, ClientError, Code, TopicPartition};

/// The last version of Produce that names topics instead of giving their ids.
const BY_NAME: i16 = 12;

/// How records are written; the names are Kafka's.
#[derive(Clone, Debug)]
pub struct ProducerConfig {
    /// `acks`: 0, 1 or -1 for all.
    pub acks: i16,
    /// `compression.type`.
    pub codec: Codec,
    /// `compression.gzip.level` and the like, of this codec.
    pub level: Option<i32>,
    /// `batch.size`, in bytes before compression: at this size a batch is sent.
    pub batch_size: usize,
    /// `retries`: how often a batch that was sent is sent again.
    pub retries: u32,
    /// `retry.backoff.ms`.
    pub retry_backoff: Duration,
    /// `delivery.timeout.ms`: how long to go on trying with one batch.
    pub delivery_timeout: Duration,
    /// `max.request.size`, in bytes: a larger record is not sent.
    pub max_request_size: usize,
    /// `enable.idempotence`.
    pub idempotent: bool,
}

/// Why records were not written, and how many.
#[derive(Debug, thiserror::Error)]
#[error("{count} record(s) were not written to {partition}: {why}")]
pub struct NotWritten {
    /// How many.
    pub count: usize,
    /// Where they should have gone.
    pub partition: TopicPartition,
    /// Why not.
    pub why: ClientError,
}

/// A producer of one topic.
#[derive(Debug)]
pub struct Producer {
    client: Client,
    config: ProducerConfig,
    topic: String,
    /// The leader of each partition.
    leaders: Vec<i32>,
    open: BTreeMap<i32, BatchBuilder>,
    /// Id and epoch, once they are needed.
    identity: Option<(i64, i16)>,
    /// The sequence of the next record, by partition.
    sequences: BTreeMap<i32, Sequence>,
    /// The partition of records without a key, until its batch is sent (KIP-480).
    sticky: i32,
}

impl Producer {
    /// Finds the topic's partitions; the broker may create the topic if it is set up so.
    ///
    /// # Errors
    /// When the topic is not there within the client's patience, or nobody answers.
    pub fn open(mut client: Client, topic: &str, config: ProducerConfig) -> Result<Self, ClientError> {
        let leaders = client.persist(|client| leaders(client, topic))?;
        let mut producer = Self {
            client,
            config,
            topic: topic.to_owned(),
            leaders,
            open: BTreeMap::new(),
            identity: None,
            sequences: BTreeMap::new(),
            sticky: 0,
        };
        producer.stick_elsewhere();
        Ok(producer)
    }

    /// Takes a record, and sends the batch that it fills.
    ///
    /// # Errors
    /// When a batch is given up, or the record is too large. The producer can go on.
    pub fn send(&mut self, record: &NewRecord<'_>) -> Result<(), NotWritten> {
        let partition = match record.key {
            Some(key) => partition_of(key, self.leaders.len()),
            None => self.sticky,
        };
        let size = size_of(record);
        if size > self.config.max_request_size {
            let message = format!(
                "a record of {size} bytes is larger than max.request.size ({})",
                self.config.max_request_size
            );
            return Err(self.not_written(1, partition, ClientError::Lost(message)));
        }
        // A batch that would get too large goes first.
        let waiting = self.open.get(&partition).map_or(0, BatchBuilder::uncompressed_size);
        let before = if waiting > 0 && waiting + size > self.config.batch_size.max(1) {
            self.send_batch(partition)
        } else {
            Ok(())
        };
        let (codec, level) = (self.config.codec, self.config.level);
        self.open
            .entry(partition)
            .or_insert_with(|| BatchBuilder::new(Offset::ZERO).codec(codec, level))
            .push(record);
        before
    }

    /// Sends what waits.
    ///
    /// # Errors
    /// That of the first batch that is given up; the others are sent all the same.
    pub fn flush(&mut self) -> Result<(), NotWritten> {
        let partitions: Vec<_> = self.open.keys().copied().collect();
        let mut result = Ok(());
        for partition in partitions {
            result = result.and(self.send_batch(partition));
        }
        result
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_flushed(&self) -> bool {
        self.open.is_empty()
    }

    fn not_written(&self, count: usize, partition: i32, why: ClientError) -> NotWritten {
        NotWritten { count, partition: TopicPartition::new(&self.topic, partition), why }
    }

    fn stick_elsewhere(&mut self) {
        let drawn = RandomState::new().build_hasher().finish();
        self.sticky = i32::try_from(drawn % self.leaders.len().max(1) as u64).unwrap_or(0);
    }

    fn send_batch(&mut self, partition: i32) -> Result<(), NotWritten> {
        let Some(batch) = self.open.remove(&partition) else { return Ok(()) };
        if partition == self.sticky {
            self.stick_elsewhere();
        }
        let count = batch.len();
        let sent = self.identify().and_then(|()| {
            let batch = self.sign(batch, partition);
            self.deliver(partition, &batch)
        });
        match sent {
            Ok(()) => {
                let next = self.sequences.entry(partition).or_insert(Sequence(0));
                *next = next.plus(i32::try_from(count).unwrap_or(i32::MAX));
                Ok(())
            }
            Err(why) => {
                // Whether the batch is stored is not known, so its sequences must not be used again for other records.
                self.identity = None;
                self.sequences.clear();
                Err(self.not_written(count, partition, why))
            }
        }
    }

    /// Gets an id from the broker, unless there is one.
    fn identify(&mut self) -> Result<(), ClientError> {
        if !self.config.idempotent || self.identity.is_some() {
            return Ok(());
        }
        let answer = self.client.persist(|client| {
            let answer = client.ask(LATEST, |_| InitProducerIdRequest {
                transaction_timeout_ms: i32::MAX,
                producer_id: -1,
                producer_epoch: -1,
                transactional_id: None,
            })?;
            ClientError::of(answer.error_code, None)?;
            Ok(answer)
        })?;
        self.identity = Some((answer.producer_id, answer.producer_epoch));
        Ok(())
    }

    fn sign(&self, batch: BatchBuilder, partition: i32) -> Bytes {
        match self.identity {
            Some((id, epoch)) => {
                let sequence = self.sequences.get(&partition).copied().unwrap_or(Sequence(0));
                batch.producer(ProducerId(id), ProducerEpoch(epoch), sequence).build()
            }
            None => batch.build(),
        }
    }

    /// Sends a batch until it is written, refused for good, or no attempt or time is left.
    fn deliver(&mut self, partition: i32, batch: &Bytes) -> Result<(), ClientError> {
        let deadline = Instant::now() + self.config.delivery_timeout;
        let mut attempts_left = self.config.retries;
        loop {
            let error = match self.produce(partition, batch) {
                Ok(()) => return Ok(()),
                Err(error) => error,
            };
            let is_sent = !matches!(error, ClientError::Connect { .. } | ClientError::Lost(_));
            let gone = error.code() == Some(Code::UNKNOWN_TOPIC_OR_PARTITION);
            let over = Instant::now() + self.config.retry_backoff >= deadline;
            if !(error.is_retriable() || gone) || over || (is_sent && attempts_left == 0) {
                return Err(error);
            }
            attempts_left -= u32::from(is_sent);
            thread::sleep(self.config.retry_backoff);
            // A leader may have moved; where nobody answers the next attempt says so.
            let topic = &self.topic;
            if let Ok(leaders) = leaders(&mut self.client, topic) {
                self.leaders = leaders;
            }
        }
    }

    fn produce(&mut self, partition: i32, batch: &Bytes) -> Result<(), ClientError> {
        let at = usize::try_from(partition).ok();
        let leader = at.and_then(|at| self.leaders.get(at)).copied().unwrap_or(-1);
        let address = self.client.address_of(leader)?;
        let patience = self.client.config().request_timeout;
        let records = Some(Payload::Bytes(batch.clone()));
        let request = ProduceRequest {
            transactional_id: None,
            acks: self.config.acks,
            timeout_ms: i32::try_from(patience.as_millis()).unwrap_or(i32::MAX),
            topic_data: vec![TopicProduceData {
                name: self.topic.clone().into(),
                partition_data: vec![PartitionProduceData { index: partition, records }],
                ..TopicProduceData::default()
            }],
        };
        if self.config.acks == 0 {
            return self.client.on(&address, |connection| connection.tell(BY_NAME, |_| request));
        }
        let answer = self.client.call(&address, BY_NAME, |_| request)?;
        let results = answer.responses.iter().flat_map(|topic| &topic.partition_responses);
        for result in results {
            // A duplicate is one that an earlier attempt has written.
            if Code(result.error_code) != Code::DUPLICATE_SEQUENCE_NUMBER {
                ClientError::of(result.error_code, result.error_message.as_deref())?;
            }
        }
        Ok(())
    }
}

/// The leader of each partition of a topic, which the broker may create.
fn leaders(client: &mut Client, topic: &str) -> Result<Vec<i32>, ClientError> {
    let answer = client.metadata(Some(&[topic]), true)?;
    let Some(found) = answer.topics.into_iter().next() else {
        return Err(ClientError::Lost(format!("the broker does not answer for topic {topic}")));
    };
    if Code(found.error_code) == Code::UNKNOWN_TOPIC_OR_PARTITION {
        // It may be about to be created.
        return Err(ClientError::Lost(format!("there is no topic {topic}")));
    }
    ClientError::of(found.error_code, None)?;
    let mut partitions = found.partitions;
    partitions.sort_by_key(|partition| partition.partition_index);
    if partitions.is_empty() {
        return Err(ClientError::Lost(format!("topic {topic} has no partitions")));
    }
    Ok(partitions.iter().map(|partition| partition.leader_id).collect())
}

/// What a record takes, at most.
fn size_of(record: &NewRecord<'_>) -> usize {
    // Length, attributes, both deltas, and the lengths of key, value and the list of headers.
    const AROUND: usize = 5 + 1 + 10 + 5 + 5 + 5 + 5;
    let headers = record.headers.iter().map(|(key, value)| 10 + key.len() + value.map_or(0, <[u8]>::len));
    AROUND + record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + headers.sum::<usize>()
}

/// The partition of a key, as Kafka's default partitioner chooses it: murmur2 without its sign, modulo the partitions.
fn partition_of(key: &[u8], partitions: usize) -> i32 {
    let hash = murmur2(key) & 0x7fff_ffff;
    i32::try_from(hash as usize % partitions.max(1)).unwrap_or(0)
}

/// Kafka's murmur2 (`Utils.murmur2`): 32 bits, with a seed of its own.
fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0, |k, byte| (k << 8) | u32::from(*byte));
        k = k.wrapping_mul(M);
        k = (k ^ (k >> 24)).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0, |k, byte| (k << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_go_where_the_java_client_sends_them() {
        // From the tests of Kafka's client (UtilsTest.testMurmur2).
        for (key, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, hash, "{key}");
        }
        assert_eq!(partition_of(b"foobar", 1), 0);
    }
}
