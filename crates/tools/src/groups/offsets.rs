//! `--delete-offsets`.

use std::collections::{BTreeMap, BTreeSet};

use client::{Client, ClientError, Code, LATEST, TopicPartition};
use wire::messages::offset_delete::{
    OffsetDeleteRequest, OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};

use super::reset::partitions_of;
use super::{MISSING, complain};
use crate::call::{Call, Failure, exception};

pub(super) fn delete(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let group = call.options.required("group")?.to_owned();
    let mut partitions = BTreeSet::new();
    // Topics that are not there are rows without a partition.
    let mut missing = Vec::new();
    for text in call.options.all("topic") {
        match partitions_of(client, text) {
            Ok(found) => partitions.extend(found),
            Err(Failure::Client(error)) if error.code() == Some(Code::UNKNOWN_TOPIC_OR_PARTITION) => {
                missing.push(text.to_owned());
            }
            Err(failure) => return Err(failure),
        }
    }
    let mut topics: Vec<OffsetDeleteRequestTopic> = Vec::new();
    for partition in &partitions {
        let place = OffsetDeleteRequestPartition { partition_index: partition.partition };
        match topics.last_mut().filter(|topic| topic.name == *partition.topic) {
            Some(topic) => topic.partitions.push(place),
            None => topics.push(OffsetDeleteRequestTopic {
                name: partition.topic.clone().into(),
                partitions: vec![place],
            }),
        }
    }
    let answer = client.persist(|client| {
        let answer = client.ask_coordinator(&group, LATEST, |_| OffsetDeleteRequest {
            group_id: group.clone().into(),
            topics: topics.clone(),
        })?;
        match Code(answer.error_code) {
            code if code.is_retriable() => ClientError::of(answer.error_code, None).map(|()| answer),
            _ => Ok(answer),
        }
    })?;
    let whole = Code(answer.error_code);
    let mut results: BTreeMap<TopicPartition, Code> =
        partitions.into_iter().map(|partition| (partition, whole)).collect();
    for topic in &answer.topics {
        for partition in &topic.partitions {
            let at = TopicPartition::new(&topic.name, partition.partition_index);
            results.insert(at, Code(partition.error_code));
        }
    }
    if whole.is_error() {
        complain(call, whole.name())?;
    } else if results.values().any(|code| code.is_error()) {
        complain(call, "Encountered some partition-level error, see the follow-up details.")?;
    } else {
        writeln!(call.out, "Request succeeded for deleting offsets from group {group}.")?;
    }
    results.extend(
        missing.iter().map(|topic| (TopicPartition::new(topic, -1), Code::UNKNOWN_TOPIC_OR_PARTITION)),
    );
    let width = results.keys().map(|partition| partition.topic.chars().count()).max().unwrap_or(0).max(15);
    write!(call.out, "\n{:<width$} {:<10} {:<15}", "TOPIC", "PARTITION", "STATUS")?;
    for (partition, code) in &results {
        let number = partition.partition;
        let number = if number < 0 { MISSING.to_owned() } else { number.to_string() };
        let status = if code.is_error() {
            format!("Error: {}: {code}", exception(*code))
        } else {
            "Successful".to_owned()
        };
        write!(call.out, "\n{:<width$} {number:<10} {status:<15}", partition.topic)?;
    }
    Ok(writeln!(call.out)?)
}
