//! The offset checkpoint files of the data directory (Kafka: `LogManager.checkpointLogRecoveryOffsets`,
//! `checkpointLogStartOffsets`, `ReplicaManager.checkpointHighWatermarks`, `LogCleanerManager.updateCheckpoints`).
//!
//! A line that outlives its partition is dangerous: a new partition of the same name would believe it. So the files are
//! written when a topic is deleted, and at the start when they hold such lines.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Millis, Offset, PartitionIndex};
use disk::{Disk, DiskError};
use log::LogError;
use log::checkpoint::{
    HIGH_WATERMARKS, LOG_STARTS, OffsetLine, RECOVERY_POINTS, read_offsets, write_offsets,
};
use settings::Settings;

/// How far compaction has come. Written when it has come farther.
const FIRST_DIRTY: &str = "cleaner-offset-checkpoint";

/// What the files say about one partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Points {
    /// Everything below is on disk.
    pub(crate) recovery_point: Option<Offset>,
    /// The first offset that may be read, where that is not the begin of a segment.
    pub(crate) log_start: Option<Offset>,
    /// Kafka reads it; we have no use for it.
    pub(crate) high_watermark: Option<Offset>,
    /// The first offset that compaction has not seen.
    pub(crate) first_dirty: Option<Offset>,
}

/// Points by topic and partition.
pub(crate) type PointsByPartition = HashMap<(Arc<str>, PartitionIndex), Points>;

/// The files, as they stand on disk.
#[derive(Debug)]
pub(crate) struct Checkpoints {
    disk: Arc<dyn Disk>,
    files: [File; 4],
}

#[derive(Debug)]
struct File {
    path: PathBuf,
    /// The point that the file holds.
    point: fn(&mut Points) -> &mut Option<Offset>,
    /// Its lines, sorted; `None` while they are not known.
    lines: Option<Vec<OffsetLine>>,
    every_ms: i64,
    due: Millis,
}

impl Checkpoints {
    /// Reads the files. One that is missing or not understood counts as empty, as in Kafka; the logs are then recovered
    /// from their beginning.
    ///
    /// # Errors
    /// When one cannot be read.
    pub(crate) fn load(
        disk: Arc<dyn Disk>,
        data_dir: &Path,
        settings: &Settings,
        now: Millis,
    ) -> Result<(Self, PointsByPartition), DiskError> {
        let file = |name: &str, point, every_ms: i64| {
            // 0 would mean "all the time"; the upkeep comes by about once a second.
            let every_ms = every_ms.max(1);
            File { path: data_dir.join(name), point, lines: None, every_ms, due: now.plus(every_ms) }
        };
        let recovery_ms = settings.log_flush_offset_checkpoint_interval_ms().into();
        let start_ms = settings.log_flush_start_offset_checkpoint_interval_ms().into();
        let watermark_ms = settings.replica_high_watermark_checkpoint_interval_ms();
        let mut files = [
            file(RECOVERY_POINTS, |points| &mut points.recovery_point, recovery_ms),
            file(LOG_STARTS, |points| &mut points.log_start, start_ms),
            file(HIGH_WATERMARKS, |points| &mut points.high_watermark, watermark_ms),
            file(FIRST_DIRTY, |points| &mut points.first_dirty, i64::MAX),
        ];
        let mut known = PointsByPartition::new();
        for file in &mut files {
            if disk.entry(&file.path)?.is_none() {
                continue;
            }
            let mut lines = match read_offsets(&*disk, &file.path) {
                Ok(lines) => lines,
                Err(LogError::Disk(error)) => return Err(error),
                Err(error) => {
                    tracing::warn!("{error}; it counts as empty");
                    continue;
                }
            };
            lines.sort();
            for line in &lines {
                let points = known.entry((Arc::from(&*line.topic), line.partition)).or_default();
                *(file.point)(points) = Some(line.offset);
            }
            file.lines = Some(lines);
        }
        Ok((Self { disk, files }, known))
    }

    /// Whether some file is due to be written.
    pub(crate) fn is_due(&self, now: Millis) -> bool {
        self.files.iter().any(|file| file.due <= now)
    }

    /// Writes the files that are due, unless they say what they should already.
    pub(crate) fn write_due(&mut self, points: &PointsByPartition, now: Millis) -> Result<(), LogError> {
        self.write(points, |file| {
            let is_due = file.due <= now;
            if is_due {
                file.due = now.plus(file.every_ms);
            }
            is_due
        })
    }

    /// The partitions whose log start is not in its file as it is.
    pub(crate) fn new_log_starts(&self, points: &PointsByPartition) -> Vec<(Arc<str>, PartitionIndex)> {
        let lines = self.files.iter().find(|file| file.path.ends_with(LOG_STARTS));
        let lines = lines.and_then(|file| file.lines.as_deref()).unwrap_or_default();
        let is_new = |(topic, partition): &(Arc<str>, PartitionIndex), points: &Points| {
            points.log_start.is_some_and(|offset| {
                let line = OffsetLine { topic: topic.to_string(), partition: *partition, offset };
                lines.binary_search(&line).is_err()
            })
        };
        points.iter().filter(|(of, points)| is_new(of, points)).map(|(of, _)| of.clone()).collect()
    }

    /// Writes the file of log starts, unless it says what it should already.
    pub(crate) fn write_log_starts(&mut self, points: &PointsByPartition) -> Result<(), LogError> {
        self.write(points, |file| file.path.ends_with(LOG_STARTS))
    }

    /// Writes the recovery points, unless the file says what it should already.
    pub(crate) fn write_recovery_points(&mut self, points: &PointsByPartition) -> Result<(), LogError> {
        self.write(points, |file| file.path.ends_with(RECOVERY_POINTS))
    }

    /// Writes all files that do not say what they should already.
    pub(crate) fn write_all(&mut self, points: &PointsByPartition) -> Result<(), LogError> {
        self.write(points, |_| true)
    }

    /// Whether some file holds a line of a partition that is not among `points`.
    pub(crate) fn has_strangers(&self, points: &PointsByPartition) -> bool {
        let is_known = |line: &OffsetLine| points.contains_key(&(Arc::from(&*line.topic), line.partition));
        self.files.iter().flat_map(|file| file.lines.iter().flatten()).any(|line| !is_known(line))
    }

    fn write(
        &mut self,
        points: &PointsByPartition,
        mut wanted: impl FnMut(&mut File) -> bool,
    ) -> Result<(), LogError> {
        for file in &mut self.files {
            if !wanted(file) {
                continue;
            }
            let line = |((topic, partition), points): (&(Arc<str>, PartitionIndex), &Points)| {
                let offset = (*(file.point)(&mut points.clone()))?;
                Some(OffsetLine { topic: topic.to_string(), partition: *partition, offset })
            };
            let mut lines: Vec<_> = points.iter().filter_map(line).collect();
            lines.sort();
            let is_missing = file.lines.is_none() && lines.is_empty() && file.every_ms == i64::MAX;
            if !is_missing && file.lines.as_ref() != Some(&lines) {
                write_offsets(&*self.disk, &file.path, &lines)?;
                file.lines = Some(lines);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use disk::read_whole;
    use testkit::CrashDisk;

    use super::*;

    fn points(recovery: i64, start: Option<i64>, watermark: i64) -> Points {
        Points {
            recovery_point: Some(Offset(recovery)),
            log_start: start.map(Offset),
            high_watermark: Some(Offset(watermark)),
            first_dirty: None,
        }
    }

    fn text(disk: &CrashDisk, name: &str) -> String {
        String::from_utf8(read_whole(disk, &Path::new("/d").join(name), 1000).unwrap().unwrap()).unwrap()
    }

    #[test]
    fn each_file_is_written_in_its_own_time_and_only_when_it_changed() {
        let disk = CrashDisk::calm(1);
        let dir = Path::new("/d");
        disk.create_dir_all(dir).unwrap();
        let settings = Settings::default();
        let (mut checkpoints, known) = Checkpoints::load(disk.shared(), dir, &settings, Millis(0)).unwrap();
        assert!(known.is_empty());

        let a = (Arc::<str>::from("a"), PartitionIndex(0));
        let b = (Arc::<str>::from("b"), PartitionIndex(1));
        let all =
            PointsByPartition::from([(a.clone(), points(3, None, 5)), (b.clone(), points(7, Some(2), 8))]);
        assert!(!checkpoints.is_due(Millis(4999)));
        assert!(checkpoints.is_due(Millis(5000)));
        checkpoints.write_due(&all, Millis(5000)).unwrap();
        assert_eq!(text(&disk, HIGH_WATERMARKS), "0\n2\na 0 5\nb 1 8\n");
        assert!(disk.entry(&dir.join(RECOVERY_POINTS)).unwrap().is_none());
        checkpoints.write_due(&all, Millis(60_000)).unwrap();
        assert_eq!(text(&disk, RECOVERY_POINTS), "0\n2\na 0 3\nb 1 7\n");
        assert_eq!(text(&disk, LOG_STARTS), "0\n1\nb 1 2\n");

        let before = disk.operations();
        checkpoints.write_all(&all).unwrap();
        assert_eq!(disk.operations(), before, "nothing changed, nothing is written");

        let (_, known) = Checkpoints::load(disk.shared(), dir, &settings, Millis(0)).unwrap();
        assert_eq!(known, all);
    }

    #[test]
    fn lines_of_partitions_that_are_gone_are_noticed() {
        let disk = CrashDisk::calm(1);
        let dir = Path::new("/d");
        disk.create_dir_all(dir).unwrap();
        let (mut checkpoints, _) =
            Checkpoints::load(disk.shared(), dir, &Settings::default(), Millis(0)).unwrap();
        let a = (Arc::<str>::from("a"), PartitionIndex(0));
        checkpoints.write_all(&PointsByPartition::from([(a.clone(), points(3, None, 3))])).unwrap();
        assert!(checkpoints.has_strangers(&PointsByPartition::new()));
        assert!(!checkpoints.has_strangers(&PointsByPartition::from([(a, Points::default())])));
    }
}
