//! The binary: arguments, settings, logging, wiring and the order of a stop. Rules of any kind live in the rooms below.

mod arguments;
mod cleaner;
mod config;
mod graduate;
mod limits;
mod logging;
mod serve;
mod sources;
mod upkeep;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::arguments::Command;

fn main() -> ExitCode {
    match arguments::read() {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Graduate(arguments) => graduate::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::DumpLog(arguments) => dump_log(arguments),
    }
}

fn dump_log(arguments: Vec<OsString>) -> ExitCode {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let code = dump_log::run(arguments.into_iter(), &mut out, &mut io::stderr().lock());
    // A reader that has gone away (`| head`) has all it wants.
    let _ = out.flush();
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
