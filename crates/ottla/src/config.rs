//! `ottla config`: the settings in force with where they come from, or the table of all there are.

use std::io::{self, Write};
use std::process::ExitCode;

use settings::{BrokerKey, Settings, TABLE};

use crate::arguments::ConfigArguments;
use crate::sources::Unknown;

/// The settings are wrong.
const BAD_SETTINGS: u8 = 2;

/// Prints them on stdout, and what is no setting on stderr.
pub(crate) fn run(arguments: &ConfigArguments) -> ExitCode {
    // Whoever has closed stdout has seen enough.
    let print = |text: &str| drop(io::stdout().lock().write_all(text.as_bytes()));
    if arguments.docs {
        print(&settings::render_markdown());
        return ExitCode::SUCCESS;
    }
    match arguments.settings() {
        Ok((settings, unknown)) => {
            for Unknown { value, error, .. } in unknown {
                let _ = writeln!(io::stderr(), "{error} has no effect (given in {})", value.origin);
            }
            print(&shown(&settings));
            ExitCode::SUCCESS
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "{error}");
            ExitCode::from(BAD_SETTINGS)
        }
    }
}

/// A line for each key that has an effect, then one for each that was given and has none.
fn shown(settings: &Settings) -> String {
    let mut text = String::new();
    for row in TABLE.broker {
        let (value, from) = match settings.given_as(row.name) {
            Some((name, given)) if name == row.name => (Some(given.text.as_str()), given.origin.to_string()),
            Some((name, given)) => (Some(given.text.as_str()), format!("{name}: {}", given.origin)),
            None => (row.default, "default".to_owned()),
        };
        let value = if row.is_sensitive() { value.map(|_| "[hidden]") } else { value };
        text.push_str(&line(row.name, value, &from));
    }
    for (name, value) in settings.all_given() {
        if let Ok(BrokerKey::Idle(row)) = BrokerKey::named(name) {
            let value = if row.is_sensitive() { "[hidden]" } else { value };
            let from = format!(
                "{}; no effect: {}",
                settings.origin(name).map(ToString::to_string).unwrap_or_default(),
                row.reason.text
            );
            text.push_str(&line(name, Some(value), &from));
        }
    }
    text
}

fn line(name: &str, value: Option<&str>, from: &str) -> String {
    match value {
        Some(value) => format!("{name} = {value}  ({from})\n"),
        None => format!("{name} is unset  ({from})\n"),
    }
}
