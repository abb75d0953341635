//! `kafka-cluster.sh`: the cluster's id and its brokers (Kafka: `ClusterTool`).

use client::{ClientError, LATEST};
use wire::messages::describe_cluster::{DescribeClusterRequest, DescribeClusterResponse};
use wire::messages::unregister_broker::UnregisterBrokerRequest;

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, Declaration, Flag, Takes, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows the id of the cluster (cluster-id) or its brokers (list-endpoints), or takes a broker out of it (unregister).",
    flags: &[
        BOOTSTRAP,
        Flag { name: "config", takes: Takes::Value("FILE"), help: "a file of client settings" },
        Flag { name: "id", takes: Takes::Value("N"), help: "the broker that is to be unregistered" },
        Flag {
            name: "include-fenced-brokers",
            takes: Takes::Nothing,
            help: "list also brokers that have lost touch",
        },
        Flag {
            name: "bootstrap-controller",
            takes: Takes::Refused,
            help: "ask the broker with --bootstrap-server",
        },
    ],
    word: Word::Command(&["cluster-id", "list-endpoints", "unregister"]),
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    let command = call.options.command()?.to_owned();
    call.options.bootstrap()?;
    let id = match &*command {
        "unregister" => Some(
            call.options
                .number("id")?
                .ok_or_else(|| Failure::Usage("argument --id/-i is required".to_owned()))?,
        ),
        _ => None,
    };
    let mut client = call.client("ottla-cluster", "config")?;
    if let Some(broker_id) = id {
        client.persist(|client| {
            let answer = client.ask(LATEST, |_| UnregisterBrokerRequest { broker_id })?;
            ClientError::of(answer.error_code, answer.error_message.as_deref())
        })?;
        return Ok(writeln!(call.out, "Broker {broker_id} is no longer registered.")?);
    }
    let include_fenced_brokers = call.options.has("include-fenced-brokers");
    let answer = client.persist(|client| {
        let answer = client.ask(LATEST, |_| DescribeClusterRequest {
            include_fenced_brokers,
            ..DescribeClusterRequest::default()
        })?;
        ClientError::of(answer.error_code, answer.error_message.as_deref()).map(|()| answer)
    })?;
    match &*command {
        "cluster-id" => Ok(writeln!(call.out, "Cluster ID: {}", answer.cluster_id)?),
        _ => endpoints(call, &answer),
    }
}

fn endpoints(call: &mut Call<'_>, answer: &DescribeClusterResponse) -> Result<(), Failure> {
    let host = answer.brokers.iter().map(|node| node.host.chars().count()).max().unwrap_or(100);
    let racks = answer.brokers.iter().filter_map(|node| node.rack.as_ref());
    let rack = racks.map(|rack| rack.chars().count()).max().unwrap_or(10);
    let mut line = |cells: [&str; 6]| {
        let [id, host_name, port, rack_name, state, kind] = cells;
        writeln!(call.out, "{id:<10} {host_name:<host$} {port:<10} {rack_name:<rack$} {state:<10} {kind:<15}")
    };
    line(["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"])?;
    for node in &answer.brokers {
        let (id, port) = (node.broker_id.to_string(), node.port.to_string());
        let state = if node.is_fenced { "fenced" } else { "unfenced" };
        line([&id, &node.host, &port, node.rack.as_deref().unwrap_or("null"), state, "broker"])?;
    }
    Ok(())
}
