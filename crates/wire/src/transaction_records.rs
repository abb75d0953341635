//! The records of `__transaction_state`: one per transactional id, with all that the coordinator knows of it (KIP-98).
//!
//! A value is written at version 0 while `transaction.version` is 0, else at version 1, which is flexible (KIP-890).

use crate::coordinator_record::coordinator_records;
use crate::{Message, StrBytes};

coordinator_records! {
    /// A record of `__transaction_state`.
    TransactionRecord;
    TransactionLog(TransactionLogKey, TransactionLogValue) = 0;
}

/// The transactional id that a record is about.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0", flexible = "none")]
pub struct TransactionLogKey {
    /// The transactional id.
    pub transactional_id: StrBytes,
}

/// The state of a transactional id.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(record = 0, versions = "0-1", flexible = "1+")]
pub struct TransactionLogValue {
    /// The producer id in use.
    pub producer_id: i64,
    /// The producer id of the last committed transaction; -1 for none (KIP-890).
    #[field(versions = "1+", tag = 0, default = -1)]
    pub previous_producer_id: i64,
    /// The producer id that the client was given last, after its epochs had run out; -1 for none (KIP-890).
    #[field(versions = "1+", tag = 1, default = -1)]
    pub next_producer_id: i64,
    /// The epoch of the producer id.
    pub producer_epoch: i16,
    /// The epoch of the next producer id; -1 for none (KIP-939).
    #[field(versions = "1+", tag = 3, default = -1)]
    pub next_producer_epoch: i16,
    /// After how many milliseconds the coordinator aborts a transaction.
    pub transaction_timeout_ms: i32,
    /// 0 Empty, 1 Ongoing, 2 PrepareCommit, 3 PrepareAbort, 4 CompleteCommit, 5 CompleteAbort.
    pub transaction_status: i8,
    /// The partitions in the transaction; null in the state Empty.
    pub transaction_partitions: Option<Vec<PartitionsSchema>>,
    /// When the state last changed, in milliseconds.
    pub transaction_last_update_timestamp_ms: i64,
    /// When the transaction began, in milliseconds; -1 for none.
    pub transaction_start_timestamp_ms: i64,
    /// The `transaction.version` that the client spoke (KIP-890).
    #[field(versions = "1+", tag = 2)]
    pub client_transaction_version: i16,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct PartitionsSchema {
    /// The topic's name.
    pub topic: StrBytes,
    /// Its partitions.
    pub partition_ids: Vec<i32>,
}
