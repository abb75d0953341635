//! The binary as a process: how it starts, what it refuses and with which exit code, and how it stops.

mod arguments;
mod config;
mod kafkas_names;
mod listeners;
mod refusals;
mod settings;
mod stops;
mod tools;

use testkit::broker::Launch;

fn launch() -> Launch {
    Launch::of(env!("CARGO_BIN_EXE_ottla"))
}
