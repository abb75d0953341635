//! A [`Value`] as compact JSON, to the byte what Jackson prints for Kafka's converters.

use crate::value::Value;

impl Value {
    /// The value as JSON without white space, escaped as Jackson does.
    #[must_use]
    pub fn to_json(&self) -> String {
        todo!()
    }
}
