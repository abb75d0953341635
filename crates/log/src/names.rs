//! File names in a log directory (Kafka: `LogFileUtils`).

use std::fmt;

use base::Offset;

/// What a file holds, by its suffix.
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

impl Kind {
    /// Every kind. The first is the one whose presence makes a segment; the others follow it.
    pub const ALL: [Self; 5] = [Self::Log, Self::Index, Self::TimeIndex, Self::TxnIndex, Self::Snapshot];

    /// The suffix, without the dot.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::Index => "index",
            Self::TimeIndex => "timeindex",
            Self::TxnIndex => "txnindex",
            Self::Snapshot => "snapshot",
        }
    }
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

impl Parked {
    const ALL: [Self; 3] = [Self::Deleted, Self::Cleaned, Self::Swap];

    /// The suffix, without the dot.
    #[must_use]
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Cleaned => "cleaned",
            Self::Swap => "swap",
        }
    }
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
    /// The name of a file in use. `offset` must not be negative.
    #[must_use]
    pub const fn new(offset: Offset, kind: Kind) -> Self {
        Self { offset, kind, parked: None }
    }

    /// The same file under the suffix `parked`.
    #[must_use]
    pub const fn parked(self, parked: Parked) -> Self {
        Self { parked: Some(parked), ..self }
    }

    /// Reads a name; `None` for any other file. The number is taken as Kafka writes it: 20 digits, no sign.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let mut parts = name.split('.');
        let number = parts.next()?;
        if number.len() != 20 || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let offset = Offset(number.parse().ok()?);
        let kind = parts.next()?;
        let kind = Kind::ALL.into_iter().find(|known| known.suffix() == kind)?;
        let parked = match parts.next() {
            None => None,
            Some(suffix) => Some(Parked::ALL.into_iter().find(|known| known.suffix() == suffix)?),
        };
        parts.next().is_none().then_some(Self { offset, kind, parked })
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:020}.{}", self.offset.0, self.kind.suffix())?;
        match self.parked {
            None => Ok(()),
            Some(parked) => write!(f, ".{}", parked.suffix()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_twenty_digits_and_a_suffix() {
        let name = FileName::new(Offset(1234), Kind::TimeIndex);
        assert_eq!(name.to_string(), "00000000000000001234.timeindex");
        assert_eq!(name.parked(Parked::Deleted).to_string(), "00000000000000001234.timeindex.deleted");
        for kind in Kind::ALL {
            for parked in [None, Some(Parked::Deleted), Some(Parked::Cleaned), Some(Parked::Swap)] {
                let name = FileName { offset: Offset(i64::MAX), kind, parked };
                assert_eq!(FileName::parse(&name.to_string()), Some(name));
            }
        }
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "",
            "leader-epoch-checkpoint",
            "0.log",
            "00000000000000000000",
            "00000000000000000000.",
            "00000000000000000000.tmp",
            "00000000000000000000.log.tmp",
            "00000000000000000000.log.deleted.deleted",
            "0000000000000000000a.log",
            "-0000000000000000001.log",
            "+0000000000000000001.log",
            "99999999999999999999.log",
            "00000000000000000010-0000000003.checkpoint",
        ] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
