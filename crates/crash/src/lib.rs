//! Crash stories: a whole broker below the network, on a disk that stops at any one of its operations.
//!
//! A story is a seed: topics come and go, idempotent producers write, repeat and skip, logs roll, retention and deletions
//! take away, the broker stops and starts. It is played on a `testkit::CrashDisk` until the disk stops; what was promised by
//! then stands in a [`Ledger`]. What a kill or a power loss leaves is recovered and [judged](judge) against the ledger. Then
//! the recovered broker goes on, and crashes again, possibly while it recovers.
//!
//! Everything runs on one thread and follows from the seed, so each case can be repeated: see [`Case`].

pub mod case;
pub mod cluster;
pub mod judge;
pub mod ledger;
pub mod player;
pub mod scan;

pub use case::{Case, Finding};
pub use ledger::Ledger;
