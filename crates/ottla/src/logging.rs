//! Log lines: on stderr, or in Kafka's layout on stdout.

use std::fmt;
use std::io::{self, IsTerminal};
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::FmtContext;
use tracing_subscriber::fmt::format::{FormatEvent, FormatFields, Writer};
use tracing_subscriber::fmt::time::{FormatTime, SystemTime};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::LogFormat;

/// Where the level is looked for, first one first: a level, or levels by room as in `info,frontend=debug`.
const VARIABLES: [&str; 2] = ["OTTLA_LOG", "RUST_LOG"];

/// Where the images of Kafka look for the level, in the words of log4j.
const KAFKAS_VARIABLE: &str = "KAFKA_LOG4J_ROOT_LOGLEVEL";

/// The part of Kafka whose lines others wait for. They are shown at every level, as Kafka does unless its own loggers are
/// set: that of the variable is the root's.
const KAFKA_SERVER: &str = "kafka.server";

/// Sends log lines to where they belong from now on, panics among them.
pub(crate) fn start(format: LogFormat) {
    let (filter, complaint) = filter(format);
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(io::stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
        LogFormat::Kafka => registry
            .with(tracing_subscriber::fmt::layer().with_writer(io::stdout).event_format(KafkasLayout))
            .init(),
    }
    if let Some(complaint) = complaint {
        tracing::warn!("{complaint}");
    }
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let text = panic.payload_as_str().unwrap_or("(no text)");
        tracing::error!(
            at = place.as_deref().unwrap_or("?"),
            "panicked at: {text}; this is a bug, please report it"
        );
    }));
}

/// The filter that the environment asks for, and what is wrong with it.
fn filter(format: LogFormat) -> (Targets, Option<String>) {
    let is_kafkas = format == LogFormat::Kafka;
    let (filter, complaint) = asked(is_kafkas);
    (if is_kafkas { filter.with_target(KAFKA_SERVER, LevelFilter::INFO) } else { filter }, complaint)
}

fn asked(is_kafkas: bool) -> (Targets, Option<String>) {
    let usual = Targets::new().with_default(LevelFilter::INFO);
    let names = VARIABLES.into_iter().chain(is_kafkas.then_some(KAFKAS_VARIABLE));
    let mut asked = names.filter_map(|name| Some((name, std::env::var(name).ok()?)));
    match asked.next() {
        None => (usual, None),
        Some((KAFKAS_VARIABLE, text)) => match log4js_level(&text) {
            Some(level) => (Targets::new().with_default(level), None),
            None => (
                usual,
                Some(format!(
                    "{KAFKAS_VARIABLE} cannot be `{text}`: no level of log4j; log lines are at INFO"
                )),
            ),
        },
        Some((name, text)) => match text.parse::<Targets>() {
            Ok(filter) => (filter, None),
            Err(error) => (usual, Some(format!("{name} cannot be `{text}`: {error}; log lines are at INFO"))),
        },
    }
}

/// A level of log4j.
fn log4js_level(text: &str) -> Option<LevelFilter> {
    Some(match text.trim().to_ascii_uppercase().as_str() {
        "OFF" => LevelFilter::OFF,
        "FATAL" | "ERROR" => LevelFilter::ERROR,
        "WARN" => LevelFilter::WARN,
        "INFO" => LevelFilter::INFO,
        "DEBUG" => LevelFilter::DEBUG,
        "TRACE" | "ALL" => LevelFilter::TRACE,
        _ => return None,
    })
}

/// What Kafka says when it can be used, in this order: its test modules, and others, wait for one of the lines.
pub(crate) fn say_started(node_id: i32) {
    tracing::info!(
        target: "kafka.server.BrokerLifecycleManager",
        "[BrokerLifecycleManager id={node_id}] The broker has been unfenced. Transitioning from RECOVERY to RUNNING."
    );
    tracing::info!(
        target: "kafka.server.KafkaRaftServer",
        "[KafkaRaftServer nodeId={node_id}] Kafka Server started"
    );
}

/// `[2026-11-22 19:16:43,526] INFO message (where)`, in UTC as containers are.
struct KafkasLayout;

impl<S, N> FormatEvent<S, N> for KafkasLayout
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        write!(writer, "[{}] {} ", log4js_time(&time), event.metadata().level())?;
        context.field_format().format_fields(writer.by_ref(), event)?;
        writeln!(writer, " ({})", event.metadata().target().replace("::", "."))
    }
}

/// RFC 3339 as log4j would say it: without its letters, with a comma before the milliseconds and nothing behind them.
fn log4js_time(time: &str) -> String {
    const MILLISECONDS: usize = "2026-11-22T19:16:43.526".len();
    time.chars()
        .take(MILLISECONDS)
        .map(|c| match c {
            'T' => ' ',
            '.' => ',',
            c => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_looks_as_log4js() {
        assert_eq!(log4js_time("2026-11-22T19:16:43.526530Z"), "2026-11-22 19:16:43,526");
    }

    #[test]
    fn log4js_levels_are_known() {
        assert_eq!(log4js_level(" fatal"), Some(LevelFilter::ERROR));
        assert_eq!(log4js_level("ALL"), Some(LevelFilter::TRACE));
        assert_eq!(log4js_level("LOUD"), None);
    }
}
