//! A few crashes of the many that `cargo xtask test crash` plays, and that a case can be repeated.
use crash::player::Player;
use crash::{Case, Ledger, case};
use disk::Operation;
use testkit::{Crash, CrashDisk};

fn keep(case: Case) {
    if let Err(finding) = case.run() {
        panic!("{finding}");
    }
}

#[test]
fn what_was_promised_is_found_again() {
    for seed in 100..103 {
        let operations = case::operations(seed).unwrap();
        assert!(operations > 150, "story {seed} makes {operations} operations");
        for cut in (seed % 40..operations).step_by(40) {
            for crash in [Crash::ProcessKill, Crash::PowerLoss] {
                keep(Case { seed, cut, crash });
            }
        }
    }
}

/// Found by stories 1 and 7: the first start was killed before it had synced the directory above, which later ones took for done.
#[test]
fn a_format_that_was_cut_short_is_made_good() {
    for cut in [1, 6, 9, 43] {
        keep(Case { seed: 7, cut, crash: Crash::ProcessKill });
        keep(Case { seed: 7, cut, crash: Crash::PowerLoss });
    }
}

#[test]
fn a_case_repeats_itself() {
    let told = || {
        let mut told = Vec::new();
        Case { seed: 104, cut: 140, crash: Crash::PowerLoss }.tell(&mut told).unwrap();
        told
    };
    let first = told();
    assert!(first.iter().any(|line| line.contains("append")), "{first:?}");
    assert_eq!(first, told());
}

#[test]
fn stories_write_metadata_snapshots_and_take_old_ones_away() {
    let (mut written, mut set_aside) = (0, 0);
    for seed in 100..110 {
        let disk = CrashDisk::calm(seed);
        Player::new(&disk, seed, Ledger::default()).play(60).unwrap();
        for (operation, path) in disk.journal() {
            let path = path.display().to_string();
            let renames = operation == Operation::Rename && path.contains("__cluster_metadata-0");
            written += u32::from(renames && path.ends_with(".part"));
            set_aside += u32::from(renames && path.ends_with(".checkpoint"));
        }
    }
    assert!(written > 5 && set_aside > 2, "{written} were written, {set_aside} set aside");
}
