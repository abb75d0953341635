//! Reads records of partitions that somebody has assigned, from positions of its own.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::Offset;
use bytes::Bytes;
use records::control::{ControlType, EndTxnMarker};
use records::{BatchHeader, RecordView, TimestampType, crc_is_valid, records_of};
use wire::Payload;
use wire::messages::fetch::{FetchPartition, FetchRequest, FetchTopic, PartitionData};

use crate::{Client, ClientError, Code, TopicPartition, Wanted};

/// The last version of Fetch that names topics instead of giving their ids.
const BY_NAME: i16 = 12;
/// What records of one batch may unpack to, in bytes.
const MAX_UNPACKED: usize = 256 << 20;

/// Where a partition without a position begins (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reset {
    /// At its start.
    Earliest,
    /// At its end.
    Latest,
    /// At the first record of so long ago or later; at its end where there is none (KIP-1106).
    Before(Duration),
    /// Nowhere: that is an error.
    None,
}

/// How records are fetched; the names are Kafka's.
#[derive(Clone, Copy, Debug)]
pub struct ConsumerConfig {
    /// `auto.offset.reset`.
    pub reset: Reset,
    /// `isolation.level=read_committed`.
    pub read_committed: bool,
    /// `fetch.min.bytes`.
    pub min_bytes: i32,
    /// `fetch.max.bytes`: what an answer should hold at most.
    pub max_bytes: i32,
    /// `max.partition.fetch.bytes`.
    pub max_partition_bytes: i32,
}

/// A record, with bytes of its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Consumed {
    /// Where it stands.
    pub partition: TopicPartition,
    /// Its offset.
    pub offset: i64,
    /// Its time, in milliseconds.
    pub timestamp: i64,
    /// Whose clock that is.
    pub timestamp_type: TimestampType,
    /// The key, or `None` for null.
    pub key: Option<Vec<u8>>,
    /// The value, or `None` for null.
    pub value: Option<Vec<u8>>,
    /// Key and value of each header.
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

/// A reader of partitions.
#[derive(Debug)]
pub struct Consumer {
    client: Client,
    config: ConsumerConfig,
    /// The offset to fetch next; none where it has to be looked up.
    positions: BTreeMap<TopicPartition, Option<i64>>,
    leaders: BTreeMap<TopicPartition, i32>,
}

impl Consumer {
    /// A consumer without partitions.
    #[must_use]
    pub const fn new(client: Client, config: ConsumerConfig) -> Self {
        Self { client, config, positions: BTreeMap::new(), leaders: BTreeMap::new() }
    }

    /// The client that it uses.
    pub const fn client(&mut self) -> &mut Client {
        &mut self.client
    }

    /// Reads these partitions from now on, each from its position, or from where [`Reset`] says.
    pub fn assign(&mut self, positions: BTreeMap<TopicPartition, Option<i64>>) {
        self.positions = positions;
        self.leaders.clear();
    }

    /// The partitions that are read.
    pub fn assigned(&self) -> impl Iterator<Item = &TopicPartition> {
        self.positions.keys()
    }

    /// The position of a partition, if it has one.
    #[must_use]
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.positions.get(partition).copied().flatten()
    }

    /// Fetches once, waiting for `wait_ms` milliseconds at most for something to come. What comes is in order within
    /// each partition. The position of a partition is behind the last record that was given.
    ///
    /// # Errors
    /// When nobody answers; [`ClientError::is_retriable`] says whether to ask again.
    pub fn poll(&mut self, wait_ms: i32) -> Result<VecDeque<Consumed>, ClientError> {
        self.find_leaders()?;
        self.find_positions()?;
        let mut by_leader: BTreeMap<i32, Vec<(TopicPartition, i64)>> = BTreeMap::new();
        for (partition, position) in &self.positions {
            if let (Some(position), Some(leader)) = (position, self.leaders.get(partition)) {
                by_leader.entry(*leader).or_default().push((partition.clone(), *position));
            }
        }
        let leaders = i32::try_from(by_leader.len()).unwrap_or(i32::MAX).max(1);
        let mut records = VecDeque::new();
        for (leader, asked) in by_leader {
            let fetched = self.fetch(leader, &asked, wait_ms / leaders);
            if let Err(error) = fetched.and_then(|data| self.take(data, &mut records)) {
                // What came from other leaders is not thrown away.
                self.leaders.clear();
                if records.is_empty() {
                    return Err(error);
                }
            }
        }
        Ok(records)
    }

    fn find_leaders(&mut self) -> Result<(), ClientError> {
        if !self.leaders.is_empty() || self.positions.is_empty() {
            return Ok(());
        }
        let mut topics: Vec<_> = self.positions.keys().map(|partition| partition.topic.clone()).collect();
        topics.dedup();
        let topics: Vec<_> = topics.iter().map(String::as_str).collect();
        let leaders = self.client.persist(|client| client.leaders(&topics))?;
        self.leaders = leaders.into_iter().filter(|(_, leader)| *leader >= 0).collect();
        match self.positions.keys().find(|partition| !self.leaders.contains_key(partition)) {
            Some(lost) => Err(ClientError::Lost(format!("{lost} has no leader, or is not there"))),
            None => Ok(()),
        }
    }

    fn find_positions(&mut self) -> Result<(), ClientError> {
        let lost = self.positions.iter().filter(|(_, position)| position.is_none());
        let lost: Vec<_> = lost.map(|(partition, _)| partition.clone()).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let wanted = match self.config.reset {
            Reset::Earliest => Wanted::Earliest,
            Reset::Latest => Wanted::Latest,
            Reset::Before(span) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let then = now.saturating_sub(span).as_millis();
                Wanted::At(i64::try_from(then).unwrap_or(i64::MAX))
            }
            Reset::None => {
                return Err(ClientError::Refused {
                    code: Code::OFFSET_OUT_OF_RANGE,
                    message: Some(format!("{} has no position, and auto.offset.reset=none", lost[0])),
                });
            }
        };
        let all = |partitions: Vec<_>, wanted| partitions.into_iter().map(|each| (each, wanted)).collect();
        let mut without = Vec::new();
        for (partition, found) in self.client.offsets(&all(lost, wanted), self.config.read_committed)? {
            match found? {
                None => without.push(partition),
                found => drop(self.positions.insert(partition, found)),
            }
        }
        if without.is_empty() {
            return Ok(());
        }
        for (partition, found) in
            self.client.offsets(&all(without, Wanted::Latest), self.config.read_committed)?
        {
            self.positions.insert(partition, found?);
        }
        Ok(())
    }

    fn fetch(
        &mut self,
        leader: i32,
        asked: &[(TopicPartition, i64)],
        max_wait_ms: i32,
    ) -> Result<Vec<(String, PartitionData)>, ClientError> {
        let mut topics: Vec<FetchTopic> = Vec::new();
        for (partition, position) in asked {
            let place = FetchPartition {
                partition: partition.partition,
                fetch_offset: *position,
                partition_max_bytes: self.config.max_partition_bytes,
                ..FetchPartition::default()
            };
            match topics.last_mut().filter(|topic| topic.topic == *partition.topic) {
                Some(topic) => topic.partitions.push(place),
                None => topics.push(FetchTopic {
                    topic: partition.topic.clone().into(),
                    partitions: vec![place],
                    ..FetchTopic::default()
                }),
            }
        }
        let request = FetchRequest {
            max_wait_ms,
            min_bytes: self.config.min_bytes,
            max_bytes: self.config.max_bytes,
            isolation_level: i8::from(self.config.read_committed),
            topics,
            ..FetchRequest::default()
        };
        let answer = self.client.ask_node(leader, BY_NAME, |_| request)?;
        ClientError::of(answer.error_code, None)?;
        let named = answer.responses.into_iter().flat_map(|topic| {
            let name = topic.topic.to_string();
            topic.partitions.into_iter().map(move |data| (name.clone(), data))
        });
        Ok(named.collect())
    }

    /// Takes the records of an answer, and moves the positions.
    fn take(
        &mut self,
        fetched: Vec<(String, PartitionData)>,
        into: &mut VecDeque<Consumed>,
    ) -> Result<(), ClientError> {
        for (topic, data) in fetched {
            let partition = TopicPartition::new(&topic, data.partition_index);
            let Some(position) = self.positions.get(&partition).copied().flatten() else { continue };
            match Code(data.error_code) {
                Code::OFFSET_OUT_OF_RANGE => {
                    self.positions.insert(partition, None);
                    continue;
                }
                // It moves, or is being deleted: look again.
                code if code.is_retriable() || code == Code::UNKNOWN_TOPIC_OR_PARTITION => {
                    let name = code.name();
                    return Err(ClientError::Lost(format!("{partition} cannot be read now: {name}")));
                }
                _ => ClientError::of(data.error_code, None)?,
            }
            let Some(Payload::Bytes(bytes)) = data.records else { continue };
            let aborted = data.aborted_transactions.unwrap_or_default();
            let mut aborted: Vec<_> =
                aborted.iter().map(|gone| (gone.first_offset, gone.producer_id)).collect();
            aborted.sort_unstable();
            let next = read(&partition, position, &bytes, aborted.into(), into)?;
            self.positions.insert(partition, Some(next));
        }
        Ok(())
    }
}

/// Reads the batches of an answer from `position` on, without control records and what belongs to the transactions in
/// `aborted` (first offset and producer). Gives the next position.
fn read(
    partition: &TopicPartition,
    position: i64,
    bytes: &Bytes,
    mut aborted: VecDeque<(i64, i64)>,
    into: &mut VecDeque<Consumed>,
) -> Result<i64, ClientError> {
    let broken = |why: String| ClientError::Nonsense { address: partition.to_string(), why };
    let mut open: BTreeSet<i64> = BTreeSet::new();
    let mut next = position;
    let mut rest = &bytes[..];
    // The last batch of an answer may be cut off.
    while let Ok(header) = BatchHeader::parse(rest) {
        let Some(batch) = rest.get(..header.size()) else { break };
        rest = &rest[header.size()..];
        if !crc_is_valid(batch) {
            return Err(broken(format!("the batch at offset {} has a wrong checksum", header.base_offset.0)));
        }
        while let Some((_, producer)) = aborted.pop_front_if(|(first, _)| *first <= last_offset(&header)) {
            open.insert(producer);
        }
        let records = records_of(batch, MAX_UNPACKED).map_err(|why| broken(why.to_string()))?;
        let transactional = header.attributes.is_transactional();
        let skipped = transactional && open.contains(&header.producer_id.0);
        if header.attributes.is_control() {
            let first = records.iter().next().and_then(Result::ok);
            let marker = first.and_then(|record| EndTxnMarker::of(&record).ok());
            if marker.is_some_and(|marker| marker.control_type() == ControlType::Abort) {
                open.remove(&header.producer_id.0);
            }
        } else if !skipped {
            for record in &records {
                let record = record.map_err(|why| broken(why.to_string()))?;
                if record.offset(&header) >= Offset(next) {
                    into.push_back(consumed(partition, &header, &record));
                }
            }
        }
        next = next.max(last_offset(&header) + 1);
    }
    Ok(next)
}

fn last_offset(header: &BatchHeader) -> i64 {
    header.base_offset.0.saturating_add(header.last_offset_delta.into())
}

fn consumed(partition: &TopicPartition, header: &BatchHeader, record: &RecordView<'_>) -> Consumed {
    let own = |(key, value): (&[u8], Option<&[u8]>)| (key.to_vec(), value.map(<[u8]>::to_vec));
    Consumed {
        partition: partition.clone(),
        offset: record.offset(header).0,
        timestamp: record.timestamp(header).0,
        timestamp_type: header.attributes.timestamp_type(),
        key: record.key.map(<[u8]>::to_vec),
        value: record.value.map(<[u8]>::to_vec),
        headers: record.headers.iter().map(own).collect(),
    }
}

#[cfg(test)]
mod tests {
    use base::{Millis, ProducerEpoch, ProducerId, Sequence};
    use records::{BatchBuilder, NewRecord};

    use super::*;

    fn batch(base: i64, producer: i64, values: &[&str]) -> Vec<u8> {
        let mut builder = BatchBuilder::new(Offset(base))
            .producer(ProducerId(producer), ProducerEpoch(0), Sequence(0))
            .transactional(producer >= 0);
        for value in values {
            builder.push(&NewRecord {
                timestamp: Millis(1),
                value: Some(value.as_bytes()),
                ..NewRecord::default()
            });
        }
        builder.build().to_vec()
    }

    fn marker(base: i64, producer: i64, committed: bool) -> Vec<u8> {
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        let mut builder = BatchBuilder::new(Offset(base))
            .producer(ProducerId(producer), ProducerEpoch(0), Sequence::NONE)
            .transactional(true)
            .control(true);
        let (key, value) = (marker.control_type().key(), marker.value());
        builder.push(&NewRecord {
            timestamp: Millis(1),
            key: Some(&key),
            value: Some(&value),
            ..NewRecord::default()
        });
        builder.build().to_vec()
    }

    fn values(position: i64, parts: &[Vec<u8>], aborted: &[(i64, i64)]) -> (Vec<String>, i64) {
        let mut into = VecDeque::new();
        let bytes = Bytes::from(parts.concat());
        let aborted = aborted.iter().copied().collect();
        let next = read(&TopicPartition::new("t", 0), position, &bytes, aborted, &mut into).unwrap();
        let text = |record: Consumed| String::from_utf8(record.value.unwrap()).unwrap();
        (into.into_iter().map(text).collect(), next)
    }

    #[test]
    fn reading_begins_within_a_batch_and_ends_before_one_that_is_cut_off() {
        let mut cut = batch(6, -1, &["d"]);
        cut.pop();
        let parts = [batch(3, -1, &["a", "b", "c"]), cut];
        assert_eq!(values(4, &parts, &[]), (vec!["b".to_owned(), "c".to_owned()], 6));
    }

    #[test]
    fn what_was_aborted_and_the_markers_are_not_given() {
        let parts = [
            batch(0, 7, &["a"]),
            batch(1, 8, &["b"]),
            marker(2, 7, false),
            batch(3, 7, &["c"]),
            marker(4, 7, true),
            marker(5, 8, true),
        ];
        assert_eq!(values(0, &parts, &[(0, 7)]), (vec!["b".to_owned(), "c".to_owned()], 6));
    }

    #[test]
    fn a_wrong_checksum_is_an_error() {
        let mut bytes = batch(0, -1, &["a"]);
        *bytes.last_mut().unwrap() ^= 1;
        let read =
            read(&TopicPartition::new("t", 0), 0, &bytes.into(), VecDeque::new(), &mut VecDeque::new());
        assert!(read.unwrap_err().to_string().contains("checksum"));
    }
}
