//! Which operations a client may do, as bits: 1 shifted by the code of each (Kafka: `AclOperation`, KIP-430).
//!
//! Without an authorizer everyone may do whatever the kind of resource knows (`AclEntry.supportedOperations`).

const CREATE: i32 = 1 << 5;
const DELETE: i32 = 1 << 6;
const ALTER: i32 = 1 << 7;
const DESCRIBE: i32 = 1 << 8;
const DESCRIBE_CONFIGS: i32 = 1 << 10;
const ALTER_CONFIGS: i32 = 1 << 11;
const READ: i32 = 1 << 3;
const WRITE: i32 = 1 << 4;
const CLUSTER_ACTION: i32 = 1 << 9;
const IDEMPOTENT_WRITE: i32 = 1 << 12;

/// Everything there is to do with a topic.
pub(crate) const ON_TOPIC: i32 =
    READ | WRITE | CREATE | DELETE | ALTER | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;

/// Everything there is to do with the cluster.
pub(crate) const ON_CLUSTER: i32 =
    CREATE | ALTER | DESCRIBE | CLUSTER_ACTION | DESCRIBE_CONFIGS | ALTER_CONFIGS | IDEMPOTENT_WRITE;

/// Everything there is to do with a group.
pub(crate) const ON_GROUP: i32 = READ | DELETE | DESCRIBE | DESCRIBE_CONFIGS | ALTER_CONFIGS;

/// The bits were not asked for.
pub(crate) const NOT_ASKED: i32 = i32::MIN;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bits_are_those_that_kafka_answers() {
        assert_eq!((ON_TOPIC, ON_CLUSTER), (3576, 8096), "seen from Kafka 4.1.1 without an authorizer");
    }
}
