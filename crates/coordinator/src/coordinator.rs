//! The coordinator's public face: finds the shard that a group lives in, and begins requests there.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;

use base::{Millis, PartitionIndex, Uuid};
use catalog::{Catalog, TopicError};
use parking_lot::Mutex;
use settings::Settings;
use state_machines::group::assignor::Assignor;
use state_machines::group::{self, Event, Groups, MigrationPolicy, Reply};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use crate::internal_topic;
use crate::moment::{Moment, Steady};
use crate::place::partition_of;
use crate::shard::{Shard, Unavailable};
use crate::threads::{self, Alarm, Queue};

/// Runs the group machines of this node: one per partition of `__consumer_offsets`. Shared by all threads.
///
/// Two threads of its own: one reads the groups of a partition from its log, so that other requests are answered
/// meanwhile; one wakes machines whose time has come. No member has a task or a timer of its own.
pub struct Coordinator {
    pub(crate) catalog: Arc<Catalog>,
    settings: Arc<Settings>,
    rules: group::Settings,
    handle: Handle,
    pub(crate) steady: Steady,
    /// The shards of the topic as it is now; none before it exists.
    shards: Mutex<Known>,
    pub(crate) to_load: Arc<Queue<Arc<Shard>>>,
    pub(crate) alarm: Arc<Alarm>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

/// Which shards there are.
#[derive(Debug, Default)]
enum Known {
    /// `__consumer_offsets` does not exist.
    #[default]
    NoTopic,
    Shards(Arc<Shards>),
    /// The broker stops.
    Closed,
}

/// The shards of one `__consumer_offsets`, by partition.
#[derive(Debug)]
struct Shards {
    topic: Uuid,
    by_index: Vec<Arc<Shard>>,
}

/// What a request comes to, once it does.
#[derive(Debug)]
#[must_use = "the answer comes out of it"]
pub struct Answer<R>(oneshot::Receiver<R>);

impl<R> Answer<R> {
    /// It, if it is known already, or that the groups failed.
    ///
    /// # Errors
    /// Itself, when it is still to be waited for.
    pub fn at_once(mut self) -> Result<Result<R, Unavailable>, Self> {
        match self.0.try_recv() {
            Ok(answer) => Ok(Ok(answer)),
            Err(oneshot::error::TryRecvError::Closed) => Ok(Err(Unavailable::Failed)),
            Err(oneshot::error::TryRecvError::Empty) => Err(self),
        }
    }

    /// Waits for it; a member that joins may wait for a whole rebalance.
    ///
    /// # Errors
    /// When the groups failed meanwhile; what was asked for may or may not have happened.
    pub async fn get(self) -> Result<R, Unavailable> {
        self.0.await.map_err(|_dropped| Unavailable::Failed)
    }
}

impl Coordinator {
    /// Starts it, over an open catalogue. If `__consumer_offsets` exists its groups are loaded from now on; requests for
    /// those that are not loaded yet are told so. `handle` is the runtime that waits for flushes; `clock` the wall clock,
    /// which is only for what is stored: no session ends because it was set.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        catalog: Arc<Catalog>,
        settings: Arc<Settings>,
        handle: Handle,
        clock: fn() -> Millis,
    ) -> io::Result<Arc<Self>> {
        let coordinator = Arc::new(Self {
            catalog,
            rules: rules_of(&settings),
            settings,
            handle,
            steady: Steady::from(clock()),
            shards: Mutex::default(),
            to_load: Arc::default(),
            alarm: Arc::default(),
            threads: Mutex::default(),
        });
        let threads = threads::start(&coordinator, clock)?;
        *coordinator.threads.lock() = threads;
        coordinator.shards().into_iter().for_each(drop);
        Ok(coordinator)
    }

    /// Takes no more requests; those that wait, such as the members of a rebalance, are told to look for their coordinator
    /// again. What was answered is written. The first step of a graceful stop.
    pub fn close(&self) {
        self.to_load.end();
        self.alarm.end();
        let mut shards = self.shards.lock();
        if let Known::Shards(shards) = &*shards {
            shards.close();
        }
        *shards = Known::Closed;
    }

    /// Waits for its threads, after [`Self::close`].
    pub fn stop(&self) {
        self.close();
        for thread in self.threads.lock().drain(..) {
            // A panic has been reported where it happened.
            let _ = thread.join();
        }
    }

    /// Makes `__consumer_offsets` if it is missing, so that there is a coordinator to be found. Waits for syncs then.
    ///
    /// # Errors
    /// When the topic cannot be made.
    pub fn ensure_offsets_topic(&self, now: Millis) -> Result<(), TopicError> {
        let is_new = internal_topic::find(&self.catalog).is_none();
        internal_topic::ensure(&self.catalog, &self.settings, now)?;
        if is_new && let Some(shards) = self.shards() {
            // There is nothing to be read, and who asked will join at once.
            shards.by_index.iter().for_each(|shard| self.load(shard, self.steady.at(now)));
        }
        Ok(())
    }

    /// Whether `__consumer_offsets` exists.
    #[must_use]
    pub fn has_offsets_topic(&self) -> bool {
        internal_topic::find(&self.catalog).is_some()
    }

    /// Begins a request about `group`. What it decides is written to the page cache when this returns; the answer comes
    /// when that is durable as far as `flush.messages` asks, and when the request has no one to wait for.
    ///
    /// # Errors
    /// When its groups are not in force here now.
    pub fn submit(&self, group: &str, event: Event, now: Millis) -> Result<Answer<Reply>, Unavailable> {
        let shard = self.shard_of(group)?;
        let (sender, receiver) = oneshot::channel();
        shard.handle(event, sender, &self.handle, self.steady.at(now))?;
        self.alarm.set(shard.due());
        Ok(Answer(receiver))
    }

    /// Looks at the groups among which `group` is, or would be. The answer comes when what was seen is durable.
    ///
    /// # Errors
    /// When they are not in force here now.
    pub fn look<R: Send + 'static>(
        &self,
        group: &str,
        look: impl FnOnce(&Groups) -> R,
    ) -> Result<Answer<R>, Unavailable> {
        let shard = self.shard_of(group)?;
        let (sender, receiver) = oneshot::channel();
        shard.look(look, sender, &self.handle)?;
        Ok(Answer(receiver))
    }

    /// Looks at all groups, partition by partition; those of a partition that is not in force are missing, and say why.
    pub fn look_at_all<R: Send + 'static>(
        &self,
        mut look: impl FnMut(&Groups) -> R,
    ) -> Vec<Result<Answer<R>, Unavailable>> {
        let Some(shards) = self.shards() else { return Vec::new() };
        let one = |shard: &Arc<Shard>| {
            let (sender, receiver) = oneshot::channel();
            shard.look(&mut look, sender, &self.handle)?;
            Ok(Answer(receiver))
        };
        shards.by_index.iter().map(one).collect()
    }

    /// Tells every group that `topic` was deleted: its offsets go (Kafka: `GroupCoordinator.onPartitionsDeleted`). Writes,
    /// so it blocks for the page cache.
    pub fn topic_deleted(&self, topic: &str, now: Millis) {
        for shard in self.shards().iter().flat_map(|shards| &shards.by_index) {
            shard.topic_deleted(topic, &self.handle, self.steady.at(now));
            self.alarm.set(shard.due());
        }
    }

    pub(crate) fn load(&self, shard: &Arc<Shard>, now: Moment) {
        let window = u32::try_from(self.settings.offsets_load_buffer_size()).unwrap_or(u32::MAX);
        shard.load(&self.catalog, &self.rules, window, &self.handle, now);
        self.alarm.set(shard.due());
    }

    /// Wakes each shard whose time has come, and says when the next one wants to be woken.
    pub(crate) fn tick(&self, now: Moment) {
        for shard in self.known().iter().flat_map(|shards| &shards.by_index) {
            if shard.tick(&self.handle, now) {
                self.to_load.push(Arc::clone(shard));
            }
        }
    }

    /// When the next shard wants to be woken, in milliseconds of the steady clock.
    pub(crate) fn due(&self) -> i64 {
        self.known()
            .iter()
            .flat_map(|shards| &shards.by_index)
            .map(|shard| shard.due())
            .min()
            .unwrap_or(i64::MAX)
    }

    fn shard_of(&self, group: &str) -> Result<Arc<Shard>, Unavailable> {
        let shards = self.shards().ok_or(Unavailable::NotHere)?;
        let index = partition_of(group, shards.by_index.len());
        let place = usize::try_from(index.0).expect("a partition's number is not negative");
        Ok(Arc::clone(&shards.by_index[place]))
    }

    fn known(&self) -> Option<Arc<Shards>> {
        match &*self.shards.lock() {
            Known::Shards(shards) => Some(Arc::clone(shards)),
            Known::NoTopic | Known::Closed => None,
        }
    }

    /// The shards of the topic as it is now. When it is new here, or has been deleted and made again, they are made and
    /// loaded in the background.
    fn shards(&self) -> Option<Arc<Shards>> {
        let mut known = self.shards.lock();
        // Looked up under the lock: who looked before another thread found the topic would take its shards away again.
        let topic = internal_topic::find(&self.catalog);
        match (&*known, &topic) {
            (Known::Closed, _) | (Known::NoTopic, None) => return None,
            (Known::Shards(shards), Some(topic)) if shards.topic == topic.id => {
                return Some(Arc::clone(shards));
            }
            (Known::Shards(gone), _) => gone.close(),
            (Known::NoTopic, Some(_)) => {}
        }
        let made = topic.map(|topic| {
            let count = topic.partitions.len();
            let shard = |index| Shard::new(topic.id, PartitionIndex(index), count);
            let indexes = 0..i32::try_from(count).unwrap_or(i32::MAX);
            Arc::new(Shards { topic: topic.id, by_index: indexes.map(shard).collect() })
        });
        for shard in made.iter().flat_map(|shards| &shards.by_index) {
            self.to_load.push(Arc::clone(shard));
        }
        *known = made.clone().map_or(Known::NoTopic, Known::Shards);
        made
    }
}

impl Shards {
    fn close(&self) {
        self.by_index.iter().for_each(|shard| shard.close());
    }
}

impl Drop for Coordinator {
    /// Its threads do not hold it, and end with it.
    fn drop(&mut self) {
        self.close();
    }
}

impl fmt::Debug for Coordinator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator").finish_non_exhaustive()
    }
}

fn rules_of(settings: &Settings) -> group::Settings {
    group::Settings {
        min_session_timeout_ms: settings.group_min_session_timeout_ms(),
        max_session_timeout_ms: settings.group_max_session_timeout_ms(),
        initial_rebalance_delay_ms: settings.group_initial_rebalance_delay_ms(),
        max_size: usize::try_from(settings.group_max_size()).unwrap_or(usize::MAX),
        offset_metadata_max_bytes: usize::try_from(settings.offset_metadata_max_bytes()).unwrap_or(0),
        offsets_retention_ms: i64::from(settings.offsets_retention_minutes()) * 60_000,
        offsets_retention_check_interval_ms: settings.offsets_retention_check_interval_ms(),
        consumer_session_timeout_ms: settings.group_consumer_session_timeout_ms(),
        consumer_heartbeat_interval_ms: settings.group_consumer_heartbeat_interval_ms(),
        consumer_max_size: usize::try_from(settings.group_consumer_max_size()).unwrap_or(usize::MAX),
        consumer_assignors: assignors_of(settings),
        consumer_migration_policy: migration_policy_of(settings),
        consumer_regex_refresh_interval_ms: i64::from(settings.group_consumer_regex_refresh_interval_ms()),
        rack: settings.broker_rack().map(Arc::from),
    }
}

fn assignors_of(settings: &Settings) -> Vec<Assignor> {
    settings.group_consumer_assignors().iter().filter_map(|name| Assignor::named(name)).collect()
}

fn migration_policy_of(settings: &Settings) -> MigrationPolicy {
    match settings.group_consumer_migration_policy().to_ascii_lowercase().as_str() {
        "disabled" => MigrationPolicy::Disabled,
        "upgrade" => MigrationPolicy::Upgrade,
        "downgrade" => MigrationPolicy::Downgrade,
        _ => MigrationPolicy::Bidirectional,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_what_was_set() {
        let rules = |key: &str, value: &str| {
            let mut settings = Settings::default();
            settings.set(key, value).expect("allowed");
            rules_of(&settings)
        };
        let policy = |value| rules("group.consumer.migration.policy", value).consumer_migration_policy;
        let migrates = |policy: MigrationPolicy| (policy.allows_upgrade(), policy.allows_downgrade());
        assert_eq!(migrates(policy("Upgrade")), (true, false));
        assert_eq!(migrates(policy("downgrade")), (false, true));
        assert_eq!(migrates(policy("disabled")), (false, false));
        assert_eq!(migrates(policy("BIDIRECTIONAL")), (true, true));
        let assignors = rules("group.consumer.assignors", "range,uniform").consumer_assignors;
        assert_eq!(assignors, [Assignor::Range, Assignor::Uniform]);
        let refresh = rules("group.consumer.regex.refresh.interval.ms", "10007");
        assert_eq!(refresh.consumer_regex_refresh_interval_ms, 10_007);
        let session = rules("group.consumer.session.timeout.ms", "50007");
        assert_eq!(session.consumer_session_timeout_ms, 50_007);
        assert_eq!(rules("group.initial.rebalance.delay.ms", "7").initial_rebalance_delay_ms, 7);
    }
}
