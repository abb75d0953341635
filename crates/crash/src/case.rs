//! One case: a seed, a cut, a kind of crash. The same case gives the same story, crash and recovery on every machine.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use disk::Operation;
use testkit::{Crash, CrashDisk, Random};

use crate::judge::{self, Indexes, Recovered};
use crate::ledger::Ledger;
use crate::player::Player;

/// Acts in a story's first life.
const ACTS: usize = 60;
/// Acts in the life after the first crash.
const ACTS_AFTER: usize = 15;
/// Operations that are shown before a cut.
const SHOWN: usize = 25;

/// One story, one cut, one kind of crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    /// The story.
    pub seed: u64,
    /// The operation on the disk at which the world stops, from 0.
    pub cut: u64,
    /// What is left then.
    pub crash: Crash,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Where.
    pub case: Case,
    /// Which.
    pub why: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n  repeat with: {}", self.why, self.case)
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.crash {
            Crash::ProcessKill => "kill",
            Crash::PowerLoss => "power",
        };
        write!(f, "cargo xtask crash --seed {} --cut {} --mode {mode}", self.seed, self.cut)
    }
}

/// How many operations the story of `seed` makes undisturbed.
///
/// # Errors
/// When the story fails by itself.
pub fn operations(seed: u64) -> Result<u64, Finding> {
    let disk = CrashDisk::calm(seed);
    let case = Case { seed, cut: u64::MAX, crash: Crash::ProcessKill };
    guarded(case, &mut Vec::new(), |_| Player::new(&disk, seed, Ledger::default()).play(ACTS))?;
    Ok(disk.operations())
}

impl Case {
    /// Plays the case.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub fn run(self) -> Result<(), Finding> {
        self.tell(&mut Vec::new())
    }

    /// Plays the case and puts its story into `told`.
    ///
    /// # Errors
    /// The first promise that was broken.
    pub fn tell(self, told: &mut Vec<String>) -> Result<(), Finding> {
        guarded(self, told, |told| self.play(told))
    }

    fn play(self, told: &mut Vec<String>) -> Result<(), String> {
        let mut random = Random::branch(self.seed, self.cut ^ 0xCA5E);
        let disk = CrashDisk::new(self.seed, self.cut);
        let mut player = Player::new(&disk, self.seed, Ledger::default());
        let played = player.play(ACTS);
        tell_life(told, &player, &disk);
        played?;

        let left = disk.after_with(self.crash, random.next());
        let recovered = self.judge(told, &left, self.crash, &player)?;

        // Life goes on, on a copy that the judge has not touched. Every other time the next cut comes soon: while the
        // broker recovers, more often than not.
        let disk = left.after_with(Crash::ProcessKill, random.next());
        let soon = random.one_in(2);
        disk.cut_after(random.below(if soon { 40 } else { 200 }));
        let mut next = Player::new(&disk, random.next(), recovered.ledger);
        next.now = player.now;
        next.life = player.life + 10;
        next.producers = player.producers;
        let played = next.play(ACTS_AFTER);
        tell_life(told, &next, &disk);
        played?;
        let crash = if random.one_in(2) { Crash::ProcessKill } else { Crash::PowerLoss };
        let left = disk.after_with(crash, random.next());
        self.judge(told, &left, crash, &next).map(drop)
    }

    fn judge(
        self,
        told: &mut Vec<String>,
        left: &CrashDisk,
        crash: Crash,
        player: &Player,
    ) -> Result<Recovered, String> {
        told.push(format!("-- {crash:?}"));
        let judged = left.after(Crash::ProcessKill);
        let recovered =
            judge::judge(&judged, &player.ledger, crash, Indexes::Exact, player.life + 3, player.now)
                .map_err(|why| format!("after {crash:?}: {why}"))?;
        told.extend(recovered.found.iter().map(|line| format!("found {line}")));
        Ok(recovered)
    }
}

fn tell_life(told: &mut Vec<String>, player: &Player, disk: &CrashDisk) {
    told.extend(player.told.iter().cloned());
    let journal = disk.journal();
    let from = journal.len().saturating_sub(SHOWN);
    told.push(format!("-- the last operations of {}:", journal.len()));
    for (number, (operation, path)) in journal.iter().enumerate().skip(from) {
        told.push(format!("   {number} {}", line(*operation, path)));
    }
}

fn line(operation: Operation, path: &std::path::Path) -> String {
    format!("{operation} {}", path.display())
}

/// A panic is a broken promise as well.
fn guarded(
    case: Case,
    told: &mut Vec<String>,
    work: impl FnOnce(&mut Vec<String>) -> Result<(), String>,
) -> Result<(), Finding> {
    let done = catch_unwind(AssertUnwindSafe(|| work(told)));
    let done = done.unwrap_or_else(|panic| {
        let said = panic.downcast_ref::<String>().cloned();
        let said = said.or_else(|| panic.downcast_ref::<&str>().map(|said| (*said).to_owned()));
        Err(format!("panicked: {}", said.unwrap_or_default()))
    });
    done.map_err(|why| Finding { case, why })
}
