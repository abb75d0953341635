//! `ottla serve`: what is wired to what, in which order it starts, and in which order it stops.

use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use api::{Broker, Listener};
use base::{Millis, NodeId};
use catalog::{Catalog, CatalogConfig};
use coordinator::Coordinator;
use disk::RealDisk;
use frontend::{Bound, Server};
use settings::{Endpoint, Settings};
use tokio::runtime::Runtime;
use uuid::Uuid;

use crate::addresses;
use crate::arguments::{Defaults, LogFormat, ServeArguments};
use crate::cleaner::Cleaner;
use crate::limits::{self, Fitting};
use crate::logging;
use crate::signals::Signals;
use crate::upkeep::Upkeep;

/// The settings are wrong; nothing was touched. Where Kafka's defaults count it is Kafka's code, which is that of everything.
const BAD_SETTINGS: u8 = 2;
/// The port, the data directory or the operating system is in the way.
const CANNOT_SERVE: u8 = 1;

/// How long requests in work may take to finish at a stop. Long polls end at once; what is left is a flush or two.
/// Container runtimes kill after ten seconds, and the data directory is still to be closed in that time.
const GRACE: Duration = Duration::from_secs(5);

/// Why there is no broker: a message that says all, or an error of another room.
type Failure = Box<dyn std::error::Error>;

/// Runs the broker until it is told to stop.
pub(crate) fn run(arguments: &ServeArguments) -> ExitCode {
    // First of all: until then, process 1 of a container cannot be told to end.
    let signals = match Signals::that_end_it() {
        Ok(signals) => signals,
        Err(error) => {
            let _ = writeln!(io::stderr(), "cannot handle signals: {error}");
            return ExitCode::from(CANNOT_SERVE);
        }
    };
    logging::start(arguments.log_format);
    let bad_settings = match arguments.defaults {
        Defaults::Ottla => BAD_SETTINGS,
        Defaults::Kafka => CANNOT_SERVE,
    };
    let settings = match arguments.settings() {
        Ok((settings, warnings)) => {
            for warning in warnings {
                tracing::warn!("{} has no effect (given in {})", warning.error, warning.value.origin);
            }
            for row in settings.missed() {
                let origin = settings.origin(row.name).map(ToString::to_string).unwrap_or_default();
                tracing::warn!("`{}` has no effect: {} (given in {origin})", row.name, row.reason.text);
            }
            for protocol in settings.missed_rebalance_protocols() {
                tracing::warn!(
                    "`{protocol}` in `group.coordinator.rebalance.protocols`: such groups are not built"
                );
            }
            Arc::new(settings)
        }
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(bad_settings);
        }
    };
    let cluster_id = match cluster_id(arguments) {
        Ok(cluster_id) => cluster_id,
        Err(error) => {
            tracing::error!("{error}");
            return ExitCode::from(bad_settings);
        }
    };
    let outcome = runtime(&settings).and_then(|runtime| {
        let outcome = serve(&runtime, &settings, cluster_id, arguments.log_format, signals);
        // Nothing that still waits for something is worth waiting for.
        runtime.shutdown_background();
        outcome
    });
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error}");
            ExitCode::from(CANNOT_SERVE)
        }
    }
}

/// The id of the cluster that a fresh data directory is for, and any other must belong to; as in the apache/kafka image,
/// which takes any text. Who has Ottla's defaults is told when it is not one that was made for that.
fn cluster_id(arguments: &ServeArguments) -> Result<Option<String>, String> {
    const VARIABLE: &str = "CLUSTER_ID";
    /// 16 bytes in base64, without padding.
    const LENGTH: usize = 22;
    let variable = std::env::var_os(VARIABLE).filter(|id| !id.is_empty() && !arguments.ignores_environment);
    let Some(id) = variable else { return Ok(None) };
    let is_valid = |id: &&str| {
        arguments.defaults == Defaults::Kafka
            || id.len() == LENGTH && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    match id.to_str().filter(is_valid) {
        Some(id) => Ok(Some(id.to_owned())),
        None => Err(format!(
            "${VARIABLE} cannot be `{}`: must be an id of a cluster, {LENGTH} letters, digits, - and _, as \
             kafka-storage.sh random-uuid makes them",
            id.display()
        )),
    }
}

fn runtime(settings: &Settings) -> Result<Runtime, Failure> {
    let threads = match settings.num_network_threads().and_then(|threads| usize::try_from(threads).ok()) {
        Some(threads) => threads,
        None => thread::available_parallelism().map_or(1, NonZero::get),
    };
    // One more, which stands by: `frontend` keeps a thread free of work that may wait for the disk.
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(threads + 1).enable_all().build()?)
}

fn serve(
    runtime: &Runtime,
    settings: &Arc<Settings>,
    cluster_id: Option<String>,
    log_format: LogFormat,
    signals: Signals,
) -> Result<(), Failure> {
    let _entered = runtime.enter();
    let fitting = Fitting::new(limits::raise_open_files());
    let limits = fitting.limits(settings);

    // The ports first: when one is taken, the data directory has not been touched.
    let bound =
        settings.listeners()?.iter().map(|e| frontend::bind(e, settings)).collect::<Result<Vec<_>, _>>()?;
    for closed in settings.controller_listeners()? {
        tracing::info!("{closed} is not opened: nothing but this process speaks to its controller");
    }
    let advertised = advertised(settings, &bound)?;
    let catalog = open_catalog(settings, &advertised, cluster_id)?;
    let coordinator =
        Coordinator::start(Arc::clone(&catalog), Arc::clone(settings), runtime.handle().clone(), now)?;
    let broker = Broker::new(Arc::clone(&catalog), Arc::clone(&coordinator), Arc::clone(settings));
    let stop = signals.that_stop_it()?;
    let upkeep = Upkeep::start(Arc::clone(&catalog), settings, now)?;
    let cleaner = Cleaner::start(&catalog, now)?;
    let ready: Vec<_> = bound.iter().map(|bound| (bound.address, bound.endpoint.name.clone())).collect();
    let server = Server::start(with_listeners(bound, &advertised, settings), &broker, limits);
    let doors = server.doors();
    catalog.on_settings(move |settings| doors.set(&fitting.limits(settings)));
    if let Some(file) = addresses::file()
        && let Err(error) = addresses::leave(&file, ready.iter().map(|(address, _)| *address))
    {
        tracing::warn!("health checks do not find the listeners: cannot write {}: {error}", file.display());
    }
    for (address, name) in &ready {
        match ready.len() {
            1 => tracing::info!("ottla ready on {address}"),
            _ => tracing::info!("ottla ready on {address} for {name}"),
        }
    }
    if log_format == LogFormat::Kafka {
        logging::say_started(settings.node_id());
    }

    let first = runtime.block_on(stop.asked());
    tracing::info!("stopping after {first}; a second signal ends the process at once");
    broker.stop_waiting();
    if !runtime.block_on(server.stop(GRACE)) {
        tracing::warn!("some requests were not finished within {GRACE:?}");
    }
    coordinator.stop();
    upkeep.stop();
    if let Some(cleaner) = cleaner {
        cleaner.stop();
    }
    catalog.close(now())?;
    tracing::info!("stopped");
    Ok(())
}

fn open_catalog(
    settings: &Arc<Settings>,
    advertised: &[Endpoint],
    cluster_id: Option<String>,
) -> Result<Arc<Catalog>, Failure> {
    let data_dir = settings.data_dir()?;
    let config = CatalogConfig {
        data_dir: PathBuf::from(&data_dir),
        node_id: NodeId(settings.node_id()),
        cluster_id,
        endpoints: advertised.to_vec(),
        settings: Arc::clone(settings),
    };
    let catalog = Catalog::open(Arc::new(RealDisk::new()), config, Box::new(Uuid::new_v4), now())?;
    tracing::info!(
        "ottla {} serves {data_dir} as node {} of cluster {}",
        env!("CARGO_PKG_VERSION"),
        catalog.node_id(),
        catalog.cluster_id()
    );
    Ok(catalog)
}

/// Makes a data directory for the node and the cluster, and leaves it as a clean stop does.
///
/// # Errors
/// When it is there, or cannot be made.
pub(crate) fn format(settings: &Arc<Settings>, cluster_id: String) -> Result<(), Failure> {
    let advertised = advertised(settings, &[])?;
    open_catalog(settings, &advertised, Some(cluster_id))?.close(now())?;
    Ok(())
}

/// Where clients are told to connect: an empty host becomes the name of this machine (as Kafka does it), and port 0 the
/// port that was bound.
fn advertised(settings: &Settings, bound: &[Bound]) -> Result<Vec<Endpoint>, Failure> {
    let mut endpoints = settings.advertised_listeners()?;
    for endpoint in &mut endpoints {
        if endpoint.host.is_empty() {
            endpoint.host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        }
        if endpoint.port == 0 {
            let listener = bound.iter().find(|bound| bound.endpoint.name == endpoint.name);
            endpoint.port = listener.map_or(0, |bound| bound.address.port());
        }
    }
    Ok(endpoints)
}

fn with_listeners(
    bound: Vec<Bound>,
    advertised: &[Endpoint],
    settings: &Settings,
) -> Vec<(Bound, Arc<Listener>)> {
    let listener_of = |bound: &Bound| {
        let name = &bound.endpoint.name;
        let advertised = advertised.iter().find(|endpoint| endpoint.name == *name);
        Arc::new(Listener {
            name: name.clone(),
            advertised: advertised.map(|endpoint| (endpoint.host.clone(), endpoint.port)),
            rack: settings.broker_rack(),
        })
    };
    let with_listener = |bound: Bound| {
        let listener = listener_of(&bound);
        (bound, listener)
    };
    bound.into_iter().map(with_listener).collect()
}

fn now() -> Millis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
