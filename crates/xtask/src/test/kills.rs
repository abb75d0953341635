//! The broker killed again and again under load, and everything read back that was promised.

use std::path::Path;

use super::{Context, Outcome};
use super::{kafka, python};

const TESTS: &str = "tests/kills";

pub(super) fn run(context: &Context<'_>) -> Outcome {
    let python = match python::environment(context) {
        Ok(python) => python,
        Err(outcome) => return outcome,
    };
    let Some(broker) = context.broker() else {
        return Outcome::Failed("the broker does not build".to_owned());
    };
    let mut python = context.workspace.run(python);
    if let Some(jars) = kafka::fetched(context) {
        // Kafka's dump tool then looks at what the kills have left, too.
        python = python.env("KAFKA_LIBS", jars);
    }
    python::pytest(python.env(python::BROKER, broker), Path::new(TESTS))
}
