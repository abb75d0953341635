//! Offsets that nobody has had use for since `offsets.retention.minutes` (KIP-211).

use std::sync::Arc;

use base::Millis;

use super::Offsets;
use super::delete::tombstone;
use crate::group::record::{CommittedOffset, Record};

/// What a group says about its offsets' lives.
pub(in crate::group) trait Retention {
    /// Whether a member reads the topic; then its offsets stay.
    fn reads(&self, topic: &str) -> bool;
    /// From when on the retention of an offset counts, or none while it does not.
    fn retention_start(&self, offset: &CommittedOffset) -> Option<Millis>;
}

impl Offsets {
    /// Tombstones for the offsets of a group that have expired, and whether none will be left. Offsets in an open transaction
    /// stay, and so does their group.
    pub(in crate::group) fn expire(
        &self,
        group_id: &Arc<str>,
        group: &impl Retention,
        retention_ms: i64,
        now: Millis,
    ) -> (Vec<Record>, bool) {
        let Some(offsets) = self.groups.get(group_id) else { return (Vec::new(), true) };
        let is_expired = |offset: &CommittedOffset| match group.retention_start(offset) {
            None => false,
            Some(_) if offset.expire_timestamp != Millis::NONE => now >= offset.expire_timestamp,
            Some(start) => now.since(start) >= retention_ms,
        };
        let mut records = Vec::new();
        let mut none_left = offsets.pending.is_empty();
        for (topic, partitions) in &offsets.committed {
            let read = group.reads(topic);
            for (partition, placed) in partitions {
                if !read && is_expired(&placed.offset) && !offsets.is_pending(topic, *partition) {
                    records.push(tombstone(group_id, topic, *partition));
                } else {
                    none_left = false;
                }
            }
        }
        (records, none_left)
    }
}
