//! `kafka-consumer-groups.sh`: lists, describes and deletes groups, and their offsets (Kafka: `ConsumerGroupCommand`).
//! Groups of both protocols, and those that only have offsets.

mod describe;
mod offsets;
mod plan_file;
mod reset;

use std::time::Duration;

use client::{Client, ClientError, Code, LATEST};
use wire::messages::delete_groups::DeleteGroupsRequest;
use wire::messages::list_groups::{ListGroupsRequest, ListedGroup};

use crate::Manner;
use crate::call::{Call, Failure, named};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Options, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Lists, describes and deletes consumer groups, and resets and deletes their offsets.",
    flags: &[
        BOOTSTRAP,
        Flag { name: "list", takes: Takes::Nothing, help: "name all groups" },
        Flag { name: "describe", takes: Takes::Nothing, help: "show offsets and lag, or members or state" },
        Flag { name: "delete", takes: Takes::Nothing, help: "delete groups without members" },
        Flag {
            name: "reset-offsets",
            takes: Takes::Nothing,
            help: "show which offsets a reset would commit; with --execute, commit them",
        },
        Flag { name: "delete-offsets", takes: Takes::Nothing, help: "delete the offsets of topics" },
        Flag { name: "group", takes: Takes::Value("GROUP"), help: "the group; may be given many times" },
        Flag { name: "all-groups", takes: Takes::Nothing, help: "every group" },
        Flag {
            name: "topic",
            takes: Takes::Value("TOPIC[:N,...]"),
            help: "the topic, or partitions of it; may be given many times",
        },
        Flag { name: "all-topics", takes: Takes::Nothing, help: "every topic that the group has offsets of" },
        Flag {
            name: "offsets",
            takes: Takes::Nothing,
            help: "describe offsets and lag (what it does alone too)",
        },
        Flag { name: "members", takes: Takes::Nothing, help: "describe members" },
        Flag {
            name: "state",
            takes: Takes::Optional("STATE,..."),
            help: "describe the state; with --list, show states, or only groups in these",
        },
        Flag {
            name: "type",
            takes: Takes::Optional("TYPE,..."),
            help: "with --list: show types, or only groups of these",
        },
        Flag { name: "verbose", takes: Takes::Nothing, help: "describe more" },
        Flag { name: "execute", takes: Takes::Nothing, help: "do the reset" },
        Flag {
            name: "dry-run",
            takes: Takes::Nothing,
            help: "only show it (what is done without --execute)",
        },
        Flag { name: "to-earliest", takes: Takes::Nothing, help: "reset to the start" },
        Flag { name: "to-latest", takes: Takes::Nothing, help: "reset to the end" },
        Flag { name: "to-current", takes: Takes::Nothing, help: "reset to what is committed" },
        Flag { name: "to-offset", takes: Takes::Value("OFFSET"), help: "reset to this offset" },
        Flag {
            name: "shift-by",
            takes: Takes::Value("N"),
            help: "reset by so many offsets, back if negative",
        },
        Flag {
            name: "to-datetime",
            takes: Takes::Value("TIME"),
            help: "reset to the first record of this time, YYYY-MM-DDThh:mm:ss.sss, in UTC unless it says more",
        },
        Flag {
            name: "by-duration",
            takes: Takes::Value("PnDTnHnMnS"),
            help: "reset to the first record of so long ago",
        },
        Flag {
            name: "from-file",
            takes: Takes::Value("FILE"),
            help: "reset to what stands in a file that --export wrote",
        },
        Flag { name: "export", takes: Takes::Nothing, help: "print the reset for --from-file" },
        Flag {
            name: "validate-regex",
            takes: Takes::Value("REGEX"),
            help: "say whether a consumer may subscribe to this expression; asks no broker",
        },
        Flag { name: "timeout", takes: Takes::Value("MS"), help: "how long to go on trying" },
        COMMAND_CONFIG,
    ],
    word: Word::Flag("group"),
};

/// What stands for a value that is not there.
const MISSING: &str = "-";

const ACTIONS: [&str; 6] =
    ["list", "describe", "delete", "reset-offsets", "delete-offsets", "validate-regex"];

/// How long to go on trying, unless `--timeout` says it (Kafka's tools).
const PATIENCE: Duration = Duration::from_secs(30);

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let action = action(&call.options, call.manner)?;
    if action == "validate-regex" {
        return validate(call);
    }
    call.options.bootstrap()?;
    check(&call.options, action)?;
    let mut client = call.client("ottla-groups", COMMAND_CONFIG.name)?;
    match call.options.number("timeout")? {
        Some(timeout) => client.set_api_timeout(Duration::from_millis(timeout)),
        None if call.manner == Manner::Kafkas => client.set_api_timeout(PATIENCE),
        None => {}
    }
    let result = match action {
        "list" => list(call, &mut client),
        "describe" => describe::describe(call, &mut client),
        "delete" => delete(call, &mut client),
        "reset-offsets" => reset::reset(call, &mut client),
        _ => offsets::delete(call, &mut client),
    };
    match result {
        Err(Failure::Client(error)) => {
            complain(call, &format!("Executing consumer group command failed due to {}", named(&error)))
        }
        Err(Failure::Told(why)) => {
            complain(call, &format!("Executing consumer group command failed due to {why}"))
        }
        result => result,
    }
}

fn action(options: &Options, manner: Manner) -> Result<&'static str, Failure> {
    let mut given = ACTIONS.into_iter().filter(|action| options.has(action));
    match (given.next(), given.next()) {
        (Some(action), None) => Ok(action),
        (None, _) if manner == Manner::Ours => Ok(if options.has("group") { "describe" } else { "list" }),
        _ => Err(Failure::Usage(
            "Command must include exactly one action: --list, --describe, --delete, --reset-offsets, --delete-offsets, --validate-regex"
                .to_owned(),
        )),
    }
}

fn check(options: &Options, action: &str) -> Result<(), Failure> {
    let usage = |why: String| Err(Failure::Usage(why));
    let one_or_all = options.has("group") || options.has("all-groups");
    if matches!(action, "describe" | "delete" | "reset-offsets") && !one_or_all {
        return usage(format!("Option [{action}] takes one of these options: [group], [all-groups]"));
    }
    options.exclude("group", &["all-groups"])?;
    match action {
        "describe" => {
            let parts = ["members", "offsets", "state"].iter().filter(|part| options.has(part)).count();
            if parts > 1 {
                return usage(
                    "Option [describe] takes at most one of these options: [members], [offsets], [state]"
                        .to_owned(),
                );
            }
            if options.value("state")?.is_some() {
                return usage("Option [describe] does not take a value for [state]".to_owned());
            }
        }
        "delete" if options.has("topic") => {
            return usage(
                "The consumer does not support topic-specific offset deletion from a consumer group."
                    .to_owned(),
            );
        }
        "delete-offsets" if !options.has("group") || !options.has("topic") => {
            return usage("Option [delete-offsets] takes the following options: [group], [topic]".to_owned());
        }
        "list" => options.exclude("list", &["group", "topic"])?,
        _ => {}
    }
    for (flag, actions) in [
        ("members", &["describe"][..]),
        ("offsets", &["describe"]),
        ("verbose", &["describe"]),
        ("state", &["describe", "list"]),
        ("type", &["list"]),
        ("execute", &["reset-offsets"]),
        ("dry-run", &["reset-offsets"]),
    ] {
        if options.has(flag) && !actions.contains(&action) {
            return usage(format!("Option [{flag}] can't be used with option [{action}]"));
        }
    }
    Ok(())
}

/// Says whether the broker would take an expression; it is of the same library there.
fn validate(call: &mut Call<'_>) -> Result<(), Failure> {
    let expression = call.options.required("validate-regex")?.to_owned();
    match regex::Regex::new(&expression) {
        Ok(_) => writeln!(call.out, "The regular expression `{expression}` is valid.")?,
        Err(error) => {
            // The lines before the last one draw where.
            let told = error.to_string();
            let last = told.lines().last().unwrap_or_default();
            let why = last.strip_prefix("error: ").unwrap_or(last);
            writeln!(call.out, "The regular expression `{expression}` is invalid: {why}.")?;
        }
    }
    Ok(())
}

/// Says what went wrong. As in Kafka the exit code stays 0.
fn complain(call: &mut Call<'_>, why: &str) -> Result<(), Failure> {
    Ok(writeln!(call.out, "\nError: {why}")?)
}

/// The groups that consumers use; those of Connect and the like are other tools' business.
fn all(client: &mut Client, states: &[&str], types: &[&str]) -> Result<Vec<ListedGroup>, ClientError> {
    let mut groups = of_every_kind(client, states, types)?;
    groups.retain(|group| matches!(&*group.protocol_type, "consumer" | ""));
    Ok(groups)
}

/// All groups, from all brokers.
pub(crate) fn of_every_kind(
    client: &mut Client,
    states: &[&str],
    types: &[&str],
) -> Result<Vec<ListedGroup>, ClientError> {
    let filter = |words: &[&str]| words.iter().map(|word| (*word).to_owned().into()).collect::<Vec<_>>();
    client.persist(|client| {
        let brokers = client.metadata(None, false)?.brokers;
        let mut groups = Vec::new();
        for broker in brokers {
            let answer = client.ask_node(broker.node_id, LATEST, |_| ListGroupsRequest {
                states_filter: filter(states),
                types_filter: filter(types),
            })?;
            ClientError::of(answer.error_code, None)?;
            groups.extend(answer.groups);
        }
        Ok(groups)
    })
}

/// The groups that the flags name.
fn chosen(call: &Call<'_>, client: &mut Client) -> Result<Vec<String>, Failure> {
    if call.options.has("all-groups") {
        return Ok(all(client, &[], &[])?.iter().map(|group| group.group_id.to_string()).collect());
    }
    Ok(call.options.all("group").map(str::to_owned).collect())
}

const STATES: [&str; 7] =
    ["PreparingRebalance", "CompletingRebalance", "Stable", "Dead", "Empty", "Assigning", "Reconciling"];

fn list(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let (with_type, with_state) = (call.options.has("type"), call.options.has("state"));
    let words = |flag| -> Result<Vec<String>, Failure> {
        let text = call.options.value(flag)?.unwrap_or_default();
        Ok(text.split(',').map(|word| word.trim().to_owned()).filter(|word| !word.is_empty()).collect())
    };
    let (states, types) = (words("state")?, words("type")?);
    let mut known = Vec::new();
    for word in &states {
        let state = STATES.into_iter().find(|state| state.eq_ignore_ascii_case(word)).ok_or_else(|| {
            Failure::Usage(format!("Invalid state list '{word}'. Valid states are: {}", STATES.join(", ")))
        })?;
        known.push(state);
    }
    if let Some(word) =
        types.iter().find(|word| !["classic", "consumer"].contains(&&*word.to_ascii_lowercase()))
    {
        return Err(Failure::Usage(format!(
            "Invalid types list '{word}'. Valid types are: Classic, Consumer"
        )));
    }
    let types: Vec<_> = types.iter().map(String::as_str).collect();
    let groups = all(client, &known, &types)?;
    if !with_type && !with_state {
        for group in groups {
            writeln!(call.out, "{}", group.group_id)?;
        }
        return Ok(());
    }
    let width = groups.iter().map(|group| group.group_id.chars().count()).max().unwrap_or(0).max(15) + 10;
    let mut line = |group: &str, kind: &str, state: &str| {
        let mut line = format!("{group:<width$}");
        if with_type {
            line.push_str(&format!(" {kind:<20}"));
        }
        if with_state {
            line.push_str(&format!(" {state:<20}"));
        }
        writeln!(call.out, "{line}")
    };
    line("GROUP", "TYPE", "STATE")?;
    for group in groups {
        let mut kind = group.group_type.to_string();
        if let Some(first) = kind.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        line(&group.group_id, &kind, &group.group_state)?;
    }
    Ok(())
}

fn delete(call: &mut Call<'_>, client: &mut Client) -> Result<(), Failure> {
    let groups = chosen(call, client)?;
    let mut deleted = Vec::new();
    let mut failed = Vec::new();
    for group in groups {
        let result = client.persist(|client| {
            let groups_names = vec![group.clone().into()];
            let answer = client.ask_coordinator(&group, LATEST, |_| DeleteGroupsRequest { groups_names })?;
            answer.results.iter().try_for_each(|result| ClientError::of(result.error_code, None))
        });
        match result {
            Ok(()) => deleted.push(format!("'{group}'")),
            Err(error) => failed.push((group, error)),
        }
    }
    let deleted_names = deleted.join(", ");
    if failed.is_empty() {
        writeln!(call.out, "Deletion of requested consumer groups ({deleted_names}) was successful.")?;
        return Ok(());
    }
    complain(call, "Deletion of some consumer groups failed:")?;
    for (group, error) in &failed {
        writeln!(call.out, "* Group '{group}' could not be deleted due to: {}", named(error))?;
    }
    if !deleted.is_empty() {
        writeln!(call.out, "\nThese consumer groups were deleted successfully: {deleted_names}")?;
    }
    Ok(())
}

/// Whether a group is not there at all.
fn is_gone(error: &ClientError) -> bool {
    error.code() == Some(Code::GROUP_ID_NOT_FOUND)
}
