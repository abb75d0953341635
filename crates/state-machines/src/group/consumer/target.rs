//! Who is to have what in the end (Kafka: `TargetAssignmentBuilder`).

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use base::Uuid;

use super::ConsumerGroup;
use crate::group::assignor::{Assignor, Subscriber, assign};
use crate::group::record::{Partitions, Record};
use crate::group::settings::Settings;
use crate::group::step::Context;

impl ConsumerGroup {
    /// Assigns anew if the group's epoch has risen since that was last done. Only shares that change are written.
    pub(super) fn update_target(&mut self, ctx: &mut Context<'_>) {
        if self.epoch <= self.assignment_epoch {
            return;
        }
        for (id, share) in self.assign(ctx) {
            if self.targets.get(&id) != Some(&share) {
                self.store_target(&id, share, ctx);
            }
        }
        let (group, value) = (Arc::clone(&self.id), Some(self.epoch));
        self.store(Record::ConsumerGroupTargetAssignmentMetadata { group, value }, ctx);
    }

    pub(super) fn store_target(&mut self, id: &Arc<str>, share: Partitions, ctx: &mut Context<'_>) {
        let (group, member) = (Arc::clone(&self.id), Arc::clone(id));
        self.store(Record::ConsumerGroupTargetAssignmentMember { group, member, value: Some(share) }, ctx);
    }

    fn assign(&self, ctx: &Context<'_>) -> BTreeMap<Arc<str>, Partitions> {
        // Most groups want the same all over: what is wanted is looked up once.
        let mut wishes: Vec<BTreeSet<Uuid>> = Vec::new();
        let mut places = HashMap::new();
        let mut members = Vec::with_capacity(self.members.len());
        for (id, member) in &self.members {
            let place =
                *places.entry((&member.about.subscribed_topic_names, member.regex())).or_insert_with(|| {
                    let known = self.wanted_by(member).filter_map(|name| ctx.topics.by_name(name));
                    wishes.push(known.map(|topic| topic.id).collect());
                    wishes.len() - 1
                });
            members.push((id, member, place));
        }
        let nothing = Partitions::new();
        let subscriber = |(id, member, place): (&Arc<str>, &super::Member, usize)| {
            let instance_id = member.about.instance_id.clone();
            let assigned = self.targets.get(id).unwrap_or(&nothing);
            (Arc::clone(id), Subscriber { instance_id, topics: &wishes[place], assigned })
        };
        let members: BTreeMap<_, _> = members.into_iter().map(subscriber).collect();
        let partitions_of = |id| {
            let topic = ctx.topics.by_id(id)?;
            i32::try_from(topic.partitions.len()).ok()
        };
        assign(self.assignor(ctx.settings), &members, &partitions_of)
    }

    /// The assignor that most members ask for, of several the first in the broker's order; else the broker's first.
    pub(super) fn assignor(&self, settings: &Settings) -> Assignor {
        let votes = |assignor: &Assignor| self.assignors.get(assignor.name()).copied().unwrap_or(0);
        // Of equals `max_by_key` takes the last.
        let first = settings.consumer_assignors.iter().rev().max_by_key(|assignor| votes(assignor));
        first.copied().unwrap_or(Assignor::Uniform)
    }
}
