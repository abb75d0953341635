//! `kafka-leader-election.sh`: has leaders elected (Kafka: `LeaderElectionCommand`).

use std::collections::BTreeSet;

use client::{ClientError, Code, LATEST, TopicPartition};
use serde_json::Value;
use wire::messages::elect_leaders::{ElectLeadersRequest, TopicPartitions};

use crate::call::{Call, Failure, named};
use crate::json;
use crate::options::{BOOTSTRAP, Declaration, Flag, Options, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Has leaders elected for partitions.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "election-type", takes: Takes::Value("TYPE"), help: "preferred or unclean; required" },
        Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "the topic" },
        Flag { name: "partition", takes: Takes::Value("N"), help: "the partition of it" },
        Flag { name: "all-topic-partitions", takes: Takes::Nothing, help: "every partition" },
        Flag {
            name: "path-to-json-file",
            takes: Takes::Value("FILE"),
            help: "the partitions: {\"partitions\": [{\"topic\": \"t\", \"partition\": 0}]}",
        },
        Flag { name: "admin.config", takes: Takes::Value("FILE"), help: "a file of client settings" },
    ],
    word: Word::None,
};

const TIMEOUT_MS: i32 = 30_000;

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    let told = |why: String| Err(Failure::Told(why));
    options.bootstrap()?;
    let kind = match options.required("election-type")?.to_ascii_uppercase().as_str() {
        "PREFERRED" => ("PREFERRED", 0),
        "UNCLEAN" => ("UNCLEAN", 1),
        other => return told(format!("--election-type {other} is neither preferred nor unclean")),
    };
    let scopes = ["topic", "all-topic-partitions", "path-to-json-file"];
    if scopes.iter().filter(|scope| options.has(scope)).count() != 1 {
        return told(format!("One and only one of the following options is required: {}", scopes.join(", ")));
    }
    if options.has("topic") && !options.has("partition") {
        return told("Missing required option(s): partition".to_owned());
    }
    if options.has("partition") && !options.has("topic") {
        return told("Option partition is only allowed if topic is used".to_owned());
    }
    let partitions = partitions(options)?;
    let mut client = call.client("ottla-leader-election", "admin.config")?;
    let answer = client.persist(|client| {
        let topic_partitions = partitions.as_ref().map(|partitions| {
            let one = |partition: &TopicPartition| TopicPartitions {
                topic: partition.topic.clone().into(),
                partitions: vec![partition.partition],
            };
            partitions.iter().map(one).collect()
        });
        let answer = client.ask(LATEST, |_| ElectLeadersRequest {
            election_type: kind.1,
            topic_partitions,
            timeout_ms: TIMEOUT_MS,
        })?;
        ClientError::of(answer.error_code, None).map(|()| answer)
    })?;
    let (mut done, mut needless, mut failed) = (Vec::new(), Vec::new(), Vec::new());
    for topic in &answer.replica_election_results {
        for result in &topic.partition_result {
            let partition = TopicPartition::new(&topic.topic, result.partition_id).to_string();
            match ClientError::of(result.error_code, result.error_message.as_deref()) {
                Ok(()) => done.push(partition),
                Err(error) if error.code() == Some(Code::ELECTION_NOT_NEEDED) => needless.push(partition),
                Err(error) => failed.push((partition, error)),
            }
        }
    }
    let kind = kind.0;
    if !done.is_empty() {
        let done = done.join(", ");
        writeln!(call.out, "Successfully completed leader election ({kind}) for partitions {done}")?;
    }
    if !needless.is_empty() {
        writeln!(call.out, "Valid replica already elected for partitions {}", needless.join(", "))?;
    }
    for (partition, error) in &failed {
        let why = named(error);
        writeln!(call.out, "Error completing leader election ({kind}) for partition: {partition}: {why}")?;
    }
    if failed.is_empty() { Ok(()) } else { told(format!("{} replica(s) could not be elected", failed.len())) }
}

/// The partitions that the flags name, or nothing for all.
fn partitions(options: &Options) -> Result<Option<BTreeSet<TopicPartition>>, Failure> {
    if let Some(topic) = options.value("topic")? {
        let number = options.number("partition")?.unwrap_or_default();
        return Ok(Some(BTreeSet::from([TopicPartition::new(topic, number)])));
    }
    let Some(path) = options.value("path-to-json-file")? else { return Ok(None) };
    let content = json::read(path)?;
    let mut partitions = BTreeSet::new();
    for entry in json::partitions(&content).map_err(Failure::Told)? as &[Value] {
        let partition = json::partition(entry).map_err(Failure::Told)?;
        let name = partition.to_string();
        if !partitions.insert(partition) {
            let why = format!("Replica election data contains duplicate partitions: {name}");
            return Err(Failure::Told(why));
        }
    }
    Ok(Some(partitions))
}
