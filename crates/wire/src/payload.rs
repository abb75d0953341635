//! The `records` field of Produce and Fetch: record batches, opaque to this room.

use bytes::Bytes;

/// Record batches on their way in or out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// In memory, shared with the frame they came in.
    Bytes(Bytes),
    /// Somewhere else, most often in a segment file: the encoder leaves a [`crate::Segment::External`] in their
    /// place. Never comes out of decoding.
    External {
        /// How many bytes.
        len: u32,
        /// Which ones: a number that only the writer of the message understands.
        slot: u32,
    },
}

impl Payload {
    /// Bytes that the batches take.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { len, .. } => *len as usize,
        }
    }

    /// Whether there are no batches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::Bytes(Bytes::new())
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(bytes)
    }
}
