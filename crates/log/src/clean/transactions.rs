//! Which batches of transactions a cleaning may drop (Kafka: `CleanedTransactionMetadata`).
//!
//! The batches are told in the order of the log. Records of an aborted transaction go at once. A marker stays as long as
//! the cleaning has met a batch of its transaction, even an empty one; then it gets a delete horizon, and goes when that
//! has passed.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use base::{Offset, ProducerId};
use records::control::ControlType;
use records::{BatchError, BatchHeader, records_of};

use crate::index::TxnEntry;

/// More than any control record takes, should one ever be compressed.
const MARKER_BYTES: usize = 64 << 10;

/// What is known of the transactions at some point of the log.
#[derive(Debug)]
pub(super) struct Transactions {
    /// The aborted ones that have not begun yet, the first at the end.
    ahead: Vec<TxnEntry>,
    /// The aborted ones that have begun, and whether a batch of theirs was met.
    aborted: HashMap<ProducerId, (TxnEntry, bool)>,
    /// Producers with a transaction that is not aborted, of which a batch was met.
    committed: HashSet<ProducerId>,
    /// Aborted transactions of which something stays, in the order of their markers: what the new `.txnindex` says.
    kept: Vec<TxnEntry>,
}

impl Transactions {
    /// Before the first batch; `aborted` are all aborted transactions that the cleaning will meet.
    pub(super) fn new(mut aborted: Vec<TxnEntry>) -> Self {
        aborted.sort_by_key(|entry| Reverse(entry.first_offset));
        Self { ahead: aborted, aborted: HashMap::new(), committed: HashSet::new(), kept: Vec::new() }
    }

    /// Whether the records of the next batch may go because of its transaction. `batch`: all of it, for a control batch.
    ///
    /// # Errors
    /// When a control batch cannot be read.
    pub(super) fn is_over(&mut self, header: &BatchHeader, batch: &[u8]) -> Result<bool, BatchError> {
        self.begin_up_to(header.last_offset());
        let producer = header.producer_id;
        if header.attributes.is_control() {
            return self.marker(producer, batch);
        }
        if !header.attributes.is_transactional() {
            return Ok(false);
        }
        Ok(match self.aborted.get_mut(&producer) {
            Some((_, met)) => {
                *met = true;
                true
            }
            None => {
                self.committed.insert(producer);
                false
            }
        })
    }

    fn marker(&mut self, producer: ProducerId, batch: &[u8]) -> Result<bool, BatchError> {
        let records = records_of(batch, MARKER_BYTES)?;
        let Some(record) = records.iter().next() else {
            // An earlier cleaning has emptied it.
            return Ok(true);
        };
        let key = record?.key.unwrap_or_default();
        Ok(match ControlType::parse(key) {
            Ok(ControlType::Abort) => match self.aborted.remove(&producer) {
                Some((entry, true)) => {
                    self.kept.push(entry);
                    false
                }
                _ => true,
            },
            Ok(ControlType::Commit) => !self.committed.remove(&producer),
            _ => false,
        })
    }

    fn begin_up_to(&mut self, offset: Offset) {
        while let Some(entry) = self.ahead.pop_if(|entry| entry.first_offset <= offset) {
            self.aborted.entry(entry.producer_id).or_insert((entry, false));
        }
    }

    /// The entries for the `.txnindex` of what was cleaned since the last call.
    pub(super) fn take_kept(&mut self) -> Vec<TxnEntry> {
        std::mem::take(&mut self.kept)
    }
}

#[cfg(test)]
mod tests {
    use base::{Millis, ProducerEpoch, Sequence};
    use records::control::EndTxnMarker;
    use records::{BatchBuilder, NewRecord};

    use super::*;

    fn data(producer: i64, at: i64) -> bytes::Bytes {
        let mut batch = BatchBuilder::new(Offset(at))
            .producer(ProducerId(producer), ProducerEpoch(0), Sequence(0))
            .transactional(true);
        batch.push(&NewRecord { timestamp: Millis(1), key: Some(b"k"), ..NewRecord::default() });
        batch.build()
    }

    fn marker(producer: i64, at: i64, committed: bool) -> bytes::Bytes {
        let marker = EndTxnMarker { committed, coordinator_epoch: 0 };
        let mut batch = BatchBuilder::new(Offset(at))
            .producer(ProducerId(producer), ProducerEpoch(0), Sequence::NONE)
            .transactional(true)
            .control(true);
        let (key, value) = (marker.control_type().key(), marker.value());
        batch.push(&NewRecord {
            timestamp: Millis(1),
            key: Some(&key),
            value: Some(&value),
            ..NewRecord::default()
        });
        batch.build()
    }

    fn aborted(producer: i64, first: i64, last: i64) -> TxnEntry {
        TxnEntry {
            version: 0,
            producer_id: ProducerId(producer),
            first_offset: Offset(first),
            last_offset: Offset(last),
            last_stable_offset: Offset(last + 1),
        }
    }

    fn told(transactions: &mut Transactions, batches: &[bytes::Bytes]) -> Vec<bool> {
        let one =
            |batch: &bytes::Bytes| transactions.is_over(&BatchHeader::parse(batch).unwrap(), batch).unwrap();
        batches.iter().map(one).collect()
    }

    #[test]
    fn aborted_records_go_and_their_marker_stays_until_they_are_gone() {
        let mut first = Transactions::new(vec![aborted(1, 0, 3)]);
        let batches = [data(1, 0), data(2, 1), data(1, 2), marker(1, 3, false), marker(2, 4, true)];
        assert_eq!(told(&mut first, &batches), [true, false, true, false, false]);
        assert_eq!(first.take_kept(), [aborted(1, 0, 3)]);
        // The next cleaning meets no batch of either.
        let mut second = Transactions::new(vec![aborted(1, 0, 3)]);
        assert_eq!(told(&mut second, &batches[3..]), [true, true]);
        assert_eq!(second.take_kept(), []);
    }

    #[test]
    fn a_producer_may_abort_commit_and_abort_again() {
        let mut transactions = Transactions::new(vec![aborted(1, 4, 5), aborted(1, 0, 1)]);
        let batches = [
            data(1, 0),
            marker(1, 1, false),
            data(1, 2),
            marker(1, 3, true),
            data(1, 4),
            marker(1, 5, false),
            data(1, 6),
        ];
        assert_eq!(told(&mut transactions, &batches), [true, false, false, false, true, false, false]);
        assert_eq!(transactions.take_kept(), [aborted(1, 0, 1), aborted(1, 4, 5)]);
    }
}
