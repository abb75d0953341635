"""The admin APIs beyond topics, sent to Kafka and to Ottla, have the same outcome, field by field.

Each story runs on both. What cannot be equal (paths, sizes of disks, the time) is replaced by a name; where Ottla differs on
purpose, the story says so and why.
"""

import struct

import pytest

from beside.batches import batch
from beside.raw import Connection, frame
from beside.sides import stored_at

INVALID_REQUEST = 42


def by(name):
    return lambda each: each[name]


def log_dirs(side, version, topics):
    answer = side.ask("DescribeLogDirs", version, topics=topics)
    (result,) = answer["results"]
    result["log_dir"] = "the data directory" if result["log_dir"] == str(side.broker.data_dir) else result["log_dir"]
    result["topics"].sort(key=by("name"))
    for topic in result["topics"]:
        topic["partitions"].sort(key=by("partition_index"))
    if version >= 4:
        # Both lie on one volume, which others write to.
        for name in ("total_bytes", "usable_bytes"):
            assert result[name] > 0
            result[name] = "bytes"
    return answer


@pytest.mark.parametrize("version", range(1, 5))
def test_log_directories(same, version):
    def story(side):
        topic, empty = stored_at(side, 0, 1), side.topic(partitions=3)
        side.produce(empty, batch([b"x" * 1000] * 5), partition=1)
        answers = [
            log_dirs(side, version, topics)
            for topics in (
                [{"topic": topic, "partitions": [0]}],
                [{"topic": empty, "partitions": [2, 0, 1, 1]}],
                [{"topic": topic, "partitions": [0, 7, -1]}, {"topic": "nowhere", "partitions": [0]}],
                [{"topic": topic, "partitions": []}],
                [{"topic": topic, "partitions": [0]}, {"topic": topic, "partitions": [0]}],
                [],
            )
        ]
        everything = log_dirs(side, version, None)
        names = [each["name"] for each in everything["results"][0]["topics"]]
        assert {topic, empty} <= set(names) and "__cluster_metadata" not in names
        everything["results"][0]["topics"] = [
            each for each in everything["results"][0]["topics"] if each["name"] in (topic, empty)
        ]
        return [*answers, everything]

    same(story)


@pytest.mark.parametrize("version", (1, 2))
def test_moves_between_log_directories(same, version):
    def story(side):
        topic = side.topic(partitions=2)
        here, elsewhere = str(side.broker.data_dir), "/nowhere/at/all"
        answers = []
        for dirs in (
            [(here, [(topic, [0, 1])])],
            [(here, [(topic, [5, -1])]), (here, [("nowhere", [0])])],
            [(elsewhere, [(topic, [0]), ("nowhere", [0])])],
            [(here + "/", [(topic, [0])])],
            [("", [(topic, [0])])],
            # Of a partition that is named twice the last directory counts.
            [(here, [(topic, [0])]), (elsewhere, [(topic, [0, 1])])],
            [(here, [("x" * 214, [0])]), (here, [("y" * 213, [0])])],
            [(here, [(topic, [])])],
            [],
        ):
            asked = [
                {"path": path, "topics": [{"name": name, "partitions": partitions} for name, partitions in topics]}
                for path, topics in dirs
            ]
            answer = side.ask("AlterReplicaLogDirs", version, dirs=asked)
            answer["results"].sort(key=by("topic_name"))
            for result in answer["results"]:
                result["partitions"].sort(key=by("partition_index"))
            answers.append(answer)
        return answers

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_the_quorum(same, version):
    def story(side):
        answers = []
        for topics in (
            [("__cluster_metadata", [0])],
            [("__cluster_metadata", [1])],
            [("__cluster_metadata", [0, 0])],
            [("__cluster_metadata", [])],
            [("__cluster_metadata", [0]), ("nowhere", [0])],
            [("nowhere", [0, 3])],
            [],
        ):
            asked = [
                {"topic_name": name, "partitions": [{"partition_index": index} for index in partitions]}
                for name, partitions in topics
            ]
            answers.append(side.ask("DescribeQuorum", version, topics=asked))
        (partition,) = answers[0]["topics"][0]["partitions"]
        (voter,) = partition["current_voters"]
        assert partition["high_watermark"] == voter["log_end_offset"] > 0
        assert partition["leader_epoch"] > 0
        partition["high_watermark"] = voter["log_end_offset"] = partition["leader_epoch"] = "grows"
        if version >= 1:
            assert voter["last_fetch_timestamp"] == voter["last_caught_up_timestamp"] > 1_600_000_000_000
            voter["last_fetch_timestamp"] = voter["last_caught_up_timestamp"] = "now"
        if version >= 2:
            for listener in answers[0]["nodes"][0]["listeners"]:
                listener["host"] = "host"
        return answers

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_elections(same, version):
    def story(side):
        topic = side.topic(partitions=2)
        answers = []
        for kind in (0, 1, 2, -1) if version >= 1 else (0,):
            for topics in (
                [(topic, [0, 1])],
                [(topic, [2, -1]), ("nowhere", [0])],
                [(topic, [0]), (topic, [0])],
                [(topic, [])],
                [],
            ):
                asked = [{"topic": name, "partitions": partitions} for name, partitions in topics]
                extra = {"election_type": kind} if version >= 1 else {}
                answers.append(side.ask("ElectLeaders", version, topic_partitions=asked, timeout_ms=30_000, **extra))
        everything = side.ask("ElectLeaders", version, topic_partitions=None, timeout_ms=30_000)
        assert topic in [result["topic"] for result in everything["replica_election_results"]]
        assert not any(result["partition_result"] for result in everything["replica_election_results"])
        return [*answers, everything.get("error_code")]

    same(story)


@pytest.mark.parametrize("version", (0, 1))
def test_reassignments(same, version):
    def story(side):
        topic = side.topic(partitions=2)
        answers = []
        for allow in (True, False) if version >= 1 else (True,):
            extra = {"allow_replication_factor_change": allow} if version >= 1 else {}
            for name, partition, replicas in (
                (topic, 0, [1]),
                (topic, 0, None),
                (topic, 0, []),
                (topic, 0, [2]),
                (topic, 0, [1, 2]),
                (topic, 0, [1, 1]),
                (topic, 0, [-1]),
                (topic, 2, [1]),
                (topic, -1, None),
                ("nowhere", 0, [1]),
            ):
                asked = [{"name": name, "partitions": [{"partition_index": partition, "replicas": replicas}]}]
                answers.append(
                    side.ask("AlterPartitionReassignments", version, topics=asked, timeout_ms=30_000, **extra)
                )
        answers.append(side.ask("AlterPartitionReassignments", version, topics=[], timeout_ms=30_000))
        for topics in (None, [], [{"name": topic, "partition_indexes": [0, 9]}, {"name": "nowhere", "partition_indexes": [0]}]):
            answers.append(side.ask("ListPartitionReassignments", 0, topics=topics, timeout_ms=30_000))
        return answers

    same(story)


def features(side):
    answer = side.ask("ApiVersions", 4, client_software_name="raw", client_software_version="1")
    return {each["name"]: each["max_version_level"] for each in answer["finalized_features"]}


UPGRADE, SAFE_DOWNGRADE, UNSAFE_DOWNGRADE = 1, 2, 3

# Each leaves the levels as they were before.
FEATURES = {
    "a level that is there already": [("metadata.version", 27, UPGRADE)],
    "metadata a little back and again": [("metadata.version", 24, SAFE_DOWNGRADE), ("metadata.version", 27, UPGRADE)],
    "metadata too far back": [("metadata.version", 22, SAFE_DOWNGRADE), ("metadata.version", 22, UNSAFE_DOWNGRADE)],
    "metadata back without saying so": [("metadata.version", 26, UPGRADE)],
    "metadata of the future": [("metadata.version", 28, UPGRADE), ("metadata.version", 6, SAFE_DOWNGRADE)],
    "metadata off": [("metadata.version", 0, UNSAFE_DOWNGRADE)],
    "groups off and on": [("group.version", 0, SAFE_DOWNGRADE), ("group.version", 1, UPGRADE)],
    "groups off without saying so": [("group.version", 0, UPGRADE)],
    "groups up, called a downgrade": [("share.version", 1, SAFE_DOWNGRADE)],
    "transactions back and again": [("transaction.version", 1, SAFE_DOWNGRADE), ("transaction.version", 2, UPGRADE)],
    "transactions of the future": [("transaction.version", 3, UPGRADE)],
    "eligible leaders off and on": [
        ("eligible.leader.replicas.version", 0, UNSAFE_DOWNGRADE),
        ("eligible.leader.replicas.version", 1, UPGRADE),
    ],
    "a level below zero": [("group.version", -1, SAFE_DOWNGRADE)],
    "a feature that nobody knows": [("no.such.version", 1, UPGRADE), ("no.such.version", 0, SAFE_DOWNGRADE)],
    "a kind of upgrade that nobody knows": [("group.version", 1, 0), ("group.version", 1, 4)],
    "streams, which 4.1 offers only where unstable features are": [
        ("streams.version", 1, UPGRADE),
        ("streams.version", 0, UPGRADE),
        ("streams.version", 0, SAFE_DOWNGRADE),
    ],
    "kraft.version as it is": [("kraft.version", 0, UPGRADE), ("kraft.version", 2, UPGRADE)],
}


@pytest.mark.parametrize("version", range(3))
@pytest.mark.parametrize("name", FEATURES)
def test_features(same, name, version):
    def story(side):
        answers = []
        for only in (True, False) if version >= 1 else (False,):
            for feature, level, kind in FEATURES[name]:
                update = {"feature": feature, "max_version_level": level}
                update |= {"upgrade_type": kind} if version >= 1 else {"allow_downgrade": kind != UPGRADE}
                extra = {"validate_only": only} if version >= 1 else {}
                answer = side.ask("UpdateFeatures", version, timeout_ms=30_000, feature_updates=[update], **extra)
                answers += [answer, settled(side, answer, only, feature, level)]
        return answers

    same(story)


def settled(side, answer, only, feature, level):
    """The levels, once those that were changed are what clients see: in Kafka that takes a moment."""
    if answer["error_code"] == 0 and not only:
        while features(side).get(feature, 0) != level:
            pass
    return features(side)


def test_features_stand_or_fall_together(same):
    def story(side):
        updates = [("group.version", 0, SAFE_DOWNGRADE), ("transaction.version", 9, UPGRADE)]
        asked = [{"feature": name, "max_version_level": level, "upgrade_type": kind} for name, level, kind in updates]
        answers = [
            side.ask("UpdateFeatures", version, timeout_ms=30_000, feature_updates=asked, validate_only=False)
            for version in (1, 2)
        ]
        answers.append(side.ask("UpdateFeatures", 2, timeout_ms=30_000, feature_updates=[], validate_only=False))
        return [*answers, features(side)]

    same(story)


def test_kraft_version_goes_up_in_kafka_alone(sides):
    ottla, _ = sides
    asked = [{"feature": "kraft.version", "max_version_level": 1, "upgrade_type": UPGRADE}]
    answer = ottla.ask("UpdateFeatures", 2, timeout_ms=30_000, feature_updates=asked, validate_only=False)
    assert answer["error_code"] == 95


def unregister(side, broker):
    """The error code. kafka-python does not know this API."""
    with Connection(side.broker.address) as connection:
        answer = connection.exchange(frame(64, 0, struct.pack(">ib", broker, 0), flexible=True))
    _number, _tags, throttled, code = struct.unpack_from(">ibih", answer)
    assert throttled == 0
    return code


def test_unregistering_a_broker(same, sides):
    assert same(lambda side: [unregister(side, broker) for broker in (2, 0, -1)]) == [102] * 3
    # Kafka would, and serve nothing any more.
    ottla, _ = sides
    assert unregister(ottla, 1) == INVALID_REQUEST


def rule(**fields):
    given = {"resource_type": 2, "resource_name": "t", "resource_pattern_type": 3, "principal": "User:a"}
    return {**given, "host": "*", "operation": 3, "permission_type": 3, **fields}


def rule_filter(**fields):
    given = {"resource_type_filter": 1, "resource_name_filter": None, "pattern_type_filter": 1, "principal_filter": None}
    return {**given, "host_filter": None, "operation": 1, "permission_type": 1, **fields}


@pytest.mark.parametrize("version", range(1, 4))
def test_access_rules(same, version):
    def story(side):
        answers = [side.ask("CreateAcls", version, creations=rules) for rules in ([rule(), rule(operation=4)], [])]
        answers += [side.ask("DescribeAcls", version, **rule_filter())]
        answers += [side.ask("DeleteAcls", version, filters=filters) for filters in ([rule_filter()] * 2, [])]
        # What the client itself does not know costs it its connection.
        for unknown in ("resource_type_filter", "pattern_type_filter", "operation", "permission_type"):
            answers.append(side.ask("DescribeAcls", version, **rule_filter(**{unknown: 0})))
            answers.append(side.ask("DeleteAcls", version, filters=[rule_filter(), rule_filter(**{unknown: 0})]))
        for unknown in ("resource_type", "resource_pattern_type", "operation", "permission_type"):
            answers.append(side.ask("CreateAcls", version, creations=[rule(), rule(**{unknown: 0})]))
        return answers

    assert same(story)[-1] == "closed"


def text(value, flexible, nullable=False):
    if value is None:
        assert nullable
        return b"\x00" if flexible else b"\xff\xff"
    return (bytes([len(value) + 1]) if flexible else struct.pack(">h", len(value))) + value


def listed(parts, flexible):
    """A list, or null."""
    if parts is None:
        return b"\x00" if flexible else b"\xff\xff\xff\xff"
    return (bytes([len(parts) + 1]) if flexible else struct.pack(">i", len(parts))) + b"".join(parts)


def principals(names, flexible):
    parts = names and [text(b"User", flexible) + text(name, flexible) + b"\x00" * flexible for name in names]
    return listed(parts, flexible)


def token_requests(version):
    """kafka-python does not know these APIs."""
    flexible, end = version >= 2, b"\x00" * (version >= 2)
    for kind, owner in ((None, None), (b"User", b"someone"), (b"User", b"")) if version >= 3 else (((), ()),):
        body = text(kind, True, True) + text(owner, True, True) if version >= 3 else b""
        yield frame(38, version, body + principals([b"b"], flexible) + struct.pack(">q", -1) + end, flexible)
    if version <= 2:
        for key in (39, 40):
            hmac = b"\x04abc" if flexible else b"\x00\x00\x00\x03abc"
            yield frame(key, version, hmac + struct.pack(">q", 1000) + end, flexible)
    for owners in (None, [], [b"b"]):
        yield frame(41, version, principals(owners, flexible) + end, flexible)


@pytest.mark.parametrize("version", range(1, 4))
def test_delegation_tokens(same, version):
    def story(side):
        with Connection(side.broker.address) as connection:
            return [connection.exchange(request) for request in token_requests(version)]

    answers = same(story)
    # The code comes first in all of them: right behind the number, and the tags of a flexible header.
    place = 5 if version >= 2 else 4
    assert {answer[place : place + 2] for answer in answers} == {struct.pack(">h", 64)}


@pytest.mark.parametrize("version", range(3))
def test_what_may_be_done_to_the_cluster(same, version):
    def story(side):
        answers = []
        for extra in ({}, *({"endpoint_type": kind} for kind in (0, 1, 2, 3) if version >= 1)):
            answer = side.ask("DescribeCluster", version, include_cluster_authorized_operations=True, **extra)
            answers.append(answer)
        return answers

    same(story)


def test_telemetry_is_not_offered(sides):
    """As in Kafka without a plugin that takes metrics from clients."""
    for side in sides:
        answer = side.ask("ApiVersions", 0)
        assert not {71, 72} & {each["api_key"] for each in answer["api_keys"]}


def test_each_api_has_kafkas_versions(sides):
    def served(side):
        return {each["api_key"]: (each["min_version"], each["max_version"]) for each in side.ask("ApiVersions", 0)["api_keys"]}

    ours, theirs = (served(side) for side in sides)
    assert ours == {key: theirs.get(key) for key in ours}
