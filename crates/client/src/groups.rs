//! Groups from outside: what their coordinators say of them.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use wire::consumer_protocol::{ConsumerProtocol, ConsumerProtocolAssignment};
use wire::messages::consumer_group_describe::{Assignment, ConsumerGroupDescribeRequest};
use wire::messages::describe_groups::DescribeGroupsRequest;
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_fetch::{
    OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use wire::{Request, StrBytes};

use crate::client::LATEST;
use crate::{Client, ClientError, Code, TopicPartition};

/// The last version of OffsetFetch that names topics instead of giving their ids.
const BY_NAME: i16 = 9;

/// A committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the last record that was read, if it is known.
    pub leader_epoch: Option<i32>,
}

/// A group of consumers, of either protocol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// `group.id`.
    pub group: String,
    /// Kafka's name of the state; `Dead` for a group that is not there, where the broker says no more.
    pub state: String,
    /// The assignor, empty where there is none.
    pub assignor: String,
    /// The coordinator: its node, and HOST:PORT.
    pub coordinator: (i32, String),
    /// The group's epoch and that of its assignment (KIP-848); none in the classic protocol.
    pub epochs: Option<(i32, i32)>,
    /// Its members.
    pub members: Vec<MemberDescription>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDescription {
    /// The id that its coordinator or the member itself has made up.
    pub id: String,
    /// `group.instance.id`.
    pub instance: Option<String>,
    /// `client.id`.
    pub client: String,
    /// Where it is connected from.
    pub host: String,
    /// What it has.
    pub assigned: BTreeSet<TopicPartition>,
    /// What it is to have, and the member's epoch (KIP-848).
    pub target: Option<(BTreeSet<TopicPartition>, i32)>,
    /// Whether it speaks the protocol of KIP-848, if the broker says so.
    pub upgraded: Option<bool>,
}

impl Client {
    /// Describes a group as Kafka's admin client does: as one of KIP-848, and where it is none, as one of the classic
    /// protocol.
    ///
    /// # Errors
    /// When the coordinator does not answer, refuses, or does not know the group.
    pub fn describe_group(&mut self, group: &str) -> Result<GroupDescription, ClientError> {
        self.persist(|client| {
            let coordinator = client.coordinator(group)?;
            match client.describe_consumer_group(group, &coordinator) {
                Err(ClientError::NotServed { .. }) => client.describe_classic_group(group, coordinator),
                Err(error)
                    if matches!(error.code(), Some(Code::GROUP_ID_NOT_FOUND | Code::UNSUPPORTED_VERSION)) =>
                {
                    client.describe_classic_group(group, coordinator)
                }
                described => described,
            }
        })
    }

    fn describe_consumer_group(
        &mut self,
        group: &str,
        coordinator: &(i32, String),
    ) -> Result<GroupDescription, ClientError> {
        let group_ids = vec![group.to_owned().into()];
        let answer = self.call(&coordinator.1, LATEST, |_| ConsumerGroupDescribeRequest {
            group_ids,
            include_authorized_operations: false,
        })?;
        let found = answer.groups.into_iter().next().ok_or_else(|| no_answer(group))?;
        ClientError::of(found.error_code, found.error_message.as_deref())?;
        let member = |member: wire::messages::consumer_group_describe::Member| MemberDescription {
            id: member.member_id.to_string(),
            instance: member.instance_id.map(|id| id.to_string()),
            client: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assigned: partitions_of(&member.assignment),
            target: Some((partitions_of(&member.target_assignment), member.member_epoch)),
            upgraded: (member.member_type != -1).then_some(member.member_type == 1),
        };
        Ok(GroupDescription {
            group: group.to_owned(),
            state: found.group_state.to_string(),
            assignor: found.assignor_name.to_string(),
            coordinator: coordinator.clone(),
            epochs: Some((found.group_epoch, found.assignment_epoch)),
            members: found.members.into_iter().map(member).collect(),
        })
    }

    fn describe_classic_group(
        &mut self,
        group: &str,
        coordinator: (i32, String),
    ) -> Result<GroupDescription, ClientError> {
        let groups = vec![group.to_owned().into()];
        let answer = self.call(&coordinator.1, LATEST, |_| DescribeGroupsRequest {
            groups,
            include_authorized_operations: false,
        })?;
        let found = answer.groups.into_iter().next().ok_or_else(|| no_answer(group))?;
        ClientError::of(found.error_code, found.error_message.as_deref())?;
        if !matches!(&*found.protocol_type, "consumer" | "") {
            let kind = &found.protocol_type;
            return Err(ClientError::NoConsumers(format!(
                "GroupId {group} is not a consumer group ({kind})."
            )));
        }
        let member = |member: wire::messages::describe_groups::DescribedGroupMember| MemberDescription {
            id: member.member_id.to_string(),
            instance: member.group_instance_id.map(|id| id.to_string()),
            client: member.client_id.to_string(),
            host: member.client_host.to_string(),
            assigned: assigned(&member.member_assignment),
            target: None,
            upgraded: None,
        };
        Ok(GroupDescription {
            group: group.to_owned(),
            state: found.group_state.to_string(),
            assignor: found.protocol_data.to_string(),
            coordinator,
            epochs: None,
            members: found.members.into_iter().map(member).collect(),
        })
    }

    /// Commits offsets of a group without members.
    ///
    /// # Errors
    /// When the coordinator does not answer, or refuses.
    pub fn commit(
        &mut self,
        group: &str,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(), ClientError> {
        self.persist(|client| commit_as(client, group, &StrBytes::default(), None, -1, offsets))
    }

    /// Asks the coordinator of a group once.
    ///
    /// # Errors
    /// When there is none, or no answer.
    pub fn ask_coordinator<R: Request>(
        &mut self,
        group: &str,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let (_, address) = self.coordinator(group)?;
        self.call(&address, up_to, make)
    }

    /// All offsets that a group has committed.
    ///
    /// # Errors
    /// When the coordinator does not answer, or refuses.
    pub fn committed(&mut self, group: &str) -> Result<BTreeMap<TopicPartition, Committed>, ClientError> {
        self.committed_of(group, None)
    }

    /// The same of some partitions only, as a member asks for them: not before what transactions may still change is
    /// settled.
    pub(crate) fn committed_of(
        &mut self,
        group: &str,
        partitions: Option<&[TopicPartition]>,
    ) -> Result<BTreeMap<TopicPartition, Committed>, ClientError> {
        let group_id: StrBytes = group.to_owned().into();
        let mut by_topic: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for partition in partitions.unwrap_or_default() {
            by_topic.entry(&partition.topic).or_default().push(partition.partition);
        }
        let asked = partitions.map(|_| by_topic);
        let answer = self.persist(|client| {
            let answer = client.ask_coordinator(group, BY_NAME, |version| {
                let require_stable = version >= 7 && asked.is_some();
                let mut request = OffsetFetchRequest { require_stable, ..OffsetFetchRequest::default() };
                if version < 8 {
                    request.group_id = group_id.clone();
                    let one = |(name, numbers): (&&str, &Vec<i32>)| OffsetFetchRequestTopic {
                        name: (*name).to_owned().into(),
                        partition_indexes: numbers.clone(),
                    };
                    request.topics = asked.as_ref().map(|asked| asked.iter().map(one).collect());
                } else {
                    let one = |(name, numbers): (&&str, &Vec<i32>)| OffsetFetchRequestTopics {
                        name: (*name).to_owned().into(),
                        partition_indexes: numbers.clone(),
                        ..OffsetFetchRequestTopics::default()
                    };
                    request.topics = Some(Vec::new());
                    request.groups = vec![OffsetFetchRequestGroup {
                        group_id: group_id.clone(),
                        topics: asked.as_ref().map(|asked| asked.iter().map(one).collect()),
                        ..OffsetFetchRequestGroup::default()
                    }];
                }
                request
            })?;
            ClientError::of(answer.error_code, None)?;
            answer.groups.iter().try_for_each(|group| ClientError::of(group.error_code, None))?;
            Ok(answer)
        })?;
        let mut committed = BTreeMap::new();
        let mut keep = |topic: &str, partition: i32, offset: i64, epoch: i32, code: i16| {
            ClientError::of(code, None)?;
            if offset >= 0 {
                let leader_epoch = Some(epoch).filter(|epoch| *epoch >= 0);
                committed.insert(TopicPartition::new(topic, partition), Committed { offset, leader_epoch });
            }
            Ok::<_, ClientError>(())
        };
        for topic in &answer.topics {
            for each in &topic.partitions {
                let epoch = each.committed_leader_epoch;
                keep(&topic.name, each.partition_index, each.committed_offset, epoch, each.error_code)?;
            }
        }
        for topic in answer.groups.iter().flat_map(|group| &group.topics) {
            for each in &topic.partitions {
                let epoch = each.committed_leader_epoch;
                keep(&topic.name, each.partition_index, each.committed_offset, epoch, each.error_code)?;
            }
        }
        Ok(committed)
    }
}

/// Commits offsets once, as a member or as nobody.
pub(crate) fn commit_as(
    client: &mut Client,
    group: &str,
    member_id: &StrBytes,
    instance: Option<&str>,
    generation: i32,
    offsets: &BTreeMap<TopicPartition, i64>,
) -> Result<(), ClientError> {
    let mut topics: Vec<OffsetCommitRequestTopic> = Vec::new();
    for (partition, offset) in offsets {
        let place = OffsetCommitRequestPartition {
            partition_index: partition.partition,
            committed_offset: *offset,
            committed_metadata: Some(StrBytes::default()),
            ..OffsetCommitRequestPartition::default()
        };
        match topics.last_mut().filter(|topic| topic.name == *partition.topic) {
            Some(topic) => topic.partitions.push(place),
            None => topics.push(OffsetCommitRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![place],
                ..OffsetCommitRequestTopic::default()
            }),
        }
    }
    let request = OffsetCommitRequest {
        group_id: group.to_owned().into(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.clone(),
        group_instance_id: instance.map(|instance| instance.to_owned().into()),
        topics,
        ..OffsetCommitRequest::default()
    };
    let answer = client.ask_coordinator(group, BY_NAME, |_| request)?;
    let mut results = answer.topics.iter().flat_map(|topic| &topic.partitions);
    results.try_for_each(|partition| ClientError::of(partition.error_code, None))
}

fn no_answer(group: &str) -> ClientError {
    ClientError::Lost(format!("no answer for group {group}"))
}

fn partitions_of(assignment: &Assignment) -> BTreeSet<TopicPartition> {
    let topics = assignment.topic_partitions.iter();
    topics
        .flat_map(|topic| {
            topic.partitions.iter().map(|number| TopicPartition::new(&topic.topic_name, *number))
        })
        .collect()
}

/// The partitions that a member of a classic group has. One whose assignment cannot be read (it is no consumer's) has none.
fn assigned(assignment: &Bytes) -> BTreeSet<TopicPartition> {
    if assignment.is_empty() {
        return BTreeSet::new();
    }
    match ConsumerProtocolAssignment::decode_versioned(assignment.clone()) {
        Ok((assignment, _)) => (assignment.assigned_partitions.iter())
            .flat_map(|topic| {
                topic.partitions.iter().map(|number| TopicPartition::new(&topic.topic, *number))
            })
            .collect(),
        Err(_) => BTreeSet::new(),
    }
}
