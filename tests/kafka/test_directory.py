"""One data directory, first Ottla's, then Kafka's, then Ottla's again."""

import pytest

from beside import raw
from beside.batches import TIMESTAMP, batch
from harness.broker import Kafka, Ottla
from harness.reading import read_all
from harness.writing import create_topic, flush, producer, write_confluent

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
PARTITIONS = {"test": 2, "rolled": 1, "stamped": 1, "empty": 1, **{f"codec-{codec}": 1 for codec in CODECS}}
SHAPES = [
    (None, b"plain", []),
    (b"key", None, [("a", b"1"), ("b", None), ("a", b"2")]),
    (b"", "ü世😀".encode(), [("ü", b"x")]),
    (b"\xff\xfe", b"not UTF-8 \x80\x00\n", []),
    (None, None, [("lonely", b"")]),
]


def records(*names):
    return [(b"key", name.encode(), [("h", b"v")]) for name in names]


def fill(broker):
    """Something of everything."""
    address = broker.bootstrap
    create_topic(address, "test", partitions=2)
    write_confluent(address, "test", records("a", "b", "c"), codec="zstd")
    create_topic(address, "rolled", internal_segment_bytes=4096, index_interval_bytes=256)
    write_one_by_one(address, "rolled", 40)
    create_topic(address, "stamped", message_timestamp_type="LogAppendTime")
    write_confluent(address, "stamped", SHAPES)
    create_topic(address, "empty")
    for codec in CODECS:
        write_confluent(address, f"codec-{codec}", SHAPES * 20, codec=codec)
    writer = producer(address)
    for number in range(5):
        writer.produce("test", b"at %d" % number, partition=0, timestamp=TIMESTAMP - 60_000 * number)
    flush(writer)


def write_one_by_one(address, topic, count):
    """Batches of one record each."""
    writer = producer(address, linger_ms=0)
    for number in range(count):
        writer.produce(topic, key=b"%d" % number, value=b"%d" % number * 200)
        flush(writer)


def content(broker):
    """All records, with all that a reader sees of them."""
    found = {}
    for topic, partitions in PARTITIONS.items():
        for partition in range(partitions):
            read = read_all(broker.bootstrap, topic, partition)
            # `Record` leaves the timestamp out of its comparison.
            found[topic, partition] = [(record, record.timestamp) for record in read]
    return found


def values(broker, topic):
    parts = (read_all(broker.bootstrap, topic, partition) for partition in range(PARTITIONS.get(topic, 1)))
    return sorted(record.value for part in parts for record in part)


def producers(broker):
    """Who has written where, as the broker remembers it."""
    topics = [{"name": topic, "partition_indexes": list(range(count))} for topic, count in PARTITIONS.items()]
    with raw.Connection(broker.address) as connection:
        answer = connection.ask("DescribeProducers", 0, topics=topics)
    found = {}
    for topic in answer["topics"]:
        for partition in topic["partitions"]:
            assert partition["error_code"] == 0, partition
            rows = sorted(partition["active_producers"], key=lambda row: row["producer_id"])
            found[topic["name"], partition["partition_index"]] = rows
    return found


def test_kafka_goes_on_where_ottla_stopped_and_back(brokers):
    ottla = brokers(Ottla).start()
    fill(ottla)
    before, writers = content(ottla), producers(ottla)
    assert all(len(before[place]) > 0 for place in before if place[0] not in ("empty", "test"))
    assert [row["last_sequence"] for row in writers["rolled", 0]] == [39]
    assert len(list((ottla.data_dir / "rolled-0").glob("*.log"))) > 3
    ottla.stop()

    kafka = brokers.kafka_on(ottla).start()
    assert content(kafka) == before
    assert producers(kafka) == writers
    write_confluent(kafka.bootstrap, "test", records("d", "e"))
    write_confluent(kafka.bootstrap, "rolled", records("more"))
    create_topic(kafka.bootstrap, "by-kafka", internal_segment_bytes=4096)
    write_confluent(kafka.bootstrap, "by-kafka", SHAPES)
    between, writers = content(kafka), producers(kafka)
    assert all(between[place][: len(before[place])] == before[place] for place in before)
    assert values(kafka, "test") == sorted([b"a", b"b", b"c", b"d", b"e", *(b"at %d" % n for n in range(5))])
    by_kafka = read_all(kafka.bootstrap, "by-kafka")
    kafka.stop()

    ottla.start()
    assert content(ottla) == between
    assert producers(ottla) == writers
    assert read_all(ottla.bootstrap, "by-kafka") == by_kafka
    write_confluent(ottla.bootstrap, "test", records("f"))
    assert b"f" in values(ottla, "test")
    create_topic(ottla.bootstrap, "by-ottla")
    write_confluent(ottla.bootstrap, "by-ottla", SHAPES)
    ottla.stop()


def test_a_retry_that_crosses_brokers_is_stored_once(brokers):
    """The newest batch of a producer, which is the one that Kafka's files hold, is known to whoever opens them next."""
    ottla = brokers(Ottla).start()
    create_topic(ottla.bootstrap, "test")
    with raw.Connection(ottla.address) as connection:
        producer_id = connection.new_producer()

        def write(where, sequence):
            return where.produce("test", batch([b"x"] * 3, producer_id, 0, sequence))

        assert [write(connection, sequence)["base_offset"] for sequence in (0, 3, 6)] == [0, 3, 6]
    ottla.stop()

    kafka = brokers.kafka_on(ottla).start()
    with raw.Connection(kafka.address) as connection:
        assert write(connection, 6)["base_offset"] == 6
        assert write(connection, 9)["base_offset"] == 9
        newer = connection.new_producer()
        assert newer > producer_id, "a block of ids is not given out twice"
    kafka.stop()

    ottla.start()
    with raw.Connection(ottla.address) as connection:
        assert write(connection, 9)["base_offset"] == 9
        assert write(connection, 12)["base_offset"] == 12
        assert write(connection, 3)["error_code"] in (0, raw.OUT_OF_ORDER_SEQUENCE_NUMBER)
        assert connection.new_producer() > newer
    assert len(read_all(ottla.bootstrap, "test")) == 15


@pytest.mark.parametrize("first", [Ottla, Kafka])
def test_what_was_killed_is_opened_by_the_other(brokers, first):
    """Without the mark of a clean stop, indexes and producers come from the log itself."""
    broker = brokers(first).start()
    create_topic(broker.bootstrap, "test", internal_segment_bytes=4096)
    write_one_by_one(broker.bootstrap, "test", 20)
    with raw.Connection(broker.address) as connection:
        producer_id = connection.new_producer()
        written = connection.produce("test", batch([b"last"], producer_id, 0, 0))["base_offset"]
    before = read_all(broker.bootstrap, "test")
    broker.kill9()
    if first is Ottla:
        other = brokers.kafka_on(broker).start()
    else:
        other = brokers(Ottla)
        other.data_dir = broker.data_dir
        other.start()
    assert read_all(other.bootstrap, "test") == before
    with raw.Connection(other.address) as connection:
        assert connection.produce("test", batch([b"last"], producer_id, 0, 0))["base_offset"] == written
    write_confluent(other.bootstrap, "test", [(None, b"goes on", [])])
    assert len(read_all(other.bootstrap, "test")) == len(before) + 1
    other.stop()
