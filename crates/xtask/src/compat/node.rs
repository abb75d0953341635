//! Clients for Node: stories of ours, since neither client brings along tests that could run on one broker. Each story is a program
//! below `tests/compat/NAME`, which tells it to its end or fails.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use super::broker::Broker;
use super::{Case, Judged, Trouble};
use crate::command::can_run;

/// Groups begin at once, and share one coordinator, which has begun when one of them has.
const SETTINGS: &[(&str, &str)] =
    &[("group.initial.rebalance.delay.ms", "0"), ("offsets.topic.num.partitions", "1")];

/// A client, and where its stories are.
struct Client {
    /// Its name in the registry.
    package: &'static str,
    /// The directory below `tests/compat`.
    directory: &'static str,
    /// A program in the package that is there once its part in C++ is built, for a client that has one.
    built: Option<&'static str>,
    stories: &'static [&'static str],
}

const KAFKAJS: Client = Client {
    package: "kafkajs",
    directory: "kafkajs",
    built: None,
    stories: &[
        "produce", "refused", "group", "seek", "topics", "configs", "offsets", "groups", "cluster", "killed",
    ],
};

const CONFLUENT: Client = Client {
    package: "@confluentinc/kafka-javascript",
    directory: "confluent-kafka-javascript",
    built: Some("build/Release/confluent-kafka-javascript.node"),
    stories: &["produce", "group-classic", "group-consumer", "seek", "admin", "killed"],
};

pub(super) fn confluent(case: &Case<'_>) -> Result<Judged, Trouble> {
    judge(case, &CONFLUENT)
}

pub(super) fn kafkajs(case: &Case<'_>) -> Result<Judged, Trouble> {
    judge(case, &KAFKAJS)
}

fn judge(case: &Case<'_>, client: &Client) -> Result<Judged, Trouble> {
    if !can_run("npm", &["--version"])
        || !can_run("node", &["-e", "process.exit(parseInt(process.versions.node) < 18 ? 1 : 0)"])
    {
        return Err(Trouble::Missing("needs node, at least 18, and npm".to_owned()));
    }
    let version = installed(case, client)?;
    let mut judged = Judged::of(version);
    for story in client.stories.iter().filter(|story| case.wants(story)) {
        let mut broker = case.broker(SETTINGS)?;
        let start = Instant::now();
        let good = tell(case, &mut broker, story).unwrap_or_else(|why| {
            println!("  {story}: {why}");
            false
        });
        if !good {
            let said = fs::read_to_string(case.said(story)).unwrap_or_default();
            said.lines().for_each(|line| println!("  {line}"));
        }
        judged.count(story, good, start);
    }
    Ok(judged)
}

/// Copies the stories to where npm may install, installs, and gives the client's version.
fn installed(case: &Case<'_>, client: &Client) -> Result<String, Trouble> {
    let failed = |why: io::Error| Trouble::Failed(format!("{}: {why}", case.place.display()));
    let stories = case.workspace.root.join("tests/compat").join(client.directory);
    for file in fs::read_dir(stories).map_err(failed)? {
        let file = file.map_err(failed)?;
        fs::copy(file.path(), case.place.join(file.file_name())).map_err(failed)?;
    }
    // The scripts of a package would fetch what they can build, or build it from what they would fetch.
    let install = ["install", "--ignore-scripts", "--no-package-lock", "--no-audit", "--no-fund"];
    if !case.workspace.run("npm").within(&case.place).args(install).succeeds() {
        return Err(Trouble::Failed(format!("{} cannot be installed", client.package)));
    }
    if let Some(program) = client.built {
        build(case, client.package, program)?;
    }
    let manifest = case.place.join("node_modules").join(client.package).join("package.json");
    let manifest = fs::read_to_string(manifest).map_err(failed)?;
    let version = serde_json::from_str::<Value>(&manifest).ok();
    let version = version.and_then(|manifest| manifest["version"].as_str().map(str::to_owned));
    version.ok_or_else(|| Trouble::Failed(format!("{} does not say its version", client.package)))
}

/// Builds the part in C++ with the librdkafka that the package brings along, on the libraries of this machine, unless it is there.
fn build(case: &Case<'_>, package: &str, program: &str) -> Result<(), Trouble> {
    let place = case.place.join("node_modules").join(package);
    if place.join(program).exists() {
        return Ok(());
    }
    for (tool, word) in [("make", "--version"), ("c++", "--version"), ("python3", "--version")] {
        if !can_run(tool, &[word]) {
            return Err(Trouble::Missing(format!("needs {tool}")));
        }
    }
    let headers = case.workspace.run("node").args(["-p", "path.resolve(process.execPath, '../..')"]).output();
    let headers = headers.map(|path| String::from_utf8_lossy(&path).trim().to_owned()).unwrap_or_default();
    if !Path::new(&headers).join("include/node/node.h").exists() {
        return Err(Trouble::Missing("needs the headers of node, to build a part in C++".to_owned()));
    }
    // Configured first: the makefiles look for the outcome before they would make it.
    let configure = case.workspace.run("node").within(&place).arg("util/configure");
    let rebuild = case.workspace.run("npm").within(&case.place).args(["rebuild", package]);
    let rebuild = rebuild.env("npm_config_nodedir", &headers).env("npm_config_build_from_source", "true");
    let good = [configure, rebuild].into_iter().all(|step| step.env("CKJS_LINKING", "dynamic").succeeds());
    if good && place.join(program).exists() {
        Ok(())
    } else {
        Err(Trouble::Failed(format!("{package} does not build")))
    }
}

/// Runs a story, and kills and starts the broker whenever it asks for that.
fn tell(case: &Case<'_>, broker: &mut Broker, story: &str) -> io::Result<bool> {
    let said = case.said(story);
    let mut node = Command::new("node")
        .arg(Path::new(story).with_extension("js"))
        .current_dir(&case.place)
        .env("BROKER", &broker.address)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(&said)?)
        .spawn()?;
    let (asked, answers) = (node.stdout.take(), node.stdin.take());
    let (Some(asked), Some(mut answers)) = (asked, answers) else {
        return Err(io::Error::other("node has no pipes"));
    };
    for line in BufReader::new(asked).lines().map_while(Result::ok) {
        if line == "broker: kill and start" {
            broker.kill_and_start()?;
            writeln!(answers, "started")?;
        } else {
            println!("  {line}");
        }
    }
    Ok(node.wait()?.success())
}
