//! One partition's log on disk: segments in Kafka's format, their indexes, recovery, and retention.
//!
//! Plain blocking code without a runtime: who calls chooses the thread. Knows offsets, files and batch headers, and
//! stays ignorant of topics, producers, requests and tokio.
//!
//! [`Log`] is the single writer. [`LogReader`] is what everybody else holds: it sees only whole appended batches, and
//! takes no lock that is held over I/O. The read-only half ([`index`], [`names`], [`producer_snapshot`],
//! [`checkpoint`]) is plain parsing, for tools as well.

pub mod checkpoint;
mod config;
mod error;
pub mod index;
pub mod names;
pub mod producer_snapshot;
mod range;
mod reader;
mod writer;

pub use config::{Known, LogConfig};
pub use error::{Damage, LogError};
pub use range::FileRange;
pub use reader::{Found, Headers, LogReader, ReadOut, Walked};
pub use writer::{Flush, Log, Opened, Removed, Written};
