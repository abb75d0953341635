//! The answer to a Fetch: what the session lets through, with the batches left in their files.

use std::hash::{BuildHasher, Hasher, RandomState};

use base::Offset;
use log::FileRange;
use wire::messages::fetch::{
    EpochEndOffset, FetchRequest, FetchResponse, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint,
    PartitionData,
};
use wire::{Payload, StrBytes};

use super::Fetch;
use super::read::Found;
use super::session::{PartitionKey, Shown, TopicKey, Wanted};
use super::sessions::{NO_SESSION, SessionError, Turn};
use crate::answer::reply;
use crate::broker::{CloseReason, Reply};
use crate::code::Code;
use crate::{partitions, throttle};

/// The whole request is refused (Kafka: `FetchRequest.getErrorResponse`).
pub(super) fn refused(asked: &FetchRequest, code: Code) -> FetchResponse {
    let topic = |topic: &wire::messages::fetch::FetchTopic| FetchableTopicResponse {
        topic: topic.topic.clone(),
        topic_id: topic.topic_id,
        partitions: topic.partitions.iter().map(|one| stranger(one.partition, code)).collect(),
    };
    FetchResponse {
        error_code: code.into(),
        responses: asked.topics.iter().map(topic).collect(),
        ..FetchResponse::default()
    }
}

/// One partition's part of the answer.
struct Part {
    key: PartitionKey,
    wanted: Wanted,
    data: PartitionData,
    files: Vec<FileRange>,
}

impl Part {
    fn shown(&self) -> Shown {
        Shown {
            high_watermark: Offset(self.data.high_watermark),
            log_start: Offset(self.data.log_start_offset),
            records: !self.files.is_empty(),
            error: self.data.error_code != Code::None.number(),
            diverging: self.data.diverging_epoch.epoch >= 0,
        }
    }
}

impl Fetch {
    /// Puts together what was found, as far as the session lets the client be told.
    pub(super) fn answer(self, found: Vec<Result<Found, Code>>) -> Result<Reply, CloseReason> {
        let throttle_ms = self.throttle_ms(&found);
        if throttle_ms > 0 {
            return self.held_back(throttle_ms);
        }
        let mut response = FetchResponse::default();
        let (parts, broker) = self.into_parts(found, &mut response);
        let Settled { parts, error, session } = broker.settle(parts);
        response.error_code = error.into();
        response.session_id = session;
        let mut files = Vec::with_capacity(parts.len());
        for mut part in parts {
            if !part.files.is_empty() {
                let slot = u32::try_from(files.len()).expect("a frame names fewer partitions than that");
                let len = part.files.iter().map(|range| range.len).sum();
                part.data.records = Some(Payload::External { len, slot });
                files.push(part.files);
            }
            push(&mut response.responses, &part.key.topic, part.data);
        }
        if broker.version < 16 {
            response.node_endpoints.clear();
        }
        reply(&response, broker.version, &files)
    }

    /// How long its client has to wait, if it has had too much with this.
    fn throttle_ms(&self, found: &[Result<Found, Code>]) -> i32 {
        let throttles = &self.broker.throttles;
        if !throttles.limits_fetches() {
            return 0;
        }
        let bytes = found.iter().flatten().map(|found| u64::from(found.bytes)).sum();
        let spent = self.spent + self.resumed.elapsed();
        let now = throttle::later(self.request.received_at, self.begun.elapsed());
        throttles.fetched(self.request.client_id(), bytes, spent, now)
    }

    /// The answer to a client that has to wait first: nothing, and no session begins (Kafka: `getThrottledResponse`).
    fn held_back(self, throttle_ms: i32) -> Result<Reply, CloseReason> {
        let settling = Settling {
            version: self.terms.version,
            turn: self.turn,
            now: self.request.received_at,
            broker: self.broker,
        };
        let mut response = FetchResponse::default();
        if let Turn::Incremental { .. } = settling.turn {
            let Settled { error, session, .. } = settling.settle(Vec::new());
            response.error_code = error.into();
            response.session_id = session;
        }
        let mut reply = reply(&response, settling.version, &[])?;
        reply.throttle(throttle_ms);
        Ok(reply)
    }

    fn into_parts(
        self,
        found: Vec<Result<Found, Code>>,
        response: &mut FetchResponse,
    ) -> (Vec<Part>, Settling) {
        let mut parts = Vec::with_capacity(self.targets.len() + self.strangers.len());
        for (target, found) in self.targets.iter().zip(found) {
            let index = target.key.index.0;
            let (mut data, files) = match found {
                Ok(found) => known(index, found),
                Err(code) => (failed(index, code), Vec::new()),
            };
            if self.terms.version >= 16 {
                self.add_leader(&target.key, &mut data, response);
            }
            parts.push(Part { key: target.key.clone(), wanted: target.wanted, data, files });
        }
        for (key, wanted, code) in self.strangers {
            let data = stranger(key.index.0, code);
            parts.push(Part { key, wanted, data, files: Vec::new() });
        }
        let settling = Settling {
            version: self.terms.version,
            turn: self.turn,
            now: self.request.received_at,
            broker: self.broker,
        };
        (parts, settling)
    }

    /// Tells a client that asked in the wrong place or with an old epoch where to go (KIP-951).
    fn add_leader(&self, key: &PartitionKey, data: &mut PartitionData, response: &mut FetchResponse) {
        let astray = [Code::NotLeaderOrFollower, Code::FencedLeaderEpoch];
        if astray.iter().all(|code| code.number() != data.error_code) {
            return;
        }
        let topics = self.broker.catalog.topics();
        let info = partitions::topic(&topics, &key.topic)
            .ok()
            .and_then(|topic| topic.partitions.get(usize::try_from(key.index.0).ok()?));
        let Some(info) = info else { return };
        let leader_id = info.leader.map_or(-1, |node| node.0);
        data.current_leader = LeaderIdAndEpoch { leader_id, leader_epoch: info.leader_epoch.0 };
        if response.node_endpoints.is_empty() && leader_id == self.broker.catalog.node_id().0 {
            let listener = &self.request.listener;
            response.node_endpoints.extend(listener.advertised.iter().map(|(host, port)| NodeEndpoint {
                node_id: leader_id,
                host: StrBytes::from(host.clone()),
                port: i32::from(*port),
                rack: listener.rack(),
            }));
        }
    }
}

/// What it takes to settle the session.
struct Settling {
    version: i16,
    turn: Turn,
    now: base::Millis,
    broker: std::sync::Arc<crate::Broker>,
}

struct Settled {
    parts: Vec<Part>,
    error: Code,
    session: i32,
}

impl Settling {
    fn settle(&self, mut parts: Vec<Part>) -> Settled {
        match self.turn {
            Turn::Sessionless => Settled { parts, error: Code::None, session: NO_SESSION },
            Turn::Full => {
                let answered = parts.iter().map(|part| (&part.key, part.wanted, part.shown()));
                let session =
                    self.broker.sessions.lock().create(self.version >= 13, answered, self.now, &mut random);
                Settled { parts, error: Code::None, session }
            }
            Turn::Incremental { session, epoch } => {
                let answers = parts.iter().map(|part| (&part.key, part.shown()));
                let told = self.broker.sessions.lock().answer(session, epoch, answers);
                match told {
                    Ok(told) => {
                        let mut told = told.into_iter();
                        parts.retain(|_| told.next().unwrap_or(true));
                        Settled { parts, error: Code::None, session }
                    }
                    Err(error) => {
                        let session = if error == SessionError::NotFound { NO_SESSION } else { session };
                        Settled { parts: Vec::new(), error: error.into(), session }
                    }
                }
            }
        }
    }
}

/// Any number, to name a session by. Only a guess at another client's session could do harm, and little.
fn random() -> i32 {
    // Each `RandomState` has fresh keys; the top bit goes, so that the number is not negative.
    (RandomState::new().build_hasher().finish() >> 33) as i32
}

/// Adds a partition to the topic it follows, or begins a new one.
fn push(topics: &mut Vec<FetchableTopicResponse>, key: &TopicKey, data: PartitionData) {
    let same = |last: &FetchableTopicResponse| match key {
        TopicKey::Name(name) => last.topic == *name,
        TopicKey::Id(id) => last.topic_id == *id,
    };
    match topics.last_mut() {
        Some(last) if same(last) => last.partitions.push(data),
        _ => {
            let mut topic = FetchableTopicResponse::default();
            match key {
                TopicKey::Name(name) => topic.topic = name.clone(),
                TopicKey::Id(id) => topic.topic_id = *id,
            }
            topic.partitions.push(data);
            topics.push(topic);
        }
    }
}

fn known(index: i32, found: Found) -> (PartitionData, Vec<FileRange>) {
    let diverging_epoch = found.diverging.map_or_else(EpochEndOffset::default, |(epoch, end)| {
        EpochEndOffset { epoch: epoch.0, end_offset: end.0 }
    });
    let data = PartitionData {
        partition_index: index,
        error_code: Code::None.into(),
        high_watermark: found.marks.high_watermark.0,
        last_stable_offset: found.marks.last_stable.0,
        log_start_offset: found.marks.log_start.0,
        diverging_epoch,
        aborted_transactions: found.aborted,
        records: Some(Payload::default()),
        ..PartitionData::default()
    };
    (data, found.ranges)
}

/// A partition that could not be read.
fn failed(index: i32, code: Code) -> PartitionData {
    PartitionData { aborted_transactions: None, ..stranger(index, code) }
}

/// A partition that nobody knows. Kafka sends an empty list of transactions here, and none where reading failed.
fn stranger(index: i32, code: Code) -> PartitionData {
    PartitionData {
        partition_index: index,
        error_code: code.into(),
        high_watermark: -1,
        last_stable_offset: -1,
        log_start_offset: -1,
        aborted_transactions: Some(Vec::new()),
        records: Some(Payload::default()),
        ..PartitionData::default()
    }
}
