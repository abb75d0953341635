//! A disk of which one operation fails, each in turn: the act that meets it says which file, nothing acknowledged is lost, and the
//! next start finds everything.

use crash::Ledger;
use crash::judge::{self, Indexes};
use crash::player::Player;
use disk::Operation;
use testkit::{Crash, CrashDisk, FailingDisk, Fault, Injected};

const ACTS: usize = 40;

/// Plays a story in which the operation `number` of this kind fails once; `None` when there are not so many.
fn play(seed: u64, operation: Operation, error: Injected, number: u64) -> Option<bool> {
    let what = format!("story {seed}, {operation:?} number {number} fails with {error:?}");
    let behind = CrashDisk::calm(seed);
    let failing = FailingDisk::new(behind.shared());
    failing.fail(Fault::on(operation, "*", error).after(number).times(1).short(7));
    let mut player = Player::new(&behind, seed, Ledger::default()).through(failing.shared());
    let played = player.play(ACTS);
    if failing.failures() == 0 {
        return None;
    }
    if let Err(why) = &played {
        // Why a partition is offline was logged when it was to be opened.
        let names = ["/srv", "directory /", "was offline"];
        assert!(names.iter().any(|name| why.contains(name)) && !why.contains("panicked"), "{what}: {why}");
    }
    let Player { ledger, life, now, .. } = &player;
    let left = behind.after(Crash::ProcessKill);
    judge::judge(&left, ledger, Crash::ProcessKill, Indexes::Hints, life + 3, *now)
        .unwrap_or_else(|why| panic!("{what}, then {played:?}: {why}"));
    Some(played.is_err())
}

#[test]
fn one_failing_operation_loses_nothing_that_was_acknowledged() {
    use Operation::{CreateDir, List, Look, Open, Read, Remove, Rename, SetLen, Sync, SyncDir, Write};
    let cases = [
        (Write, [Injected::NoSpace, Injected::Io]),
        (SetLen, [Injected::NoSpace, Injected::Io]),
        (Sync, [Injected::Io, Injected::NoSpace]),
        (SyncDir, [Injected::Io, Injected::ReadOnly]),
        (Open, [Injected::TooManyFiles, Injected::ReadOnly]),
        (CreateDir, [Injected::NoSpace, Injected::ReadOnly]),
        (Rename, [Injected::Io, Injected::ReadOnly]),
        (Remove, [Injected::Io, Injected::ReadOnly]),
        (Read, [Injected::Io, Injected::TooManyFiles]),
        (Look, [Injected::Io, Injected::TooManyFiles]),
        (List, [Injected::Io, Injected::TooManyFiles]),
    ];
    for (operation, errors) in cases {
        let mut met = 0;
        for (seed, error) in (20..).zip(errors) {
            for number in (0..).step_by(3) {
                match play(seed, operation, error, number) {
                    Some(failed) => met += u64::from(failed),
                    None => break,
                }
            }
        }
        assert!(met > 0 || operation == Remove, "{operation:?} failing was never met");
    }
}
