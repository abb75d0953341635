//! Partitions: where their leaders are, and which offsets they have.

use std::collections::BTreeMap;
use std::fmt;

use wire::messages::list_offsets::{ListOffsetsPartition, ListOffsetsRequest, ListOffsetsTopic};

use crate::client::LATEST;
use crate::{Client, ClientError, Code};

/// A partition of a topic, in order of topic and number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The number.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition of this topic and number.
    #[must_use]
    pub fn new(topic: &str, partition: i32) -> Self {
        Self { topic: topic.to_owned(), partition }
    }
}

/// `topic-partition`, as Kafka writes it.
impl fmt::Display for TopicPartition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// What an offset is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The end: the high watermark, or the last stable offset for read_committed.
    Latest,
    /// The start.
    Earliest,
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// The start of what is on the broker's own disk.
    EarliestLocal,
    /// The end of what is tiered.
    LatestTiered,
    /// The first record of this time, in milliseconds, or later.
    At(i64),
}

impl Wanted {
    /// As ListOffsets has it.
    #[must_use]
    pub const fn timestamp(self) -> i64 {
        match self {
            Self::Latest => -1,
            Self::Earliest => -2,
            Self::MaxTimestamp => -3,
            Self::EarliestLocal => -4,
            Self::LatestTiered => -5,
            Self::At(timestamp) => timestamp,
        }
    }

    const fn since_version(self) -> i16 {
        match self {
            Self::MaxTimestamp => 7,
            Self::EarliestLocal => 8,
            Self::LatestTiered => 9,
            Self::Latest | Self::Earliest | Self::At(_) => 1,
        }
    }
}

/// Offsets by partition; none where there is no such record.
pub type Offsets = BTreeMap<TopicPartition, Result<Option<i64>, ClientError>>;

impl Client {
    /// The leaders of all partitions of `topics`, by partition; -1 for one without.
    ///
    /// # Errors
    /// When a topic is not there, or nobody answers.
    pub fn leaders(&mut self, topics: &[&str]) -> Result<BTreeMap<TopicPartition, i32>, ClientError> {
        let answer = self.metadata(Some(topics), false)?;
        let mut leaders = BTreeMap::new();
        for topic in answer.topics {
            ClientError::of(topic.error_code, None)?;
            let name = topic.name.as_deref().unwrap_or_default();
            for partition in topic.partitions {
                leaders.insert(TopicPartition::new(name, partition.partition_index), partition.leader_id);
            }
        }
        Ok(leaders)
    }

    /// Looks up offsets at the leaders of the partitions.
    ///
    /// # Errors
    /// When a topic is not there, or a broker does not answer. What a broker says of a partition stands in its place.
    pub fn offsets(
        &mut self,
        wanted: &BTreeMap<TopicPartition, Wanted>,
        read_committed: bool,
    ) -> Result<Offsets, ClientError> {
        let mut topics: Vec<_> = wanted.keys().map(|partition| partition.topic.as_str()).collect();
        topics.dedup();
        self.persist(|client| {
            let leaders = client.leaders(&topics)?;
            let mut by_leader: BTreeMap<i32, Vec<(&TopicPartition, Wanted)>> = BTreeMap::new();
            let mut found = Offsets::new();
            for (partition, wanted) in wanted {
                match leaders.get(partition) {
                    Some(-1) => return Err(ClientError::Lost(format!("{partition} has no leader"))),
                    Some(leader) => by_leader.entry(*leader).or_default().push((partition, *wanted)),
                    None => {
                        let code = Code::UNKNOWN_TOPIC_OR_PARTITION;
                        let refused = ClientError::Refused { code, message: None };
                        found.insert(partition.clone(), Err(refused));
                    }
                }
            }
            for (leader, asked) in by_leader {
                found.extend(client.offsets_at(leader, &asked, read_committed)?);
            }
            // A leader that has moved meanwhile is looked up again.
            let moved = found.values_mut().find(|result| {
                result.as_ref().is_err_and(|error| error.code().is_some_and(Code::is_retriable))
            });
            match moved {
                Some(result) => Err(std::mem::replace(result, Ok(None))
                    .err()
                    .unwrap_or_else(|| ClientError::Lost("an error that was there is gone".to_owned()))),
                None => Ok(found),
            }
        })
    }

    fn offsets_at(
        &mut self,
        leader: i32,
        asked: &[(&TopicPartition, Wanted)],
        read_committed: bool,
    ) -> Result<Offsets, ClientError> {
        let address = self.address_of(leader)?;
        let version = self.connection(&address)?.version_of::<ListOffsetsRequest>(LATEST);
        let needed = asked.iter().map(|(_, wanted)| wanted.since_version()).max().unwrap_or(1);
        if version.is_some_and(|version| version < needed) {
            return Err(ClientError::NotServed { address, api: wire::ApiKey::ListOffsets });
        }
        let mut topics: Vec<ListOffsetsTopic> = Vec::new();
        for (partition, wanted) in asked {
            let place = ListOffsetsPartition {
                partition_index: partition.partition,
                timestamp: wanted.timestamp(),
                ..ListOffsetsPartition::default()
            };
            match topics.last_mut().filter(|topic| topic.name == *partition.topic) {
                Some(topic) => topic.partitions.push(place),
                None => topics
                    .push(ListOffsetsTopic { name: partition.topic.clone().into(), partitions: vec![place] }),
            }
        }
        let timeout_ms = i32::try_from(self.config().request_timeout.as_millis()).unwrap_or(i32::MAX);
        let answer = self.call(&address, LATEST, |version| ListOffsetsRequest {
            replica_id: -1,
            isolation_level: i8::from(read_committed && version >= 2),
            topics,
            timeout_ms,
        })?;
        let mut found = Offsets::new();
        for topic in answer.topics {
            for partition in topic.partitions {
                let offset = Some(partition.offset).filter(|offset| *offset >= 0);
                let result = ClientError::of(partition.error_code, None).map(|()| offset);
                found.insert(TopicPartition::new(&topic.name, partition.partition_index), result);
            }
        }
        Ok(found)
    }
}
