//! Which room may use which. The picture is in `docs/architecture.md`; this table is what holds it true.

use serde_json::Value;

/// A room, and the rooms that its code may use. Its tests may use whatever lies below those too, and [`FOR_TESTS`].
struct Room {
    name: &'static str,
    uses: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    // The floor: named numbers; files and bytes.
    Room { name: "base", uses: &[] },
    Room { name: "disk", uses: &[] },
    // Bytes and rules, each ignorant of the others.
    Room { name: "records", uses: &["base"] },
    Room { name: "settings", uses: &["base"] },
    Room { name: "state-machines", uses: &["base"] },
    Room { name: "wire-derive", uses: &[] },
    Room { name: "wire", uses: &["base", "wire-derive"] },
    // Storage, from files up to topics.
    Room { name: "log", uses: &["base", "disk", "records"] },
    Room { name: "partition", uses: &["base", "disk", "log", "records", "state-machines"] },
    Room {
        name: "catalog",
        uses: &["base", "disk", "log", "partition", "records", "settings", "state-machines", "wire"],
    },
    Room {
        name: "coordinator",
        uses: &["base", "catalog", "log", "partition", "records", "settings", "state-machines", "wire"],
    },
    // Requests. Only file ranges of `log` are seen this far up, and only `frontend` reads them.
    Room {
        name: "api",
        uses: &[
            "base",
            "catalog",
            "coordinator",
            "log",
            "partition",
            "records",
            "settings",
            "state-machines",
            "wire",
        ],
    },
    Room { name: "frontend", uses: &["api", "base", "disk", "log", "settings", "wire"] },
    // The binary and what stands beside the house.
    Room { name: "dump-log", uses: &["base", "disk", "log", "records", "wire"] },
    Room { name: "client", uses: &["base", "records", "wire"] },
    Room { name: "tools", uses: &["base", "client", "records", "wire"] },
    Room {
        name: "ottla",
        uses: &["api", "base", "catalog", "coordinator", "disk", "dump-log", "frontend", "settings", "tools"],
    },
    Room { name: "testkit", uses: &["base", "disk", "records", "wire"] },
    Room {
        name: "crash",
        uses: &[
            "base",
            "catalog",
            "disk",
            "log",
            "partition",
            "records",
            "settings",
            "state-machines",
            "testkit",
        ],
    },
    Room { name: "bench", uses: &["base", "disk", "log", "partition", "records", "testkit", "wire"] },
    Room { name: "xtask", uses: &[] },
];

/// Rooms that only tests may use, and that may use nothing that would close a circle.
const FOR_TESTS: &[&str] = &["testkit"];

/// Crates from outside that only some rooms may use, and why.
struct Guest {
    name: &'static str,
    rooms: &'static [&'static str],
    reason: &'static str,
}

const GUESTS: &[Guest] = &[
    Guest {
        name: "tokio",
        rooms: &["partition", "coordinator", "api", "frontend", "ottla", "bench"],
        reason: "below them code blocks, and who calls it chooses the thread",
    },
    Guest {
        name: "rustix",
        rooms: &["disk", "frontend", "ottla", "testkit", "bench"],
        reason: "the operating system is met in few places",
    },
    Guest {
        name: "clap",
        rooms: &["ottla", "xtask", "bench", "crash"],
        reason: "arguments are the binary's business",
    },
    Guest {
        name: "signal-hook",
        rooms: &["tools", "ottla"],
        reason: "the broker hears of signals through tokio, and only a tool, and a start, has no runtime",
    },
    Guest {
        name: "rdkafka",
        rooms: &["bench"],
        reason: "it takes minutes to build, so only tests and benches use it",
    },
    Guest {
        name: "kafka-protocol",
        rooms: &[],
        reason: "the codec is ours; this one only checks it in tests",
    },
    Guest { name: "proptest", rooms: &[], reason: "it is for tests" },
    Guest { name: "insta", rooms: &[], reason: "it is for tests" },
    Guest { name: "tempfile", rooms: &["testkit", "bench"], reason: "it is for tests" },
];

/// What is wrong with the dependencies that `cargo metadata` tells of.
pub(super) fn check(metadata: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut complaints = Vec::new();
    for package in list(&metadata["packages"]) {
        let name = package["name"].as_str().unwrap_or_default().to_owned();
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
            complaints.push(format!(
                "the crate {name} has no row in the table of rooms (crates/xtask/src/tidy/layers.rs)"
            ));
            continue;
        };
        for dependency in list(&package["dependencies"]) {
            let used = dependency["name"].as_str().unwrap_or_default();
            let in_tests = dependency["kind"].as_str() == Some("dev");
            complaints.extend(judge(room, used, in_tests));
        }
    }
    complaints
}

fn judge(room: &Room, used: &str, in_tests: bool) -> Option<String> {
    let name = room.name;
    if ROOMS.iter().any(|other| other.name == used) {
        let known = if in_tests {
            FOR_TESTS.contains(&used) || is_below(used, room)
        } else {
            room.uses.contains(&used)
        };
        if known {
            return None;
        }
        let whose = if in_tests { "the tests of " } else { "" };
        return Some(format!(
            "{whose}{name} must not use {used}: the order of the rooms is in docs/architecture.md"
        ));
    }
    let guest = GUESTS.iter().find(|guest| guest.name == used)?;
    let welcome = in_tests || guest.rooms.contains(&name);
    (!welcome).then(|| format!("{name} must not use {used}: {}", guest.reason))
}

/// Whether a room is reached from `room` by going down, in any number of steps.
fn is_below(name: &str, room: &Room) -> bool {
    let next = room.uses.iter().filter_map(|used| ROOMS.iter().find(|other| other.name == *used));
    room.uses.contains(&name) || next.into_iter().any(|used| is_below(name, used))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn complaints(name: &str, used: &str, kind: Option<&str>) -> Vec<String> {
        check(&json!({ "packages": [{ "name": name, "dependencies": [{ "name": used, "kind": kind }] }] }))
    }

    #[test]
    fn what_the_table_allows() {
        for (name, used, kind) in [
            ("log", "disk", None),
            ("log", "testkit", Some("dev")),
            ("log", "bytes", None),
            ("ottla", "wire", Some("dev")),
            ("log", "tempfile", Some("dev")),
            ("frontend", "tokio", None),
        ] {
            assert_eq!(complaints(name, used, kind), [""; 0], "{name} uses {used}");
        }
    }

    #[test]
    fn what_it_forbids() {
        for (name, used, kind, why) in [
            ("log", "partition", None, "log must not use partition"),
            ("log", "partition", Some("dev"), "the tests of log must not use partition"),
            ("log", "wire", Some("dev"), "the tests of log must not use wire"),
            ("ottla", "wire", None, "ottla must not use wire"),
            ("log", "testkit", None, "log must not use testkit"),
            ("log", "tokio", None, "log must not use tokio: below them"),
            ("wire", "kafka-protocol", None, "wire must not use kafka-protocol"),
            ("attic", "base", None, "the crate attic has no row"),
        ] {
            let said = complaints(name, used, kind);
            assert!(matches!(&said[..], [only] if only.starts_with(why)), "{said:?}");
        }
    }

    #[test]
    fn the_table_has_no_circle() {
        for (above, room) in ROOMS.iter().enumerate() {
            for used in room.uses {
                let below = ROOMS.iter().position(|other| other.name == *used);
                assert!(below.is_some_and(|below| below < above), "{} stands below {used}", room.name);
            }
        }
    }
}
