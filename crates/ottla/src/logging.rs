//! Log lines on stderr.

use std::io::{self, IsTerminal};
use std::panic;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::arguments::LogFormat;

/// Where the level is looked for, first one first: a level, or levels by room as in `info,frontend=debug`.
const VARIABLES: [&str; 2] = ["OTTLA_LOG", "RUST_LOG"];

/// Sends log lines to stderr from now on, panics among them.
pub(crate) fn start(format: LogFormat) {
    let (filter, complaint) = filter();
    let lines = tracing_subscriber::fmt::layer().with_writer(io::stderr);
    let registry = tracing_subscriber::registry().with(filter);
    match format {
        LogFormat::Text => registry.with(lines.with_ansi(io::stderr().is_terminal())).init(),
        LogFormat::Json => registry.with(lines.json()).init(),
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
fn filter() -> (Targets, Option<String>) {
    let usual = Targets::new().with_default(LevelFilter::INFO);
    let asked = VARIABLES.into_iter().find_map(|name| Some((name, std::env::var(name).ok()?)));
    match asked {
        None => (usual, None),
        Some((name, text)) => match text.parse::<Targets>() {
            Ok(filter) => (filter, None),
            Err(error) => (usual, Some(format!("{name} cannot be `{text}`: {error}; log lines are at INFO"))),
        },
    }
}
