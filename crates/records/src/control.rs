//! Control records: what a control batch's records say, by key and value (KIP-98, KIP-595, KIP-630, KIP-853).

use crate::RecordView;

/// What a control record is, from its key: i16 version, i16 type (Kafka: `ControlRecordType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ControlType {
    /// Ends a transaction: what it wrote is not to be read.
    Abort,
    /// Ends a transaction: what it wrote counts.
    Commit,
    /// A new leader of a Raft log; the value is the message `LeaderChangeMessage`.
    LeaderChange,
    /// The first record of a snapshot; the value is the message `SnapshotHeaderRecord`.
    SnapshotHeader,
    /// The last record of a snapshot; the value is the message `SnapshotFooterRecord`.
    SnapshotFooter,
    /// The version of the Raft protocol's own state; the value is the message `KRaftVersionRecord`.
    KraftVersion,
    /// Who votes; the value is the message `VotersRecord`.
    KraftVoters,
    /// A type of a later Kafka.
    Unknown(i16),
}

/// Why bytes are no control record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// The record has no key, or one shorter than four bytes.
    #[error("a control record's key takes 4 bytes, this one has {0}")]
    KeyTooShort(usize),
    /// The key's version is negative.
    #[error("the control record's key has the version {0}")]
    KeyVersion(i16),
    /// The value of an end marker is missing or shorter than six bytes.
    #[error("an end marker's value takes 6 bytes, this one has {0}")]
    ValueTooShort(usize),
    /// The value's version is negative.
    #[error("the end marker has the version {0}")]
    ValueVersion(i16),
    /// The record is of another type.
    #[error("a record of type {0} is no end marker")]
    NotAnEndMarker(i16),
}

impl ControlType {
    /// What the key of a control record says. A later version of the key is read as version 0, as Kafka does.
    ///
    /// # Errors
    /// When the key is shorter than four bytes, or its version is negative.
    pub fn parse(key: &[u8]) -> Result<Self, ControlError> {
        let Some(&[v0, v1, t0, t1]) = key.first_chunk::<4>() else {
            return Err(ControlError::KeyTooShort(key.len()));
        };
        let version = i16::from_be_bytes([v0, v1]);
        if version < 0 {
            return Err(ControlError::KeyVersion(version));
        }
        Ok(Self::from_id(i16::from_be_bytes([t0, t1])))
    }

    /// The key of a control record of this type, version 0.
    #[must_use]
    pub fn key(self) -> [u8; 4] {
        let [t0, t1] = self.id().to_be_bytes();
        [0, 0, t0, t1]
    }

    /// The type of this number.
    #[must_use]
    pub const fn from_id(id: i16) -> Self {
        match id {
            0 => Self::Abort,
            1 => Self::Commit,
            2 => Self::LeaderChange,
            3 => Self::SnapshotHeader,
            4 => Self::SnapshotFooter,
            5 => Self::KraftVersion,
            6 => Self::KraftVoters,
            other => Self::Unknown(other),
        }
    }

    /// Kafka's number of this type.
    #[must_use]
    pub const fn id(self) -> i16 {
        match self {
            Self::Abort => 0,
            Self::Commit => 1,
            Self::LeaderChange => 2,
            Self::SnapshotHeader => 3,
            Self::SnapshotFooter => 4,
            Self::KraftVersion => 5,
            Self::KraftVoters => 6,
            Self::Unknown(id) => id,
        }
    }

    /// Kafka's name of this type: `ABORT`, `LEADER_CHANGE`...
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Abort => "ABORT",
            Self::Commit => "COMMIT",
            Self::LeaderChange => "LEADER_CHANGE",
            Self::SnapshotHeader => "SNAPSHOT_HEADER",
            Self::SnapshotFooter => "SNAPSHOT_FOOTER",
            Self::KraftVersion => "KRAFT_VERSION",
            Self::KraftVoters => "KRAFT_VOTERS",
            Self::Unknown(_) => "UNKNOWN",
        }
    }
}

/// The record that ends a transaction in one partition (Kafka: `EndTransactionMarker`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndTxnMarker {
    /// Whether the transaction was committed; aborted otherwise.
    pub committed: bool,
    /// The epoch of the transaction coordinator that wrote the marker.
    pub coordinator_epoch: i32,
}

impl EndTxnMarker {
    /// Reads the marker from a control record's key and value.
    ///
    /// # Errors
    /// When the key is not that of an end marker, or the value not one's.
    pub fn parse(key: &[u8], value: &[u8]) -> Result<Self, ControlError> {
        let committed = match ControlType::parse(key)? {
            ControlType::Commit => true,
            ControlType::Abort => false,
            other => return Err(ControlError::NotAnEndMarker(other.id())),
        };
        let Some(&[v0, v1, e0, e1, e2, e3]) = value.first_chunk::<6>() else {
            return Err(ControlError::ValueTooShort(value.len()));
        };
        let version = i16::from_be_bytes([v0, v1]);
        if version < 0 {
            return Err(ControlError::ValueVersion(version));
        }
        Ok(Self { committed, coordinator_epoch: i32::from_be_bytes([e0, e1, e2, e3]) })
    }

    /// Reads the marker from a record of a control batch. A null key or value counts as an empty one.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn of(record: &RecordView<'_>) -> Result<Self, ControlError> {
        Self::parse(record.key.unwrap_or_default(), record.value.unwrap_or_default())
    }

    /// The type that stands in the record's key.
    #[must_use]
    pub const fn control_type(self) -> ControlType {
        if self.committed { ControlType::Commit } else { ControlType::Abort }
    }

    /// The record's value, version 0.
    #[must_use]
    pub fn value(self) -> [u8; 6] {
        let [e0, e1, e2, e3] = self.coordinator_epoch.to_be_bytes();
        [0, 0, e0, e1, e2, e3]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_keeps_its_number_and_name() {
        let names = [
            "ABORT",
            "COMMIT",
            "LEADER_CHANGE",
            "SNAPSHOT_HEADER",
            "SNAPSHOT_FOOTER",
            "KRAFT_VERSION",
            "KRAFT_VOTERS",
        ];
        for (id, name) in (0..).zip(names) {
            let control = ControlType::from_id(id);
            assert_eq!((control.id(), control.name()), (id, name));
            assert_eq!(ControlType::parse(&control.key()), Ok(control));
        }
        assert_eq!(ControlType::parse(&[0, 0, 0, 9]), Ok(ControlType::Unknown(9)));
        assert_eq!(
            ControlType::parse(&[0, 5, 0, 1]),
            Ok(ControlType::Commit),
            "a later key version is read as 0"
        );
    }

    #[test]
    fn an_end_marker_reads_what_it_writes() {
        for marker in [
            EndTxnMarker { committed: true, coordinator_epoch: 7 },
            EndTxnMarker { committed: false, coordinator_epoch: -1 },
        ] {
            assert_eq!(EndTxnMarker::parse(&marker.control_type().key(), &marker.value()), Ok(marker));
        }
    }

    #[test]
    fn what_is_no_control_record_is_refused() {
        let commit = ControlType::Commit.key();
        assert_eq!(ControlType::parse(&commit[..3]), Err(ControlError::KeyTooShort(3)));
        assert_eq!(ControlType::parse(&[0xff, 0xff, 0, 1]), Err(ControlError::KeyVersion(-1)));
        assert_eq!(EndTxnMarker::parse(&commit, &[0; 5]), Err(ControlError::ValueTooShort(5)));
        assert_eq!(
            EndTxnMarker::parse(&commit, &[0xff, 0xfe, 0, 0, 0, 0]),
            Err(ControlError::ValueVersion(-2))
        );
        let leader = ControlType::LeaderChange.key();
        assert_eq!(EndTxnMarker::parse(&leader, &[0; 6]), Err(ControlError::NotAnEndMarker(2)));
    }
}
