//! sarama's functional tests, as far as they run on one broker. They cut its connections through toxiproxy, which is a Go
//! module as well and stands between them and the broker.
//!
//! What they prepare before the first test is meant for five brokers in containers, so those few lines of the copied source
//! are changed to what is here; no test is. The Java clients that some tests run in those containers run beside them.

use std::env;
use std::fs;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use super::go::{self, Module};
use super::kafka;
use super::{Case, Judged, Trouble};
use crate::command::can_run;

const MODULE: &str = "github.com/IBM/sarama@v1.61.1";
const PROXY: &str = "github.com/Shopify/toxiproxy/v2/cmd/server@v2.5.0";

/// The Kafka that the tests are told they talk to.
const KAFKA: &str = "4.1.1";

/// How the names of the files with functional tests begin. All of their tests count.
const FILES: &str = "functional_";

/// The script in the place of docker, and the names by which it is called.
const SCRIPT: &str = "tests/compat/sarama/docker";
const SCRIPT_NAMES: &[&str] =
    &["docker", "kafka-console-producer.sh", "kafka-console-consumer.sh", "kafka-verifiable-consumer.sh"];

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    let failed = |why: io::Error| Trouble::Failed(format!("sarama: {why}"));
    if !can_run("java", &["-version"]) {
        return Err(Trouble::Missing("needs java, 17 or later".to_owned()));
    }
    let libs = kafka::jars(case.workspace)?.display().to_string();
    let module = Module::fetch(case, MODULE)?;
    let tests = go::wanted(case, &module.place, FILES, &["func Test"])?;
    let path = tools(case).map_err(failed)?;
    let proxy = proxy_program(case)?;
    let (front, control) = (free_port().map_err(failed)?, free_port().map_err(failed)?);
    environment(&module.place.join("functional_test.go"), front)?;
    let advertised = format!("PLAINTEXT://127.0.0.1:{front}");
    // As in the tests' own containers: no topic comes by itself, and a group does not wait for more members.
    let broker = case.broker(&[
        ("advertised.listeners", &advertised),
        ("auto.create.topics.enable", "false"),
        ("group.initial.rebalance.delay.ms", "0"),
    ])?;
    let _proxy = Proxy::start(&proxy, &case.place, front, control, &broker.address)?;
    let mut judged = Judged::of(module.version);
    let control = format!("http://127.0.0.1:{control}");
    let log = broker.log.display().to_string();
    let environment = [
        ("TOXIPROXY_ADDR", control.as_str()),
        ("KAFKA_VERSION", KAFKA),
        ("PATH", &path),
        ("BROKER", &broker.address),
        ("BROKER_LOG", &log),
        ("KAFKA_LIBS", &libs),
    ];
    go::test(case, &mut judged, &module.place, &tests, &["-tags", "functional"], &environment)?;
    Ok(judged)
}

/// Lays out the script in the place of docker; gives the path on which it is found first.
fn tools(case: &Case<'_>) -> io::Result<String> {
    let tools = case.place.join("tools");
    if tools.exists() {
        fs::remove_dir_all(&tools)?;
    }
    fs::create_dir_all(&tools)?;
    for name in SCRIPT_NAMES {
        symlink(case.workspace.root.join(SCRIPT), tools.join(name))?;
    }
    Ok(format!("{}:{}", tools.display(), env::var("PATH").unwrap_or_default()))
}

/// Builds the program that stands between the tests and the broker, unless it is there.
fn proxy_program(case: &Case<'_>) -> Result<PathBuf, Trouble> {
    let bin = case.place.join("bin");
    let program = bin.join("server");
    let built = case.workspace.run("go").env("GOBIN", &bin).args(["install", PROXY]).succeeds();
    if built && program.exists() {
        Ok(program)
    } else {
        Err(Trouble::Failed("toxiproxy does not build".to_owned()))
    }
}

/// Changes what the tests prepare: one broker behind one proxy at this port, one replica.
fn environment(file: &Path, front: u16) -> Result<(), Trouble> {
    let failed = |why: String| Trouble::Failed(format!("{}: {why}", file.display()));
    // The source as it came is kept, as the port is another one each time.
    let original = file.with_extension("go.original");
    if !original.exists() {
        fs::copy(file, &original).map_err(|why| failed(why.to_string()))?;
    }
    let text = fs::read_to_string(&original).map_err(|why| failed(why.to_string()))?;
    let text =
        for_one_broker(&text, front).map_err(|lacking| failed(format!("it has no `{lacking}` any more")))?;
    fs::write(file, text).map_err(|why| failed(why.to_string()))
}

fn for_one_broker(text: &str, front: u16) -> Result<String, &'static str> {
    // Proxy I listens at the base plus I.
    let base = format!("{}+i", front - 1);
    let changes = [
        ("i <= 5; i++", "i <= 1; i++"),
        ("29090+i", base.as_str()),
        ("ReplicationFactor: 3,", "ReplicationFactor: 1,"),
        // Without containers of their own the tests with Java would skip themselves.
        ("env.UsingExisting = usingExisting", "env.UsingExisting = false"),
    ];
    changes.iter().try_fold(text.to_owned(), |text, (from, to)| {
        if text.contains(from) { Ok(text.replace(from, to)) } else { Err(*from) }
    })
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// toxiproxy, with the one proxy that the tests know as that of broker 1; killed when dropped.
struct Proxy(Child);

impl Proxy {
    fn start(program: &Path, place: &Path, front: u16, control: u16, broker: &str) -> Result<Self, Trouble> {
        let failed = |why: io::Error| Trouble::Failed(format!("toxiproxy does not start: {why}"));
        let file = place.join("toxiproxy.json");
        let proxies = serde_json::json!([
            { "name": "kafka1", "listen": format!("127.0.0.1:{front}"), "upstream": broker, "enabled": true }
        ]);
        fs::write(&file, proxies.to_string()).map_err(failed)?;
        let mut command = Command::new(program);
        command.arg("-config").arg(&file).args(["-host", "127.0.0.1", "-port", &control.to_string()]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut proxy = Self(command.spawn().map_err(failed)?);
        for port in [control, front] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                if proxy.0.try_wait().map_err(failed)?.is_some() {
                    return Err(failed(io::Error::other("it ended")));
                }
                thread::sleep(Duration::from_millis(20));
            }
        }
        Ok(proxy)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _gone = self.0.kill();
        let _ended = self.0.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_environment_is_made_one_broker() {
        let text = "ReplicationFactor: 3,\nfor i := 1; i <= 5; i++ {\n listen(29090+i)\n dial(29090+i)\n}\n\
                    env.UsingExisting = usingExisting\n";
        let one = "ReplicationFactor: 1,\nfor i := 1; i <= 1; i++ {\n listen(4999+i)\n dial(4999+i)\n}\n\
                   env.UsingExisting = false\n";
        assert_eq!(for_one_broker(text, 5000), Ok(one.to_owned()));
        assert_eq!(for_one_broker("i <= 5; i++", 5000), Err("29090+i"));
    }
}
