//! The bound on open files that many logs share.

use std::path::Path;
use std::sync::Arc;

use base::Offset;
use disk::{Disk, Operation};
use log::{Commons, Log, LogConfig};
use testkit::{CrashDisk, FailingDisk, Fault, Injected};

use crate::common::{NEW, NOW, Plan, Rig, append, read_from, write};

/// Files below `dir` that this process has open, where the system can say so.
fn open_below(dir: &Path) -> Option<usize> {
    let dir = dir.canonicalize().unwrap();
    let fds = std::fs::read_dir("/proc/self/fd").ok()?;
    let targets = fds.filter_map(|fd| std::fs::read_link(fd.ok()?.path()).ok());
    Some(targets.filter(|target| target.starts_with(&dir)).count())
}

#[test]
fn many_logs_share_a_bound_and_lose_nothing_by_it() {
    const LOGS: usize = 50;
    const FILES: usize = 30;
    let rig = Rig::new();
    std::fs::create_dir(&rig.dir).unwrap();
    let commons = Arc::new(Commons::new(FILES));
    let config = LogConfig { segment_bytes: 400, index_interval_bytes: 0, ..LogConfig::default() };
    let open = |at: usize| {
        let dir = rig.dir.join(format!("t-{at}"));
        Log::open_among(Arc::clone(&commons), Arc::clone(&rig.disk), &dir, config.clone(), NEW, NOW)
            .unwrap()
            .0
    };
    let mut logs: Vec<Log> = (0..LOGS).map(open).collect();
    let within = || open_below(&rig.dir).is_none_or(|open| open <= FILES);
    for round in 0..20 {
        for log in &mut logs {
            write(log, Plan::of(1, 50, round)).unwrap();
            assert!(within(), "{:?}", open_below(&rig.dir));
        }
        // A flush syncs files that were closed since they were written.
        for log in logs.iter_mut().step_by(7) {
            let flush = log.begin_flush();
            flush.run().unwrap();
            log.flushed(&flush);
            assert_eq!(log.recovery_point(), log.log_end());
        }
    }
    let all = |log: &Log| read_from(&log.reader(), Offset(0), 1000);
    let before: Vec<_> = logs.iter().map(all).collect();
    assert!(before.iter().all(|bytes| bytes.len() == before[0].len() && bytes.len() > 2000));
    assert!(within());
    // What was handed out stays readable whatever is closed meanwhile.
    let range = logs[0].reader().read(Offset(3), Offset(20), 1000, true).unwrap().range.unwrap();
    assert_eq!(logs.iter().map(all).collect::<Vec<_>>(), before);
    assert_eq!(range.read().unwrap().len(), range.len as usize);
    drop(range);
    logs.iter_mut().for_each(|log| log.close().unwrap());
    assert!(within());
}

#[test]
fn who_finds_no_room_for_a_file_closes_others() {
    let disk = FailingDisk::new(CrashDisk::calm(1).shared());
    let commons = Arc::new(Commons::new(1000));
    let open = |name: &str| {
        let disk: Arc<dyn Disk> = Arc::new(disk.clone());
        let dir = Path::new("/data").join(name);
        Log::open_among(Arc::clone(&commons), disk, &dir, LogConfig::default(), NEW, NOW).unwrap().0
    };
    let (mut one, mut two) = (open("t-0"), open("t-1"));
    append(&mut one, Plan::of(1, 10, 1));
    disk.fail(Fault::on(Operation::Open, "*/t-1/*.log", Injected::TooManyFiles).times(1));
    append(&mut two, Plan::of(1, 10, 1));
    append(&mut one, Plan::of(1, 10, 2));
    assert_eq!(one.log_end(), Offset(2));
    assert_eq!(
        read_from(&one.reader(), Offset(0), 1000).len(),
        2 * read_from(&two.reader(), Offset(0), 1000).len()
    );
}
