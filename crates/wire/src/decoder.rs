//! Reading: a cursor over the bytes of one message, and what can be wrong with them.
//!
//! Every length is a claim. A claim is compared with the bytes that are left before anything is reserved or cut.

use std::mem::size_of;

use bytes::{Buf, Bytes};
use uuid::Uuid;

use crate::field::{Field, Layout};

/// The most memory, in bytes, that the elements of all lists of one message may take once decoded: 64 MiB.
///
/// An empty string is one byte in a frame and some 30 in memory, so that a frame of the largest allowed size could
/// otherwise take 25 times its size. No honest message comes near: a Fetch of a million partitions takes 56 MB.
pub const LIST_MEMORY_LIMIT: usize = 64 << 20;

/// Why bytes are not the message they should be, and in which field.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", in_field(.field))]
pub struct DecodeError {
    /// The path to the field in Kafka's spelling, such as `topicData.partitionData.index`; empty for the message
    /// itself.
    pub field: String,
    /// What is wrong there.
    pub fault: DecodeFault,
}

fn in_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(" (in {field})") }
}

/// What can be wrong with the bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeFault {
    /// The message ends within a number.
    #[error("{needed} more bytes are needed and {left} are left")]
    TooShort {
        /// Bytes that the number takes.
        needed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// Text, bytes or a tagged field claim more bytes than there are left.
    #[error("{claimed} bytes are claimed and {left} are left")]
    BytesBeyondFrame {
        /// The claimed number of bytes.
        claimed: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// A list claims more elements than the bytes that are left can hold.
    #[error("a list claims {claimed} elements and the {left} bytes that are left hold at most {fits}")]
    LengthBeyondFrame {
        /// The claimed number of elements.
        claimed: usize,
        /// How many elements of the smallest size would fit.
        fits: usize,
        /// Bytes that are left.
        left: usize,
    },
    /// The lists of the message would take more memory than [`LIST_MEMORY_LIMIT`].
    #[error("its lists would take more than {LIST_MEMORY_LIMIT} bytes of memory")]
    ListsTooLarge,
    /// A length below -1, or one of -1 (null) beyond what the varint encoding allows.
    #[error("a length of {0}")]
    BadLength(i64),
    /// A string longer than 32767 bytes, the most that Kafka accepts in any encoding.
    #[error("a string of {0} bytes is longer than 32767")]
    StringTooLong(usize),
    /// An unsigned varint that does not fit 32 bits.
    #[error("a varint does not end within 32 bits")]
    VarintTooLong,
    /// Text that is not UTF-8.
    #[error("text is not UTF-8")]
    NotUtf8,
    /// Null where the version does not allow it.
    #[error("null where a value is required")]
    UnexpectedNull,
    /// A tagged field that is known, but not at this version.
    #[error("tag {tag} is not valid at version {version}")]
    TagNotInVersion {
        /// The tag.
        tag: u32,
        /// The version of the message.
        version: i16,
    },
    /// A tagged field whose content ends before its size says.
    #[error("a tagged field ends {left} bytes before its size says")]
    TagSize {
        /// Bytes of the tagged field that its content did not take.
        left: usize,
    },
    /// The message does not exist at this version.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// Name of the message.
        message: &'static str,
        /// The version that was asked for.
        version: i16,
    },
    /// An API key that Kafka does not know.
    #[error("unknown API key {0}")]
    UnknownApiKey(i16),
    /// Bytes after the end of a record ([`crate::decode_exact`]).
    #[error("{0} bytes are left over after the message")]
    LeftOver(usize),
}

impl From<DecodeFault> for DecodeError {
    fn from(fault: DecodeFault) -> Self {
        Self { field: String::new(), fault }
    }
}

impl DecodeError {
    /// The same error, seen from the struct that holds `field`.
    #[must_use]
    pub fn within(mut self, field: &'static str) -> Self {
        self.field = if self.field.is_empty() { field.to_owned() } else { format!("{field}.{}", self.field) };
        self
    }
}

/// A cursor over the bytes of one message.
#[derive(Debug)]
pub struct Decoder {
    bytes: Bytes,
    /// What is left of [`LIST_MEMORY_LIMIT`].
    list_memory: usize,
    /// Whether the fault of a list that cannot hold its elements is where the bytes end.
    reads_on: bool,
}

macro_rules! numbers {
    ($($name:ident: $number:ty = $get:ident, $what:literal;)*) => {$(
        #[doc = concat!("Reads ", $what, ", big endian.")]
        ///
        /// # Errors
        /// [`DecodeFault::TooShort`].
        #[inline]
        pub fn $name(&mut self) -> Result<$number, DecodeError> {
            self.needs(size_of::<$number>())?;
            Ok(self.bytes.$get())
        }
    )*};
}

impl Decoder {
    /// A cursor at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: Bytes) -> Self {
        Self { bytes, list_memory: LIST_MEMORY_LIMIT, reads_on: false }
    }

    /// As [`Decoder::new`], for who tells people what is wrong with the bytes: a list that claims more elements than
    /// fit, but no more than there are bytes, is read until the bytes end, as Kafka does. What is found there is the
    /// fault.
    #[must_use]
    pub const fn reading_on(bytes: Bytes) -> Self {
        Self { bytes, list_memory: LIST_MEMORY_LIMIT, reads_on: true }
    }

    /// Bytes that have not been read yet.
    #[must_use]
    pub fn remaining(&self) -> usize {
        self.bytes.len()
    }

    /// What has not been read yet.
    #[must_use]
    pub fn into_rest(self) -> Bytes {
        self.bytes
    }

    #[inline]
    fn needs(&self, needed: usize) -> Result<(), DecodeError> {
        let left = self.bytes.len();
        if needed > left { Err(DecodeFault::TooShort { needed, left }.into()) } else { Ok(()) }
    }

    numbers! {
        i8: i8 = get_i8, "a signed byte";
        i16: i16 = get_i16, "a signed number of 16 bits";
        u16: u16 = get_u16, "an unsigned number of 16 bits";
        i32: i32 = get_i32, "a signed number of 32 bits";
        u32: u32 = get_u32, "an unsigned number of 32 bits";
        i64: i64 = get_i64, "a signed number of 64 bits";
        f64: f64 = get_f64, "an IEEE 754 number of 64 bits";
    }

    /// Reads an id of 16 bytes.
    ///
    /// # Errors
    /// [`DecodeFault::TooShort`].
    pub fn uuid(&mut self) -> Result<Uuid, DecodeError> {
        self.needs(16)?;
        Ok(Uuid::from_u128(self.bytes.get_u128()))
    }

    /// Reads an unsigned varint: seven bits a byte, the lowest first, at most five bytes.
    ///
    /// # Errors
    /// [`DecodeFault::TooShort`], or [`DecodeFault::VarintTooLong`] when it does not fit 32 bits.
    #[inline]
    pub fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let mut number = 0;
        for shift in [0, 7, 14, 21, 28] {
            self.needs(1)?;
            let byte = self.bytes.get_u8();
            if shift == 28 && byte > 0x0f {
                break;
            }
            number |= u32::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(DecodeFault::VarintTooLong.into())
    }

    /// Cuts off the next `len` bytes, shared with the frame.
    ///
    /// # Errors
    /// [`DecodeFault::BytesBeyondFrame`].
    #[inline]
    pub fn take(&mut self, len: usize) -> Result<Bytes, DecodeError> {
        let left = self.bytes.len();
        if len > left {
            return Err(DecodeFault::BytesBeyondFrame { claimed: len, left }.into());
        }
        Ok(self.bytes.split_to(len))
    }

    /// Reads the length before a string, bytes or a list; `None` is null. Compact (length plus one, as an unsigned
    /// varint) in flexible versions, else a number that `plain` reads.
    pub(crate) fn length(
        &mut self,
        layout: Layout,
        plain: impl FnOnce(&mut Self) -> Result<i64, DecodeError>,
    ) -> Result<Option<usize>, DecodeError> {
        let length = if layout.is_flexible() { i64::from(self.unsigned_varint()?) - 1 } else { plain(self)? };
        match usize::try_from(length) {
            Ok(length) => Ok(Some(length)),
            Err(_) if length == -1 => Ok(None),
            Err(_) => Err(DecodeFault::BadLength(length).into()),
        }
    }

    /// Reads `claimed` elements.
    pub(crate) fn list<T: Field>(&mut self, claimed: usize, layout: Layout) -> Result<Vec<T>, DecodeError> {
        let mut list = self.reserve(claimed, layout)?;
        for _ in 0..claimed {
            list.push(T::read(self, layout)?);
        }
        Ok(list)
    }

    /// An empty list for `claimed` elements, if they can be there. It reserves at most as much memory as there are
    /// bytes left; beyond that it grows with what is really read.
    fn reserve<T: Field>(&mut self, claimed: usize, layout: Layout) -> Result<Vec<T>, DecodeError> {
        let left = self.remaining();
        let fits = left / T::smallest(layout).max(1);
        if claimed > fits {
            if self.reads_on && claimed <= left {
                (0..claimed).try_for_each(|_| T::read(self, layout).map(drop))?;
            }
            return Err(DecodeFault::LengthBeyondFrame { claimed, fits, left }.into());
        }
        let memory = claimed.saturating_mul(size_of::<T>());
        self.list_memory = self.list_memory.checked_sub(memory).ok_or(DecodeFault::ListsTooLarge)?;
        Ok(Vec::with_capacity(claimed.min(self.remaining() / size_of::<T>().max(1))))
    }

    /// Reads tag and size of a tagged field and cuts off its content. For the code that `#[derive(Message)]` writes.
    ///
    /// # Errors
    /// [`DecodeFault::TooShort`], [`DecodeFault::VarintTooLong`], [`DecodeFault::BytesBeyondFrame`].
    pub fn tagged(&mut self) -> Result<(u32, Self), DecodeError> {
        let tag = self.unsigned_varint()?;
        let size = self.unsigned_varint()? as usize;
        Ok((tag, Self { bytes: self.take(size)?, list_memory: self.list_memory, reads_on: self.reads_on }))
    }

    /// Ends the reading of a tagged field. For the code that `#[derive(Message)]` writes.
    ///
    /// # Errors
    /// [`DecodeFault::TagSize`] when the content did not take all of its size.
    pub fn tagged_end(&mut self, content: &Self) -> Result<(), DecodeError> {
        self.list_memory = content.list_memory;
        match content.remaining() {
            0 => Ok(()),
            left => Err(DecodeFault::TagSize { left }.into()),
        }
    }
}

#[cfg(test)]
mod tests;
