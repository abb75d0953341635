//! Where the console consumer gets its records from: partitions of its own, or those that its group assigns.

use std::collections::{BTreeMap, VecDeque};
use std::thread;
use std::time::{Duration, Instant};

use client::{
    Client, ClientError, Code, Consumed, Consumer, ConsumerConfig, MemberConfig, Membership, Pulse, Retry,
    TopicPartition, Wanted,
};

use crate::pattern::{Pattern, is_internal};

/// How often to look for new topics and partitions (`metadata.max.age.ms`).
const REFRESH: Duration = Duration::from_secs(300);
/// The same while there are none.
const REFRESH_NOTHING: Duration = Duration::from_secs(1);
/// The pause while there is nothing to read from.
const PAUSE: Duration = Duration::from_millis(100);

/// What is read.
#[derive(Debug)]
pub(super) enum Source {
    /// A topic, and whether the broker may create it.
    Topic(String, bool),
    /// All topics of a pattern, and whether Kafka's own are among them.
    Pattern(Pattern, bool),
    /// A partition, from an offset, or from an end as ListOffsets names it.
    Partition(TopicPartition, i64),
}

/// Topics and how many partitions they have.
type Sizes = BTreeMap<String, usize>;

/// A consumer, and what it does about its group.
#[derive(Debug)]
pub(super) struct Reader {
    consumer: Consumer,
    source: Source,
    member: Option<Membership>,
    /// How often to commit; `None`: never.
    commit_interval: Option<Duration>,
    last_commit: Instant,
    /// What was shown and is not committed yet: the next offset of each partition.
    to_commit: BTreeMap<TopicPartition, i64>,
    /// Fetched, and not shown yet.
    waiting: VecDeque<Consumed>,
    /// What is read now, since when.
    reading: Option<(Sizes, Instant)>,
    /// Attempts until something worked for the first time; after that it goes on for ever.
    retry: Option<Retry>,
}

impl Reader {
    pub(super) fn new(
        client: Client,
        config: ConsumerConfig,
        source: Source,
        member: Option<MemberConfig>,
        commit_interval: Option<Duration>,
        retry: Option<Retry>,
    ) -> Self {
        Self {
            consumer: Consumer::new(client, config),
            source,
            member: member.map(Membership::new),
            commit_interval,
            last_commit: Instant::now(),
            to_commit: BTreeMap::new(),
            waiting: VecDeque::new(),
            reading: None,
            retry,
        }
    }

    /// The next record, or `None` when none came within `wait_ms` milliseconds, more or less.
    pub(super) fn next(&mut self, wait_ms: i32) -> Result<Option<Consumed>, ClientError> {
        match self.attempt(wait_ms) {
            Ok(record) => {
                self.retry = None;
                Ok(record)
            }
            Err(error) if !error.is_retriable() => Err(error),
            Err(error) => {
                match &mut self.retry {
                    Some(retry) => retry.after(error)?,
                    None => {
                        (self.consumer.client().config().tell)(&error);
                        thread::sleep(PAUSE * 5);
                    }
                }
                Ok(None)
            }
        }
    }

    fn attempt(&mut self, wait_ms: i32) -> Result<Option<Consumed>, ClientError> {
        if let Some(member) = &mut self.member
            && self.reading.is_some()
            && member.beat(self.consumer.client())? == Pulse::Rejoin
        {
            self.commit();
            self.reading = None;
        }
        if self.commit_interval.is_some_and(|interval| self.last_commit.elapsed() >= interval) {
            self.commit();
        }
        if let Some(record) = self.waiting.pop_front() {
            return Ok(Some(record));
        }
        let is_old = |(sizes, since): &(Sizes, Instant)| {
            since.elapsed() >= if sizes.is_empty() { REFRESH_NOTHING } else { REFRESH }
        };
        if self.reading.as_ref().is_none_or(is_old) && !self.begin()? {
            thread::sleep(PAUSE);
            return Ok(None);
        }
        if self.consumer.assigned().next().is_none() {
            thread::sleep(PAUSE);
            return Ok(None);
        }
        self.waiting = self.consumer.poll(wait_ms)?;
        Ok(self.waiting.pop_front())
    }

    /// Finds out what to read, and whether there is anything.
    fn begin(&mut self) -> Result<bool, ClientError> {
        let sizes = match &self.source {
            Source::Partition(partition, offset) => {
                let (partition, offset) = (partition.clone(), *offset);
                let position = self.position(&partition, offset)?;
                self.consumer.assign(BTreeMap::from([(partition, Some(position))]));
                // A single partition stays the same for ever.
                self.reading = Some((Sizes::new(), Instant::now() + Duration::from_secs(u32::MAX.into())));
                return Ok(true);
            }
            Source::Topic(topic, create) => {
                let (topic, create) = (topic.clone(), *create);
                sizes(self.consumer.client(), Some((&topic, create)), |_| true)?
            }
            Source::Pattern(pattern, internal) => {
                let wanted = |name: &str| pattern.matches(name) && (*internal || !is_internal(name));
                sizes(self.consumer.client(), None, wanted)?
            }
        };
        if sizes.is_empty() && self.member.is_none() {
            return Ok(false);
        }
        if self.reading.as_ref().is_some_and(|(known, _)| *known == sizes) {
            self.reading = Some((sizes, Instant::now()));
            return Ok(true);
        }
        self.waiting.clear();
        let positions = match &mut self.member {
            Some(member) => {
                let topics: Vec<_> = sizes.keys().cloned().collect();
                let assigned = member.join(self.consumer.client(), &topics)?;
                // A partition without a committed offset begins where auto.offset.reset says.
                member.committed(self.consumer.client(), &assigned)?
            }
            None => sizes
                .iter()
                .flat_map(|(topic, size)| (0..*size).map(move |number| (topic, number)))
                .filter_map(|(topic, number)| Some(TopicPartition::new(topic, i32::try_from(number).ok()?)))
                .map(|partition| {
                    let position = self.consumer.position(&partition);
                    (partition, position)
                })
                .collect(),
        };
        self.to_commit.clear();
        self.consumer.assign(positions);
        self.reading = Some((sizes, Instant::now()));
        Ok(true)
    }

    fn position(&mut self, partition: &TopicPartition, offset: i64) -> Result<i64, ClientError> {
        let wanted = match offset {
            -2 => Wanted::Earliest,
            -1 => Wanted::Latest,
            offset => return Ok(offset),
        };
        let asked = BTreeMap::from([(partition.clone(), wanted)]);
        let found = self.consumer.client().offsets(&asked, false)?.remove(partition);
        let lost = || ClientError::Lost(format!("the broker does not answer for {partition}"));
        found.ok_or_else(lost)??.ok_or_else(lost)
    }

    /// Says that a record was shown, so that it may be committed.
    pub(super) fn shown(&mut self, record: &Consumed) {
        if self.member.is_some() && self.commit_interval.is_some() {
            self.to_commit.insert(record.partition.clone(), record.offset + 1);
        }
    }

    /// Commits what was shown. A failure is told; what is not committed is read again by whoever comes next.
    fn commit(&mut self) {
        self.last_commit = Instant::now();
        let Some(member) = &self.member else { return };
        if self.to_commit.is_empty() {
            return;
        }
        match member.commit(self.consumer.client(), &self.to_commit) {
            Ok(()) => self.to_commit.clear(),
            Err(error) => (self.consumer.client().config().tell)(&error),
        }
    }

    /// Commits and leaves the group.
    pub(super) fn close(mut self) -> Result<(), ClientError> {
        self.commit();
        match &mut self.member {
            Some(member) => member.leave(self.consumer.client()),
            None => Ok(()),
        }
    }
}

/// The topic, or all of them that are wanted. One that is not there (yet) is left out.
fn sizes(
    client: &mut Client,
    topic: Option<(&str, bool)>,
    wanted: impl Fn(&str) -> bool,
) -> Result<Sizes, ClientError> {
    let answer = match topic {
        Some((topic, create)) => client.metadata(Some(&[topic]), create)?,
        None => client.metadata(None, false)?,
    };
    let mut sizes = Sizes::new();
    for topic in answer.topics {
        let name = topic.name.as_deref().unwrap_or_default();
        match Code(topic.error_code) {
            Code::NONE if wanted(name) => {
                sizes.insert(name.to_owned(), topic.partitions.len());
            }
            code if code.is_retriable() || code == Code::UNKNOWN_TOPIC_OR_PARTITION => {}
            _ => ClientError::of(topic.error_code, None)?,
        }
    }
    Ok(sizes)
}
