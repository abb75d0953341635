//! The table for people: `docs/configuration.md`, and what `ottla config --docs` prints.

use std::fmt::{self, Write};

use crate::broker::{self, Scope};
use crate::idle;
use crate::resources;
use crate::topic::{self, Effect};
use crate::value::{Kind, Rule};

/// The page, as Markdown.
#[must_use]
pub fn render_markdown() -> String {
    let mut page = String::new();
    write(&mut page).expect("a string takes all text");
    page
}

fn write(page: &mut String) -> fmt::Result {
    page.push_str(HEAD);
    page.push_str("| key | type | default | allowed | changes | what it does |\n| --- | --- | --- | --- | --- | --- |\n");
    for row in broker::ROWS {
        let (allowed, default) = (allowed(row.rule()), shown_default(row.default));
        let (kind, changes) = (kind_name(row.kind), changes(row.scope));
        let topic = topic::ROWS.iter().find(|topic| topic.synonyms.iter().any(|s| s.name == row.name));
        let topic = topic.map_or_else(String::new, |topic| format!(" Topics: `{}`.", topic.name));
        let doc = row.doc.replace('|', "\\|");
        writeln!(page, "| `{}` | {kind} | {default} | {allowed} | {changes} | {doc}{topic} |", row.name)?;
    }
    page.push_str(TOPICS);
    page.push_str("| key | type | default | allowed | broker keys | what it does |\n| --- | --- | --- | --- | --- | --- |\n");
    for row in topic::ROWS.iter().filter(|row| row.effect != Effect::Internal) {
        let (allowed, default) = (allowed(row.rule()), shown_default(row.default));
        let synonyms: Vec<_> = row.synonyms.iter().map(|synonym| format!("`{}`", synonym.name)).collect();
        let note = if row.effect == Effect::Stored { " Kept and answered, without effect." } else { "" };
        let (kind, synonyms) = (kind_name(row.kind), synonyms.join(", "));
        writeln!(
            page,
            "| `{}` | {kind} | {default} | {allowed} | {synonyms} | {}{note} |",
            row.name, row.doc
        )?;
    }
    for (head, rows) in [(GROUPS, resources::GROUP), (CLIENT_METRICS, resources::CLIENT_METRICS)] {
        page.push_str(head);
        page.push_str("| key | type | default | allowed | broker key | what it does |\n| --- | --- | --- | --- | --- | --- |\n");
        for row in rows {
            let (allowed, default) = (allowed(row.rule()), shown_default(Some(row.default)));
            let broker = row.broker.map_or_else(String::new, |key| format!("`{key}`"));
            let kind = kind_name(row.kind);
            writeln!(page, "| `{}` | {kind} | {default} | {allowed} | {broker} | {} |", row.name, row.doc)?;
        }
    }
    page.push_str(IDLE);
    let mut reason = None;
    for row in idle::ROWS {
        if reason != Some(row.reason) {
            reason = Some(row.reason);
            let warned =
                if row.reason.is_missed { " (A value other than the default is a warning.)" } else { "" };
            write!(page, "\n\n**{}**{warned}\n\n`{}`", row.reason.text, row.name)?;
        } else {
            write!(page, ", `{}`", row.name)?;
        }
    }
    page.push('\n');
    Ok(())
}

const HEAD: &str = "\
# Configuration

<!-- Written by `cargo xtask apis` from the table in crates/settings. Do not edit. -->

`ottla serve --config server.properties` takes a file of Kafka's. What is given in several places counts in this order: a flag
(`--set KEY=VALUE`, `--listen`, `--advertise`, `--data-dir`), a `KAFKA_*` variable, the file, the default. The variables are those of
the apache/kafka image: `KAFKA_LOG_RETENTION_MS` is `log.retention.ms`, two underscores are an underscore, three a dash.
`CLUSTER_ID` names the cluster of a fresh data directory; any other directory must belong to it. With `--defaults kafka`, as in the image,
what is not given is as in Kafka: `log.dir` is /tmp/kafka-logs, `listeners` every interface, `process.roles` and `node.id` are required. `ottla config --show` prints what
is in force and where it was given.

A value that is not allowed ends the start with code 2, before anything is touched. A key that is not below is a warning.
Without `process.roles` nothing need be said of controllers; with it, what would keep Kafka from starting is refused.

## The broker

*Changes* says who may change a key while the broker runs: nobody (start), one broker, or all of them.

";

const TOPICS: &str = "
## Topics

Given at CreateTopics, or changed later. A topic without a value of its own takes that of the broker key, the first of those that
are set.

";

const GROUPS: &str = "
## Groups

Changed while the broker runs, for one group by its id. A group without a value of its own takes that of the broker key.

";

const CLIENT_METRICS: &str = "
## Subscriptions to client metrics

Changed while the broker runs, under a name of your own (KIP-714).

";

const IDLE: &str = "
## Kafka's keys without effect

They are taken, and their values are checked.";

const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Boolean => "boolean",
        Kind::Short => "short",
        Kind::Int => "int",
        Kind::Long => "long",
        Kind::Double => "double",
        Kind::Text => "string",
        Kind::List => "list",
        Kind::Class => "class",
        Kind::Password => "password",
    }
}

const fn changes(scope: Scope) -> &'static str {
    match scope {
        Scope::ReadOnly => "start",
        Scope::PerBroker => "one",
        Scope::ClusterWide => "all",
    }
}

fn shown_default(default: Option<&str>) -> String {
    match default {
        None => "unset".to_owned(),
        Some("") => "empty".to_owned(),
        Some(text) => format!("`{text}`"),
    }
}

/// What a row allows beyond its type, if anything.
fn allowed(rule: Rule) -> String {
    if rule.allowed == crate::Allowed::Any {
        return String::new();
    }
    rule.to_string().trim_start_matches("must be ").replace('|', "\\|")
}
