//! A member of a consumer group in the protocol of KIP-848: the broker assigns, and the member owns what it was given once
//! it has said so (Kafka: `ConsumerMembershipManager`).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::thread;
use std::time::{Duration, Instant};

use base::Uuid;
use wire::StrBytes;
use wire::messages::consumer_group_heartbeat::{
    Assignment, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};

use crate::client::LATEST;
use crate::member::{MemberConfig, Pulse};
use crate::{Client, ClientError, Code, TopicPartition};

/// The pause between two heartbeats of a member that waits for its first share.
const PAUSE: Duration = Duration::from_millis(100);
/// The epoch that joins.
const JOIN: i32 = 0;
/// The epochs that leave: for good, and for a while as a static member.
const LEAVE: i32 = -1;
const LEAVE_FOR_A_WHILE: i32 = -2;

/// A member, between its heartbeats.
#[derive(Debug)]
pub struct ConsumerMember {
    config: MemberConfig,
    /// Made up by the member itself.
    id: StrBytes,
    epoch: i32,
    /// What it wants, as it was said last.
    topics: Vec<String>,
    names: BTreeMap<Uuid, String>,
    /// What it owns, by topic id.
    owned: BTreeMap<Uuid, Vec<i32>>,
    /// What it is to own, and does not yet.
    given: Option<BTreeMap<Uuid, Vec<i32>>>,
    interval: Duration,
    last_heartbeat: Instant,
}

impl ConsumerMember {
    /// A member that has not joined.
    #[must_use]
    pub fn new(config: MemberConfig) -> Self {
        let drawn = || RandomState::new().build_hasher().finish();
        Self {
            id: format!("{:016x}{:016x}", drawn(), drawn()).into(),
            epoch: JOIN,
            topics: Vec::new(),
            names: BTreeMap::new(),
            owned: BTreeMap::new(),
            given: None,
            interval: config.heartbeat_interval,
            last_heartbeat: Instant::now(),
            config,
        }
    }

    /// Takes what the broker has given, or waits for it; tells first which topics are wanted where that is new. The broker
    /// hears at once that what was owned before is given up.
    ///
    /// # Errors
    /// When the coordinator cannot be reached within the client's patience, or refuses.
    pub fn join(
        &mut self,
        client: &mut Client,
        topics: &[String],
    ) -> Result<Vec<TopicPartition>, ClientError> {
        if self.topics != topics {
            self.topics = topics.to_vec();
            self.tell(client, true)?;
        }
        while self.given.is_none() && self.epoch == JOIN {
            thread::sleep(PAUSE);
            self.tell(client, true)?;
        }
        if let Some(given) = self.given.take() {
            self.owned = given;
            self.tell(client, false)?;
        }
        let mut partitions = Vec::new();
        for (id, numbers) in &self.owned {
            let Some(name) = self.names.get(id) else { continue };
            partitions.extend(numbers.iter().map(|number| TopicPartition::new(name, *number)));
        }
        Ok(partitions)
    }

    /// Sends a heartbeat if one is due.
    ///
    /// # Errors
    /// When the coordinator refuses for good. One that is not there for a while is asked again with the next heartbeat.
    pub fn beat(&mut self, client: &mut Client) -> Result<Pulse, ClientError> {
        if self.given.is_none() && self.last_heartbeat.elapsed() >= self.interval {
            self.last_heartbeat = Instant::now();
            match self.heartbeat(client, self.epoch, false) {
                Err(error) if error.is_retriable() => {}
                answer => self.hear(client, answer)?,
            }
        }
        Ok(if self.given.is_some() || self.epoch == JOIN { Pulse::Rejoin } else { Pulse::Steady })
    }

    /// Its number of life in the group, which commits carry.
    pub(crate) const fn epoch(&self) -> i32 {
        self.epoch
    }

    pub(crate) const fn id(&self) -> &StrBytes {
        &self.id
    }

    pub(crate) const fn config(&self) -> &MemberConfig {
        &self.config
    }

    /// Leaves the group; a static member may come back to its share (KIP-848, as KIP-345).
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or refuses.
    pub fn leave(&mut self, client: &mut Client) -> Result<(), ClientError> {
        if self.epoch == JOIN {
            return Ok(());
        }
        let epoch = if self.config.instance.is_some() { LEAVE_FOR_A_WHILE } else { LEAVE };
        self.heartbeat(client, epoch, false)?;
        self.epoch = JOIN;
        Ok(())
    }

    /// A heartbeat that must arrive.
    fn tell(&mut self, client: &mut Client, whole: bool) -> Result<(), ClientError> {
        let mut retry = client.retry();
        loop {
            self.last_heartbeat = Instant::now();
            match self.heartbeat(client, self.epoch, whole || self.epoch == JOIN) {
                Err(error) if error.is_retriable() => retry.after(error)?,
                answer => return self.hear(client, answer),
            }
        }
    }

    /// One heartbeat; `whole` says what the member wants, not only what it has.
    fn heartbeat(
        &self,
        client: &mut Client,
        epoch: i32,
        whole: bool,
    ) -> Result<ConsumerGroupHeartbeatResponse, ClientError> {
        let owned = |(id, numbers): (&Uuid, &Vec<i32>)| TopicPartitions {
            topic_id: *id,
            partitions: numbers.clone(),
        };
        let topics = || self.topics.iter().map(|topic| topic.clone().into()).collect();
        let rebalance_timeout = i32::try_from(self.config.rebalance_timeout.as_millis()).unwrap_or(i32::MAX);
        let request = ConsumerGroupHeartbeatRequest {
            group_id: self.config.group.clone().into(),
            member_id: self.id.clone(),
            member_epoch: epoch,
            instance_id: self.config.instance.clone().map(StrBytes::from),
            rebalance_timeout_ms: if whole { rebalance_timeout } else { -1 },
            subscribed_topic_names: whole.then(topics),
            topic_partitions: (epoch >= JOIN).then(|| self.owned.iter().map(owned).collect()),
            ..ConsumerGroupHeartbeatRequest::default()
        };
        let answer = client.ask_coordinator(&self.config.group, LATEST, |_| request)?;
        ClientError::of(answer.error_code, answer.error_message.as_deref()).map(|()| answer)
    }

    fn hear(
        &mut self,
        client: &mut Client,
        answer: Result<ConsumerGroupHeartbeatResponse, ClientError>,
    ) -> Result<(), ClientError> {
        let answer = match answer {
            // Who is not known (any more) owns nothing and begins anew.
            Err(error)
                if matches!(error.code(), Some(Code::UNKNOWN_MEMBER_ID | Code::FENCED_MEMBER_EPOCH)) =>
            {
                self.epoch = JOIN;
                self.owned.clear();
                self.given = None;
                return Ok(());
            }
            answer => answer?,
        };
        self.epoch = answer.member_epoch;
        if let Ok(interval) = u64::try_from(answer.heartbeat_interval_ms)
            && interval > 0
        {
            self.interval = Duration::from_millis(interval);
        }
        if let Some(assignment) = answer.assignment {
            self.given = Some(self.named(client, assignment)?);
        }
        Ok(())
    }

    /// An assignment, of which every topic has a name here; one that is not there any more is left out.
    fn named(
        &mut self,
        client: &mut Client,
        assignment: Assignment,
    ) -> Result<BTreeMap<Uuid, Vec<i32>>, ClientError> {
        let given: BTreeMap<_, _> =
            assignment.topic_partitions.into_iter().map(|topic| (topic.topic_id, topic.partitions)).collect();
        if given.keys().any(|id| !self.names.contains_key(id)) {
            let topics = client.persist(|client| client.metadata(None, false))?.topics;
            let known =
                topics.into_iter().filter_map(|topic| Some((topic.topic_id, topic.name?.to_string())));
            self.names = known.collect();
        }
        Ok(given.into_iter().filter(|(id, _)| self.names.contains_key(id)).collect())
    }
}
