//! The image, in containers: among clients on a private network, under compose files, and in the hands of Testcontainers.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::{Context, Outcome, kafka, python};
use crate::command::{can_run, first_line};
use crate::compat::{self, Trouble};
use crate::image;

/// The tests of this ring, and what they need beyond what other Python tests need.
const TESTS: &str = "tests/docker";
const REQUIREMENTS: &str = "tests/docker/requirements.txt";
/// How they call the image. Testcontainers for Python reads what stands behind the colon as a version of Confluent's
/// platform, and refuses KRaft before 7.0.0.
const IMAGE: &str = "ottla-under-test:8.0.0";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let workspace = context.workspace;
    let needed: [(&str, &[&str], &str); 4] = [
        ("docker", &["--version"], "docker"),
        ("docker-compose", &["version"], "docker-compose"),
        ("iptables", &["--version"], "iptables, to drop packets"),
        ("mvn", &["--version"], "mvn (Maven) and java, for Testcontainers"),
    ];
    for (program, arguments, what) in needed {
        if !can_run(program, arguments) {
            return Outcome::Missing(format!("needs {what}"));
        }
    }
    // For Testcontainers in Go.
    match compat::usable_go() {
        Ok(()) => {}
        Err(Trouble::Missing(why) | Trouble::Failed(why)) => return Outcome::Missing(why),
    }
    // An engine that is started here ends with this ring.
    let engine = match Engine::find(&workspace.target.join("docker")) {
        Ok(engine) => engine,
        Err(why) => return Outcome::Missing(why),
    };
    let jars = match kafka::pinned(context) {
        Ok(jars) => jars,
        Err(outcome) => return outcome,
    };
    let python =
        match python::environment(context).and_then(|python| python::with(context, python, REQUIREMENTS)) {
            Ok(python) => python,
            Err(outcome) => return outcome,
        };
    if let Err(why) = image::build_as(workspace, IMAGE) {
        return Outcome::Failed(format!("there is no image: {why}"));
    }
    let tests = workspace.run(python).env("OTTLA_IMAGE", IMAGE).env("KAFKA_LIBS", jars);
    let outcome = python::pytest(tests, Path::new(TESTS));
    drop(engine);
    outcome
}

/// A docker engine: one that answered already, or one that is started for the tests and ends with them.
#[derive(Debug)]
struct Engine {
    started: Option<Child>,
    /// Where the started one keeps its data.
    place: PathBuf,
    /// Where it keeps its sockets, whose paths must be short, and what it knows of its processes. A place of its own: of an
    /// engine that was killed the usual place still names processes, and their numbers may be those of others by now.
    state: PathBuf,
}

impl Engine {
    /// How long a start may take.
    const PATIENCE: Duration = Duration::from_secs(60);

    fn find(place: &Path) -> Result<Self, String> {
        let state = std::env::temp_dir().join(format!("ottla-dockerd-{}", std::process::id()));
        let mut engine = Self { started: None, place: place.to_owned(), state };
        if Self::answers() {
            return Ok(engine);
        }
        if std::env::var_os("DOCKER_HOST").is_some() {
            return Err("the docker engine that DOCKER_HOST names does not answer".to_owned());
        }
        if !can_run("dockerd", &["--version"]) {
            return Err("no docker engine answers, and there is no dockerd to start one".to_owned());
        }
        if first_line("id", &["-u"]).as_deref() != Some("0") {
            return Err("no docker engine answers, and only root can start one".to_owned());
        }
        engine.start()?;
        Ok(engine)
    }

    fn answers() -> bool {
        can_run("docker", &["version", "--format", "{{.Server.Version}}"])
    }

    fn start(&mut self) -> Result<(), String> {
        let told = |why: std::io::Error| format!("a docker engine cannot be started: {why}");
        fs::create_dir_all(&self.place).map_err(told)?;
        fs::create_dir_all(&self.state).map_err(told)?;
        let path = self.place.join("log");
        let log = File::create(&path).map_err(told)?;
        let mut dockerd = Command::new("dockerd");
        dockerd.arg("--data-root").arg(self.place.join("data"));
        dockerd.arg("--exec-root").arg(&self.state).arg("--pidfile").arg(self.state.join("docker.pid"));
        dockerd.stdin(Stdio::null()).stdout(log.try_clone().map_err(told)?).stderr(log);
        println!("$ dockerd --data-root {}", self.place.join("data").display());
        self.started = Some(dockerd.spawn().map_err(told)?);
        let start = Instant::now();
        while !Self::answers() {
            let ended = match &mut self.started {
                Some(child) => child.try_wait().map_err(told)?.is_some(),
                None => true,
            };
            if ended || start.elapsed() > Self::PATIENCE {
                let log = fs::read_to_string(&path).unwrap_or_default();
                let last = log.lines().last().unwrap_or("nothing").to_owned();
                return Err(format!(
                    "dockerd {}; it said last: {last}",
                    if ended { "ended" } else { "does not answer" }
                ));
            }
            thread::sleep(Duration::from_millis(200));
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(mut child) = self.started.take() else { return };
        // SIGTERM, so that it takes its mounts and its containerd away; by the shell's own `kill`, as not every machine has
        // another. It may have ended by itself.
        if !can_run("sh", &["-c", &format!("kill -TERM {}", child.id())]) {
            drop(child.kill());
        }
        drop(child.wait());
        drop(fs::remove_dir_all(&self.place));
        drop(fs::remove_dir_all(&self.state));
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};

    use super::*;

    /// An engine that ends only after SIGTERM, and says that it got it.
    #[test]
    fn an_engine_that_was_started_is_told_to_end() {
        let folder = std::env::temp_dir().join(format!("ottla-xtask-engine-{}", std::process::id()));
        let (place, state) = (folder.join("place"), folder.join("state"));
        for path in [&place, &state] {
            fs::create_dir_all(path).expect("a folder");
        }
        let script = "trap 'echo told > told; exit 0' TERM; echo ready; while :; do sleep 0.01; done";
        let mut engine = Command::new("sh");
        engine.args(["-c", script]).current_dir(&folder).stdout(Stdio::piped());
        let mut child = engine.spawn().expect("it starts");
        let mut ready = String::new();
        let said = child.stdout.take().expect("piped");
        BufReader::new(said).read_line(&mut ready).expect("it says that it is ready");
        drop(Engine { started: Some(child), place: place.clone(), state: state.clone() });
        assert!(folder.join("told").exists() && !place.exists() && !state.exists());
        fs::remove_dir_all(&folder).expect("there");
    }
}
