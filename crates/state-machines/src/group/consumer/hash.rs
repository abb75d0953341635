//! One number for all that a group knows of its topics, so that a change of it is seen (Kafka: `Utils.computeTopicHash`,
//! `Utils.computeGroupHash`). It is stored, and the next broker that reads it has to come to the same one.

use std::sync::Arc;

use twox_hash::XxHash3_64;

use crate::topics::{Topic, Topics};

/// The hash over the topics of these names that exist; 0 for none. A topic's hash begins with a zero, the version of this rule,
/// then its id, its name, and the count and numbers of its partitions, each followed by the racks of its replicas: the length of a
/// rack and the rack. Text is in UTF-16, its length behind it. Every replica is on this broker, whose rack is `rack`.
pub(super) fn metadata_hash<'a>(
    names: impl Iterator<Item = &'a Arc<str>>,
    topics: &Topics,
    rack: Option<&str>,
) -> i64 {
    let mut bytes = Vec::new();
    for topic in names.filter_map(|name| topics.by_name(name)) {
        bytes.extend(topic_hash(topic, rack).to_le_bytes());
    }
    if bytes.is_empty() { 0 } else { hash(&bytes) }
}

fn topic_hash(topic: &Topic, rack: Option<&str>) -> i64 {
    let mut bytes = vec![0];
    let (high, low) = topic.id.as_u64_pair();
    bytes.extend(high.to_le_bytes());
    bytes.extend(low.to_le_bytes());
    put(&mut bytes, &topic.name);
    bytes.extend(count(topic.partitions.len()));
    for (index, partition) in topic.partitions.iter().enumerate() {
        bytes.extend(count(index));
        for rack in partition.replicas.iter().filter_map(|_| rack) {
            bytes.extend(count(rack.encode_utf16().count()));
            put(&mut bytes, rack);
        }
    }
    hash(&bytes)
}

fn put(bytes: &mut Vec<u8>, text: &str) {
    let before = bytes.len();
    text.encode_utf16().for_each(|unit| bytes.extend(unit.to_le_bytes()));
    let units = (bytes.len() - before) / 2;
    bytes.extend(count(units));
}

fn count(count: usize) -> [u8; 4] {
    u32::try_from(count).expect("fewer than 2^31").to_le_bytes()
}

fn hash(bytes: &[u8]) -> i64 {
    XxHash3_64::oneshot(bytes).cast_signed()
}

#[cfg(test)]
mod tests {
    use base::{NodeId, PartitionIndex, Uuid};

    use super::*;
    use crate::topics::{PartitionInfo, Record};

    fn add(topics: &mut Topics, id: u128, name: &str, partitions: i32) {
        let id = Uuid::from_u128(id);
        topics.apply(&Record::Topic { id, name: name.to_owned() }).expect("new");
        for index in 0..partitions {
            let info = PartitionInfo { replicas: vec![NodeId(1)], ..PartitionInfo::default() };
            let record = Record::Partition { topic: id, index: PartitionIndex(index), info };
            topics.apply(&record).expect("there");
        }
    }

    /// The numbers are those of Kafka 4.1.1, by its own code on these topics.
    #[test]
    fn kafka_comes_to_the_same_numbers() {
        let mut topics = Topics::default();
        add(&mut topics, 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10, "orders", 3);
        add(&mut topics, 0x0000_0000_0000_0001_0000_0000_0000_0002, "payments.eu", 40);
        let [orders, payments] = ["orders", "payments.eu"].map(|name| topics.by_name(name).expect("there"));
        assert_eq!(topic_hash(orders, Some("eu-1a")), -5_953_861_487_317_208_097);
        assert_eq!(topic_hash(orders, None), 3_653_115_502_262_934_565);
        assert_eq!(topic_hash(payments, None), -2_157_496_466_192_471_475);
        let hash = |names: &[&str]| {
            let names: Vec<Arc<str>> = names.iter().map(|name| Arc::from(*name)).collect();
            metadata_hash(names.iter(), &topics, None)
        };
        assert_eq!(hash(&["orders"]), 4_469_793_264_692_497_189);
        assert_eq!(hash(&["gone", "orders", "payments.eu"]), -6_362_936_784_185_906_781);
        assert_eq!(hash(&["gone"]), 0);
    }
}
