//! What a changed subscription, changed topics and regular expressions lead to: a new group epoch, if they change what the
//! members are to have (Kafka: `hasMemberSubscriptionChanged`, `maybeUpdateRegularExpressions`, `updateSubscriptionMetadata`).

use std::sync::Arc;

use super::hash::metadata_hash;
use super::regex::Pattern;
use super::{ConsumerGroup, Member};
use crate::group::record::{ConsumerGroupMetadata, ConsumerMemberMetadata, Record, ResolvedRegex};
use crate::group::step::Context;

/// Expressions are looked up again at most so often, however many topics come.
const LEAST_REFRESH_INTERVAL_MS: i64 = 10_000;

impl ConsumerGroup {
    /// Stores what a member now says of itself, and raises the group's epoch if that calls for it. Says whether it wants other
    /// topics than before.
    pub(super) fn change_subscription(
        &mut self,
        id: &Arc<str>,
        about: ConsumerMemberMetadata,
        ctx: &mut Context<'_>,
    ) -> bool {
        let before = self.members.get(id).cloned().unwrap_or_default();
        let record = Record::ConsumerGroupMemberMetadata {
            group: Arc::clone(&self.id),
            member: Arc::clone(id),
            value: Some(about),
        };
        self.store(record, ctx);
        let now = &self.members[id];
        let mut wants_others = now.about.subscribed_topic_names != before.about.subscribed_topic_names;
        if now.regex() != before.regex() {
            // One that is new to the group is looked up below, and then it shows whether that leads to other topics.
            wants_others |= now.regex().is_none_or(|regex| self.resolved.contains_key(regex));
            before.regex().into_iter().for_each(|before| self.drop_regex_without_members(before, ctx));
        }
        self.look_at_topics(self.epoch == 0 || wants_others, ctx);
        wants_others
    }

    pub(super) fn drop_regex_without_members(&mut self, regex: &Arc<str>, ctx: &mut Context<'_>) {
        if !self.regexes.contains_key(regex) && self.resolved.contains_key(regex) {
            self.store_regex(regex, None, ctx);
        }
    }

    /// Finds the topics of an expression, and says whether they are others than before.
    fn resolve(&mut self, regex: &Arc<str>, ctx: &mut Context<'_>) -> bool {
        // It was read when it came. One that came to the log from elsewhere stands for nothing if it cannot be read.
        let pattern = Pattern::read(regex).ok();
        let topics = pattern.map(|pattern| pattern.topics(ctx.topics)).unwrap_or_default();
        let differs = match self.resolved.get(regex) {
            Some(before) => before.topics != topics,
            None => !topics.is_empty(),
        };
        let resolved = ResolvedRegex { topics, version: ctx.topics_version, timestamp: ctx.wall };
        self.store_regex(regex, Some(resolved), ctx);
        differs
    }

    fn store_regex(&mut self, regex: &Arc<str>, value: Option<ResolvedRegex>, ctx: &mut Context<'_>) {
        let (group, regex) = (Arc::clone(&self.id), Arc::clone(regex));
        self.store(Record::ConsumerGroupRegularExpression { group, regex, value }, ctx);
    }

    /// Looks all expressions up again when topics have come, or when that was long ago, and one that was never looked up at once,
    /// so that the answer to its member brings the partitions. Says whether any stands for other topics than before.
    fn refresh_regexes(&mut self, ctx: &mut Context<'_>) -> bool {
        if self.regexes.is_empty() {
            return false;
        }
        let since = self.regexes_refreshed.map_or(i64::MAX, |last| ctx.now.since(last));
        let is_old = since > ctx.settings.consumer_regex_refresh_interval_ms;
        let all = (self.topics_came || is_old) && since > LEAST_REFRESH_INTERVAL_MS;
        if !all && self.regexes.len() == self.resolved.len() {
            return false;
        }
        if all {
            self.topics_came = false;
            self.regexes_refreshed = Some(ctx.now);
        }
        let asked = self.regexes.keys().filter(|regex| all || !self.resolved.contains_key(*regex));
        let asked: Vec<_> = asked.cloned().collect();
        let mut differ = false;
        for regex in &asked {
            differ |= self.resolve(regex, ctx);
        }
        differ
    }

    /// Raises the group's epoch if it is to be, or if the topics are not what they were when it was raised last.
    pub(super) fn look_at_topics(&mut self, raise: bool, ctx: &mut Context<'_>) {
        let raise = self.refresh_regexes(ctx) || std::mem::take(&mut self.rebalance_due) || raise;
        if !raise && !self.topics_changed {
            return;
        }
        self.topics_changed = false;
        let hash = self.hash_now(ctx);
        if raise || hash != self.metadata_hash {
            self.raise_epoch(hash, ctx);
        }
        if self.has_partition_metadata {
            let group = Arc::clone(&self.id);
            self.store(Record::ConsumerGroupPartitionMetadata { group, exists: false }, ctx);
        }
    }

    pub(super) fn raise_epoch(&mut self, metadata_hash: i64, ctx: &mut Context<'_>) {
        let value = ConsumerGroupMetadata { epoch: self.epoch.saturating_add(1), metadata_hash };
        let group = Arc::clone(&self.id);
        self.store(Record::ConsumerGroupMetadata { group, value: Some(value) }, ctx);
    }

    /// The hash over the topics that are now subscribed to.
    pub(super) fn hash_now(&self, ctx: &Context<'_>) -> i64 {
        metadata_hash(self.topics.keys(), ctx.topics, ctx.settings.rack.as_deref())
    }

    /// The topics that a member wants, by name: those it names, and those of its expression.
    pub(super) fn wanted_by<'a>(&'a self, member: &'a Member) -> impl Iterator<Item = &'a Arc<str>> {
        let by_regex = member.regex().and_then(|regex| self.resolved.get(regex));
        let by_regex = by_regex.into_iter().flat_map(|resolved| &resolved.topics);
        member.about.subscribed_topic_names.iter().chain(by_regex)
    }
}
