//! `kafka-delete-records.sh`: deletes records up to an offset (Kafka: `DeleteRecordsCommand`).

use std::collections::BTreeMap;

use client::{ClientError, LATEST, TopicPartition};
use serde_json::Value;
use wire::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsRequest, DeleteRecordsTopic};

use crate::call::{Call, Failure, named};
use crate::json;
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Deletes the records of partitions up to an offset.",
    flags: &[
        BOOTSTRAP,
        Flag {
            name: "offset-json-file",
            takes: Takes::Value("FILE"),
            help: "what to delete: {\"partitions\": [{\"topic\": \"t\", \"partition\": 0, \"offset\": 7}], \"version\": 1}",
        },
        COMMAND_CONFIG,
    ],
    word: Word::None,
};

const TIMEOUT_MS: i32 = 60_000;

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    let content = json::read(call.options.required("offset-json-file")?)?;
    let offsets = offsets(&content).map_err(Failure::Told)?;
    let mut client = call.client("ottla-delete-records", COMMAND_CONFIG.name)?;
    writeln!(call.out, "Executing records delete operation")?;
    let topics: Vec<_> = offsets.keys().map(|partition| partition.topic.as_str()).collect();
    let leaders = client.persist(|client| {
        let answer = client.metadata(Some(&topics), false)?;
        let partitions = answer.topics.iter().flat_map(|topic| {
            let name = topic.name.as_deref().unwrap_or_default();
            topic
                .partitions
                .iter()
                .map(move |each| (TopicPartition::new(name, each.partition_index), each.leader_id))
        });
        Ok(partitions.collect::<BTreeMap<_, _>>())
    })?;
    writeln!(call.out, "Records delete operation completed:")?;
    for (partition, offset) in offsets {
        let place = DeleteRecordsPartition { partition_index: partition.partition, offset };
        let topics =
            vec![DeleteRecordsTopic { name: partition.topic.clone().into(), partitions: vec![place] }];
        let request = DeleteRecordsRequest { topics, timeout_ms: TIMEOUT_MS };
        let deleted = client.persist(|client| {
            // A partition that is not there is refused by any broker.
            let answer = match leaders.get(&partition) {
                Some(leader) => client.ask_node(*leader, LATEST, |_| request.clone())?,
                None => client.ask(LATEST, |_| request.clone())?,
            };
            let result = answer.topics.iter().flat_map(|topic| &topic.partitions).next();
            let result = result.ok_or_else(|| ClientError::Lost(format!("no answer for {partition}")))?;
            ClientError::of(result.error_code, None).map(|()| result.low_watermark)
        });
        match deleted {
            Ok(start) => writeln!(call.out, "partition: {partition}\tlow_watermark: {start}")?,
            Err(error) => writeln!(call.out, "partition: {partition}\terror: {}", named(&error))?,
        }
    }
    Ok(())
}

/// The offset to delete up to, by partition; -1 for the end.
fn offsets(content: &Value) -> Result<BTreeMap<TopicPartition, i64>, String> {
    match content.get("version") {
        None => {}
        Some(version) if version.as_i64() == Some(1) => {}
        Some(other) => return Err(format!("Not supported version field value {other}")),
    }
    let mut offsets = BTreeMap::new();
    for entry in json::partitions(content)? {
        let partition = json::partition(entry)?;
        let offset = entry.get("offset").and_then(Value::as_i64);
        let offset = offset.ok_or_else(|| format!("`{entry}` has no number called offset"))?;
        let name = partition.to_string();
        if offsets.insert(partition, offset).is_some() {
            return Err(format!("Offset json file contains duplicate topic partitions: {name}"));
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_list_of_offsets_is_refused() {
        let read = |text: &str| offsets(&serde_json::from_str(text).unwrap());
        let one = r#"{"topic": "t", "partition": 1, "offset": -1}"#;
        assert_eq!(
            read(&format!(r#"{{"partitions": [{one}]}}"#)),
            Ok(BTreeMap::from([(TopicPartition::new("t", 1), -1)]))
        );
        for (text, why) in [
            (format!(r#"{{"partitions": [{one}], "version": 2}}"#), "version"),
            (format!(r#"{{"partitions": [{one}, {one}]}}"#), "duplicate"),
            (r#"{"version": 1}"#.to_owned(), "partitions"),
            (r#"{"partitions": [{"topic": "t", "partition": 1}]}"#.to_owned(), "offset"),
            (
                r#"{"partitions": [{"topic": "t", "partition": 3000000000, "offset": 1}]}"#.to_owned(),
                "partition",
            ),
        ] {
            assert!(read(&text).unwrap_err().contains(why), "{text}");
        }
    }
}
