"""Fetch and ListOffsets sent to Kafka and to Ottla have the same outcome, field by field.

Each story runs on both. What cannot be equal (addresses, ids that are drawn, the time) is replaced by a name; where Ottla
differs on purpose, the story says so and why.
"""

import uuid

import pytest

from beside.batches import CODECS, TIMESTAMP, batch, changed
from beside.fetching import fetch
from beside.sides import list_offset, stored_at

FETCH_VERSIONS = (4, 5, 7, 9, 11, 12, 13, 15, 16, 17)
FETCHES = {
    "the beginning": {},
    "the middle of a batch": {"fetch_offset": 4},
    "the end": {"fetch_offset": 9},
    "past the end": {"fetch_offset": 10},
    "a negative offset": {"fetch_offset": -1},
    "few bytes": {"partition_max_bytes": 1},
    "no bytes": {"partition_max_bytes": 0},
    "few bytes in all": {"max_bytes": 1},
    "bytes of two batches": {"partition_max_bytes": 170},
    "an unknown partition": {"partition": 7},
    "a negative partition": {"partition": -1},
    "committed": {"isolation_level": 1},
    "the leader's epoch": {"current_leader_epoch": 0},
    "a later epoch": {"current_leader_epoch": 3},
    "a session that is unknown": {"session_id": 4711, "session_epoch": 1},
    "an epoch without a session": {"session_id": 0, "session_epoch": 5},
    "a new session": {"session_id": 0, "session_epoch": 0},
    "the epoch that it read last": {"last_fetched_epoch": 0, "fetch_offset": 9},
    "an epoch that nobody wrote": {"last_fetched_epoch": 5, "fetch_offset": 9},
    "more bytes than there are, no wait": {"min_bytes": 1 << 20},
    "more bytes than there are, a wait": {"min_bytes": 1 << 20, "max_wait_ms": 50},
}


@pytest.mark.parametrize("name", FETCHES)
def test_fetches(same, name):
    def story(side):
        topic = side.topic()
        for _ in range(3):
            side.produce(topic, batch([b"value"] * 3))
        return [fetch(side, topic, version, **FETCHES[name]) for version in FETCH_VERSIONS]

    same(story)


def test_fetches_of_topics_that_do_not_exist(same):
    def story(side):
        old = [fetch(side, "nowhere", version) for version in (4, 7, 12)]
        return old + [fetch(side, uuid.UUID(int=12345), version) for version in (13, 16)]

    same(story)


@pytest.mark.parametrize("codec", CODECS)
def test_what_is_stored_is_what_came(same, codec):
    """The bytes that readers get, with what the broker writes into a batch."""

    def story(side):
        topic, stamped = side.topic(), side.topic(message_timestamp_type="LogAppendTime")
        producer_id = side.producer()
        sent = batch([b"a" * 50, b"b" * 50], producer_id, 0, 0, codec=codec)
        side.produce(topic, changed(sent, leader_epoch=77, max_timestamp=5))
        side.produce(stamped, sent)
        (kept,) = fetch(side, topic)["responses"][0]["partitions"][0]["records"]
        (now,) = fetch(side, stamped)["responses"][0]["partitions"][0]["records"]
        # The ids of producers are dealt out by each broker; the stamp is the time.
        return changed(kept, producer_id=1), changed(now, producer_id=1, max_timestamp=1)

    same(story)


# ListOffsets.


@pytest.mark.parametrize("timestamp", [-1, -2, -3, -4, -5, -6, -7])
def test_offsets_that_have_a_name(same, timestamp):
    def story(side):
        topic, empty = stored_at(side, 0, 500, 100, 500), side.topic()
        return [list_offset(side, each, timestamp, version) for each in (topic, empty) for version in range(1, 11)]

    same(story)


@pytest.mark.parametrize("time", [-10**6, 0, 1, 100, 101, 499, 500, 501, 10**9])
def test_offsets_by_time(same, time):
    def story(side):
        topic = stored_at(side, 0, 500, 100, 500)
        return [list_offset(side, topic, TIMESTAMP + time, version) for version in range(1, 11)]

    same(story)


def test_offsets_that_cannot_be_told(same):
    def story(side):
        topic = stored_at(side, 0)
        answers = [list_offset(side, "nowhere", -1, version) for version in (1, 7, 10)]
        answers += [list_offset(side, topic, -1, version, partition_index=5) for version in (1, 7, 10)]
        answers += [list_offset(side, topic, -1, 7, current_leader_epoch=epoch) for epoch in (0, 1, 9)]
        answers += [list_offset(side, topic, -1, 7, isolation_level=1)]
        twice = [{"name": topic, "partitions": [{"partition_index": 0, "current_leader_epoch": -1, "timestamp": -1}] * 2}]
        answers += [side.ask("ListOffsets", 7, replica_id=-1, isolation_level=0, topics=twice)]
        return answers

    same(story)
