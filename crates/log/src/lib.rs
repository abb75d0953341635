//! One partition's log on disk: segments in Kafka's format, their indexes, recovery, and retention.
//!
//! Plain blocking code without a runtime: who calls chooses the thread. Knows offsets, files and batch headers, and
//! stays ignorant of topics, producers, requests and tokio.
//!
//! [`Log`] is the single writer. [`LogReader`] is what everybody else holds: it sees only whole appended batches, and
//! takes no lock that is held over I/O. The read-only half ([`index`], [`names`], [`producer_snapshot`],
//! [`checkpoint`]) is plain parsing, for tools as well.
//!
//! # Where each part is
//! - `writer` appends and rolls, `flush` syncs, `retention` takes away; `shared` is what they publish.
//! - `segment` is one segment as all share it, `index_file` a living index of it, `aborted` its aborted transactions.
//!   `locate` finds a batch by offset, `by_time` by timestamp, `reader` reads.
//! - `open` recovers: `scan` reads with checksums, `walk` reads headers only, `rebuild` says what the indexes should be.
//! - [`clean`] compacts; `whereabouts` knows what a segment's files are called while it does.
//! - `repair` rebuilds an index that a lookup found wrong.
//!
//! # What is promised
//! - A batch is visible when all of it is in the file, and an append that fails leaves nothing visible.
//! - Whatever [`Log::flushed`] has covered outlives a power loss; what an append has returned outlives the process.
//! - After any crash the log holds a prefix of what was appended, and its indexes agree with it.
//! - What lies below the known recovery point is never cut, whatever state it is in: damage there is an error for the
//!   reads that need what is lost, and the rest is served.
//!
//! # Indexes
//! An index is a hint: each lookup checks the batch that it lands on, and rebuilds the index if that is another. So the
//! newest entries are kept in memory, and written in blocks of 64, on a flush, on a roll and on close. The files of a
//! running log lag by at most those; a recovery makes them anew from the recovery point's segment on. They are made as
//! long as their entries (Kafka makes them large and cuts them later); Kafka's zeros at the end are not taken for entries.
//!
//! # Open files
//! A log without traffic has none open. A segment in use has up to three. All logs that share a [`Commons`] keep no more open
//! than that allows: the files of the segments that were not used for longest are closed, active ones as well, and opened
//! again when they are needed. Whoever was given a [`FileRange`] keeps its file open until he drops it. When the process can
//! open no more files all the same, others are closed first.
//!
//! # Where this is stricter than Kafka
//! Recovery cuts at a missing stretch of offsets above the recovery point, unless the topic is compacted; it never cuts
//! below that point, where Kafka does; and it refuses message formats v0 and v1 rather than cut them.

mod aborted;
mod by_time;
pub mod checkpoint;
pub mod clean;
mod commons;
mod config;
mod epochs;
mod error;
mod flush;
pub mod index;
mod index_file;
mod locate;
pub mod names;
mod open;
mod place;
pub mod producer_snapshot;
mod range;
mod reader;
mod rebuild;
mod repair;
mod retention;
mod scan;
mod segment;
mod shared;
mod walk;
mod whereabouts;
mod writer;

pub use by_time::Found;
pub use commons::{Checking, Checks, Commons};
pub use config::{Known, LogConfig};
pub use error::{Damage, LogError};
pub use flush::Flush;
pub use open::Opened;
pub use range::FileRange;
pub use reader::{Headers, LogReader, ReadOut, Walked};
pub use retention::{DueFiles, Removed};
pub use writer::{Log, Written};
