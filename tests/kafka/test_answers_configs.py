"""The APIs of configurations, sent to Kafka and to Ottla, have the same outcome, field by field.

Each story runs on both. Words of messages and of documentation are each broker's own; where Ottla differs on purpose, the
story says so and why.
"""

import time

import pytest

TOPIC, BROKER, LOGGERS, CLIENT_METRICS, GROUP = 2, 4, 8, 16, 32
SET, DELETE, APPEND, SUBTRACT = range(4)

# Broker settings whose value differs: what each was started with, and defaults of Ottla's own (docs/deviations.md).
OWN_VALUES = {
    "advertised.listeners",
    "broker.id",
    "broker.session.timeout.ms",
    "controller.listener.names",
    "controller.quorum.bootstrap.servers",
    "controller.quorum.voters",
    "group.consumer.max.size",
    "group.max.size",
    "listener.security.protocol.map",
    "listeners",
    "log.dir",
    "log.dirs",
    "max.connections",
    "max.connections.per.ip",
    "metadata.log.dir",
    "node.id",
    "num.network.threads",
    "offsets.topic.replication.factor",
    "process.roles",
    "queued.max.request.bytes",
    "socket.receive.buffer.bytes",
    "inter.broker.listener.name",
    "transaction.state.log.min.isr",
    "transaction.state.log.replication.factor",
}
# What only Kafka changes while it runs.
READ_AT_THE_START = {"listeners", "listener.security.protocol.map", "num.network.threads"}


def resource(kind, name, keys=None):
    return {"resource_type": kind, "resource_name": name, "configuration_keys": keys}


def without_words(answer):
    """Whether there is a message and documentation, in place of what they say."""
    for each in answer.get("results", []) + answer.get("responses", []):
        each["error_message"] = None if each["error_code"] == 0 else "words"
        for config in each.get("configs", []):
            if config.get("documentation") is not None:
                config["documentation"] = "words"
    return answer


def describe(side, *resources, version=4, synonyms=True, documentation=False):
    asked = {"include_synonyms": synonyms}
    if version >= 3:
        asked["include_documentation"] = documentation
    answer = side.ask("DescribeConfigs", version, resources=list(resources), **asked)
    for result in answer["results"]:
        result["configs"].sort(key=lambda config: config["name"])
    return without_words(answer)


def alter(side, kind, name, pairs, version=2, validate_only=False):
    configs = [{"name": key, "value": value} for key, value in pairs]
    asked = [{"resource_type": kind, "resource_name": name, "configs": configs}]
    return without_words(side.ask("AlterConfigs", version, resources=asked, validate_only=validate_only))


def changes(kind, name, *changes):
    configs = [{"name": key, "config_operation": operation, "value": value} for key, operation, value in changes]
    return {"resource_type": kind, "resource_name": name, "configs": configs}


def change(side, *resources, version=1, validate_only=False):
    answer = side.ask("IncrementalAlterConfigs", version, resources=list(resources), validate_only=validate_only)
    return without_words(answer)


@pytest.mark.parametrize("version", range(1, 5))
def test_a_topic_is_described(same, version):
    def story(side):
        topic = side.topic(retention_ms=5, cleanup_policy="compact,delete", min_cleanable_dirty_ratio=0.25)
        asked = [resource(TOPIC, topic), resource(TOPIC, topic, ["retention.ms", "no.such"]), resource(TOPIC, topic, [])]
        return [
            describe(side, *asked, version=version, documentation=True),
            describe(side, resource(TOPIC, topic), version=version, synonyms=False),
        ]

    same(story)


def test_what_cannot_be_described(same):
    def story(side):
        topic = side.topic()
        asked = [
            (TOPIC, "nowhere"), (TOPIC, "a/b"), (TOPIC, ""), (BROKER, "7"), (BROKER, "one"), (LOGGERS, ""), (LOGGERS, "7"),
            (GROUP, ""), (CLIENT_METRICS, ""), (GROUP, "g"), (CLIENT_METRICS, "m"),
        ]
        answers = [describe(side, *(resource(*each) for each in asked)), describe(side)]
        return [*answers, describe(side, resource(TOPIC, topic), resource(7, "x")), describe(side, resource(0, "x"))]

    same(story)


def test_the_broker_is_described(same):
    seen = {}

    def story(side):
        answer = describe(side, resource(BROKER, "1"), documentation=True)
        (result,) = answer["results"]
        configs = {config["name"]: config for config in result["configs"]}
        seen[side] = set(configs)
        for name in OWN_VALUES & set(configs):
            configs[name].update(value="own", synonyms="own", config_source="own")
        for name in READ_AT_THE_START & set(configs):
            configs[name]["read_only"] = "own"
        result["configs"] = configs
        return answer

    def forgive(ours, theirs):
        for each in (ours, theirs):
            for name in [name for name in each["results"][0]["configs"] if name not in set.intersection(*seen.values())]:
                del each["results"][0]["configs"][name]

    same(story, forgive)
    # Ottla shows its own keys, and those that Kafka hides because they are for its tests. It has no quotas and no telemetry.
    ours, theirs = seen.values()
    missing = {f"{of}quota.window.{what}" for of in ("", "controller.") for what in ("num", "size.seconds")}
    assert theirs - ours <= missing | {"telemetry.max.bytes"}


def test_layers(same):
    def story(side):
        topic = side.topic()
        asked = [resource(TOPIC, topic, ["retention.ms", "segment.bytes", "compression.type"]), resource(BROKER, "1", ["log.retention.ms", "log.segment.bytes", "compression.type"]), resource(BROKER, "")]
        answers = []
        for wish in (
            changes(BROKER, "", ("log.retention.ms", SET, "7000"), ("compression.type", SET, "gzip")),
            changes(BROKER, "1", ("log.retention.ms", SET, "8000"), ("log.segment.bytes", SET, "2000000")),
            changes(TOPIC, topic, ("retention.ms", SET, "9000")),
            changes(BROKER, "1", ("log.retention.ms", DELETE, None), ("log.segment.bytes", DELETE, "x")),
            changes(TOPIC, topic, ("retention.ms", DELETE, None)),
            changes(BROKER, "", ("log.retention.ms", DELETE, None), ("compression.type", DELETE, None)),
        ):
            answers += [change(side, wish), settled(side, *asked)]
        return answers

    same(story)


def settled(side, *asked):
    """Kafka's broker follows its controller a moment later: the answer, once it stays the same."""
    before = None
    for _ in range(100):
        now = describe(side, *asked)
        if now == before:
            return now
        before = now
        time.sleep(0.2)
    raise AssertionError("it never settles")


GOOD = {
    "set": [("retention.ms", SET, "5")],
    "set and take away": [("retention.ms", SET, "5"), ("segment.ms", DELETE, None)],
    "add to a list": [("cleanup.policy", APPEND, "compact")],
    "add what is there": [("cleanup.policy", APPEND, "delete")],
    "take from a list": [("cleanup.policy", SUBTRACT, "delete")],
    "take what is not there": [("cleanup.policy", SUBTRACT, "compact")],
    "replicas": [("leader.replication.throttled.replicas", APPEND, "0:1,1:1")],
    "nothing": [],
}


@pytest.mark.parametrize("version", range(2))
@pytest.mark.parametrize("wish", GOOD.values(), ids=GOOD)
def test_changes_of_a_topic(same, version, wish):
    def story(side):
        topic = side.topic()
        answers = [change(side, changes(TOPIC, topic, *wish), version=version, validate_only=True), settled(side, resource(TOPIC, topic))]
        return [*answers, change(side, changes(TOPIC, topic, *wish), version=version), settled(side, resource(TOPIC, topic))]

    same(story)


BAD = {
    "unknown key": [("no.such", SET, "5")],
    "unknown key, taken away": [("no.such", DELETE, None)],
    "unknown list": [("no.such", APPEND, "5")],
    "null": [("retention.ms", SET, None)],
    "null added": [("cleanup.policy", APPEND, None)],
    "twice": [("retention.ms", SET, "5"), ("retention.ms", DELETE, None)],
    "no number": [("retention.ms", SET, "soon")],
    "too small": [("retention.ms", SET, "-2")],
    "no list": [("retention.ms", APPEND, "5")],
    "no list either": [("retention.ms", SUBTRACT, "5")],
    "empty item": [("cleanup.policy", APPEND, "")],
    "no word": [("cleanup.policy", SET, "shred")],
    "contradiction": [("min.compaction.lag.ms", SET, "9"), ("max.compaction.lag.ms", SET, "8")],
    "tiered": [("remote.storage.enable", SET, "true")],
}


@pytest.mark.parametrize("wish", BAD.values(), ids=BAD)
def test_what_a_topic_cannot_be(same, wish):
    def story(side):
        topic = side.topic()
        answers = [change(side, changes(TOPIC, name, *wish)) for name in (topic, "nowhere", "a/b", "")]
        return [*answers, settled(side, resource(TOPIC, topic))]

    same(story)


def test_a_value_that_grows_too_long(same):
    def story(side):
        topic = side.topic()
        lists = [",".join(f"{n}:1" for n in numbers) for numbers in (range(4000), range(4000, 8000))]
        wishes = [changes(TOPIC, topic, ("leader.replication.throttled.replicas", APPEND, each)) for each in lists]
        return [change(side, wish) for wish in wishes]

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_full_sets(same, version):
    def story(side):
        topic = side.topic(retention_ms=5, segment_ms=6)
        answers = []
        for pairs in (
            [("retention.ms", "7")],
            [("retention.ms", None)],
            [("retention.ms", "x")],
            [("no.such", "1")],
            [("retention.ms", "1"), ("retention.ms", "2")],
            [],
        ):
            answers += [alter(side, TOPIC, topic, pairs, version), settled(side, resource(TOPIC, topic))]
        answers += [alter(side, TOPIC, "nowhere", [], version), alter(side, 0, "x", [], version), alter(side, LOGGERS, "1", [], version)]
        return [*answers, alter(side, BROKER, "7", [], version), alter(side, BROKER, "one", [], version), alter(side, BROKER, "", [], version)]

    same(story)


BROKER_CHANGES = {
    "not while it runs": [("node.id", SET, "2")],
    "no number": [("log.retention.ms", SET, "soon")],
    "too small": [("log.segment.bytes", SET, "1")],
    "no list": [("log.retention.ms", APPEND, "5")],
    "one of the common ones": [("min.insync.replicas", DELETE, None)],
    "set the common one": [("min.insync.replicas", SET, "1")],
    "null": [("log.retention.ms", SET, None)],
    "contradiction": [("log.cleaner.io.buffer.load.factor", SET, "x")],
    "a list": [("log.cleanup.policy", APPEND, "compact")],
    "and back": [("log.cleanup.policy", DELETE, None)],
    "threads": [("num.io.threads", SET, "9")],
    "and back again": [("num.io.threads", DELETE, None)],
    "secrets": [("ssl.keystore.password", SET, "secret")],
}


@pytest.mark.parametrize("wish", BROKER_CHANGES.values(), ids=BROKER_CHANGES)
def test_changes_of_the_broker(same, wish):
    def story(side):
        answers = [change(side, changes(BROKER, name, *wish), validate_only=True) for name in ("", "1", "7", "one")]
        return [*answers, change(side, changes(BROKER, "", *wish)), settled(side, resource(BROKER, ""))]

    same(story)


RESOURCES = {
    "session": (GROUP, [("consumer.session.timeout.ms", SET, "50000")]),
    "too short": (GROUP, [("consumer.session.timeout.ms", SET, "5")]),
    "heartbeat": (GROUP, [("consumer.heartbeat.interval.ms", SET, "6000")]),
    "too often": (GROUP, [("consumer.heartbeat.interval.ms", SET, "1")]),
    "share": (GROUP, [("share.isolation.level", SET, "read_committed"), ("share.auto.offset.reset", SET, "by_duration:PT1H")]),
    "share, wrong": (GROUP, [("share.auto.offset.reset", SET, "by_duration:-PT1H")]),
    "streams": (GROUP, [("streams.num.standby.replicas", SET, "1")]),
    "too many": (GROUP, [("streams.num.standby.replicas", SET, "3")]),
    "unknown": (GROUP, [("retention.ms", SET, "3")]),
    "interval": (CLIENT_METRICS, [("interval.ms", SET, "1000"), ("metrics", SET, "*"), ("match", SET, "client_id=a.*")]),
    "interval, small": (CLIENT_METRICS, [("interval.ms", SET, "99")]),
    "interval, wrong": (CLIENT_METRICS, [("interval.ms", SET, "often")]),
    "match": (CLIENT_METRICS, [("match", SET, "client=a")]),
    "match, no pair": (CLIENT_METRICS, [("match", SET, "client_id")]),
    "metrics": (CLIENT_METRICS, [("metrics", APPEND, "a.,b.")]),
    "unknown metric": (CLIENT_METRICS, [("retention.ms", SET, "3")]),
}


@pytest.mark.parametrize(("kind", "wish"), RESOURCES.values(), ids=RESOURCES)
def test_groups_and_client_metrics(same, kind, wish):
    def story(side):
        name = side.group()
        answers = [change(side, changes(kind, each, *wish)) for each in (name, "")]
        answers += [settled(side, resource(kind, name)), change(side, changes(kind, name, *((key, DELETE, None) for key, _, _ in wish)))]
        return [*answers, settled(side, resource(kind, name))]

    same(story)


def test_several_at_a_time(same):
    def story(side):
        topic = side.topic()
        return change(
            side,
            changes(TOPIC, topic, ("retention.ms", SET, "5")),
            changes(GROUP, "g", ("consumer.session.timeout.ms", SET, "5")),
            changes(TOPIC, topic, ("segment.ms", SET, "5")),
            changes(9, "x", ("a", SET, "5")),
            changes(LOGGERS, "7", ("a", SET, "DEBUG")),
            changes(LOGGERS, "1", ("no.such.logger", SET, "DEBUG")),
            changes(LOGGERS, "1x", ("a", SET, "DEBUG")),
        )

    same(story)


@pytest.mark.parametrize("version", range(2))
def test_what_there_are_settings_for(same, version):
    def story(side):
        topic, group, metrics = side.topic(), side.group(), side.group()
        change(side, changes(GROUP, group, ("consumer.session.timeout.ms", SET, "50000")))
        change(side, changes(CLIENT_METRICS, metrics, ("interval.ms", SET, "1000")))
        settled(side, resource(GROUP, group), resource(CLIENT_METRICS, metrics))
        answers = []
        for types in [[]] if version == 0 else [[], [TOPIC], [GROUP, CLIENT_METRICS], [BROKER], [LOGGERS], [3], [0, TOPIC]]:
            asked = {"resource_types": types} if version else {}
            answer = side.ask("ListConfigResources", version, **asked)
            own = (topic, group, metrics, "1")
            answer["config_resources"] = [each for each in answer["config_resources"] if each["resource_name"] in own]
            answers.append(answer)
        change(side, changes(CLIENT_METRICS, metrics, ("interval.ms", DELETE, None)))
        return answers

    same(story)
