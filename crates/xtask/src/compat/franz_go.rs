//! The tests of franz-go's client, kgo: those that talk to a broker. Those of its package kadm need none.

use super::go::{self, Module};
use super::{Case, Judged, Trouble};

const MODULE: &str = "github.com/twmb/franz-go@v1.22.3";

/// What a test calls to reach a broker.
const MARKS: &[&str] = &["newTestClient(", "getSeedBrokers(", "tmpTopic", "KGO_TEST_"];

/// How many records go through each chain of groups; the tests' own 500,000 is meant for a cluster.
const RECORDS: &str = "50000";

/// This one has a switch that cuts each connection after a second or so; it is run both ways.
const CUT: &str = "TestGroupETL";

pub(super) fn judge(case: &Case<'_>) -> Result<Judged, Trouble> {
    let module = Module::fetch(case, MODULE)?;
    let package = module.place.join("pkg/kgo");
    let tests = go::wanted(case, &package, "", MARKS)?;
    let broker = case.broker(&[("group.initial.rebalance.delay.ms", "0")])?;
    let mut judged = Judged::of(module.version);
    let mut environment = vec![
        ("KGO_SEEDS", broker.address.as_str()),
        ("KGO_TEST_RF", "1"),
        ("KGO_TEST_RECORDS", RECORDS),
        ("KGO_LOG_LEVEL", "none"),
    ];
    go::test(case, &mut judged, &package, &tests, &[], &environment)?;
    if case.wants(CUT) {
        println!("-- {CUT}, over connections that are cut");
        environment.push(("KGO_TEST_CHAOS", "1"));
        go::test(case, &mut judged, &package, &[CUT.to_owned()], &[], &environment)?;
    }
    Ok(judged)
}
