//! The framing of one record, read from bytes at hand or from a stream of which keys and values are only skipped.
//!
//! Both ways share [`read_record`], so that a batch that passes the check is one the iterator can read.

use std::io::Read;

use crate::{BatchError, Codec, RecordFault};

/// What stops a record from being read.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The record breaks a rule of its format.
    Fault(RecordFault),
    /// The bytes cannot be had.
    Unpacking(BatchError),
}

impl Trouble {
    /// The same trouble, said of the record at `index`.
    pub(crate) fn at(self, index: u32) -> BatchError {
        match self {
            Self::Fault(what) => BatchError::Record { index, what },
            Self::Unpacking(why) => why,
        }
    }
}

impl From<RecordFault> for Trouble {
    fn from(fault: RecordFault) -> Self {
        Self::Fault(fault)
    }
}

/// Where a record's bytes come from. `Span` is what is left of a stretch of them: the bytes, or nothing.
pub(crate) trait Source {
    /// What [`Self::take`] gives back.
    type Span;

    /// The next byte.
    fn byte(&mut self) -> Result<u8, Trouble>;
    /// The next `len` bytes.
    fn take(&mut self, len: usize) -> Result<Self::Span, Trouble>;
    /// From here to [`Self::end_record`] only `len` bytes may be read; reading more is a length mismatch.
    fn begin_record(&mut self, len: usize) -> Result<(), Trouble>;
    /// Bytes of the record not yet read.
    fn left_in_record(&self) -> usize;
    /// Begins a stretch that [`Self::span_since`] ends.
    fn mark(&self) -> usize;
    /// The stretch since `mark`.
    fn span_since(&self, mark: usize) -> Self::Span;
    /// Ends what [`Self::begin_record`] began: every byte of the record must have been read.
    fn end_record(&mut self) -> Result<(), Trouble>;
    /// Whether all bytes have been read; may have to ask for more to find out.
    fn is_at_end(&mut self) -> Result<bool, BatchError>;
}

/// One record's framing, with its stretches as the source gives them.
#[derive(Debug)]
pub(crate) struct Framed<S> {
    pub(crate) timestamp_delta: i64,
    pub(crate) offset_delta: i32,
    pub(crate) key: Option<S>,
    pub(crate) value: Option<S>,
    pub(crate) header_count: u32,
    /// Keys and values of the headers with their lengths; the count is not in it.
    pub(crate) headers: S,
}

/// Reads one record with its length. See [`read_fields`].
pub(crate) fn read_record<S: Source>(source: &mut S) -> Result<Framed<S::Span>, Trouble> {
    let len = record_len(source)?;
    read_fields(source, len)
}

/// The length in front of a record.
pub(crate) fn record_len<S: Source>(source: &mut S) -> Result<usize, Trouble> {
    Ok(usize::try_from(varint(source)?).map_err(|_| RecordFault::NegativeLength)?)
}

/// Reads the `len` bytes behind a record's length (Kafka: `DefaultRecord.readFrom`). A length of key or value below -1 counts as
/// null and the record's attributes are not looked at, both as in Kafka.
pub(crate) fn read_fields<S: Source>(source: &mut S, len: usize) -> Result<Framed<S::Span>, Trouble> {
    source.begin_record(len)?;
    source.byte()?;
    let timestamp_delta = varlong(source)?;
    let offset_delta = varint(source)?;
    let key = nullable(source)?;
    let value = nullable(source)?;
    let header_count = u32::try_from(varint(source)?).map_err(|_| RecordFault::HeaderCount)?;
    // A header takes two bytes at least: the lengths of its key and its value.
    if header_count as usize > source.left_in_record() / 2 {
        return Err(RecordFault::HeaderCount.into());
    }
    let mark = source.mark();
    for _ in 0..header_count {
        nullable(source)?.ok_or(RecordFault::NullHeaderKey)?;
        nullable(source)?;
    }
    let headers = source.span_since(mark);
    source.end_record()?;
    Ok(Framed { timestamp_delta, offset_delta, key, value, header_count, headers })
}

/// A length and that many bytes; a negative length is null.
pub(crate) fn nullable<S: Source>(source: &mut S) -> Result<Option<S::Span>, Trouble> {
    match usize::try_from(varint(source)?) {
        Ok(len) => source.take(len).map(Some),
        Err(_) => Ok(None),
    }
}

/// A zigzag number of 32 bits in at most five bytes. What the fifth has beyond 32 bits is dropped, as in Kafka.
#[inline]
pub(crate) fn varint<S: Source>(source: &mut S) -> Result<i32, Trouble> {
    let mut raw: u32 = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = source.byte()?;
        raw |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((raw >> 1) as i32 ^ -((raw & 1) as i32));
        }
    }
    Err(RecordFault::EndlessVarint.into())
}

/// A zigzag number of 64 bits in at most ten bytes. What the tenth has beyond 64 bits is dropped, as in Kafka.
#[inline]
pub(crate) fn varlong<S: Source>(source: &mut S) -> Result<i64, Trouble> {
    let mut raw: u64 = 0;
    for shift in (0..64).step_by(7) {
        let byte = source.byte()?;
        raw |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok((raw >> 1) as i64 ^ -((raw & 1) as i64));
        }
    }
    Err(RecordFault::EndlessVarint.into())
}

/// Writes what [`varint`] and [`varlong`] read, in as few bytes as possible, and says in how many. (A 32-bit number
/// zigzags to the same bytes as the equal 64-bit one.)
pub(crate) fn put_varlong(out: &mut [u8; 10], value: i64) -> usize {
    let mut raw = ((value << 1) ^ (value >> 63)) as u64;
    let mut at = 0;
    while raw >= 0x80 {
        out[at] = raw as u8 | 0x80;
        raw >>= 7;
        at += 1;
    }
    out[at] = raw as u8;
    at + 1
}

/// Bytes that [`put_varlong`] writes for `value`.
pub(crate) const fn varlong_len(value: i64) -> usize {
    let raw = ((value << 1) ^ (value >> 63)) as u64;
    (70 - (raw | 1).leading_zeros() as usize) / 7
}

/// Bytes at hand.
#[derive(Clone, Debug)]
pub(crate) struct Slice<'a> {
    bytes: &'a [u8],
    at: usize,
    record_end: Option<usize>,
}

impl<'a> Slice<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, record_end: None }
    }

    fn end(&self) -> (usize, RecordFault) {
        match self.record_end {
            Some(end) => (end, RecordFault::LengthMismatch),
            None => (self.bytes.len(), RecordFault::Truncated),
        }
    }
}

impl<'a> Source for Slice<'a> {
    type Span = &'a [u8];

    #[inline]
    fn byte(&mut self) -> Result<u8, Trouble> {
        let (end, fault) = self.end();
        if self.at == end {
            return Err(fault.into());
        }
        let byte = self.bytes[self.at];
        self.at += 1;
        Ok(byte)
    }

    #[inline]
    fn take(&mut self, len: usize) -> Result<&'a [u8], Trouble> {
        let (end, fault) = self.end();
        if len > end - self.at {
            return Err(fault.into());
        }
        let span = &self.bytes[self.at..self.at + len];
        self.at += len;
        Ok(span)
    }

    fn begin_record(&mut self, len: usize) -> Result<(), Trouble> {
        if len > self.bytes.len() - self.at {
            return Err(RecordFault::Truncated.into());
        }
        self.record_end = Some(self.at + len);
        Ok(())
    }

    fn left_in_record(&self) -> usize {
        self.end().0 - self.at
    }

    fn mark(&self) -> usize {
        self.at
    }

    fn span_since(&self, mark: usize) -> &'a [u8] {
        &self.bytes[mark..self.at]
    }

    fn end_record(&mut self) -> Result<(), Trouble> {
        if self.left_in_record() != 0 {
            return Err(RecordFault::LengthMismatch.into());
        }
        self.record_end = None;
        Ok(())
    }

    fn is_at_end(&mut self) -> Result<bool, BatchError> {
        Ok(self.at == self.bytes.len())
    }
}

/// A stream through a small window: of a record only its numbers are seen, its stretches are skipped.
pub(crate) struct Stream<'a> {
    reader: Box<dyn Read + 'a>,
    codec: Codec,
    window: Box<[u8]>,
    at: usize,
    filled: usize,
    left_in_record: Option<usize>,
}

/// Bytes of the window through which a stream is read.
const WINDOW: usize = 16 * 1024;

impl std::fmt::Debug for Stream<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl<'a> Stream<'a> {
    pub(crate) fn new(reader: Box<dyn Read + 'a>, codec: Codec) -> Self {
        Self { reader, codec, window: vec![0; WINDOW].into(), at: 0, filled: 0, left_in_record: None }
    }

    /// The bytes in the window, at most `len`; at least one unless the stream has ended or `len` is 0.
    pub(crate) fn some(&mut self, len: usize) -> Result<&[u8], Trouble> {
        if self.at == self.filled && len > 0 && !self.refill().map_err(Trouble::Unpacking)? {
            return Ok(&[]);
        }
        let some = len.min(self.filled - self.at);
        self.at += some;
        Ok(&self.window[self.at - some..self.at])
    }

    /// Reads on into the empty window; `false` at the end of the stream.
    fn refill(&mut self) -> Result<bool, BatchError> {
        self.at = 0;
        self.filled = 0;
        self.filled = self
            .reader
            .read(&mut self.window)
            .map_err(|error| crate::compression::failure(self.codec, &error))?;
        Ok(self.filled > 0)
    }

    fn count(&mut self, len: usize) -> Result<(), Trouble> {
        if let Some(left) = &mut self.left_in_record {
            *left = left.checked_sub(len).ok_or(RecordFault::LengthMismatch)?;
        }
        Ok(())
    }
}

impl Source for Stream<'_> {
    type Span = ();

    #[inline]
    fn byte(&mut self) -> Result<u8, Trouble> {
        self.count(1)?;
        if self.at == self.filled && !self.refill().map_err(Trouble::Unpacking)? {
            return Err(RecordFault::Truncated.into());
        }
        self.at += 1;
        Ok(self.window[self.at - 1])
    }

    fn take(&mut self, len: usize) -> Result<(), Trouble> {
        self.count(len)?;
        let mut left = len;
        while left > 0 {
            match self.some(left)?.len() {
                0 => return Err(RecordFault::Truncated.into()),
                some => left -= some,
            }
        }
        Ok(())
    }

    fn begin_record(&mut self, len: usize) -> Result<(), Trouble> {
        self.left_in_record = Some(len);
        Ok(())
    }

    fn left_in_record(&self) -> usize {
        self.left_in_record.unwrap_or_default()
    }

    fn mark(&self) -> usize {
        0
    }

    fn span_since(&self, _mark: usize) {}

    fn end_record(&mut self) -> Result<(), Trouble> {
        if self.left_in_record.take() != Some(0) {
            return Err(RecordFault::LengthMismatch.into());
        }
        Ok(())
    }

    fn is_at_end(&mut self) -> Result<bool, BatchError> {
        Ok(self.at == self.filled && !self.refill()?)
    }
}

#[cfg(test)]
mod tests;
