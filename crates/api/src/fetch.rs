//! Fetch (key 1): record batches on their way out.
//!
//! A request is settled in steps: its session says which partitions it fetches ([`sessions`]), each is read up to the
//! limits ([`read`]), and either that is enough ([`enough`]) or the request waits for a mark to move ([`wait`]). The
//! batches leave as they are stored, as stretches of segment files; nothing is copied or unpacked here ([`answer`]).
//!
//! Only consumers fetch. A request that says it comes from a replica is answered as Kafka answers one that is not in the
//! replica set.

mod answer;
mod enough;
mod read;
mod session;
mod sessions;
mod wait;

use std::sync::Arc;
use std::time::Duration;

use base::{LeaderEpoch, Offset, PartitionIndex, Uuid};
use partition::Isolation;
use tokio::time::Instant;
use wire::StrBytes;
use wire::messages::fetch::{FetchPartition, FetchRequest, FetchResponse, ForgottenTopic};

use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Pending, Request};
use crate::code::Code;
use crate::partitions;

use read::Target;
use session::{PartitionKey, Wanted};
use sessions::{Ask, Turn};

pub(crate) use session::TopicKey;
pub(crate) use sessions::{SessionError, Sessions};

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: FetchRequest = body(request)?;
    // Never more at once than its quota lets through, or it would never get on.
    let most = broker.settings.fetch_max_bytes();
    let most = broker.throttles.most_fetched(request.client_id()).map_or(most, |quota| most.min(quota));
    let Some(terms) = Terms::of(&asked, version, most) else {
        return ready(&answer::refused(&asked, Code::InvalidRequest), version);
    };
    let begun = broker.sessions.lock().begin(ask(&asked, version), request.received_at);
    let (turn, wanted) = match begun {
        Ok(begun) => begun,
        Err(error) => {
            tracing::debug!(client = request.client_id(), session = asked.session_id, %error, "a Fetch was refused");
            let response = FetchResponse { error_code: Code::from(error).into(), ..FetchResponse::default() };
            return ready(&response, version);
        }
    };
    let fetch = Fetch::new(broker.clone(), request.envelope(), turn, terms, wanted);
    let found = fetch.read();
    // With nothing but unknown partitions there is nothing to wait for.
    if fetch.targets.is_empty() || fetch.terms.wait.is_zero() || *broker.stopping.borrow() {
        return fetch.answer(found).map(Pending::Ready);
    }
    match wait::Watch::unless_enough(&fetch, &found) {
        None => fetch.answer(found).map(Pending::Ready),
        Some(watch) => Ok(wait::later(fetch, watch)),
    }
}

/// A request whose partitions are settled.
struct Fetch {
    broker: Arc<Broker>,
    request: Request,
    turn: Turn,
    terms: Terms,
    /// What can be read, in the order it is read.
    targets: Vec<Target>,
    /// What the metadata does not know. Answered behind the others, and no reason to answer early.
    strangers: Vec<(PartitionKey, Wanted, Code)>,
    begun: Instant,
    /// What it took of a thread before `resumed`.
    spent: Duration,
    /// When it began to be answered, or was taken up again after waiting.
    resumed: Instant,
}

impl Fetch {
    fn new(
        broker: Arc<Broker>,
        request: Request,
        turn: Turn,
        terms: Terms,
        wanted: Vec<(PartitionKey, Wanted)>,
    ) -> Self {
        let topics = broker.catalog.topics();
        let (mut targets, mut strangers) = (Vec::with_capacity(wanted.len()), Vec::new());
        for (key, wanted) in wanted {
            let topic = match partitions::topic(&topics, &key.topic) {
                Ok(topic) => topic,
                Err(code) => {
                    strangers.push((key, wanted, code));
                    continue;
                }
            };
            match partitions::partition(&broker.catalog, topic, key.index.0) {
                Err(code @ Code::UnknownTopicOrPartition) => strangers.push((key, wanted, code)),
                found => {
                    let settings =
                        (terms.version < 10).then(|| broker.catalog.topic_settings(topic.id)).flatten();
                    targets.push(Target::new(key, wanted, found, settings.as_deref(), &terms));
                }
            }
        }
        let begun = Instant::now();
        Self {
            broker,
            request,
            turn,
            terms,
            targets,
            strangers,
            begun,
            spent: Duration::ZERO,
            resumed: begun,
        }
    }
}

/// What a request says about all of its partitions.
#[derive(Clone, Copy, Debug)]
struct Terms {
    version: i16,
    isolation: Isolation,
    /// The broker id of a follower.
    follower: Option<i32>,
    min_bytes: u64,
    /// `None` when the request names a negative limit.
    max_bytes: Option<u32>,
    wait: Duration,
}

impl Terms {
    /// `None` when the isolation level is none that exists.
    fn of(asked: &FetchRequest, version: i16, fetch_max_bytes: i32) -> Option<Self> {
        let isolation = match asked.isolation_level {
            0 => Isolation::ReadUncommitted,
            1 => Isolation::ReadCommitted,
            _ => return None,
        };
        let replica = if version >= 15 { asked.replica_state.replica_id } else { asked.replica_id };
        let max_bytes = u32::try_from(asked.max_bytes.min(fetch_max_bytes)).ok();
        let min_bytes = u32::try_from(asked.min_bytes).unwrap_or(0).min(max_bytes.unwrap_or(0));
        Some(Self {
            version,
            isolation,
            follower: (replica >= 0).then_some(replica),
            min_bytes: u64::from(min_bytes),
            max_bytes,
            wait: Duration::from_millis(u64::try_from(asked.max_wait_ms).unwrap_or(0)),
        })
    }
}

fn ask(asked: &FetchRequest, version: i16) -> Ask {
    let wanted = asked
        .topics
        .iter()
        .flat_map(|topic| {
            let topic_key = topic_key(&topic.topic, topic.topic_id, version);
            topic
                .partitions
                .iter()
                .map(move |partition| (key(&topic_key, partition.partition), wanted(partition)))
        })
        .collect();
    let forget = |topic: &ForgottenTopic| {
        let topic_key = topic_key(&topic.topic, topic.topic_id, version);
        topic.partitions.iter().map(|&index| key(&topic_key, index)).collect::<Vec<_>>()
    };
    Ask {
        session: asked.session_id,
        epoch: asked.session_epoch,
        by_id: version >= 13,
        wanted,
        forgotten: asked.forgotten_topics_data.iter().flat_map(forget).collect(),
    }
}

fn topic_key(name: &StrBytes, id: Uuid, version: i16) -> TopicKey {
    if version >= 13 { TopicKey::Id(id) } else { TopicKey::Name(name.clone()) }
}

fn key(topic: &TopicKey, index: i32) -> PartitionKey {
    PartitionKey { topic: topic.clone(), index: PartitionIndex(index) }
}

fn wanted(partition: &FetchPartition) -> Wanted {
    Wanted {
        offset: Offset(partition.fetch_offset),
        max_bytes: partition.partition_max_bytes,
        leader_epoch: LeaderEpoch(partition.current_leader_epoch),
        last_fetched_epoch: LeaderEpoch(partition.last_fetched_epoch),
    }
}
