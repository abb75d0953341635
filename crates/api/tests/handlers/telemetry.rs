//! The metrics of clients (KIP-714) through the requests that clients send.

use base::Uuid;
use bytes::Bytes;
use wire::messages::api_versions::ApiVersionsRequest;
use wire::messages::get_telemetry_subscriptions::GetTelemetrySubscriptionsRequest;
use wire::messages::incremental_alter_configs::{
    AlterConfigsResource, AlterableConfig, IncrementalAlterConfigsRequest,
};
use wire::messages::push_telemetry::PushTelemetryRequest;

use crate::house::{House, text};

const ON: (&str, &str) = ("ottla.client.telemetry", "log");
const INVALID_REQUEST: i16 = 42;
const UNSUPPORTED_COMPRESSION_TYPE: i16 = 76;
const INVALID_RECORD: i16 = 87;
const THROTTLING_QUOTA_EXCEEDED: i16 = 89;
const UNKNOWN_SUBSCRIPTION_ID: i16 = 117;
const TELEMETRY_TOO_LARGE: i16 = 118;

/// A gauge `g` of 1, as OpenTelemetry writes it.
const METRICS: &[u8] = &[
    0x0a, 0x14, 0x12, 0x12, 0x12, 0x10, 0x0a, 0x01, 0x67, 0x2a, 0x0b, 0x0a, 0x09, 0x31, 0x01, 0x00, 0x00,
    0x00, 0x00, 0x00, 0x00, 0x00,
];
/// The same, as gzip packs it.
const PACKED: &[u8] = &[
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xe3, 0x12, 0x11, 0x12, 0x12, 0x12, 0xe0,
    0x62, 0x4c, 0xd7, 0xe2, 0xe6, 0xe2, 0x34, 0x64, 0x64, 0x80, 0x00, 0x00, 0x32, 0x6c, 0x4e, 0xa0, 0x16,
    0x00, 0x00, 0x00,
];

fn subscribe(house: &House, name: &str, pairs: &[(&str, &str)]) {
    const CLIENT_METRICS: i8 = 16;
    let config = |(name, value): &(&str, &str)| AlterableConfig {
        name: text(name),
        config_operation: 0,
        value: Some(text(value)),
    };
    let resource = AlterConfigsResource {
        resource_type: CLIENT_METRICS,
        resource_name: text(name),
        configs: pairs.iter().map(config).collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], validate_only: false };
    assert_eq!(house.ask(1, &request).responses[0].error_code, 0);
}

fn ask(client_instance_id: Uuid) -> GetTelemetrySubscriptionsRequest {
    GetTelemetrySubscriptionsRequest { client_instance_id }
}

fn introduced(house: &House, name: &str) {
    let request =
        ApiVersionsRequest { client_software_name: text(name), client_software_version: text("2.3") };
    assert_eq!(house.ask(3, &request).error_code, 0);
}

fn offered(house: &House) -> Vec<i16> {
    let keys = house.ask(0, &ApiVersionsRequest::default()).api_keys;
    keys.iter().map(|api| api.api_key).filter(|key| [71, 72].contains(key)).collect()
}

#[test]
fn nobody_is_asked_unless_it_is_switched_on() {
    let house = House::new();
    subscribe(&house, "all", &[("metrics", "*")]);
    assert!(offered(&house).is_empty());
    assert!(house.end(house.begin(0, &ask(Uuid::nil()))).is_err());
    assert!(house.end(house.begin(0, &PushTelemetryRequest::default())).is_err());
    assert_eq!(offered(&House::with(&[ON])), [71, 72]);
}

#[test]
fn a_client_is_told_what_to_push_and_pushes_it() {
    let house = House::with(&[ON, ("telemetry.max.bytes", "1000")]);
    let id = house.ask(0, &ask(Uuid::nil())).client_instance_id;
    assert!(!id.is_nil());
    assert_eq!(house.ask(0, &ask(id)).error_code, THROTTLING_QUOTA_EXCEEDED);

    subscribe(&house, "java", &[("metrics", "java."), ("match", "client_software_name=java")]);
    subscribe(
        &house,
        "ours",
        &[("metrics", "b.,a."), ("interval.ms", "5000"), ("match", "client_id=test.*")],
    );
    introduced(&house, "librdkafka");
    let told = house.ask(0, &ask(id));
    assert_eq!((told.error_code, told.client_instance_id, told.push_interval_ms), (0, id, 5000));
    assert_eq!(told.requested_metrics, [text("a."), text("b.")]);
    assert_eq!((told.accepted_compression_types, told.telemetry_max_bytes), (vec![4, 3, 1, 2], 1000));
    assert!(told.delta_temporality && told.throttle_time_ms == 0);

    let push = PushTelemetryRequest {
        client_instance_id: id,
        subscription_id: told.subscription_id,
        metrics: Bytes::from_static(METRICS),
        ..PushTelemetryRequest::default()
    };
    assert_eq!(house.ask(0, &push).error_code, 0);
    assert_eq!(house.ask(0, &push).error_code, THROTTLING_QUOTA_EXCEEDED);
    let last = PushTelemetryRequest { terminating: true, ..push };
    assert_eq!(house.ask(0, &last).error_code, 0);
    assert_eq!(house.ask(0, &last).error_code, INVALID_REQUEST);
    // Its connection ends, and it is nobody that is known.
    house.broker.connection_ended(house.request(0, 0, Bytes::new()).peer);
    assert_eq!(house.ask(0, &ask(id)).error_code, 0);
    assert_eq!(house.ask(0, &last).error_code, 0);
}

#[test]
fn what_cannot_be_taken_is_refused() {
    let pushed = |change: &dyn Fn(&mut PushTelemetryRequest)| {
        let house = House::with(&[ON, ("telemetry.max.bytes", "1000")]);
        subscribe(&house, "all", &[("metrics", "*")]);
        let told = house.ask(0, &ask(Uuid::nil()));
        let mut push = PushTelemetryRequest {
            client_instance_id: told.client_instance_id,
            subscription_id: told.subscription_id,
            metrics: Bytes::from_static(METRICS),
            ..PushTelemetryRequest::default()
        };
        change(&mut push);
        house.ask(0, &push).error_code
    };
    assert_eq!(pushed(&|_| ()), 0);
    assert_eq!(pushed(&|push| push.metrics = Bytes::new()), 0);
    assert_eq!(pushed(&|push| push.client_instance_id = Uuid::nil()), INVALID_REQUEST);
    assert_eq!(pushed(&|push| push.subscription_id ^= 1), UNKNOWN_SUBSCRIPTION_ID);
    assert_eq!(pushed(&|push| push.compression_type = 5), UNSUPPORTED_COMPRESSION_TYPE);
    assert_eq!(pushed(&|push| push.metrics = vec![0; 1001].into()), TELEMETRY_TOO_LARGE);
    assert_eq!(pushed(&|push| push.metrics = Bytes::from_static(b"none")), INVALID_RECORD);
    for codec in 1..=4 {
        assert_eq!(pushed(&|push| push.compression_type = codec), INVALID_RECORD, "not packed with {codec}");
    }
    assert_eq!(pushed(&|push| (push.compression_type, push.metrics) = (1, Bytes::from_static(PACKED))), 0);
}
