//! Why bytes are not a record batch, or not the records of one.

use crate::Codec;

/// What is wrong with the bytes of a batch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError {
    /// The bytes end before the header or the batch does.
    #[error("a batch of {needed} bytes was expected, but there are only {got}")]
    Truncated {
        /// Bytes that the header, or the length in it, asks for.
        needed: usize,
        /// Bytes at hand.
        got: usize,
    },
    /// The batch is of another format than v2.
    #[error("the batch has magic {0}; only magic 2 is read")]
    Magic(i8),
    /// The batch length is too small for a header.
    #[error("the batch length {0} is smaller than the 49 bytes that a header alone takes")]
    Length(i32),
    /// The codec bits name none that exists.
    #[error("the batch names the codec {0}, which does not exist")]
    UnknownCodec(u8),
    /// The header says that fewer than no records follow.
    #[error("the batch claims {0} records")]
    RecordCount(i32),
    /// A record is not what its format asks for.
    #[error("record {index} is malformed: {what}")]
    Record {
        /// The record's position in the batch, from 0.
        index: u32,
        /// The rule it breaks.
        what: RecordFault,
    },
    /// Bytes follow behind the last record that the header counts.
    #[error("bytes are left over behind the {0} records that the batch claims")]
    LeftOver(i32),
    /// The compressed block is not one of its codec.
    #[error("the records do not decompress as {codec}: {message}")]
    Decompression {
        /// The codec that the attributes name.
        codec: Codec,
        /// What the decompressor says.
        message: String,
    },
    /// The records take more room once decompressed than is allowed; reading stopped there.
    #[error("the records take more than {limit} bytes once decompressed")]
    DecompressedTooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
}

/// The rule of the record format (KIP-98, KIP-82) that a record breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum RecordFault {
    /// The bytes end within it.
    #[error("the bytes end within it")]
    Truncated,
    /// A number goes on past its last byte (5 for 32 bits, 10 for 64).
    #[error("a variable-length number does not end")]
    EndlessVarint,
    /// Its length is negative.
    #[error("its length is negative")]
    NegativeLength,
    /// Its fields take more or fewer bytes than its length says.
    #[error("its fields do not add up to its length")]
    LengthMismatch,
    /// Its header count is negative, or larger than the bytes left could hold.
    #[error("its header count does not fit its bytes")]
    HeaderCount,
    /// A header has no key.
    #[error("a header has no key")]
    NullHeaderKey,
}
