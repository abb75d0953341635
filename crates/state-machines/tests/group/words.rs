//! From words to values, and from values to words.

use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset, PartitionIndex, Uuid};
use state_machines::group::{
    CommitPartition, CommitTopic, FetchTopic, FetchedTopic, Joined, LeftMember, Protocol, Record, Reply,
    TopicResults,
};

use crate::consumer_words;

/// The words of a command after its verb: options (`key=value`), and the rest.
pub(crate) struct Words<'a>(pub(crate) Vec<&'a str>);

impl<'a> Words<'a> {
    /// Takes an option out.
    pub(crate) fn option(&mut self, key: &str) -> Option<&'a str> {
        let place =
            self.0.iter().position(|word| word.split_once('=').is_some_and(|(name, _)| name == key))?;
        Some(self.0.remove(place).split_once('=').unwrap().1)
    }

    /// Takes a number out.
    pub(crate) fn number<T: std::str::FromStr>(&mut self, key: &str, default: T) -> T {
        self.option(key).map_or(default, |text| text.parse().ok().unwrap())
    }

    /// Takes out the protocols, all with the same metadata.
    pub(crate) fn protocols(&mut self) -> Vec<Protocol> {
        let topics = self.option("topics").unwrap_or("t");
        let owned = self.option("has");
        let metadata =
            self.option("raw").map_or_else(|| subscription(topics, owned), |raw| raw.as_bytes().to_vec());
        let names = self.option("protocols").unwrap_or("range").split(',').filter(|name| !name.is_empty());
        names.map(|name| Protocol { name: text(name), metadata: bytes(&metadata) }).collect()
    }

    /// Takes a word out.
    pub(crate) fn flag(&mut self, word: &str) -> bool {
        let place = self.0.iter().position(|known| *known == word);
        place.map(|place| self.0.remove(place)).is_some()
    }
}

pub(crate) fn text(text: &str) -> Arc<str> {
    Arc::from(text)
}

pub(crate) fn bytes(bytes: &[u8]) -> Arc<[u8]> {
    Arc::from(bytes)
}

/// What a consumer that reads these topics says of itself, without user data: in version 0, or in version 1 with what it holds.
fn subscription(topics: &str, owned: Option<&str>) -> Vec<u8> {
    let topics: Vec<&str> = topics.split(',').filter(|topic| !topic.is_empty()).collect();
    let mut metadata = vec![0, u8::from(owned.is_some())];
    metadata.extend(u32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        put_text(&mut metadata, topic);
    }
    metadata.extend((-1_i32).to_be_bytes());
    if let Some(owned) = owned {
        put_partitions(&mut metadata, owned);
    }
    metadata
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
    bytes.extend(text.as_bytes());
}

/// `t:0,1+u:0`, `-` for nothing.
fn put_partitions(bytes: &mut Vec<u8>, words: &str) {
    let topics: Vec<_> = words.split('+').filter(|word| *word != "-").collect();
    bytes.extend(u32::try_from(topics.len()).unwrap().to_be_bytes());
    for topic in topics {
        let (name, indexes) = topic.split_once(':').unwrap();
        put_text(bytes, name);
        let indexes: Vec<i32> = indexes.split(',').map(|index| index.parse().unwrap()).collect();
        bytes.extend(u32::try_from(indexes.len()).unwrap().to_be_bytes());
        indexes.iter().for_each(|index| bytes.extend(index.to_be_bytes()));
    }
}

/// What a leader assigns: `t:0,1+u:0` as consumers write it, with `!` at the end with data of its assignor's own; any other word
/// as it is.
pub(crate) fn assignment(word: &str) -> Arc<[u8]> {
    let (partitions, data) = word.strip_suffix('!').map_or((word, false), |rest| (rest, true));
    if !partitions.contains(':') && partitions != "-" {
        return bytes(word.as_bytes());
    }
    let mut assignment = vec![0, 1];
    put_partitions(&mut assignment, partitions);
    assignment.extend(if data { 1_i32 } else { -1 }.to_be_bytes());
    assignment.extend(data.then_some(7));
    bytes(&assignment)
}

/// `t-0`
pub(crate) fn partition(word: &str) -> (Arc<str>, PartitionIndex) {
    let (topic, index) = word.rsplit_once('-').unwrap();
    (text(topic), PartitionIndex(index.parse().unwrap()))
}

/// `t-0=5 t-1=6`
pub(crate) fn commits(words: &[&str], metadata: &str, topic_id: Uuid) -> Vec<CommitTopic> {
    let topic = |word: &&str| {
        let (place, offset) = word.split_once('=').unwrap();
        let (name, index) = partition(place);
        let partition = CommitPartition {
            index,
            offset: Offset(offset.parse().unwrap()),
            leader_epoch: LeaderEpoch(0),
            metadata: text(metadata),
        };
        CommitTopic { name, topic_id, partitions: vec![partition] }
    };
    words.iter().map(topic).collect()
}

/// `t-0 t-1`
pub(crate) fn fetches(words: &[&str], topic_id: Uuid) -> Option<Vec<FetchTopic>> {
    let topic = |word: &&str| {
        let (name, index) = partition(word);
        FetchTopic { name, topic_id, partitions: vec![index] }
    };
    (!words.is_empty()).then(|| words.iter().map(topic).collect())
}

/// `a-00000000-0000-0000-0000-000000000001` is told as `a-1`, and one without a name as `#1`.
pub(crate) fn id(id: &str) -> String {
    let short = id.len().checked_sub(37).and_then(|at| id.split_at_checked(at));
    let number = short.and_then(|(_, uuid)| Uuid::parse_str(uuid.strip_prefix('-')?).ok());
    match (short, number) {
        (Some((name, _)), Some(number)) => format!("{name}-{}", number.as_u128()),
        _ if id.is_empty() => "nobody".to_owned(),
        _ if Uuid::parse_str(id).is_ok() => format!("#{}", Uuid::parse_str(id).unwrap().as_u128()),
        _ => id.to_owned(),
    }
}

fn maybe(text: &Option<Arc<str>>) -> &str {
    text.as_deref().unwrap_or("none")
}

pub(crate) fn share(assignment: &[u8]) -> String {
    match assignment {
        [] => "nothing".to_owned(),
        [0, version, rest @ ..] => format!("v{version} {}", named_partitions(rest)),
        text => std::str::from_utf8(text).unwrap().to_owned(),
    }
}

/// What [`put_partitions`] wrote, in the same words.
fn named_partitions(mut bytes: &[u8]) -> String {
    let mut take = |length: usize| {
        let (taken, rest) = bytes.split_at(length);
        bytes = rest;
        taken.iter().fold(0_usize, |number, byte| number << 8 | usize::from(*byte))
    };
    let mut topics = Vec::new();
    for _ in 0..take(4) {
        let name: String = (0..take(2)).map(|_| char::from(u8::try_from(take(1)).unwrap())).collect();
        let indexes: Vec<_> = (0..take(4)).map(|_| take(4).to_string()).collect();
        topics.push(format!("{name}:{}", indexes.join(",")));
    }
    if topics.is_empty() { "-".to_owned() } else { topics.join("+") }
}

pub(crate) fn reply(reply: &Reply) -> String {
    match reply {
        Reply::Join(Ok(member)) => joined(member),
        Reply::Join(Err(refused)) => format!("{:?} as {}", refused.error, id(&refused.member_id)),
        Reply::Sync(Ok(synced)) => format!(
            "synced {} {}: {}",
            maybe(&synced.protocol_type),
            maybe(&synced.protocol),
            share(&synced.assignment)
        ),
        Reply::Heartbeat(Ok(())) => "alive".to_owned(),
        Reply::Leave(Ok(left)) => left.iter().map(left_member).collect::<Vec<_>>().join(", "),
        Reply::CommitOffsets(Ok(topics)) => results("committed", topics),
        Reply::DeleteOffsets(Ok(topics)) => results("deleted", topics),
        Reply::DeleteGroups(groups) => groups
            .iter()
            .map(|(group, result)| format!("{group}: {}", outcome("deleted", *result)))
            .collect::<Vec<_>>()
            .join(", "),
        Reply::ConsumerHeartbeat(reply) => consumer_words::heartbeat(reply),
        Reply::Sync(Err(error))
        | Reply::Heartbeat(Err(error))
        | Reply::Leave(Err(error))
        | Reply::CommitOffsets(Err(error))
        | Reply::DeleteOffsets(Err(error)) => format!("{error:?}"),
    }
}

fn joined(joined: &Joined) -> String {
    let protocol = format!("{} {}", maybe(&joined.protocol_type), maybe(&joined.protocol));
    let mut told = format!("generation {} as {}, {protocol}, ", joined.generation, id(&joined.member_id));
    if joined.members.is_empty() {
        told.push_str(&format!("{} leads", id(&joined.leader)));
        return told;
    }
    let members = joined.members.iter().map(|member| match &member.instance_id {
        Some(instance) => format!("{}({instance})", id(&member.member_id)),
        None => id(&member.member_id),
    });
    told.push_str(&format!("{} leads {}", id(&joined.leader), members.collect::<Vec<_>>().join(" ")));
    if joined.skip_assignment {
        told.push_str(", need not assign");
    }
    told
}

fn left_member(left: &LeftMember) -> String {
    let name = match &left.instance_id {
        Some(instance) => format!("{}({instance})", id(&left.member_id)),
        None => id(&left.member_id),
    };
    format!("{name} {}", outcome("left", left.result))
}

fn outcome(fine: &str, result: Result<(), state_machines::group::GroupError>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |()| fine.to_owned())
}

fn results(fine: &str, topics: &[TopicResults]) -> String {
    let all = topics.iter().flat_map(|topic| {
        let one = |(index, result): &(PartitionIndex, Result<(), _>)| {
            format!("{}-{index} {}", topic.name, outcome(fine, *result))
        };
        topic.partitions.iter().map(one).collect::<Vec<_>>()
    });
    all.collect::<Vec<_>>().join(", ")
}

pub(crate) fn fetched(topics: &[FetchedTopic]) -> Vec<String> {
    let mut lines = Vec::new();
    for topic in topics {
        for partition in &topic.partitions {
            let place = format!("{}-{}", topic.name, partition.index);
            lines.push(match (partition.unstable, partition.offset) {
                (true, _) => format!("{place}: UnstableOffsetCommit"),
                (false, Offset::NONE) => format!("{place}: none"),
                (false, offset) if partition.metadata.is_empty() => format!("{place}: {offset}"),
                (false, offset) => format!("{place}: {offset} {:?}", partition.metadata),
            });
        }
    }
    if lines.is_empty() { vec!["no offsets".to_owned()] } else { lines }
}

pub(crate) fn record(record: &Record) -> String {
    match record {
        Record::OffsetCommit { key, value: None } => {
            format!("log: {} {}-{} gone", key.group, key.topic, key.partition)
        }
        Record::OffsetCommit { key, value: Some(value) } => {
            let expires = match value.expire_timestamp {
                Millis::NONE => String::new(),
                at => format!(", until {at}"),
            };
            format!("log: {} {}-{} at {}{expires}", key.group, key.topic, key.partition, value.offset)
        }
        Record::GroupMetadata { group, value: None } => format!("log: {group} gone"),
        Record::GroupMetadata { group, value: Some(value) } if value.members.is_empty() => {
            format!("log: {group} generation {}, empty", value.generation)
        }
        Record::GroupMetadata { group, value: Some(value) } => {
            let member = |member: &state_machines::group::StoredMember| {
                format!("{}={}", id(&member.member_id), share(&member.assignment))
            };
            let members: Vec<_> = value.members.iter().map(member).collect();
            format!(
                "log: {group} generation {}, {}, {} leads {}",
                value.generation,
                maybe(&value.protocol),
                id(value.leader.as_deref().unwrap_or_default()),
                members.join(" ")
            )
        }
        of_consumers => consumer_words::record(of_consumers).unwrap(),
    }
}
