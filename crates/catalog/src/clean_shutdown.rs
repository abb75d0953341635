//! `.kafka_cleanshutdown`: the marker of a clean stop (Kafka: `CleanShutdownFileHandler`). It is removed before anything
//! is loaded, and written last.

use std::path::Path;

use disk::{Disk, DiskError, write_atomically};

pub(crate) const FILE: &str = ".kafka_cleanshutdown";

/// Whether the marker stands in the data directory. What it says does not matter: Kafka too takes an unreadable one for
/// a clean stop.
pub(crate) fn exists(disk: &dyn Disk, data_dir: &Path) -> Result<bool, DiskError> {
    Ok(disk.entry(&data_dir.join(FILE))?.is_some())
}

/// Removes the marker, so that it stays removed whatever happens next.
pub(crate) fn remove(disk: &dyn Disk, data_dir: &Path) -> Result<(), DiskError> {
    disk.remove_file(&data_dir.join(FILE))?;
    disk.sync_dir(data_dir)
}

/// Writes the marker: `broker_epoch` is the epoch of the broker's last registration, by which Kafka tells that nobody
/// else ran in between.
pub(crate) fn write(disk: &dyn Disk, data_dir: &Path, broker_epoch: i64) -> Result<(), DiskError> {
    let text = format!(r#"{{"version":0,"brokerEpoch":{broker_epoch}}}"#);
    write_atomically(disk, &data_dir.join(FILE), text.as_bytes())
}

#[cfg(test)]
mod tests {
    use disk::read_whole;
    use testkit::{Crash, CrashDisk};

    use super::*;

    #[test]
    fn the_marker_comes_and_goes_for_good() {
        let disk = CrashDisk::calm(3);
        let dir = Path::new("/d");
        disk.create_dir_all(dir).unwrap();
        disk.settle();
        write(&disk, dir, 9).unwrap();
        let after = disk.after(Crash::PowerLoss);
        assert!(exists(&after, dir).unwrap());
        assert_eq!(
            read_whole(&after, &dir.join(FILE), 100).unwrap().unwrap(),
            br#"{"version":0,"brokerEpoch":9}"#
        );
        remove(&after, dir).unwrap();
        assert!(!exists(&after.after(Crash::PowerLoss), dir).unwrap());
    }
}
