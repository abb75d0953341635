//! A member of a consumer group, in the classic protocol with the range assignor (Kafka: `ConsumerCoordinator`).

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use bytes::Bytes;
use wire::consumer_protocol::{
    self, ConsumerProtocol, ConsumerProtocolAssignment, ConsumerProtocolSubscription,
};
use wire::messages::heartbeat::HeartbeatRequest;
use wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol, JoinGroupResponse};
use wire::messages::leave_group::{LeaveGroupRequest, MemberIdentity};
use wire::messages::sync_group::{SyncGroupRequest, SyncGroupRequestAssignment};
use wire::{Request, StrBytes};

use crate::client::LATEST;
use crate::membership::GroupProtocol;
use crate::{Client, ClientError, Code, TopicPartition};

/// The version of subscriptions and assignments that is written: that of a member without anything to keep.
const PROTOCOL_VERSION: i16 = 0;

/// The only assignor.
const RANGE: &str = "range";

/// How a member lives; the names are Kafka's.
#[derive(Clone, Debug)]
pub struct MemberConfig {
    /// `group.id`.
    pub group: String,
    /// `group.instance.id`.
    pub instance: Option<String>,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `group.protocol`.
    pub protocol: GroupProtocol,
    /// `max.poll.interval.ms`: how long a rebalance waits for the member.
    pub rebalance_timeout: Duration,
}

/// A member, between its joins.
#[derive(Debug)]
pub struct Member {
    config: MemberConfig,
    /// Empty before the first join.
    id: StrBytes,
    generation: i32,
    last_heartbeat: Instant,
}

/// What a heartbeat comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pulse {
    /// Go on.
    Steady,
    /// Join again.
    Rejoin,
}

impl Member {
    /// A member that has not joined.
    #[must_use]
    pub fn new(config: MemberConfig) -> Self {
        Self { config, id: StrBytes::default(), generation: -1, last_heartbeat: Instant::now() }
    }

    /// Joins the group for these topics, until there is an assignment; makes it where this member leads.
    ///
    /// # Errors
    /// When the coordinator cannot be reached within the client's patience, or refuses.
    pub fn join(
        &mut self,
        client: &mut Client,
        topics: &[String],
    ) -> Result<Vec<TopicPartition>, ClientError> {
        let mut retry = client.retry();
        loop {
            match self.try_join(client, topics) {
                Ok(assigned) => {
                    self.last_heartbeat = Instant::now();
                    return Ok(assigned);
                }
                Err(error) => match error.code() {
                    Some(Code::MEMBER_ID_REQUIRED | Code::REBALANCE_IN_PROGRESS) => {}
                    Some(Code::UNKNOWN_MEMBER_ID | Code::ILLEGAL_GENERATION) => self.forget(),
                    _ => retry.after(error)?,
                },
            }
        }
    }

    fn forget(&mut self) {
        self.id = StrBytes::default();
        self.generation = -1;
    }

    fn try_join(
        &mut self,
        client: &mut Client,
        topics: &[String],
    ) -> Result<Vec<TopicPartition>, ClientError> {
        let subscription = ConsumerProtocolSubscription {
            topics: topics.iter().map(|topic| topic.clone().into()).collect(),
            ..ConsumerProtocolSubscription::default()
        };
        let metadata = encoded(&subscription)?;
        let joined = self.join_group(client, metadata)?;
        if Code(joined.error_code) == Code::MEMBER_ID_REQUIRED {
            self.id = joined.member_id.detached();
        }
        ClientError::of(joined.error_code, None)?;
        self.id = joined.member_id.detached();
        self.generation = joined.generation_id;
        let assignments = if joined.leader == joined.member_id && !joined.skip_assignment {
            assign(client, &joined)?
        } else {
            Vec::new()
        };
        let request = SyncGroupRequest {
            group_id: self.config.group.clone().into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance(),
            protocol_type: Some("consumer".into()),
            protocol_name: Some(RANGE.into()),
            assignments,
        };
        // The leader may take its time.
        let answer = self.ask(client, self.config.rebalance_timeout, LATEST, |_| request)?;
        ClientError::of(answer.error_code, None)?;
        if answer.assignment.is_empty() {
            return Ok(Vec::new());
        }
        let (assignment, _) = ConsumerProtocolAssignment::decode_versioned(answer.assignment)
            .map_err(|why| ClientError::nonsense(&self.config.group, &why))?;
        let partitions = assignment.assigned_partitions.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| TopicPartition::new(&topic.topic, *partition))
        });
        Ok(partitions.collect())
    }

    fn join_group(&self, client: &mut Client, metadata: Bytes) -> Result<JoinGroupResponse, ClientError> {
        let millis = |duration: Duration| i32::try_from(duration.as_millis()).unwrap_or(i32::MAX);
        let request = JoinGroupRequest {
            group_id: self.config.group.clone().into(),
            session_timeout_ms: millis(self.config.session_timeout),
            rebalance_timeout_ms: millis(self.config.rebalance_timeout),
            member_id: self.id.clone(),
            group_instance_id: self.instance(),
            protocol_type: "consumer".into(),
            protocols: vec![JoinGroupRequestProtocol { name: RANGE.into(), metadata }],
            reason: None,
        };
        // A rebalance waits for the other members, and then a little.
        let patience = self.config.rebalance_timeout + client.config().request_timeout;
        self.ask(client, patience, LATEST, |_| request)
    }

    fn instance(&self) -> Option<StrBytes> {
        self.config.instance.clone().map(StrBytes::from)
    }

    fn ask<R: Request>(
        &self,
        client: &mut Client,
        patience: Duration,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let (_, address) = client.coordinator(&self.config.group)?;
        client.on(&address, |connection| connection.call(up_to, patience, make))
    }

    /// Sends a heartbeat if one is due.
    ///
    /// # Errors
    /// When the coordinator refuses for good. One that is not there for a while is asked again with the next heartbeat.
    pub fn beat(&mut self, client: &mut Client) -> Result<Pulse, ClientError> {
        if self.last_heartbeat.elapsed() < self.config.heartbeat_interval {
            return Ok(Pulse::Steady);
        }
        self.last_heartbeat = Instant::now();
        let request = HeartbeatRequest {
            group_id: self.config.group.clone().into(),
            generation_id: self.generation,
            member_id: self.id.clone(),
            group_instance_id: self.instance(),
        };
        let patience = client.config().request_timeout;
        let answer = self.ask(client, patience, LATEST, |_| request);
        match answer.and_then(|answer| ClientError::of(answer.error_code, None)) {
            Ok(()) => Ok(Pulse::Steady),
            Err(error) => match error.code() {
                Some(Code::REBALANCE_IN_PROGRESS) => Ok(Pulse::Rejoin),
                Some(Code::UNKNOWN_MEMBER_ID | Code::ILLEGAL_GENERATION) => {
                    self.forget();
                    Ok(Pulse::Rejoin)
                }
                _ if error.is_retriable() => Ok(Pulse::Steady),
                _ => Err(error),
            },
        }
    }

    pub(crate) const fn id(&self) -> &StrBytes {
        &self.id
    }

    pub(crate) const fn generation(&self) -> i32 {
        self.generation
    }

    pub(crate) const fn config(&self) -> &MemberConfig {
        &self.config
    }

    /// Leaves the group, so that others need not wait for the session to end. A static member stays (KIP-345).
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or refuses.
    pub fn leave(&mut self, client: &mut Client) -> Result<(), ClientError> {
        if self.id.is_empty() || self.config.instance.is_some() {
            return Ok(());
        }
        let (group_id, member_id) = (StrBytes::from(self.config.group.clone()), self.id.clone());
        let patience = client.config().request_timeout;
        let answer = self.ask(client, patience, LATEST, |version| match version {
            ..3 => LeaveGroupRequest { group_id, member_id, ..LeaveGroupRequest::default() },
            3.. => {
                let members = vec![MemberIdentity { member_id, ..MemberIdentity::default() }];
                LeaveGroupRequest { group_id, members, ..LeaveGroupRequest::default() }
            }
        })?;
        self.forget();
        ClientError::of(answer.error_code, None)
    }
}

fn encoded<M: ConsumerProtocol>(message: &M) -> Result<Bytes, ClientError> {
    message
        .encode_versioned(PROTOCOL_VERSION)
        .map_err(|cause| ClientError::Encode { api: wire::ApiKey::JoinGroup, cause })
}

/// What each member gets, as SyncGroup has it.
fn assign(
    client: &mut Client,
    joined: &JoinGroupResponse,
) -> Result<Vec<SyncGroupRequestAssignment>, ClientError> {
    let mut wants: Vec<(String, Vec<String>)> = Vec::new();
    for member in &joined.members {
        let (said, _) = ConsumerProtocolSubscription::decode_versioned(member.metadata.clone())
            .map_err(|why| ClientError::nonsense(&member.member_id, &why))?;
        wants.push((member.member_id.to_string(), said.topics.iter().map(ToString::to_string).collect()));
    }
    let mut topics: Vec<_> = wants.iter().flat_map(|(_, topics)| topics.clone()).collect();
    topics.sort_unstable();
    topics.dedup();
    let names: Vec<_> = topics.iter().map(String::as_str).collect();
    let answer = client.metadata(Some(&names), false)?;
    // A topic that is not there has no partitions yet.
    let sizes: BTreeMap<String, i32> = (answer.topics.iter())
        .filter_map(|topic| {
            let count = i32::try_from(topic.partitions.len()).ok()?;
            Some((topic.name.as_ref()?.to_string(), count))
        })
        .collect();
    range(&wants, &sizes)
        .into_iter()
        .map(|(member, partitions)| {
            let assigned_partitions = (partitions.into_iter())
                .map(|(topic, partitions)| consumer_protocol::TopicPartition {
                    topic: topic.into(),
                    partitions,
                })
                .collect();
            let assignment = ConsumerProtocolAssignment { assigned_partitions, user_data: None };
            Ok(SyncGroupRequestAssignment { member_id: member.into(), assignment: encoded(&assignment)? })
        })
        .collect()
}

type Shares = BTreeMap<String, BTreeMap<String, Vec<i32>>>;

/// Of each topic each member gets a range; the first ones, by id, one partition more (Kafka: `RangeAssignor`).
fn range(wants: &[(String, Vec<String>)], sizes: &BTreeMap<String, i32>) -> Shares {
    let mut shares: Shares = wants.iter().map(|(member, _)| (member.clone(), BTreeMap::new())).collect();
    for (topic, size) in sizes {
        let mut members: Vec<_> =
            wants.iter().filter(|(_, topics)| topics.contains(topic)).map(|(member, _)| member).collect();
        members.sort_unstable();
        let count = i32::try_from(members.len()).unwrap_or(i32::MAX).max(1);
        let mut next = 0;
        for (member, at) in members.into_iter().zip(0..) {
            let share = size / count + i32::from(at < size % count);
            if share > 0
                && let Some(topics) = shares.get_mut(member)
            {
                topics.insert(topic.clone(), (next..next + share).collect());
            }
            next += share;
        }
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_even_and_the_first_get_more() {
        let want = |member: &str, topics: &[&str]| {
            (member.to_owned(), topics.iter().map(|topic| (*topic).to_owned()).collect())
        };
        let wants = [want("b", &["t", "u"]), want("a", &["t"]), want("c", &["t", "gone"])];
        let sizes = BTreeMap::from([("t".to_owned(), 4), ("u".to_owned(), 2)]);
        let shares = range(&wants, &sizes);
        let share = |member: &str, topic: &str| shares[member].get(topic).cloned().unwrap_or_default();
        assert_eq!((share("a", "t"), share("b", "t"), share("c", "t")), (vec![0, 1], vec![2], vec![3]));
        assert_eq!((share("b", "u"), shares["c"].len()), (vec![0, 1], 1));
    }
}
