//! One partition's log on disk: segments in Kafka's format, their indexes, recovery, and retention.
//!
//! Plain blocking code without a runtime: who calls chooses the thread. Knows offsets, files and batch headers, and
//! stays ignorant of topics, producers, requests and tokio.
//!
//! [`Log`] is the single writer. [`LogReader`] is what everybody else holds: it sees only whole appended batches, and
//! takes no lock that is held over I/O. The read-only half ([`index`], [`names`], [`producer_snapshot`],
//! [`checkpoint`]) is plain parsing, for tools as well.

mod by_time;
pub mod checkpoint;
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
mod writer;

pub use by_time::Found;
pub use config::{Known, LogConfig};
pub use error::{Damage, LogError};
pub use flush::Flush;
pub use open::Opened;
pub use range::FileRange;
pub use reader::{Headers, LogReader, ReadOut, Walked};
pub use retention::Removed;
pub use writer::{Log, Written};
