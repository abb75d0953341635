//! Produce (key 0): record batches on their way in.
//!
//! When [`handle`] returns, every batch that is let through has its place in its log; what may be left over is waiting
//! for the high watermark ([`ack`]). A partition fails alone. Kafka's order of checks
//! (`KafkaApis.handleProduceRequest`, `ReplicaManager.appendToLocalLog`): transactional batches refuse the whole
//! request; then per partition whether it exists, the shape of its records, acks, internal topics, the batch itself, and
//! last, in `partition`, the producer's epoch and sequence.

mod ack;
mod verdict;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use base::{Millis, Uuid};
use bytes::Bytes;
use catalog::Catalog;
use records::{BatchHeader, BatchRules, CheckedBatch, Codec, Refusal, TopicCompression};
use settings::{Compression, TimestampType, TopicSettings};
use state_machines::topics::{Topic, name};
use wire::messages::produce::{ProduceRequest, TopicProduceData};
use wire::{Payload, StrBytes};

use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, CloseReason, Pending, Request};
use crate::code::Code;
use crate::fetch::TopicKey;
use crate::partitions;

use ack::Promise;
use verdict::{Answers, Failure, Verdict};

/// What the Java admin client calls itself; it alone may write into internal topics.
const ADMIN_CLIENT: &str = "__admin_client";

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ProduceRequest = body(request)?;
    let answers = if asked.topic_data.iter().any(has_transactional_batch) {
        broker.refuse_transaction(request, asked.transactional_id.as_deref());
        refuse_all(&asked, Code::TransactionalIdAuthorizationFailed)
    } else {
        append_all(&broker.catalog, &asked, request)
    };
    match asked.acks {
        0 => match answers.first_failure() {
            None => Ok(Pending::Silent { mute: Duration::ZERO }),
            Some(code) => Err(CloseReason::ProduceFailed { code }),
        },
        acks => {
            let promise = Promise::new(&answers, acks, asked.timeout_ms);
            if promise.is_kept() {
                return ready(&answers.into_response(&broker.catalog, request), version);
            }
            Ok(ack::later(promise, answers.detached(), broker.catalog.clone(), request.envelope()))
        }
    }
}

fn refuse_all(asked: &ProduceRequest, code: Code) -> Answers {
    let mut answers = Answers::default();
    for topic in &asked.topic_data {
        answers.topic(topic);
        for partition in &topic.partition_data {
            answers.partition(partition.index, Verdict::Failed(Failure::bare(code)));
        }
    }
    answers
}

fn append_all(catalog: &Catalog, asked: &ProduceRequest, request: &Request) -> Answers {
    let known = catalog.topics();
    let twice = named_twice(asked, request.version());
    let gate = Gate {
        catalog,
        version: request.version(),
        acks_valid: matches!(asked.acks, -1..=1),
        may_write_internal: request.client_id() == ADMIN_CLIENT,
        now: request.received_at,
    };
    let mut answers = Answers::default();
    for data in &asked.topic_data {
        let key = key(data, gate.version);
        let topic = partitions::topic(&known, &key).map(|topic| (topic.as_ref(), rules(catalog, topic)));
        answers.topic(data);
        for partition in &data.partition_data {
            let verdict = if twice.contains(&(key.clone(), partition.index)) {
                let text = "the partition is named twice in the request; nothing was written";
                Verdict::Failed(Failure::bare(Code::InvalidRequest).because(&text))
            } else {
                match &topic {
                    Err(code) => Verdict::Failed(Failure::bare(*code)),
                    Ok((topic, rules)) => {
                        gate.append(topic, rules, partition.index, partition.records.as_ref())
                    }
                }
            };
            if let Verdict::Failed(failure) = &verdict {
                let why = failure.message.as_deref().unwrap_or_default();
                tracing::debug!(
                    client = request.client_id(),
                    correlation_id = request.header.correlation_id,
                    topic = topic.as_ref().map_or("", |(topic, _)| &topic.name),
                    partition = partition.index,
                    code = %failure.code,
                    why,
                    "a Produce was refused"
                );
            }
            answers.partition(partition.index, verdict);
        }
    }
    answers
}

fn key(data: &TopicProduceData, version: i16) -> TopicKey {
    if version >= 13 { TopicKey::Id(data.topic_id) } else { TopicKey::Name(data.name.clone()) }
}

/// The partitions that stand more than once in the request. Kafka keeps the last batch of each and drops the others
/// without a word; here such a partition is refused, so that nothing is lost in silence.
fn named_twice(asked: &ProduceRequest, version: i16) -> HashSet<(TopicKey, i32)> {
    let mut twice = HashSet::new();
    if asked.topic_data.iter().map(|topic| topic.partition_data.len()).sum::<usize>() > 1 {
        let mut seen = HashSet::new();
        for topic in &asked.topic_data {
            for partition in &topic.partition_data {
                let named = (key(topic, version), partition.index);
                if let Some(named) = seen.replace(named) {
                    twice.insert(named);
                }
            }
        }
    }
    twice
}

/// Whether the first batch of any partition is part of a transaction (Kafka: `RequestUtils.hasTransactionalRecords`).
fn has_transactional_batch(topic: &TopicProduceData) -> bool {
    topic.partition_data.iter().filter_map(|partition| bytes_of(partition.records.as_ref())).any(|records| {
        BatchHeader::parse(records)
            .is_ok_and(|header| records.len() >= header.size() && header.attributes.is_transactional())
    })
}

fn bytes_of(records: Option<&Payload>) -> Option<&Bytes> {
    match records {
        Some(Payload::Bytes(bytes)) => Some(bytes),
        // External never comes out of decoding.
        Some(Payload::External { .. }) | None => None,
    }
}

/// What stands between a batch and its log.
struct Gate<'a> {
    catalog: &'a Catalog,
    version: i16,
    acks_valid: bool,
    may_write_internal: bool,
    now: Millis,
}

impl Gate<'_> {
    fn append(&self, topic: &Topic, rules: &BatchRules, index: i32, records: Option<&Payload>) -> Verdict {
        match self.try_append(topic, rules, index, records) {
            Ok(verdict) => verdict,
            Err(failure) => Verdict::Failed(failure),
        }
    }

    fn try_append(
        &self,
        topic: &Topic,
        rules: &BatchRules,
        index: i32,
        records: Option<&Payload>,
    ) -> Result<Verdict, Failure> {
        let partition = partitions::partition(self.catalog, topic, index).map_err(Failure::bare)?;
        let records = bytes_of(records).ok_or_else(|| Failure::of_shape(&Refusal::NoBatch))?;
        let checked = self.check(records, rules);
        if let Err(refusal) = &checked
            && is_of_shape(refusal)
        {
            return Err(Failure::of_shape(refusal));
        }
        if !self.acks_valid {
            return Err(Failure::bare(Code::InvalidRequiredAcks));
        }
        if name::is_internal(&topic.name) && !self.may_write_internal {
            return Err(Failure::bare(Code::InvalidTopicException));
        }
        let batch = checked.map_err(|refusal| Failure::of_batch(refusal, &partition))?;
        match partition.append(&batch, self.now) {
            Ok(appended) => Ok(Verdict::Appended { appended, partition }),
            Err(error) => Err(Failure::of_append(&error, &partition)),
        }
    }

    fn check(&self, records: &Bytes, rules: &BatchRules) -> Result<CheckedBatch, Refusal> {
        records::check(records, self.version, rules, self.now)
    }
}

/// What Kafka finds before it looks at anything but the request (`ProduceRequest.validateRecords`).
fn is_of_shape(refusal: &Refusal) -> bool {
    matches!(
        refusal,
        Refusal::NoBatch
            | Refusal::OldMagic(_)
            | Refusal::UnknownMagic(_)
            | Refusal::Length(_)
            | Refusal::ZstdTooEarly { .. }
            | Refusal::SecondBatch
    )
}

/// What the topic asks of a batch.
fn rules(catalog: &Catalog, topic: &Topic) -> BatchRules {
    catalog.topic_settings(topic.id).map_or_else(BatchRules::default, |settings| rules_of(&settings))
}

fn rules_of(settings: &TopicSettings) -> BatchRules {
    let level = |level: i32| (level != -1).then_some(level);
    BatchRules {
        compression: match settings.compression {
            Compression::Producer => TopicCompression::Producer,
            Compression::None => TopicCompression::Codec(Codec::None, None),
            Compression::Gzip(gzip) => TopicCompression::Codec(Codec::Gzip, level(gzip)),
            Compression::Snappy => TopicCompression::Codec(Codec::Snappy, None),
            Compression::Lz4 => TopicCompression::Codec(Codec::Lz4, None),
            Compression::Zstd(zstd) => TopicCompression::Codec(Codec::Zstd, Some(zstd)),
        },
        timestamp_type: match settings.timestamp_type {
            TimestampType::CreateTime => records::TimestampType::CreateTime,
            TimestampType::LogAppendTime => records::TimestampType::LogAppendTime,
        },
        max_message_bytes: usize::try_from(settings.max_message_bytes).unwrap_or(usize::MAX),
        timestamp_before_max_ms: settings.timestamp_before_max_ms,
        timestamp_after_max_ms: settings.timestamp_after_max_ms,
        keys_required: settings.compact,
        ..BatchRules::default()
    }
}

/// A topic as the request names it, for the answer.
#[derive(Clone, Debug, Default)]
struct Named {
    name: StrBytes,
    id: Uuid,
}
