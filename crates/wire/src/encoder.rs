//! Writing: what has been encoded so far, as a list of segments.

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

/// From this size on, in bytes, a byte field becomes a segment of its own instead of being copied: 4 KiB.
///
/// Below it, copying costs less than one more entry in a vectored write.
pub const SHARED_FROM: usize = 4096;

/// A piece of an encoded message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes that lie elsewhere, as a [`crate::Payload::External`] said.
    External {
        /// How many bytes.
        len: u32,
        /// Which ones: a number that only the writer of the message understands.
        slot: u32,
    },
}

impl Segment {
    /// Bytes that this piece takes in the frame.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::External { len, .. } => *len as usize,
        }
    }

    /// Whether this piece takes no bytes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Why a message cannot be written at a version. Always a mistake of the one who built the message.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{fault}{}", in_field(.field))]
pub struct EncodeError {
    /// The path to the field in Kafka's spelling; empty for the message itself.
    pub field: String,
    /// What is wrong there.
    pub fault: EncodeFault,
}

fn in_field(field: &str) -> String {
    if field.is_empty() { String::new() } else { format!(" (in {field})") }
}

/// What can keep a message from being written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EncodeFault {
    /// The message does not exist at this version.
    #[error("{message} has no version {version}")]
    UnsupportedVersion {
        /// Name of the message.
        message: &'static str,
        /// The version that was asked for.
        version: i16,
    },
    /// The field is set, does not exist at this version, and may not be left out in silence (Kafka: not `ignorable`).
    #[error("a value other than the default does not exist at version {version}")]
    NotInVersion {
        /// The version that was asked for.
        version: i16,
    },
    /// Null where the version does not allow it.
    #[error("null where a value is required")]
    UnexpectedNull,
    /// A string longer than 32767 bytes.
    #[error("a string of {0} bytes is longer than 32767")]
    StringTooLong(usize),
    /// Bytes or a list longer than 2147483647.
    #[error("a length of {0} is more than 2147483647")]
    TooLong(usize),
    /// A [`crate::Payload::External`] within a tagged field, or in a message that must be one run of bytes.
    #[error("bytes from a file cannot stand here")]
    ExternalHere,
}

impl From<EncodeFault> for EncodeError {
    fn from(fault: EncodeFault) -> Self {
        Self { field: String::new(), fault }
    }
}

impl EncodeError {
    /// The same error, seen from the struct that holds `field`.
    #[must_use]
    pub fn within(mut self, field: &'static str) -> Self {
        self.field = if self.field.is_empty() { field.to_owned() } else { format!("{field}.{}", self.field) };
        self
    }
}

/// Collects the segments of a message.
#[derive(Debug, Default)]
pub struct Encoder {
    /// Finished segments.
    segments: Vec<Segment>,
    /// Bytes in `segments`.
    finished: usize,
    /// The segment being written.
    open: BytesMut,
    /// Where an answer's `throttle_time_ms` stands.
    throttle_time_at: Option<usize>,
    /// How many tagged fields we are in. Their size comes first, so within them everything is copied.
    in_tags: u32,
}

macro_rules! numbers {
    ($($name:ident: $number:ty = $put:ident;)*) => {$(
        #[doc = concat!("Writes an `", stringify!($number), "`, big endian.")]
        #[inline]
        pub fn $name(&mut self, number: $number) {
            self.open.$put(number);
        }
    )*};
}

impl Encoder {
    /// An empty encoder.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty encoder with room for `bytes` bytes of what is not shared.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self { open: BytesMut::with_capacity(bytes), ..Self::default() }
    }

    /// Bytes written so far, those that lie elsewhere included.
    #[must_use]
    pub fn len(&self) -> usize {
        self.finished + self.open.len()
    }

    /// Notes that the next field is the answer's `throttle_time_ms`.
    pub fn note_throttle_time(&mut self) {
        self.throttle_time_at = Some(self.len());
    }

    /// Where the four bytes of the answer's `throttle_time_ms` stand, if it has them at this version. How long a client has
    /// to wait is known only when its answer is.
    #[must_use]
    pub const fn throttle_time_at(&self) -> Option<usize> {
        self.throttle_time_at
    }

    /// Whether nothing has been written.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What was written, in order. No segment is empty.
    #[must_use]
    pub fn finish(mut self) -> Vec<Segment> {
        self.close_open();
        self.segments
    }

    /// What was written, as one run of bytes; copies when there is more than one segment.
    ///
    /// # Errors
    /// [`EncodeFault::ExternalHere`] when some of it lies elsewhere.
    pub fn into_bytes(self) -> Result<Bytes, EncodeError> {
        let len = self.len();
        let mut segments = self.finish();
        if let [Segment::Bytes(only)] = segments.as_mut_slice() {
            return Ok(std::mem::take(only));
        }
        let mut all = BytesMut::with_capacity(len);
        for segment in segments {
            match segment {
                Segment::Bytes(bytes) => all.extend_from_slice(&bytes),
                Segment::External { .. } => return Err(EncodeFault::ExternalHere.into()),
            }
        }
        Ok(all.freeze())
    }

    numbers! {
        i8: i8 = put_i8;
        i16: i16 = put_i16;
        u16: u16 = put_u16;
        i32: i32 = put_i32;
        u32: u32 = put_u32;
        i64: i64 = put_i64;
        f64: f64 = put_f64;
    }

    /// Writes an id of 16 bytes.
    #[inline]
    pub fn uuid(&mut self, id: Uuid) {
        self.open.extend_from_slice(id.as_bytes());
    }

    /// Writes an unsigned varint: seven bits a byte, the lowest first.
    #[inline]
    pub fn unsigned_varint(&mut self, number: u32) {
        let (bytes, len) = varint(number);
        self.open.extend_from_slice(&bytes[..len]);
    }

    /// Copies `bytes`.
    #[inline]
    pub fn copy(&mut self, bytes: &[u8]) {
        self.open.extend_from_slice(bytes);
    }

    /// Writes `bytes`: shared from [`SHARED_FROM`] on, else copied.
    pub fn share(&mut self, bytes: &Bytes) {
        if bytes.len() < SHARED_FROM || self.in_tags > 0 {
            self.copy(bytes);
        } else {
            self.push(Segment::Bytes(bytes.clone()));
        }
    }

    /// Leaves a place for `len` bytes that lie elsewhere.
    ///
    /// # Errors
    /// [`EncodeFault::ExternalHere`] within a tagged field.
    pub fn external(&mut self, len: u32, slot: u32) -> Result<(), EncodeError> {
        if self.in_tags > 0 {
            return Err(EncodeFault::ExternalHere.into());
        }
        if len > 0 {
            self.push(Segment::External { len, slot });
        }
        Ok(())
    }

    /// Writes a tagged field: its tag, the size of its content, and what `content` writes. For the code that
    /// `#[derive(Message)]` writes.
    ///
    /// # Errors
    /// Those of `content`, and [`EncodeFault::TooLong`].
    pub fn tagged(
        &mut self,
        tag: u32,
        content: impl FnOnce(&mut Self) -> Result<(), EncodeError>,
    ) -> Result<(), EncodeError> {
        self.unsigned_varint(tag);
        let start = self.open.len();
        self.in_tags += 1;
        let written = content(self);
        self.in_tags -= 1;
        written?;
        let size = self.open.len() - start;
        let (bytes, len) = varint(u32::try_from(size).map_err(|_| EncodeFault::TooLong(size))?);
        // The size comes first but is known last: a tagged field is small, so its content moves up.
        self.open.extend_from_slice(&bytes[..len]);
        self.open[start..].rotate_right(len);
        Ok(())
    }

    fn push(&mut self, segment: Segment) {
        self.close_open();
        self.finished += segment.len();
        self.segments.push(segment);
    }

    fn close_open(&mut self) {
        if !self.open.is_empty() {
            self.finished += self.open.len();
            self.segments.push(Segment::Bytes(self.open.split().freeze()));
        }
    }
}

/// The bytes of an unsigned varint and how many of them count.
#[inline]
fn varint(mut number: u32) -> ([u8; 5], usize) {
    let mut bytes = [0; 5];
    let mut len = 0;
    loop {
        // The mask keeps seven bits.
        bytes[len] = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return (bytes, len + 1);
        }
        bytes[len] |= 0x80;
        len += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unsigned_varints_are_as_short_as_they_can_be() {
        for (number, expected) in [
            (0, &[0x00][..]),
            (127, &[0x7f]),
            (128, &[0x80, 0x01]),
            (16_384, &[0x80, 0x80, 0x01]),
            (u32::MAX, &[0xff, 0xff, 0xff, 0xff, 0x0f]),
        ] {
            let mut to = Encoder::new();
            to.unsigned_varint(number);
            assert_eq!(to.into_bytes(), Ok(Bytes::from_static(expected)), "{number}");
        }
    }

    #[test]
    fn large_bytes_are_segments_of_their_own_and_not_copied() {
        let large = Bytes::from(vec![7; SHARED_FROM]);
        let small = large.slice(1..);
        let mut to = Encoder::new();
        to.i8(1);
        to.share(&small);
        to.share(&large);
        to.i8(2);
        to.external(5, 9).expect("not in a tag");
        to.external(0, 10).expect("not in a tag");
        assert_eq!(to.len(), 2 + small.len() + large.len() + 5);

        let segments = to.finish();
        let [Segment::Bytes(head), Segment::Bytes(shared), Segment::Bytes(tail), elsewhere] = &segments[..]
        else {
            panic!("{segments:?}")
        };
        assert_eq!(head.len(), 1 + small.len());
        assert_eq!(shared.as_ptr(), large.as_ptr());
        assert_eq!(tail[..], [2]);
        assert_eq!(*elsewhere, Segment::External { len: 5, slot: 9 });
        assert_eq!(elsewhere.len(), 5);
        assert!(segments.iter().all(|segment| !segment.is_empty()));
    }

    #[test]
    fn a_run_of_bytes_holds_nothing_from_elsewhere() {
        let large = Bytes::from(vec![7; SHARED_FROM]);
        let mut to = Encoder::with_capacity(1);
        assert!(to.is_empty());
        to.share(&large);
        assert_eq!(to.into_bytes().expect("in memory").as_ptr(), large.as_ptr());

        let mut to = Encoder::new();
        to.external(5, 0).expect("not in a tag");
        assert_eq!(to.into_bytes(), Err(EncodeFault::ExternalHere.into()));
    }

    #[test]
    fn the_content_of_a_tag_comes_after_its_size_however_large() {
        let large = Bytes::from(vec![7; SHARED_FROM]);
        let mut to = Encoder::new();
        to.tagged(1, |to| {
            to.share(&large);
            to.tagged(2, |to| {
                to.i8(5);
                Ok(())
            })
        })
        .expect("a small tag");
        let bytes = to.into_bytes().expect("in memory");
        assert_eq!(bytes[..4], [1, 0x83, 0x20, 7]);
        assert_eq!(bytes[bytes.len() - 4..], [7, 2, 1, 5]);

        let error = Encoder::new().tagged(1, |to| to.external(1, 0)).expect_err("in a tag");
        assert_eq!(error.fault, EncodeFault::ExternalHere);
    }
}
