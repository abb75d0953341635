//! A story of the catalogue, cut at every single operation on the disk.

use std::collections::BTreeMap;

use settings::Settings;
use testkit::Crash;

use super::*;
use crate::{NewPartitions, TopicRef};

/// What was promised: topics with their id and number of partitions, records that were flushed, producer ids handed out.
#[derive(Clone, Debug, Default, PartialEq)]
struct Promised {
    topics: BTreeMap<String, (Option<Uuid>, usize)>,
    flushed: BTreeMap<String, i64>,
    next_producer_id: i64,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Create(&'static str, i32),
    Grow(&'static str, i32),
    Delete(&'static str),
    Append(&'static str),
    Flush(&'static str),
    ProducerId,
    Tend(i64),
    Restart,
}

const STORY: &[Act] = &[
    Act::Create("a", 2),
    Act::ProducerId,
    Act::Append("a"),
    Act::Flush("a"),
    Act::Create("b", 1),
    Act::Append("b"),
    Act::Flush("b"),
    Act::Tend(70_000),
    Act::Delete("b"),
    Act::Create("b", 2),
    Act::Append("b"),
    Act::Flush("b"),
    Act::Restart,
    Act::Grow("a", 3),
    Act::Append("a"),
    Act::Flush("a"),
    Act::ProducerId,
    Act::Tend(200_000),
    Act::Delete("a"),
    Act::Restart,
];

/// Each `Tend` writes a snapshot of the metadata log, and each but the first removes the one before it with its segments.
const SNAPSHOTS: &[Act] = &[
    Act::Create("a", 2),
    Act::Tend(1_000),
    Act::ProducerId,
    Act::Create("b", 1),
    Act::Tend(2_000),
    Act::Delete("a"),
    Act::Restart,
    Act::Tend(3_000),
    Act::Create("a", 1),
    Act::Grow("b", 2),
    Act::Tend(70_000),
    Act::Restart,
    Act::Tend(140_000),
    Act::ProducerId,
];

fn eager() -> Arc<Settings> {
    let mut settings = Settings::default();
    settings.set("metadata.log.max.record.bytes.between.snapshots", "1").unwrap();
    settings.set("metadata.max.retention.bytes", "1").unwrap();
    Arc::new(settings)
}

impl Promised {
    /// What holds once `act` has happened.
    fn after(&self, act: Act, id: Option<Uuid>) -> Self {
        let mut next = self.clone();
        match act {
            Act::Create(name, count) => {
                next.topics.insert(name.into(), (id, usize::try_from(count).unwrap()));
                next.flushed.insert(name.into(), 0);
            }
            Act::Grow(name, count) => next.topics.get_mut(name).unwrap().1 = usize::try_from(count).unwrap(),
            Act::Delete(name) => {
                next.topics.remove(name);
                next.flushed.remove(name);
            }
            Act::Flush(name) => *next.flushed.get_mut(name).unwrap() += 1,
            Act::Append(_) | Act::ProducerId | Act::Tend(_) | Act::Restart => {}
        }
        next
    }

    /// Whether the catalogue holds just these topics. An id that nobody was told may be any.
    fn fits(&self, catalog: &Catalog) -> bool {
        let topics = catalog.topics();
        topics.len() == self.topics.len()
            && topics.iter().all(|topic| {
                let promised = self.topics.get(&*topic.name);
                promised.is_some_and(|(id, count)| {
                    id.is_none_or(|id| id == topic.id) && topic.partitions.len() == *count
                })
            })
    }
}

/// Plays the story until the disk stops. Returns what was promised, and what would hold had the last act happened.
fn play(disk: &CrashDisk, story: &[Act], settings: &Arc<Settings>) -> (Promised, Promised) {
    let mut promised = Promised::default();
    let open = |seed| {
        let config = CatalogConfig { settings: Arc::clone(settings), ..config(Path::new(DIR)) };
        Catalog::open_unlocked(disk.shared(), config, ids(seed), NOW)
    };
    let Ok(mut catalog) = open(1) else { return (promised.clone(), promised) };
    for (seed, act) in (2..).zip(story) {
        let id = |catalog: &Catalog, name: &str| catalog.topics().by_name(name).unwrap().id;
        let done = match *act {
            Act::Create(name, count) => catalog
                .create_topics(vec![topic(name, count)], false, NOW)
                .remove(0)
                .map(|topic| Some(topic.id))
                .ok(),
            Act::Grow(name, count) => {
                let growth = NewPartitions { topic: name.into(), count, assignments: None };
                catalog.create_partitions(vec![growth], false, NOW).remove(0).map(|()| None).ok()
            }
            Act::Delete(name) => {
                catalog.delete_topics(vec![TopicRef::Name(name.into())], NOW).remove(0).map(|_| None).ok()
            }
            Act::Append(name) => try_append(&catalog, id(&catalog, name)).then_some(None),
            Act::Flush(name) => {
                let partition = catalog.partition(id(&catalog, name), PartitionIndex(0));
                partition.is_ok_and(|partition| partition.flush().is_ok()).then_some(None)
            }
            Act::ProducerId => catalog.next_producer_id(NOW).ok().map(|id| {
                promised.next_producer_id = id.0 + 1;
                None
            }),
            Act::Tend(ms) => {
                catalog.tend(NOW.plus(ms));
                Some(None)
            }
            Act::Restart => match catalog.close(NOW).is_ok().then(|| open(seed)) {
                Some(Ok(opened)) => {
                    catalog = opened;
                    Some(None)
                }
                _ => None,
            },
        };
        match done {
            Some(id) => promised = promised.after(*act, id),
            None => return (promised.clone(), promised.after(*act, None)),
        }
    }
    (promised.clone(), promised)
}

fn try_append(catalog: &Catalog, topic: Uuid) -> bool {
    let mut builder = BatchBuilder::new(Offset::ZERO);
    builder.push(&NewRecord { timestamp: NOW, value: Some(b"x"), ..NewRecord::default() });
    let batch = records::check(&builder.build(), 9, &rules(), NOW).unwrap();
    let partition = catalog.partition(topic, PartitionIndex(0));
    partition.is_ok_and(|partition| partition.append(&batch, NOW).is_ok())
}

fn check(disk: &CrashDisk, promised: &Promised, or_else: &Promised, crash: Crash, told: &str) {
    let catalog = open(disk, 77).unwrap_or_else(|error| panic!("{told}: {error}"));
    assert!(
        promised.fits(&catalog) || or_else.fits(&catalog),
        "{told}: promised {promised:?} or {or_else:?}, found {:?}",
        partitions(&catalog)
    );
    for topic in catalog.topics().iter() {
        for index in (0..).take(topic.partitions.len()).map(PartitionIndex) {
            let partition =
                catalog.partition(topic.id, index).unwrap_or_else(|error| panic!("{told}: {error}"));
            let flushed = promised.flushed.get(&*topic.name).copied().unwrap_or(0);
            // A topic that was deleted and created again in the act that was cut keeps nothing.
            let same = promised.topics.get(&*topic.name).is_some_and(|(id, _)| *id == Some(topic.id));
            if same && index.0 == 0 {
                let end = partition.marks().log_end.0;
                assert!(
                    end >= flushed,
                    "{told}: {} of {flushed} flushed records are left in {}",
                    end,
                    topic.name
                );
            }
        }
    }
    let next = catalog.next_producer_id(NOW).unwrap().0;
    assert!(next >= promised.next_producer_id, "{told}: producer id {next} was handed out before");
    if crash == Crash::ProcessKill {
        let strays = names(disk, DIR).into_iter().filter(|name| name.ends_with("-stray")).collect::<Vec<_>>();
        assert!(strays.is_empty(), "{told}: {strays:?}");
    }
    let topics = catalog.topics();
    catalog.close(NOW).unwrap_or_else(|error| panic!("{told}: {error}"));
    let again = open(disk, 78).unwrap_or_else(|error| panic!("{told}, stopped cleanly: {error}"));
    assert_eq!(again.topics(), topics, "{told}");
}

/// Cuts the story at each operation, and looks at what is left. Returns the disk that nothing disturbed.
fn cut_everywhere(story: &[Act], settings: &Arc<Settings>) -> CrashDisk {
    let calm = CrashDisk::calm(0);
    let (promised, _) = play(&calm, story, settings);
    let operations = calm.operations();
    for cut in 0..operations {
        let disk = CrashDisk::new(cut, cut);
        let (promised, or_else) = play(&disk, story, settings);
        for crash in [Crash::ProcessKill, Crash::PowerLoss] {
            let seeds = if crash == Crash::PowerLoss { 3 } else { 1 };
            for seed in 0..seeds {
                let told = format!("cut {cut} of {operations}, {crash:?}, seed {seed}");
                check(&disk.after_with(crash, cut * 10 + seed), &promised, &or_else, crash, &told);
            }
        }
    }
    assert!(promised.topics.contains_key("b"), "undisturbed, the story comes to its end");
    calm
}

#[test]
fn whatever_was_promised_survives_a_crash_at_any_operation() {
    cut_everywhere(STORY, &Arc::new(Settings::default()));
}

#[test]
fn snapshots_and_trimming_lose_nothing_at_any_operation() {
    let disk = cut_everywhere(SNAPSHOTS, &eager());
    let left = names(&disk, Path::new(DIR).join("__cluster_metadata-0"));
    let whole: Vec<_> = left.iter().filter(|name| name.ends_with(".checkpoint")).collect();
    assert_eq!(whole.len(), 1, "{left:?}");
    assert!(!left.contains(&"00000000000000000000.log".to_owned()), "{left:?}");
}

/// A start that makes the directory, and the one above it, may end before it has synced their names; the next one sees to it.
#[test]
fn a_format_that_was_cut_short_is_made_good_by_the_next_start() {
    let start = |disk: &CrashDisk, seed| {
        Catalog::open_unlocked(disk.shared(), config(Path::new("/srv/ottla-data")), ids(seed), NOW)
    };
    for cut in 0..20 {
        let disk = CrashDisk::new(cut, cut);
        assert!(start(&disk, 1).is_err(), "a first start makes more than 20 operations");
        let disk = disk.after(Crash::ProcessKill);
        create(&start(&disk, 2).unwrap(), "a", 1);
        for seed in 0..4 {
            let again = start(&disk.after_with(Crash::PowerLoss, seed), 3).unwrap();
            assert!(again.topics().by_name("a").is_some(), "cut {cut}, seed {seed}");
        }
    }
}

/// What a kill left of the metadata log is synced before more is written behind it. Else a power loss might take the earlier
/// batch and leave the later one, which counts as damage.
#[test]
fn a_tail_that_a_kill_left_is_synced_before_it_is_followed() {
    let begin = |disk: &CrashDisk| {
        let catalog = open(disk, 1)?;
        catalog.create_topics(vec![topic("a", 1)], false, NOW);
        Ok::<(), OpenError>(())
    };
    let calm = CrashDisk::calm(0);
    begin(&calm).unwrap();
    for cut in 0..calm.operations() {
        let disk = CrashDisk::new(cut, cut);
        let _stopped = begin(&disk);
        for further in 0..12 {
            let again = disk.after(Crash::ProcessKill);
            again.cut_after(further);
            let _stopped = open(&again, 2);
            for seed in 0..3 {
                let left = again.after_with(Crash::PowerLoss, seed);
                open(&left, 3).unwrap_or_else(|error| panic!("cut {cut}, {further}, seed {seed}: {error}"));
            }
        }
    }
}
