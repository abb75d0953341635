//! `kafka-groups.sh`: lists groups of every kind (Kafka: `GroupsCommand`).

use client::Client;
use wire::messages::list_groups::ListedGroup;

use crate::call::{Call, Failure};
use crate::groups;
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Options, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Lists groups of every kind; kafka-consumer-groups.sh describes those of consumers.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "list", takes: Takes::Nothing, help: "list them; required" },
        Flag {
            name: "group-type",
            takes: Takes::Value("TYPE"),
            help: "only these: classic, consumer, share or streams",
        },
        Flag { name: "protocol", takes: Takes::Value("PROTOCOL"), help: "only groups of this protocol" },
        Flag { name: "consumer", takes: Takes::Nothing, help: "only groups of consumers, of any type" },
        Flag { name: "share", takes: Takes::Nothing, help: "only share groups" },
        Flag { name: "streams", takes: Takes::Nothing, help: "only streams groups" },
        COMMAND_CONFIG,
    ],
    word: Word::None,
};

const TYPES: [&str; 4] = ["Classic", "Consumer", "Share", "Streams"];

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    options.bootstrap()?;
    if !options.has("list") {
        return Err(Failure::Usage("Command must include exactly one action: --list".to_owned()));
    }
    for (used, others) in [
        ("consumer", &["share", "streams", "group-type", "protocol"][..]),
        ("share", &["consumer", "streams", "group-type", "protocol"]),
        ("streams", &["consumer", "share", "group-type", "protocol"]),
    ] {
        options.exclude(used, others)?;
    }
    let kind = options.value("group-type")?.map(|text| {
        let known = TYPES.into_iter().find(|known| known.eq_ignore_ascii_case(text));
        known.ok_or_else(|| {
            Failure::Usage(format!("--group-type value should be one of {}", TYPES.join(", ").to_lowercase()))
        })
    });
    let kind = kind.transpose()?;
    let mut client = call.client("ottla-all-groups", COMMAND_CONFIG.name)?;
    match listed(&mut client, &call.options, kind) {
        Ok(rows) => print(call, &rows),
        Err(Failure::Client(error)) => {
            writeln!(call.out, "Error while executing groups command : {error}")?;
            Err(Failure::Said)
        }
        Err(failure) => Err(failure),
    }
}

/// Name, type and protocol of the groups that the flags ask for.
fn listed(client: &mut Client, options: &Options, kind: Option<&str>) -> Result<Vec<[String; 3]>, Failure> {
    let protocol = options.value("protocol")?;
    let is_of = |group: &ListedGroup, kind: &str| group.group_type.eq_ignore_ascii_case(kind);
    let is_wanted = |group: &ListedGroup| {
        if kind.is_some() || protocol.is_some() {
            kind.is_none_or(|kind| is_of(group, kind))
                && protocol.is_none_or(|protocol| *protocol == *group.protocol_type)
        } else if options.has("consumer") {
            matches!(&*group.protocol_type, "consumer" | "") || is_of(group, "consumer")
        } else {
            let flags = ["share", "streams"];
            flags.iter().all(|flag| !options.has(flag) || is_of(group, flag))
        }
    };
    let groups = groups::of_every_kind(client, &[], &[])?;
    let row = |group: &ListedGroup| {
        let kind = TYPES.into_iter().find(|kind| is_of(group, kind)).unwrap_or_default();
        [group.group_id.to_string(), kind.to_owned(), group.protocol_type.to_string()]
    };
    Ok(groups.iter().filter(|group| is_wanted(group)).map(row).collect())
}

fn print(call: &mut Call<'_>, rows: &[[String; 3]]) -> Result<(), Failure> {
    let width = rows.iter().flatten().map(|cell| cell.chars().count()).max().unwrap_or(0).max(20);
    writeln!(call.out, "{:<width$} {:<width$} {:<width$}", "GROUP", "TYPE", "PROTOCOL")?;
    for [group, kind, protocol] in rows {
        writeln!(call.out, "{group:<width$} {kind:<width$} {protocol:<width$} ")?;
    }
    Ok(())
}
