//! Records about the log itself: transactions, which make several batches take effect at once, and the record that
//! does nothing.

use crate::{Message, StrBytes};

/// The records that follow take effect together, at the [`EndTransactionRecord`] (KIP-868).
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 23, versions = "0", flexible = "0+")]
pub struct BeginTransactionRecord {
    /// What the records are for; null for nothing to say.
    #[field(tag = 0, default = null)]
    pub name: Option<StrBytes>,
}

/// The records since the last [`BeginTransactionRecord`] take effect.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 24, versions = "0", flexible = "0+")]
pub struct EndTransactionRecord {}

/// Drops the records since the last [`BeginTransactionRecord`].
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 25, versions = "0", flexible = "0+")]
pub struct AbortTransactionRecord {
    /// Why, for people; null for nothing to say.
    #[field(tag = 0, default = null)]
    pub reason: Option<StrBytes>,
}

/// Changes nothing; it moves the end of the log along.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 20, versions = "0", flexible = "0+")]
pub struct NoOpRecord {}
