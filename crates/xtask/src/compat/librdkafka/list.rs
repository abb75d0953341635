//! Which of librdkafka's tests there are, and by which runs of its runner they are judged.

/// Tests that are listed as one and judged part by part, because some parts need what is not there. A part is named by words that
/// only the runner's name of it holds.
const PARTS: &[(&str, &[&str])] = &[
    (
        "0055_producer_latency",
        &[
            "standard settings",
            "low linger.ms",
            "microsecond linger.ms",
            "high linger.ms",
            "linger.ms < 1000",
            "no acks",
            "idempotence",
            "transactions",
        ],
    ),
    ("0061_consumer_lag", &["without transactions", "with transactions"]),
    (
        "0081_admin",
        &[
            "do_test_unclean_destroy",
            "do_test_CreateTopics",
            "do_test_DeleteTopics",
            "do_test_CreatePartitions",
            "do_test_CreateAcls",
            "do_test_DescribeAcls",
            "do_test_DeleteAcls",
            "do_test_AlterConfigs",
            "do_test_IncrementalAlterConfigs",
            "do_test_DescribeConfigs",
            "do_test_DeleteRecords",
            "do_test_ListConsumerGroups",
            "do_test_DescribeConsumerGroups",
            "do_test_DescribeTopics",
            "do_test_DescribeCluster",
            "do_test_DeleteGroups",
            "do_test_DeleteConsumerGroupOffsets",
            "do_test_ListOffsets",
            "do_test_AlterConsumerGroupOffsets",
            "do_test_ListConsumerGroupOffsets",
            "do_test_UserScramCredentials",
        ],
    ),
    (
        "0137_barrier_batch_consume",
        &[
            "do_test_consume_batch_with_seek",
            "do_test_consume_batch_store_offset",
            "do_test_consume_batch_with_pause_and_resume_different_batch",
            "do_test_consume_batch_with_pause_and_resume_same_batch",
            "do_test_consume_batch_control_msgs",
        ],
    ),
];

/// Tests of consumers in groups, which are run in the protocol of KIP-848 as well.
const GROUPS: &[&str] = &[
    "0018_cgrp_term",
    "0019_list_groups",
    "0022_consume_batch",
    "0026_consume_pause",
    "0029_assign_offset",
    "0030_offset_commit",
    "0033_regex_subscribe",
    "0034_offset_reset",
    "0045_subscribe_update",
    "0045_resubscribe_with_regex",
    "0045_subscribe_many_updates",
    "0050_subscribe_adds",
    "0051_assign_adds",
    "0056_balanced_group_mt",
    "0089_max_poll_interval",
    "0091_max_poll_interval_timeout",
    "0102_static_group_rebalance",
    "0113_cooperative_rebalance",
    "0118_commit_rebalance",
    "0122_buffer_cleaning_after_rebalance",
    "0130_store_offsets",
    "0140_commit_metadata",
];

/// What is only about the protocol of KIP-848, and passes itself over in the other one.
const NEWER_ALONE: &[&str] = &["0153_memberid"];

/// Tests that ask for three replicas, and are about something else.
const COPIES: &[&str] = &["0107_topic_recreate", "0111_delay_create_topics"];

/// Tests that take more than ten seconds, or build on the time that a new group waits for its members: there is no room for
/// them in every CI run.
const SLOW: &[&str] = &[
    "0015_offsets_seek",
    "0018_cgrp_term",
    "0026_consume_pause",
    "0030_offset_commit",
    "0033_regex_subscribe",
    "0038_performance",
    "0045_subscribe_update",
    "0045_subscribe_update_topic_remove",
    "0045_subscribe_update_non_exist_and_partchange",
    "0045_resubscribe_with_regex",
    "0045_subscribe_many_updates",
    "0049_consume_conn_close",
    "0050_subscribe_adds",
    "0051_assign_adds",
    "0055_producer_latency",
    "0061_consumer_lag",
    "0069_consumer_add_parts",
    "0075_retry",
    "0076_produce_retry",
    // It deletes its groups a second after the sessions of their members have ended, which a busy machine does not keep.
    "0081_admin do_test_DescribeConsumerGroups",
    "0084_destroy_flags",
    "0088_produce_metadata_timeout",
    "0089_max_poll_interval",
    "0091_max_poll_interval_timeout",
    "0093_holb_consumer",
    "0094_idempotence_msg_timeout",
    "0102_static_group_rebalance",
    "0107_topic_recreate",
    "0111_delay_create_topics",
    "0113_cooperative_rebalance",
    "0114_sticky_partitioning",
    "0118_commit_rebalance",
    "0122_buffer_cleaning_after_rebalance",
    "0123_connections_max_idle",
    "0125_immediate_flush",
    "0137_barrier_batch_consume",
];

/// A test that needs a broker.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Test {
    name: String,
    /// The settings that its broker is to have.
    scenario: String,
}

/// One run of the runner, which takes tests by their number, and what is judged by it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run<'a> {
    pub(super) number: &'a str,
    /// What the names of the parts hold; empty: all of it.
    pub(super) part: &'static str,
    /// Whether consumers speak the protocol of KIP-848 in their groups.
    pub(super) newer: bool,
    pub(super) tests: Vec<Judged<'a>>,
}

/// A test that a run judges.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Judged<'a> {
    /// Its name, with the part and the protocol.
    pub(super) name: String,
    /// What the runner calls it.
    pub(super) said: &'a str,
}

impl Judged<'_> {
    pub(super) fn is_slow(&self) -> bool {
        SLOW.contains(&self.said) || SLOW.contains(&self.name.as_str())
    }

    pub(super) fn asks_for_copies(&self) -> bool {
        COPIES.contains(&self.said)
    }
}

/// The tests that the runner's source lists and that need a broker: neither those of its own mock, nor those that are run by
/// hand, nor those that the runner passes over because they are known to fail.
pub(super) fn listed(source: &str) -> Vec<Test> {
    let Some((_, list)) = source.split_once("struct test tests[] = {") else { return Vec::new() };
    let list = list.split_once("};").map_or(list, |(list, _)| list);
    let entries = list.split("_TEST(").skip(1);
    let with_broker = entries.filter(|entry| {
        let flags = entry.replace("TEST_F_KNOWN_ISSUE_WIN32", "0");
        // Some do not say so, but by their names.
        let marks = ["TEST_F_KNOWN_ISSUE", "TEST_F_LOCAL", "TEST_F_MANUAL", "_mock"];
        !marks.iter().any(|mark| flags.contains(mark))
    });
    with_broker
        .filter_map(|entry| {
            let name = entry.split([',', ')']).next()?.trim();
            let scenario = entry.split_once(".scenario = \"").and_then(|(_, rest)| rest.split('"').next());
            Some(Test { name: name.to_owned(), scenario: scenario.unwrap_or("default").to_owned() })
        })
        .collect()
}

/// The runs of the tests of a scenario: one for each number, part and protocol.
pub(super) fn runs<'a>(tests: &'a [Test], scenario: &str) -> Vec<Run<'a>> {
    let mut runs: Vec<Run<'a>> = Vec::new();
    for test in tests.iter().filter(|test| test.scenario.split(',').any(|one| one == scenario)) {
        let name = &*test.name;
        let number = name.split('_').next().unwrap_or_default();
        let parts = PARTS.iter().find(|(other, _)| *other == name).map_or(&[""][..], |(_, parts)| parts);
        let protocols = match () {
            () if NEWER_ALONE.contains(&name) => &[true][..],
            () if GROUPS.contains(&name) => &[false, true],
            () => &[false],
        };
        for (newer, part) in protocols.iter().flat_map(|newer| parts.iter().map(move |part| (*newer, *part)))
        {
            let protocol = if newer { "KIP-848" } else { "" };
            let words: Vec<_> = [name, part, protocol].into_iter().filter(|word| !word.is_empty()).collect();
            let judged = Judged { name: words.join(" "), said: name };
            let same = |run: &&mut Run<'_>| (run.number, run.part, run.newer) == (number, part, newer);
            match runs.iter_mut().find(same) {
                Some(run) => run.tests.push(judged),
                None => runs.push(Run { number, part, newer, tests: vec![judged] }),
            }
        }
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = r#"
#define _TEST(NAME, FLAGS, ...) x
struct test tests[] = {
    _TEST(0001_multiobj, 0),
    _TEST(0004_conf, TEST_F_LOCAL),
    _TEST(0028_names, TEST_F_KNOWN_ISSUE, TEST_BRKVER(0, 9, 0, 0)),
    _TEST(0045_update, 0, TEST_BRKVER(0, 9, 0, 0)),
    _TEST(0045_update_more,
          0,
          .scenario = "noautocreate"),
    _TEST(0045_update_mock, 0),
    _TEST(0045_updates, 0),
    _TEST(0055_latency, TEST_F_KNOWN_ISSUE_WIN32),
    _TEST(8000_idle, TEST_F_MANUAL),
};
"#;

    #[test]
    fn tests_that_need_a_broker_are_run_once_by_their_number() {
        let tests = listed(SOURCE);
        let shown = |scenario: &str| -> Vec<String> {
            let names = |run: &Run<'_>| run.tests.iter().map(|test| test.said).collect::<Vec<_>>().join(" ");
            runs(&tests, scenario).iter().map(|run| format!("{}: {}", run.number, names(run))).collect()
        };
        assert_eq!(
            shown("default"),
            ["0001: 0001_multiobj", "0045: 0045_update 0045_updates", "0055: 0055_latency"]
        );
        assert_eq!(shown("noautocreate"), ["0045: 0045_update_more"]);
    }

    #[test]
    fn parts_and_protocols_have_names_and_runs_of_their_own() {
        let test = |name: &str| Test { name: name.to_owned(), scenario: "default".to_owned() };
        let (name, parts) = PARTS[0];
        let tests = [test(name), test(GROUPS[0])];
        let runs = runs(&tests, "default");
        assert_eq!(runs.len(), parts.len() + 2);
        assert_eq!(runs[0].tests[0].name, format!("{name} {}", parts[0]));
        let [classic, newer] = &runs[parts.len()..] else { panic!("{runs:?}") };
        assert_eq!((classic.newer, &*classic.tests[0].name), (false, GROUPS[0]));
        assert_eq!((newer.newer, newer.tests[0].name.clone()), (true, format!("{} KIP-848", GROUPS[0])));
    }
}
