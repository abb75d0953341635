//! `kafka-get-offsets.sh`: offsets of partitions, by time or at their ends (Kafka: `GetOffsetShell`).

use std::collections::BTreeMap;

use client::{Client, TopicPartition, Wanted};

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Options, Takes, Word};
use crate::pattern::{Pattern, is_internal};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows offsets of partitions: TOPIC:PARTITION:OFFSET.",
    flags: &[
        BOOTSTRAP,
        Flag {
            name: "topic",
            takes: Takes::Value("TOPIC"),
            help: "the topic, a regular expression; all if left out",
        },
        Flag { name: "partitions", takes: Takes::Value("N,..."), help: "the partitions; all if left out" },
        Flag {
            name: "topic-partitions",
            takes: Takes::Value("TOPIC:N,..."),
            help: "both at once; for N also N-N (without the last one), N- and -N",
        },
        Flag {
            name: "time",
            takes: Takes::Value("TIME"),
            help: "milliseconds, or -1 latest (default), -2 earliest, -3 max-timestamp, -4 earliest-local, -5 latest-tiered",
        },
        Flag { name: "exclude-internal-topics", takes: Takes::Nothing, help: "leave out Kafka's own topics" },
        COMMAND_CONFIG,
    ],
    word: Word::Flag("topic"),
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    match look_up(call) {
        Err(Failure::Client(error)) => Err(Failure::Told(format!("Error occurred: {error}"))),
        Err(Failure::Told(why)) => Err(Failure::Told(format!("Error occurred: {why}"))),
        result => result,
    }
}

fn look_up(call: &mut Call<'_>) -> Result<(), Failure> {
    let time = wanted(call.options.value("time")?.unwrap_or("latest"))?;
    let rules = rules(&call.options)?;
    let mut client = call.client("GetOffsetShell", COMMAND_CONFIG.name)?;
    let mut partitions = partitions(call, &mut client, &rules)?;
    if partitions.is_empty() {
        return Err(Failure::Told(
            "Could not match any topic-partitions with the specified filters".to_owned(),
        ));
    }
    partitions.sort_by_key(TopicPartition::to_string);
    let asked: BTreeMap<_, _> = partitions.iter().map(|partition| (partition.clone(), time)).collect();
    let mut found = client.offsets(&asked, false)?;
    for partition in &partitions {
        match found.remove(partition) {
            Some(Ok(Some(offset))) => {
                writeln!(call.out, "{}:{}:{offset}", partition.topic, partition.partition)?;
            }
            Some(Err(error)) => {
                let skipped =
                    format!("Skip getting offsets for topic-partition {partition} due to error: {error}");
                writeln!(call.err, "{skipped}")?;
            }
            Some(Ok(None)) | None => {}
        }
    }
    Ok(())
}

/// A time as `--time` names it.
fn wanted(text: &str) -> Result<Wanted, Failure> {
    Ok(match text {
        "latest" | "-1" => Wanted::Latest,
        "earliest" | "-2" => Wanted::Earliest,
        "max-timestamp" | "-3" => Wanted::MaxTimestamp,
        "earliest-local" | "-4" => Wanted::EarliestLocal,
        "latest-tiered" | "-5" => Wanted::LatestTiered,
        other => Wanted::At(other.parse().map_err(|_| {
            Failure::Told(format!(
                "Malformed time argument {other}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / \
                 -4 or earliest-local / -5 or latest-tiered, or a specified long format timestamp"
            ))
        })?),
    })
}

/// Topics of a pattern, and which of their partitions.
struct Rule {
    topic: Pattern,
    partitions: Numbers,
}

#[derive(Debug, PartialEq)]
enum Numbers {
    /// All for an empty list.
    Listed(Vec<i32>),
    /// From one to before another.
    Range(i32, i32),
}

impl Numbers {
    fn holds(&self, partition: i32) -> bool {
        match self {
            Self::Listed(list) => list.is_empty() || list.contains(&partition),
            Self::Range(from, to) => (*from..*to).contains(&partition),
        }
    }
}

fn rules(options: &Options) -> Result<Vec<Rule>, Failure> {
    let pattern = |text: &str| Pattern::new(text).map_err(Failure::Told);
    let topic = options.value("topic")?;
    let partitions = options.value("partitions")?;
    if let Some(list) = options.value("topic-partitions")? {
        if topic.is_some() || partitions.is_some() {
            let why = "--topic-partitions cannot be used with --topic or --partitions";
            return Err(Failure::Told(why.to_owned()));
        }
        let rule = |rule: &str| {
            let wrong = || Failure::Told(format!("Invalid rule specification: {rule}"));
            let (topic, partitions) = rule.split_once(':').unwrap_or((rule, ""));
            let partitions = range(partitions).ok_or_else(wrong)?;
            Ok(Rule { topic: pattern(if topic.is_empty() { ".*" } else { topic })?, partitions })
        };
        return list.split(',').map(rule).collect();
    }
    let listed = match partitions {
        None | Some("") => Vec::new(),
        Some(list) => list.split(',').map(str::parse).collect::<Result<_, _>>().map_err(|_| {
            Failure::Told(format!(
                "--partitions expects a comma separated list of numeric partition ids, but received: {list}"
            ))
        })?,
    };
    Ok(vec![Rule { topic: pattern(topic.unwrap_or(".*"))?, partitions: Numbers::Listed(listed) }])
}

/// `N`, `N-`, `-N`, `N-N` or nothing.
fn range(text: &str) -> Option<Numbers> {
    let number = |text: &str, nothing: i32| match text {
        "" => Some(nothing),
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok(),
        _ => None,
    };
    match text.split_once('-') {
        Some((from, to)) => Some(Numbers::Range(number(from, 0)?, number(to, i32::MAX)?)),
        None if text.is_empty() => Some(Numbers::Listed(Vec::new())),
        None => Some(Numbers::Listed(vec![number(text, 0)?])),
    }
}

/// The partitions that a rule names.
fn partitions(call: &Call<'_>, client: &mut Client, rules: &[Rule]) -> Result<Vec<TopicPartition>, Failure> {
    let exclude = call.options.has("exclude-internal-topics");
    let answer = client.persist(|client| client.metadata(None, false))?;
    let mut partitions = Vec::new();
    for topic in &answer.topics {
        let name = topic.name.as_deref().unwrap_or_default();
        if exclude && is_internal(name) {
            continue;
        }
        let numbers = topic.partitions.iter().map(|partition| partition.partition_index);
        let named = numbers.filter(|partition| {
            rules.iter().any(|rule| rule.topic.matches(name) && rule.partitions.holds(*partition))
        });
        partitions.extend(named.map(|partition| TopicPartition::new(name, partition)));
    }
    Ok(partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_come_as_numbers_and_ranges() {
        assert_eq!(range(""), Some(Numbers::Listed(vec![])));
        assert_eq!(range("3"), Some(Numbers::Listed(vec![3])));
        assert_eq!(range("2-"), Some(Numbers::Range(2, i32::MAX)));
        assert_eq!(range("-2"), Some(Numbers::Range(0, 2)));
        assert_eq!(range("1-4"), Some(Numbers::Range(1, 4)));
        for wrong in ["x", "1-x", "+1", "1-2-3", "99999999999"] {
            assert_eq!(range(wrong), None, "{wrong}");
        }
        assert!(Numbers::Range(1, 4).holds(3) && !Numbers::Range(1, 4).holds(4));
    }

    #[test]
    fn times_have_names_and_numbers() {
        assert_eq!(wanted("-3").unwrap(), wanted("max-timestamp").unwrap());
        assert_eq!(wanted("17").unwrap(), Wanted::At(17));
        assert!(matches!(wanted("noon"), Err(Failure::Told(why)) if why.contains("noon")));
    }
}
