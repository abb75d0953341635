//! Quotas: what is altered is in the metadata log, and there again after a restart and in a snapshot.

use state_machines::quotas::{
    Alteration, CLIENT_ID, CONNECTION_CREATION_RATE, CONSUMER_BYTE_RATE, Entity, IP, PRODUCER_BYTE_RATE,
    Refusal, USER,
};
use testkit::CrashDisk;

use super::kafka::fixture;
use super::snapshots::{BYTES, open_with, with};
use super::{DIR, NOW, metadata_lines, open};
use crate::Catalog;

fn entity(parts: &[(&str, Option<&str>)]) -> Entity {
    Entity::new(parts.iter().map(|(kind, name)| ((*kind).to_owned(), name.map(str::to_owned))))
}

fn set(parts: &[(&str, Option<&str>)], key: &str, value: Option<f64>) -> Alteration {
    Alteration { entity: entity(parts), changes: vec![(key.to_owned(), value)] }
}

fn alter(catalog: &Catalog, wishes: &[Alteration]) -> Vec<Result<(), Refusal>> {
    let answers = catalog.alter_quotas(wishes, false, NOW).unwrap();
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn quotas_are_records_of_the_metadata_log() {
    let disk = CrashDisk::new(1, u64::MAX);
    let catalog = open(&disk, 1).unwrap();
    let before = metadata_lines(&disk, DIR.as_ref()).len();
    let wishes = [
        set(&[(USER, Some("ANONYMOUS")), (CLIENT_ID, None)], PRODUCER_BYTE_RATE, Some(1024.0)),
        set(&[(USER, Some(""))], PRODUCER_BYTE_RATE, Some(1.0)),
        set(&[(IP, Some("10.0.0.1"))], CONNECTION_CREATION_RATE, Some(5.0)),
    ];
    let answers = catalog.alter_quotas(&wishes, true, NOW).unwrap();
    assert_eq!(answers.len(), 3);
    assert!(catalog.quotas().is_empty(), "validated only");
    assert_eq!(alter(&catalog, &wishes), [Ok(()), Err(Refusal::EmptyName(USER.to_owned())), Ok(())]);
    assert_eq!(alter(&catalog, &[set(&[(IP, Some("10.0.0.1"))], CONNECTION_CREATION_RATE, None)]), [Ok(())]);
    assert_eq!(catalog.quotas().records().count(), 1);
    let lines: Vec<String> = metadata_lines(&disk, DIR.as_ref())
        .split_off(before)
        .into_iter()
        .map(|line| line.split_once(" CLIENT_QUOTA_RECORD ").unwrap().1.to_owned())
        .collect();
    assert_eq!(
        lines,
        [
            "v0 {entity=[{entityType=client-id entityName=-} {entityType=user entityName=ANONYMOUS}] \
             key=producer_byte_rate value=1024 remove=false}",
            "v0 {entity=[{entityType=ip entityName=10.0.0.1}] key=connection_creation_rate value=5 remove=false}",
            "v0 {entity=[{entityType=ip entityName=10.0.0.1}] key=connection_creation_rate value=0 remove=true}",
        ]
    );
}

#[test]
fn quotas_survive_a_restart_and_a_snapshot() {
    let disk = CrashDisk::new(1, u64::MAX);
    let settings = with(&[(BYTES, "1"), ("metadata.max.retention.bytes", "1")]);
    let catalog = open_with(&disk, &settings, 1);
    alter(&catalog, &[set(&[(USER, None)], CONSUMER_BYTE_RATE, Some(77.0))]);
    catalog.tend(NOW);
    alter(&catalog, &[set(&[(CLIENT_ID, Some("c"))], PRODUCER_BYTE_RATE, Some(5.0))]);
    let before = catalog.quotas();
    catalog.close(NOW).unwrap();
    drop(catalog);
    let again = open_with(&disk, &settings, 2);
    assert_eq!(again.quotas(), before);
    assert_eq!(before.get(&entity(&[(USER, None)]), CONSUMER_BYTE_RATE), Some(77.0));
    again.tend(NOW);
    again.tend(NOW);
    again.close(NOW).unwrap();
    drop(again);
    assert_eq!(open_with(&disk, &settings, 3).quotas(), before);
}

#[test]
fn quotas_that_kafka_stored_are_there() {
    let catalog = open(&fixture("clean-stop"), 1).unwrap();
    assert!(!catalog.quotas().is_empty());
    for (entity, values) in catalog.quotas().iter() {
        assert!(!entity.is_empty() && !values.is_empty(), "{entity:?}");
    }
}
