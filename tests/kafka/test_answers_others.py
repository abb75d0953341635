"""The other APIs, and frames that are none, sent to Kafka and to Ottla have the same outcome, field by field.

Each story runs on both. What cannot be equal (addresses, ids that are drawn, the time) is replaced by a name; where Ottla
differs on purpose, the story says so and why.
"""

import struct

import pytest

from beside.sides import list_offset, stored_at

from beside.batches import TIMESTAMP, batch
from beside.raw import Closed, Connection, build, message, frame


# The rest.


@pytest.mark.parametrize("version", range(6))
def test_producer_ids(same, version):
    def story(side):
        answers = []
        for producer_id, epoch in ((-1, -1), (5, -1), (-1, 5), (5, 5)):
            extra = {"producer_id": producer_id, "producer_epoch": epoch} if version >= 3 else {}
            for transactional_id in (None, ""):
                answers.append(
                    side.ask("InitProducerId", version, transactional_id=transactional_id, transaction_timeout_ms=1000, **extra)
                )
        for answer in answers:
            if answer["producer_id"] >= 0:
                answer["producer_id"] = "drawn"
        return answers

    same(story)


def test_epochs_of_the_leader(same):
    def story(side):
        topic, empty = stored_at(side, 0, 1), side.topic()
        answers = []
        for version in (2, 3, 4):
            for name, partition, current, epoch in (
                (topic, 0, -1, 0),
                (topic, 0, -1, 1),
                (topic, 0, -1, -1),
                (topic, 0, 0, 0),
                (topic, 0, 4, 0),
                (topic, 9, -1, 0),
                (empty, 0, -1, 0),
                ("nowhere", 0, -1, 0),
            ):
                place = {"partition": partition, "current_leader_epoch": current, "leader_epoch": epoch}
                extra = {"replica_id": -1} if version >= 3 else {}
                asked = [{"topic": name, "partitions": [place]}]
                answers.append(side.ask("OffsetForLeaderEpoch", version, topics=asked, **extra))
        return answers

    same(story)


def test_producers_of_a_partition(same):
    def story(side):
        topic, producer_id = side.topic(), side.producer()
        side.produce(topic, batch([b"x"] * 3, producer_id, 2, 7))
        asked = [{"name": topic, "partition_indexes": [0, 5]}, {"name": "nowhere", "partition_indexes": [0]}]
        answer = side.ask("DescribeProducers", 0, topics=asked)
        answer["topics"].sort(key=lambda topic: topic["name"])
        for each in answer["topics"]:
            each["partitions"].sort(key=lambda partition: partition["partition_index"])
            for partition in each["partitions"]:
                for row in partition["active_producers"]:
                    assert row["producer_id"] == producer_id
                    row["producer_id"] = "drawn"
        return answer

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_deleted_records(same, version):
    def story(side):
        topic, empty = stored_at(side, 0, 1, 2), side.topic()
        compacted = side.topic(cleanup_policy="compact")
        both = side.topic(cleanup_policy="compact,delete")
        answers = []

        def delete(*wishes):
            asked = [
                {"name": name, "partitions": [{"partition_index": n, "offset": offset} for n, offset in partitions]}
                for name, *partitions in wishes
            ]
            answer = side.ask("DeleteRecords", version, topics=asked, timeout_ms=30_000)
            # Kafka's come in no order.
            answer["topics"].sort(key=lambda topic: topic["name"])
            for each in answer["topics"]:
                each["partitions"].sort(key=lambda partition: partition["partition_index"])
            answers.append(answer)
            answers.append(list_offset(side, topic, -2))

        for offset in (0, 3, 2, 7, -2, -(2**63), 2**63 - 1):
            delete((topic, (0, offset)))
        answers += [list_offset(side, topic, moment) for moment in (TIMESTAMP, TIMESTAMP + 2, -1, -3)]
        delete((empty, (0, -1), (1, 0), (-1, 0)), ("nowhere", (0, 0)), (compacted, (0, 9)), (both, (0, 0)))
        # Of a partition that is named twice the last offset counts.
        delete((topic, (0, 99), (0, 4)), (empty, (0, 0)), (topic, (0, 5)))
        delete()
        delete((topic,))
        delete((topic, (0, -1)))
        answers.append(side.produce(topic, batch([b"x"])))
        return answers

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_the_cluster(same, version):
    def story(side):
        answers = []
        for extra in ({}, *({"endpoint_type": kind} for kind in (1, 3) if version >= 1)):
            extra = {**extra, "include_fenced_brokers": True} if version >= 2 else extra
            answers.append(side.ask("DescribeCluster", version, include_cluster_authorized_operations=False, **extra))
        return answers

    same(story)


def test_pages_of_partitions(same):
    def story(side):
        topic = side.topic(partitions=5)
        answers = []
        for cursor in (None, {"topic_name": topic, "partition_index": 3}, {"topic_name": "zzz", "partition_index": 0}):
            for limit in (2, 2000, 0):
                asked = [{"name": name} for name in (topic, "nowhere", "a/b")]
                answers.append(
                    side.ask("DescribeTopicPartitions", 0, topics=asked, response_partition_limit=limit, cursor=cursor)
                )
        return answers

    same(story)


def test_versions(same):
    def story(side):
        """What is served is a subset of Kafka's; that list has tests of its own."""
        answers = []
        for version in range(5):
            names = {"client_software_name": "raw", "client_software_version": "1.0"} if version >= 3 else {}
            answer = side.ask("ApiVersions", version, **names)
            served = {each["api_key"]: (each["min_version"], each["max_version"]) for each in answer.pop("api_keys")}
            answer["api_keys"] = {key: served[key] for key in (0, 1, 2, 3, 18, 19, 20, 21, 22, 23, 37, 60, 61, 75)}
            answer["finalized_features_epoch"] = "epoch"
            for features in ("supported_features", "finalized_features"):
                answer[features] = sorted(answer.get(features) or [], key=lambda feature: feature["name"])
            answers.append(answer)
        return answers

    same(story)


@pytest.mark.parametrize("name, number", [("", "1"), ("raw", ""), ("a b", "1"), ("-x", "1"), ("x-", "1"), ("x", "1.")])
def test_names_of_clients_that_are_none(same, name, number):
    def story(side):
        request = build(
            message("ApiVersionsRequest"), {"client_software_name": name, "client_software_version": number}, 3
        )
        request.with_header(correlation_id=7, client_id="raw")
        with Connection(side.broker.address) as connection:
            # kafka-python takes every refusal for one of version 0, and cannot read this.
            return connection.exchange(request.encode(header=True))

    assert same(story)[4:6] == struct.pack(">h", 42)


FRAMES = {
    "an api that does not exist": frame(999, 0),
    "a negative api": frame(-1, 0),
    "a version that does not exist": frame(3, 99),
    "a negative version": frame(3, -1),
    "ApiVersions of the future": frame(18, 99),
    "ApiVersions of the past": frame(18, -1),
    "Produce of the past": frame(0, 2),
    "Fetch of the past": frame(1, 3),
    "no body": frame(0, 9, flexible=True),
    "an empty frame": b"",
    "half a header": b"\x00\x03\x00",
    "an endless array": frame(3, 8, struct.pack(">i", 2147483647)),
    "a negative array": frame(3, 8, struct.pack(">i", -5)),
    "bytes too many": frame(3, 1, struct.pack(">i", 0) + b"some more"),
    "a varint without end": frame(3, 12, b"\xff" * 20, flexible=True),
}
# Kafka lets these pass; no known client sends them.
CLOSED_BY_US = {
    "a name that is not UTF-8": frame(3, 1, struct.pack(">ih", 1, 2) + b"\xff\xfe"),
}


@pytest.mark.parametrize("name", FRAMES)
def test_frames(same, name):
    def story(side):
        with Connection(side.broker.address) as connection:
            try:
                answer = connection.exchange(FRAMES[name])
            except Closed:
                return "closed"
        # Of the endless lists of Metadata the first bytes tell enough: correlation and throttling.
        return answer if name.startswith("ApiVersions") else answer[:4]

    same(story)


@pytest.mark.parametrize("name", CLOSED_BY_US)
def test_frames_that_only_kafka_takes(sides, name):
    ottla, kafka = sides
    with Connection(kafka.broker.address) as connection:
        assert connection.exchange(CLOSED_BY_US[name])
    with Connection(ottla.broker.address) as connection, pytest.raises(Closed):
        connection.exchange(CLOSED_BY_US[name])
