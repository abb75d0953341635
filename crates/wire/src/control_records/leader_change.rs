//! The leader of the metadata log has changed: control record type 2.
//!
//! Version 1 adds the directory ids of the voters (KIP-853); it is written when `kraft.version` is 1.

use uuid::Uuid;

use crate::Message;

/// A new leader of the metadata log.
#[derive(Clone, Debug, PartialEq, Message)]
#[message(data, versions = "0-1", flexible = "0+")]
pub struct LeaderChangeMessage {
    /// The version of this schema.
    pub version: i16,
    /// Node id of the new leader.
    pub leader_id: i32,
    /// Everyone who may vote.
    pub voters: Vec<Voter>,
    /// Those who voted for the leader.
    pub granting_voters: Vec<Voter>,
}

/// A voter.
#[derive(Clone, Debug, PartialEq, Message)]
pub struct Voter {
    /// The voter's node id.
    pub voter_id: i32,
    /// Id of the directory that holds its metadata log.
    #[field(versions = "1+")]
    pub voter_directory_id: Uuid,
}
