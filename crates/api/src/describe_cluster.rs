//! DescribeCluster (key 60): the nodes of the cluster (KIP-700). There is one, and it is broker and controller.

use catalog::Catalog;
use wire::StrBytes;
use wire::messages::describe_cluster::{
    DescribeClusterBroker, DescribeClusterRequest, DescribeClusterResponse,
};

use crate::answer::{Handled, body, message, ready};
use crate::broker::Request;
use crate::code::Code;
use crate::operations;

/// Endpoint types (KIP-919).
const BROKERS: i8 = 1;
const CONTROLLERS: i8 = 2;

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let version = request.version();
    let asked: DescribeClusterRequest = body(request)?;
    match asked.endpoint_type {
        BROKERS => {}
        CONTROLLERS => {
            let text = "this listener is for brokers; the request asks for controllers";
            return ready(&refused(Code::MismatchedEndpointType, text), version);
        }
        other => {
            let text = format!("there is no endpoint type {other}");
            return ready(&refused(Code::UnsupportedEndpointType, &text), version);
        }
    }
    let node = catalog.node_id().0;
    let this_broker = |(host, port): &(String, u16)| DescribeClusterBroker {
        broker_id: node,
        host: StrBytes::from(host.clone()),
        port: i32::from(*port),
        rack: request.listener.rack(),
        is_fenced: false,
    };
    let response = DescribeClusterResponse {
        cluster_id: StrBytes::from(catalog.cluster_id().to_owned()),
        controller_id: node,
        brokers: request.listener.advertised.iter().map(this_broker).collect(),
        cluster_authorized_operations: if asked.include_cluster_authorized_operations {
            operations::ON_CLUSTER
        } else {
            operations::NOT_ASKED
        },
        ..DescribeClusterResponse::default()
    };
    ready(&response, version)
}

fn refused(code: Code, text: &str) -> DescribeClusterResponse {
    DescribeClusterResponse {
        error_code: code.into(),
        error_message: message(&text),
        ..DescribeClusterResponse::default()
    }
}
