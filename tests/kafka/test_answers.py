"""The same bytes sent to Kafka and to Ottla have the same outcome, field by field.

Each story runs on both. What cannot be equal (addresses, ids that are drawn, the time) is replaced by a name; where Ottla
differs on purpose, the story says so and why.
"""

import itertools
import struct
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from beside.batches import CODECS, TIMESTAMP, batch, changed
from beside.raw import PATIENCE, Closed, Connection, build, message
from harness.broker import Kafka, Ottla

# Numbers of stories, so that each has topics of its own.
_round = itertools.count()

PRODUCE_VERSIONS = (3, 5, 7, 8, 9, 12)


class Side:
    """One of the two, and what a story needs of it."""

    def __init__(self, broker):
        self.broker = broker
        self.names = {}
        self._connection = None
        self._story, self._topics = 0, itertools.count()

    def begin(self, story):
        """A story of its own, with names of its own."""
        self._story, self._topics = story, itertools.count()

    def ask(self, api, version, **fields):
        """The answer, or "closed" if the broker closes the connection instead."""
        if self._connection is None:
            self._connection = Connection(self.broker.address)
        try:
            return self._neutral(self._connection.ask(api, version, **fields))
        except Closed:
            self._connection = None
            return "closed"
        except BaseException:
            self._connection = None
            raise

    def topic(self, name=None, partitions=1, **configs):
        """A new topic, by its name."""
        name = name or f"story-{self._story}-{next(self._topics)}"
        given = [{"name": key.replace("_", "."), "value": str(value)} for key, value in configs.items()]
        wanted = {"name": name, "num_partitions": partitions, "replication_factor": 1, "configs": given}
        answer = self._connect().ask("CreateTopics", 7, topics=[wanted], timeout_ms=30_000)
        (made,) = answer["topics"]
        assert made["error_code"] == 0, made
        self.names[made["topic_id"]] = f"id of {name}"
        for partition in range(partitions):
            self._wait_for(name, partition)
        return name

    def _wait_for(self, name, partition):
        """Kafka says that a topic is made before it serves it."""
        deadline = time.monotonic() + PATIENCE
        asked = [{"name": name, "partitions": [{"partition_index": partition, "timestamp": -1}]}]
        while time.monotonic() < deadline:
            answer = self._connect().ask("ListOffsets", 7, replica_id=-1, isolation_level=0, topics=asked)
            if answer["topics"][0]["partitions"][0]["error_code"] == 0:
                return
        raise AssertionError(f"{name} is never served")

    def topic_id(self, name):
        return next(drawn for drawn, given in self.names.items() if given == f"id of {name}")

    def produce(self, topic, records, version=8, acks=-1, partition=0):
        """The one partition's answer."""
        by = {"topic_id": self.topic_id(topic)} if version >= 13 else {"name": topic}
        data = [{**by, "partition_data": [{"index": partition, "records": records}]}]
        answer = self.ask("Produce", version, transactional_id=None, acks=acks, timeout_ms=30_000, topic_data=data)
        return answer if answer == "closed" else answer["responses"][0]["partition_responses"][0]

    def producer(self):
        return self._connect().new_producer()

    def log_end(self, topic):
        return list_offset(self, topic, -1)["offset"]

    def _connect(self):
        if self._connection is None:
            self._connection = Connection(self.broker.address)
        return self._connection

    def _neutral(self, value):
        """The value without what is one broker's own."""
        if isinstance(value, dict):
            value = {name: self._neutral(part) for name, part in value.items()}
            if "port" in value and "host" in value:
                value["port"] = "port"
            if value.get("cluster_id") is not None:
                value["cluster_id"] = "cluster"
            # Kafka says no word about most refusals; Ottla says what was wrong.
            for name in ("error_message", "batch_index_error_message"):
                value.pop(name, None)
            return value
        if isinstance(value, list):
            return [self._neutral(part) for part in value]
        if isinstance(value, uuid.UUID):
            return self.names.get(value, value)
        return value


@pytest.fixture(scope="module")
def sides(lasting_brokers):
    # No more topics by themselves than the stories ask for.
    settings = {"auto_create_topics_enable": "false"}
    with ThreadPoolExecutor() as pool:
        sides = list(pool.map(lambda kind: Side(lasting_brokers(kind, **settings).start()), (Ottla, Kafka)))
    sides[0].broker.expect_in_log("this broker does not support transactions yet")
    return sides


@pytest.fixture
def same(sides):
    """Runs a story on both sides, compares, and gives the outcome."""

    def run(story, forgive=lambda ours, theirs: None):
        """`forgive` sees both outcomes first, and evens out what differs on purpose."""
        number = next(_round)
        for side in sides:
            side.begin(number)
        ours, theirs = (story(side) for side in sides)
        forgive(ours, theirs)
        found = list(differences(ours, theirs))
        assert not found, "where, Ottla's, Kafka's:\n" + "\n".join(found)
        return ours

    return run


def differences(ours, theirs, where="outcome"):
    """One line for each place where the two are not equal."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in ours | theirs:
            yield from differences(ours.get(name), theirs.get(name), f"{where}.{name}")
    elif isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{where}[{number}]")
    elif ours != theirs:
        yield f"{where}: {ours!r}, {theirs!r}"


def codes(answers):
    return [answer if answer == "closed" else answer["error_code"] for answer in answers]


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
    ottla.begin(next(_round))
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


# Fetch.


def fetch(side, topic, version=12, **fields):
    """One partition's answer, with its records as the list of their whole batches."""
    partition = {"partition": fields.pop("partition", 0), "current_leader_epoch": -1, "fetch_offset": 0}
    partition |= {"last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 1 << 20}
    partition |= {name: fields.pop(name) for name in list(fields) if name in partition}
    by = {"topic_id": topic if isinstance(topic, uuid.UUID) else side.topic_id(topic)} if version >= 13 else {"topic": topic}
    asked = {"replica_id": -1, "max_wait_ms": 0, "min_bytes": 0, "max_bytes": 1 << 24, "isolation_level": 0}
    asked |= {"session_id": 0, "session_epoch": -1, "rack_id": "", "forgotten_topics_data": [], **fields}
    if version >= 15:
        asked.pop("replica_id")
    answer = side.ask("Fetch", version, topics=[{**by, "partitions": [partition]}], **asked)
    if answer != "closed":
        if answer.get("session_id"):
            answer["session_id"] = "session"
        for each in answer["responses"]:
            for part in each["partitions"]:
                part["records"] = whole_batches(part["records"])
    return answer


def whole_batches(records):
    """Kafka cuts the last batch at the limit; Ottla sends whole ones, and readers drop the rest anyway."""
    records, found = bytes(records or b""), []
    while len(records) >= 12:
        (length,) = struct.unpack_from(">i", records, 8)
        if len(records) < 12 + length:
            break
        found.append(records[: 12 + length])
        records = records[12 + length :]
    return found


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


def list_offset(side, topic, timestamp, version=7, **fields):
    """One partition's answer."""
    partition = {"partition_index": 0, "current_leader_epoch": -1, "timestamp": timestamp}
    partition |= {name: fields.pop(name) for name in list(fields) if name in partition}
    asked = [{"name": topic, "partitions": [partition]}]
    extra = {"timeout_ms": 1000} if version >= 10 else {}
    fields = {"isolation_level": 0, **extra, **fields}
    answer = side.ask("ListOffsets", version, replica_id=-1, topics=asked, **fields)
    return answer if answer == "closed" else answer["topics"][0]["partitions"][0]


def stored_at(side, *times):
    topic = side.topic()
    for time in times:
        side.produce(topic, batch([b"x"] * 2, timestamp=TIMESTAMP + time))
    return topic


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


# Topics.


def metadata(side, version, topics, **fields):
    asked = {"allow_auto_topic_creation": False} if version >= 4 else {}
    answer = side.ask("Metadata", version, topics=topics, **asked, **fields)
    if answer != "closed":
        answer["topics"].sort(key=lambda topic: (topic["name"] or "", str(topic.get("topic_id"))))
        for topic in answer["topics"]:
            topic["partitions"].sort(key=lambda partition: partition["partition_index"])
    return answer


@pytest.mark.parametrize("version", range(14))
def test_metadata(same, version):
    def story(side):
        topic = side.topic(partitions=2)
        names = [topic, "nowhere", "a/b", "", ".", "x" * 250]
        answers = [metadata(side, version, [{"name": name}]) for name in names]
        answers.append(metadata(side, version, [{"name": topic}, {"name": topic}]))
        if version >= 1:
            answers.append(metadata(side, version, []))
        if version >= 12:
            known = side.topic_id(topic)
            answers += [metadata(side, version, [{"name": None, "topic_id": each}]) for each in (known, uuid.UUID(int=9))]
        return answers

    same(story)


def create(side, version, *topics, **fields):
    given = {"num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
    asked = [{**given, **topic} for topic in topics]
    answer = side.ask("CreateTopics", version, topics=asked, timeout_ms=30_000, **fields)
    if answer != "closed":
        answer["topics"].sort(key=lambda topic: topic["name"])
        for topic in answer["topics"]:
            if isinstance(topic.get("topic_id"), uuid.UUID) and topic["topic_id"].int:
                topic["topic_id"] = "drawn"
    return answer


def assigned(*replicas):
    given = [{"partition_index": index, "broker_ids": list(ids)} for index, ids in enumerate(replicas)]
    return {"num_partitions": -1, "replication_factor": -1, "assignments": given}


CREATIONS = {
    "a topic": [{}],
    "three partitions": [{"num_partitions": 3}],
    "the broker's defaults": [{"num_partitions": -1, "replication_factor": -1}],
    "no partitions": [{"num_partitions": 0}],
    "fewer than none": [{"num_partitions": -2}],
    "no copies": [{"replication_factor": 0}],
    "two copies": [{"replication_factor": 2}],
    "a topic twice": [{"name": "twice"}, {"name": "twice"}],
    "an empty name": [{"name": ""}],
    "a name of one dot": [{"name": "."}],
    "a name of two dots": [{"name": ".."}],
    "a slash": [{"name": "a/b"}],
    "a space": [{"name": "a b"}],
    "a letter that is none of ours": [{"name": "tür"}],
    "249 letters": [{"name": "x" * 249}],
    "250 letters": [{"name": "x" * 250}],
    "an unknown setting": [{"configs": [{"name": "no.such.thing", "value": "1"}]}],
    "a value that is no number": [{"configs": [{"name": "retention.ms", "value": "long"}]}],
    "a value out of range": [{"configs": [{"name": "segment.bytes", "value": "100"}]}],
    "a value that is not among the known": [{"configs": [{"name": "cleanup.policy", "value": "burn"}]}],
    "no value": [{"configs": [{"name": "retention.ms", "value": None}]}],
    "a good setting": [{"configs": [{"name": "retention.ms", "value": "60000"}]}],
    "a setting twice": [{"configs": [{"name": "retention.ms", "value": "1"}, {"name": "retention.ms", "value": "2"}]}],
    "an assignment": [assigned([1], [1])],
    "an assignment with a hole": [
        {**assigned(), "assignments": [{"partition_index": 1, "broker_ids": [1]}, {"partition_index": 3, "broker_ids": [1]}]}
    ],
    "an assignment to nobody": [assigned([])],
    "an assignment to a stranger": [assigned([2])],
    "an assignment to one twice": [assigned([1, 1])],
    "an assignment and a count": [{**assigned([1]), "num_partitions": 1}],
    "an assignment and a factor": [{**assigned([1]), "replication_factor": 1}],
    "one good, one bad": [{"name": "good-{}"}, {"name": "bad-{}", "num_partitions": 0}],
    "a dot and an underscore": [{"name": "col.lision-{}"}, {"name": "col_lision-{}"}],
}


@pytest.mark.parametrize("version", (2, 4, 5, 7))
@pytest.mark.parametrize("name", CREATIONS)
def test_creations(same, name, version):
    number = next(_round)
    topics = [{"name": f"created-{number}", **topic} for topic in CREATIONS[name]]
    topics = [{**topic, "name": topic["name"].replace("{}", str(number))} for topic in topics]

    def story(side):
        answers = []
        for only in (True, False, False):
            answer = create(side, version, *topics, validate_only=only)
            for topic in answer["topics"]:
                topic["configs"] = bool(topic.get("configs"))
            answers.append(answer)
        return answers

    same(story)


def test_settings_that_a_new_topic_is_told_to_have(sides):
    """A setting of Kafka's is named only if Ottla obeys it; what is named has Kafka's value and source."""
    number = next(_round)
    configs = [{"name": "retention.ms", "value": "60000"}, {"name": "cleanup.policy", "value": "compact,delete"}]

    def settings(side):
        answer = create(side, 7, {"name": f"told-{number}", "configs": configs}, validate_only=False)
        return {setting["name"]: setting for setting in answer["topics"][0]["configs"]}

    ours, theirs = (settings(side) for side in sides)
    # With eligible leader replicas Kafka writes this one into the metadata of a new cluster.
    theirs["min.insync.replicas"]["config_source"] = 5
    assert ours == {name: theirs[name] for name in ours}
    assert {"retention.ms", "cleanup.policy", "segment.bytes", "compression.type"} <= set(ours)


def test_deletions(same):
    def story(side):
        answers = []
        for version in (1, 4, 5):
            topic = side.topic()
            for names in ([topic], [topic], ["nowhere"], ["a/b"], ["nowhere", "nowhere"]):
                answers.append(side.ask("DeleteTopics", version, topic_names=names, timeout_ms=30_000))
        topic, other = side.topic(), side.topic()
        drawn = side.topic_id(topic)
        for asked in (
            [{"name": topic, "topic_id": drawn}],
            [{"name": None, "topic_id": drawn}],
            [{"name": None, "topic_id": drawn}],
            [{"name": None, "topic_id": uuid.UUID(int=77)}],
            [{"name": other, "topic_id": uuid.UUID(int=0)}],
            [{"name": "nowhere", "topic_id": uuid.UUID(int=0)}],
            [{"name": None, "topic_id": uuid.UUID(int=0)}],
        ):
            answers.append(side.ask("DeleteTopics", 6, topics=asked, timeout_ms=30_000))
        for answer in answers:
            if answer != "closed":
                answer["responses"].sort(key=lambda response: str(response))
        return answers

    same(story)


def test_more_partitions(same):
    def story(side):
        topic = side.topic(partitions=2)
        answers = []
        for version in (0, 2, 3):
            for count, assignments in (
                (1, None),
                (2, None),
                (0, None),
                (-1, None),
                (5, [{"broker_ids": [1]}]),
                (3, [{"broker_ids": [2]}]),
                (3, [{"broker_ids": [1, 1]}]),
                (3, [{"broker_ids": []}]),
            ):
                asked = [{"name": topic, "count": count, "assignments": assignments}]
                answers.append(side.ask("CreatePartitions", version, topics=asked, timeout_ms=30_000, validate_only=False))
            asked = [{"name": "nowhere", "count": 2, "assignments": None}]
            answers.append(side.ask("CreatePartitions", version, topics=asked, timeout_ms=30_000, validate_only=False))
        for only in (True, False):
            asked = [{"name": topic, "count": 4, "assignments": None}]
            answers.append(side.ask("CreatePartitions", 3, topics=asked, timeout_ms=30_000, validate_only=only))
        return answers

    same(story)


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
            answer["api_keys"] = {key: served[key] for key in (0, 1, 2, 3, 18, 19, 20, 22, 23, 37, 60, 61, 75)}
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


def frame(api_key, version, body=b"", flexible=False):
    header = struct.pack(">hhih", api_key, version, 7, -1)
    return header + (b"\x00" if flexible else b"") + body


FRAMES = {
    "an api that does not exist": frame(999, 0),
    "a negative api": frame(-1, 0),
    "a version that does not exist": frame(3, 99),
    "a negative version": frame(3, -1),
    "ApiVersions of the future": frame(18, 99),
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
    "ApiVersions of the past": frame(18, -1),
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
