//! Plans of a reset as text: what `--export` writes and `--from-file` reads (Kafka: `CsvUtils`).

use std::collections::BTreeMap;
use std::fs;

use client::TopicPartition;

use super::reset::Plan;
use crate::call::Failure;

/// A line for each partition: topic, partition and offset, with the group in front where there are several.
pub(super) fn written(plans: &[(String, Plan)], with_group: bool) -> String {
    let mut text = String::new();
    for (group, plan) in plans {
        for (partition, offset) in plan {
            if with_group {
                text.push_str(&quoted(group));
                text.push(',');
            }
            let topic = quoted(&partition.topic);
            text.push_str(&format!("{topic},{},{offset}\n", partition.partition));
        }
    }
    text
}

/// As the writer of Kafka's tool decides it: what is long, or has a character up to the comma, is quoted.
fn quoted(text: &str) -> String {
    let long = text.encode_utf16().count() > 24;
    if long || text.chars().any(|char| char <= ',') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// Reads plans by group. Where there is one `group`, lines without a group are its.
pub(super) fn read(path: &str, group: Option<&str>) -> Result<BTreeMap<String, Plan>, Failure> {
    let text = fs::read_to_string(path).map_err(|error| {
        Failure::Told(format!("java.io.IOException: Unable to read file {path}: {error}"))
    })?;
    parsed(&text, group).map_err(|why| Failure::Told(format!("{path}: {why}")))
}

fn parsed(text: &str, group: Option<&str>) -> Result<BTreeMap<String, Plan>, String> {
    let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
    for line in text.lines() {
        let cells = cells(line).ok_or_else(|| format!("a quote has no end in `{line}`"))?;
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        let (of, topic, partition, offset) = match (cells[..].iter().as_slice(), group) {
            (&[topic, partition, offset], Some(group)) => (group, topic, partition, offset),
            (&[of, topic, partition, offset], _) => (of, topic, partition, offset),
            _ => {
                return Err(format!(
                    "`{line}` is no TOPIC,PARTITION,OFFSET of one group, and no GROUP,TOPIC,PARTITION,OFFSET"
                ));
            }
        };
        let wrong = |what: &str| format!("`{what}` is no number in `{line}`");
        let number = partition.parse().map_err(|_| wrong(partition))?;
        let offset = offset.parse().map_err(|_| wrong(offset))?;
        plans.entry(of.to_owned()).or_default().insert(TopicPartition::new(topic, number), offset);
    }
    Ok(plans)
}

/// The cells of a line, or nothing when a quote has no end.
fn cells(line: &str) -> Option<Vec<String>> {
    let mut cells = vec![String::new()];
    let mut chars = line.chars().peekable();
    let mut within = false;
    while let Some(char) = chars.next() {
        let cell = cells.last_mut()?;
        match char {
            '"' if within && chars.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if within || cell.is_empty() => within = !within,
            ',' if !within => cells.push(String::new()),
            other => cell.push(other),
        }
    }
    (!within).then_some(cells)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let plan = |topic: &str| {
            Plan::from([(TopicPartition::new(topic, 3), 7), (TopicPartition::new(topic, 4), 0)])
        };
        let plans = [("a group, \"so\"".to_owned(), plan("t")), ("g".to_owned(), plan(&"long".repeat(7)))];
        let text = written(&plans, true);
        assert!(text.starts_with("\"a group, \"\"so\"\"\",t,3,7\n"), "{text}");
        assert!(text.contains("g,\"longlong"), "{text}");
        assert_eq!(parsed(&text, None).unwrap().into_iter().collect::<Vec<_>>(), plans);
        assert_eq!(
            parsed("t,3,7\r\nt,4,0\n", Some("g")).unwrap(),
            BTreeMap::from([("g".to_owned(), plan("t"))])
        );
    }

    #[test]
    fn what_is_no_plan_is_refused_with_its_line() {
        for wrong in ["t,1,2", "g,t,x,2", "g,t,1,y", "g,t,1,2,3", "", "\"g,t,1,2"] {
            let why = parsed(&format!("g,t,0,1\n{wrong}\n"), None).unwrap_err();
            assert!(why.contains(wrong), "{wrong}: {why}");
        }
    }
}
