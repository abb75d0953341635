//! The codecs: reading under a limit, and writing record by record.

mod lz4;
mod snappy;

use std::io::{self, Read, Write};

use flate2::write::GzEncoder;

use crate::{BatchError, Codec};

/// Reads what `body` unpacks to. Nothing is unpacked before it is asked for, and what was is forgotten once read, so
/// that memory stays at the codec's own window (zstd: at most 128 MiB, as Kafka's reader; touched only as data
/// fills it). More than `limit` bytes are an error that [`failure`] knows.
pub(crate) fn reader<'a>(
    codec: Codec,
    body: &'a [u8],
    limit: usize,
) -> Result<Box<dyn Read + 'a>, BatchError> {
    let fail = |error: io::Error| failure(codec, &error);
    Ok(match codec {
        Codec::None => Box::new(Limited::new(body, limit)),
        // Several members one behind the other are one stream, as for Java's GZIPInputStream.
        Codec::Gzip => Box::new(Limited::new(flate2::bufread::MultiGzDecoder::new(body), limit)),
        Codec::Snappy => Box::new(Limited::new(snappy::Reader::new(body, limit).map_err(fail)?, limit)),
        Codec::Lz4 => Box::new(Limited::new(lz4::Reader::new(body, true).map_err(fail)?, limit)),
        Codec::Zstd => {
            Box::new(Limited::new(zstd::stream::read::Decoder::with_buffer(body).map_err(fail)?, limit))
        }
    })
}

/// Unpacks what is no batch, such as the metrics that a client pushes. The result takes at most `limit` bytes.
///
/// # Errors
/// When `body` is not of that codec, or holds more.
pub fn unpack(codec: Codec, body: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let mut unpacked = Vec::new();
    reader(codec, body, limit)?.read_to_end(&mut unpacked).map_err(|error| failure(codec, &error))?;
    Ok(unpacked)
}

/// Unpacks the messages inside a compressed message of the formats before v2, of which `magic` is 0 or 1. Kafka has
/// written none since 4.0, but old segments hold them. The result takes at most `limit` bytes.
///
/// # Errors
/// When `body` is not of that codec, or holds more.
pub fn unpack_old(codec: Codec, magic: i8, body: &[u8], limit: usize) -> Result<Vec<u8>, BatchError> {
    let fail = |error: io::Error| failure(codec, &error);
    let mut unpacked = Vec::new();
    let mut packed = match codec {
        Codec::Lz4 => Box::new(Limited::new(lz4::Reader::new(body, magic > 0).map_err(fail)?, limit)),
        other => reader(other, body, limit)?,
    };
    packed.read_to_end(&mut unpacked).map_err(fail)?;
    Ok(unpacked)
}

/// What an error of a [`reader`] means.
pub(crate) fn failure(codec: Codec, error: &io::Error) -> BatchError {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<OverLimit>()) {
        Some(&OverLimit { limit }) => BatchError::DecompressedTooLarge { limit },
        None => BatchError::Decompression { codec, message: error.to_string() },
    }
}

#[derive(Debug, thiserror::Error)]
#[error("more than {limit} bytes")]
struct OverLimit {
    limit: usize,
}

impl OverLimit {
    fn error(limit: usize) -> io::Error {
        io::Error::other(Self { limit })
    }
}

/// Passes on at most `limit` bytes; one more is an error.
struct Limited<R> {
    inner: R,
    limit: usize,
    passed: usize,
}

impl<R> Limited<R> {
    const fn new(inner: R, limit: usize) -> Self {
        Self { inner, limit, passed: 0 }
    }
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.passed = self.passed.saturating_add(read);
        if self.passed > self.limit { Err(OverLimit::error(self.limit)) } else { Ok(read) }
    }
}

/// Packs what is written to it.
pub(crate) enum Writer {
    Plain(Vec<u8>),
    Gzip(Box<GzEncoder<Vec<u8>>>),
    Snappy(Box<snappy::Writer>),
    Lz4(lz4::Writer),
    Zstd(zstd::stream::write::Encoder<'static, Vec<u8>>),
}

/// Packing goes to memory, and a level out of range has been brought into it.
const INFALLIBLE: &str = "packing into memory does not fail";

impl Writer {
    /// A level outside the codec's range counts as the nearest one inside.
    pub(crate) fn new(codec: Codec, level: Option<i32>) -> Self {
        match codec {
            Codec::None => Self::Plain(Vec::new()),
            Codec::Gzip => Self::Gzip(Box::new(GzEncoder::new(Vec::new(), gzip_level(level)))),
            Codec::Snappy => Self::Snappy(Box::new(snappy::Writer::new())),
            Codec::Lz4 => Self::Lz4(lz4::Writer::new()),
            Codec::Zstd => {
                let levels = zstd::compression_level_range();
                let level = level.unwrap_or(3).clamp(*levels.start(), *levels.end());
                Self::Zstd(zstd::stream::write::Encoder::new(Vec::new(), level).expect(INFALLIBLE))
            }
        }
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Plain(out) => out.extend_from_slice(bytes),
            Self::Gzip(out) => out.write_all(bytes).expect(INFALLIBLE),
            Self::Snappy(out) => out.put(bytes),
            Self::Lz4(out) => out.put(bytes),
            Self::Zstd(out) => out.write_all(bytes).expect(INFALLIBLE),
        }
    }

    /// Bytes written out so far; the codec may hold more back.
    pub(crate) fn written(&self) -> usize {
        match self {
            Self::Plain(out) => out.len(),
            Self::Gzip(out) => out.get_ref().len(),
            Self::Snappy(out) => out.written(),
            Self::Lz4(out) => out.written(),
            Self::Zstd(out) => out.get_ref().len(),
        }
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(out) => out.finish().expect(INFALLIBLE),
            Self::Snappy(out) => out.finish(),
            Self::Lz4(out) => out.finish(),
            Self::Zstd(out) => out.finish().expect(INFALLIBLE),
        }
    }
}

/// Kafka's levels are 1 to 9, and -1 for the default.
fn gzip_level(level: Option<i32>) -> flate2::Compression {
    match level.map(u32::try_from) {
        Some(Ok(level)) => flate2::Compression::new(level.clamp(1, 9)),
        Some(Err(_)) | None => flate2::Compression::default(),
    }
}

#[cfg(test)]
mod tests;
