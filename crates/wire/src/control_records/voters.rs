//! The voters of a dynamic quorum (KIP-853): control record types 5 and 6, written when `kraft.version` is 1.

use uuid::Uuid;

use crate::{Message, StrBytes};

/// The level of `kraft.version`.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0", flexible = "0+")]
pub struct KRaftVersionRecord {
    /// The version of this schema.
    pub version: i16,
    /// The level of `kraft.version`.
    #[field(name = "kRaftVersion")]
    pub kraft_version: i16,
}

/// The voters of a dynamic quorum (KIP-853).
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0", flexible = "0+")]
pub struct VotersRecord {
    /// The version of this schema.
    pub version: i16,
    /// Everyone who may vote.
    pub voters: Vec<Voter>,
}

/// A voter.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Voter {
    /// The voter's node id.
    pub voter_id: i32,
    /// Id of the directory that holds its metadata log.
    pub voter_directory_id: Uuid,
    /// Where the voter listens.
    pub endpoints: Vec<Endpoint>,
    /// The levels of `kraft.version` that it supports.
    #[field(name = "kRaftVersionFeature")]
    pub kraft_version_feature: KRaftVersionFeature,
}

/// A listener of a voter.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Endpoint {
    /// The listener.
    pub name: StrBytes,
    /// Its host name.
    pub host: StrBytes,
    /// Its port.
    pub port: u16,
}

/// Levels of `kraft.version`.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct KRaftVersionFeature {
    /// The lowest.
    pub min_supported_version: i16,
    /// The highest.
    pub max_supported_version: i16,
}
