//! A coordinator over a real catalogue, and what it is asked.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on should say so")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base::{LeaderEpoch, Millis, NodeId, Offset, PartitionIndex, Uuid};
use catalog::{Catalog, CatalogConfig, NewTopic};
use coordinator::{Coordinator, Unavailable};
use disk::Disk;
use settings::{Endpoint, Settings};
use state_machines::group::{
    CommitOffsets, CommitPartition, CommitTopic, Event, FetchOffsets, Join, Protocol, Reply,
};
use tokio::runtime::Runtime;

/// A node whose coordinator runs.
pub(crate) struct Node {
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) coordinator: Arc<Coordinator>,
}

impl Node {
    pub(crate) fn start(disk: Arc<dyn Disk>, dir: &Path, given: &[(&str, &str)], runtime: &Runtime) -> Self {
        Self::start_by(now, disk, dir, given, runtime)
    }

    /// With this wall clock.
    pub(crate) fn start_by(
        clock: fn() -> Millis,
        disk: Arc<dyn Disk>,
        dir: &Path,
        given: &[(&str, &str)],
        runtime: &Runtime,
    ) -> Self {
        let mut settings = Settings::default();
        let quick = [("group.initial.rebalance.delay.ms", "0"), ("offsets.topic.num.partitions", "2")];
        for (key, value) in quick.iter().chain(given) {
            settings.set(key, value).unwrap();
        }
        let settings = Arc::new(settings);
        let config = CatalogConfig {
            data_dir: dir.join("data"),
            node_id: NodeId(1),
            cluster_id: None,
            endpoints: vec![Endpoint { name: "PLAINTEXT".to_owned(), host: "here".to_owned(), port: 9092 }],
            settings: Arc::clone(&settings),
        };
        let catalog = Catalog::open_unlocked(disk, config, Box::new(Uuid::new_v4), now()).unwrap();
        let coordinator =
            Coordinator::start(Arc::clone(&catalog), settings, runtime.handle().clone(), clock).unwrap();
        Self { catalog, coordinator }
    }

    /// With `__consumer_offsets` and a topic `work`.
    pub(crate) fn fresh(disk: Arc<dyn Disk>, dir: &Path, given: &[(&str, &str)], runtime: &Runtime) -> Self {
        let node = Self::start(disk, dir, given, runtime);
        for created in node.catalog.create_topics(vec![NewTopic::with_defaults("work")], false, now()) {
            created.unwrap();
        }
        node.coordinator.ensure_offsets_topic(now()).unwrap();
        node
    }

    pub(crate) fn ask(&self, group: &str, event: Event, runtime: &Runtime) -> Result<Reply, Unavailable> {
        let answer = self.coordinator.submit(group, event, now())?;
        runtime.block_on(answer.get())
    }

    pub(crate) fn commit(&self, group: &str, offset: i64, runtime: &Runtime) -> Result<(), Unavailable> {
        match self.ask(group, commit(group, offset), runtime)? {
            Reply::CommitOffsets(Ok(topics)) => {
                assert_eq!(topics[0].partitions, [(PartitionIndex(0), Ok(()))]);
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    /// The offset of `group` in partition 0 of `work`, once its groups are in force.
    pub(crate) fn committed(&self, group: &str, runtime: &Runtime) -> i64 {
        let fetch = FetchOffsets {
            group_id: group.into(),
            topics: None,
            require_stable: true,
            member_id: None,
            member_epoch: -1,
        };
        loop {
            let fetch = fetch.clone();
            match self.coordinator.look(group, move |groups| groups.fetch_offsets(&fetch)) {
                Ok(answer) => {
                    let topics = runtime.block_on(answer.get()).unwrap().unwrap();
                    return topics.first().map_or(-1, |topic| topic.partitions[0].offset.0);
                }
                Err(Unavailable::Loading | Unavailable::Failed) => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(Unavailable::NotHere) => return -1,
            }
        }
    }

    pub(crate) fn stop(self) {
        self.coordinator.stop();
        self.catalog.close(now()).unwrap();
    }
}

pub(crate) fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    Millis(i64::try_from(since.as_millis()).unwrap())
}

pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap()
}

pub(crate) fn commit(group: &str, offset: i64) -> Event {
    Event::CommitOffsets(CommitOffsets {
        group_id: group.into(),
        member_id: "".into(),
        instance_id: None,
        generation: -1,
        retention_ms: None,
        names_unknown_group: true,
        topics: vec![CommitTopic {
            name: "work".into(),
            topic_id: Uuid::nil(),
            partitions: vec![CommitPartition {
                index: PartitionIndex(0),
                offset: Offset(offset),
                leader_epoch: LeaderEpoch::NONE,
                metadata: "".into(),
            }],
        }],
    })
}

pub(crate) fn join(group: &str, member: &str) -> Event {
    Event::Join(Join {
        group_id: group.into(),
        member_id: member.into(),
        instance_id: None,
        client_id: "tester".into(),
        client_host: "/127.0.0.1".into(),
        session_timeout_ms: 30_000,
        rebalance_timeout_ms: 30_000,
        protocol_type: "consumer".into(),
        protocols: vec![Protocol { name: "range".into(), metadata: Arc::from(&b"topics"[..]) }],
        uuid: Uuid::new_v4(),
        requires_member_id: false,
        skips_assignment: true,
    })
}
