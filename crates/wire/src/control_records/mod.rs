//! The content of control records in the metadata log and its snapshots (KIP-595, KIP-630, KIP-853).
//!
//! A control record's key names its type (`[version i16, type i16]`, room `records`); its value is one of these
//! messages, all flexible. The first field repeats the version, which is how a reader knows it.

pub mod leader_change;
pub mod snapshot;
pub mod voters;

pub use leader_change::LeaderChangeMessage;
pub use snapshot::{SnapshotFooterRecord, SnapshotHeaderRecord};
pub use voters::{KRaftVersionRecord, VotersRecord};
