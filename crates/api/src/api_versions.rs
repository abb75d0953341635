//! ApiVersions (key 18): what this broker speaks, computed from the handler table.
//!
//! A version above ours is answered in version 0 with UNSUPPORTED_VERSION and the one entry that says which versions of
//! ApiVersions there are; its body is not looked at (KIP-511). Up to version 3, features that start at level 0 are left
//! out, because old Java clients break on them (KAFKA-17011).

use std::sync::Arc;

use wire::messages::api_versions::{
    ApiVersion, ApiVersionsRequest, ApiVersionsResponse, FinalizedFeatureKey, SupportedFeatureKey,
};
use wire::{ApiKey, StrBytes};

use crate::answer::{Handled, body, ready};
use crate::broker::{Broker, Request};
use crate::code::Code;
use crate::table::{APIS, Api};

pub(crate) fn handle(broker: &Arc<Broker>, request: &Request) -> Handled {
    let version = request.version();
    let asked: ApiVersionsRequest = body(request)?;
    if version >= 3 && !(is_name(&asked.client_software_name) && is_name(&asked.client_software_version)) {
        let refused =
            ApiVersionsResponse { error_code: Code::InvalidRequest.into(), ..ApiVersionsResponse::default() };
        return ready(&refused, version);
    }
    if version >= 3 {
        broker.telemetry.introduced(
            request.peer,
            &asked.client_software_name,
            &asked.client_software_version,
        );
    }
    let features = broker.catalog.features();
    let response = ApiVersionsResponse {
        api_keys: APIS.iter().filter(|api| api.is_served_by(broker)).map(entry).collect(),
        supported_features: features
            .supported
            .iter()
            .filter(|feature| version > 3 || feature.min > 0)
            .map(|feature| SupportedFeatureKey {
                name: StrBytes::from_static(feature.name),
                min_version: feature.min,
                max_version: feature.max,
            })
            .collect(),
        finalized_features_epoch: broker.catalog.metadata_offset().0,
        finalized_features: features
            .finalized
            .into_iter()
            .map(|feature| FinalizedFeatureKey {
                name: StrBytes::from(feature.name),
                max_version_level: feature.level,
                min_version_level: feature.level,
            })
            .collect(),
        ..ApiVersionsResponse::default()
    };
    ready(&response, version)
}

/// The answer to a version that is not served.
pub(crate) fn handle_unsupported() -> Handled {
    let ours = APIS.iter().filter(|api| api.key == ApiKey::ApiVersions).map(entry).collect();
    let response = ApiVersionsResponse {
        error_code: Code::UnsupportedVersion.into(),
        api_keys: ours,
        ..ApiVersionsResponse::default()
    };
    ready(&response, 0)
}

fn entry(api: &Api) -> ApiVersion {
    ApiVersion {
        api_key: api.key.key(),
        min_version: api.advertised_from(),
        max_version: *api.versions.end(),
    }
}

/// Letters, digits, `-` and `.`, beginning and ending with a letter or digit (KIP-511).
fn is_name(text: &str) -> bool {
    let edge = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric());
    edge(text.bytes().next())
        && edge(text.bytes().last())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_software() {
        for good in ["librdkafka", "a", "7", "2.4.0-rc1", "apache-kafka-java", "a.-.b"] {
            assert!(is_name(good), "{good}");
        }
        for bad in ["", "-a", "a-", ".a", "a.", "a b", "a_b", "ä", "a\n"] {
            assert!(!is_name(bad), "{bad}");
        }
    }
}
