//! LZ4 frames as Kafka writes and reads them (Kafka: `Lz4BlockOutputStream`, `Lz4BlockInputStream`).
//!
//! The blocks are the library's business; the frame around them is read here, so that exactly the frames pass that
//! Kafka's consumers can read: version 1, blocks independent of each other, no dictionary, a right header checksum,
//! an end mark. What follows the end mark is not looked at, nor is the content checksum, both as in Kafka.

use std::io::{self, Read};

use twox_hash::XxHash32;

const MAGIC: u32 = 0x184D_2204;
/// Version 1, blocks independent, no checksums, no content size.
const FLAGS: u8 = 0b0110_0000;
/// Blocks of at most 64 KiB.
const BLOCK_DESCRIPTOR: u8 = 4 << 4;
const BLOCK_SIZE: usize = 64 * 1024;
/// Set in the size of a block that is stored as it is.
const STORED: u32 = 0x8000_0000;
/// One byte of a block stands for at most 255 bytes (a run length goes on in bytes of 255), and the first few for some more.
const MAX_EXPANSION: usize = 255;

fn invalid(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why.into())
}

fn checksum(bytes: &[u8]) -> u32 {
    XxHash32::oneshot(0, bytes)
}

/// Unpacks one frame, a block at a time.
pub(crate) struct Reader<'a> {
    input: &'a [u8],
    max_block: usize,
    block_checksums: bool,
    content_checksum: bool,
    block: Vec<u8>,
    at: usize,
    filled: usize,
    ended: bool,
}

impl<'a> Reader<'a> {
    /// `checked`: whether the header's checksum must be right. Before message format 1 Kafka's own was not (KAFKA-3160).
    pub(crate) fn new(mut input: &'a [u8], checked: bool) -> io::Result<Self> {
        if u32_le(&mut input)? != MAGIC {
            return Err(invalid("this is no LZ4 frame"));
        }
        let whole = input;
        let [flags, descriptor] = *take(&mut input, 2)? else {
            return Err(invalid("the frame ends within its header"));
        };
        // Bit by bit as Kafka's FLG and BD: version, independence, then what must be zero.
        if flags >> 6 != 1 {
            return Err(invalid("the frame's version is not 1"));
        }
        if flags & 0b10_0000 == 0 {
            return Err(invalid("the frame's blocks depend on each other"));
        }
        if flags & 0b11 != 0 || descriptor & 0b1000_1111 != 0 {
            return Err(invalid("the frame's header has reserved bits set"));
        }
        let max_block = match descriptor >> 4 {
            4 => 64 * 1024,
            5 => 256 * 1024,
            6 => 1024 * 1024,
            7 => 4 * 1024 * 1024,
            other => {
                return Err(invalid(format!("the frame has the block size {other}, which does not exist")));
            }
        };
        if flags & 0b1000 != 0 {
            take(&mut input, 8)?;
        }
        let described = whole.len() - input.len();
        let [stated] = *take(&mut input, 1)? else {
            return Err(invalid("the frame ends within its header"));
        };
        if checked && stated != (checksum(&whole[..described]) >> 8) as u8 {
            return Err(invalid("the frame's header does not match its checksum"));
        }
        Ok(Self {
            input,
            max_block,
            block_checksums: flags & 0b1_0000 != 0,
            content_checksum: flags & 0b100 != 0,
            block: Vec::new(),
            at: 0,
            filled: 0,
            ended: false,
        })
    }

    fn next_block(&mut self) -> io::Result<()> {
        let size = u32_le(&mut self.input)?;
        let stored = size & STORED != 0;
        let size = (size & !STORED) as usize;
        if size == 0 {
            if self.content_checksum {
                take(&mut self.input, 4)?;
            }
            self.ended = true;
            return Ok(());
        }
        if size > self.max_block {
            return Err(invalid(format!(
                "a block takes {size} bytes, more than the frame's {}",
                self.max_block
            )));
        }
        let packed = take(&mut self.input, size)?;
        if self.block_checksums && u32_le(&mut self.input)? != checksum(packed) {
            return Err(invalid("a block does not match its checksum"));
        }
        let most = if stored { size } else { self.max_block.min(size.saturating_mul(MAX_EXPANSION) + 64) };
        if self.block.len() < most {
            self.block.resize(most, 0);
        }
        self.at = 0;
        self.filled = if stored {
            self.block[..size].copy_from_slice(packed);
            size
        } else {
            let limit = most.max(self.block.len().min(self.max_block));
            lz4_flex::block::decompress_into(packed, &mut self.block[..limit])
                .map_err(|error| invalid(error.to_string()))?
        };
        Ok(())
    }
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.filled && !self.ended {
            self.next_block()?;
        }
        let some = buffer.len().min(self.filled - self.at);
        buffer[..some].copy_from_slice(&self.block[self.at..self.at + some]);
        self.at += some;
        Ok(some)
    }
}

fn take<'a>(input: &mut &'a [u8], len: usize) -> io::Result<&'a [u8]> {
    let (taken, rest) = input.split_at_checked(len).ok_or_else(|| invalid("the frame ends too early"))?;
    *input = rest;
    Ok(taken)
}

fn u32_le(input: &mut &[u8]) -> io::Result<u32> {
    match *take(input, 4)? {
        [a, b, c, d] => Ok(u32::from_le_bytes([a, b, c, d])),
        _ => Err(invalid("the frame ends too early")),
    }
}

/// Packs into one frame of independent blocks of 64 KiB, without checksums. There is one level: Kafka's levels above
/// its fast one are not in the library.
pub(crate) struct Writer {
    out: Vec<u8>,
    pending: Vec<u8>,
}

impl Writer {
    pub(crate) fn new() -> Self {
        let mut out = MAGIC.to_le_bytes().to_vec();
        out.extend([FLAGS, BLOCK_DESCRIPTOR]);
        out.push((checksum(&[FLAGS, BLOCK_DESCRIPTOR]) >> 8) as u8);
        Self { out, pending: Vec::new() }
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
        self.out.extend(0_u32.to_le_bytes());
        self.out
    }

    fn end_block(&mut self) {
        if self.pending.is_empty() {
            return;
        }
        let packed = lz4_flex::block::compress(&self.pending);
        let (size, block) = if packed.len() < self.pending.len() {
            (packed.len() as u32, &packed)
        } else {
            (self.pending.len() as u32 | STORED, &self.pending)
        };
        self.out.extend(size.to_le_bytes());
        self.out.extend_from_slice(block);
        self.pending.clear();
    }
}
