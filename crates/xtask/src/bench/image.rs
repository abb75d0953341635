//! `cargo xtask bench image`: how long a container of the image takes to its first answer and what it keeps in memory,
//! beside Apache Kafka on the JVM, in one run on one machine. Kafka runs on the host and not in a container, with the heap
//! that its image gives it.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::command::Workspace;
use crate::image;

/// Each is run this often; the median counts.
const RUNS: usize = 5;
/// How long a broker may take to its first answer.
const PATIENCE: Duration = Duration::from_secs(120);
/// As long after its first answer its memory is looked at.
const SETTLED: Duration = Duration::from_secs(2);
const CLUSTER_ID: &str = "5L6g3nShT-eMCtK--X86sw";

/// Time and bytes.
type Figures = (Duration, u64);

pub(super) fn run(workspace: &Workspace) -> bool {
    match measure(workspace) {
        Ok(()) => true,
        Err(why) => {
            println!("not measured: {why}");
            false
        }
    }
}

fn measure(workspace: &Workspace) -> Result<(), String> {
    let jars = std::env::var("KAFKA_LIBS").map_err(|_| "set KAFKA_LIBS to the directory of Kafka's jars")?;
    let tag = image::usual_tags(workspace).into_iter().next_back().ok_or("the image has no name")?;
    let health = image::binary(workspace)?;
    let size = output(Command::new("docker").args(["image", "inspect", "--format", "{{.Size}}", &tag]))?;
    let size: u64 = size.trim().parse().map_err(|_| format!("docker names no size but {size}"))?;

    let (mut bare, mut ours, mut kafkas) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let started = Instant::now();
        output(Command::new("docker").args(["run", "--rm", &tag, "true"]))?;
        bare.push((started.elapsed(), 0));
        ours.push(container(&tag, &health)?);
        kafkas.push(kafka(&jars, &health)?);
    }
    println!("| what | Ottla's image | Apache Kafka, JVM on the host |\n| --- | --- | --- |");
    println!("| image, unpacked | {:.1} MB | |", size as f64 / 1e6);
    let (time, kafkas_time) = (median(&mut ours, |run| run.0), median(&mut kafkas, |run| run.0));
    println!(
        "| fresh start to the first answer to ApiVersions | {} ms | {} ms |",
        time.as_millis(),
        kafkas_time.as_millis()
    );
    println!(
        "| of it `docker run` of a program that does nothing | {} ms | |",
        median(&mut bare, |run| run.0).as_millis()
    );
    let (memory, kafkas_memory) = (median(&mut ours, |run| run.1), median(&mut kafkas, |run| run.1));
    println!("| resident, idle | {:.1} MB | {:.1} MB |", memory as f64 / 1e6, kafkas_memory as f64 / 1e6);
    Ok(())
}

/// From `docker run` to the first answer, and the resident memory of process 1.
fn container(tag: &str, health: &Path) -> Result<Figures, String> {
    let port = free_port()?;
    let started = Instant::now();
    let published = format!("127.0.0.1:{port}:9092");
    let id = output(Command::new("docker").args(["run", "--detach", "--rm", "--publish", &published, tag]))?;
    let id = id.trim();
    let figures = answered(started, port, health).and_then(|time| {
        thread::sleep(SETTLED);
        let pid = output(Command::new("docker").args(["inspect", "--format", "{{.State.Pid}}", id]))?;
        Ok((time, resident(pid.trim())?))
    });
    output(Command::new("docker").args(["stop", id]))?;
    figures
}

/// The same of Kafka, which is formatted and then started, as its image does.
fn kafka(jars: &str, health: &Path) -> Result<Figures, String> {
    let (port, controller) = (free_port()?, free_port()?);
    let folder = std::env::temp_dir().join(format!("ottla-bench-image-{}", std::process::id()));
    drop(fs::remove_dir_all(&folder));
    fs::create_dir_all(&folder).map_err(|why| why.to_string())?;
    let file = folder.join("server.properties");
    let text = format!(
        "process.roles=broker,controller\nnode.id=1\ncontroller.quorum.voters=1@localhost:{controller}\n\
         listeners=PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller}\n\
         controller.listener.names=CONTROLLER\nlog.dirs={}\noffsets.topic.replication.factor=1\n",
        folder.join("data").display()
    );
    fs::write(&file, text).map_err(|why| why.to_string())?;
    let java = |class: &str| {
        let mut java = Command::new("java");
        java.args(["-Xmx1G", "-Xms1G", "-server", "-XX:+UseG1GC", "-cp", &format!("{jars}/*"), class]);
        java
    };
    let started = Instant::now();
    output(java("kafka.tools.StorageTool").args(["format", "-t", CLUSTER_ID, "-c"]).arg(&file))?;
    let process = java("kafka.Kafka").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    let process = Killed(process.map_err(|why| format!("cannot run java: {why}"))?);
    let figures = answered(started, port, health).and_then(|time| {
        thread::sleep(SETTLED);
        Ok((time, resident(&process.0.id().to_string())?))
    });
    drop(process);
    drop(fs::remove_dir_all(&folder));
    figures
}

/// A process that is not left behind.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// How long it took from `started` until the broker at `port` answered the health check, which is an ApiVersions round trip.
fn answered(started: Instant, port: u16, health: &Path) -> Result<Duration, String> {
    let address = format!("127.0.0.1:{port}");
    loop {
        let mut check = Command::new(health);
        check.args(["health", "--timeout-ms", "1000", "--bootstrap-server", &address]);
        let status = check.stdout(Stdio::null()).stderr(Stdio::null()).status();
        if status.map_err(|why| why.to_string())?.success() {
            return Ok(started.elapsed());
        }
        if started.elapsed() > PATIENCE {
            return Err(format!("no broker answers at {address}"));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.map(|address| address.port()).map_err(|why| why.to_string())
}

/// Resident memory of a process in bytes.
fn resident(pid: &str) -> Result<u64, String> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).map_err(|why| format!("process {pid}: {why}"))?;
    let line =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("a process without VmRSS")?;
    let kilobytes = line.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
    kilobytes.map(|kilobytes| kilobytes * 1024).ok_or_else(|| format!("VmRSS is {line}"))
}

fn median<T: Ord + Copy>(runs: &mut [Figures], of: impl Fn(&Figures) -> T) -> T {
    runs.sort_by_key(|run| of(run));
    of(&runs[runs.len() / 2])
}

/// What a program prints, when it ends well; what it complains of, when it does not.
fn output(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|why| format!("cannot run {}: {why}", command.get_program().display()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{} failed: {said}", command.get_program().display()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
