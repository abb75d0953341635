//! Stories about topics, told as text: `tests/scenarios/topics/*.txt`.
//!
//! How a story is told: `story/mod.rs`. Topic ids count up from 1.
//!
//! | command | |
//! | --- | --- |
//! | `create a [partitions=3] [factor=1] [key=value]...` | one topic of a request; what is left open is for the broker |
//! | `create a \| b partitions=2` | a request for several topics |
//! | `grow a 5` | CreatePartitions |
//! | `delete a \| #3` | by name or by id |
//! | `stop` / `start` / `crash` | the records that Kafka writes when its broker stops and starts; those of a start after a crash |
//! | `show` | every topic: id, configuration, and each partition's leader, leader epoch and partition epoch |
//! | `replay` | applies all records from nothing and compares |

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod story;

use std::collections::BTreeMap;

use base::{NodeId, PartitionIndex, Uuid};
use state_machines::topics::{
    NewPartitions, NewTopic, PartitionChange, Record, Refusal, Rules, TopicRef, Topics,
};

const NODE: NodeId = NodeId(1);
const RULES: Rules = Rules {
    partitions: 2,
    replication_factor: 1,
    node: NODE,
    directory: Uuid::from_u128(0xd1),
    clamp: false,
};

#[test]
fn stories() {
    story::retell_all::<Stage>("topics");
}

#[derive(Default)]
struct Stage {
    image: Topics,
    log: Vec<Record>,
    last_id: u128,
}

impl story::Stage for Stage {
    fn run(&mut self, command: &str) -> Vec<String> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let items = || rest.split(" | ").map(str::trim);
        match verb {
            "create" => self.create(&items().map(new_topic).collect::<Vec<_>>()),
            "grow" => {
                let (topic, count) = rest.split_once(' ').unwrap();
                let wish =
                    NewPartitions { topic: topic.into(), count: count.parse().unwrap(), assignments: None };
                let answers = self.image.grow(&[wish], &RULES);
                self.answer(answers, |growth| {
                    (format!("{} partitions more", growth.records.len()), growth.records)
                })
            }
            "delete" => {
                let topics: Vec<_> = items().map(topic_ref).collect();
                let answers = self.image.delete(&topics);
                self.answer(answers, |deletion| (format!("deleted {}", deletion.name), vec![deletion.record]))
            }
            "stop" => self.change_all(&PartitionChange {
                isr: Some(Vec::new()),
                leader: Some(None),
                eligible_leaders: Some(vec![NODE]),
                last_known_eligible_leaders: Some(vec![NODE]),
                ..PartitionChange::default()
            }),
            "start" => self.change_all(&PartitionChange {
                isr: Some(vec![NODE]),
                leader: Some(Some(NODE)),
                eligible_leaders: Some(Vec::new()),
                last_known_eligible_leaders: Some(Vec::new()),
                ..PartitionChange::default()
            }),
            "crash" => {
                self.change_all(&PartitionChange { leader: Some(Some(NODE)), ..PartitionChange::default() })
            }
            "show" => self.show(),
            "replay" => {
                let mut replayed = Topics::default();
                self.log.iter().for_each(|record| replayed.apply(record).unwrap());
                replayed.check_whole().unwrap();
                assert_eq!(replayed, self.image);
                vec![format!("{} records give the same image", self.log.len())]
            }
            _ => panic!("no such command: {command}"),
        }
    }
}

impl Stage {
    fn create(&mut self, wishes: &[NewTopic]) -> Vec<String> {
        let mut last_id = self.last_id;
        let mut id = || {
            last_id += 1;
            Uuid::from_u128(last_id)
        };
        let check = |configs: &BTreeMap<String, String>| match configs.get("bad") {
            Some(_) => Err("`bad` is always wrong".to_owned()),
            None => Ok(()),
        };
        let answers = self.image.create(wishes, &RULES, &check, &mut id);
        self.last_id = last_id;
        self.answer(answers, |creation| {
            let topic = &creation.topic;
            let told = format!(
                "created {} #{} with {} partitions",
                topic.name,
                topic.id.as_u128(),
                topic.partitions
            );
            (told, creation.records)
        })
    }

    fn answer<T>(
        &mut self,
        answers: Vec<Result<T, Refusal>>,
        tell: impl Fn(T) -> (String, Vec<Record>),
    ) -> Vec<String> {
        let one = |answer| match answer {
            Ok(decided) => {
                let (told, records) = tell(decided);
                self.store(records);
                told
            }
            Err(refusal) => format!("refused: {refusal}"),
        };
        answers.into_iter().map(one).collect()
    }

    fn change_all(&mut self, change: &PartitionChange) -> Vec<String> {
        let topics = self.image.clone();
        let partitions =
            topics.iter().flat_map(|topic| (0..topic.partitions.len()).map(|index| (topic.id, index)));
        let records: Vec<_> = partitions
            .map(|(topic, index)| Record::PartitionChange {
                topic,
                index: PartitionIndex(i32::try_from(index).unwrap()),
                change: change.clone(),
            })
            .collect();
        let told = format!("{} partitions changed", records.len());
        self.store(records);
        vec![told]
    }

    fn store(&mut self, records: Vec<Record>) {
        records.iter().for_each(|record| self.image.apply(record).unwrap());
        self.log.extend(records);
    }

    fn show(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for topic in self.image.iter() {
            let configs: Vec<_> =
                topic.configs.iter().map(|(key, value)| format!(" {key}={value}")).collect();
            lines.push(format!("{} #{}{}", topic.name, topic.id.as_u128(), configs.concat()));
            for (index, info) in topic.partitions.iter().enumerate() {
                let leader = info.leader.map_or_else(|| "nobody".to_owned(), |node| format!("node {node}"));
                let epochs =
                    format!("leader epoch {}, partition epoch {}", info.leader_epoch, info.partition_epoch);
                lines.push(format!("  {index}: {leader}, {epochs}"));
            }
        }
        lines
    }
}

fn new_topic(text: &str) -> NewTopic {
    let mut words = text.split(' ');
    let mut wish = NewTopic::with_defaults(words.next().unwrap());
    for word in words {
        match word.split_once('=').unwrap() {
            ("partitions", count) => wish.partitions = count.parse().unwrap(),
            ("factor", factor) => wish.replication_factor = factor.parse().unwrap(),
            (key, "null") => wish.configs.push((key.into(), None)),
            (key, value) => wish.configs.push((key.into(), Some(value.into()))),
        }
    }
    wish
}

fn topic_ref(text: &str) -> TopicRef {
    match text.strip_prefix('#') {
        Some(id) => TopicRef::Id(Uuid::from_u128(id.parse().unwrap())),
        None => TopicRef::Name(text.into()),
    }
}
