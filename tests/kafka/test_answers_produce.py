"""Produce sent to Kafka and to Ottla has the same outcome, field by field.

Each story runs on both. What cannot be equal (addresses, ids that are drawn, the time) is replaced by a name; where Ottla
differs on purpose, the story says so and why.
"""

import uuid

import pytest

from beside.batches import CODECS, TIMESTAMP, batch, changed
from beside.sides import codes, rounds

PRODUCE_VERSIONS = (3, 5, 7, 8, 9, 12)

# Produce: sequences and epochs.


def sends(*batches):
    """A story: one producer sends these batches, `(epoch, sequence, count)`, to one topic."""

    def story(side):
        topic, producer_id = side.topic(), side.producer()
        answers = [
            side.produce(topic, batch([b"x"] * count, producer_id, epoch, sequence)) for epoch, sequence, count in batches
        ]
        return answers, side.log_end(topic)

    return story


SIX = [(0, sequence, 1) for sequence in range(6)]
SEQUENCES = {
    "a first batch": ([(0, 0, 10)], [0]),
    "the same again": ([(0, 0, 10), (0, 0, 10)], [0, 0]),
    "a gap": ([(0, 0, 10), (0, 20, 10)], [0, 45]),
    "a new epoch that does not begin at 0": ([(0, 0, 10), (1, 5, 1)], [0, 45]),
    "a new epoch": ([(0, 0, 10), (1, 0, 1)], [0, 0]),
    "an epoch of the past": ([(0, 0, 10), (1, 0, 1), (0, 10, 1)], [0, 0, 47]),
    "an unknown producer in the middle": ([(0, 1234, 3)], [0]),
    "an unknown producer in the middle of an epoch": ([(7, 1234, 3)], [0]),
    "older than five": ([*SIX, (0, 0, 1)], [*[0] * 6, 45]),
    "the oldest of five": ([*SIX, (0, 1, 1)], [0] * 7),
    "the newest of five": ([*SIX, (0, 5, 1)], [0] * 7),
    "over the end, batch by batch": ([(0, 2147483646, 2), (0, 0, 1)], [0, 0]),
    "over the end within a batch": ([(0, 2147483640, 16), (0, 8, 1)], [0, 0]),
    "over the end within a batch, again": ([(0, 2147483640, 16), (0, 2147483640, 16)], [0, 0]),
    "part of a known batch": ([(0, 0, 10), (0, 0, 5)], [0, 45]),
    "more than a known batch": ([(0, 0, 10), (0, 0, 11)], [0, 45]),
    "the tail of a known batch": ([(0, 0, 10), (0, 5, 5)], [0, 45]),
    "a duplicate after a gap was refused": ([(0, 0, 10), (0, 20, 1), (0, 0, 10), (0, 10, 1)], [0, 45, 0, 0]),
    "the last epoch": ([(32767, 0, 1), (32767, 1, 1), (0, 0, 1)], [0, 0, 47]),
    "an epoch skipped": ([(0, 0, 1), (5, 0, 1), (5, 1, 1)], [0, 0, 0]),
    "a duplicate of the epoch before": ([(0, 0, 1), (1, 0, 1), (0, 0, 1)], [0, 0, 47]),
    "no sequence": ([(0, -1, 1)], [87]),
}


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(same, name):
    batches, expected = SEQUENCES[name]
    answers, _ = same(sends(*batches))
    assert codes(answers) == expected


def test_the_same_sequences_without_a_producer_id_are_stored_twice(same):
    def story(side):
        topic = side.topic()
        return [side.produce(topic, batch([b"x"])) for _ in range(2)], side.log_end(topic)

    assert same(story)[1] == 2


def test_producers_do_not_disturb_each_other(same):
    def story(side):
        topic = side.topic(partitions=2)
        one, two = side.producer(), side.producer()
        places = [(one, 0, 0), (two, 0, 0), (one, 1, 0), (two, 1, 5), (one, 0, 1), (two, 0, 1)]
        return [
            side.produce(topic, batch([b"x"], producer_id, 0, sequence), partition=partition)
            for producer_id, partition, sequence in places
        ]

    assert codes(same(story)) == [0] * 6


# Produce: batches that are wrong.


def spoil(length):
    """A batch whose last bytes are missing, and which says so in its header."""
    good = batch([b"some value", b"another"])
    return changed(good[:-length], batch_length=len(good) - 12 - length)


GOOD = batch([b"some value", b"another"])
IDEMPOTENT = batch([b"some value"], 5, 0, 0)
BAD_BATCHES = {
    "nothing": b"",
    "one byte": b"\x00",
    "half a batch": GOOD[: len(GOOD) // 2],
    "a header alone": GOOD[:61],
    "a batch and a half": GOOD + GOOD[: len(GOOD) // 2],
    "two batches": GOOD + GOOD,
    "a batch and zeros": GOOD + bytes(5),
    "magic 0": changed(GOOD, magic=0),
    "magic 1": changed(GOOD, magic=1),
    "magic 3": changed(GOOD, magic=3),
    "magic -1": changed(GOOD, magic=-1),
    "length 0": changed(GOOD, batch_length=0),
    "length 13": changed(GOOD, batch_length=13),
    "length 14": changed(GOOD, batch_length=14),
    "length 48": changed(GOOD, batch_length=48),
    "length -1": changed(GOOD, batch_length=-1),
    "length of more than there is": changed(GOOD, batch_length=1 << 20),
    "base offset 5": changed(GOOD, base_offset=5),
    "base offset -1": changed(GOOD, base_offset=-1),
    "wrong checksum": changed(GOOD, crc=12345),
    "no records": changed(GOOD, record_count=0),
    "a negative count": changed(GOOD, record_count=-1),
    "too high a count": changed(GOOD, record_count=3),
    "too low a count": changed(GOOD, record_count=1),
    "count and delta too high": changed(GOOD, record_count=3, last_offset_delta=2),
    "count and delta too low": changed(GOOD, record_count=1, last_offset_delta=0),
    "delta too high": changed(GOOD, last_offset_delta=2),
    "delta -1": changed(GOOD, last_offset_delta=-1),
    "a huge count": changed(GOOD, record_count=2147483647, last_offset_delta=2147483646),
    "a control batch": changed(GOOD, attributes=1 << 5),
    "an unknown codec": changed(GOOD, attributes=5),
    "codec 7": changed(GOOD, attributes=7),
    "the delete horizon": changed(GOOD, attributes=1 << 6),
    "unused attributes": changed(GOOD, attributes=0x7F00),
    "LogAppendTime": changed(GOOD, attributes=1 << 3),
    "a transactional batch": changed(IDEMPOTENT, attributes=1 << 4),
    "a transactional batch of nobody": changed(GOOD, attributes=1 << 4),
    "a producer without a sequence": changed(IDEMPOTENT, base_sequence=-1),
    "a producer without an epoch": changed(IDEMPOTENT, producer_epoch=-1),
    "a sequence without a producer": changed(GOOD, base_sequence=3),
    "a leader epoch": changed(GOOD, leader_epoch=77),
    "a wrong largest timestamp": changed(GOOD, max_timestamp=5),
    "no timestamp": batch([b"x"], timestamp=-1),
    "the last byte missing": spoil(1),
    "half of the records missing": spoil(8),
    "garbage for records": changed(GOOD[:61] + b"\xff" * 20, batch_length=69),
    "bytes after the records": changed(GOOD + b"\x00\x00", batch_length=len(GOOD) - 10),
    **{f"garbage for {codec}": changed(GOOD, attributes=number) for codec, number in CODECS.items() if number},
    **{f"good {codec}": batch([b"x" * 100] * 3, codec=codec) for codec in CODECS},
    **{
        f"{codec} with too high a count": changed(
            batch([b"x" * 100] * 3, codec=codec), record_count=4, last_offset_delta=3
        )
        for codec in CODECS
    },
    **{
        f"{codec} with too low a count": changed(
            batch([b"x" * 100] * 3, codec=codec), record_count=2, last_offset_delta=1
        )
        for codec in CODECS
    },
}


# What cannot be read at all Kafka does not foresee: UNKNOWN_SERVER_ERROR, which clients try again. We say INVALID_RECORD.
UNFORESEEN = {"an unknown codec", "codec 7", "garbage for records", *(f"garbage for {codec}" for codec in CODECS)}


@pytest.mark.parametrize("name", BAD_BATCHES)
def test_batches(same, name):
    def forgive(ours, theirs):
        for one, other in zip(ours[0], theirs[0]):
            if name in UNFORESEEN and other["error_code"] == -1:
                assert one["error_code"] == 87
                other["error_code"] = 87
                if name.endswith("codec") or name == "codec 7":
                    # Found before there is a log to speak of.
                    other["log_start_offset"] = one.get("log_start_offset")

    def story(side):
        topic = side.topic()
        answers = [side.produce(topic, BAD_BATCHES[name], version) for version in PRODUCE_VERSIONS]
        return answers, side.log_end(topic)

    same(story, forgive)


TOPICS = {
    "a batch that is too large": ({"max_message_bytes": 100}, batch([b"x" * 200]), 10),
    "a batch larger than a segment": ({"internal_segment_bytes": 300}, batch([b"x" * 400]), 18),
    "no key in a compacted topic": ({"cleanup_policy": "compact"}, batch([b"x"] * 3), 87),
    "a key in a compacted topic": ({"cleanup_policy": "compact"}, batch([b"x"] * 3, key=b"k"), 0),
    "too old": ({"message_timestamp_before_max_ms": 1000}, batch([b"x"] * 2, timestamp=TIMESTAMP - 10**9), 32),
    "too far ahead": ({"message_timestamp_after_max_ms": 1000}, batch([b"x"] * 2, timestamp=TIMESTAMP + 10**9), 32),
    "an hour and more ahead": ({}, batch([b"x"], timestamp=TIMESTAMP + 10**8), 32),
    "without a time, too old for the topic": ({"message_timestamp_before_max_ms": 1000}, batch([b"x"], timestamp=-1), 0),
    "LogAppendTime said by the client": (
        {"message_timestamp_type": "LogAppendTime"},
        changed(GOOD, attributes=1 << 3),
        32,
    ),
    "two faults in one record": (
        {"cleanup_policy": "compact", "message_timestamp_before_max_ms": 1000},
        batch([b"x"] * 2, timestamp=TIMESTAMP - 10**9),
        87,
    ),
    **{
        f"{codec} for a topic of {stored}": ({"compression_type": stored}, batch([b"x" * 50] * 5, codec=codec), 0)
        for codec in CODECS
        for stored in ("uncompressed", "gzip", "snappy", "lz4", "zstd")
    },
}


@pytest.mark.parametrize("name", TOPICS)
def test_topics_with_rules_of_their_own(same, name):
    configs, records, expected = TOPICS[name]

    def story(side):
        topic = side.topic(**configs)
        answers = [side.produce(topic, records, version) for version in (7, 8, 12, 13)]
        return answers, side.log_end(topic)

    answers, _ = same(story)
    assert codes(answers) == [expected] * 4


@pytest.mark.parametrize("acks", [2, -2, 5])
def test_acks_that_do_not_exist(same, acks):
    def story(side):
        topic = side.topic()
        return [side.produce(topic, GOOD, version, acks=acks) for version in PRODUCE_VERSIONS], side.log_end(topic)

    answers, _ = same(story)
    assert set(codes(answers)) == {21}


def test_places_that_do_not_exist(same):
    def story(side):
        topic = side.topic()
        answers = []
        for version in PRODUCE_VERSIONS:
            answers += [side.produce("nowhere", GOOD, version), side.produce(topic, GOOD, version, partition=1)]
            answers += [side.produce(topic, GOOD, version, partition=-1), side.produce("", GOOD, version)]
            answers += [side.produce("a/b", GOOD, version)]
        unknown = [{"topic_id": uuid.UUID(int=12345), "partition_data": [{"index": 0, "records": GOOD}]}]
        answers.append(side.ask("Produce", 13, transactional_id=None, acks=1, timeout_ms=1000, topic_data=unknown))
        return answers

    same(story)


def test_null_for_records_is_refused(sides):
    """Kafka never answers this, so there is nothing to compare with."""
    ottla, _ = sides
    ottla.begin(next(rounds))
    topic = ottla.topic()
    assert codes(ottla.produce(topic, None, version) for version in PRODUCE_VERSIONS) == [87] * len(PRODUCE_VERSIONS)
    assert ottla.log_end(topic) == 0


def test_one_bad_partition_leaves_the_others_alone(same):
    def story(side):
        topic = side.topic(partitions=3)
        parts = [{"index": 0, "records": GOOD}, {"index": 1, "records": changed(GOOD, crc=1)}]
        parts += [{"index": 2, "records": GOOD}, {"index": 3, "records": GOOD}]
        data = [{"name": topic, "partition_data": parts}]
        answer = side.ask("Produce", 9, transactional_id=None, acks=-1, timeout_ms=1000, topic_data=data)
        # Kafka answers partitions in the order of a hash map.
        answer["responses"][0]["partition_responses"].sort(key=lambda part: part["index"])
        return answer

    same(story)
