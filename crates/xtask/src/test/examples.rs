//! The programs of docs/examples, each run as its reader would run it.

use std::path::Path;

use super::{Context, Outcome};
use super::{kafka, python};
use crate::command::in_ci;

const TESTS: &str = "tests/examples";

/// The one in Rust is an example of this crate.
const RUST: &[&str] = &["build", "--workspace", "--example", "idempotent_producer"];

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let python = match python::environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    let locked: &[&str] = if in_ci() { &["--locked"] } else { &[] };
    // With the features of the whole workspace, as the tests in Rust have built librdkafka.
    if !context.workspace.cargo().args(RUST).args(locked).succeeds() {
        return Outcome::Failed("the example in Rust does not build".to_owned());
    }
    let mut python = context.workspace.run(python);
    // Without the jars or another language's tools the tests say what is lacking, and fail in CI.
    if let Some(jars) = kafka::pinned_jars(context) {
        python = python.env("KAFKA_LIBS", jars);
    }
    python::pytest(python.env(python::BROKER, broker), Path::new(TESTS))
}
