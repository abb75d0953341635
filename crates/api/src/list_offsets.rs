//! ListOffsets (key 2): from a time to an offset, and from the times below zero to the ends of a partition.
//!
//! | time | offset | from version |
//! | ---: | --- | --- |
//! | -1 | the high watermark, or the last stable offset for read_committed | 1 |
//! | -2, -4 | the log start; nothing is tiered, so all that is there is local | 1, 8 |
//! | -3 | the first record with the largest timestamp (KIP-734) | 7 |
//! | -5 | none: nothing is tiered (KIP-1005) | 9 |
//! | 0 and above | the first record that is not older | 1 |
//!
//! Looking for a record reads files, so such requests are answered from a thread that may wait.

use std::collections::HashSet;
use std::sync::Arc;

use base::{LeaderEpoch, Millis, Offset};
use catalog::Catalog;
use log::Found;
use partition::{Isolation, Partition};
use wire::StrBytes;
use wire::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsRequest, ListOffsetsResponse,
    ListOffsetsTopicResponse,
};

use crate::answer::{Handled, body, outcome, ready};
use crate::blocking;
use crate::broker::{Broker, Request};
use crate::code::Code;
use crate::leader_epoch;
use crate::partitions::{broken_read, partition, unreadable};

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;

/// The replica id of a consumer. All others see up to the log end, as followers and debugging tools do.
const CONSUMER: i32 = -1;

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ListOffsetsRequest = body(request)?;
    let reads_files = asked
        .topics
        .iter()
        .flat_map(|topic| &topic.partitions)
        .any(|partition| partition.timestamp >= 0 || partition.timestamp == MAX_TIMESTAMP);
    if !reads_files {
        return ready(&answer(&broker.catalog, &asked, version), version);
    }
    let catalog = broker.catalog.clone();
    Ok(blocking::answer(move || outcome(&answer(&catalog, &asked, version), version)))
}

/// Up to where the asker may see.
#[derive(Clone, Copy)]
enum Sight {
    Consumer(Isolation),
    LogEnd,
}

fn answer(catalog: &Catalog, asked: &ListOffsetsRequest, version: i16) -> ListOffsetsResponse {
    let sight = match (asked.replica_id, asked.isolation_level) {
        (CONSUMER, 0) => Ok(Sight::Consumer(Isolation::ReadUncommitted)),
        (CONSUMER, 1) => Ok(Sight::Consumer(Isolation::ReadCommitted)),
        (_, 0 | 1) => Ok(Sight::LogEnd),
        _ => Err(Code::InvalidRequest),
    };
    let known = catalog.topics();
    let twice = named_twice(asked);
    let topics = asked
        .topics
        .iter()
        .map(|topic| {
            let found = known.by_name(&topic.name).ok_or(Code::UnknownTopicOrPartition);
            let look = |asked: &ListOffsetsPartition| {
                let sight = sight?;
                if twice.contains(&(&topic.name, asked.partition_index)) {
                    return Err(Code::InvalidRequest);
                }
                if !is_time(asked.timestamp, version) {
                    return Err(Code::UnsupportedVersion);
                }
                let partition = partition(catalog, found?, asked.partition_index)?;
                leader_epoch::check(&partition, LeaderEpoch(asked.current_leader_epoch))?;
                look_up(&partition, asked.timestamp, sight)
            };
            let mut once = HashSet::new();
            ListOffsetsTopicResponse {
                name: topic.name.clone(),
                partitions: topic
                    .partitions
                    .iter()
                    .filter(|asked| once.insert(asked.partition_index))
                    .map(|asked| response(asked.partition_index, look(asked), version))
                    .collect(),
            }
        })
        .collect();
    ListOffsetsResponse { topics, ..ListOffsetsResponse::default() }
}

fn named_twice(asked: &ListOffsetsRequest) -> HashSet<(&StrBytes, i32)> {
    let mut seen = HashSet::new();
    asked
        .topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| (&topic.name, partition.partition_index)))
        .filter(|named| !seen.insert(*named))
        .collect()
}

/// Whether `timestamp` means anything at `version`.
const fn is_time(timestamp: i64, version: i16) -> bool {
    match timestamp {
        0.. | LATEST | EARLIEST => true,
        MAX_TIMESTAMP => version >= 7,
        EARLIEST_LOCAL => version >= 8,
        LATEST_TIERED => version >= 9,
        _ => false,
    }
}

fn look_up(partition: &Partition, timestamp: i64, sight: Sight) -> Result<Option<Found>, Code> {
    let marks = partition.marks();
    let end = |offset, leader_epoch| Some(Found { offset, timestamp: Millis::NONE, leader_epoch });
    match timestamp {
        LATEST => {
            let ceiling = match sight {
                Sight::Consumer(Isolation::ReadUncommitted) => marks.high_watermark,
                Sight::Consumer(Isolation::ReadCommitted) => marks.last_stable,
                Sight::LogEnd => marks.log_end,
            };
            Ok(end(ceiling, partition.leader_epoch()))
        }
        EARLIEST | EARLIEST_LOCAL => Ok(end(marks.log_start, epoch_at(partition, marks.log_start))),
        LATEST_TIERED => Ok(None),
        MAX_TIMESTAMP => match sight {
            Sight::Consumer(isolation) => {
                partition.offset_of_max_timestamp(isolation).map_err(|error| unreadable(&error))
            }
            Sight::LogEnd => {
                partition.log().offset_of_max_timestamp(marks.log_end).map_err(|error| broken_read(&error))
            }
        },
        _ => match sight {
            Sight::Consumer(isolation) => partition
                .offset_for_timestamp(Millis(timestamp), isolation)
                .map_err(|error| unreadable(&error)),
            Sight::LogEnd => partition
                .log()
                .offset_for_timestamp(Millis(timestamp), marks.log_end)
                .map_err(|error| broken_read(&error)),
        },
    }
}

/// The leader epoch of the record at the log start; of an empty log the current one, in which the first will be written.
fn epoch_at(partition: &Partition, log_start: Offset) -> LeaderEpoch {
    if log_start == partition.marks().log_end {
        return partition.leader_epoch();
    }
    partition.log().epoch_at(log_start).unwrap_or(LeaderEpoch::NONE)
}

fn response(index: i32, found: Result<Option<Found>, Code>, version: i16) -> ListOffsetsPartitionResponse {
    let nothing = ListOffsetsPartitionResponse {
        partition_index: index,
        timestamp: -1,
        offset: -1,
        ..ListOffsetsPartitionResponse::default()
    };
    match found {
        Ok(Some(found)) => ListOffsetsPartitionResponse {
            timestamp: found.timestamp.0,
            offset: found.offset.0,
            leader_epoch: if version >= 4 { found.leader_epoch.0 } else { -1 },
            ..nothing
        },
        Ok(None) => nothing,
        Err(code) => ListOffsetsPartitionResponse { error_code: code.into(), ..nothing },
    }
}
