//! Test suites that others have written for Kafka, against the built broker.

mod librdkafka;

use clap::{Args, ValueEnum};

use crate::command::Workspace;

#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// Whose tests.
    suite: Suite,
    /// Only tests whose name begins with one of these; all that are listed without one.
    tests: Vec<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Suite {
    /// librdkafka's own, from the source that the crate rdkafka-sys brings along.
    Librdkafka,
}

pub(crate) fn run(workspace: &Workspace, chosen: &Chosen) -> bool {
    match chosen.suite {
        Suite::Librdkafka => librdkafka::run(workspace, &chosen.tests),
    }
}
