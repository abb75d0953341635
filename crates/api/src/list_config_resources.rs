//! ListConfigResources (key 74): what there are settings for (KIP-1142); in version 0 the subscriptions to client metrics.

use catalog::{Catalog, ResourceType};
use wire::StrBytes;
use wire::messages::list_config_resources::{
    ConfigResource, ListConfigResourcesRequest, ListConfigResourcesResponse,
};

use crate::answer::{Handled, body, ready};
use crate::broker::Request;
use crate::code::Code;

/// Kafka's order of the answer.
const ALL: [ResourceType; 5] = [
    ResourceType::Group,
    ResourceType::ClientMetrics,
    ResourceType::BrokerLogger,
    ResourceType::Broker,
    ResourceType::Topic,
];

pub(crate) fn handle(catalog: &Catalog, request: &Request) -> Handled {
    let version = request.version();
    let asked: ListConfigResourcesRequest = body(request)?;
    let supported = if version == 0 { &[ResourceType::ClientMetrics][..] } else { &ALL[..] };
    let kinds: Vec<ResourceType> = asked.resource_types.iter().copied().map(ResourceType::of).collect();
    if kinds.iter().any(|kind| !supported.contains(kind)) {
        let error_code = Code::UnsupportedVersion.into();
        return ready(&ListConfigResourcesResponse { error_code, ..Default::default() }, version);
    }
    let is_asked = |kind: &&ResourceType| kinds.is_empty() || kinds.contains(kind);
    let one = |kind: &ResourceType| {
        let resource_type = kind.number();
        let resource =
            move |name: String| ConfigResource { resource_name: StrBytes::from(name), resource_type };
        names(catalog, *kind).into_iter().map(resource)
    };
    let config_resources = supported.iter().filter(is_asked).flat_map(one).collect();
    ready(&ListConfigResourcesResponse { config_resources, ..Default::default() }, version)
}

fn names(catalog: &Catalog, kind: ResourceType) -> Vec<String> {
    match kind {
        ResourceType::Group | ResourceType::ClientMetrics => {
            catalog.configs().of_type(kind).map(|(name, _)| name.to_owned()).collect()
        }
        ResourceType::Broker | ResourceType::BrokerLogger => vec![catalog.node_id().0.to_string()],
        ResourceType::Topic => catalog.topics().iter().map(|topic| topic.name.to_string()).collect(),
        ResourceType::Unknown(_) => Vec::new(),
    }
}
