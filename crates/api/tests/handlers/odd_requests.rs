use api::{APIS, CloseReason, Pending};
use bytes::Bytes;
use wire::ApiKey;

use crate::house::House;

#[test]
fn other_keys_and_versions_close_the_connection() {
    let house = House::with(&[("ottla.client.telemetry", "log")]);
    for key in [-1, 4, 5, 6, 7, 93, i16::MAX] {
        let closed = house.begin_bytes(key, 0, Bytes::from_static(&[0; 32]));
        assert!(matches!(closed, Pending::Close(CloseReason::UnknownApi { key: told }) if told == key));
    }
    for api in APIS.iter().filter(|api| api.key != ApiKey::ApiVersions) {
        for version in [-1, i16::MIN, api.versions.start() - 1, api.versions.end() + 1, i16::MAX] {
            let closed = house.begin_bytes(api.key.key(), version, Bytes::from_static(&[0; 32]));
            assert!(
                matches!(closed, Pending::Close(CloseReason::UnsupportedVersion { .. })),
                "{} {version}: {closed:?}",
                api.key
            );
        }
    }
}

/// Whatever stands in a frame: an answer or a closed connection, never a panic, and never much memory.
#[test]
fn garbage_is_answered_or_closes_the_connection() {
    let house = House::with(&[("ottla.client.telemetry", "log")]);
    house.create("t", 1, &[]);
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 56) as u8
    };
    for api in APIS {
        for version in api.versions.clone() {
            for shape in 0..40 {
                let len = usize::from(next()) / 2;
                let body: Vec<u8> = match shape {
                    0 => Vec::new(),
                    1 => vec![0; 64],
                    2 => vec![0xff; 64],
                    3 => vec![0x7f, 0xff, 0xff, 0xff],
                    4 => vec![0x80; 64],
                    _ => (0..len).map(|_| if shape % 2 == 0 { next() } else { next() % 3 }).collect(),
                };
                match house.begin_bytes(api.key.key(), version, Bytes::from(body)) {
                    Pending::Silent { .. } => {}
                    // Something that waits is cut off after the first look.
                    pending @ Pending::Later(_) if api.key != ApiKey::Fetch => drop(house.end(pending)),
                    pending => drop(pending),
                }
            }
        }
    }
    assert_eq!(house.catalog.topics().len(), house.catalog.topics().iter().count());
}

#[test]
fn a_claim_of_more_than_the_frame_holds_closes_the_connection() {
    let house = House::with(&[("ottla.client.telemetry", "log")]);
    for (key, version) in [(3, 1), (0, 3), (1, 4), (19, 4), (2, 1)] {
        let body = match key {
            3 => vec![0x7f, 0xff, 0xff, 0xff],
            0 => [&[0xff, 0xff, 0, 1, 0, 0, 0, 1][..], &[0x7f, 0xff, 0xff, 0xff]].concat(),
            1 => [&[0xff; 17][..], &[0x7f, 0xff, 0xff, 0xff]].concat(),
            19 => vec![0x7f, 0xff, 0xff, 0xff],
            _ => [&[0xff; 4][..], &[0x7f, 0xff, 0xff, 0xff]].concat(),
        };
        let closed = house.begin_bytes(key, version, Bytes::from(body));
        assert!(matches!(closed, Pending::Close(CloseReason::Undecodable { .. })), "{key}: {closed:?}");
    }
}
