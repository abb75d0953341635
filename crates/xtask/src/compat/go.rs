//! Test suites written in Go: their modules, and what `go test -json` says of each test.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::{Case, Judged, Trouble};

/// The oldest Go that fetches by itself the newer one that a module asks for.
const OLDEST: u32 = 21;

/// The longest that one package of tests may take.
const AT_MOST: &str = "10m";

/// A module of somebody else, copied to where it can be written to.
pub(super) struct Module {
    pub(super) version: String,
    pub(super) place: PathBuf,
}

impl Module {
    /// Fetches the module, `PATH@VERSION`, and copies it below the place of the case, unless it is there.
    pub(super) fn fetch(case: &Case<'_>, named: &str) -> Result<Self, Trouble> {
        usable()?;
        let mut json = Vec::new();
        let got = case.workspace.run("go").args(["mod", "download", "-json", named]).output_kept(&mut json);
        let about: Value = serde_json::from_slice(&json).unwrap_or_default();
        let (true, Some(source), Some(version)) = (got, about["Dir"].as_str(), about["Version"].as_str())
        else {
            let why = about["Error"].as_str().unwrap_or("go mod download fails");
            return Err(Trouble::Failed(format!("{named} cannot be fetched: {why}")));
        };
        let place = case.place.join(version);
        if !place.exists() {
            let (from, to, half) = (source, place.display(), case.place.join("half"));
            let half = half.display();
            // What the module cache holds is read-only, and a copy that was cut short is none.
            let script = format!(
                "rm -rf '{half}' && cp -R '{from}' '{half}' && chmod -R u+w '{half}' && mv '{half}' '{to}'"
            );
            if !case.workspace.run("sh").args(["-c", &script]).succeeds() {
                return Err(Trouble::Failed(format!("{from} cannot be copied")));
            }
        }
        Ok(Self { version: version.trim_start_matches('v').to_owned(), place })
    }
}

/// Whether there is a Go that can build modules of today, fetching the toolchain that one asks for.
pub(crate) fn usable() -> Result<(), Trouble> {
    let needed = |here: &str| Trouble::Missing(format!("needs Go 1.{OLDEST} or later{here}"));
    let output = Command::new("go").args(["env", "GOVERSION"]).output().map_err(|_| needed(""))?;
    let version = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    match minor(&version) {
        Some(minor) if minor >= OLDEST => Ok(()),
        _ => Err(needed(&format!("; here is `{version}`"))),
    }
}

/// `26` of `go1.26.8`.
fn minor(version: &str) -> Option<u32> {
    let rest = version.strip_prefix("go1.")?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

/// The tests of a package that are to run, of those that `tests_with` finds.
pub(super) fn wanted(
    case: &Case<'_>,
    package: &Path,
    files: &str,
    marks: &[&str],
) -> Result<Vec<String>, Trouble> {
    let all = tests_with(package, files, marks)
        .map_err(|why| Trouble::Failed(format!("{}: {why}", package.display())))?;
    case.knows(all.iter().map(String::as_str))?;
    let wanted: Vec<String> = all.into_iter().filter(|test| case.wants(test)).collect();
    if wanted.is_empty() { Err(Trouble::Failed("no test has such a name".to_owned())) } else { Ok(wanted) }
}

/// The tests in those files of a package whose names begin with `files` and end with `_test.go`: the tests whose text, from
/// their first line to their last, holds one of `marks`.
fn tests_with(package: &Path, files: &str, marks: &[&str]) -> io::Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(package)?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<io::Result<_>>()?;
    names.retain(|name| name.starts_with(files) && name.ends_with("_test.go"));
    names.sort();
    let mut all = Vec::new();
    for name in names {
        all.extend(tests_in(&fs::read_to_string(package.join(name))?, marks));
    }
    Ok(all)
}

fn tests_in(source: &str, marks: &[&str]) -> Vec<String> {
    let (mut all, mut inside) = (Vec::<String>::new(), None);
    for line in source.lines() {
        if let Some(rest) = line.strip_prefix("func ") {
            inside = rest
                .split_once("(t *testing.T)")
                .map(|(name, _)| name)
                .filter(|name| name.starts_with("Test"));
        } else if line.starts_with('}') {
            inside = None;
        }
        if let Some(name) = inside
            && marks.iter().any(|mark| line.contains(mark))
            && all.last().is_none_or(|last| last != name)
        {
            all.push(name.to_owned());
        }
    }
    all
}

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Passed,
    Failed,
    /// It skipped itself, or a part of it did.
    Skipped,
}

/// What `go test -json` has said so far of the tests of one package.
#[derive(Default)]
struct Said {
    /// What each test printed, with what its parts printed; what belongs to none stands under the empty name.
    output: BTreeMap<String, String>,
    /// How each test ended, and how long it took, in seconds.
    ends: BTreeMap<String, (End, f64)>,
}

impl Said {
    /// Takes a line; gives the name of a test that ends with it. One that is not JSON is what a build says.
    fn take(&mut self, line: &str) -> Option<String> {
        let Ok(event) = serde_json::from_str::<Value>(line) else {
            self.output.entry(String::new()).or_default().push_str(&format!("{line}\n"));
            return None;
        };
        let name = event["Test"].as_str().unwrap_or_default();
        let (test, is_part) = name.split_once('/').map_or((name, false), |(test, _)| (test, true));
        let end = match event["Action"].as_str()? {
            "output" | "build-output" => {
                self.output.entry(test.to_owned()).or_default().push_str(event["Output"].as_str()?);
                return None;
            }
            "pass" => End::Passed,
            "fail" => End::Failed,
            "skip" => End::Skipped,
            _ => return None,
        };
        if test.is_empty() {
            return None;
        }
        let seconds = event["Elapsed"].as_f64().unwrap_or_default();
        let known = self.ends.get(test).map(|(end, _)| *end);
        // A test of which a part skips itself passes for Go; it has not shown what it is for.
        if is_part {
            if end == End::Skipped {
                self.ends.insert(test.to_owned(), (end, seconds));
            }
            return None;
        }
        let end = if end == End::Passed { known.unwrap_or(end) } else { end };
        self.ends.insert(test.to_owned(), (end, seconds));
        Some(test.to_owned())
    }
}

/// Runs these tests of the package in `place`, and counts them. `arguments` and `environment` are for `go test`.
pub(super) fn test(
    case: &Case<'_>,
    judged: &mut Judged,
    place: &Path,
    tests: &[String],
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> Result<(), Trouble> {
    let failed = |why: io::Error| Trouble::Failed(format!("go test: {why}"));
    let mut command = Command::new("go");
    command.args(["test", "-json", "-count=1", "-timeout", AT_MOST]).args(arguments);
    command.arg("-run").arg(format!("^({})$", tests.join("|"))).arg(".");
    command.current_dir(place).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = command.spawn().map_err(failed)?;
    let mut said = Said::default();
    for line in BufReader::new(child.stdout.take().expect("it is piped")).split(b'\n') {
        let line = String::from_utf8_lossy(&line.map_err(failed)?).into_owned();
        if let Some(test) = said.take(&line) {
            let (end, seconds) = said.ends[&test];
            println!("{test}: {} in {seconds:.0} s", word(end));
        }
    }
    let good = child.wait().map_err(failed)?.success();
    for (test, text) in &said.output {
        let log = case.said(if test.is_empty() { "the-package" } else { test });
        File::create(log).and_then(|mut file| file.write_all(text.as_bytes())).map_err(failed)?;
    }
    for test in tests {
        match said.ends.get(test) {
            Some((End::Passed, _)) => judged.passed += 1,
            Some((End::Failed, _)) => judged.failed.push(test.clone()),
            Some((End::Skipped, _)) => judged.failed.push(format!("{test} (skipped)")),
            None => judged.failed.push(format!("{test} (did not end)")),
        }
    }
    if !good && judged.failed.is_empty() {
        judged.failed.push("the package as a whole".to_owned());
    }
    println!("what they said is in {}", case.place.join("said").display());
    Ok(())
}

fn word(end: End) -> &'static str {
    match end {
        End::Passed => "passed",
        End::Failed => "FAILED",
        End::Skipped => "SKIPPED itself or a part of it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_are_found_by_what_they_call() {
        let source = "func TestA(t *testing.T) {\n\tdial()\n\tdial()\n}\n\nfunc TestB(t *testing.T) {\n}\n\n\
                      func open() {\n\tdial()\n}\n\nfunc TestC(t *testing.T) { dial() }\n";
        assert_eq!(tests_in(source, &["dial("]), ["TestA", "TestC"]);
        assert_eq!(tests_in(source, &["hang("]), Vec::<String>::new());
    }

    #[test]
    fn the_version_of_go_is_read() {
        assert_eq!(minor("go1.26.8"), Some(26));
        assert_eq!(minor("go1.22rc1"), Some(22));
        assert_eq!(minor("devel +abc"), None);
    }

    #[test]
    fn a_test_with_a_skipped_part_has_not_passed() {
        let mut said = Said::default();
        let lines = [
            r#"{"Action":"output","Test":"TestA/b","Output":"why\n"}"#,
            r#"{"Action":"skip","Test":"TestA/b","Elapsed":0}"#,
            r#"{"Action":"pass","Test":"TestA/c","Elapsed":0}"#,
            r#"{"Action":"pass","Test":"TestA","Elapsed":2}"#,
            r#"{"Action":"fail","Test":"TestB/x","Elapsed":0}"#,
            r#"{"Action":"fail","Test":"TestB","Elapsed":0}"#,
            r#"{"Action":"pass","Test":"TestC","Elapsed":1}"#,
            r#"{"Action":"fail","Elapsed":3}"#,
            "no json",
        ];
        let ended: Vec<_> = lines.iter().filter_map(|line| said.take(line)).collect();
        assert_eq!(ended, ["TestA", "TestB", "TestC"]);
        assert_eq!(said.ends["TestA"], (End::Skipped, 2.0));
        assert_eq!(said.ends["TestB"].0, End::Failed);
        assert_eq!(said.ends["TestC"].0, End::Passed);
        assert_eq!(said.output["TestA"], "why\n");
        assert_eq!(said.output[""], "no json\n");
    }
}
