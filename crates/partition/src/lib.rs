//! One partition's single owner: the order of appends, the marks, what survives a restart, and what readers may see.
//!
//! [`Partition::append`] asks health first, then the sequence tracker, rolls when that is due, writes, and only then tells
//! the tracker and moves the marks. Readers never take that lock: they see published [`Marks`] and a `log::LogReader`.
//! Knows nothing of requests, API versions, error codes, sockets or topic names.
//!
//! # What an ack stands for
//! By default that the operating system has the batch. With `flush.messages=1` the high watermark follows the flushed
//! offset, and an ack, for a fresh batch or a duplicate, waits for it ([`Partition::on_advance`]). A [`Flusher`]'s threads
//! sync the log, never the appending one: one at a time per partition, shared by all who wait.
//!
//! # When the door shuts
//! | what failed | this append | later ones |
//! |---|---|---|
//! | disk or quota full; a file could not be opened | error | are tried: what was written is cut off first |
//! | any other write, or cutting off | error | refused until restart |
//! | a flush | its ack never comes | refused until restart: a second flush proves nothing about the first one's bytes |
//! | our own code (a panic) | error | refused until restart |
//!
//! A full disk may be tried again because the failed write said so itself, and nothing in doubt was promised to anybody.
//! Reads go on in every case, and other partitions do not notice.
//!
//! # How producers survive
//! See `restore.rs`: the newest snapshot, and a walk over the batch headers before and after it. Beside those that Kafka
//! writes (at each roll and on a clean stop), retention is preceded by a snapshot at the log end, so that no producer is
//! forgotten with its segments.

mod board;
mod cleaning;
mod config;
mod error;
mod flusher;
mod flushing;
mod marks;
mod partition;
mod reach;
mod restore;
mod snapshots;
mod upkeep;
mod waiting;

pub use config::PartitionConfig;
pub use error::{AppendError, PartitionError, ReadError, Shut, Stopped};
pub use flusher::{Flusher, SegmentsFlushed};
pub use marks::{Isolation, Marks};
pub use partition::{Appended, Opened, Partition, Read};
pub use waiting::Waiting;
