//! The newest offset of each key, in bounded memory (Kafka: `SkimpyOffsetMap`).
//!
//! A key is kept as 128 bits of SipHash-2-4 under a key of this process's own. Two keys with the same hash would count as
//! one, and the older record of them would be lost for good, so nobody may be able to choose such keys: Kafka's MD5 can be
//! collided by whoever may produce, SipHash cannot without its key. By chance, among a billion keys, two collide with a
//! probability of 10^-21.

use std::hash::Hasher as _;

use base::Offset;
use siphasher::sip128::{Hasher128 as _, SipHasher24};

/// Bytes that one key takes.
const SLOT: usize = size_of::<Slot>();

/// A table grows when it is this full, in percent, as long as there is memory left.
const GROW_AT: usize = 70;

/// How many slots a table has at first.
const FIRST_SLOTS: usize = 32;

/// So much memory is enough to split it over several tables.
const TABLE_BYTES: usize = 64 << 10;

/// The map is made of up to so many tables, which grow one at a time: what growing takes for a moment is a share of the
/// whole, not a half.
const MOST_TABLES: usize = 64;

/// How much memory the map may take, and what its hashes depend on.
#[derive(Clone, Copy, Debug)]
pub struct KeyLimits {
    /// `log.cleaner.dedupe.buffer.size`, in bytes.
    pub bytes: usize,
    /// `log.cleaner.io.buffer.load.factor`: how full it may become; above 0, below 1.
    pub load: f64,
    /// A random number that is nobody else's business.
    pub secret: u128,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: [u64; 2],
    /// Negative: the slot is free.
    offset: i64,
}

const FREE: Slot = Slot { hash: [0; 2], offset: -1 };

impl Slot {
    fn holds(&self, hash: [u64; 2]) -> bool {
        self.offset >= 0 && self.hash == hash
    }
}

#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    used: usize,
}

/// The newest offset of each key.
#[derive(Debug)]
pub(super) struct KeyMap {
    limits: KeyLimits,
    tables: Vec<Table>,
    /// How many slots a table may have, and how many of them may be in use.
    most_slots: usize,
    most_used: usize,
}

impl KeyMap {
    /// Takes no memory to speak of yet.
    pub(super) fn new(limits: KeyLimits) -> Self {
        let tables = (limits.bytes / TABLE_BYTES).clamp(1, MOST_TABLES);
        // While a table grows there are two of it.
        let most_slots = (limits.bytes / (tables + 1) / SLOT).max(1);
        let most_used = ((most_slots as f64 * limits.load) as usize).clamp(1, most_slots);
        let tables = std::iter::repeat_with(Table::default).take(tables).collect();
        Self { limits, tables, most_slots, most_used }
    }

    /// Notes that `key` is at `offset`, which is not below what it was at before. False, and nothing is changed, when
    /// there is no room for another key.
    pub(super) fn put(&mut self, key: &[u8], offset: Offset) -> bool {
        let hash = self.hash(key);
        let (most_slots, most_used) = (self.most_slots, self.most_used);
        let table = self.table(hash);
        if table.slots.is_empty() {
            table.slots = vec![FREE; FIRST_SLOTS.min(most_slots)];
        }
        let at = table.find(hash);
        if table.slots[at].holds(hash) {
            table.slots[at].offset = offset.0;
            return true;
        }
        if table.used >= most_used {
            return false;
        }
        if table.used * 100 >= table.slots.len() * GROW_AT && table.slots.len() < most_slots {
            table.grow((table.slots.len() * 2).min(most_slots));
        }
        let at = table.find(hash);
        table.slots[at] = Slot { hash, offset: offset.0 };
        table.used += 1;
        true
    }

    /// The newest offset of `key`, if it is known.
    pub(super) fn get(&self, key: &[u8]) -> Option<Offset> {
        let hash = self.hash(key);
        let table = &self.tables[self.table_of(hash)];
        if table.slots.is_empty() {
            return None;
        }
        let slot = table.slots[table.find(hash)];
        slot.holds(hash).then_some(Offset(slot.offset))
    }

    /// How many keys there are.
    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(|table| table.used).sum()
    }

    /// Bytes that are taken.
    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.tables.iter().map(|table| table.slots.capacity() * SLOT).sum()
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        let mut hasher = SipHasher24::new_with_key(&self.limits.secret.to_le_bytes());
        hasher.write(key);
        let hash = hasher.finish128();
        [hash.h1, hash.h2]
    }

    fn table_of(&self, hash: [u64; 2]) -> usize {
        scaled(hash[1], self.tables.len())
    }

    fn table(&mut self, hash: [u64; 2]) -> &mut Table {
        let at = self.table_of(hash);
        &mut self.tables[at]
    }
}

impl Table {
    /// The slot of `hash`, or the free one where it belongs; any other one if every slot is in use.
    fn find(&self, hash: [u64; 2]) -> usize {
        let mut at = scaled(hash[0], self.slots.len());
        for _ in 0..self.slots.len() {
            let slot = &self.slots[at];
            if slot.offset < 0 || slot.hash == hash {
                return at;
            }
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        at
    }

    fn grow(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![FREE; slots]);
        for slot in old.into_iter().filter(|slot| slot.offset >= 0) {
            let at = self.find(slot.hash);
            self.slots[at] = slot;
        }
    }
}

/// A number below `count`, evenly drawn from `bits`.
fn scaled(bits: u64, count: usize) -> usize {
    ((u128::from(bits) * count as u128) >> 64) as usize
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn map(bytes: usize) -> KeyMap {
        KeyMap::new(KeyLimits { bytes, load: 0.9, secret: 0x5eed })
    }

    fn key(at: usize) -> [u8; 8] {
        at.to_be_bytes()
    }

    #[test]
    fn it_remembers_the_newest_offset_of_each_key() {
        let mut map = map(10 << 20);
        let mut model = HashMap::new();
        for at in 0..100_000 {
            let key = key(at * 7919 % 30_011);
            assert!(map.put(&key, Offset(at as i64)));
            model.insert(key, Offset(at as i64));
        }
        assert_eq!(map.len(), model.len());
        for (key, offset) in &model {
            assert_eq!(map.get(key), Some(*offset));
        }
        assert_eq!(map.get(b"another"), None);
        assert_eq!(map.get(b""), None);
    }

    #[test]
    fn it_takes_memory_as_keys_come_and_never_more_than_it_may() {
        for limit in [24, 100, 5_000, 64 << 10, 100 << 10, 1 << 20, 4 << 20] {
            let mut map = map(limit);
            assert_eq!(map.bytes(), 0);
            let mut at = 0;
            while map.put(&key(at), Offset(at as i64)) {
                at += 1;
                assert!(map.bytes() <= limit.max(SLOT), "{} bytes of {limit}", map.bytes());
                assert!(map.bytes() <= at * 80 + MOST_TABLES * FIRST_SLOTS * SLOT, "{at} keys");
            }
            let fits = limit / SLOT;
            assert!(at >= 1 && at <= fits.max(1), "{at} keys in {limit} bytes");
            if limit >= 1 << 20 {
                assert!(at as f64 > fits as f64 * 0.75, "{at} of {fits}");
            }
            assert!(map.put(&key(at / 2), Offset(999)), "a known key needs no room");
            assert_eq!((map.get(&key(at / 2)), map.len()), (Some(Offset(999)), at));
            assert_eq!(map.get(&key(at)), None);
        }
    }

    #[test]
    fn hashes_depend_on_the_secret() {
        let other = KeyMap::new(KeyLimits { bytes: 1 << 20, load: 0.9, secret: 1 });
        assert_ne!(map(1 << 20).hash(b"key"), other.hash(b"key"));
        assert_eq!(map(1 << 20).hash(b"key"), map(1 << 20).hash(b"key"));
    }
}
