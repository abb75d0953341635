//! The records of a batch, read one by one.

use base::{Millis, Offset, Sequence};

use crate::{BatchError, BatchHeader, TimestampType};

/// One record, as a view into the bytes of its (decompressed) batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Offset, counted from the batch's base offset.
    pub offset_delta: i32,
    /// Milliseconds since the batch's base timestamp.
    pub timestamp_delta: i64,
    /// The key, or `None` for null.
    pub key: Option<&'a [u8]>,
    /// The value, or `None` for null (a tombstone where the topic is compacted).
    pub value: Option<&'a [u8]>,
    /// The headers (KIP-82).
    pub headers: Headers<'a>,
}

impl RecordView<'_> {
    /// The record's offset in a batch with this header.
    #[must_use]
    pub const fn offset(&self, header: &BatchHeader) -> Offset {
        Offset(header.base_offset.0.wrapping_add(self.offset_delta as i64))
    }

    /// The record's time: its own for CreateTime, the batch's max timestamp for LogAppendTime.
    #[must_use]
    pub const fn timestamp(&self, header: &BatchHeader) -> Millis {
        match header.attributes.timestamp_type() {
            TimestampType::CreateTime => Millis(header.base_timestamp.0.wrapping_add(self.timestamp_delta)),
            TimestampType::LogAppendTime => header.max_timestamp,
        }
    }

    /// The producer's number of the record, with wrap-around; none when the batch has none.
    #[must_use]
    pub const fn sequence(&self, header: &BatchHeader) -> Sequence {
        if header.base_sequence.0 < 0 || self.offset_delta < 0 {
            Sequence::NONE
        } else {
            header.base_sequence.plus(self.offset_delta)
        }
    }
}

/// The headers of one record; their framing has been checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    count: u32,
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Key (UTF-8 by agreement, not checked) and value of each header, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&'a [u8], Option<&'a [u8]>)> + use<'a> {
        todo!();
        #[expect(unreachable_code, reason = "gives the opaque type while the body is missing")]
        std::iter::empty()
    }
}

/// The records of one batch, decompressed where needed.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    body: std::borrow::Cow<'a, [u8]>,
}

/// Opens the records of `batch`, the bytes of one whole batch (bytes behind it are not looked at). An uncompressed
/// batch is only borrowed; a compressed one is unpacked, into at most `max_decompressed` bytes. The CRC is not looked at.
///
/// # Errors
/// When the header does not parse, the batch is not whole, or its body does not decompress within the limit.
pub fn records_of(batch: &[u8], max_decompressed: usize) -> Result<Records<'_>, BatchError> {
    let _ = (batch, max_decompressed);
    todo!()
}

impl Records<'_> {
    /// The header of the batch.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The records, one by one: exactly as many as the header counts, or an error, after which nothing more comes.
    #[must_use]
    pub fn iter(&self) -> RecordIter<'_> {
        let _ = &self.body;
        todo!()
    }
}

impl<'a> IntoIterator for &'a Records<'_> {
    type Item = Result<RecordView<'a>, BatchError>;
    type IntoIter = RecordIter<'a>;

    fn into_iter(self) -> RecordIter<'a> {
        self.iter()
    }
}

/// Walks the records of a batch.
#[derive(Clone, Debug)]
pub struct RecordIter<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<RecordView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let _ = self.rest;
        todo!()
    }
}
