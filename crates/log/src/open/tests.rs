use super::*;

fn known(clean: bool, recovery_point: i64) -> Known {
    Known { clean, recovery_point: Offset(recovery_point), log_start: Offset(0) }
}

#[test]
fn every_row_of_the_plan() {
    // The segment begins at 10; the recovery point is 20.
    for (clean, index, time_index, next, expected) in [
        (true, true, true, None, Plan::FindEnd),
        (true, true, true, Some(15), Plan::Trust),
        (true, true, true, Some(99), Plan::Trust),
        (true, false, true, None, Plan::Scan),
        (true, true, false, None, Plan::Scan),
        (true, false, true, Some(15), Plan::Scan),
        (true, true, false, Some(99), Plan::Scan),
        (false, true, true, None, Plan::Scan),
        (false, true, true, Some(21), Plan::Scan),
        (false, true, true, Some(20), Plan::Trust),
        (false, true, true, Some(15), Plan::Trust),
        (false, false, true, Some(15), Plan::Scan),
        (false, true, false, Some(15), Plan::Scan),
        (false, false, false, None, Plan::Scan),
    ] {
        let files = Files {
            base: Offset(10),
            log: 500,
            index: index.then_some(8),
            time_index: time_index.then_some(12),
            txn_index: false,
        };
        let plan = plan(&known(clean, 20), &files, next.map(Offset));
        assert_eq!(plan, expected, "clean: {clean}, indexes: {index} {time_index}, next: {next:?}");
    }
}

#[test]
fn only_what_was_never_promised_is_cut() {
    assert_eq!(judge(Offset(19), Offset(20)), Verdict::Report);
    assert_eq!(judge(Offset(20), Offset(20)), Verdict::Cut);
    assert_eq!(judge(Offset(21), Offset(20)), Verdict::Cut);
    assert_eq!(judge(Offset(0), Offset(0)), Verdict::Cut);
}
