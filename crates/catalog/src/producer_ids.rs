//! Producer ids, handed out from blocks of a thousand (Kafka: `RPCProducerIdManager`, `ProducerIdControlManager`).
//!
//! The metadata log says where the next block begins before any id of a block is handed out, so no id is handed out
//! twice, whatever happens. What is left of a block is lost with the process.

use std::ops::Range;

use base::ProducerId;
use parking_lot::Mutex;

/// Ids in a block (Kafka: `ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
pub(crate) const BLOCK_SIZE: i64 = 1000;

/// What is left of the current block.
#[derive(Debug, Default)]
pub(crate) struct ProducerIds {
    left: Mutex<Range<i64>>,
}

impl ProducerIds {
    /// The next id of the block, if any is left.
    pub(crate) fn take(&self) -> Option<ProducerId> {
        self.left.lock().next().map(ProducerId)
    }

    /// Hands out ids from `block` from now on: it must be on disk that it is taken.
    pub(crate) fn refill(&self, block: Range<i64>) {
        let mut left = self.left.lock();
        debug_assert!(left.is_empty(), "a block is used up before the next is taken");
        *left = block;
    }
}
