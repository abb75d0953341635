//! A member of a group in either protocol, for a reader that does not care which.

use std::collections::BTreeMap;

use crate::consumer_member::ConsumerMember;
use crate::groups::commit_as;
use crate::member::{Member, MemberConfig, Pulse};
use crate::{Client, ClientError, TopicPartition};

/// `group.protocol`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupProtocol {
    /// A member leads and assigns.
    Classic,
    /// The broker assigns (KIP-848).
    Consumer,
}

/// A member, in the protocol that its configuration names.
#[derive(Debug)]
pub enum Membership {
    /// See [`Member`].
    Classic(Member),
    /// See [`ConsumerMember`].
    Consumer(ConsumerMember),
}

impl Membership {
    /// A member that has not joined.
    #[must_use]
    pub fn new(config: MemberConfig) -> Self {
        match config.protocol {
            GroupProtocol::Classic => Self::Classic(Member::new(config)),
            GroupProtocol::Consumer => Self::Consumer(ConsumerMember::new(config)),
        }
    }

    /// Joins the group for these topics, and gives what the member is to read.
    ///
    /// # Errors
    /// When the coordinator cannot be reached within the client's patience, or refuses.
    pub fn join(
        &mut self,
        client: &mut Client,
        topics: &[String],
    ) -> Result<Vec<TopicPartition>, ClientError> {
        match self {
            Self::Classic(member) => member.join(client, topics),
            Self::Consumer(member) => member.join(client, topics),
        }
    }

    /// Sends a heartbeat if one is due.
    ///
    /// # Errors
    /// When the coordinator refuses for good.
    pub fn beat(&mut self, client: &mut Client) -> Result<Pulse, ClientError> {
        match self {
            Self::Classic(member) => member.beat(client),
            Self::Consumer(member) => member.beat(client),
        }
    }

    /// The committed offsets of these partitions; none where there is none.
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or refuses.
    pub fn committed(
        &self,
        client: &mut Client,
        partitions: &[TopicPartition],
    ) -> Result<BTreeMap<TopicPartition, Option<i64>>, ClientError> {
        let committed = client.committed_of(&self.config().group, Some(partitions))?;
        let at = |partition: &TopicPartition| committed.get(partition).map(|committed| committed.offset);
        Ok(partitions.iter().map(|partition| (partition.clone(), at(partition))).collect())
    }

    /// Commits offsets: the next one to read of each partition.
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or refuses.
    pub fn commit(
        &self,
        client: &mut Client,
        offsets: &BTreeMap<TopicPartition, i64>,
    ) -> Result<(), ClientError> {
        let (id, generation) = match self {
            Self::Classic(member) => (member.id(), member.generation()),
            Self::Consumer(member) => (member.id(), member.epoch()),
        };
        let MemberConfig { group, instance, .. } = self.config();
        commit_as(client, group, id, instance.as_deref(), generation, offsets)
    }

    /// Leaves the group, so that others need not wait for the session to end.
    ///
    /// # Errors
    /// When the coordinator cannot be reached, or refuses.
    pub fn leave(&mut self, client: &mut Client) -> Result<(), ClientError> {
        match self {
            Self::Classic(member) => member.leave(client),
            Self::Consumer(member) => member.leave(client),
        }
    }

    const fn config(&self) -> &MemberConfig {
        match self {
            Self::Classic(member) => member.config(),
            Self::Consumer(member) => member.config(),
        }
    }
}
