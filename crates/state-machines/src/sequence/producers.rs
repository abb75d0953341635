//! All producers of a partition, in a table of which a copy costs nothing.
//!
//! A trie over the mixed bits of the producer id, whose leaves hold a few dozen producers each. A clone shares all of it;
//! a change afterwards copies the way from the root to the one producer that changes, and nothing else. So whoever
//! wants to write a million producers to a file takes a clone between two appends and writes it in his own time. Growing
//! moves one leaf at a time: no append waits until a whole table has been laid out anew.

use std::sync::Arc;

use base::{Millis, ProducerId};

use super::entry::{Entry, Row};

/// Children of a branch; a power of two.
const FANOUT: usize = 16;
/// Bits of the hash that choose among them.
const BITS: u32 = FANOUT.trailing_zeros();
/// A leaf with more producers becomes a branch. Its producers have room in it at any depth: no more than [`FANOUT`] ids
/// agree in all bits but the last [`BITS`], since different ids have different hashes.
const LEAF: usize = 64;
/// Children with so few producers in all become one leaf again.
const FEW: usize = LEAF / 4;

/// The producers that a partition remembers, at some moment.
#[derive(Clone, Debug, Default)]
pub struct Producers {
    root: Arc<Node>,
    len: usize,
}

#[derive(Clone, Debug)]
enum Node {
    Leaf(Vec<(ProducerId, Arc<Entry>)>),
    Branch(Box<[Arc<Self>; FANOUT]>),
}

impl Default for Node {
    fn default() -> Self {
        Self::Leaf(Vec::new())
    }
}

impl Producers {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Every producer as a snapshot file keeps it, in no particular order.
    pub fn rows(&self) -> impl Iterator<Item = Row> {
        self.iter().map(|(id, entry)| entry.row(id))
    }

    /// Every producer as a snapshot file keeps it, by id, so that equal states make equal files.
    #[must_use]
    pub fn rows_by_id(&self) -> impl ExactSizeIterator<Item = Row> {
        let mut all = Vec::with_capacity(self.len);
        all.extend(self.iter());
        all.sort_unstable_by_key(|(id, _)| *id);
        all.into_iter().map(|(id, entry)| entry.row(id))
    }

    /// Those that may be forgotten at `now`, when an idle producer is remembered for `expiration_ms` milliseconds.
    #[must_use]
    pub fn idle(&self, now: Millis, expiration_ms: i64) -> Vec<ProducerId> {
        self.iter().filter(|(_, entry)| entry.is_idle(now, expiration_ms)).map(|(id, _)| id).collect()
    }

    pub(super) fn get(&self, id: ProducerId) -> Option<&Entry> {
        let mut hash = mixed(id);
        let mut node = &*self.root;
        loop {
            match node {
                Node::Leaf(leaf) => return leaf.iter().find(|(at, _)| *at == id).map(|(_, entry)| &**entry),
                Node::Branch(children) => node = &children[child(hash)],
            }
            hash >>= BITS;
        }
    }

    /// What is remembered of `id`, to be changed; nothing yet for one that was unknown.
    pub(super) fn entry(&mut self, id: ProducerId) -> &mut Entry {
        let mut hash = mixed(id);
        let mut depth = 0;
        let mut node = &mut self.root;
        loop {
            if let Node::Leaf(leaf) = &**node
                && leaf.len() >= LEAF
                && leaf.iter().all(|(at, _)| *at != id)
            {
                *node = Arc::new(split(leaf, depth));
            }
            match Arc::make_mut(node) {
                Node::Leaf(leaf) => {
                    let at = leaf.iter().position(|(at, _)| *at == id).unwrap_or_else(|| {
                        leaf.push((id, Arc::default()));
                        self.len += 1;
                        leaf.len() - 1
                    });
                    return Arc::make_mut(&mut leaf[at].1);
                }
                Node::Branch(children) => node = &mut children[child(hash)],
            }
            hash >>= BITS;
            depth += 1;
        }
    }

    pub(super) fn remove(&mut self, id: ProducerId) {
        if self.get(id).is_some() {
            remove(&mut self.root, mixed(id), id);
            self.len -= 1;
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (ProducerId, &Entry)> {
        let mut waiting = vec![&*self.root];
        let mut leaf: &[(ProducerId, Arc<Entry>)] = &[];
        std::iter::from_fn(move || {
            loop {
                if let Some(((id, entry), rest)) = leaf.split_first() {
                    leaf = rest;
                    return Some((*id, &**entry));
                }
                match waiting.pop()? {
                    Node::Leaf(next) => leaf = next,
                    Node::Branch(children) => waiting.extend(children.iter().map(|child| &**child)),
                }
            }
        })
    }
}

/// Spreads ids, which clients may choose, over all bits. No two ids have the same hash (the finalizer of SplitMix64).
fn mixed(id: ProducerId) -> u64 {
    let mut bits = id.0.cast_unsigned();
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn child(hash: u64) -> usize {
    (hash & (FANOUT as u64 - 1)) as usize
}

/// The branch at `depth` that holds what was in a leaf there.
fn split(leaf: &[(ProducerId, Arc<Entry>)], depth: u32) -> Node {
    let mut children: [Vec<(ProducerId, Arc<Entry>)>; FANOUT] = Default::default();
    for (id, entry) in leaf {
        children[child(mixed(*id) >> (BITS * depth))].push((*id, Arc::clone(entry)));
    }
    Node::Branch(Box::new(children.map(|leaf| Arc::new(Node::Leaf(leaf)))))
}

/// Removes `id`, which is there.
fn remove(node: &mut Arc<Node>, hash: u64, id: ProducerId) {
    match Arc::make_mut(node) {
        Node::Leaf(leaf) => leaf.retain(|(at, _)| *at != id),
        Node::Branch(children) => {
            remove(&mut children[child(hash)], hash >> BITS, id);
            if let Some(merged) = merged(children) {
                *node = Arc::new(Node::Leaf(merged));
            }
        }
    }
}

/// What is in `children`, if that has become little.
fn merged(children: &[Arc<Node>; FANOUT]) -> Option<Vec<(ProducerId, Arc<Entry>)>> {
    let mut few = 0;
    for child in children {
        let Node::Leaf(leaf) = &**child else { return None };
        few += leaf.len();
    }
    let leaves = children.iter().flat_map(|child| match &**child {
        Node::Leaf(leaf) => leaf.as_slice(),
        Node::Branch(_) => &[],
    });
    (few <= FEW).then(|| leaves.cloned().collect())
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use base::Sequence;
    use proptest::prelude::*;

    use super::super::entry::{REMEMBERED_BATCHES, Remembered};
    use super::*;

    impl Producers {
        /// Bytes on the heap, with what an allocator adds to each piece: at most 16, and up to a multiple of 16.
        fn heap(&self) -> usize {
            fn piece(bytes: usize) -> usize {
                if bytes == 0 { 0 } else { (bytes + 16).next_multiple_of(16) }
            }
            fn of(node: &Node) -> usize {
                // An `Arc` keeps two counts beside what it holds.
                let counts = 2 * size_of::<usize>();
                let below = match node {
                    Node::Leaf(leaf) => {
                        piece(leaf.capacity() * size_of::<(ProducerId, Arc<Entry>)>())
                            + leaf.len() * piece(size_of::<Entry>() + counts)
                    }
                    Node::Branch(children) => {
                        piece(size_of::<[Arc<Node>; FANOUT]>())
                            + children.iter().map(|child| of(child)).sum::<usize>()
                    }
                };
                piece(size_of::<Node>() + counts) + below
            }
            of(&self.root)
        }
    }

    /// Design budget: 300 bytes per remembered producer and partition at five batches.
    #[test]
    fn a_producer_with_five_batches_takes_at_most_300_bytes() {
        let mut producers = Producers::default();
        let mut worst = 0;
        for id in 0..100_000 {
            let entry = producers.entry(ProducerId(id));
            for batch in 0..REMEMBERED_BATCHES {
                let last_sequence = Sequence(batch as i32);
                entry.add(base::ProducerEpoch(0), Remembered { last_sequence, ..Remembered::default() });
            }
            if producers.len() > LEAF && producers.len().is_multiple_of(997) {
                worst = worst.max(producers.heap() / producers.len());
            }
        }
        assert!(worst <= 300, "{worst} bytes: an entry has {}", size_of::<Entry>());
    }

    #[test]
    fn a_clone_stands_still_and_a_change_copies_only_its_own_way() {
        let mut producers = Producers::default();
        for id in 0..50_000 {
            producers.entry(ProducerId(id)).coordinator_epoch = 1;
        }
        let before = producers.clone();
        producers.entry(ProducerId(7)).coordinator_epoch = 2;
        producers.remove(ProducerId(8));
        assert_eq!(before.get(ProducerId(7)).unwrap().coordinator_epoch, 1);
        assert_eq!((before.len(), producers.len()), (50_000, 49_999));
        assert!(before.get(ProducerId(8)).is_some() && producers.get(ProducerId(8)).is_none());
        let own = producers
            .iter()
            .filter(|(id, entry)| !before.get(*id).is_some_and(|same| std::ptr::eq(same, *entry)));
        assert_eq!(own.count(), 1);
    }

    #[test]
    fn what_has_become_little_takes_little() {
        let mut producers = Producers::default();
        for id in 0..10_000 {
            producers.entry(ProducerId(id)).coordinator_epoch = 1;
        }
        (0..10_000).for_each(|id| producers.remove(ProducerId(id)));
        assert!(producers.is_empty() && producers.iter().next().is_none());
        assert!(matches!(&*producers.root, Node::Leaf(leaf) if leaf.is_empty()));
    }

    proptest! {
        /// As a map of the standard library, whatever ids come, also such as differ in few bits.
        #[test]
        fn it_is_a_map(steps in prop::collection::vec((any::<bool>(), 0..400_i64, 0..64_u32, any::<i32>()), 0..1500)) {
            let mut producers = Producers::default();
            let mut model = HashMap::new();
            for (removes, id, shift, value) in steps {
                let id = ProducerId(id.rotate_left(shift & !7));
                if removes {
                    producers.remove(id);
                    model.remove(&id);
                } else {
                    producers.entry(id).coordinator_epoch = value;
                    model.insert(id, value);
                }
            }
            prop_assert_eq!(producers.len(), model.len());
            let found: HashMap<_, _> = producers.iter().map(|(id, entry)| (id, entry.coordinator_epoch)).collect();
            prop_assert_eq!(&found, &model);
            for (id, value) in &model {
                prop_assert_eq!(producers.get(*id).map(|entry| entry.coordinator_epoch), Some(*value));
            }
            let by_id: Vec<_> = producers.rows_by_id().map(|row| row.producer_id).collect();
            prop_assert!(by_id.is_sorted());
        }
    }
}
