//! What the operating system says of a process: CPU time and resident memory (Linux).

use std::fs;
use std::time::Duration;

/// CPU time that process `pid` has used so far, in user and in kernel.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process is ours and runs");
    // The command's name, in brackets, may hold blanks: count the fields behind it.
    let behind = stat.rsplit_once(')').expect("stat has the name in brackets").1;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let ticks: u64 = [11, 12].iter().map(|&i| fields[i].parse::<u64>().expect("a count of ticks")).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// How many files process `pid` has open.
pub(crate) fn open_files(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).expect("the process is ours and runs").count()
}

/// Resident memory of process `pid` in bytes.
pub(crate) fn resident(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).expect("the process is ours and runs");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("a process has VmRSS");
    let kilobytes = line.split_whitespace().nth(1).and_then(|number| number.parse::<u64>().ok());
    kilobytes.expect("VmRSS is a number of kB") * 1024
}
