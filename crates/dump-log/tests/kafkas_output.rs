//! What Kafka's own tool printed for the files under `tests/fixtures/dump-log`, case by case, is what ours prints.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

struct Answer {
    code: i32,
    out: Vec<u8>,
    err: Vec<u8>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/dump-log").canonicalize().unwrap()
}

fn ours(args: &str) -> Answer {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let code = dump_log::run(args.split_whitespace().map(OsString::from), &mut out, &mut err);
    Answer { code, out, err }
}

/// `exit code <n>`, what stood on standard output, `--- stderr`, what stood there.
fn expected(file: &Path) -> Answer {
    const FRONT: &[u8] = b"exit code ";
    const DIVIDER: &[u8] = b"--- stderr\n";
    let bytes = std::fs::read(file).unwrap();
    let rest = bytes.strip_prefix(FRONT).unwrap();
    let line = rest.iter().position(|&byte| byte == b'\n').unwrap();
    let code = std::str::from_utf8(&rest[..line]).unwrap().parse().unwrap();
    let rest = &rest[line + 1..];
    let divider = rest.windows(DIVIDER.len()).rposition(|window| window == DIVIDER).unwrap();
    Answer { code, out: rest[..divider].to_vec(), err: rest[divider + DIVIDER.len()..].to_vec() }
}

/// Where Kafka's tool has no words, which is when a Java exception has no message, ours may have some.
fn same_words(ours: &str, theirs: &str) -> bool {
    ours == theirs
        || theirs.strip_suffix("null\n").is_some_and(|front| ours.starts_with(front) && ours.ends_with('\n'))
}

#[test]
fn every_case_prints_what_kafkas_tool_printed() {
    let root = fixtures();
    std::env::set_current_dir(&root).unwrap();
    let cases = std::fs::read_to_string("cases.txt").unwrap();
    let mut failed = Vec::new();
    for line in cases.lines() {
        let (name, args) = line.split_once(": ").unwrap();
        let expected = expected(&root.join("expected").join(format!("{name}.txt")));
        let ours = ours(args);
        let here = root.display().to_string();
        let err = String::from_utf8_lossy(&ours.err).replace(&here, "<here>");
        if ours.out != expected.out || ours.code != expected.code {
            let shown = String::from_utf8_lossy(&ours.out).into_owned();
            let theirs = String::from_utf8_lossy(&expected.out).into_owned();
            let at = shown.lines().zip(theirs.lines()).position(|(a, b)| a != b);
            failed.push(format!(
                "{name}: dump-log {args}\n  exit code {} for {}, first difference in line {at:?}\n  ours:   {}\n  \
                 Kafka's: {}\n  stderr: {err}",
                ours.code,
                expected.code,
                at.and_then(|at| shown.lines().nth(at)).unwrap_or_default(),
                at.and_then(|at| theirs.lines().nth(at)).unwrap_or_default(),
            ));
        } else if expected.code == 0 && !same_words(&err, &String::from_utf8_lossy(&expected.err)) {
            failed.push(format!(
                "{name}: stderr is\n{err}but Kafka's\n{}",
                String::from_utf8_lossy(&expected.err)
            ));
        } else if expected.code != 0 && !err.starts_with("ottla dump-log: ") {
            failed.push(format!("{name}: no reason is given: {err}"));
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), cases.lines().count(), failed.join("\n"));
    assert!(cases.lines().count() > 130);
}
