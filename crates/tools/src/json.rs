//! Files of JSON that name partitions.

use std::fs;

use client::TopicPartition;
use serde_json::Value;

use crate::call::Failure;

/// Reads a file.
pub(crate) fn read(path: &str) -> Result<Value, Failure> {
    let text = fs::read_to_string(path)
        .map_err(|error| Failure::Told(format!("Unable to read file {path}: {error}")))?;
    serde_json::from_str(&text)
        .map_err(|error| Failure::Told(format!("The input string is not a valid JSON: {error}")))
}

/// The list called `partitions`.
pub(crate) fn partitions(content: &Value) -> Result<&[Value], String> {
    let list = content.get("partitions").and_then(Value::as_array);
    list.map(Vec::as_slice).ok_or_else(|| "Missing partitions field".to_owned())
}

/// The partition that an entry of the list names.
pub(crate) fn partition(entry: &Value) -> Result<TopicPartition, String> {
    let topic = entry.get("topic").and_then(Value::as_str);
    let topic = topic.ok_or_else(|| format!("`{entry}` has no text called topic"))?;
    let number = entry.get("partition").and_then(Value::as_i64).and_then(|number| i32::try_from(number).ok());
    let number = number.ok_or_else(|| format!("`{entry}` has no number called partition"))?;
    Ok(TopicPartition::new(topic, number))
}
