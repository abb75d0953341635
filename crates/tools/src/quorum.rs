//! `kafka-metadata-quorum.sh describe`: who keeps the cluster's metadata (Kafka: `MetadataQuorumCommand`).

use std::time::{SystemTime, UNIX_EPOCH};

use client::{Client, ClientError, LATEST};
use wire::messages::describe_cluster::DescribeClusterRequest;
use wire::messages::describe_quorum::{
    DescribeQuorumRequest, Node, PartitionData, PartitionRequest, ReplicaState, TopicRequest,
};

use crate::call::{Call, Failure};
use crate::java;
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Flag, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows who keeps the cluster's metadata (describe).",
    flags: &[
        BOOTSTRAP,
        Flag { name: "status", takes: Takes::Nothing, help: "show a summary" },
        Flag { name: "replication", takes: Takes::Nothing, help: "show each replica" },
        Flag {
            name: "human-readable",
            takes: Takes::Nothing,
            help: "with --replication: how long ago instead of when",
        },
        COMMAND_CONFIG,
        Flag {
            name: "bootstrap-controller",
            takes: Takes::Refused,
            help: "ask the broker with --bootstrap-server",
        },
    ],
    word: Word::Command(&["describe"]),
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let options = &call.options;
    options.bootstrap()?;
    options.command()?;
    let told = |why: &str| Err(Failure::Told(why.to_owned()));
    let (status, replication) = (options.has("status"), options.has("replication"));
    match (status, replication) {
        (true, true) => {
            return told(
                "Only one of --status or --replication should be specified with describe sub-command",
            );
        }
        (false, false) => {
            return told("One of --status or --replication must be specified with describe sub-command");
        }
        (true, false) if options.has("human-readable") => {
            return told("The option --human-readable is only supported along with --replication");
        }
        _ => {}
    }
    let mut client = call.client("ottla-quorum", COMMAND_CONFIG.name)?;
    let (quorum, nodes) = quorum(&mut client)?;
    let leader = quorum.current_voters.iter().find(|voter| voter.replica_id == quorum.leader_id);
    let leader =
        leader.ok_or_else(|| Failure::Told(format!("The leader {} is no voter", quorum.leader_id)))?;
    if replication {
        replicas(call, &quorum, leader)
    } else {
        summary(call, &mut client, &quorum, &nodes, leader)
    }
}

fn quorum(client: &mut Client) -> Result<(PartitionData, Vec<Node>), ClientError> {
    client.persist(|client| {
        let answer = client.ask(LATEST, |_| DescribeQuorumRequest {
            topics: vec![TopicRequest {
                topic_name: "__cluster_metadata".into(),
                partitions: vec![PartitionRequest { partition_index: 0 }],
            }],
        })?;
        ClientError::of(answer.error_code, answer.error_message.as_deref())?;
        let partition = answer.topics.into_iter().flat_map(|topic| topic.partitions).next();
        let partition =
            partition.ok_or_else(|| ClientError::Lost("no answer for the metadata".to_owned()))?;
        ClientError::of(partition.error_code, partition.error_message.as_deref())?;
        Ok((partition, answer.nodes))
    })
}

fn summary(
    call: &mut Call<'_>,
    client: &mut Client,
    quorum: &PartitionData,
    nodes: &[Node],
    leader: &ReplicaState,
) -> Result<(), Failure> {
    let cluster = client.persist(|client| {
        let answer = client.ask(LATEST, |_| DescribeClusterRequest::default())?;
        ClientError::of(answer.error_code, answer.error_message.as_deref()).map(|()| answer.cluster_id)
    })?;
    let slowest = quorum.current_voters.iter().min_by_key(|voter| voter.log_end_offset).unwrap_or(leader);
    let behind = match (leader.last_caught_up_timestamp, slowest.last_caught_up_timestamp) {
        _ if slowest.replica_id == leader.replica_id => 0,
        (-1, _) | (_, -1) => -1,
        (leader, slowest) => leader - slowest,
    };
    let replicas = |replicas: &[ReplicaState]| {
        let shown: Vec<_> = replicas.iter().map(|replica| shown(replica, nodes)).collect();
        format!("[{}]", shown.join(", "))
    };
    writeln!(call.out, "ClusterId:              {cluster}")?;
    writeln!(call.out, "LeaderId:               {}", quorum.leader_id)?;
    writeln!(call.out, "LeaderEpoch:            {}", quorum.leader_epoch)?;
    writeln!(call.out, "HighWatermark:          {}", quorum.high_watermark)?;
    writeln!(call.out, "MaxFollowerLag:         {}", leader.log_end_offset - slowest.log_end_offset)?;
    writeln!(call.out, "MaxFollowerLagTimeMs:   {behind}")?;
    writeln!(call.out, "CurrentVoters:          {}", replicas(&quorum.current_voters))?;
    Ok(writeln!(call.out, "CurrentObservers:       {}", replicas(&quorum.observers))?)
}

/// `{"id": 1, "directoryId": "...", "endpoints": ["CONTROLLER://host:9093"]}`.
fn shown(replica: &ReplicaState, nodes: &[Node]) -> String {
    let mut text = format!("{{\"id\": {}", replica.replica_id);
    if !replica.replica_directory_id.is_nil() {
        text.push_str(&format!(", \"directoryId\": \"{}\"", java::id(replica.replica_directory_id)));
    }
    let listeners =
        nodes.iter().filter(|node| node.node_id == replica.replica_id).flat_map(|node| &node.listeners);
    let endpoints: Vec<_> = listeners
        .map(|listener| match listener.host.contains(':') {
            true => format!("\"{}://[{}]:{}\"", listener.name, listener.host, listener.port),
            false => format!("\"{}://{}:{}\"", listener.name, listener.host, listener.port),
        })
        .collect();
    if !endpoints.is_empty() {
        text.push_str(&format!(", \"endpoints\": [{}]", endpoints.join(", ")));
    }
    text.push('}');
    text
}

fn replicas(call: &mut Call<'_>, quorum: &PartitionData, leader: &ReplicaState) -> Result<(), Failure> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let ago = call.options.has("human-readable");
    let time = |time: i64| match time {
        -1 => "-1".to_owned(),
        time if ago => format!("{} ms ago", now - time),
        time => time.to_string(),
    };
    let followers = quorum.current_voters.iter().filter(|voter| voter.replica_id != leader.replica_id);
    let all = std::iter::once((leader, "Leader"))
        .chain(followers.map(|voter| (voter, "Follower")))
        .chain(quorum.observers.iter().map(|observer| (observer, "Observer")));
    let header = [
        "NodeId",
        "DirectoryId",
        "LogEndOffset",
        "Lag",
        "LastFetchTimestamp",
        "LastCaughtUpTimestamp",
        "Status",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(all.map(|(replica, status)| {
        [
            replica.replica_id.to_string(),
            java::id(replica.replica_directory_id),
            replica.log_end_offset.to_string(),
            (leader.log_end_offset - replica.log_end_offset).to_string(),
            time(replica.last_fetch_timestamp),
            time(replica.last_caught_up_timestamp),
            status.to_owned(),
        ]
    }));
    let widths: [usize; 7] =
        std::array::from_fn(|at| rows.iter().map(|row| row[at].len()).max().unwrap_or(0));
    for row in rows {
        for (text, width) in row.iter().zip(widths) {
            write!(call.out, "{text:<width$}\t")?;
        }
        writeln!(call.out)?;
    }
    Ok(())
}
