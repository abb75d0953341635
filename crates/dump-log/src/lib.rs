//! Turns the files of a log directory into text (`ottla dump-log`), read-only.
//!
//! With the flags of Kafka's `kafka-dump-log.sh` standard output is to the byte what Kafka 4.1.1's tool prints
//! (`kafka.tools.DumpLogSegments`), for Kafka's files and Ottla's; findings go to standard error in its words, and the
//! exit code is 1 where it ends with a stack trace. Two flags are ours: `--format json` (one object per batch, record or
//! entry) and `--producer-id` (one producer's batches, with what is odd about them).
//!
//! Files of any size are read in bounded memory: a window of the file, the largest batch, the largest record. No length
//! in a file reserves room for bytes that are not there.
//!
//! # Where it differs from Kafka's tool
//! - A segment above 2 GiB is read. A file whose name is no base offset, or has no suffix, is dumped or passed over with a
//!   note; a file that is missing is an error for every suffix.
//! - An index that is missing is not created.
//! - `DefaultDecoder` shows bytes in hexadecimal, where Kafka's shows a Java object's address. Kafka's deserializers are
//!   known as decoder classes as well; classes of one's own are not.
//! - `--remote-log-metadata-decoder` is refused by name.
//! - A coordinator's record that Kafka can read though nobody writes such (`wire` says which) is passed over with a note.
//! - Records of a batch of more than 64 MiB are only shown if its CRC is right.
//! - Findings of one kind are listed up to 100,000 per file, and files in the order in which they were named.

mod batch;
mod control;
mod coordinator;
mod decoder;
mod error;
mod findings;
mod index;
mod java_text;
mod log_file;
mod old_format;
mod options;
mod producer;
mod producer_snapshot;
mod progress;
mod segment;
mod show;

use std::ffi::OsString;
use std::io::{ErrorKind, Write};

use error::DumpError;
use findings::Findings;
use index::IndexDump;
use options::{Options, Task, USAGE, UsageError};
use producer::Producer;
use progress::Progress;
use segment::SegmentDump;
use show::Show;

/// Runs the tool: `args` are what follows `dump-log` on the command line, `out` should be buffered. Returns the exit
/// code: 0, also when there are findings; 1 for wrong arguments, help, and a file that cannot be read on.
pub fn run(args: impl Iterator<Item = OsString>, out: &mut dyn Write, err: &mut dyn Write) -> i32 {
    let mut progress = Progress::new(err);
    match options::parse(args) {
        Ok(Task::Version) => {
            let version = writeln!(out, "ottla {}", env!("CARGO_PKG_VERSION")).and_then(|()| out.flush());
            i32::from(version.is_err())
        }
        Ok(Task::Dump(options)) => {
            let mut findings = Findings::default();
            let result = dump(&options, out, &mut findings, &mut progress);
            progress.done();
            match result.and_then(|()| out.flush().map_err(DumpError::Output)) {
                Ok(()) => {
                    progress.say(&findings.text());
                    0
                }
                // Who reads the output has seen enough (`| head`).
                Err(DumpError::Output(error)) if error.kind() == ErrorKind::BrokenPipe => 0,
                Err(error) => {
                    // What was put out belongs in front of the reason why it ends there.
                    let _ = out.flush();
                    progress.say(&format!("ottla dump-log: {error}\n"));
                    1
                }
            }
        }
        Err(UsageError::Usage(why)) => {
            let gap = if why.is_empty() { "" } else { "\n\n" };
            progress.say(&format!("{why}{gap}{USAGE}"));
            1
        }
        Err(UsageError::Wrong(why)) => {
            progress.say(&format!("ottla dump-log: {why}\n"));
            1
        }
    }
}

fn dump(
    options: &Options,
    out: &mut dyn Write,
    findings: &mut Findings,
    progress: &mut Progress<'_>,
) -> Result<(), DumpError> {
    for word in &options.stray {
        progress.say(&format!("Ignoring {word:?}: files are named in --files, separated by commas\n"));
    }
    let mut show = Show::new(out, options.format);
    let mut producer = options.producer_id.map(Producer::new);
    for path in &options.files {
        let shown = findings::shown(path);
        progress.begin(&shown);
        show.file(&shown)?;
        if let Some(producer) = &mut producer {
            producer.enter(path);
        }
        let suffix = path.extension().unwrap_or_default().to_string_lossy();
        match &*suffix {
            "log" | "checkpoint" => {
                let producer = producer.as_mut();
                SegmentDump { options, show: &mut show, findings, producer }.run(path, &shown, progress)?;
            }
            "index" => IndexDump { options, show: &mut show, findings }.offsets(path, &shown)?,
            "timeindex" => IndexDump { options, show: &mut show, findings }.times(path, &shown)?,
            "txnindex" => IndexDump { options, show: &mut show, findings }.transactions(path, &shown)?,
            "snapshot" => {
                if let Some(why) = producer_snapshot::dump(&mut show, path, &shown)? {
                    progress.say(&format!("{why}\n"));
                }
            }
            _ => progress.say(&format!("Ignoring unknown file {shown}\n")),
        }
    }
    Ok(())
}
