//! Cutting frames out of a stream: a 4-byte length, then that many bytes.
//!
//! Pure over bytes. The buffer is never reserved for more than twice what has arrived, whatever a length claims.

use std::fmt;

use bytes::buf::Limit;
use bytes::{Buf, BufMut, Bytes, BytesMut};

/// What is read at once when nothing is known of the next frame.
pub(crate) const CHUNK: usize = 16 * 1024;
/// The largest buffer that a connection keeps for its next frame.
const KEPT: usize = 2 * 1024 * 1024;
/// The bytes of the length.
const PREFIX: usize = 4;
/// The longest frame that fits a chunk with its length.
pub(crate) const SMALL: usize = CHUNK - PREFIX;

/// Bytes that have arrived and are not yet a request.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    bytes: BytesMut,
}

/// How far the frame at the front has come.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Front {
    /// Nothing of it is there.
    Nothing,
    /// It has begun; its length, if that is there.
    Part(Option<usize>),
    /// It is whole, with so many bytes behind its length.
    Whole(usize),
}

/// A length that no frame has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BadLength {
    claimed: [u8; 4],
    limit: usize,
}

impl Inbox {
    /// The state of the frame at the front.
    pub(crate) fn front(&self, limit: usize) -> Result<Front, BadLength> {
        let Some(prefix) = self.bytes.first_chunk::<PREFIX>() else {
            return Ok(if self.bytes.is_empty() { Front::Nothing } else { Front::Part(None) });
        };
        let len = match usize::try_from(i32::from_be_bytes(*prefix)) {
            Ok(len) if len > 0 && len <= limit => len,
            _ => return Err(BadLength { claimed: *prefix, limit }),
        };
        Ok(if self.bytes.len() - PREFIX >= len { Front::Whole(len) } else { Front::Part(Some(len)) })
    }

    /// Takes the whole frame at the front, `len` bytes without its length.
    pub(crate) fn take(&mut self, len: usize) -> Bytes {
        self.bytes.advance(PREFIX);
        self.bytes.split_to(len).freeze()
    }

    /// How large the buffer has to be for the next read: a chunk, or, while a large frame arrives, twice what is there.
    pub(crate) fn wanted(&self, front: &Front) -> usize {
        match front {
            Front::Part(Some(len)) => (len + PREFIX).min(CHUNK.max(self.bytes.len() * 2)).max(CHUNK),
            _ => CHUNK,
        }
    }

    /// The buffer's free part, up to `wanted` bytes in all.
    pub(crate) fn room(&mut self, wanted: usize) -> Limit<&mut BytesMut> {
        let missing = wanted.saturating_sub(self.bytes.len());
        self.bytes.reserve(missing);
        (&mut self.bytes).limit(missing)
    }

    /// The bytes that are there.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether a buffer is kept that holds nothing.
    pub(crate) fn is_spare(&self) -> bool {
        self.bytes.is_empty() && self.bytes.capacity() > 0
    }

    /// Gives an empty buffer back: any one when `idle`, else only one too large to keep.
    pub(crate) fn release(&mut self, idle: bool) {
        if self.bytes.is_empty() && (idle || self.bytes.capacity() > KEPT) {
            self.bytes = BytesMut::new();
        }
    }
}

impl fmt::Display for BadLength {
    /// What was claimed, and what else the bytes look like: most such lengths are the first words of another protocol.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = i32::from_be_bytes(self.claimed);
        let looks_like = match &self.claimed {
            b"GET " | b"POST" | b"PUT " | b"HEAD" | b"OPTI" | b"DELE" | b"PRI " | b"CONN" | b"PATC" => {
                Some("HTTP")
            }
            [0x16, 0x03, _, _] => Some("TLS"),
            b"SSH-" => Some("SSH"),
            _ => None,
        };
        match looks_like {
            Some(protocol) => write!(
                f,
                "this looks like {protocol}, and the listener speaks Kafka's protocol in plain text (a request of {number} bytes)"
            ),
            None if number <= 0 => write!(f, "a request of {number} bytes"),
            None => write!(
                f,
                "a request of {number} bytes is larger than `socket.request.max.bytes` ({})",
                self.limit
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1_000_000;

    fn inbox(bytes: &[u8]) -> Inbox {
        Inbox { bytes: BytesMut::from(bytes) }
    }

    #[test]
    fn frames_are_cut_one_behind_the_other() {
        let mut inbox = inbox(&[0, 0, 0, 2, 7, 8, 0, 0, 0, 1, 9, 0, 0]);
        assert_eq!(inbox.front(LIMIT), Ok(Front::Whole(2)));
        assert_eq!(inbox.take(2), [7, 8][..]);
        assert_eq!(inbox.front(LIMIT), Ok(Front::Whole(1)));
        assert_eq!(inbox.take(1), [9][..]);
        assert_eq!(inbox.front(LIMIT), Ok(Front::Part(None)));
    }

    #[test]
    fn a_frame_grows_byte_by_byte() {
        assert_eq!(inbox(&[]).front(LIMIT), Ok(Front::Nothing));
        assert_eq!(inbox(&[0, 0, 0]).front(LIMIT), Ok(Front::Part(None)));
        assert_eq!(inbox(&[0, 0, 0, 3, 1, 2]).front(LIMIT), Ok(Front::Part(Some(3))));
        assert_eq!(inbox(&[0, 0, 0, 3, 1, 2, 3]).front(LIMIT), Ok(Front::Whole(3)));
    }

    #[test]
    fn lengths_that_no_frame_has() {
        for (claimed, says) in [
            ([0, 0, 0, 0], "a request of 0 bytes"),
            ([0xff, 0xff, 0xff, 0xff], "a request of -1 bytes"),
            (
                [0x7f, 0xff, 0xff, 0xff],
                "a request of 2147483647 bytes is larger than `socket.request.max.bytes` (1000000)",
            ),
        ] {
            assert_eq!(inbox(&claimed).front(LIMIT).unwrap_err().to_string(), says);
        }
        assert_eq!(
            inbox(&[0, 0x0f, 0x42, 0x40]).front(LIMIT),
            Ok(Front::Part(Some(LIMIT))),
            "the limit itself fits"
        );
    }

    #[test]
    fn other_protocols_are_called_by_name() {
        for (bytes, name) in [(b"GET ", "HTTP"), (&[0x16, 3, 1, 2], "TLS"), (b"SSH-", "SSH")] {
            let said = inbox(bytes).front(LIMIT).unwrap_err().to_string();
            assert!(said.starts_with(&format!("this looks like {name}")), "{said}");
        }
    }

    #[test]
    fn a_claim_reserves_nothing() {
        let limit = usize::try_from(i32::MAX).expect("fits");
        let mut claims = inbox(&[0x7f, 0xff, 0xff, 0xff, 1]);
        let front = claims.front(limit).expect("within the limit");
        let wanted = claims.wanted(&front);
        assert_eq!(wanted, CHUNK);
        assert!(claims.room(wanted).get_ref().capacity() <= 2 * CHUNK);

        let arrived = 10 * CHUNK;
        let mut bytes = vec![0; arrived];
        bytes[..4].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff]);
        let grown = inbox(&bytes);
        assert_eq!(grown.wanted(&grown.front(limit).expect("within the limit")), 2 * arrived);
    }

    #[test]
    fn the_end_of_a_frame_is_what_is_read_up_to() {
        let mut bytes = vec![0; CHUNK + 10];
        let len = CHUNK + 100;
        bytes[..4].copy_from_slice(&u32::try_from(len).expect("fits").to_be_bytes());
        let inbox = inbox(&bytes);
        assert_eq!(inbox.wanted(&inbox.front(LIMIT).expect("fine")), len + PREFIX);
    }

    #[test]
    fn a_large_buffer_is_not_kept() {
        let mut inbox = Inbox { bytes: BytesMut::with_capacity(KEPT + 1) };
        inbox.release(false);
        assert!(!inbox.is_spare());
        let mut inbox = Inbox { bytes: BytesMut::with_capacity(CHUNK) };
        inbox.release(false);
        assert!(inbox.is_spare());
        inbox.release(true);
        assert!(!inbox.is_spare());
    }
}
