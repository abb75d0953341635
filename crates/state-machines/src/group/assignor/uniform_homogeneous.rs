//! The `uniform` assignor for members that all subscribe to the same topics (Kafka: `UniformHomogeneousAssignmentBuilder`).

use base::{PartitionIndex, Uuid};

use super::{Group, Partitions, count};

/// Gives each member the same number of partitions, and one more to as many as it takes. Only what a member has beyond its
/// number is taken away, and those who have one more already are preferred for it, so nothing moves without need.
pub(super) fn assign(group: &Group<'_>) -> Vec<Partitions> {
    let mut free: Vec<(Uuid, PartitionIndex)> = group.free().into_iter().collect();
    let all: usize = group.topics.values().map(|&count| usize::try_from(count).unwrap_or(0)).sum();
    let members = group.members.len();
    if members == 0 {
        return Vec::new();
    }
    let share = all / members;
    let mut with_one_more = all % members;

    let mut assigned = Vec::with_capacity(members);
    let mut missing = Vec::with_capacity(members);
    for (place, member) in group.members.iter().enumerate() {
        let mut kept = member.kept.clone();
        let has = count(&kept);
        let left = members - place;
        // The last ones have no choice: somebody must take what is left over.
        let one_more = with_one_more > 0 && (has > share || left <= with_one_more);
        let quota = share + usize::from(one_more);
        with_one_more -= usize::from(one_more);
        if has > quota {
            give_up(&mut kept, quota, &mut free);
        }
        missing.push(quota.saturating_sub(has));
        assigned.push(kept);
    }

    let mut free = free.into_iter();
    for (member, missing) in assigned.iter_mut().zip(missing) {
        for (topic, partition) in free.by_ref().take(missing) {
            member.entry(topic).or_default().insert(partition);
        }
    }
    assert_eq!(free.len(), 0, "the quotas add up to all partitions");
    assigned
}

/// Keeps the first `quota` partitions.
fn give_up(kept: &mut Partitions, quota: usize, free: &mut Vec<(Uuid, PartitionIndex)>) {
    let beyond: Vec<(Uuid, PartitionIndex)> = kept
        .iter()
        .flat_map(|(&topic, partitions)| partitions.iter().map(move |&partition| (topic, partition)))
        .skip(quota)
        .collect();
    for &(topic, partition) in &beyond {
        let partitions = kept.get_mut(&topic).expect("it was found there");
        partitions.remove(&partition);
        if partitions.is_empty() {
            kept.remove(&topic);
        }
    }
    free.extend(beyond);
}
