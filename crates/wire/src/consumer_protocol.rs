//! What the members of a classic consumer group tell each other through the broker: subscriptions in JoinGroup,
//! assignments in SyncGroup (Kafka: `ConsumerProtocol`).
//!
//! In front of the message stands its version (i16). A reader takes a version that it does not know for the highest one
//! that it knows, since later versions only add fields at the end; what it does not know there is left over.

use bytes::Bytes;

use crate::decoder::{DecodeError, DecodeFault, Decoder};
use crate::encoder::{EncodeError, Encoder};
use crate::{Message, StrBytes};

/// What a member of a consumer group wants.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolSubscription {
    /// The topics.
    pub topics: Vec<StrBytes>,
    /// Whatever the assignor tells itself.
    #[field(default = null)]
    pub user_data: Option<Bytes>,
    /// The partitions that the member has (KIP-429).
    #[field(versions = "1+", ignorable)]
    pub owned_partitions: Vec<TopicPartition>,
    /// The generation that the member had them in; -1 for none (KIP-792).
    #[field(versions = "2+", default = -1, ignorable)]
    pub generation_id: i32,
    /// The member's rack; null for none (KIP-881).
    #[field(versions = "3+", default = null, ignorable)]
    pub rack_id: Option<StrBytes>,
}

/// What a member of a consumer group gets.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0-3", flexible = "none")]
pub struct ConsumerProtocolAssignment {
    /// The partitions, by topic.
    pub assigned_partitions: Vec<TopicPartition>,
    /// Whatever the assignor tells the member.
    #[field(default = null)]
    pub user_data: Option<Bytes>,
}

/// Partitions of a topic.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: StrBytes,
    /// Its partitions.
    pub partitions: Vec<i32>,
}

/// A message of this protocol; only those two are.
pub trait ConsumerProtocol: Message {
    /// Reads a message with its version in front; gives the version that was written there, which may be one that
    /// Kafka 4.1 does not know. Bytes after the message are ignored.
    ///
    /// # Errors
    /// When the bytes do not hold the message, or the version is below 0.
    fn decode_versioned(bytes: Bytes) -> Result<(Self, i16), DecodeError> {
        let mut from = Decoder::new(bytes);
        let version = from.i16().map_err(|error| error.within("version"))?;
        if version < *Self::VERSIONS.start() {
            return Err(DecodeFault::UnsupportedVersion { message: Self::NAME, version }.into());
        }
        Ok((Self::decode(&mut from, version.min(*Self::VERSIONS.end()))?, version))
    }

    /// Writes the version and the message.
    ///
    /// # Errors
    /// When there is no such version.
    fn encode_versioned(&self, version: i16) -> Result<Bytes, EncodeError> {
        let mut to = Encoder::new();
        to.i16(version);
        self.encode(&mut to, version)?;
        to.into_bytes()
    }
}

impl ConsumerProtocol for ConsumerProtocolSubscription {}
impl ConsumerProtocol for ConsumerProtocolAssignment {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_version_is_read_as_the_highest_known_one() {
        let subscription = ConsumerProtocolSubscription {
            topics: vec!["t".into()],
            generation_id: 7,
            rack_id: Some("r".into()),
            ..ConsumerProtocolSubscription::default()
        };
        let written = subscription.encode_versioned(3).unwrap();
        let later = [&[0, 9], &written[2..], b"what came later"].concat();
        assert_eq!(
            ConsumerProtocolSubscription::decode_versioned(later.into()),
            Ok((subscription.clone(), 9))
        );
        assert_eq!(ConsumerProtocolSubscription::decode_versioned(written), Ok((subscription, 3)));
    }

    #[test]
    fn a_version_below_0_does_not_exist() {
        let error =
            ConsumerProtocolAssignment::decode_versioned(Bytes::from_static(&[0xff; 10])).unwrap_err();
        let message = ConsumerProtocolAssignment::NAME;
        assert_eq!(error.fault, DecodeFault::UnsupportedVersion { message, version: -1 });
        let error = ConsumerProtocolAssignment::decode_versioned(Bytes::from_static(&[0])).unwrap_err();
        assert_eq!(
            (error.field.as_str(), error.fault),
            ("version", DecodeFault::TooShort { needed: 2, left: 1 })
        );
    }
}
