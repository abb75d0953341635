//! Kafka's broker keys that are taken and do nothing, each with the reason.
//!
//! A `server.properties` that was written for Kafka holds many of them. Their values are checked like any other, so that
//! a file that would keep Kafka from starting is not taken for a sound one.

use crate::broker::{Scope, scope};
use crate::error::SettingError;
use crate::listeners::Endpoint;
use crate::settings::{Settings, bad};
use crate::value::{Allowed, Kind, Rule, filled_items};

/// One broker key of Kafka's without effect here.
#[derive(Clone, Copy, Debug)]
pub struct IdleRow {
    /// Kafka's name.
    pub name: &'static str,
    /// The type of its value.
    pub kind: Kind,
    /// Kafka's default, as text; `None`: unset.
    pub default: Option<&'static str>,
    /// What is allowed beyond the type.
    pub allowed: Allowed,
    /// Who may change it while the broker runs, in Kafka.
    pub scope: Scope,
    /// Why it does nothing.
    pub reason: Reason,
}

impl IdleRow {
    pub(crate) const fn rule(&self) -> Rule {
        Rule { kind: self.kind, allowed: self.allowed }
    }

    /// Whether its value is a secret, which no page shows.
    #[must_use]
    pub const fn is_sensitive(&self) -> bool {
        matches!(self.kind, Kind::Password)
    }

    /// Whether who gives it this value may wait for something that does not come.
    #[must_use]
    pub fn is_missed(&self, value: &str) -> bool {
        self.reason.is_missed && value.trim() != self.default.unwrap_or_default()
    }
}

/// Why a key does nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// In a sentence.
    pub text: &'static str,
    /// Whether a value other than the default is worth a warning: something that was asked for is not there. Not so
    /// where one node has nothing to do, or where all works without.
    pub is_missed: bool,
}

const fn needless(text: &'static str) -> Reason {
    Reason { text, is_missed: false }
}

const fn missed(text: &'static str) -> Reason {
    Reason { text, is_missed: true }
}

const ONE_PROCESS: Reason = needless("Broker and controller are one process, and there is no other one.");
const QUORUM: Reason =
    needless("A single voter elects nobody, waits for nobody and writes each change at once.");
const ONE_REPLICA: Reason = needless("There is one replica of everything.");
const ONE_DIRECTORY: Reason =
    needless("There is one data directory; a partition that cannot be written says so.");
const THREADS: Reason = needless("Work is not divided among threads in this way.");
const EARLY: Reason = needless("Listeners open when all is ready: there is no authorizer to wait for.");
const PURGATORY: Reason = needless("Requests that wait are not kept in a purgatory.");
const METRICS: Reason = needless("There are no Java metrics.");
const OFFSETS: Reason =
    needless("Groups write their records uncompressed, and answer as soon as those are written.");
const LZ4: Reason = needless("There is one level of lz4.");
const UNSTABLE: Reason = needless("Nothing unstable is advertised.");
const TIERED: Reason = needless("There is no tiered storage.");
const SHARE_ON: Reason = missed("Share groups are not built.");
const SHARE: Reason = needless("There are no share groups.");
const STREAMS: Reason = needless("There are no streams groups; Kafka Streams uses classic ones.");
const TRANSACTIONS: Reason = needless("Transactions are not built, and each one is refused by an error.");
const SECURITY: Reason = missed("TLS, SASL and access rules are not built.");
const JAVA: Reason = missed("Java classes cannot be loaded.");

/// Declares them, one row each, under their reasons.
macro_rules! idle_keys {
    ($([$reason:ident] $($name:literal $kind:ident = $default:expr, $allowed:expr, $when:ident;)*)*) => {
        /// Every broker key without effect.
        pub(crate) const ROWS: &[IdleRow] = &[$($(IdleRow {
            name: $name,
            kind: Kind::$kind,
            default: $default,
            allowed: { use Allowed::*; $allowed },
            scope: scope!($when),
            reason: $reason,
        },)*)*];
    };
}

idle_keys! {
    [ONE_PROCESS]
    "broker.heartbeat.interval.ms" Int = Some("2000"), Any, Start;
    "broker.session.timeout.ms" Int = Some("9000"), Any, Start;
    "controlled.shutdown.enable" Boolean = Some("true"), Any, Start;
    "controller.socket.timeout.ms" Int = Some("30000"), Any, Start;
    "initial.broker.registration.timeout.ms" Int = Some("60000"), Any, Start;
    "request.timeout.ms" Int = Some("30000"), Any, Start;
    "server.max.startup.time.ms" Long = Some("9223372036854775807"), AtLeast(0), Start;
    "socket.connection.setup.timeout.max.ms" Long = Some("30000"), Any, Start;
    "socket.connection.setup.timeout.ms" Long = Some("10000"), Any, Start;

    [QUORUM]
    "controller.quorum.append.linger.ms" Int = Some("25"), AtLeast(0), Start;
    "controller.quorum.election.backoff.max.ms" Int = Some("1000"), AtLeast(0), Start;
    "controller.quorum.election.timeout.ms" Int = Some("1000"), AtLeast(0), Start;
    "controller.quorum.fetch.timeout.ms" Int = Some("2000"), AtLeast(0), Start;
    "controller.quorum.request.timeout.ms" Int = Some("2000"), AtLeast(0), Start;
    "controller.quorum.retry.backoff.ms" Int = Some("20"), AtLeast(0), Start;
    "internal.metadata.delete.delay.millis" Long = Some("60000"), Any, Start;
    "internal.metadata.log.segment.bytes" Int = None, Any, Start;
    "internal.metadata.max.batch.size.in.bytes" Int = Some("8388608"), Any, Start;
    "internal.metadata.max.fetch.size.in.bytes" Int = Some("8388608"), Any, Start;
    "metadata.max.idle.interval.ms" Int = Some("500"), AtLeast(0), Start;

    [ONE_REPLICA]
    "alter.log.dirs.replication.quota.window.num" Int = Some("11"), AtLeast(1), Start;
    "alter.log.dirs.replication.quota.window.size.seconds" Int = Some("1"), AtLeast(1), Start;
    "auto.leader.rebalance.enable" Boolean = Some("true"), Any, Start;
    "leader.imbalance.check.interval.seconds" Long = Some("300"), AtLeast(1), Start;
    "num.replica.alter.log.dirs.threads" Int = None, Any, Start;
    "num.replica.fetchers" Int = Some("1"), Any, Running;
    "offsets.topic.replication.factor" Short = Some("3"), AtLeast(1), Start;
    "replica.fetch.backoff.ms" Int = Some("1000"), AtLeast(0), Start;
    "replica.fetch.max.bytes" Int = Some("1048576"), AtLeast(0), Start;
    "replica.fetch.min.bytes" Int = Some("1"), Any, Start;
    "replica.fetch.response.max.bytes" Int = Some("10485760"), AtLeast(0), Start;
    "replica.fetch.wait.max.ms" Int = Some("500"), Any, Start;
    "replica.lag.time.max.ms" Long = Some("30000"), Any, Start;
    "replica.socket.receive.buffer.bytes" Int = Some("65536"), Any, Start;
    "replica.socket.timeout.ms" Int = Some("30000"), Any, Start;
    "replication.quota.window.num" Int = Some("11"), AtLeast(1), Start;
    "replication.quota.window.size.seconds" Int = Some("1"), AtLeast(1), Start;
    "unclean.leader.election.enable" Boolean = Some("false"), Any, Running;
    "unclean.leader.election.interval.ms" Long = Some("300000"), AtLeast(1), Start;

    [ONE_DIRECTORY]
    "log.dir.failure.timeout.ms" Long = Some("30000"), AtLeast(1), Start;

    [THREADS]
    "background.threads" Int = Some("10"), AtLeast(1), Running;
    "group.coordinator.append.linger.ms" Int = Some("5"), AtLeast(0), Start;
    "group.coordinator.threads" Int = Some("4"), AtLeast(1), Start;
    "log.cleaner.threads" Int = Some("1"), AtLeast(0), Running;
    "num.io.threads" Int = Some("8"), AtLeast(1), Running;
    "num.recovery.threads.per.data.dir" Int = Some("2"), AtLeast(1), Running;

    [EARLY]
    "early.start.listeners" Text = None, Any, Start;

    [PURGATORY]
    "delete.records.purgatory.purge.interval.requests" Int = Some("1"), Any, Start;
    "fetch.purgatory.purge.interval.requests" Int = Some("1000"), Any, Start;
    "producer.purgatory.purge.interval.requests" Int = Some("1000"), Any, Start;

    [METRICS]
    "controller.performance.always.log.threshold.ms" Long = Some("2000"), AtLeast(0), Start;
    "controller.performance.sample.period.ms" Long = Some("60000"), AtLeast(100), Start;
    "kafka.metrics.polling.interval.secs" Int = Some("10"), AtLeast(1), Start;
    "kafka.metrics.reporters" List = Some(""), Any, Start;
    "metric.reporters" List = Some("org.apache.kafka.common.metrics.JmxReporter"), Any, Running;
    "metrics.num.samples" Int = Some("2"), AtLeast(1), Start;
    "metrics.recording.level" Text = Some("INFO"), Any, Start;
    "metrics.sample.window.ms" Long = Some("30000"), AtLeast(1), Start;

    [OFFSETS]
    "offsets.commit.timeout.ms" Int = Some("5000"), AtLeast(1), Start;
    "offsets.topic.compression.codec" Int = Some("0"), Any, Start;

    [LZ4]
    "compression.lz4.level" Int = Some("9"), Between(1, 17), Running;

    [UNSTABLE]
    "unstable.api.versions.enable" Boolean = Some("false"), Any, Start;
    "unstable.feature.versions.enable" Boolean = Some("false"), Any, Start;

    [TIERED]
    "log.local.retention.bytes" Long = Some("-2"), AtLeast(-2), Running;
    "log.local.retention.ms" Long = Some("-2"), AtLeast(-2), Running;
    "remote.fetch.max.wait.ms" Int = Some("500"), AtLeast(1), Running;
    "remote.list.offsets.request.timeout.ms" Long = Some("30000"), AtLeast(1), Running;
    "remote.log.index.file.cache.total.size.bytes" Long = Some("1073741824"), AtLeast(1), Running;
    "remote.log.manager.copier.thread.pool.size" Int = Some("10"), AtLeast(1), Running;
    "remote.log.manager.copy.max.bytes.per.second" Long = Some("9223372036854775807"), AtLeast(1), Running;
    "remote.log.manager.copy.quota.window.num" Int = Some("11"), AtLeast(1), Start;
    "remote.log.manager.copy.quota.window.size.seconds" Int = Some("1"), AtLeast(1), Start;
    "remote.log.manager.expiration.thread.pool.size" Int = Some("10"), AtLeast(1), Running;
    "remote.log.manager.fetch.max.bytes.per.second" Long = Some("9223372036854775807"), AtLeast(1), Running;
    "remote.log.manager.fetch.quota.window.num" Int = Some("11"), AtLeast(1), Start;
    "remote.log.manager.fetch.quota.window.size.seconds" Int = Some("1"), AtLeast(1), Start;
    "remote.log.manager.task.interval.ms" Long = Some("30000"), AtLeast(1), Start;
    "remote.log.manager.task.retry.backoff.max.ms" Long = Some("30000"), AtLeast(1), Start;
    "remote.log.manager.task.retry.backoff.ms" Long = Some("500"), AtLeast(1), Start;
    "remote.log.manager.task.retry.jitter" Double = Some("0.2"), Any, Start;
    "remote.log.manager.thread.pool.size" Int = Some("2"), AtLeast(1), Start;
    "remote.log.metadata.custom.metadata.max.bytes" Int = Some("128"), AtLeast(0), Start;
    "remote.log.metadata.manager.class.name" Text = Some("org.apache.kafka.server.log.remote.metadata.storage.TopicBasedRemoteLogMetadataManager"), Any, Start;
    "remote.log.metadata.manager.class.path" Text = None, Any, Start;
    "remote.log.metadata.manager.impl.prefix" Text = Some("rlmm.config."), Any, Start;
    "remote.log.metadata.manager.listener.name" Text = None, Any, Start;
    "remote.log.reader.max.pending.tasks" Int = Some("100"), AtLeast(1), Start;
    "remote.log.reader.threads" Int = Some("10"), AtLeast(1), Running;
    "remote.log.storage.manager.class.name" Text = None, Any, Start;
    "remote.log.storage.manager.class.path" Text = None, Any, Start;
    "remote.log.storage.manager.impl.prefix" Text = Some("rsm.config."), Any, Start;
    "remote.log.storage.system.enable" Boolean = Some("false"), Never("there is no tiered storage"), Start;

    [SHARE_ON]
    "group.share.enable" Boolean = Some("false"), Any, Start;

    [SHARE]
    "group.share.assignors" List = Some("simple"), Any, Start;
    "group.share.delivery.count.limit" Int = Some("5"), Between(2, 10), Start;
    "group.share.heartbeat.interval.ms" Int = Some("5000"), AtLeast(1), Start;
    "group.share.max.heartbeat.interval.ms" Int = Some("15000"), AtLeast(1), Start;
    "group.share.max.record.lock.duration.ms" Int = Some("60000"), Between(30_000, 3_600_000), Start;
    "group.share.max.session.timeout.ms" Int = Some("60000"), AtLeast(1), Start;
    "group.share.max.share.sessions" Int = Some("2000"), AtLeast(1), Start;
    "group.share.max.size" Int = Some("200"), Between(1, 1_000), Start;
    "group.share.min.heartbeat.interval.ms" Int = Some("5000"), AtLeast(1), Start;
    "group.share.min.record.lock.duration.ms" Int = Some("15000"), Between(1_000, 30_000), Start;
    "group.share.min.session.timeout.ms" Int = Some("45000"), AtLeast(1), Start;
    "group.share.partition.max.record.locks" Int = Some("2000"), Between(100, 10_000), Start;
    "group.share.persister.class.name" Text = Some("org.apache.kafka.server.share.persister.DefaultStatePersister"), Any, Start;
    "group.share.record.lock.duration.ms" Int = Some("30000"), Between(1_000, 3_600_000), Start;
    "group.share.session.timeout.ms" Int = Some("45000"), AtLeast(1), Start;
    "share.coordinator.append.linger.ms" Int = Some("5"), AtLeast(0), Start;
    "share.coordinator.cold.partition.snapshot.interval.ms" Int = Some("300000"), AtLeast(1), Start;
    "share.coordinator.load.buffer.size" Int = Some("5242880"), AtLeast(1), Start;
    "share.coordinator.snapshot.update.records.per.snapshot" Int = Some("500"), AtLeast(0), Start;
    "share.coordinator.state.topic.compression.codec" Int = Some("0"), Any, Start;
    "share.coordinator.state.topic.min.isr" Short = Some("2"), AtLeast(1), Start;
    "share.coordinator.state.topic.num.partitions" Int = Some("50"), AtLeast(1), Start;
    "share.coordinator.state.topic.prune.interval.ms" Int = Some("300000"), AtLeast(1), Start;
    "share.coordinator.state.topic.replication.factor" Short = Some("3"), AtLeast(1), Start;
    "share.coordinator.state.topic.segment.bytes" Int = Some("104857600"), AtLeast(1), Start;
    "share.coordinator.threads" Int = Some("1"), AtLeast(1), Start;
    "share.coordinator.write.timeout.ms" Int = Some("5000"), AtLeast(1), Start;
    "share.fetch.purgatory.purge.interval.requests" Int = Some("1000"), Any, Start;

    [STREAMS]
    "group.streams.heartbeat.interval.ms" Int = Some("5000"), AtLeast(1), Start;
    "group.streams.max.heartbeat.interval.ms" Int = Some("15000"), AtLeast(1), Start;
    "group.streams.max.session.timeout.ms" Int = Some("60000"), AtLeast(1), Start;
    "group.streams.max.size" Int = Some("2147483647"), AtLeast(1), Start;
    "group.streams.max.standby.replicas" Int = Some("2"), AtLeast(0), Start;
    "group.streams.min.heartbeat.interval.ms" Int = Some("5000"), AtLeast(1), Start;
    "group.streams.min.session.timeout.ms" Int = Some("45000"), AtLeast(1), Start;
    "group.streams.num.standby.replicas" Int = Some("0"), AtLeast(0), Start;
    "group.streams.session.timeout.ms" Int = Some("45000"), AtLeast(1), Start;

    [TRANSACTIONS]
    "add.partitions.to.txn.retry.backoff.max.ms" Int = Some("100"), AtLeast(0), Start;
    "add.partitions.to.txn.retry.backoff.ms" Int = Some("20"), AtLeast(1), Start;
    "transaction.abort.timed.out.transaction.cleanup.interval.ms" Int = Some("10000"), AtLeast(1), Start;
    "transaction.max.timeout.ms" Int = Some("900000"), AtLeast(1), Start;
    "transaction.partition.verification.enable" Boolean = Some("true"), Any, Running;
    "transaction.remove.expired.transaction.cleanup.interval.ms" Int = Some("3600000"), AtLeast(1), Start;
    "transaction.state.log.load.buffer.size" Int = Some("5242880"), AtLeast(1), Start;
    "transaction.state.log.min.isr" Int = Some("2"), AtLeast(1), Start;
    "transaction.state.log.num.partitions" Int = Some("50"), AtLeast(1), Start;
    "transaction.state.log.replication.factor" Short = Some("3"), AtLeast(1), Start;
    "transaction.state.log.segment.bytes" Int = Some("104857600"), AtLeast(1), Start;
    "transaction.two.phase.commit.enable" Boolean = Some("false"), Any, Start;
    "transactional.id.expiration.ms" Int = Some("604800000"), AtLeast(1), Start;

    [SECURITY]
    "connection.failed.authentication.delay.ms" Int = Some("100"), AtLeast(0), Start;
    "connections.max.reauth.ms" Long = Some("0"), Any, Start;
    "delegation.token.expiry.check.interval.ms" Long = Some("3600000"), AtLeast(1), Start;
    "delegation.token.expiry.time.ms" Long = Some("86400000"), AtLeast(1), Start;
    "delegation.token.max.lifetime.ms" Long = Some("604800000"), AtLeast(1), Start;
    "delegation.token.secret.key" Password = None, Any, Start;
    "principal.builder.class" Class = Some("org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder"), Any, Broker;
    "sasl.client.callback.handler.class" Class = None, Any, Start;
    "sasl.enabled.mechanisms" List = Some("GSSAPI"), Any, Broker;
    "sasl.jaas.config" Password = None, Any, Broker;
    "sasl.kerberos.kinit.cmd" Text = Some("/usr/bin/kinit"), Any, Broker;
    "sasl.kerberos.min.time.before.relogin" Long = Some("60000"), Any, Broker;
    "sasl.kerberos.principal.to.local.rules" List = Some("DEFAULT"), Any, Broker;
    "sasl.kerberos.service.name" Text = None, Any, Broker;
    "sasl.kerberos.ticket.renew.jitter" Double = Some("0.05"), Any, Broker;
    "sasl.kerberos.ticket.renew.window.factor" Double = Some("0.8"), Any, Broker;
    "sasl.login.callback.handler.class" Class = None, Any, Start;
    "sasl.login.class" Class = None, Any, Start;
    "sasl.login.connect.timeout.ms" Int = None, Any, Start;
    "sasl.login.read.timeout.ms" Int = None, Any, Start;
    "sasl.login.refresh.buffer.seconds" Short = Some("300"), Any, Broker;
    "sasl.login.refresh.min.period.seconds" Short = Some("60"), Any, Broker;
    "sasl.login.refresh.window.factor" Double = Some("0.8"), Any, Broker;
    "sasl.login.refresh.window.jitter" Double = Some("0.05"), Any, Broker;
    "sasl.login.retry.backoff.max.ms" Long = Some("10000"), Any, Start;
    "sasl.login.retry.backoff.ms" Long = Some("100"), Any, Start;
    "sasl.mechanism.controller.protocol" Text = Some("GSSAPI"), Any, Start;
    "sasl.mechanism.inter.broker.protocol" Text = Some("GSSAPI"), Any, Broker;
    "sasl.oauthbearer.assertion.algorithm" Text = Some("RS256"), Any, Start;
    "sasl.oauthbearer.assertion.claim.aud" Text = None, Any, Start;
    "sasl.oauthbearer.assertion.claim.exp.seconds" Int = Some("300"), Between(0, 86_400), Start;
    "sasl.oauthbearer.assertion.claim.iss" Text = None, Any, Start;
    "sasl.oauthbearer.assertion.claim.jti.include" Boolean = Some("false"), Any, Start;
    "sasl.oauthbearer.assertion.claim.nbf.seconds" Int = Some("60"), Between(0, 3_600), Start;
    "sasl.oauthbearer.assertion.claim.sub" Text = None, Any, Start;
    "sasl.oauthbearer.assertion.file" Text = None, Any, Start;
    "sasl.oauthbearer.assertion.private.key.file" Text = None, Any, Start;
    "sasl.oauthbearer.assertion.private.key.passphrase" Password = None, Any, Start;
    "sasl.oauthbearer.assertion.template.file" Text = None, Any, Start;
    "sasl.oauthbearer.client.credentials.client.id" Text = None, Any, Start;
    "sasl.oauthbearer.client.credentials.client.secret" Password = None, Any, Start;
    "sasl.oauthbearer.clock.skew.seconds" Int = Some("30"), Any, Start;
    "sasl.oauthbearer.expected.audience" List = None, Any, Start;
    "sasl.oauthbearer.expected.issuer" Text = None, Any, Start;
    "sasl.oauthbearer.jwks.endpoint.refresh.ms" Long = Some("3600000"), Any, Start;
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.max.ms" Long = Some("10000"), Any, Start;
    "sasl.oauthbearer.jwks.endpoint.retry.backoff.ms" Long = Some("100"), Any, Start;
    "sasl.oauthbearer.jwks.endpoint.url" Text = None, Any, Start;
    "sasl.oauthbearer.jwt.retriever.class" Class = Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtRetriever"), Any, Start;
    "sasl.oauthbearer.jwt.validator.class" Class = Some("org.apache.kafka.common.security.oauthbearer.DefaultJwtValidator"), Any, Start;
    "sasl.oauthbearer.scope" Text = None, Any, Start;
    "sasl.oauthbearer.scope.claim.name" Text = Some("scope"), Any, Start;
    "sasl.oauthbearer.sub.claim.name" Text = Some("sub"), Any, Start;
    "sasl.oauthbearer.token.endpoint.url" Text = None, Any, Start;
    "sasl.server.callback.handler.class" Class = None, Any, Start;
    "sasl.server.max.receive.size" Int = Some("524288"), Any, Start;
    "security.providers" Text = None, Any, Start;
    "ssl.allow.dn.changes" Boolean = Some("false"), Any, Start;
    "ssl.allow.san.changes" Boolean = Some("false"), Any, Start;
    "ssl.cipher.suites" List = Some(""), Any, Broker;
    "ssl.client.auth" Text = Some("none"), Words(&["required", "requested", "none"]), Broker;
    "ssl.enabled.protocols" List = Some("TLSv1.2,TLSv1.3"), Any, Broker;
    "ssl.endpoint.identification.algorithm" Text = Some("https"), Any, Broker;
    "ssl.engine.factory.class" Class = None, Any, Broker;
    "ssl.key.password" Password = None, Any, Broker;
    "ssl.keymanager.algorithm" Text = Some("SunX509"), Any, Broker;
    "ssl.keystore.certificate.chain" Password = None, Any, Broker;
    "ssl.keystore.key" Password = None, Any, Broker;
    "ssl.keystore.location" Text = None, Any, Broker;
    "ssl.keystore.password" Password = None, Any, Broker;
    "ssl.keystore.type" Text = Some("JKS"), Any, Broker;
    "ssl.principal.mapping.rules" Text = Some("DEFAULT"), Any, Start;
    "ssl.protocol" Text = Some("TLSv1.3"), Any, Broker;
    "ssl.provider" Text = None, Any, Broker;
    "ssl.secure.random.implementation" Text = None, Any, Broker;
    "ssl.trustmanager.algorithm" Text = Some("PKIX"), Any, Broker;
    "ssl.truststore.certificates" Password = None, Any, Broker;
    "ssl.truststore.location" Text = None, Any, Broker;
    "ssl.truststore.password" Password = None, Any, Broker;
    "ssl.truststore.type" Text = Some("JKS"), Any, Broker;

    [JAVA]
    "alter.config.policy.class.name" Class = None, Any, Start;
    "client.quota.callback.class" Class = None, Any, Start;
    "create.topic.policy.class.name" Class = None, Any, Start;
    "replica.selector.class" Text = None, Any, Start;
}

impl Settings {
    /// Checks what Kafka checks of several of these at once (Kafka: `KafkaConfig.validateValues`).
    pub(crate) fn check_idle(&self, listeners: &[Endpoint]) -> Result<(), SettingError> {
        let wait = "replica.fetch.wait.max.ms";
        for longer in ["replica.socket.timeout.ms", "replica.lag.time.max.ms"] {
            if self.idle_number(wait) > self.idle_number(longer) {
                return Err(SettingError::Conflict(format!("`{longer}` must be at least `{wait}`")));
            }
        }
        let (delay, idle) = ("connection.failed.authentication.delay.ms", self.connections_max_idle_ms());
        if idle >= 0 && self.idle_number(delay) >= idle {
            return Err(SettingError::Conflict(format!(
                "`{delay}` must be less than `connections.max.idle.ms` ({idle})"
            )));
        }
        let key = "early.start.listeners";
        let is_known = |name: &String| listeners.iter().any(|one| one.name == *name);
        match filled_items(self.given(key).unwrap_or_default()).into_iter().find(|name| !is_known(name)) {
            Some(stranger) => {
                Err(bad(key, &stranger, "must be a list, with commas, of names in `listeners`".to_owned()))
            }
            None => Ok(()),
        }
    }

    /// The number that an idle key stands at.
    fn idle_number(&self, key: &str) -> i64 {
        let default = ROWS.iter().find(|row| row.name == key).and_then(|row| row.default);
        let text = self.given(key).or(default).expect("a row with a default");
        text.parse().expect("checked when it was given")
    }
}
