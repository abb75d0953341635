//! Plays a seeded story on a broker, until it is over or the disk stops, and keeps the ledger.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Millis, Offset, PartitionIndex, ProducerEpoch, ProducerId, Sequence};
use bytes::Bytes;
use catalog::{Catalog, NewPartitions, NewTopic, TopicRef};
use disk::Disk;
use partition::{AppendError, Partition, PartitionConfig, Shut};
use records::{BatchBuilder, BatchRules, CheckedBatch, Codec, NewRecord};
use testkit::{CrashDisk, Random};

use crate::cluster::{self, BEGIN};
use crate::ledger::{Described, Ledger, PartitionLedger, Place, Sent, Standing};

/// Names that topics of a story may have.
const NAMES: [&str; 3] = ["orders", "payments", "logs"];
/// Producers that write, beside those that sign nothing.
const PRODUCERS: usize = 3;

/// A story under way.
pub struct Player {
    disk: CrashDisk,
    /// What the broker sees of it.
    front: Arc<dyn Disk>,
    random: Random,
    /// What was promised so far.
    pub ledger: Ledger,
    /// The time.
    pub now: Millis,
    /// Counts starts, over all crashes of a case.
    pub life: u64,
    /// Who writes now, and in which epoch.
    pub producers: Vec<(ProducerId, ProducerEpoch)>,
    catalog: Option<Arc<Catalog>>,
    /// The partitions that were used since the last start.
    opened: BTreeMap<Place, Arc<Partition>>,
    /// What happened, one line each, with the number of operations on the disk before it.
    pub told: Vec<String>,
}

/// How one act ended.
type Done = Result<(), String>;

impl Player {
    /// A story on `disk` that follows from `seed`, with `ledger` for what earlier lives have promised.
    #[must_use]
    pub fn new(disk: &CrashDisk, seed: u64, ledger: Ledger) -> Self {
        Self {
            disk: disk.clone(),
            front: disk.shared(),
            random: Random::branch(seed, 0xAC7),
            ledger,
            now: BEGIN,
            life: 0,
            producers: Vec::new(),
            catalog: None,
            opened: BTreeMap::new(),
            told: Vec::new(),
        }
    }

    /// The same story, of which the broker sees the disk through `front`.
    #[must_use]
    pub fn through(self, front: Arc<dyn Disk>) -> Self {
        Self { front, ..self }
    }

    /// Starts the broker and plays `acts` acts, or as many as the disk lets happen.
    ///
    /// # Errors
    /// What failed although the disk did not stop.
    pub fn play(&mut self, acts: usize) -> Done {
        if let Done::Err(why) = self.start() {
            return self.unless_stopped("start", &why);
        }
        for _ in 0..acts {
            self.now = self.now.plus(1 + self.random.below(200) as i64);
            self.disk.set_time(self.now);
            let done = self.act();
            self.observe()?;
            if let Err(why) = done {
                return self.unless_stopped(&self.told.last().cloned().unwrap_or_default(), &why);
            }
            if self.disk.has_stopped() {
                return Ok(());
            }
        }
        Ok(())
    }

    /// A plain story, for what comes after it: one partition `orders-0` of small segments, `appends` appends, nothing taken
    /// away. Half of them are flushed, and the checkpoint says so.
    ///
    /// # Errors
    /// What failed.
    pub fn fill(&mut self, appends: usize) -> Done {
        self.start()?;
        while self.producers.len() < PRODUCERS {
            self.new_producer()?;
        }
        let limits = [("internal.segment.bytes", "900"), ("index.interval.bytes", "150")];
        self.create_as("orders", 1, limits.map(|(key, value)| (key.to_owned(), value.to_owned())).into())?;
        for number in 0..appends {
            self.now = self.now.plus(1 + self.random.below(200) as i64);
            self.disk.set_time(self.now);
            self.append()?;
            if number == appends / 2 {
                self.flush()?;
                self.upkeep(70_000);
            }
        }
        self.observe()
    }

    /// The clean stop.
    ///
    /// # Errors
    /// When it was not clean.
    pub fn stop(&mut self) -> Done {
        self.tell("stop");
        let catalog = Arc::clone(self.catalog());
        catalog.close(self.now).map_err(|error| error.to_string())?;
        self.observe()?;
        self.opened.clear();
        self.catalog = None;
        Ok(())
    }

    fn unless_stopped(&self, act: &str, why: &str) -> Done {
        if self.disk.has_stopped() { Ok(()) } else { Err(format!("{act}: failed on a sound disk: {why}")) }
    }

    fn tell(&mut self, what: &str) {
        self.told.push(format!("@{} {what}", self.disk.operations()));
    }

    fn start(&mut self) -> Done {
        self.life += 1;
        self.tell(&format!("start {}", self.life));
        let started = cluster::start(Arc::clone(&self.front), self.life, self.now);
        self.catalog = Some(started.map_err(|error| error.to_string())?);
        self.ledger.or_else = None;
        Ok(())
    }

    fn catalog(&self) -> &Arc<Catalog> {
        self.catalog.as_ref().expect("a story begins with a start")
    }

    /// One act of chance. The first ones make something to act on.
    fn act(&mut self) -> Done {
        while self.producers.len() < PRODUCERS {
            self.new_producer()?;
        }
        if self.ledger.topics.is_empty() {
            return self.create();
        }
        match self.random.below(100) {
            0..=49 => self.append(),
            50..=61 => self.retry(),
            62..=64 => self.skip(),
            65..=67 => self.bump_epoch(),
            68..=71 => self.new_producer(),
            72..=77 => self.flush(),
            78..=81 => self.delete_records(),
            82..=88 => self.tend(),
            89..=91 => self.create(),
            92 => self.grow(),
            93..=94 => self.delete(),
            95..=96 => self.configure(),
            _ => self.restart(),
        }
    }

    fn create(&mut self) -> Done {
        let name = NAMES[self.random.below(NAMES.len() as u64) as usize];
        if self.ledger.topics.contains_key(name) {
            return Ok(());
        }
        let count = 1 + self.random.below(3) as i32;
        let mut configs = BTreeMap::from([
            ("internal.segment.bytes".to_owned(), (700 + self.random.below(1_200)).to_string()),
            ("index.interval.bytes".to_owned(), (50 + self.random.below(300)).to_string()),
        ]);
        if self.random.one_in(2) {
            let every = ["1", "1", "3"][self.random.below(3) as usize];
            configs.insert("flush.messages".into(), every.into());
        }
        if self.random.one_in(3) {
            configs.insert("retention.bytes".into(), (500 + self.random.below(3_000)).to_string());
        }
        if self.random.one_in(4) {
            configs.insert("file.delete.delay.ms".into(), "0".into());
        }
        if self.random.one_in(5) {
            configs.insert("preallocate".into(), "true".into());
        }
        self.create_as(name, count, configs)
    }

    fn create_as(&mut self, name: &str, count: i32, configs: BTreeMap<String, String>) -> Done {
        self.tell(&format!("create {name} with {count} partitions, {configs:?}"));
        let mut or_else = self.ledger.topics.clone();
        or_else.insert(name.into(), (None, count as usize, configs.clone()));
        self.ledger.or_else = Some(or_else);
        let configs_given = configs.iter().map(|(key, value)| (key.clone(), Some(value.clone()))).collect();
        let topic = NewTopic { partitions: count, configs: configs_given, ..NewTopic::with_defaults(name) };
        let created = self.catalog().create_topics(vec![topic], false, self.now).remove(0);
        let created = created.map_err(|error| error.to_string())?;
        self.ledger.or_else = None;
        self.ledger.topics.insert(name.into(), (Some(created.id), count as usize, configs));
        Ok(())
    }

    fn grow(&mut self) -> Done {
        let name = self.any_topic();
        let (_, count, _) = self.ledger.topics[&name];
        if count > 4 {
            return Ok(());
        }
        self.tell(&format!("grow {name} to {} partitions", count + 1));
        let mut grown = self.ledger.topics.clone();
        grown.get_mut(&name).expect("it was chosen from there").1 += 1;
        self.ledger.or_else = Some(grown.clone());
        let growth = NewPartitions { topic: name, count: count as i32 + 1, assignments: None };
        let done = self.catalog().create_partitions(vec![growth], false, self.now).remove(0);
        done.map_err(|error| error.to_string())?;
        self.ledger.or_else = None;
        self.ledger.topics = grown;
        Ok(())
    }

    fn delete(&mut self) -> Done {
        if self.ledger.topics.len() < 2 {
            return Ok(());
        }
        let name = self.any_topic();
        self.tell(&format!("delete {name}"));
        let mut without = self.ledger.topics.clone();
        let id = without.remove(&name).and_then(|(id, ..)| id);
        self.ledger.or_else = Some(without.clone());
        let done = self.catalog().delete_topics(vec![TopicRef::Name(name)], self.now).remove(0);
        done.map_err(|error| error.to_string())?;
        self.ledger.or_else = None;
        self.ledger.topics = without;
        self.ledger.partitions.retain(|(topic, _), _| Some(*topic) != id);
        self.opened.retain(|(topic, _), _| Some(*topic) != id);
        Ok(())
    }

    fn new_producer(&mut self) -> Done {
        let id = self.catalog().next_producer_id(self.now).map_err(|error| error.to_string())?;
        self.tell(&format!("producer {id} comes"));
        if id.0 < self.ledger.next_producer_id {
            return Err(format!("producer id {id} was handed out before"));
        }
        self.ledger.next_producer_id = id.0 + 1;
        if self.producers.len() < PRODUCERS {
            self.producers.push((id, ProducerEpoch(0)));
        } else {
            let place = self.random.below(PRODUCERS as u64) as usize;
            self.producers[place] = (id, ProducerEpoch(0));
        }
        Ok(())
    }

    fn bump_epoch(&mut self) -> Done {
        let place = self.random.below(PRODUCERS as u64) as usize;
        let (id, epoch) = &mut self.producers[place];
        epoch.0 += 1;
        let line = format!("producer {id} goes on in epoch {epoch}");
        self.tell(&line);
        Ok(())
    }

    fn append(&mut self) -> Done {
        let (key, partition, what) = self.any_partition()?;
        let producer = (!self.random.one_in(4)).then(|| self.random.below(PRODUCERS as u64) as usize);
        let records = 1 + self.random.below(4) as usize;
        let size = [5, 30, 120][self.random.below(3) as usize];
        let times: Vec<i64> = (0..records).map(|_| self.now.0 - self.random.below(5_000) as i64).collect();
        let codec = if self.random.one_in(4) { Codec::Lz4 } else { Codec::None };
        let end = self.standing_end(key);
        let signed = producer.map(|place| {
            let (id, epoch) = self.producers[place];
            (id, epoch, self.next_sequence(key, id, epoch))
        });
        let value = vec![b'a' + self.random.below(26) as u8; size];
        let batch = build(signed, &times, &value, codec, self.now);
        let signature = signed
            .map_or_else(|| "unsigned".to_owned(), |(id, epoch, first)| format!("{id}/{epoch} from {first}"));
        self.tell(&format!("append {records} records, {signature}, to {what} at {end}"));
        let sent = Sent { base: end, batch, times };
        self.ledger.partitions.entry(key).or_default().pending = Some(sent.clone());
        let appended = match partition.append(&sent.batch, self.now) {
            Ok(appended) => appended,
            Err(error) => return Err(error.to_string()),
        };
        if appended.duplicate || appended.base_offset != end {
            return Err(format!("a fresh batch was answered with {appended:?}, expected offset {end}"));
        }
        let ledger = self.ledger.partitions.entry(key).or_default();
        ledger.pending = None;
        ledger.batches.push(sent);
        Ok(())
    }

    /// Sends one of a producer's last five batches again.
    fn retry(&mut self) -> Done {
        let (key, partition, what) = self.any_partition()?;
        let (id, _) = self.producers[self.random.below(PRODUCERS as u64) as usize];
        let back = self.random.below(5) as usize;
        let end = self.standing_end(key);
        let first_kept = partition.marks().log_start;
        let ledger = self.ledger.partitions.entry(key).or_default();
        let own = ledger.newest_of(id, end);
        let Some(sent) = own.get(back).filter(|sent| back == 0 || sent.base >= first_kept) else {
            return Ok(());
        };
        let sent = Sent::clone(sent);
        self.tell(&format!("repeat the batch of producer {id} at {} in {what}", sent.base));
        let again = partition.append(&sent.batch, self.now).map_err(|error| error.to_string())?;
        if again.duplicate && again.base_offset == sent.base {
            Ok(())
        } else {
            Err(format!("a batch that stands at {} was answered with {again:?}", sent.base))
        }
    }

    /// A batch whose predecessor never came: refused, and nothing is written.
    fn skip(&mut self) -> Done {
        let (key, partition, what) = self.any_partition()?;
        let (id, epoch) = self.producers[self.random.below(PRODUCERS as u64) as usize];
        let end = self.standing_end(key);
        let known = self.ledger.partitions.entry(key).or_default().producers(end).get(&id).copied();
        if known.is_none() {
            return Ok(());
        }
        let first = self.next_sequence(key, id, epoch).plus(7);
        self.tell(&format!("producer {id} skips to {first} in {what}"));
        let batch = build(Some((id, epoch, first)), &[self.now.0], b"gap", Codec::None, self.now);
        match partition.append(&batch, self.now) {
            Err(AppendError::Refused(_)) => Ok(()),
            other => Err(format!("a gap in the sequence was answered with {other:?}")),
        }
    }

    fn flush(&mut self) -> Done {
        let (_, partition, what) = self.any_partition()?;
        self.tell(&format!("flush {what}"));
        partition.flush().map_err(|error| error.to_string())
    }

    fn delete_records(&mut self) -> Done {
        let (_, partition, what) = self.any_partition()?;
        let marks = partition.marks();
        let span = marks.high_watermark.since(marks.log_start).unsigned_abs();
        let to = marks.log_start.plus(self.random.below(span / 2 + 1) as i64);
        self.tell(&format!("delete records before {to} in {what}"));
        partition.delete_records_before(Some(to)).map(drop).map_err(|error| error.to_string())
    }

    fn tend(&mut self) -> Done {
        let ms = [1_000, 6_000, 70_000, 310_000][self.random.below(4) as usize];
        self.upkeep(ms);
        Ok(())
    }

    fn upkeep(&mut self, ms: i64) {
        self.now = self.now.plus(ms);
        self.disk.set_time(self.now);
        self.tell(&format!("upkeep {ms} ms later"));
        let catalog = Arc::clone(self.catalog());
        catalog.tend(self.now);
        // Retention may have opened any of them.
        for (key, _) in self.known_partitions() {
            if let Ok(partition) = catalog.partition(key.0, PartitionIndex(key.1)) {
                self.opened.insert(key, partition);
            }
        }
    }

    /// Other limits for one partition, until the next start.
    fn configure(&mut self) -> Done {
        let (_, partition, what) = self.any_partition()?;
        let mut config = PartitionConfig::default();
        config.log.segment_bytes = 700 + self.random.below(2_000) as u32;
        config.log.index_interval_bytes = 100;
        config.flush_messages = if self.random.one_in(2) { 1 } else { i64::MAX };
        self.tell(&format!(
            "configure {what}: segments of {}, a flush each {}",
            config.log.segment_bytes, config.flush_messages
        ));
        partition.set_config(config);
        Ok(())
    }

    fn restart(&mut self) -> Done {
        self.stop()?;
        self.start()
    }

    /// Writes down where every partition in use stands. Holds also when the disk has stopped: the broker's own memory says
    /// what it may have told clients.
    fn observe(&mut self) -> Done {
        for (key, partition) in &self.opened {
            let marks = partition.marks();
            check_marks(&marks)?;
            if let Some(Shut::Panic(said)) = partition.shut() {
                return Err(format!("partition {key:?} panicked: {said}"));
            }
            let configs = self.ledger.topics.values().find(|(id, ..)| *id == Some(key.0));
            let flushed = configs.is_some_and(|(_, _, configs)| Ledger::acks_are_flushed(configs));
            // Until the first restart another configuration may hold; then acks may mean less.
            let flushed = flushed && marks.high_watermark <= marks.flushed;
            self.ledger.partitions.entry(*key).or_default().observe(&marks, flushed);
        }
        Ok(())
    }

    fn known_partitions(&self) -> Vec<(Place, String)> {
        let of = |(name, (id, count, _)): (&String, &Described)| {
            let (name, id) = (name.clone(), id.expect("acknowledged topics have ids"));
            (0..*count as i32).map(move |index| ((id, index), format!("{name}-{index}"))).collect::<Vec<_>>()
        };
        self.ledger.topics.iter().flat_map(of).collect()
    }

    fn any_topic(&mut self) -> String {
        let place = self.random.below(self.ledger.topics.len() as u64) as usize;
        self.ledger.topics.keys().nth(place).expect("a place among them").clone()
    }

    fn any_partition(&mut self) -> Result<(Place, Arc<Partition>, String), String> {
        let known = self.known_partitions();
        let (key, name) = known[self.random.below(known.len() as u64) as usize].clone();
        let partition =
            self.catalog().partition(key.0, PartitionIndex(key.1)).map_err(|error| error.to_string())?;
        self.opened.insert(key, Arc::clone(&partition));
        Ok((key, partition, name))
    }

    /// Where the next batch goes.
    fn standing_end(&self, key: Place) -> Offset {
        let last = self.ledger.partitions.get(&key).and_then(|ledger| ledger.batches.last());
        let start = self.ledger.partitions.get(&key).map_or(Offset::ZERO, |ledger| ledger.log_start);
        last.map_or(Offset::ZERO, Sent::end).max(start)
    }

    /// The sequence that the producer's next batch has. A new epoch begins with 0.
    fn next_sequence(&self, key: Place, id: ProducerId, epoch: ProducerEpoch) -> Sequence {
        let ledger = self.ledger.partitions.get(&key);
        let newest = ledger.and_then(|ledger: &PartitionLedger| {
            ledger.batches.iter().rev().find(|sent| sent.producer() == Some(id)).map(Standing::of)
        });
        newest
            .filter(|standing| standing.epoch == epoch)
            .map_or(Sequence::FIRST, |standing| standing.last_sequence.plus(1))
    }
}

/// The order that marks keep.
///
/// # Errors
/// Says which marks are not in order.
pub fn check_marks(marks: &partition::Marks) -> Result<(), String> {
    let in_order = marks.log_start <= marks.last_stable
        && marks.last_stable <= marks.high_watermark
        && marks.high_watermark <= marks.log_end
        && marks.flushed <= marks.log_end;
    if in_order { Ok(()) } else { Err(format!("the marks are not in order: {marks:?}")) }
}

fn build(
    signed: Option<(ProducerId, ProducerEpoch, Sequence)>,
    times: &[i64],
    value: &[u8],
    codec: Codec,
    now: Millis,
) -> CheckedBatch {
    let mut builder = BatchBuilder::new(Offset::ZERO).codec(codec, None);
    if let Some((id, epoch, first)) = signed {
        builder = builder.producer(id, epoch, first);
    }
    for time in times {
        builder.push(&NewRecord { timestamp: Millis(*time), value: Some(value), ..NewRecord::default() });
    }
    let bytes: Bytes = builder.build();
    records::check(&bytes, 9, &BatchRules::default(), now).expect("the batch keeps the rules")
}
