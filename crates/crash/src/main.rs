//! Repeats one crash and tells its story, or plays many: `cargo xtask crash --help`.
#![expect(clippy::print_stdout, reason = "a command-line tool prints")]

use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use clap::{Parser, ValueEnum};
use crash::{Case, Finding, case};
use testkit::Crash;

#[derive(Debug, Parser)]
#[command(name = "cargo xtask crash", bin_name = "cargo xtask crash")]
struct Arguments {
    /// The story to play.
    #[arg(long, conflicts_with = "seeds")]
    seed: Option<u64>,
    /// The operation on the disk at which it stops, from 0; every one without this.
    #[arg(long, requires = "seed")]
    cut: Option<u64>,
    /// What the crash leaves; both kinds without this.
    #[arg(long)]
    mode: Option<Mode>,
    /// So many stories, each cut at every operation.
    #[arg(long, default_value_t = 8)]
    seeds: u64,
    /// The seed of the first of these stories.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Only each so many-th operation is cut, a different one in each story.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Mode {
    /// The process is killed: what the operating system has stays.
    Kill,
    /// The power fails: what was not synced is lost, torn, or comes in another order.
    Power,
}

impl Arguments {
    fn crashes(&self) -> Vec<Crash> {
        match self.mode {
            Some(Mode::Kill) => vec![Crash::ProcessKill],
            Some(Mode::Power) => vec![Crash::PowerLoss],
            None => vec![Crash::ProcessKill, Crash::PowerLoss],
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let good = match (arguments.seed, arguments.cut) {
        (Some(seed), Some(cut)) => {
            let cases: Vec<_> =
                arguments.crashes().into_iter().map(|crash| Case { seed, cut, crash }).collect();
            cases.into_iter().all(repeat)
        }
        (Some(seed), None) => many(&arguments, seed..seed + 1),
        (None, _) => many(&arguments, arguments.from..arguments.from + arguments.seeds),
    };
    if good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays one case and tells everything.
fn repeat(case: Case) -> bool {
    let mut told = Vec::new();
    let done = case.tell(&mut told);
    told.iter().for_each(|line| println!("{line}"));
    match &done {
        Ok(()) => println!("{case}: every promise was kept"),
        Err(finding) => println!("BROKEN {finding}"),
    }
    done.is_ok()
}

/// Plays every case of these stories, on all processors. Tells of each story, and of its first findings.
fn many(arguments: &Arguments, seeds: std::ops::Range<u64>) -> bool {
    // What panics is reported as a finding, once.
    std::panic::set_hook(Box::new(|_| {}));
    let mut broken = 0;
    let mut played = 0;
    for seed in seeds {
        let operations = match case::operations(seed) {
            Ok(operations) => operations,
            Err(finding) => {
                println!("story {seed}: BROKEN without a crash: {}", finding.why);
                broken += 1;
                continue;
            }
        };
        let cuts = (seed % arguments.every..operations).step_by(arguments.every as usize);
        let cases: Vec<Case> = cuts
            .flat_map(|cut| arguments.crashes().into_iter().map(move |crash| Case { seed, cut, crash }))
            .collect();
        let findings = play_all(&cases);
        played += cases.len();
        broken += findings.len();
        println!("story {seed}: {operations} operations, {} crashes, {} broken", cases.len(), findings.len());
        for finding in findings.iter().take(3) {
            println!("BROKEN {finding}");
        }
    }
    println!("{played} crashes, {broken} broken promises");
    broken == 0
}

fn play_all(cases: &[Case]) -> Vec<Finding> {
    let next = AtomicUsize::new(0);
    let findings = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, std::num::NonZero::get) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(finding) = case.run() {
                        findings.lock().expect("nobody panics with it held").push(finding);
                    }
                }
            });
        }
    });
    let mut findings = findings.into_inner().expect("nobody panics with it held");
    findings.sort_by_key(|finding| finding.case.cut);
    findings
}
