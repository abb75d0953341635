//! How fast a log takes batches, gives them back, and is read again after a crash.
//!
//! `cargo bench -p log [GiB]`: the default is one GiB per case. With `--test` each case runs at a tiny size, so that this
//! does not rot. The files lie where `TMPDIR` says. Times are processor time (on Linux): what the disk adds is its own.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use base::{Millis, Offset};
use disk::RealDisk;
use log::{Known, Log, LogConfig, LogError};
use records::{BatchBuilder, BatchHeader, HEADER_LEN, NewRecord};

const NOW: Millis = Millis(1_700_000_000_000);

fn main() -> Result<(), LogError> {
    let arguments: Vec<String> = std::env::args().collect();
    let tiny = arguments.iter().any(|argument| argument == "--test");
    let gib = arguments.iter().find_map(|argument| argument.parse::<f64>().ok()).unwrap_or(1.0);
    let total = if tiny { 1 << 20 } else { (gib * (1_u64 << 30) as f64) as u64 };
    for value in [100, 1_000, 16_000, 1_000_000] {
        case(value, total)?;
    }
    Ok(())
}

/// One case: batches of one record with a value of this many bytes, `total` bytes of them.
fn case(value: usize, total: u64) -> Result<(), LogError> {
    let temporary = tempfile::tempdir().expect("a temporary directory can be made");
    let dir = temporary.path().join("t-0");
    let (mut log, _) = open(&dir, true, Offset(0))?;
    let mut builder = BatchBuilder::new(Offset(0));
    let bytes: Vec<u8> = (0..value).map(|at| (at * 31) as u8).collect();
    builder.push(&NewRecord { timestamp: NOW, value: Some(&bytes), ..NewRecord::default() });
    let batch = builder.build();
    let mut header = BatchHeader::parse(&batch).expect("a built batch has a header");
    let rest = &batch[HEADER_LEN..];
    let batches = total / batch.len() as u64;

    measure("append", value, batches * batch.len() as u64, batches, || {
        for at in 0..batches {
            header.base_offset = Offset(at as i64);
            if log.roll_due(&header, NOW) {
                log.roll(NOW)?;
            }
            log.append(&header, &header.encode(), rest)?;
        }
        Ok(())
    })?;
    let reader = log.reader();
    let mut reads = 0;
    measure("locate 1 MiB reads", value, total, total >> 20, || {
        let mut next = Offset(0);
        while next < reader.log_end() {
            let out = reader.read(next, reader.log_end(), 1 << 20, true)?;
            reads += 1;
            next = next.plus((u64::from(out.bytes) / batch.len() as u64) as i64);
        }
        Ok(())
    })?;
    measure("walk headers", value, total, batches, || {
        assert_eq!(reader.headers(Offset(0)).count() as u64, batches);
        Ok(())
    })?;
    drop(reader);
    drop(log);
    measure("recover", value, total, batches, || {
        let (log, opened) = open(&dir, false, Offset(0))?;
        assert_eq!((log.log_end().0 as u64, opened.truncated_bytes), (batches, 0));
        Ok(())
    })?;
    let (mut log, _) = open(&dir, false, Offset(0))?;
    log.close()?;
    drop(log);
    measure("open after a clean stop", value, 0, 1, || {
        let (log, opened) = open(&dir, true, Offset(batches as i64))?;
        assert_eq!((log.log_end().0 as u64, opened.scanned_bytes), (batches, 0));
        Ok(())
    })
}

fn open(dir: &Path, clean: bool, recovery_point: Offset) -> Result<(Log, log::Opened), LogError> {
    let known = Known { clean, recovery_point, log_start: Offset(0) };
    Log::open(Arc::new(RealDisk::new()), dir, LogConfig::default(), known, NOW)
}

fn measure(
    what: &str,
    value: usize,
    bytes: u64,
    steps: u64,
    run: impl FnOnce() -> Result<(), LogError>,
) -> Result<(), LogError> {
    let (start, on_cpu) = (Instant::now(), on_cpu());
    run()?;
    let seconds = match (on_cpu, self::on_cpu()) {
        (Some(before), Some(after)) => (after - before) as f64 / 1e9,
        _ => start.elapsed().as_secs_f64(),
    };
    let (rate, each) = (bytes as f64 / 1e9 / seconds, seconds * 1e9 / steps.max(1) as f64);
    let line = format!("{what:24} values of {value:7} B: {rate:7.2} GB/s, {each:10.0} ns each\n");
    let _ = std::io::stdout().write_all(line.as_bytes());
    Ok(())
}

/// Nanoseconds that this thread has had a processor, where Linux says so: steadier than the clock beside other work.
fn on_cpu() -> Option<u64> {
    std::fs::read_to_string("/proc/thread-self/schedstat").ok()?.split(' ').next()?.parse().ok()
}
