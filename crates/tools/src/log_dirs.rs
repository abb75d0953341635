//! `kafka-log-dirs.sh`: how much the partitions take in the brokers' directories (Kafka: `LogDirsCommand`).

use std::collections::BTreeSet;

use client::{ClientError, Code, LATEST};
use serde_json::{Value, json};
use wire::messages::describe_log_dirs::{DescribeLogDirsRequest, DescribeLogDirsResult};

use crate::call::{Call, Failure, exception};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows how much the partitions take in the brokers' directories, as JSON.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "describe", takes: Takes::Nothing, help: "show them; required" },
        Flag { name: "topic-list", takes: Takes::Value("TOPIC,..."), help: "only these topics" },
        Flag { name: "broker-list", takes: Takes::Value("N,..."), help: "only these brokers" },
        COMMAND_CONFIG,
    ],
    word: Word::None,
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    if !call.options.has("describe") {
        return Err(Failure::Usage("Missing required argument \"[describe]\"".to_owned()));
    }
    let listed = |text: Option<&str>| -> Vec<String> {
        text.unwrap_or_default().split(',').filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    let topics: BTreeSet<_> = listed(call.options.value("topic-list")?).into_iter().collect();
    let wanted: BTreeSet<i32> = (listed(call.options.value("broker-list")?).iter())
        .map(|text| text.parse().map_err(|_| Failure::Told(format!("`{text}` is no number of a broker"))))
        .collect::<Result<_, _>>()?;
    let mut client = call.client("log-dirs-tool", COMMAND_CONFIG.name)?;
    let nodes = client.persist(|client| client.metadata(Some(&[]), false))?.brokers;
    let there: BTreeSet<i32> = nodes.iter().map(|node| node.node_id).collect();
    let joined = |numbers: &BTreeSet<i32>| numbers.iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let missing: BTreeSet<i32> = wanted.difference(&there).copied().collect();
    if !missing.is_empty() {
        return Err(Failure::Told(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            joined(&missing),
            joined(&there)
        )));
    }
    let brokers = if wanted.is_empty() { there } else { wanted };
    writeln!(call.out, "Querying brokers for log directories information")?;
    let mut described = Vec::new();
    for broker in &brokers {
        let results = client.persist(|client| {
            let answer = client.ask_node(*broker, LATEST, |_| DescribeLogDirsRequest { topics: None })?;
            ClientError::of(answer.error_code, None).map(|()| answer.results)
        })?;
        let directories: Vec<_> = results.iter().map(|result| directory(result, &topics)).collect();
        described.push(json!({ "broker": broker, "logDirs": directories }));
    }
    writeln!(call.out, "Received log directory information from brokers {}", joined(&brokers))?;
    Ok(writeln!(call.out, "{}", json!({ "version": 1, "brokers": described }))?)
}

fn directory(result: &DescribeLogDirsResult, topics: &BTreeSet<String>) -> Value {
    let mut partitions = Vec::new();
    for topic in result.topics.iter().filter(|topic| topics.is_empty() || topics.contains(&*topic.name)) {
        for partition in &topic.partitions {
            partitions.push(json!({
                "partition": format!("{}-{}", topic.name, partition.partition_index),
                "size": partition.partition_size,
                "offsetLag": partition.offset_lag,
                "isFuture": partition.is_future_key,
            }));
        }
    }
    let code = Code(result.error_code);
    let error = code.is_error().then(|| exception(code));
    json!({ "logDir": &*result.log_dir, "error": error, "partitions": partitions })
}
