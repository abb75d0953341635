//! After a start the groups are read in the background.

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use disk::{Operation, RealDisk};
use parking_lot::{Condvar, Mutex};
use testkit::WatchedDisk;
use wire::messages::delete_groups::DeleteGroupsRequest;
use wire::messages::describe_groups::DescribeGroupsRequest;
use wire::messages::find_coordinator::FindCoordinatorRequest;
use wire::messages::heartbeat::HeartbeatRequest;
use wire::messages::join_group::{JoinGroupRequest, JoinGroupRequestProtocol};
use wire::messages::leave_group::LeaveGroupRequest;
use wire::messages::list_groups::ListGroupsRequest;
use wire::messages::metadata::MetadataRequest;
use wire::messages::offset_commit::{
    OffsetCommitRequest, OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use wire::messages::offset_fetch::{OffsetFetchRequest, OffsetFetchRequestGroup, OffsetFetchResponseGroup};
use wire::messages::sync_group::SyncGroupRequest;

use crate::house::{House, batch, text};

const LOADING: i16 = 14;
const UNKNOWN_MEMBER_ID: i16 = 25;
/// Enough that there are some in most of the 50 partitions of `__consumer_offsets`.
const GROUPS: i64 = 100;

fn name(group: i64) -> wire::StrBytes {
    text(&format!("group-{group}"))
}

fn commit(house: &House, group: i64) -> i16 {
    let partitions = vec![OffsetCommitRequestPartition {
        committed_offset: group,
        ..OffsetCommitRequestPartition::default()
    }];
    let topics =
        vec![OffsetCommitRequestTopic { name: text("t"), partitions, ..OffsetCommitRequestTopic::default() }];
    let request = OffsetCommitRequest {
        group_id: name(group),
        generation_id_or_member_epoch: -1,
        topics,
        ..OffsetCommitRequest::default()
    };
    house.ask(8, &request).topics[0].partitions[0].error_code
}

fn committed(house: &House, group: i64) -> OffsetFetchResponseGroup {
    let group =
        OffsetFetchRequestGroup { group_id: name(group), topics: None, ..OffsetFetchRequestGroup::default() };
    let fetch = OffsetFetchRequest { groups: vec![group], ..OffsetFetchRequest::default() };
    house.ask(8, &fetch).groups.remove(0)
}

fn find(house: &House) -> i16 {
    let find =
        FindCoordinatorRequest { coordinator_keys: vec![name(0)], ..FindCoordinatorRequest::default() };
    house.ask(4, &find).coordinators[0].error_code
}

/// What is asked about a group's members, and how each is answered.
fn members(house: &House, group: i64) -> [i16; 6] {
    let group_id = || name(group);
    let protocols =
        vec![JoinGroupRequestProtocol { name: text("range"), ..JoinGroupRequestProtocol::default() }];
    let join = JoinGroupRequest {
        group_id: group_id(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        member_id: text("stranger"),
        protocol_type: text("consumer"),
        protocols,
        ..JoinGroupRequest::default()
    };
    let sync = SyncGroupRequest { group_id: group_id(), ..SyncGroupRequest::default() };
    let beat = HeartbeatRequest { group_id: group_id(), ..HeartbeatRequest::default() };
    let leave = LeaveGroupRequest { group_id: group_id(), ..LeaveGroupRequest::default() };
    let describe = DescribeGroupsRequest { groups: vec![group_id()], ..DescribeGroupsRequest::default() };
    [
        house.ask(5, &join).error_code,
        house.ask(3, &sync).error_code,
        house.ask(3, &beat).error_code,
        house.ask(2, &leave).error_code,
        house.ask(5, &describe).groups[0].error_code,
        house.ask(4, &ListGroupsRequest::default()).error_code,
    ]
}

#[test]
fn everything_else_is_served_while_groups_are_loaded() {
    let house = House::new();
    house.create("t", 1, &[]);
    assert_eq!(find(&house), 0);
    for group in 0..GROUPS {
        assert_eq!(commit(&house, group), 0);
    }
    let dir = house.abandon();

    // Nobody but the thread that loads waits here: a start after a kill reads logs too.
    let gate = Arc::new((Mutex::new(false), Condvar::new()));
    let passed = Arc::clone(&gate);
    let disk = WatchedDisk::new(Arc::new(RealDisk::new()), move |operation, _| {
        if operation == Operation::Read && thread::current().name() == Some("group-loader") {
            let (is_open, opened) = &*passed;
            opened.wait_while(&mut is_open.lock(), |is_open| !*is_open);
        }
    });
    let house = House::over(Arc::new(disk), dir, &[]);
    for group in [0, 1, GROUPS - 1] {
        assert_eq!(committed(&house, group).error_code, LOADING);
        assert_eq!(commit(&house, group), LOADING);
        // A heartbeat is answered as if nothing were amiss, so that no member thinks it has been thrown out.
        assert_eq!(members(&house, group), [LOADING, LOADING, 0, LOADING, LOADING, LOADING]);
        let delete = DeleteGroupsRequest { groups_names: vec![name(group)] };
        assert_eq!(house.ask(2, &delete).results[0].error_code, LOADING);
    }
    assert_eq!(find(&house), 0);
    assert_eq!(
        house.ask(12, &MetadataRequest { topics: None, ..MetadataRequest::default() }).topics.len(),
        2
    );
    house.create("new", 1, &[]);
    assert_eq!(house.send("new", batch(&["served"])).error_code, 0);
    assert_eq!(house.read("new", 0).high_watermark, 1);

    *gate.0.lock() = true;
    gate.1.notify_all();
    for group in 0..GROUPS {
        let stored = loop {
            let stored = committed(&house, group);
            if stored.error_code != LOADING {
                break stored;
            }
            thread::sleep(Duration::from_millis(1));
        };
        assert_eq!((stored.error_code, stored.topics[0].partitions[0].committed_offset), (0, group));
    }
    let unknown = UNKNOWN_MEMBER_ID;
    assert_eq!(members(&house, 0), [unknown, unknown, unknown, unknown, 0, 0]);
}
