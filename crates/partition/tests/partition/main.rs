//! The room through its public face, on real directories and on disks that fail and crash.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod aborted;
mod appends;
mod compaction;
mod crashes;
mod crowd;
mod faults;
mod flushes;
mod restarts;
mod snapshots;
mod stage;
mod transactions;
mod upkeep;
