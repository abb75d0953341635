//! `kafka-configs.sh`: shows and changes the settings of topics, brokers, groups and client metrics, and the quotas of users,
//! clients and addresses (Kafka: `ConfigCommand`).

mod change;
mod entity;
mod quotas;
mod resources;

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Takes, Word};
use change::Change;
use entity::{Entity, Kind};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Asks a running broker for its settings and changes them: those of topics, brokers, groups and client metrics, and \
            the quotas of users, clients and addresses. (What a broker would start with is shown by `ottla config --show`.)",
    flags: &[
        BOOTSTRAP,
        Flag { name: "describe", takes: Takes::Nothing, help: "show settings" },
        Flag { name: "alter", takes: Takes::Nothing, help: "change settings" },
        Flag {
            name: "entity-type",
            takes: Takes::Value("TYPE"),
            help: "topics, clients, users, brokers, broker-loggers, ips, client-metrics or groups; users and clients may be \
                   given together",
        },
        Flag { name: "entity-name", takes: Takes::Value("NAME"), help: "the one of the type" },
        Flag {
            name: "entity-default",
            takes: Takes::Nothing,
            help: "what holds for those of the type that have no settings of their own",
        },
        Flag { name: "topic", takes: Takes::Value("TOPIC"), help: "the topic" },
        Flag { name: "client", takes: Takes::Value("CLIENT"), help: "the clients with this client.id" },
        Flag { name: "user", takes: Takes::Value("USER"), help: "the user" },
        Flag { name: "broker", takes: Takes::Value("N"), help: "the number of the broker" },
        Flag { name: "broker-logger", takes: Takes::Value("N"), help: "the number of the broker" },
        Flag { name: "ip", takes: Takes::Value("IP"), help: "the address" },
        Flag {
            name: "client-metrics",
            takes: Takes::Value("NAME"),
            help: "the subscription of client metrics",
        },
        Flag { name: "group", takes: Takes::Value("GROUP"), help: "the group" },
        Flag { name: "client-defaults", takes: Takes::Nothing, help: "what holds for all other clients" },
        Flag { name: "user-defaults", takes: Takes::Nothing, help: "what holds for all other users" },
        Flag { name: "broker-defaults", takes: Takes::Nothing, help: "what holds for all brokers" },
        Flag { name: "ip-defaults", takes: Takes::Nothing, help: "what holds for all other addresses" },
        Flag { name: "all", takes: Takes::Nothing, help: "describe also what nobody has set" },
        Flag {
            name: "add-config",
            takes: Takes::Value("NAME=VALUE,..."),
            help: "set these; a value with commas stands in [brackets]",
        },
        Flag { name: "add-config-file", takes: Takes::Value("FILE"), help: "set what stands in this file" },
        Flag { name: "delete-config", takes: Takes::Value("NAME,..."), help: "take these away" },
        COMMAND_CONFIG,
        Flag {
            name: "bootstrap-controller",
            takes: Takes::Refused,
            help: "ask the broker with --bootstrap-server",
        },
    ],
    word: Word::None,
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    let (describes, alters) = (options.has("describe"), options.has("alter"));
    if describes == alters {
        let why = "Command must include exactly one action: --describe, --alter";
        return Err(Failure::Usage(why.to_owned()));
    }
    for flag in ["add-config", "delete-config"] {
        options.exclude("describe", &[flag])?;
    }
    options.bootstrap()?;
    let entity = Entity::chosen(options, alters)?;
    let change = alters.then(|| Change::wanted(options)).transpose()?;
    let mut client = call.client("ottla-configs", COMMAND_CONFIG.name)?;
    let Some(change) = change else {
        return match entity.kind() {
            Kind::User | Kind::Client | Kind::Ip => quotas::describe(call, &mut client, &entity),
            _ => resources::describe(call, &mut client, &entity),
        };
    };
    match entity.kind() {
        Kind::User | Kind::Client | Kind::Ip => quotas::alter(&mut client, &entity, &change)?,
        _ => resources::alter(&mut client, &entity, &change)?,
    }
    match (entity.kind(), entity.name().unwrap_or_default()) {
        (kind, "") => writeln!(call.out, "Completed updating default config for {kind} in the cluster.")?,
        (kind, name) => writeln!(call.out, "Completed updating config for {} {name}.", kind.singular())?,
    }
    Ok(())
}
