//! A partition's groups, its log, and clients that remember what they were told.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use base::{Millis, PartitionIndex, ProducerId, Uuid};
use state_machines::group::assignor::Assignor;
use state_machines::group::{
    self, Assignment, CommitOffsets, ConsumerHeartbeat, DeleteOffsets, Event, FetchOffsets, GroupError,
    GroupOverrides, Heartbeat, Join, Leave, Leaving, MigrationPolicy, Record, Reply, Settings, Step, Sync,
    Ticket,
};
use state_machines::sequence::Outcome;
use state_machines::topics::{self, Topics};

use crate::consumer_words;
use crate::story;
use crate::words::{self, Words, id, text};

/// What stands in the log.
enum Logged {
    Record(Record, Option<ProducerId>),
    End(ProducerId, Outcome),
}

/// What a client was last told.
#[derive(Clone, Default)]
struct Client {
    member_id: Arc<str>,
    instance: Option<Arc<str>>,
    generation: i32,
    /// Its epoch as a member of the consumer protocol.
    epoch: i32,
}

pub(crate) struct Groups {
    settings: Settings,
    machine: group::Groups,
    log: Vec<Logged>,
    now: Millis,
    wake_at: Option<Millis>,
    clients: HashMap<String, Client>,
    /// Who sent which request.
    senders: HashMap<Ticket, String>,
    uuids: u128,
    topics: Arc<Topics>,
    topics_version: i64,
    /// How many topics of a name there have been.
    topic_times: HashMap<String, u8>,
    overrides: BTreeMap<Arc<str>, GroupOverrides>,
    /// How many bytes a batch takes.
    room: usize,
}

impl Default for Groups {
    fn default() -> Self {
        let mut stage = Self {
            settings: Settings::default(),
            machine: group::Groups::new(Settings::default()),
            log: Vec::new(),
            now: Millis(0),
            wake_at: None,
            clients: HashMap::new(),
            senders: HashMap::new(),
            uuids: 0,
            topics: Arc::default(),
            topics_version: 0,
            topic_times: HashMap::new(),
            overrides: BTreeMap::new(),
            room: usize::MAX,
        };
        stage.restart();
        stage
    }
}

impl story::Stage for Groups {
    fn run(&mut self, command: &str) -> Vec<String> {
        let (verb, rest) = command.split_once(' ').unwrap_or((command, ""));
        let mut words = Words(rest.split_whitespace().collect());
        let group = text(words.option("group").unwrap_or("g"));
        let told = match verb {
            "set" => self.set(words),
            "join" => self.join(group, words),
            "sync" => self.sync(group, words),
            "beat" => self.beat(group, words),
            "leave" => self.leave(group, &words),
            "forget" => {
                words.0.iter().for_each(|name| drop(self.clients.remove(*name)));
                Vec::new()
            }
            "commit" => self.commit(group, words),
            "fetch" => self.fetch(group, words),
            "topic" => self.topic(&words),
            "consume" => self.consume(group, words),
            "override" => self.set_override(group, words),
            "delete-offsets" => {
                let topics = words.0.iter().map(|word| words::partition(word));
                let topics = topics.map(|(topic, partition)| (topic, vec![partition])).collect();
                self.send("-", Event::DeleteOffsets(DeleteOffsets { group_id: group, topics }))
            }
            "delete-groups" => {
                self.send("-", Event::DeleteGroups(words.0.iter().map(|id| text(id)).collect()))
            }
            "topic-deleted" => {
                let known = self.topics.by_name(words.0[0]).map(|topic| topic.id);
                if let Some(id) = known {
                    Arc::make_mut(&mut self.topics).apply(&topics::Record::RemoveTopic { id }).unwrap();
                    self.show_topics();
                }
                let step = self.machine.topic_deleted(words.0[0]);
                self.take(step)
            }
            "transaction" => self.transaction(group, words),
            "end" => {
                let outcome = if words.0[1] == "commit" { Outcome::Commit } else { Outcome::Abort };
                let producer = ProducerId(words.0[0].parse().unwrap());
                self.machine.complete(producer, outcome);
                self.log.push(Logged::End(producer, outcome));
                Vec::new()
            }
            "describe" => self.describe(words.0.first().copied().unwrap_or("g")),
            "list" => self.list(words),
            "wait" => self.wait(words.0[0].parse().unwrap()),
            "restart" => self.restart(),
            _ => panic!("no such command: {command}"),
        };
        self.compare_with_replayed();
        told
    }
}

impl Groups {
    fn set(&mut self, mut words: Words<'_>) -> Vec<String> {
        let settings = &mut self.settings;
        settings.max_size = words.number("max-size", settings.max_size);
        settings.initial_rebalance_delay_ms = words.number("delay", settings.initial_rebalance_delay_ms);
        settings.offset_metadata_max_bytes = words.number("metadata-max", settings.offset_metadata_max_bytes);
        settings.offsets_retention_ms = words.number("retention", settings.offsets_retention_ms);
        settings.offsets_retention_check_interval_ms =
            words.number("check-interval", settings.offsets_retention_check_interval_ms);
        settings.consumer_max_size = words.number("consumer-max-size", settings.consumer_max_size);
        settings.consumer_regex_refresh_interval_ms =
            words.number("regex-refresh", settings.consumer_regex_refresh_interval_ms);
        if let Some(names) = words.option("assignors") {
            settings.consumer_assignors =
                names.split(',').map(|name| Assignor::named(name).unwrap()).collect();
        }
        if let Some(policy) = words.option("migration") {
            settings.consumer_migration_policy = match policy {
                "disabled" => MigrationPolicy::Disabled,
                "upgrade" => MigrationPolicy::Upgrade,
                "downgrade" => MigrationPolicy::Downgrade,
                _ => MigrationPolicy::Bidirectional,
            };
        }
        self.room = words.number("room", self.room);
        assert!(words.0.is_empty(), "unknown: {:?}", words.0);
        self.restart()
    }

    fn join(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        self.uuids += 1;
        let name = words.0.remove(0).to_owned();
        let version = words.number("v", 9);
        let mut client = self.clients.get(&name).cloned().unwrap_or_default();
        if let Some(instance) = words.option("instance") {
            client.instance = Some(text(instance));
        }
        let session_timeout_ms = words.number("session", 10_000);
        let join = Join {
            group_id,
            member_id: match words.option("id") {
                Some("-") => text(""),
                Some(other) => self.member_id(other),
                None => Arc::clone(&client.member_id),
            },
            instance_id: client.instance.clone(),
            client_id: text(&name),
            client_host: text("/127.0.0.1"),
            session_timeout_ms,
            rebalance_timeout_ms: if version == 0 {
                session_timeout_ms
            } else {
                words.number("rebalance", 60_000)
            },
            protocol_type: text(words.option("type").unwrap_or("consumer")),
            protocols: words.protocols(),
            uuid: Uuid::from_u128(self.uuids),
            requires_member_id: version >= 4,
            skips_assignment: version >= 9,
        };
        assert!(words.0.is_empty(), "unknown: {:?}", words.0);
        self.clients.insert(name.clone(), client);
        self.send(&name, Event::Join(join))
    }

    fn sync(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let (name, member_id, client) = self.speaker(&mut words);
        let generation = words.number("gen", client.generation);
        let protocol_type = words.option("type").map(text);
        let protocol = words.option("protocol").map(text);
        let assignments = words.0.iter().map(|word| {
            let (member, share) = word.split_once('=').unwrap();
            Assignment { member_id: self.member_id(member), assignment: words::assignment(share) }
        });
        let sync = Sync {
            group_id,
            member_id,
            instance_id: client.instance,
            generation,
            protocol_type,
            protocol,
            assignments: assignments.collect(),
        };
        self.send(&name, Event::Sync(sync))
    }

    fn beat(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let (name, member_id, client) = self.speaker(&mut words);
        let generation = words.number("gen", client.generation);
        let beat = Heartbeat { group_id, member_id, instance_id: client.instance, generation };
        self.send(&name, Event::Heartbeat(beat))
    }

    fn leave(&mut self, group_id: Arc<str>, words: &Words<'_>) -> Vec<String> {
        let leaving = |word: &&str| match word.strip_prefix("instance:") {
            Some(instance) => Leaving { member_id: text(""), instance_id: Some(text(instance)) },
            None => Leaving {
                member_id: self.member_id(word),
                instance_id: self.clients.get(*word).and_then(|client| client.instance.clone()),
            },
        };
        let members = words.0.iter().map(leaving).collect();
        self.send("-", Event::Leave(Leave { group_id, members }))
    }

    fn commit(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let (name, member_id, client) = self.speaker(&mut words);
        let version = words.number("v", 9);
        let generation = words.number("gen", if name == "-" { -1 } else { client.generation });
        let metadata = words.option("metadata").unwrap_or("");
        let retention_ms = words.option("retention").map(|ms| ms.parse().unwrap());
        let topic_id = Uuid::from_u128(words.number("topic-id", 0));
        let commit = CommitOffsets {
            group_id,
            member_id,
            instance_id: client.instance,
            generation,
            retention_ms,
            names_unknown_group: version >= 9,
            topics: words::commits(&words.0, metadata, topic_id),
        };
        self.send(&name, Event::CommitOffsets(commit))
    }

    fn fetch(&self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let require_stable = words.flag("stable");
        let topic_id = Uuid::from_u128(words.number("topic-id", 0));
        let member_id = words.option("as").map(|word| self.member_id(word));
        let member_epoch = words.number("epoch", -1);
        let topics = words::fetches(&words.0, topic_id);
        let fetch = FetchOffsets { group_id, topics, require_stable, member_id, member_epoch };
        match self.machine.fetch_offsets(&fetch) {
            Ok(fetched) => words::fetched(&fetched),
            Err(error) => vec![format!("{error:?}")],
        }
    }

    /// Makes a topic, or gives it more partitions: `t=3`.
    fn topic(&mut self, words: &Words<'_>) -> Vec<String> {
        for word in &words.0 {
            let (name, count) = word.split_once('=').unwrap();
            let topics = Arc::make_mut(&mut self.topics);
            let id = topics.by_name(name).map_or_else(
                || {
                    let times = self.topic_times.entry(name.to_owned()).or_default();
                    *times += 1;
                    consumer_words::topic_id(name, *times)
                },
                |topic| topic.id,
            );
            if topics.by_name(name).is_none() {
                topics.apply(&topics::Record::Topic { id, name: name.to_owned() }).unwrap();
            }
            let info = topics::PartitionInfo::default();
            for index in 0..count.parse().unwrap() {
                let record =
                    topics::Record::Partition { topic: id, index: PartitionIndex(index), info: info.clone() };
                topics.apply(&record).unwrap();
            }
        }
        self.show_topics();
        Vec::new()
    }

    fn set_override(&mut self, group: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let overrides = GroupOverrides {
            consumer_session_timeout_ms: words.option("session").map(|ms| ms.parse().unwrap()),
            consumer_heartbeat_interval_ms: words.option("interval").map(|ms| ms.parse().unwrap()),
        };
        self.overrides.insert(group, overrides);
        self.machine.set_overrides(Arc::new(self.overrides.clone()));
        Vec::new()
    }

    fn show_topics(&mut self) {
        self.topics_version += 1;
        self.machine.set_topics(&self.topics, self.topics_version);
    }

    /// ConsumerGroupHeartbeat. What a client joins with it says once more whenever it joins.
    fn consume(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        self.uuids += 1;
        let no_id = words.flag("no-id");
        let (name, member_id, client) = self.speaker(&mut words);
        let member_epoch = words.number("epoch", client.epoch);
        let joins = member_epoch == 0;
        let list = |names: &str| names.split(',').filter(|name| !name.is_empty()).map(text).collect();
        let mut subscribed_topic_names: Option<Vec<_>> = words.option("topics").map(list);
        let subscribed_topic_regex = words.option("regex").map(text);
        if joins && subscribed_topic_names.is_none() && subscribed_topic_regex.is_none() {
            subscribed_topic_names = Some(vec![text("t")]);
        }
        let has = words.option("has").map(|has| self.held(has));
        let version = words.number("v", 1);
        let beat = ConsumerHeartbeat {
            group_id,
            member_id: if no_id { text("") } else { member_id },
            member_epoch,
            instance_id: client.instance.clone(),
            rack_id: words.option("rack").map(text),
            rebalance_timeout_ms: words.number("rebalance", if joins { 60_000 } else { -1 }),
            subscribed_topic_names,
            subscribed_topic_regex,
            server_assignor: words.option("assignor").map(text),
            topic_partitions: has.or_else(|| joins.then(Vec::new)),
            client_id: text(&name),
            client_host: text("/127.0.0.1"),
            uuid: Uuid::from_u128(self.uuids),
            requires_member_id: version > 0,
        };
        assert!(words.0.is_empty(), "unknown: {:?}", words.0);
        self.clients.insert(name.clone(), client);
        self.send(&name, Event::ConsumerHeartbeat(beat))
    }

    /// `t:0,1+u:0`, `-` for nothing.
    fn held(&self, words: &str) -> Vec<(Uuid, Vec<PartitionIndex>)> {
        let one = |word: &str| {
            let (name, indexes) = word.split_once(':').unwrap();
            let id = self.topics.by_name(name).unwrap().id;
            (id, indexes.split(',').map(|index| PartitionIndex(index.parse().unwrap())).collect())
        };
        words.split('+').filter(|word| *word != "-").map(one).collect()
    }

    /// The coordinator of a transaction is another machine; only what it leaves in the log matters here.
    fn transaction(&mut self, group_id: Arc<str>, mut words: Words<'_>) -> Vec<String> {
        let producer = ProducerId(words.0.remove(0).parse().unwrap());
        let commit = CommitOffsets {
            group_id,
            member_id: text(""),
            instance_id: None,
            generation: -1,
            retention_ms: None,
            names_unknown_group: true,
            topics: words::commits(&words.0, "", Uuid::nil()),
        };
        let mut elsewhere = group::Groups::new(self.settings.clone());
        let records = elsewhere.handle(Ticket(0), Event::CommitOffsets(commit), self.now).records;
        let told = records.iter().map(words::record).collect();
        for record in records {
            self.machine.replay(&record, Some(producer));
            self.log.push(Logged::Record(record, Some(producer)));
        }
        told
    }

    fn describe(&self, group: &str) -> Vec<String> {
        if let Some(known) = self.machine.describe_consumer(group) {
            assert_eq!(self.machine.describe(group), None, "a group is of one kind");
            return consumer_words::describe(&known);
        }
        let Some(group) = self.machine.describe(group) else { return vec!["not found".to_owned()] };
        let mut lines = vec![
            format!("{} {} {}", group.state.name(), group.protocol_type, group.protocol).trim_end().into(),
        ];
        for member in group.members {
            let instance = member.instance_id.map(|id| format!("({id})")).unwrap_or_default();
            let metadata = if member.metadata.is_empty() { "" } else { ", with metadata" };
            let share = words::share(&member.assignment);
            lines.push(format!(
                "  {}{instance} from {}: {share}{metadata}",
                id(&member.member_id),
                member.client_host
            ));
        }
        lines
    }

    fn list(&self, mut words: Words<'_>) -> Vec<String> {
        let mut names =
            |key| words.option(key).map_or(Vec::new(), |names| names.split(',').map(String::from).collect());
        let (states, types): (Vec<_>, Vec<_>) = (names("states"), names("types"));
        let groups = self.machine.list(&states, &types);
        let line = |group: &group::ListedGroup| {
            let kind = group.kind.name();
            format!("{}: {kind} {}, {:?}", group.group_id, group.state, group.protocol_type)
        };
        if groups.is_empty() { vec!["no groups".to_owned()] } else { groups.iter().map(line).collect() }
    }

    /// Lets time go by from one deadline to the next.
    fn wait(&mut self, ms: i64) -> Vec<String> {
        let end = self.now.plus(ms);
        let mut told = Vec::new();
        while let Some(at) = self.wake_at.filter(|at| *at <= end) {
            self.now = self.now.max(at);
            let step = self.machine.tick(self.now);
            let lines = self.take(step);
            told.extend(lines.into_iter().map(|line| format!("at {}: {line}", self.now)));
        }
        self.now = end;
        told
    }

    fn restart(&mut self) -> Vec<String> {
        self.machine = self.replayed();
        self.machine.set_batch_room(self.room);
        self.senders.clear();
        let step = self.machine.loaded(self.now);
        self.take(step)
    }

    fn replayed(&self) -> group::Groups {
        let mut machine = group::Groups::new(self.settings.clone());
        machine.set_topics(&self.topics, self.topics_version);
        machine.set_overrides(Arc::new(self.overrides.clone()));
        for logged in &self.log {
            match logged {
                Logged::Record(record, transaction) => machine.replay(record, *transaction),
                Logged::End(producer, outcome) => machine.complete(*producer, *outcome),
            }
        }
        machine
    }

    /// What is in force is what is stored: for groups that have members in force or none, and for all offsets.
    fn compare_with_replayed(&self) {
        let replayed = self.replayed();
        for listed in self.machine.list(&[], &[]) {
            let fetch = FetchOffsets {
                group_id: Arc::clone(&listed.group_id),
                topics: None,
                require_stable: true,
                member_id: None,
                member_epoch: -1,
            };
            assert_eq!(self.machine.fetch_offsets(&fetch), replayed.fetch_offsets(&fetch));
            let consumers = self.machine.describe_consumer(&listed.group_id);
            assert_eq!(consumers, replayed.describe_consumer(&listed.group_id));
            if ["Empty", "Stable"].contains(&listed.state) {
                assert_eq!(self.machine.describe(&listed.group_id), replayed.describe(&listed.group_id));
            }
        }
        let ids = |machine: &group::Groups| {
            machine.list(&[], &[]).into_iter().map(|group| group.group_id).collect::<Vec<_>>()
        };
        assert_eq!(ids(&self.machine), ids(&replayed));
    }

    /// The first word: who speaks, under which id.
    fn speaker(&self, words: &mut Words<'_>) -> (String, Arc<str>, Client) {
        let name = words.0.remove(0).to_owned();
        let mut client = self.clients.get(&name).cloned().unwrap_or_default();
        if let Some(instance) = words.option("instance") {
            client.instance = Some(text(instance));
        }
        let member_id = match words.option("id") {
            Some("-") => text(""),
            Some(other) => self.member_id(other),
            None if name == "-" => text(""),
            None => self.member_id(&name),
        };
        (name, member_id, client)
    }

    /// The id that a client was told, or `a-1` for `a-<uuid 1>`, or the word itself.
    fn member_id(&self, word: &str) -> Arc<str> {
        if let Some(client) = self.clients.get(word).filter(|client| !client.member_id.is_empty()) {
            return Arc::clone(&client.member_id);
        }
        match word.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse().ok()?))) {
            Some((name, number)) => text(&format!("{name}-{}", Uuid::from_u128(number))),
            None => text(word),
        }
    }

    fn send(&mut self, name: &str, event: Event) -> Vec<String> {
        let ticket = Ticket(u64::try_from(self.senders.len()).unwrap() + 1);
        self.senders.insert(ticket, name.to_owned());
        let step = self.machine.handle(ticket, event, self.now);
        let answered = step.replies.iter().any(|(answered, _)| *answered == ticket);
        let mut told = self.take(step);
        if !answered {
            told.push(format!("{name}: waits"));
        }
        told
    }

    fn take(&mut self, step: Step) -> Vec<String> {
        self.wake_at = step.wake_at;
        let mut told: Vec<String> = step.records.iter().map(words::record).collect();
        self.log.extend(step.records.into_iter().map(|record| Logged::Record(record, None)));
        for (ticket, reply) in step.replies {
            let name = self.senders[&ticket].clone();
            told.push(format!("{name}: {}", words::reply(&reply)));
            let client = self.clients.entry(name).or_default();
            match reply {
                Reply::Join(Ok(joined)) => {
                    (client.member_id, client.generation) = (joined.member_id, joined.generation);
                }
                Reply::Join(Err(refused)) if !refused.member_id.is_empty() => {
                    client.member_id = refused.member_id;
                }
                Reply::ConsumerHeartbeat(Ok(answer)) => {
                    (client.member_id, client.generation) = (answer.member_id, answer.member_epoch);
                    client.epoch = answer.member_epoch.max(0);
                }
                Reply::ConsumerHeartbeat(Err(refused)) if refused.error == GroupError::FencedMemberEpoch => {
                    client.epoch = 0;
                }
                _ => {}
            }
        }
        told
    }
}
