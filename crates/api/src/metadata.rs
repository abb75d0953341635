//! Metadata (key 3): which topics there are, and where.
//!
//! A topic that does not exist is answered with UNKNOWN_TOPIC_OR_PARTITION even when it is being created because of this
//! very request, as a KRaft broker does; the client asks again and finds it (Kafka: `AutoTopicCreationManager`).
//! This node is the only one alive: a partition of a larger cluster that is led elsewhere has no leader here.

use std::collections::HashSet;
use std::sync::Arc;

use base::{NodeId, Uuid};
use catalog::{Catalog, NewTopic, TopicError, Topics};
use parking_lot::Mutex;
use state_machines::topics::{PartitionInfo, Topic, name};
use wire::StrBytes;
use wire::messages::metadata::{
    MetadataRequest, MetadataRequestTopic, MetadataResponse, MetadataResponseBroker,
    MetadataResponsePartition, MetadataResponseTopic,
};

use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Listener, Request};
use crate::code::Code;
use crate::operations;
use crate::throttle::Leave;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: MetadataRequest = body(request)?;
    if asked.topics.iter().flatten().any(|topic| is_unclear(topic, version)) {
        return ready(&refused(asked), version);
    }
    let topics = broker.catalog.topics();
    let node = broker.catalog.node_id();
    let here = Here { node, is_advertised: request.listener.advertised.is_some() };
    let show = |topic: &Topic| shown(topic, here, version);
    let (mut unknown_ids, mut known, missing) = match asked.topics {
        None => (Vec::new(), topics.iter().map(|topic| show(topic)).collect(), Vec::new()),
        Some(list) if list.is_empty() && version == 0 => {
            (Vec::new(), topics.iter().map(|topic| show(topic)).collect(), Vec::new())
        }
        Some(list) => look_up(&topics, &list, show),
    };
    let may_create = asked.allow_auto_topic_creation && broker.settings.auto_create_topics_enable();
    known.extend(missing.iter().map(absent));
    if may_create {
        create(broker, &missing, request);
    }
    if asked.include_topic_authorized_operations {
        for topic in &mut known {
            topic.topic_authorized_operations = operations::ON_TOPIC;
        }
    }
    unknown_ids.append(&mut known);
    let response = MetadataResponse {
        brokers: this_broker(node, &request.listener),
        cluster_id: Some(StrBytes::from(broker.catalog.cluster_id().to_owned())),
        controller_id: node.0,
        topics: unknown_ids,
        cluster_authorized_operations: if asked.include_cluster_authorized_operations {
            operations::ON_CLUSTER
        } else {
            operations::NOT_ASKED
        },
        ..MetadataResponse::default()
    };
    ready(&response, version)
}

/// This node, as whoever asks sees it.
#[derive(Clone, Copy)]
struct Here {
    node: NodeId,
    /// Whether the listener that is asked has an advertised address.
    is_advertised: bool,
}

fn this_broker(node: NodeId, listener: &Listener) -> Vec<MetadataResponseBroker> {
    let at = |(host, port): &(String, u16)| MetadataResponseBroker {
        node_id: node.0,
        host: StrBytes::from(host.clone()),
        port: i32::from(*port),
        rack: listener.rack(),
    };
    listener.advertised.iter().map(at).collect()
}

/// A topic that names nothing, or is named by id in a version that has ids only in the answer.
fn is_unclear(topic: &MetadataRequestTopic, version: i16) -> bool {
    match topic.name {
        None => version < 12 || topic.topic_id.is_nil(),
        Some(_) => version < 12 && !topic.topic_id.is_nil(),
    }
}

/// The whole request is refused (Kafka: `MetadataRequest.getErrorResponse`).
fn refused(asked: MetadataRequest) -> MetadataResponse {
    let code = Code::InvalidRequest;
    MetadataResponse {
        topics: asked
            .topics
            .unwrap_or_default()
            .into_iter()
            .map(|topic| MetadataResponseTopic {
                error_code: code.into(),
                name: Some(topic.name.unwrap_or_default()),
                topic_id: topic.topic_id,
                ..MetadataResponseTopic::default()
            })
            .collect(),
        error_code: code.into(),
        ..MetadataResponse::default()
    }
}

/// What a request by name or id finds, each topic once: unknown ids, known topics, unknown names. When it names any id,
/// its names are not looked at.
fn look_up(
    topics: &Topics,
    asked: &[MetadataRequestTopic],
    show: impl Fn(&Topic) -> MetadataResponseTopic,
) -> (Vec<MetadataResponseTopic>, Vec<MetadataResponseTopic>, Vec<StrBytes>) {
    let (mut unknown_ids, mut known, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    if asked.iter().any(|topic| !topic.topic_id.is_nil()) {
        let mut seen = HashSet::new();
        for id in asked.iter().map(|topic| topic.topic_id) {
            if id.is_nil() || !seen.insert(id) {
                continue;
            }
            match topics.by_id(id) {
                Some(topic) => known.push(show(topic)),
                None => unknown_ids.push(MetadataResponseTopic {
                    error_code: Code::UnknownTopicId.into(),
                    name: None,
                    topic_id: id,
                    ..MetadataResponseTopic::default()
                }),
            }
        }
    } else {
        let mut seen = HashSet::new();
        for name in asked.iter().filter_map(|topic| topic.name.as_ref()) {
            if !seen.insert(name) {
                continue;
            }
            match topics.by_name(name) {
                Some(topic) => known.push(show(topic)),
                None => missing.push(name.clone()),
            }
        }
    }
    (unknown_ids, known, missing)
}

fn absent(topic: &StrBytes) -> MetadataResponseTopic {
    let code =
        if name::check(topic).is_ok() { Code::UnknownTopicOrPartition } else { Code::InvalidTopicException };
    MetadataResponseTopic {
        error_code: code.into(),
        name: Some(topic.clone()),
        topic_id: Uuid::nil(),
        is_internal: name::is_internal(topic),
        ..MetadataResponseTopic::default()
    }
}

fn shown(topic: &Topic, here: Here, version: i16) -> MetadataResponseTopic {
    MetadataResponseTopic {
        error_code: Code::None.into(),
        name: Some(StrBytes::from(topic.name.to_string())),
        topic_id: topic.id,
        is_internal: name::is_internal(&topic.name),
        partitions: (0..)
            .zip(&topic.partitions)
            .map(|(index, info)| place(index, info, here, version))
            .collect(),
        ..MetadataResponseTopic::default()
    }
}

/// Where a partition is (Kafka: `KRaftMetadataCache.getPartitionMetadata`). Version 0 leaves out replicas that are not
/// alive, and says so with an error.
fn place(index: i32, info: &PartitionInfo, here: Here, version: i16) -> MetadataResponsePartition {
    let node = here.node;
    let alive = |nodes: &[NodeId]| -> Vec<i32> {
        nodes.iter().filter(|one| version > 0 || **one == node).map(|one| one.0).collect()
    };
    let (replicas, isr) = (alive(&info.replicas), alive(&info.isr));
    let led_here = info.leader == Some(node);
    let code = if !led_here {
        Code::LeaderNotAvailable
    } else if !here.is_advertised {
        // Kafka: `errorUnavailableListeners`.
        if version >= 6 { Code::ListenerNotFound } else { Code::LeaderNotAvailable }
    } else if replicas.len() < info.replicas.len() || isr.len() < info.isr.len() {
        Code::ReplicaNotAvailable
    } else {
        Code::None
    };
    MetadataResponsePartition {
        error_code: code.into(),
        partition_index: index,
        leader_id: if led_here && here.is_advertised { node.0 } else { -1 },
        leader_epoch: info.leader_epoch.0,
        replica_nodes: replicas,
        isr_nodes: isr,
        offline_replicas: offline(info, node),
    }
}

/// The replicas that are not alive: all but this node.
pub(crate) fn offline(info: &PartitionInfo, node: NodeId) -> Vec<i32> {
    info.replicas.iter().filter(|one| **one != node).map(|one| one.0).collect()
}

/// Begins to create topics that a request named, unless that is under way already. Nobody waits for it: whoever asks
/// for the topic again finds it.
fn create(broker: &Arc<Broker>, names: &[StrBytes], request: &Request) {
    // Kafka makes an internal topic with settings of its own. Whoever needs one here will do so; until then nobody does.
    let wanted = names.iter().filter(|topic| name::check(topic).is_ok() && !name::is_internal(topic));
    let under_way = UnderWay::begin(&broker.creating, wanted);
    if under_way.new.is_empty() {
        return;
    }
    let catalog: Arc<Catalog> = broker.catalog.clone();
    let now = request.received_at;
    // As if the client had asked with CreateTopics; a topic that it has to wait for is not there yet.
    let mut leave = Leave::ask(broker, request, 0);
    tracing::debug!(topics = ?under_way.new, client = request.client_id(), peer = %request.peer, "creating on demand");
    tokio::task::spawn_blocking(move || {
        let wishes = under_way.new.iter().map(NewTopic::with_defaults).collect();
        let created =
            catalog.create_topics_with(wishes, false, now, &mut |partitions| leave.permits(partitions));
        for (topic, created) in under_way.new.iter().zip(created) {
            match created {
                Ok(_) => {}
                Err(TopicError::Catalog(error)) => tracing::warn!(topic, %error, "not created on demand"),
                Err(error) => tracing::debug!(topic, %error, "not created on demand"),
            }
        }
    });
}

/// Topics that this request creates, kept from others as long as it lives.
struct UnderWay {
    creating: Arc<Mutex<HashSet<String>>>,
    new: Vec<String>,
}

impl UnderWay {
    fn begin<'a>(creating: &Arc<Mutex<HashSet<String>>>, names: impl Iterator<Item = &'a StrBytes>) -> Self {
        let new = {
            let mut creating = creating.lock();
            names.map(|name| name.as_str().to_owned()).filter(|name| creating.insert(name.clone())).collect()
        };
        Self { creating: creating.clone(), new }
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut creating = self.creating.lock();
        for name in &self.new {
            creating.remove(name);
        }
    }
}
