//! File names in a log directory (Kafka: `LogFileUtils`).

use base::Offset;

/// What a file beside others of the same number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// `.log`: the batches.
    Log,
    /// `.index`: offsets to positions.
    Index,
    /// `.timeindex`: timestamps to offsets.
    TimeIndex,
    /// `.txnindex`: aborted transactions.
    TxnIndex,
    /// `.snapshot`: producer state.
    Snapshot,
}

/// What a second suffix says about a file that is not in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Parked {
    /// `.deleted`: waits to be removed.
    Deleted,
    /// `.cleaned`: output of a compaction that was being written.
    Cleaned,
    /// `.swap`: finished output of a compaction, about to take its place.
    Swap,
}

/// A file name of the form `<20 digits>.<kind>[.<parked>]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileName {
    /// The number: a segment's base offset, or the end offset of a snapshot.
    pub offset: Offset,
    /// What the file holds.
    pub kind: Kind,
    /// The second suffix, if any.
    pub parked: Option<Parked>,
}

impl FileName {
    /// The name of a file in use.
    #[must_use]
    pub const fn new(offset: Offset, kind: Kind) -> Self {
        Self { offset, kind, parked: None }
    }

    /// Reads a name; `None` for any other file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let _ = name;
        todo!()
    }
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let _ = f;
        todo!()
    }
}
