//! The bytes that consumers put inside JoinGroup and SyncGroup (`ConsumerProtocolSubscription`, `ConsumerProtocolAssignment`).
//!
//! In a classic group the broker reads the topics, nothing else. A group that goes over to the other protocol is read whole, and
//! its members of the classic protocol are given their partitions in these bytes.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::PartitionIndex;

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

/// Topics with partitions, by name.
pub(super) type Named = Vec<(Arc<str>, Vec<PartitionIndex>)>;

/// What a consumer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Subscription {
    pub(super) topics: Vec<Arc<str>>,
    /// What it holds (version 1 and later).
    pub(super) owned: Named,
    /// `client.rack` (version 3 and later).
    pub(super) rack_id: Option<Arc<str>>,
}

/// A subscription, or none if the bytes make no sense. Of a version that is not known the known part is read.
pub(super) fn subscription(bytes: &[u8]) -> Option<Subscription> {
    let mut reader = Reader(bytes);
    let version = reader.version()?;
    let topics = reader.array(Reader::text)?;
    reader.nullable_bytes()?;
    let owned = if version >= 1 { reader.named()? } else { Vec::new() };
    if version >= 2 {
        reader.i32()?;
    }
    let rack_id = if version >= 3 { reader.nullable_text()? } else { None };
    Some(Subscription { topics, owned, rack_id })
}

/// What the leader assigned to a consumer, and whether an assignor of its own added something that the broker cannot read; none
/// if the bytes make no sense.
pub(super) fn assignment(bytes: &[u8]) -> Option<(Named, bool)> {
    let mut reader = Reader(bytes);
    reader.version()?;
    let partitions = reader.named()?;
    let user_data = reader.nullable_bytes()?;
    Some((partitions, user_data.is_some_and(|data| !data.is_empty())))
}

/// The version that a subscription is in, no later than the last one that is known.
pub(super) fn version(bytes: &[u8]) -> Option<i16> {
    Reader(bytes).version().map(|version| version.min(LAST_VERSION))
}

/// An assignment, in that version.
pub(super) fn encode_assignment(version: i16, partitions: &Named) -> Arc<[u8]> {
    let count =
        |length: usize| u32::try_from(length).expect("fewer topics and partitions than 2^31").to_be_bytes();
    let mut bytes = version.to_be_bytes().to_vec();
    bytes.extend(count(partitions.len()));
    for (topic, indexes) in partitions {
        // A topic's name has 249 bytes at most.
        bytes.extend(u16::try_from(topic.len()).expect("a topic's name is short").to_be_bytes());
        bytes.extend(topic.as_bytes());
        bytes.extend(count(indexes.len()));
        indexes.iter().for_each(|index| bytes.extend(index.0.to_be_bytes()));
    }
    bytes.extend((-1_i32).to_be_bytes());
    Arc::from(bytes)
}

/// The last version of both schemas.
const LAST_VERSION: i16 = 3;

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

    fn version(&mut self) -> Option<i16> {
        self.i16().filter(|version| *version >= 0)
    }

    fn text(&mut self) -> Option<Arc<str>> {
        let length = usize::try_from(self.i16()?).ok()?;
        Some(Arc::from(std::str::from_utf8(self.take(length)?).ok()?))
    }

    fn nullable_text(&mut self) -> Option<Option<Arc<str>>> {
        match self.i16()? {
            -1 => Some(None),
            length => {
                let bytes = self.take(usize::try_from(length).ok()?)?;
                Some(Some(Arc::from(std::str::from_utf8(bytes).ok()?)))
            }
        }
    }

    fn nullable_bytes(&mut self) -> Option<Option<&'a [u8]>> {
        match self.i32()? {
            -1 => Some(None),
            length => Some(Some(self.take(usize::try_from(length).ok()?)?)),
        }
    }

    /// A count is only a claim: each element takes its bytes or ends the reading, so that nothing is reserved for it.
    fn array<T>(&mut self, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut all = Vec::new();
        for _ in 0..u32::try_from(self.i32()?).ok()? {
            all.push(one(self)?);
        }
        Some(all)
    }

    fn named(&mut self) -> Option<Named> {
        self.array(|reader| {
            let topic = reader.text()?;
            Some((topic, reader.array(|reader| reader.i32().map(PartitionIndex))?))
        })
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
    fn a_subscription_is_read_whole() {
        let whole = b"\x00\x03\x00\x00\x00\x01\x00\x01a\x00\x00\x00\x01u\x00\x00\x00\x01\x00\x01b\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00\x05\x00\x00\x00\x09\x00\x01r";
        let read = subscription(whole).expect("sound");
        assert_eq!(read.topics, [Arc::from("a")]);
        assert_eq!(read.owned, [(Arc::from("b"), vec![PartitionIndex(3), PartitionIndex(5)])]);
        assert_eq!(read.rack_id.as_deref(), Some("r"));
        for length in 0..whole.len() {
            assert_eq!(subscription(&whole[..length]), None, "{length} bytes");
        }
        // Version 0 ends before what it holds; a version to come is read as far as it is known.
        assert_eq!(subscription(b"\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff").expect("sound").owned, []);
        assert_eq!(subscription(&[b"\x00\x09", &whole[2..], b"more"].concat()), Some(read));
        assert_eq!(version(b"\x00\x09"), Some(3));
        assert_eq!(version(b"\xff\xff"), None);
    }

    #[test]
    fn an_assignment_is_read_as_it_is_written() {
        let partitions =
            vec![(Arc::from("t"), vec![PartitionIndex(0), PartitionIndex(2)]), (Arc::from("u"), vec![])];
        let bytes = encode_assignment(1, &partitions);
        assert_eq!(bytes[..13], *b"\x00\x01\x00\x00\x00\x02\x00\x01t\x00\x00\x00\x02");
        assert_eq!(assignment(&bytes), Some((partitions.clone(), false)));
        let mut with_more = bytes[..bytes.len() - 4].to_vec();
        with_more.extend(b"\x00\x00\x00\x01x");
        assert_eq!(assignment(&with_more), Some((partitions, true)));
        for length in 0..bytes.len() {
            assert_eq!(assignment(&bytes[..length]), None, "{length} bytes");
        }
        assert_eq!(assignment(b"\x00\x00\x7f\xff\xff\xff\x00\x01t\xff\xff\xff\xff"), None);
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
