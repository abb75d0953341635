//! The bytes that consumers put inside JoinGroup (`ConsumerProtocolSubscription`). The broker reads the topics, nothing else.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The protocol type of consumers.
pub(super) const CONSUMER: &str = "consumer";

/// The topics of a subscription, or none if the bytes make no sense. Only version 0 is read, with which every later version
/// begins: version, topics, user data (Kafka: `ClassicGroup.computeSubscribedTopics`).
pub(super) fn subscribed_topics(subscription: &[u8]) -> Option<BTreeSet<Arc<str>>> {
    let mut reader = Reader(subscription);
    reader.i16()?;
    let count = reader.i32()?;
    let mut topics = BTreeSet::new();
    // A count is only a claim: each topic takes its bytes or ends the reading, so that nothing is reserved for it.
    for _ in 0..u32::try_from(count).ok()? {
        let length = usize::try_from(reader.i16()?).ok()?;
        topics.insert(Arc::from(std::str::from_utf8(reader.take(length)?).ok()?));
    }
    match reader.i32()? {
        -1 => {}
        length => drop(reader.take(usize::try_from(length).ok()?)?),
    }
    Some(topics)
}

/// Reads big-endian numbers off the front.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn i16(&mut self) -> Option<i16> {
        self.take(2)?.try_into().ok().map(i16::from_be_bytes)
    }

    fn i32(&mut self) -> Option<i32> {
        self.take(4)?.try_into().ok().map(i32::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the Java client writes for the topics `a` and `bc`, version 3: no user data, no owned partitions, generation -1, no
    /// rack.
    const VERSION_3: &[u8] =
        b"\x00\x03\x00\x00\x00\x02\x00\x01a\x00\x02bc\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff";

    #[test]
    fn topics_are_read_and_what_follows_is_not() {
        let topics = subscribed_topics(VERSION_3).expect("sound");
        assert_eq!(topics.iter().map(|topic| &**topic).collect::<Vec<_>>(), ["a", "bc"]);
        assert_eq!(subscribed_topics(b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01x"), Some(BTreeSet::new()));
    }

    #[test]
    fn nonsense_is_no_subscription() {
        for length in 0..17 {
            assert_eq!(subscribed_topics(&VERSION_3[..length]), None, "{length} bytes");
        }
        for nonsense in [
            &b"\x00\x00\xff\xff\xff\xff"[..],
            b"\x00\x00\x7f\xff\xff\xff\x00\x01a",
            b"\x00\x00\x00\x00\x00\x01\xff\xff\xff\xff\xff\xff",
            b"\x00\x00\x00\x00\x00\x01\x00\x01\xff\xff\xff\xff\xff",
            b"\x00\x00\x00\x00\x00\x00\xff\xff\xff\xfe",
            b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x09x",
        ] {
            assert_eq!(subscribed_topics(nonsense), None, "{nonsense:?}");
        }
    }
}
