//! The records of a batch, read one by one.

use std::borrow::Cow;
use std::io::Read;

use base::{Millis, Offset, Sequence};

use crate::framing::{
    Framed, Slice, Source, Stream, Trouble, nullable, read_fields, read_record, record_len,
};
use crate::{BatchError, BatchHeader, Codec, HEADER_LEN, RecordFault, TimestampType, compression};

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

    /// The bytes of all headers, as they stand behind their count.
    pub(crate) const fn as_stored(&self) -> &'a [u8] {
        self.bytes
    }

    /// Key (UTF-8 by agreement, not checked) and value of each header, in order.
    #[must_use]
    pub const fn iter(&self) -> HeaderIter<'a> {
        HeaderIter { left: self.count, bytes: Slice::new(self.bytes) }
    }
}

impl<'a> IntoIterator for Headers<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);
    type IntoIter = HeaderIter<'a>;

    fn into_iter(self) -> HeaderIter<'a> {
        self.iter()
    }
}

/// Walks the headers of one record.
#[derive(Clone, Debug)]
pub struct HeaderIter<'a> {
    left: u32,
    bytes: Slice<'a>,
}

impl<'a> Iterator for HeaderIter<'a> {
    type Item = (&'a [u8], Option<&'a [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        // The framing was checked when the record was read, so neither step fails.
        let key = nullable(&mut self.bytes).ok()??;
        Some((key, nullable(&mut self.bytes).ok()?))
    }
}

/// The records of one batch, decompressed where needed.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    header: BatchHeader,
    body: Cow<'a, [u8]>,
}

/// Opens the records of `batch`, the bytes of one whole batch (bytes behind it are not looked at). An uncompressed
/// batch is only borrowed; a compressed one is unpacked, into at most `max_decompressed` bytes. The CRC is not looked
/// at. See [`RecordStream`] for reading without holding all of it.
///
/// # Errors
/// When the header does not parse, the batch is not whole, its record count is negative, or its body does not
/// decompress within the limit.
pub fn records_of(batch: &[u8], max_decompressed: usize) -> Result<Records<'_>, BatchError> {
    let (header, codec, packed) = open(batch)?;
    let body = if codec == Codec::None || header.record_count == 0 {
        Cow::Borrowed(packed)
    } else {
        let mut body = Vec::new();
        compression::reader(codec, packed, max_decompressed)?
            .read_to_end(&mut body)
            .map_err(|error| compression::failure(codec, &error))?;
        Cow::Owned(body)
    };
    Ok(Records { header, body })
}

/// Header, codec and body of a whole batch.
fn open(batch: &[u8]) -> Result<(BatchHeader, Codec, &[u8]), BatchError> {
    let header = BatchHeader::parse(batch)?;
    let Some(body) = batch.get(HEADER_LEN..header.size()) else {
        return Err(BatchError::Truncated { needed: header.size(), got: batch.len() });
    };
    if header.record_count < 0 {
        return Err(BatchError::RecordCount(header.record_count));
    }
    Ok((header, header.attributes.codec()?, body))
}

impl Records<'_> {
    /// The header of the batch.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The records, one by one: exactly as many as the header counts, or an error, after which nothing more comes. That
    /// bytes are left over is said after the last record. A batch of no records is not looked into, as in Kafka.
    #[must_use]
    pub fn iter(&self) -> RecordIter<'_> {
        RecordIter::new(self.header.record_count, &self.body)
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
    source: Slice<'a>,
    progress: Progress,
}

impl<'a> RecordIter<'a> {
    const fn new(record_count: i32, body: &'a [u8]) -> Self {
        Self { source: Slice::new(body), progress: Progress::new(record_count) }
    }
}

impl<'a> Iterator for RecordIter<'a> {
    type Item = Result<RecordView<'a>, BatchError>;

    fn next(&mut self) -> Option<Self::Item> {
        let index = match self.progress.step() {
            Step::Record(index) => index,
            Step::End(count) => {
                return match self.source.is_at_end() {
                    Ok(true) => None,
                    Ok(false) => Some(Err(BatchError::LeftOver(count))),
                    Err(error) => Some(Err(error)),
                };
            }
            Step::Over => return None,
        };
        let record = read_record(&mut self.source).map(RecordView::from).map_err(|trouble| trouble.at(index));
        if record.is_err() {
            self.progress.stop();
        }
        Some(record)
    }
}

/// How far a walk over the records of a batch has come.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    next: u32,
    count: u32,
    over: bool,
}

/// What comes next in a walk.
pub(crate) enum Step {
    /// The record at this position.
    Record(u32),
    /// All records that the header counts have been read: nothing may be left.
    End(i32),
    /// Nothing.
    Over,
}

impl Progress {
    pub(crate) const fn new(record_count: i32) -> Self {
        let count = if record_count < 0 { 0 } else { record_count as u32 };
        Self { next: 0, count, over: count == 0 }
    }

    pub(crate) fn step(&mut self) -> Step {
        if self.over {
            Step::Over
        } else if self.next == self.count {
            self.over = true;
            Step::End(self.count as i32)
        } else {
            self.next += 1;
            Step::Record(self.next - 1)
        }
    }

    pub(crate) const fn stop(&mut self) {
        self.over = true;
    }
}

/// Reads the records of one batch without holding more than the codec's window and one record. Not an `Iterator`, since
/// each record is only lent until the next one is asked for.
#[derive(Debug)]
pub struct RecordStream<'a> {
    header: BatchHeader,
    source: StreamSource<'a>,
    progress: Progress,
}

#[derive(Debug)]
enum StreamSource<'a> {
    AtHand(Slice<'a>),
    Packed { stream: Stream<'a>, record: Vec<u8> },
}

impl<'a> RecordStream<'a> {
    /// Opens the records of `batch`, the bytes of one whole batch. `max_decompressed` counts over all its records.
    ///
    /// # Errors
    /// When the header does not parse, the batch is not whole, its record count is negative, or its body does not
    /// begin as its codec asks for.
    pub fn open(batch: &'a [u8], max_decompressed: usize) -> Result<Self, BatchError> {
        let (header, codec, body) = open(batch)?;
        let source = if codec == Codec::None || header.record_count == 0 {
            StreamSource::AtHand(Slice::new(body))
        } else {
            let reader = compression::reader(codec, body, max_decompressed)?;
            StreamSource::Packed { stream: Stream::new(reader, codec), record: Vec::new() }
        };
        Ok(Self { header, source, progress: Progress::new(header.record_count) })
    }

    /// The header of the batch.
    #[must_use]
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The next record, or `None` behind the last one.
    ///
    /// # Errors
    /// As [`Records::iter`], and when the body does not decompress within the limit; then nothing more comes.
    pub fn next_record(&mut self) -> Result<Option<RecordView<'_>>, BatchError> {
        let Self { source, progress, .. } = self;
        let index = match progress.step() {
            Step::Over => return Ok(None),
            Step::Record(index) => index,
            Step::End(count) => {
                let at_end = match source {
                    StreamSource::AtHand(bytes) => bytes.is_at_end()?,
                    StreamSource::Packed { stream, .. } => stream.is_at_end()?,
                };
                return if at_end { Ok(None) } else { Err(BatchError::LeftOver(count)) };
            }
        };
        let framed = match source {
            StreamSource::AtHand(bytes) => read_record(bytes),
            StreamSource::Packed { stream, record } => read_whole(stream, record),
        };
        match framed {
            Ok(framed) => Ok(Some(RecordView::from(framed))),
            Err(trouble) => {
                progress.stop();
                Err(trouble.at(index))
            }
        }
    }
}

/// Collects one record from the stream and reads it. `record` grows only as its bytes come.
fn read_whole<'a>(stream: &mut Stream<'_>, record: &'a mut Vec<u8>) -> Result<Framed<&'a [u8]>, Trouble> {
    record.clear();
    let len = record_len(stream)?;
    while record.len() < len {
        let some = stream.some(len - record.len())?;
        if some.is_empty() {
            return Err(RecordFault::Truncated.into());
        }
        record.extend_from_slice(some);
    }
    read_fields(&mut Slice::new(record), len)
}

impl<'a> From<Framed<&'a [u8]>> for RecordView<'a> {
    fn from(framed: Framed<&'a [u8]>) -> Self {
        Self {
            offset_delta: framed.offset_delta,
            timestamp_delta: framed.timestamp_delta,
            key: framed.key,
            value: framed.value,
            headers: Headers { count: framed.header_count, bytes: framed.headers },
        }
    }
}

#[cfg(test)]
mod tests;
