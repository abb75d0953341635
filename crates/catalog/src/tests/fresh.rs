//! What a fresh directory is filled with.

use disk::read_whole;

use super::*;

fn text(disk: &CrashDisk, name: &str) -> String {
    let bytes = read_whole(disk, &Path::new(DIR).join(name), 10_000).unwrap();
    String::from_utf8(bytes.unwrap_or_else(|| panic!("there is no {name}"))).unwrap()
}

const FEATURES: &str = "features=[\
    {name=eligible.leader.replicas.version minSupportedVersion=0 maxSupportedVersion=1} \
    {name=group.version minSupportedVersion=0 maxSupportedVersion=1} \
    {name=kraft.version minSupportedVersion=0 maxSupportedVersion=1} \
    {name=metadata.version minSupportedVersion=7 maxSupportedVersion=27} \
    {name=share.version minSupportedVersion=0 maxSupportedVersion=1} \
    {name=transaction.version minSupportedVersion=0 maxSupportedVersion=2}]";

/// The records of Kafka 4.1.1 in the same place, but for its NoOpRecords and the batches that it puts them into.
#[test]
fn the_metadata_log_begins_as_kafkas_does() {
    let disk = CrashDisk::calm(1);
    let _catalog = open(&disk, 1).unwrap();
    let expected = [
        "0 @0 e1 LEADER_CHANGE v0 {version=0 leaderId=1 voters=[{voterId=1}] grantingVoters=[{voterId=1}]}"
            .to_owned(),
        "1 @1 e1 BEGIN_TRANSACTION_RECORD v0 {name=Bootstrap records}".to_owned(),
        "1 @2 e1 FEATURE_LEVEL_RECORD v0 {name=metadata.version featureLevel=27}".to_owned(),
        "1 @3 e1 FEATURE_LEVEL_RECORD v0 {name=eligible.leader.replicas.version featureLevel=1}".to_owned(),
        "1 @4 e1 FEATURE_LEVEL_RECORD v0 {name=group.version featureLevel=1}".to_owned(),
        "1 @5 e1 FEATURE_LEVEL_RECORD v0 {name=transaction.version featureLevel=2}".to_owned(),
        "1 @6 e1 CONFIG_RECORD v0 {resourceType=4 resourceName= name=min.insync.replicas value=1}".to_owned(),
        "1 @7 e1 END_TRANSACTION_RECORD v0 {}".to_owned(),
        format!(
            "2 @8 e1 REGISTER_CONTROLLER_RECORD v0 {{controllerId=1 incarnationId=#10000000000000002 \
             zkMigrationReady=false endPoints=[{{name=CONTROLLER host=localhost port=9093 securityProtocol=0}}] {FEATURES}}}"
        ),
        format!(
            "2 @9 e1 REGISTER_BROKER_RECORD v3 {{brokerId=1 isMigratingZkBroker=false incarnationId=#10000000000000003 \
             brokerEpoch=9 endPoints=[{{name=PLAINTEXT host=127.0.0.1 port=9092 securityProtocol=0}}] {FEATURES} rack=- \
             fenced=true inControlledShutdown=false logDirs=[#10000000000000001]}}"
        ),
        "2 @10 e1 BROKER_REGISTRATION_CHANGE_RECORD v0 {brokerId=1 brokerEpoch=9 fenced=-1}".to_owned(),
    ];
    assert_eq!(metadata_lines(&disk, Path::new(DIR)), expected);
}

#[test]
fn the_files_around_it_are_kafkas() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    assert_eq!(names(&disk, DIR), ["__cluster_metadata-0", "meta.properties"]);
    assert_eq!(
        names(&disk, "/ottla-data/__cluster_metadata-0"),
        [
            "00000000000000000000.index",
            "00000000000000000000.log",
            "00000000000000000000.timeindex",
            "leader-epoch-checkpoint",
            "partition.metadata",
            "quorum-state"
        ]
    );
    assert_eq!(
        text(&disk, "meta.properties"),
        "#\n#Sun Nov 22 17:46:43 UTC 2026\nnode.id=1\ndirectory.id=AAAAAAAAAAEAAAAAAAAAAQ\nversion=1\n\
         cluster.id=4L6g3nShT-eMCtK--X86sw\n"
    );
    assert_eq!(
        text(&disk, "__cluster_metadata-0/partition.metadata"),
        "version: 0\ntopic_id: AAAAAAAAAAAAAAAAAAAAAQ"
    );
    assert_eq!(text(&disk, "__cluster_metadata-0/leader-epoch-checkpoint"), "0\n1\n1 0\n");
    assert_eq!(
        text(&disk, "__cluster_metadata-0/quorum-state"),
        r#"{"clusterId":"","leaderId":1,"leaderEpoch":1,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}"#
    );

    assert_eq!(catalog.cluster_id(), "4L6g3nShT-eMCtK--X86sw");
    assert_eq!(
        (catalog.node_id(), catalog.broker_epoch(), catalog.metadata_offset()),
        (NodeId(1), 9, Offset(10))
    );
    let finalized = catalog.features().finalized;
    let finalized: Vec<_> = finalized.iter().map(|feature| (feature.name.as_str(), feature.level)).collect();
    assert_eq!(
        finalized,
        [
            ("eligible.leader.replicas.version", 1),
            ("group.version", 1),
            ("metadata.version", 27),
            ("transaction.version", 2)
        ]
    );
}

#[test]
fn a_clean_stop_leaves_its_marks_and_says_farewell() {
    let disk = CrashDisk::calm(1);
    let catalog = open(&disk, 1).unwrap();
    let topic = create(&catalog, "a", 1);
    append(&catalog, topic, "x");
    catalog.close(NOW).unwrap();
    assert_eq!(
        names(&disk, DIR),
        [
            ".kafka_cleanshutdown",
            "__cluster_metadata-0",
            "a-0",
            "log-start-offset-checkpoint",
            "meta.properties",
            "recovery-point-offset-checkpoint",
            "replication-offset-checkpoint"
        ]
    );
    assert_eq!(text(&disk, ".kafka_cleanshutdown"), r#"{"version":0,"brokerEpoch":9}"#);
    assert_eq!(text(&disk, "recovery-point-offset-checkpoint"), "0\n1\na 0 1\n");
    assert_eq!(text(&disk, "replication-offset-checkpoint"), "0\n1\na 0 1\n");
    assert_eq!(text(&disk, "log-start-offset-checkpoint"), "0\n0\n");
    let lines = metadata_lines(&disk, Path::new(DIR));
    assert_eq!(
        lines.last().unwrap(),
        "4 @13 e1 BROKER_REGISTRATION_CHANGE_RECORD v0 {brokerId=1 brokerEpoch=9 fenced=1}"
    );
    catalog.close(NOW).unwrap();
}
