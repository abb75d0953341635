//! The `range` assignor (Kafka: `RangeAssignor`).

use std::cmp::Ordering;

use base::PartitionIndex;

use super::{Group, Member, Partitions};

/// Cuts each topic into one run for each of its subscribers; the first ones get one more when it does not come out even. With equal
/// subscriptions, topics of the same size are cut alike, so that a join finds both sides with one member.
///
/// Static members come first, by instance id: they keep their runs when they come back with another member id.
pub(super) fn assign(group: &Group<'_>) -> Vec<Partitions> {
    let mut order: Vec<usize> = (0..group.members.len()).collect();
    order.sort_by(|&a, &b| static_first(&group.members[a], &group.members[b]));
    let mut assigned = vec![Partitions::new(); group.members.len()];
    for (&topic, &count) in &group.topics {
        let subscribers: Vec<usize> =
            order.iter().copied().filter(|&member| group.members[member].topics.contains(&topic)).collect();
        let share = count / as_i32(subscribers.len());
        let with_one_more = count % as_i32(subscribers.len());
        let mut start = 0;
        for (place, member) in (0..).zip(subscribers) {
            let end = start + share + i32::from(place < with_one_more);
            if start < end {
                assigned[member].insert(topic, (start..end).map(PartitionIndex).collect());
            }
            start = end;
        }
    }
    assigned
}

fn static_first(a: &Member<'_>, b: &Member<'_>) -> Ordering {
    match (a.instance_id, b.instance_id) {
        (Some(a), Some(b)) => as_java_sorts(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => as_java_sorts(a.id, b.id),
    }
}

/// Java compares UTF-16 units, in which a character beyond the 16th bit comes before some below it.
fn as_java_sorts(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

fn as_i32(members: usize) -> i32 {
    i32::try_from(members).expect("a group has fewer members than that")
}
