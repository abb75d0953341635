use api::APIS;
use bytes::Bytes;
use wire::ApiKey;
use wire::messages::api_versions::{ApiVersionsRequest, ApiVersionsResponse};

use crate::house::{House, bytes_of, text};

fn client() -> ApiVersionsRequest {
    ApiVersionsRequest { client_software_name: text("rdkafka"), client_software_version: text("2.4.0") }
}

#[test]
fn every_version_lists_the_whole_table() {
    // Without it two are left out (`telemetry.rs`).
    let house = House::with(&[("ottla.client.telemetry", "log")]);
    for version in 0..=4 {
        let response = house.ask(version, &client());
        assert_eq!(response.error_code, 0);
        let listed: Vec<_> =
            response.api_keys.iter().map(|api| (api.api_key, api.min_version, api.max_version)).collect();
        let served: Vec<_> =
            APIS.iter().map(|api| (api.key.key(), api.advertised_from(), *api.versions.end())).collect();
        assert_eq!(listed, served, "version {version}");
    }
}

#[test]
fn produce_is_said_to_begin_at_0_and_does_not() {
    let house = House::new();
    let response = house.ask(3, &client());
    let produce = response.api_keys.iter().find(|api| api.api_key == ApiKey::Produce.key()).unwrap();
    assert_eq!((produce.min_version, produce.max_version), (0, 13));
    assert!(house.end(house.begin_bytes(0, 2, Bytes::from_static(&[0; 64]))).is_err());
}

#[test]
fn features_that_begin_at_0_are_for_version_4() {
    let house = House::new();
    let old = house.ask(3, &client());
    let new = house.ask(4, &client());
    assert!(!old.supported_features.is_empty());
    assert!(old.supported_features.iter().all(|feature| feature.min_version > 0));
    assert!(new.supported_features.iter().any(|feature| feature.min_version == 0));
    assert_eq!(old.finalized_features, new.finalized_features);
    assert!(new.finalized_features.iter().all(|feature| feature.max_version_level > 0));
    assert_eq!(new.finalized_features_epoch, house.catalog.metadata_offset().0);
    assert!(new.finalized_features_epoch >= 0);
}

#[test]
fn another_version_is_answered_in_version_0_with_the_one_entry() {
    let house = House::new();
    for version in [5, 9, i16::MAX, -1, i16::MIN] {
        let reply = house.end(house.begin_bytes(18, version, Bytes::from_static(b"anything"))).unwrap();
        assert_eq!(bytes_of(reply), Bytes::from_static(&[0, 35, 0, 0, 0, 1, 0, 18, 0, 0, 0, 4]));
    }
}

#[test]
fn a_client_with_an_odd_name_is_refused() {
    let house = House::new();
    let refused = ApiVersionsResponse { error_code: 42, ..ApiVersionsResponse::default() };
    for (name, version) in [("", "1"), ("a b", "1"), ("a", ""), ("a", "-1"), ("ä", "1")] {
        let request =
            ApiVersionsRequest { client_software_name: text(name), client_software_version: text(version) };
        assert_eq!(house.ask(3, &request), refused, "{name:?} {version:?}");
        assert_eq!(house.ask(2, &request).error_code, 0, "before version 3 there are no names");
    }
}
