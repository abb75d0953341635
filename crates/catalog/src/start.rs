//! The start: look, lock, look again, read, judge; and only then touch.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use arc_swap::ArcSwap;
use base::{Millis, Offset, Uuid};
use disk::{DirLock, Disk};
use log::Commons;
use log::checkpoint::format_id;
use parking_lot::Mutex;
use partition::Flusher;
use state_machines::quotas::IP;

use crate::catalog::{Catalog, State};
use crate::checkpoints::Checkpoints;
use crate::clean_shutdown;
use crate::config::CatalogConfig;
use crate::configs;
use crate::directories;
use crate::error::{OpenError, Unservable};
use crate::hosted::{self, Ground, Random};
use crate::image::MetadataImage;
use crate::meta_properties::{MetaProperties, random_id};
use crate::metadata_log::{self, MetadataLog};
use crate::names::METADATA_DIR;
use crate::open_transactions;
use crate::producer_ids::ProducerIds;
use crate::quorum_state::QuorumState;
use crate::recovery_points;
use crate::registration::{self, MOST_RECORDS, Process, Versioned};
use crate::replay::{self, Replayed};
use crate::snapshots::Limits;
use crate::survey::{self, Survey};
use crate::upkeep::Upkeep;
use crate::writer::Writer;

/// So many files of segments are kept open at most, however many the process may open: each takes a kilobyte in the kernel.
const MOST_OPEN_FILES: u64 = 1 << 16;
/// Threads that sync partitions in the background.
const FLUSHER_THREADS: usize = 2;

/// Opens the data directory and takes its lock.
pub(crate) fn open(
    disk: Arc<dyn Disk>,
    config: CatalogConfig,
    random: Random,
    now: Millis,
) -> Result<Arc<Catalog>, OpenError> {
    config.settings.topic(&BTreeMap::new())?;
    // Taking the lock makes a file, so whose directory it is comes first.
    look(&*disk, &config)?;
    disk.create_dir_all(&config.data_dir)?;
    let lock = DirLock::take(&config.data_dir).map_err(OpenError::Locked)?;
    open_locked(disk, config, random, now, Guard::Lock(lock))
}

/// How many files of segments are kept open: three eighths of those that the process may open, since connections take up to
/// a half, and answers under way and files written anew need some.
fn open_files(allowed: Option<u64>) -> usize {
    let share = allowed.map_or(MOST_OPEN_FILES, |allowed| allowed / 8 * 3);
    usize::try_from(share.min(MOST_OPEN_FILES)).unwrap_or(usize::MAX)
}

/// What keeps others out of the data directory.
pub(crate) enum Guard {
    /// Its lock.
    Lock(DirLock),
    /// Nothing: nobody else can know of it.
    Nobody,
    /// The same, and everything is done on the calling thread.
    NobodyInOrder,
}

/// Opens the data directory, whose lock the caller has seen to.
pub(crate) fn open_locked(
    disk: Arc<dyn Disk>,
    config: CatalogConfig,
    mut random: Random,
    now: Millis,
    guard: Guard,
) -> Result<Arc<Catalog>, OpenError> {
    // Until the next comment nothing is changed.
    config.settings.topic(&BTreeMap::new())?;
    let survey = look(&*disk, &config)?;
    let metadata_dir = config.data_dir.join(METADATA_DIR);
    let replayed = read_metadata(&*disk, &metadata_dir, &config, &survey)?;
    let bootstrap = match replayed.image.is_bootstrapped {
        true => Vec::new(),
        false => bootstrap_records(&*disk, &config)?,
    };

    // All that could be refused was refused.
    if survey.meta.is_none() {
        disk.create_dir_all(&config.data_dir)?;
    }
    let (meta, directory) = settle_meta_properties(&*disk, &config, &survey, &mut random, now)?;
    if !replayed.image.is_bootstrapped {
        // Also when an earlier start made the directory, and ended before this.
        sync_first_names(&*disk, &config.data_dir)?;
    }
    if survey.clean {
        clean_shutdown::remove(&*disk, &config.data_dir)?;
    }
    let limits = Limits::new(&config.settings);
    let log = MetadataLog::open(&disk, metadata_dir, &replayed, config.node_id, limits, survey.clean, now)?;
    let mut writer = Writer::new(log, replayed.image);
    if writer.image.has_open_transaction() {
        commit(&mut writer, vec![registration::abort()], now)?;
    }
    commit(&mut writer, bootstrap, now)?;
    let process = Process {
        node: config.node_id,
        incarnations: [random(), random()],
        directory,
        endpoints: &config.endpoints,
        rack: config.settings.broker_rack(),
    };
    let broker_epoch = register(&mut writer, &process, survey.clean, now)?;
    report(&writer.image);
    let settings = configs::in_force(&config.settings, &writer.image.configs, config.node_id);

    let in_order = matches!(guard, Guard::NobodyInOrder);
    let (checkpoints, known) = Checkpoints::load(Arc::clone(&disk), &config.data_dir, &config.settings, now)?;
    let open_files = open_files(disk.files_allowed());
    let ground = Ground {
        disk,
        data_dir: config.data_dir,
        settings: ArcSwap::from_pointee(settings),
        given: config.settings,
        flusher: if in_order {
            Flusher::inline()
        } else {
            Flusher::start(FLUSHER_THREADS, Arc::new(Commons::new(open_files)))
        },
        random: Mutex::new(random),
        in_order,
        clock: AtomicI64::new(now.0),
    };
    let removals = directories::sort(&ground, &survey, &writer.image, now)?;
    let state = State {
        topics: Arc::new(writer.image.topics.clone()),
        hosted: hosted::host_all(&writer.image.topics, &ground.settings(), &known, survey.clean),
        configs: writer.image.configs.clone(),
        group_overrides: configs::group_overrides(&writer.image.configs),
    };
    let mut upkeep = Upkeep::new(checkpoints, removals, &ground.settings(), now);
    upkeep.forget_strangers(&state)?;
    if !survey.clean {
        hosted::open_all(&state.hosted, &ground);
    }
    let catalog = Arc::new(Catalog {
        cluster_id: meta.cluster_id,
        node_id: config.node_id,
        directory,
        broker_epoch,
        quotas: ArcSwap::new(Arc::clone(&writer.image.quotas)),
        levels: ArcSwap::from_pointee(writer.image.levels.clone()),
        leadership: writer.leadership(config.node_id, directory),
        state: ArcSwap::from_pointee(state),
        metadata_offset: AtomicI64::new(writer.end().0 - 1),
        producer_ids: ProducerIds::default(),
        writer: Mutex::new(writer),
        snapshotting: Mutex::new(()),
        upkeep: Mutex::new(upkeep),
        told: Mutex::default(),
        lock: Mutex::new(match guard {
            Guard::Lock(lock) => Some(lock),
            Guard::Nobody | Guard::NobodyInOrder => None,
        }),
        ground,
    });
    if !in_order {
        recovery_points::keep(&catalog);
    }
    Ok(catalog)
}

fn look(disk: &dyn Disk, config: &CatalogConfig) -> Result<Survey, OpenError> {
    survey::look(disk, &config.data_dir, config.node_id, config.cluster_id.as_deref())
}

/// Reads the metadata log and judges whether one node can serve what it describes.
fn read_metadata(
    disk: &dyn Disk,
    dir: &Path,
    config: &CatalogConfig,
    survey: &Survey,
) -> Result<Replayed, OpenError> {
    let node = config.node_id;
    let unservable = |why| OpenError::Unservable { path: config.data_dir.clone(), why };
    metadata_log::check_topic_id(disk, dir)?;
    let replayed = replay::replay(disk, dir)?;
    if let Some((found, ..)) = survey.partitions.first().filter(|_| !replayed.image.is_bootstrapped) {
        return Err(unservable(Unservable::NoMetadataLog { found: found.clone() }));
    }
    let directory = survey.meta.as_ref().and_then(|meta| meta.directory_id);
    replayed.image.check_servable(node, directory).map_err(unservable)?;
    let here = survey.partitions.iter().map(|(_, topic, index)| (topic.as_str(), *index));
    replayed.image.check_directory(node, directory, here).map_err(unservable)?;

    let stored = if survey.has_metadata_log { QuorumState::read(disk, dir)? } else { None };
    if matches!(stored, Some(None)) {
        tracing::warn!(
            "{} is not understood; the metadata log itself says which epoch comes next",
            dir.display()
        );
    }
    let in_log = replayed.quorum.voters.iter().flatten().copied();
    let in_file = stored.flatten().and_then(|state| state.voters).unwrap_or_default();
    if let Some(voter) = in_log.chain(in_file).find(|voter| *voter != node) {
        return Err(unservable(Unservable::OtherVoter { voter, node }));
    }
    open_transactions::refuse(disk, &config.data_dir, &replayed.image.topics, survey.clean)?;
    Ok(replayed)
}

/// Writes `meta.properties` where it is missing, of version 0, or without a directory id.
fn settle_meta_properties(
    disk: &dyn Disk,
    config: &CatalogConfig,
    survey: &Survey,
    random: &mut Random,
    now: Millis,
) -> Result<(MetaProperties, Uuid), OpenError> {
    let fresh = || MetaProperties {
        version: 1,
        cluster_id: String::new(),
        node_id: config.node_id,
        directory_id: None,
    };
    let stored = survey.meta.clone();
    let mut meta = stored.clone().unwrap_or_else(fresh);
    if meta.cluster_id.is_empty() {
        let random_cluster = |random: &mut Random| format_id(random_id(random));
        meta.cluster_id = config.cluster_id.clone().unwrap_or_else(|| random_cluster(random));
    }
    meta.version = 1;
    let directory = meta.directory_id.unwrap_or_else(|| random_id(random));
    meta.directory_id = Some(directory);
    if stored.as_ref() != Some(&meta) {
        meta.write(disk, &config.data_dir, now)?;
    }
    if stored.is_none() {
        tracing::info!(
            "formatted {} for node {} of the new cluster {}",
            config.data_dir.display(),
            config.node_id,
            meta.cluster_id
        );
    }
    Ok((meta, directory))
}

/// Sees to it that `meta.properties` outlives a power loss, the data directory's own name, and the names of those above it,
/// which may have been made together with it.
fn sync_first_names(disk: &dyn Disk, data_dir: &Path) -> Result<(), OpenError> {
    for (distance, above) in data_dir.ancestors().enumerate() {
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        match disk.sync_dir(above) {
            // One that cannot be read, written or synced was not made by us.
            Err(error) if distance > 1 && is_of_others(error.source.kind()) => {}
            synced => synced?,
        }
    }
    Ok(())
}

fn is_of_others(why: ErrorKind) -> bool {
    use ErrorKind::{InvalidInput, PermissionDenied, ReadOnlyFilesystem, Unsupported};
    matches!(why, PermissionDenied | ReadOnlyFilesystem | InvalidInput | Unsupported)
}

/// What an empty log begins with, after a look at what the format tool asked for.
fn bootstrap_records(disk: &dyn Disk, config: &CatalogConfig) -> Result<Vec<Versioned>, OpenError> {
    let given = replay::format_tool_records(disk, &config.data_dir)?;
    let records = registration::bootstrap(given, config.settings.min_insync_replicas());
    let mut image = MetadataImage::default();
    for (offset, (record, _)) in (0..).zip(&records) {
        let refuse = |why| OpenError::Metadata { path: config.data_dir.join(replay::FORMAT_TOOL_FILE), why };
        image.apply(Offset(offset), record.clone()).map_err(refuse)?;
    }
    let unservable = |why| OpenError::Unservable { path: config.data_dir.clone(), why };
    image.check_servable(config.node_id, None).map_err(unservable)?;
    Ok(records)
}

/// Registers this process, and makes it the leader of its partitions. Returns the broker epoch.
fn register(writer: &mut Writer, process: &Process<'_>, clean: bool, now: Millis) -> Result<i64, OpenError> {
    let levels = writer.image.levels.clone();
    let (mut records, broker_epoch) = registration::register(process, &levels, writer.end());
    let elections = registration::elections(&writer.image.topics, process.node, !clean);
    records.extend(registration::to_wire(elections, &levels));
    let mut records = records.into_iter();
    loop {
        let batch: Vec<Versioned> = records.by_ref().take(MOST_RECORDS).collect();
        if batch.is_empty() {
            return Ok(broker_epoch);
        }
        commit(writer, batch, now)?;
    }
}

fn commit(writer: &mut Writer, records: Vec<Versioned>, now: Millis) -> Result<(), OpenError> {
    writer.commit(records, now).map_err(OpenError::Start)
}

/// What Kafka kept in the metadata log and nothing here acts on.
fn report(image: &MetadataImage) {
    for (what, count) in image.bystanders.counts() {
        tracing::warn!("the metadata log holds {count} {what}, which Ottla keeps but does not act on");
    }
    for host in image.quotas.iter().filter_map(|(entity, _)| entity.part(IP)?) {
        if host.parse::<IpAddr>().is_err() {
            tracing::warn!(
                "the metadata log holds a quota for {host:?}: Ottla looks no names up, so it counts for nobody"
            );
        }
    }
}
