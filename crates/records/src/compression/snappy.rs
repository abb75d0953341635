//! Snappy as Kafka writes and reads it: blocks in the framing of snappy-java (`SnappyOutputStream`,
//! `SnappyInputStream`), or one bare block, which is what librdkafka sends.

use std::io::{self, Read};

use super::OverLimit;

/// What a framed stream begins with.
const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Magic, i32 version, i32 oldest version that can read it.
const HEADER_LEN: usize = 16;
/// A block length that is in truth the beginning of another header: streams may stand one behind the other.
const HEADER_HEAD: i32 = i32::from_be_bytes([0x82, b'S', b'N', b'A']);
/// Bytes that snappy-java packs into one block.
const BLOCK_SIZE: usize = 32 * 1024;
/// Three bytes of a block stand for at most 64: what a block claims beyond that is not true, and not reserved.
const MAX_EXPANSION: usize = 22;

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

/// Unpacks block by block.
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    limit: usize,
    bare: bool,
    block: Vec<u8>,
    at: usize,
    filled: usize,
}

impl<'a> Reader<'a> {
    /// One block that claims more than `limit` bytes is refused before they are reserved.
    pub(crate) fn new(input: &'a [u8], limit: usize) -> io::Result<Self> {
        let reader = |input, bare| Self { input, limit, bare, block: Vec::new(), at: 0, filled: 0 };
        if input.is_empty() {
            return Err(invalid("there is nothing to unpack"));
        }
        match input.split_first_chunk::<HEADER_LEN>() {
            Some((header, blocks)) if header.starts_with(&MAGIC) => {
                let version = i32::from_be_bytes([header[8], header[9], header[10], header[11]]);
                if version < 1 {
                    return Err(invalid(format!("the stream has the version {version}; at least 1 is read")));
                }
                Ok(reader(blocks, false))
            }
            _ => Ok(reader(input, true)),
        }
    }

    /// Unpacks the next block; `false` when there is none.
    fn next_block(&mut self) -> io::Result<bool> {
        let packed = if self.bare {
            std::mem::take(&mut self.input)
        } else {
            match self.framed_block()? {
                Some(packed) => packed,
                None => return Ok(false),
            }
        };
        if packed.is_empty() {
            return if self.bare { Ok(false) } else { Err(invalid("a block takes no bytes")) };
        }
        let claimed = snap::raw::decompress_len(packed).map_err(|error| invalid(error.to_string()))?;
        if claimed > packed.len().saturating_mul(MAX_EXPANSION) {
            return Err(invalid(format!("a block of {} bytes claims to unpack to {claimed}", packed.len())));
        }
        if claimed > self.limit {
            return Err(OverLimit::error(self.limit));
        }
        if self.block.len() < claimed {
            self.block.resize(claimed, 0);
        }
        self.at = 0;
        self.filled = snap::raw::Decoder::new()
            .decompress(packed, &mut self.block[..claimed])
            .map_err(|error| invalid(error.to_string()))?;
        Ok(true)
    }

    /// The next block of a framed stream. Fewer bytes than a length takes are the end of it, as for snappy-java.
    fn framed_block(&mut self) -> io::Result<Option<&'a [u8]>> {
        loop {
            let Some((&length, rest)) = self.input.split_first_chunk::<4>() else {
                return Ok(None);
            };
            self.input = rest;
            let length = i32::from_be_bytes(length);
            if length == HEADER_HEAD {
                let Some((_, blocks)) = self.input.split_at_checked(HEADER_LEN - 4) else {
                    return Ok(None);
                };
                self.input = blocks;
                continue;
            }
            let length =
                usize::try_from(length).map_err(|_| invalid(format!("a block has the length {length}")))?;
            let Some((packed, rest)) = self.input.split_at_checked(length) else {
                return Err(invalid(format!("a block of {length} bytes ends after {}", self.input.len())));
            };
            self.input = rest;
            return Ok(Some(packed));
        }
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.filled {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let some = buffer.len().min(self.filled - self.at);
        buffer[..some].copy_from_slice(&self.block[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

/// Packs into framed blocks of 32 KiB.
pub(crate) struct Writer {
    out: Vec<u8>,
    pending: Vec<u8>,
    encoder: snap::raw::Encoder,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let mut out = MAGIC.to_vec();
        out.extend(1_i32.to_be_bytes());
        out.extend(1_i32.to_be_bytes());
        Self { out, pending: Vec::new(), encoder: snap::raw::Encoder::new() }
    }

    pub(crate) fn put(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let fits = bytes.len().min(BLOCK_SIZE - self.pending.len());
            self.pending.extend_from_slice(&bytes[..fits]);
            bytes = &bytes[fits..];
            if self.pending.len() == BLOCK_SIZE {
                self.end_block();
            }
        }
    }

    pub(crate) fn written(&self) -> usize {
        self.out.len()
    }

    pub(crate) fn finish(mut self) -> Vec<u8> {
        self.end_block();
        self.out
    }

    fn end_block(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let packed =
            self.encoder.compress_vec(&self.pending).expect("a block of 32 KiB is within snappy's limit");
        self.out.extend((packed.len() as i32).to_be_bytes());
        self.out.extend_from_slice(&packed);
        self.pending.clear();
    }
}
