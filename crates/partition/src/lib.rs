//! One partition's single owner: the order of appends, the four marks, what survives a restart, and what readers may see.
//!
//! [`Partition::append`] asks health first, then the sequence tracker, and tells the tracker only after the log has
//! written. Readers never take that lock: they see published [`Marks`] and a `log::LogReader`. Knows nothing of
//! requests, API versions, error codes, sockets or topic names.

mod board;
mod config;
mod error;
mod flusher;
mod flushing;
mod marks;
mod partition;
mod reach;
mod restore;
mod upkeep;
mod waiting;

pub use config::PartitionConfig;
pub use error::{AppendError, PartitionError, ReadError, Shut, Stopped};
pub use flusher::Flusher;
pub use marks::{Isolation, Marks};
pub use partition::{Appended, Opened, Partition, Read};
pub use waiting::Waiting;
