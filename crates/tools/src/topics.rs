//! `kafka-topics.sh`: lists, creates, describes, changes and deletes topics (Kafka: `TopicCommand`).

mod describe;

use client::{Client, ClientError, Code, LATEST};
use wire::messages::create_partitions::{
    CreatePartitionsAssignment, CreatePartitionsRequest, CreatePartitionsTopic,
};
use wire::messages::create_topics::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig, CreateTopicsRequest,
};
use wire::messages::delete_topics::{DeleteTopicState, DeleteTopicsRequest};

use crate::Manner;
use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Options, Takes, Word};
use crate::pattern::{Pattern, is_internal};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Lists, creates, describes, changes and deletes topics.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "list", takes: Takes::Nothing, help: "name all topics" },
        Flag { name: "create", takes: Takes::Nothing, help: "create a topic" },
        Flag { name: "describe", takes: Takes::Nothing, help: "show topics and their partitions" },
        Flag { name: "alter", takes: Takes::Nothing, help: "give a topic more partitions" },
        Flag { name: "delete", takes: Takes::Nothing, help: "delete topics" },
        Flag {
            name: "topic",
            takes: Takes::Value("TOPIC"),
            help: "the topic; a regular expression, but for --create",
        },
        Flag { name: "topic-id", takes: Takes::Value("ID"), help: "the id of the topic to describe" },
        Flag {
            name: "config",
            takes: Takes::Value("NAME=VALUE"),
            help: "a setting of the topic that is created; may be given many times",
        },
        Flag { name: "partitions", takes: Takes::Value("N"), help: "how many partitions it shall have" },
        Flag { name: "replication-factor", takes: Takes::Value("N"), help: "how many replicas of each" },
        Flag {
            name: "replica-assignment",
            takes: Takes::Value("NODE:NODE,..."),
            help: "which nodes hold each partition",
        },
        Flag {
            name: "under-replicated-partitions",
            takes: Takes::Nothing,
            help: "describe only partitions with replicas out of sync",
        },
        Flag {
            name: "unavailable-partitions",
            takes: Takes::Nothing,
            help: "describe only partitions without a leader that is there",
        },
        Flag {
            name: "under-min-isr-partitions",
            takes: Takes::Nothing,
            help: "describe only partitions with fewer replicas in sync than min.insync.replicas",
        },
        Flag {
            name: "at-min-isr-partitions",
            takes: Takes::Nothing,
            help: "describe only partitions with just min.insync.replicas",
        },
        Flag {
            name: "topics-with-overrides",
            takes: Takes::Nothing,
            help: "describe only topics with settings of their own",
        },
        Flag {
            name: "if-exists",
            takes: Takes::Nothing,
            help: "a topic that is not there is no error for --alter, --delete and --describe",
        },
        Flag {
            name: "if-not-exists",
            takes: Takes::Nothing,
            help: "a topic that is there already is no error for --create",
        },
        Flag {
            name: "exclude-internal",
            takes: Takes::Nothing,
            help: "leave out Kafka's own topics in --list and --describe",
        },
        Flag {
            name: "partition-size-limit-per-response",
            takes: Takes::Value("N"),
            help: "how many partitions to ask for at a time",
        },
        COMMAND_CONFIG,
        Flag {
            name: "delete-config",
            takes: Takes::Refused,
            help: "it has no effect since Kafka 4.0; kafka-configs.sh takes settings away",
        },
    ],
    word: Word::Flag("topic"),
};

const ACTIONS: [&str; 5] = ["create", "alter", "list", "describe", "delete"];
const TIMEOUT_MS: i32 = 60_000;

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let action = action(&call.options, call.manner)?;
    check(&call.options, call.manner, action)?;
    let mut client = call.client("ottla-topics", COMMAND_CONFIG.name)?;
    let result = match action {
        "create" => create(call, &mut client),
        "alter" => alter(call, &mut client),
        "list" => list(call, &mut client),
        "describe" => describe::describe(call, &mut client),
        _ => delete(call, &mut client),
    };
    match result {
        Err(Failure::Client(error)) => told(call, &error.to_string()),
        Err(Failure::Told(why)) => told(call, &why),
        result => result,
    }
}

fn told(call: &mut Call<'_>, why: &str) -> Result<(), Failure> {
    writeln!(call.out, "Error while executing topic command : {why}")?;
    Err(Failure::Said)
}

/// The one action; `ottla topics` alone lists.
fn action(options: &Options, manner: Manner) -> Result<&'static str, Failure> {
    let mut given = ACTIONS.into_iter().filter(|action| options.has(action));
    match (given.next(), given.next()) {
        (Some(action), None) => Ok(action),
        (None, _) if manner == Manner::Ours => Ok(if options.has("topic") { "describe" } else { "list" }),
        _ => Err(Failure::Usage(
            "Command must include exactly one action: --list, --describe, --create, --alter or --delete"
                .to_owned(),
        )),
    }
}

/// Refuses what does not go together, as Kafka does.
fn check(options: &Options, manner: Manner, action: &str) -> Result<(), Failure> {
    if manner == Manner::Kafkas && !options.has(BOOTSTRAP.name) {
        return Err(Failure::Told("--bootstrap-server must be specified".to_owned()));
    }
    if action == "describe" && options.has("if-exists") && !options.has("topic") && !options.has("topic-id") {
        return Err(Failure::Usage("--topic or --topic-id is required to describe a topic".to_owned()));
    }
    if !matches!(action, "list" | "describe") {
        options.required("topic")?;
    }
    if action == "alter" {
        options.exclude("alter", &["config"])?;
        options.required("partitions")?;
    }
    for (flag, actions) in [
        ("config", &["create"][..]),
        ("partitions", &["alter", "create"]),
        ("replication-factor", &["create"]),
        ("replica-assignment", &["alter", "create"]),
        ("under-replicated-partitions", &["describe"]),
        ("unavailable-partitions", &["describe"]),
        ("under-min-isr-partitions", &["describe"]),
        ("at-min-isr-partitions", &["describe"]),
        ("topics-with-overrides", &["describe"]),
        ("if-exists", &["alter", "delete", "describe"]),
        ("if-not-exists", &["create"]),
        ("exclude-internal", &["list", "describe"]),
    ] {
        if options.has(flag) && !actions.contains(&action) {
            return Err(Failure::Usage(format!(
                "Option \"[{flag}]\" can't be used with option \"[{action}]\""
            )));
        }
    }
    if action == "create" {
        options.exclude("replica-assignment", &["partitions", "replication-factor"])?;
    }
    options.exclude("topics-with-overrides", &describe::REPORTS)
}

/// The names that `--topic` matches, in order; all without it.
fn matching(call: &Call<'_>, client: &mut Client) -> Result<Vec<String>, Failure> {
    let pattern = call.options.value("topic")?.map(Pattern::new).transpose().map_err(Failure::Told)?;
    let exclude = call.options.has("exclude-internal");
    let answer = client.persist(|client| client.metadata(None, false))?;
    let mut names: Vec<_> = answer.topics.into_iter().filter_map(|topic| topic.name).collect();
    names.sort();
    Ok((names.iter())
        .filter(|name| pattern.as_ref().is_none_or(|pattern| pattern.matches(name)))
        .filter(|name| !(exclude && is_internal(name)))
        .map(|name| name.to_string())
        .collect())
}

/// As [`matching`], but where `--topic` matches nothing that is an error, unless `--if-exists`.
fn existing(call: &Call<'_>, client: &mut Client) -> Result<Vec<String>, Failure> {
    let names = matching(call, client)?;
    match call.options.value("topic")? {
        Some(topic) if names.is_empty() && !topic.is_empty() && !call.options.has("if-exists") => {
            Err(Failure::Told(format!("Topic '{topic}' does not exist as expected")))
        }
        _ => Ok(names),
    }
}

fn list(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let names = matching(call, client)?;
    Ok(writeln!(call.out, "{}", names.join("\n"))?)
}

fn create(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let options = &call.options;
    let name = options.required("topic")?.to_owned();
    if name.contains(['.', '_']) {
        writeln!(
            call.out,
            "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
             collide. To avoid issues it is best to use either, but not both."
        )?;
    }
    let replication_factor = match options.number::<i32>("replication-factor")? {
        None => -1,
        Some(factor) => i16::try_from(factor).ok().filter(|factor| *factor >= 1).ok_or_else(|| {
            Failure::Told("The replication factor must be between 1 and 32767 inclusive".to_owned())
        })?,
    };
    let num_partitions = match options.number::<i32>("partitions")? {
        Some(..1) => return Err(Failure::Told("The partitions must be greater than 0".to_owned())),
        count => count.unwrap_or(-1),
    };
    let assignments: Vec<_> = (assignment(options)?.into_iter().zip(0..))
        .map(|(broker_ids, partition_index)| CreatableReplicaAssignment { partition_index, broker_ids })
        .collect();
    let topic = CreatableTopic {
        name: name.clone().into(),
        num_partitions,
        replication_factor,
        assignments,
        configs: settings(options)?,
    };
    let created = client.persist(|client| {
        let topics = vec![topic.clone()];
        let request = CreateTopicsRequest { topics, timeout_ms: TIMEOUT_MS, validate_only: false };
        let answer = client.ask(LATEST, |_| request)?;
        answer
            .topics
            .iter()
            .try_for_each(|topic| ClientError::of(topic.error_code, topic.error_message.as_deref()))
    });
    match created {
        Ok(()) => Ok(writeln!(call.out, "Created topic {name}.")?),
        Err(error)
            if error.code() == Some(Code::TOPIC_ALREADY_EXISTS) && call.options.has("if-not-exists") =>
        {
            Ok(())
        }
        Err(error) => Err(error.into()),
    }
}

/// `--config`; the broker checks names and values.
fn settings(options: &Options) -> Result<Vec<CreatableTopicConfig>, Failure> {
    let pair = |text: &str| {
        let mut parts = text.split('=').map(str::trim);
        match (parts.next(), parts.next(), parts.next()) {
            (Some(name), Some(value), None) if !value.is_empty() => Ok(CreatableTopicConfig {
                name: name.to_owned().into(),
                value: Some(value.to_owned().into()),
            }),
            _ => Err(Failure::Told(
                "requirement failed: Invalid topic config: all configs to be added must be in the format \"key=val\"."
                    .to_owned(),
            )),
        }
    };
    options.all("config").map(pair).collect()
}

/// `--replica-assignment`: the nodes of each partition.
fn assignment(options: &Options) -> Result<Vec<Vec<i32>>, Failure> {
    let Some(text) = options.value("replica-assignment")?.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    let mut all: Vec<Vec<i32>> = Vec::new();
    for partition in text.split(',') {
        let nodes: Vec<i32> = (partition.split(':'))
            .map(|node| {
                node.trim().parse().map_err(|_| Failure::Told(format!("`{node}` is no number of a node")))
            })
            .collect::<Result<_, _>>()?;
        if let Some(twice) = (nodes.iter().enumerate()).find(|(at, node)| nodes[..*at].contains(node)) {
            return Err(Failure::Told(format!(
                "Partition replica lists may not contain duplicate entries: {}",
                twice.1
            )));
        }
        if all.first().is_some_and(|first| first.len() != nodes.len()) {
            return Err(Failure::Told(format!(
                "Partition {} has different replication factor: {nodes:?}",
                all.len()
            )));
        }
        all.push(nodes);
    }
    Ok(all)
}

fn alter(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let count = call.options.number("partitions")?.unwrap_or(-1);
    let assigned = assignment(&call.options)?;
    let names = existing(call, client)?;
    if names.is_empty() {
        return Ok(());
    }
    let mut topics = Vec::new();
    for name in &names {
        let assignments = if assigned.is_empty() {
            None
        } else {
            let there = client.persist(|client| client.leaders(&[name]))?.len();
            let new = assigned.iter().skip(there).cloned();
            Some(new.map(|broker_ids| CreatePartitionsAssignment { broker_ids }).collect())
        };
        topics.push(CreatePartitionsTopic { name: name.clone().into(), count, assignments });
    }
    client.persist(|client| {
        let topics = topics.clone();
        let request = CreatePartitionsRequest { topics, timeout_ms: TIMEOUT_MS, validate_only: false };
        let answer = client.ask(LATEST, |_| request)?;
        answer
            .results
            .iter()
            .try_for_each(|topic| ClientError::of(topic.error_code, topic.error_message.as_deref()))
    })?;
    Ok(())
}

fn delete(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let names = existing(call, client)?;
    if names.is_empty() {
        return Ok(());
    }
    client.persist(|client| {
        let answer = client.ask(LATEST, |version| {
            let names = names.iter().map(|name| name.clone().into());
            let mut request =
                DeleteTopicsRequest { timeout_ms: TIMEOUT_MS, ..DeleteTopicsRequest::default() };
            if version < 6 {
                request.topic_names = names.collect();
            } else {
                let named = |name| DeleteTopicState { name: Some(name), ..DeleteTopicState::default() };
                request.topics = names.map(named).collect();
            }
            request
        })?;
        answer
            .responses
            .iter()
            .try_for_each(|topic| ClientError::of(topic.error_code, topic.error_message.as_deref()))
    })?;
    Ok(())
}
