//! `kafka-console-producer.sh`: writes each line of standard input as a record (Kafka: `ConsoleProducer`).

mod line;

use std::io::{self, BufRead, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base::Millis;
use client::{NotWritten, Producer, ProducerConfig};
use records::{Codec, NewRecord};

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, Declaration, Flag, Options, Takes, Word};
use crate::properties::Properties;
use line::{LineReader, Parsed};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Writes each line of standard input to a topic.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "where to write; required" },
        Flag {
            name: "property",
            takes: Takes::Value("KEY=VALUE"),
            help: "how to read lines: parse.key, key.separator, parse.headers, headers.delimiter, headers.separator, headers.key.separator, ignore.error, null.marker",
        },
        Flag { name: "reader-property", takes: Takes::Value("KEY=VALUE"), help: "--property in Kafka 4.2" },
        Flag { name: "reader-config", takes: Takes::Value("FILE"), help: "a file of such properties" },
        Flag {
            name: "producer-property",
            takes: Takes::Value("KEY=VALUE"),
            help: "a setting of the producer, such as enable.idempotence or max.request.size",
        },
        Flag { name: "producer.config", takes: Takes::Value("FILE"), help: "a file of such settings" },
        Flag {
            name: "command-property",
            takes: Takes::Value("KEY=VALUE"),
            help: "--producer-property in Kafka 4.2",
        },
        Flag { name: "command-config", takes: Takes::Value("FILE"), help: "--producer.config in Kafka 4.2" },
        Flag { name: "sync", takes: Takes::Nothing, help: "write each line before the next one is read" },
        Flag {
            name: "compression-codec",
            takes: Takes::Optional("CODEC"),
            help: "none, gzip (without a value), snappy, lz4 or zstd",
        },
        Flag { name: "batch-size", takes: Takes::Value("BYTES"), help: "batch.size: what a batch holds" },
        Flag {
            name: "max-partition-memory-bytes",
            takes: Takes::Value("BYTES"),
            help: "the same, and the stronger of the two",
        },
        Flag {
            name: "timeout",
            takes: Takes::Value("MS"),
            help: "linger.ms: how long a line waits for others",
        },
        Flag { name: "request-required-acks", takes: Takes::Value("ACKS"), help: "acks: all, -1, 1 or 0" },
        Flag {
            name: "request-timeout-ms",
            takes: Takes::Value("MS"),
            help: "request.timeout.ms: how long to wait for an answer",
        },
        Flag {
            name: "message-send-max-retries",
            takes: Takes::Value("N"),
            help: "retries: how often a batch is sent again",
        },
        Flag { name: "retry-backoff-ms", takes: Takes::Value("MS"), help: "the pause before that" },
        Flag {
            name: "max-block-ms",
            takes: Takes::Value("MS"),
            help: "how long to wait for the topic to be there",
        },
        Flag {
            name: "line-reader",
            takes: Takes::Value("CLASS"),
            help: "LineMessageReader, which is so without it",
        },
        Flag {
            name: "max-memory-bytes",
            takes: Takes::Refused,
            help: "no more than a batch of each partition waits in memory",
        },
        Flag {
            name: "metadata-expiry-ms",
            takes: Takes::Refused,
            help: "the partitions are looked up at the start and after errors",
        },
        Flag {
            name: "socket-buffer-size",
            takes: Takes::Refused,
            help: "the system chooses the size of its buffers",
        },
    ],
    word: Word::Flag("topic"),
};

/// Lines on their way from the reader to the sender.
const LINES_AHEAD: usize = 64;

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    let topic = options.required("topic")?.to_owned();
    options.bootstrap()?;
    if let Some(class) = options.value("line-reader")?
        && class.rsplit('.').next() != Some("LineMessageReader")
    {
        let why = format!("--line-reader {class} is not supported: a Java class cannot be loaded");
        return Err(Failure::Told(why));
    }
    let properties = properties(options)?;
    let config = config(&properties)?;
    let reader = LineReader::new(&reader_properties(options)?).map_err(Failure::Told)?;
    let linger = Duration::from_millis(properties.number("linger.ms")?.unwrap_or(1000));
    let sync = options.has("sync");
    let mut client = call.client_with("console-producer", &properties)?;
    if let Some(max_block) = properties.number("max.block.ms")? {
        client.set_api_timeout(Duration::from_millis(max_block));
    }
    let mut producer = Producer::open(client, &topic, config)?;
    let input = std::mem::replace(&mut call.input, Box::new(io::empty()));
    let prompt = io::stdin().is_terminal();
    let outcome =
        send_all(call, &mut producer, &reader, input, if sync { None } else { Some(linger) }, prompt);
    let last = tell(call, producer.flush())?;
    if outcome? && last { Ok(()) } else { Err(Failure::Said) }
}

/// Sends every line; false when some were not written. Without `linger` each line is sent by itself, and a failure ends it.
fn send_all(
    call: &mut Call<'_>,
    producer: &mut Producer,
    reader: &LineReader,
    input: Box<dyn BufRead + Send>,
    linger: Option<Duration>,
    prompt: bool,
) -> Result<bool, Failure> {
    let (to, lines) = sync_channel(LINES_AHEAD);
    // Ends with its input, or when nobody takes lines any more; not waited for, since a terminal may never end.
    thread::spawn(move || {
        for line in read_lines(input) {
            let is_over = line.is_err();
            if to.send(line).is_err() || is_over {
                break;
            }
        }
    });
    let mut all_written = true;
    // When the oldest line that waits was read.
    let mut since: Option<Instant> = None;
    for number in 1.. {
        if prompt {
            write!(call.out, ">")?;
            call.out.flush()?;
        }
        let line = loop {
            let due = linger.zip(since).map(|(linger, since)| linger.saturating_sub(since.elapsed()));
            let next = match due {
                Some(left) => lines.recv_timeout(left),
                None => lines.recv().map_err(|_| RecvTimeoutError::Disconnected),
            };
            match next {
                Err(RecvTimeoutError::Timeout) => {
                    since = None;
                    all_written &= tell(call, producer.flush())?;
                }
                line => break line.ok(),
            }
        };
        let Some(line) = line else { break };
        let line = line.map_err(|error| Failure::Told(format!("cannot read standard input: {error}")))?;
        let parsed = reader.parse(&line, number).map_err(Failure::Told)?;
        let sent = send(producer, &parsed);
        all_written &= tell(call, sent)?;
        since = since.or_else(|| Some(Instant::now())).filter(|_| !producer.is_flushed());
        if linger.is_none() {
            all_written &= tell(call, producer.flush())?;
            if !all_written {
                break;
            }
        }
    }
    Ok(all_written)
}

/// Says on standard error what was not written.
fn tell(call: &mut Call<'_>, result: Result<(), NotWritten>) -> Result<bool, Failure> {
    match result {
        Ok(()) => Ok(true),
        Err(not_written) => writeln!(call.err, "{not_written}").map(|()| false).map_err(Failure::Output),
    }
}

fn send(producer: &mut Producer, parsed: &Parsed) -> Result<(), NotWritten> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let headers: Vec<_> = parsed
        .headers
        .iter()
        .map(|(key, value)| (key.as_bytes(), value.as_deref().map(str::as_bytes)))
        .collect();
    producer.send(&NewRecord {
        timestamp: Millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX)),
        key: parsed.key.as_deref().map(str::as_bytes),
        value: parsed.value.as_deref().map(str::as_bytes),
        headers: &headers,
    })
}

/// Lines as Java's `BufferedReader` finds them: they end with `\n`, `\r\n` or the input; bytes that are no UTF-8 become
/// U+FFFD.
fn read_lines(mut input: Box<dyn BufRead + Send>) -> impl Iterator<Item = io::Result<String>> {
    std::iter::from_fn(move || {
        let mut bytes = Vec::new();
        match input.read_until(b'\n', &mut bytes) {
            Ok(0) => None,
            Ok(_) => {
                if bytes.last() == Some(&b'\n') {
                    bytes.pop();
                    if bytes.last() == Some(&b'\r') {
                        bytes.pop();
                    }
                }
                Some(Ok(String::from_utf8_lossy(&bytes).into_owned()))
            }
            Err(error) => Some(Err(error)),
        }
    })
}

fn reader_properties(options: &Options) -> Result<Properties, Failure> {
    let mut properties =
        options.value("reader-config")?.map(Properties::read).transpose()?.unwrap_or_default();
    properties.add(options.all("property"));
    properties.add(options.all("reader-property"));
    Ok(properties)
}

/// What flags, files and properties come to. A flag that is given beats a property, which beats the flag's default.
fn properties(options: &Options) -> Result<Properties, Failure> {
    let mut properties = Properties::read_any(options, &["producer.config", "command-config"])?;
    properties.add(options.all("producer-property"));
    properties.add(options.all("command-property"));
    for (flag, key, default) in [
        ("timeout", "linger.ms", "1000"),
        ("request-required-acks", "acks", "-1"),
        ("request-timeout-ms", "request.timeout.ms", "1500"),
        ("message-send-max-retries", "retries", "3"),
        ("retry-backoff-ms", "retry.backoff.ms", "100"),
        ("batch-size", "batch.size", "16384"),
        ("max-partition-memory-bytes", "batch.size", "16384"),
        ("max-block-ms", "max.block.ms", "60000"),
    ] {
        match options.value(flag)? {
            Some(value) => properties.set(key, value.to_owned()),
            None if properties.get(key).is_none() => properties.set(key, default.to_owned()),
            None => {}
        }
    }
    if options.has("compression-codec") {
        let codec = options.value("compression-codec")?.filter(|codec| !codec.is_empty());
        properties.set("compression.type", codec.unwrap_or("gzip").to_owned());
    }
    Ok(properties)
}

fn config(properties: &Properties) -> Result<ProducerConfig, Failure> {
    let wrong = |key: &str, value: &str, allowed: &str| {
        Failure::Told(format!("Invalid value {value} for configuration {key}: it must be {allowed}"))
    };
    if let Some(id) = properties.get("transactional.id") {
        return Err(Failure::Told(format!(
            "transactional.id={id} is not supported: the console has no transactions"
        )));
    }
    for key in ["partitioner.class", "interceptor.classes"] {
        if let Some(class) = properties.get(key).filter(|class| !class.is_empty()) {
            let why = format!("{key}={class} is not supported: a Java class cannot be loaded");
            return Err(Failure::Told(why));
        }
    }
    let acks = match properties.get("acks").unwrap_or("all").trim() {
        "all" | "-1" => -1,
        "1" => 1,
        "0" => 0,
        other => return Err(wrong("acks", other, "all, -1, 1 or 0")),
    };
    let codec = properties.get("compression.type").unwrap_or("none");
    let codec = (Codec::ALL.into_iter())
        .find(|known| known.name() == codec)
        .ok_or_else(|| wrong("compression.type", codec, "none, gzip, snappy, lz4 or zstd"))?;
    let mut level = None;
    for (known, lowest, highest) in [("gzip", 1, 9), ("lz4", 1, 17), ("zstd", -131_072, 22)] {
        let key = format!("compression.{known}.level");
        let given: Option<i32> = properties.number(&key)?;
        let is_sound = |given: &i32| (lowest..=highest).contains(given) || known == "gzip" && *given == -1;
        if let Some(given) = given.filter(|given| !is_sound(given)) {
            return Err(wrong(&key, &given.to_string(), &format!("{lowest} to {highest}")));
        }
        if known == codec.name() {
            level = given;
        }
    }
    let retries: u32 = properties.number("retries")?.unwrap_or(3);
    // As in Kafka: what idempotence needs may be taken away only where nobody asked for it.
    let possible = acks == -1 && retries > 0;
    let idempotent = match properties.is_true("enable.idempotence") {
        Some(true) if !possible => {
            let why = "enable.idempotence=true needs acks=all and retries above 0";
            return Err(Failure::Told(why.to_owned()));
        }
        Some(asked) => asked,
        None => possible,
    };
    let ms = |key: &str, default| {
        Ok::<_, Failure>(Duration::from_millis(properties.number(key)?.unwrap_or(default)))
    };
    Ok(ProducerConfig {
        acks,
        codec,
        level,
        batch_size: properties.number("batch.size")?.unwrap_or(16_384),
        retries,
        retry_backoff: ms("retry.backoff.ms", 100)?,
        delivery_timeout: ms("delivery.timeout.ms", 120_000)?,
        max_request_size: properties.number("max.request.size")?.unwrap_or(1 << 20),
        idempotent,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn configured(pairs: &[&str]) -> Result<ProducerConfig, String> {
        let mut properties = Properties::default();
        properties.add(pairs.iter().copied());
        config(&properties).map_err(|failure| match failure {
            Failure::Told(why) => why,
            other => panic!("{other:?}"),
        })
    }

    #[test]
    fn it_is_idempotent_unless_that_is_impossible_or_not_wanted() {
        assert!(configured(&[]).unwrap().idempotent);
        assert!(!configured(&["acks=1"]).unwrap().idempotent);
        assert!(!configured(&["retries=0"]).unwrap().idempotent);
        assert!(!configured(&["enable.idempotence=false"]).unwrap().idempotent);
        assert!(configured(&["enable.idempotence=true", "acks=0"]).unwrap_err().contains("acks=all"));
    }

    #[test]
    fn bad_values_are_refused_by_name() {
        for (pair, named) in [
            ("acks=2", "acks"),
            ("compression.type=zip", "compression.type"),
            ("batch.size=x", "batch.size"),
            ("transactional.id=t", "transactional.id"),
            ("partitioner.class=my.Own", "partitioner.class"),
            ("compression.zstd.level=23", "compression.zstd.level"),
        ] {
            let why = configured(&[pair]).unwrap_err();
            assert!(why.contains(named), "{pair}: {why}");
        }
    }

    #[test]
    fn lines_end_as_in_java() {
        let input: Box<dyn BufRead + Send> = Box::new(&b"a\r\n\nb\xff\nlast"[..]);
        let lines: Result<Vec<_>, _> = read_lines(input).collect();
        assert_eq!(lines.unwrap(), ["a", "", "b\u{fffd}", "last"]);
    }
}
