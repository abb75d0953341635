//! `kafka-console-consumer.sh`: prints the records of topics (Kafka: `ConsoleConsumer`).

mod coordinator;
mod format;
mod reader;

use std::time::{Duration, Instant};

use client::{Consumed, ConsumerConfig, GroupProtocol, MemberConfig, Reset};

use crate::Manner;
use crate::call::{Call, Failure};
use crate::moment;
use crate::options::{BOOTSTRAP, Declaration, Flag, Options, Takes, Word};
use crate::pattern::Pattern;
use crate::properties::Properties;
use format::Formatter;
use reader::{Reader, Source};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Prints the records of topics.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "the topic to read" },
        Flag { name: "include", takes: Takes::Value("REGEX"), help: "the topics to read, instead" },
        Flag { name: "from-beginning", takes: Takes::Nothing, help: "begin with the earliest records" },
        Flag { name: "partition", takes: Takes::Value("N"), help: "read only this partition" },
        Flag {
            name: "offset",
            takes: Takes::Value("OFFSET"),
            help: "where to begin in that partition: a number, earliest or latest (default)",
        },
        Flag {
            name: "group",
            takes: Takes::Value("GROUP"),
            help: "read as a member of this group, and commit what was read",
        },
        Flag { name: "max-messages", takes: Takes::Value("N"), help: "end after so many records" },
        Flag { name: "timeout-ms", takes: Takes::Value("MS"), help: "end when no record comes for so long" },
        Flag {
            name: "property",
            takes: Takes::Value("KEY=VALUE"),
            help: "what to print: print.timestamp, print.key, print.offset, print.partition, print.headers, print.value, key.separator, line.separator, headers.separator, null.literal, key.deserializer, value.deserializer, headers.deserializer",
        },
        Flag {
            name: "formatter-property",
            takes: Takes::Value("KEY=VALUE"),
            help: "--property in Kafka 4.2",
        },
        Flag { name: "formatter-config", takes: Takes::Value("FILE"), help: "a file of such properties" },
        Flag {
            name: "formatter",
            takes: Takes::Value("CLASS"),
            help: "DefaultMessageFormatter, NoOpMessageFormatter, or what reads the topics of coordinators: OffsetsMessageFormatter, GroupMetadataMessageFormatter, TransactionLogMessageFormatter",
        },
        Flag { name: "key-deserializer", takes: Takes::Value("CLASS"), help: "how to show keys" },
        Flag { name: "value-deserializer", takes: Takes::Value("CLASS"), help: "how to show values" },
        Flag {
            name: "isolation-level",
            takes: Takes::Value("LEVEL"),
            help: "read_committed, or read_uncommitted (default)",
        },
        Flag {
            name: "consumer-property",
            takes: Takes::Value("KEY=VALUE"),
            help: "a setting of the consumer, such as auto.offset.reset or group.id",
        },
        Flag { name: "consumer.config", takes: Takes::Value("FILE"), help: "a file of such settings" },
        Flag {
            name: "command-property",
            takes: Takes::Value("KEY=VALUE"),
            help: "--consumer-property in Kafka 4.2",
        },
        Flag { name: "command-config", takes: Takes::Value("FILE"), help: "--consumer.config in Kafka 4.2" },
        Flag {
            name: "skip-message-on-error",
            takes: Takes::Nothing,
            help: "go on behind a record that cannot be shown",
        },
        Flag {
            name: "enable-systest-events",
            takes: Takes::Refused,
            help: "it is for the system tests of Kafka",
        },
    ],
    word: Word::Flag("topic"),
};

/// For how long one look for records waits. Between two, heartbeats are sent and signals are seen.
const WAIT_MS: i32 = 500;

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    let properties = properties(&call.options)?;
    let source = source(&call.options, &properties)?;
    let group = group(&call.options, &properties)?;
    if group.is_some() && call.options.has("partition") {
        return Err(Failure::Usage("Options group and partition cannot be specified together.".to_owned()));
    }
    let config = config(&call.options, &properties)?;
    let commits = properties.is_true("enable.auto.commit").unwrap_or(true);
    let commit_interval =
        Duration::from_millis(properties.number("auto.commit.interval.ms")?.unwrap_or(5000));
    let member = group.map(|group| member(group, &properties)).transpose()?;
    let formatter = Formatter::new(&format_properties(&call.options)?, call.options.value("formatter")?)
        .map_err(Failure::Usage)?;
    let most: Option<i64> = call.options.number("max-messages")?.filter(|most| *most != -1);
    let patience = call.options.number::<i64>("timeout-ms")?.and_then(|ms| u64::try_from(ms).ok());
    let client = call.client_with("console-consumer", &properties)?;
    let stop = call.stop_on_signals()?;
    // Kafka's consumer waits for brokers for ever, but for a partition that it is to look up.
    let gives_up = call.manner == Manner::Ours || matches!(source, Source::Partition(..));
    let retry = gives_up.then(|| client.retry());
    let mut reader = Reader::new(client, config, source, member, commits.then_some(commit_interval), retry);
    let mut shown: i64 = 0;
    let result = (|| {
        let mut since = Instant::now();
        while most.is_none_or(|most| shown < most) && !stop.is_set() {
            let Some(record) = reader.next(WAIT_MS)? else {
                call.out.flush()?;
                if patience.is_some_and(|patience| since.elapsed() > Duration::from_millis(patience)) {
                    writeln!(call.err, "no record within {} ms", patience.unwrap_or_default())?;
                    break;
                }
                continue;
            };
            since = Instant::now();
            shown += 1;
            show(call, &formatter, &record)?;
            reader.shown(&record);
        }
        Ok(())
    })();
    let result = result.and_then(|()| call.out.flush().map_err(Failure::Output));
    // Also after a failure: what was printed is committed, and the group need not wait for us.
    let closed = reader.close().map_err(Failure::Client);
    writeln!(call.err, "Processed a total of {shown} messages")?;
    result.and(closed)
}

fn show(call: &mut Call<'_>, formatter: &Formatter, record: &Consumed) -> Result<(), Failure> {
    match formatter.text(record) {
        Ok(text) => Ok(call.out.write_all(&text)?),
        Err(why) => {
            let place = format!("{} at offset {}", record.partition, record.offset);
            let told = format!("the record of {place} cannot be shown: {why}");
            if call.options.has("skip-message-on-error") {
                Ok(writeln!(call.err, "{told}")?)
            } else {
                Err(Failure::Told(told))
            }
        }
    }
}

/// What is read, and from where.
fn source(options: &Options, properties: &Properties) -> Result<Source, Failure> {
    let usage = |why: &str| Err(Failure::Usage(why.to_owned()));
    let (topic, include) = (options.value("topic")?, options.value("include")?);
    if topic.is_some() == include.is_some() {
        return usage("Exactly one of --include/--topic is required. ");
    }
    let Some(partition) = options.number::<i32>("partition")? else {
        if options.has("offset") {
            return usage("The partition is required when offset is specified.");
        }
        return match (topic, include) {
            (Some(topic), _) => {
                let create = properties.is_true("allow.auto.create.topics").unwrap_or(true);
                Ok(Source::Topic(topic.to_owned(), create))
            }
            (None, include) => {
                let pattern = Pattern::exact(include.unwrap_or_default()).map_err(Failure::Usage)?;
                let internal = properties.is_true("exclude.internal.topics") == Some(false);
                Ok(Source::Pattern(pattern, internal))
            }
        };
    };
    let Some(topic) = topic else {
        return usage("The topic is required when partition is specified.");
    };
    let from_beginning = options.has("from-beginning");
    if from_beginning && options.has("offset") {
        return usage("Options from-beginning and offset cannot be specified together.");
    }
    let offset = match options.value("offset")?.map(str::to_ascii_lowercase).as_deref() {
        Some("earliest") => client::Wanted::Earliest.timestamp(),
        None if from_beginning => client::Wanted::Earliest.timestamp(),
        Some("latest") | None => client::Wanted::Latest.timestamp(),
        Some(text) => text.parse().ok().filter(|offset| *offset >= 0).ok_or_else(|| {
            Failure::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a \
                 non-negative long."
            ))
        })?,
    };
    Ok(Source::Partition(client::TopicPartition::new(topic, partition), offset))
}

fn properties(options: &Options) -> Result<Properties, Failure> {
    let mut properties = Properties::read_any(options, &["consumer.config", "command-config"])?;
    properties.add(options.all("consumer-property"));
    properties.add(options.all("command-property"));
    if let Some(interceptors) = properties.get("interceptor.classes").filter(|classes| !classes.is_empty()) {
        let why =
            format!("interceptor.classes={interceptors} is not supported: a Java class cannot be loaded");
        return Err(Failure::Told(why));
    }
    Ok(properties)
}

/// The group, however it is named.
fn group(options: &Options, properties: &Properties) -> Result<Option<String>, Failure> {
    match (options.value("group")?, properties.get("group.id")) {
        (Some(one), Some(other)) if one != other => Err(Failure::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: '{one}', '{other}'"
        ))),
        (one, other) => Ok(one.or(other).map(str::to_owned)),
    }
}

fn member(group: String, properties: &Properties) -> Result<MemberConfig, Failure> {
    let protocol = match properties.get("group.protocol").unwrap_or("classic") {
        classic if classic.eq_ignore_ascii_case("classic") => GroupProtocol::Classic,
        consumer if consumer.eq_ignore_ascii_case("consumer") => GroupProtocol::Consumer,
        other => {
            let why = format!(
                "Invalid value {other} for configuration group.protocol: it must be classic or consumer"
            );
            return Err(Failure::Told(why));
        }
    };
    // As in Kafka: these are the group's in the new protocol.
    let of_group = ["partition.assignment.strategy", "session.timeout.ms", "heartbeat.interval.ms"];
    if protocol == GroupProtocol::Consumer
        && let Some(key) = of_group.into_iter().find(|key| properties.get(key).is_some())
    {
        return Err(Failure::Told(format!("{key} cannot be set when group.protocol=consumer")));
    }
    let assignors = properties.get("partition.assignment.strategy").unwrap_or("range");
    let is_range = |name: &str| matches!(name.trim().rsplit('.').next(), Some("range" | "RangeAssignor"));
    if !assignors.split(',').any(is_range) {
        let why =
            format!("partition.assignment.strategy={assignors} is not supported: only RangeAssignor is");
        return Err(Failure::Told(why));
    }
    let ms = |key: &str, default| {
        Ok::<_, Failure>(Duration::from_millis(properties.number(key)?.unwrap_or(default)))
    };
    Ok(MemberConfig {
        group,
        protocol,
        instance: properties.get("group.instance.id").map(str::to_owned),
        session_timeout: ms("session.timeout.ms", 45_000)?,
        heartbeat_interval: ms("heartbeat.interval.ms", 3000)?,
        rebalance_timeout: ms("max.poll.interval.ms", 300_000)?,
    })
}

fn config(options: &Options, properties: &Properties) -> Result<ConsumerConfig, Failure> {
    let from_beginning = options.has("from-beginning");
    let reset = match properties.get("auto.offset.reset") {
        Some(other) if from_beginning && other != "earliest" => {
            return Err(Failure::Told(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={other}', please remove one option"
            )));
        }
        Some("earliest") => Reset::Earliest,
        Some("latest") => Reset::Latest,
        Some("none") => Reset::None,
        Some(other) if other.starts_with("by_duration:") => {
            let span =
                moment::duration(other.trim_start_matches("by_duration:")).ok().filter(|span| *span >= 0);
            let span = span.and_then(|span| u64::try_from(span).ok()).ok_or_else(|| {
                let why = format!(
                    "Invalid value {other} for configuration auto.offset.reset: no duration from now on"
                );
                Failure::Told(why)
            })?;
            Reset::Before(Duration::from_millis(span))
        }
        Some(other) => {
            let why = format!(
                "Invalid value {other} for configuration auto.offset.reset: it must be earliest, latest, none or by_duration:PnDTnHnMnS"
            );
            return Err(Failure::Told(why));
        }
        None if from_beginning => Reset::Earliest,
        None => Reset::Latest,
    };
    let level = options.value("isolation-level")?.or(properties.get("isolation.level"));
    let read_committed = match level.unwrap_or("read_uncommitted") {
        "read_committed" => true,
        "read_uncommitted" => false,
        other => {
            let why = format!(
                "Invalid value {other} for configuration isolation.level: it must be read_committed or read_uncommitted"
            );
            return Err(Failure::Told(why));
        }
    };
    Ok(ConsumerConfig {
        reset,
        read_committed,
        min_bytes: properties.number("fetch.min.bytes")?.unwrap_or(1),
        max_bytes: properties.number("fetch.max.bytes")?.unwrap_or(50 << 20),
        max_partition_bytes: properties.number("max.partition.fetch.bytes")?.unwrap_or(1 << 20),
    })
}

fn format_properties(options: &Options) -> Result<Properties, Failure> {
    let mut properties =
        options.value("formatter-config")?.map(Properties::read).transpose()?.unwrap_or_default();
    for (flag, key) in
        [("key-deserializer", "key.deserializer"), ("value-deserializer", "value.deserializer")]
    {
        if let Some(class) = options.value(flag)?.filter(|class| !class.is_empty()) {
            properties.set(key, class.to_owned());
        }
    }
    properties.add(options.all("property"));
    properties.add(options.all("formatter-property"));
    Ok(properties)
}
