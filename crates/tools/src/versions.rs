//! `kafka-broker-api-versions.sh`: which APIs each broker serves, and in which versions (Kafka:
//! `BrokerApiVersionsCommand`).

use std::collections::BTreeMap;

use client::{Client, ClientError};
use wire::ApiKey::{self, *};
use wire::messages::api_versions::ApiVersion;

use crate::call::{Call, Failure};
use crate::options::{BOOTSTRAP, COMMAND_CONFIG, Declaration, Word};

/// What it takes.
pub(crate) const DECLARATION: Declaration = Declaration {
    about: "Shows which APIs each broker serves, and in which versions.",
    flags: &[BOOTSTRAP, COMMAND_CONFIG],
    word: Word::None,
};

/// Runs it.
pub(crate) fn run(call: &mut Call<'_>) -> Result<(), Failure> {
    call.options.bootstrap()?;
    let mut client = call.client("ottla-api-versions", COMMAND_CONFIG.name)?;
    let brokers = client.persist(|client| client.metadata(None, false))?.brokers;
    for broker in brokers {
        let rack = broker.rack.as_deref().unwrap_or("null");
        write!(
            call.out,
            "{}:{} (id: {} rack: {rack} isFenced: false) -> ",
            broker.host, broker.port, broker.node_id
        )?;
        match versions(&mut client, broker.node_id) {
            Ok(versions) => writeln!(call.out, "{}", shown(&versions))?,
            Err(error) => writeln!(call.out, "ERROR: {error}")?,
        }
    }
    Ok(())
}

fn versions(client: &mut Client, node: i32) -> Result<Vec<ApiVersion>, ClientError> {
    let address = client.address_of(node)?;
    client.on(&address, |connection| Ok(connection.versions().api_keys.clone()))
}

/// As `NodeApiVersions.toString(true)` shows them: by number, and what Kafka 4.1's clients would use of them.
fn shown(versions: &[ApiVersion]) -> String {
    let mut lines: BTreeMap<i16, String> = (CLIENTS.iter())
        .filter(|(_, _, _, for_clients)| *for_clients)
        .map(|(key, ..)| (key.key(), format!("{key}({}): UNSUPPORTED", key.key())))
        .collect();
    lines.extend(versions.iter().map(|api| (api.api_key, line(api))));
    let lines: Vec<_> = lines.into_values().collect();
    format!("(\n\t{}\n)", lines.join(",\n\t"))
}

fn line(api: &ApiVersion) -> String {
    let (key, min, max) = (api.api_key, api.min_version, api.max_version);
    let range = if min == max { min.to_string() } else { format!("{min} to {max}") };
    let Some((name, oldest, latest, _)) = CLIENTS.iter().find(|(known, ..)| known.key() == key) else {
        return format!("UNKNOWN({key}): {range}");
    };
    let usable = if *latest < min {
        "unusable: node too new".to_owned()
    } else if max < *oldest {
        "unusable: node too old".to_owned()
    } else {
        format!("usable: {}", max.min(*latest))
    };
    format!("{name}({key}): {range} [{usable}]")
}

/// Each API, its lowest and highest version in Kafka 4.1.1, and whether a client may speak it.
const CLIENTS: &[(ApiKey, i16, i16, bool)] = &[
    (Produce, 3, 13, true),
    (Fetch, 4, 18, true),
    (ListOffsets, 1, 10, true),
    (Metadata, 0, 13, true),
    (OffsetCommit, 2, 10, true),
    (OffsetFetch, 1, 10, true),
    (FindCoordinator, 0, 6, true),
    (JoinGroup, 0, 9, true),
    (Heartbeat, 0, 4, true),
    (LeaveGroup, 0, 5, true),
    (SyncGroup, 0, 5, true),
    (DescribeGroups, 0, 6, true),
    (ListGroups, 0, 5, true),
    (SaslHandshake, 0, 1, true),
    (ApiVersions, 0, 4, true),
    (CreateTopics, 2, 7, true),
    (DeleteTopics, 1, 6, true),
    (DeleteRecords, 0, 2, true),
    (InitProducerId, 0, 6, true),
    (OffsetForLeaderEpoch, 2, 4, true),
    (AddPartitionsToTxn, 0, 5, true),
    (AddOffsetsToTxn, 0, 4, true),
    (EndTxn, 0, 5, true),
    (WriteTxnMarkers, 1, 1, true),
    (TxnOffsetCommit, 0, 5, true),
    (DescribeAcls, 1, 3, true),
    (CreateAcls, 1, 3, true),
    (DeleteAcls, 1, 3, true),
    (DescribeConfigs, 1, 4, true),
    (AlterConfigs, 0, 2, true),
    (AlterReplicaLogDirs, 1, 2, true),
    (DescribeLogDirs, 1, 4, true),
    (SaslAuthenticate, 0, 2, true),
    (CreatePartitions, 0, 3, true),
    (CreateDelegationToken, 1, 3, true),
    (RenewDelegationToken, 1, 2, true),
    (ExpireDelegationToken, 1, 2, true),
    (DescribeDelegationToken, 1, 3, true),
    (DeleteGroups, 0, 2, true),
    (ElectLeaders, 0, 2, true),
    (IncrementalAlterConfigs, 0, 1, true),
    (AlterPartitionReassignments, 0, 1, true),
    (ListPartitionReassignments, 0, 0, true),
    (OffsetDelete, 0, 0, true),
    (DescribeClientQuotas, 0, 1, true),
    (AlterClientQuotas, 0, 1, true),
    (DescribeUserScramCredentials, 0, 0, true),
    (AlterUserScramCredentials, 0, 0, true),
    (Vote, 0, 2, false),
    (BeginQuorumEpoch, 0, 1, false),
    (EndQuorumEpoch, 0, 1, false),
    (DescribeQuorum, 0, 2, true),
    (AlterPartition, 2, 3, false),
    (UpdateFeatures, 0, 2, true),
    (Envelope, 0, 0, false),
    (FetchSnapshot, 0, 1, false),
    (DescribeCluster, 0, 2, true),
    (DescribeProducers, 0, 0, true),
    (BrokerRegistration, 0, 4, false),
    (BrokerHeartbeat, 0, 1, false),
    (UnregisterBroker, 0, 0, true),
    (DescribeTransactions, 0, 0, true),
    (ListTransactions, 0, 2, true),
    (AllocateProducerIds, 0, 0, false),
    (ConsumerGroupHeartbeat, 0, 1, true),
    (ConsumerGroupDescribe, 0, 1, true),
    (ControllerRegistration, 0, 0, false),
    (GetTelemetrySubscriptions, 0, 0, true),
    (PushTelemetry, 0, 0, true),
    (AssignReplicasToDirs, 0, 0, false),
    (ListConfigResources, 0, 1, true),
    (DescribeTopicPartitions, 0, 0, true),
    (ShareGroupHeartbeat, 1, 1, true),
    (ShareGroupDescribe, 1, 1, true),
    (ShareFetch, 1, 1, true),
    (ShareAcknowledge, 1, 1, true),
    (AddRaftVoter, 0, 0, true),
    (RemoveRaftVoter, 0, 0, true),
    (UpdateRaftVoter, 0, 0, false),
    (InitializeShareGroupState, 0, 0, true),
    (ReadShareGroupState, 0, 0, true),
    (WriteShareGroupState, 0, 0, true),
    (DeleteShareGroupState, 0, 0, true),
    (ReadShareGroupStateSummary, 0, 0, true),
    (StreamsGroupHeartbeat, 0, 0, true),
    (StreamsGroupDescribe, 0, 0, true),
    (DescribeShareGroupOffsets, 0, 0, true),
    (AlterShareGroupOffsets, 0, 0, true),
    (DeleteShareGroupOffsets, 0, 0, true),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_api_is_shown_with_what_can_be_used_of_it() {
        let api = |api_key, min_version, max_version| ApiVersion { api_key, min_version, max_version };
        assert_eq!(line(&api(0, 0, 13)), "Produce(0): 0 to 13 [usable: 13]");
        assert_eq!(line(&api(3, 2, 99)), "Metadata(3): 2 to 99 [usable: 13]");
        assert_eq!(line(&api(1, 0, 3)), "Fetch(1): 0 to 3 [unusable: node too old]");
        assert_eq!(line(&api(47, 1, 1)), "OffsetDelete(47): 1 [unusable: node too new]");
        assert_eq!(line(&api(999, 1, 2)), "UNKNOWN(999): 1 to 2");
        let shown = shown(&[api(0, 0, 13)]);
        assert!(
            shown.starts_with("(\n\tProduce(0): 0 to 13 [usable: 13],\n\tFetch(1): UNSUPPORTED,"),
            "{shown}"
        );
        assert!(!shown.contains("AlterPartition("), "it is not for clients");
    }

    #[test]
    fn the_table_is_sorted() {
        assert!(CLIENTS.is_sorted_by_key(|(key, ..)| *key));
    }
}
