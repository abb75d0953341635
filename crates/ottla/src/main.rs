//! The binary: arguments, settings, logging, wiring and the order of a stop. Rules of any kind live in the rooms below.

mod addresses;
mod arguments;
mod cleaner;
mod config;
mod graduate;
mod health;
mod image;
mod limits;
mod logging;
mod serve;
mod server_start;
mod signals;
mod sources;
mod storage;
mod upkeep;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use tools::{Manner, Streams, Tool};

use crate::arguments::Command;

fn main() -> ExitCode {
    match arguments::read() {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Graduate(arguments) => graduate::run(&arguments),
        Command::Config(arguments) => config::run(&arguments),
        Command::DumpLog(arguments) => dump_log(arguments),
        Command::Health(arguments) => health::run(&arguments),
        Command::ImageSetup(arguments) => image::run(&arguments),
        Command::Storage(words) => storage::run(words),
        Command::Unstarted(why) => why.tell(),
        Command::Tool(tool, manner, arguments) => run_tool(tool, manner, arguments),
    }
}

fn dump_log(arguments: Vec<OsString>) -> ExitCode {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let code = dump_log::run(arguments.into_iter(), &mut out, &mut io::stderr().lock());
    // A reader that has gone away (`| head`) has all it wants.
    let _ = out.flush();
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}

fn run_tool(tool: &Tool, manner: Manner, arguments: Vec<OsString>) -> ExitCode {
    let mut out = io::BufWriter::new(io::stdout().lock());
    let input = Box::new(io::BufReader::new(io::stdin()));
    let streams = Streams { input, out: &mut out, err: &mut io::stderr() };
    ExitCode::from(tool.run(arguments, manner, streams))
}
