//! Groups from outside: what their coordinators say of them.

use std::collections::BTreeMap;

use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup};
use wire::{Request, StrBytes};

use crate::{Client, ClientError, TopicPartition};

/// The last version of OffsetFetch that names topics instead of giving their ids.
const BY_NAME: i16 = 9;

/// A committed offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The next offset to read.
    pub offset: i64,
    /// The leader epoch of the last record that was read, if it is known.
    pub leader_epoch: Option<i32>,
}

impl Client {
    /// Asks the coordinator of a group once.
    ///
    /// # Errors
    /// When there is none, or no answer.
    pub fn ask_coordinator<R: Request>(
        &mut self,
        group: &str,
        up_to: i16,
        make: impl FnOnce(i16) -> R,
    ) -> Result<R::Response, ClientError> {
        let (_, address) = self.coordinator(group)?;
        self.call(&address, up_to, make)
    }

    /// All offsets that a group has committed.
    ///
    /// # Errors
    /// When the coordinator does not answer, or refuses.
    pub fn committed(&mut self, group: &str) -> Result<BTreeMap<TopicPartition, Committed>, ClientError> {
        let group_id: StrBytes = group.to_owned().into();
        let answer = self.persist(|client| {
            let answer = client.ask_coordinator(group, BY_NAME, |version| {
                let mut request = OffsetFetchRequest::default();
                if version < 8 {
                    request.group_id = group_id.clone();
                    request.topics = None;
                } else {
                    let group_id = group_id.clone();
                    request.topics = Some(Vec::new());
                    request.groups = vec![OffsetFetchRequestGroup {
                        group_id,
                        topics: None,
                        ..OffsetFetchRequestGroup::default()
                    }];
                }
                request
            })?;
            ClientError::of(answer.error_code, None)?;
            answer.groups.iter().try_for_each(|group| ClientError::of(group.error_code, None))?;
            Ok(answer)
        })?;
        let mut committed = BTreeMap::new();
        let mut keep = |topic: &str, partition: i32, offset: i64, epoch: i32, code: i16| {
            ClientError::of(code, None)?;
            if offset >= 0 {
                let leader_epoch = Some(epoch).filter(|epoch| *epoch >= 0);
                committed.insert(TopicPartition::new(topic, partition), Committed { offset, leader_epoch });
            }
            Ok::<_, ClientError>(())
        };
        for topic in &answer.topics {
            for each in &topic.partitions {
                let epoch = each.committed_leader_epoch;
                keep(&topic.name, each.partition_index, each.committed_offset, epoch, each.error_code)?;
            }
        }
        for topic in answer.groups.iter().flat_map(|group| &group.topics) {
            for each in &topic.partitions {
                let epoch = each.committed_leader_epoch;
                keep(&topic.name, each.partition_index, each.committed_offset, epoch, each.error_code)?;
            }
        }
        Ok(committed)
    }
}
