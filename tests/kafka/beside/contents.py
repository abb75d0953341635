"""What a data directory is filled with before the other broker opens it, and what is compared then."""

import hashlib
import subprocess

from confluent_kafka.admin import AdminClient

from beside import raw
from beside.batches import TIMESTAMP, batch
from beside.fetching import fetch
from beside.sides import Side, list_offset
from harness.broker import Ottla
from harness.reading import read_all
from harness.writing import create_topic, flush, producer, write_confluent

CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
SHAPES = [
    (None, b"plain", []),
    (b"key", None, [("a", b"1"), ("b", None), ("a", b"2")]),
    (b"", "ü世😀".encode(), [("ü", b"x")]),
    (b"\xff\xfe", b"not UTF-8 \x80\x00\n", []),
    (None, None, [("lonely", b"")]),
]


def fill(broker):
    """Something of everything: plain and idempotent records in each codec, odd shapes, times of the broker and of the past,
    several segments, an empty topic, settings, a topic that is deleted."""
    address = broker.bootstrap
    create_topic(address, "rolled", internal_segment_bytes=4096, index_interval_bytes=256, retention_ms=-1)
    write_one_by_one(address, "rolled", 40)
    create_topic(address, "stamped", message_timestamp_type="LogAppendTime", max_message_bytes=2_000_000)
    write_confluent(address, "stamped", SHAPES, codec="lz4")
    create_topic(address, "empty", partitions=3)
    create_topic(address, "codecs", partitions=2)
    for codec in CODECS:
        write_confluent(address, "codecs", SHAPES * 20, codec=codec)
        plain = producer(address, enable_idempotence=False, compression_type=codec)
        for key, value, headers in SHAPES:
            plain.produce("codecs", key=key, value=value, headers=headers, timestamp=TIMESTAMP - 86_400_000)
        flush(plain)
    create_topic(address, "deleted")
    write_confluent(address, "deleted", SHAPES)
    delete_topic(address, "deleted")


def delete_topic(address, name):
    admin = AdminClient({"bootstrap.servers": address})
    for deleted in admin.delete_topics([name]).values():
        deleted.result(60)


def write_one_by_one(address, topic, count):
    """Batches of one record each."""
    writer = producer(address, linger_ms=0)
    for number in range(count):
        writer.produce(topic, key=b"%d" % number, value=b"%d" % number * 200)
        flush(writer)


def content(broker):
    """Every topic: its id, and of each partition the batches as they are stored, what a reader sees of them, and who has
    written there."""
    found = {}
    for name, topic in topics(broker).items():
        side = Side(broker)
        side.adopt(name)
        partitions = range(topic["partitions"])
        found[name] = {
            "id": topic["id"],
            "stored": [stored(side, name, partition) for partition in partitions],
            # `Record` leaves the timestamp out of its comparison.
            "read": [[(r, r.timestamp) for r in read_all(broker.bootstrap, name, partition)] for partition in partitions],
            "producers": producers(side, name, partitions),
        }
    return found


def topics(broker):
    """Those that users have made, by name."""
    with raw.Connection(broker.address) as connection:
        answer = connection.ask("Metadata", 12, topics=None)
    return {
        topic["name"]: {"id": topic["topic_id"], "partitions": len(topic["partitions"])}
        for topic in answer["topics"]
        if not topic["is_internal"]
    }


def stored(side, topic, partition):
    """All batches, byte by byte."""
    batches, at = [], 0
    end = list_offset(side, topic, -1, partition_index=partition)["offset"]
    while at < end:
        answer = fetch(side, topic, partition=partition, fetch_offset=at)
        (part,) = answer["responses"][0]["partitions"]
        assert part["error_code"] == 0 and part["records"], part
        batches += part["records"]
        at = next_offset(batches[-1])
    return batches


def next_offset(batch):
    return int.from_bytes(batch[0:8], "big") + int.from_bytes(batch[23:27], "big") + 1


def producers(side, topic, partitions):
    """Who has written where, as the broker remembers it."""
    answer = side.ask("DescribeProducers", 0, topics=[{"name": topic, "partition_indexes": list(partitions)}])
    found = {}
    for partition in answer["topics"][0]["partitions"]:
        assert partition["error_code"] == 0, partition
        found[partition["partition_index"]] = sorted(partition["active_producers"], key=lambda row: row["producer_id"])
    return found


def files(directory):
    """Every file and directory below: what is in it, and when it was written last."""
    found = {}
    for path in directory.rglob("*"):
        digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        found[str(path.relative_to(directory))] = (path.stat().st_mtime_ns, digest)
    return found


def refused(directory):
    """Ottla does not open it, says why in one line, and changes nothing."""
    def unlocked():
        # Nothing can be looked at without a `.lock`.
        return {name: what for name, what in files(directory).items() if name != ".lock"}

    before = unlocked()
    command = [Ottla.binary(), "serve", "--listen", "127.0.0.1:0", "--data-dir", directory]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stderr
    assert done.stdout == "" and done.stderr.strip().count("\n") == 0, done
    assert unlocked() == before
    return done.stderr


class Sequence:
    """An idempotent producer that outlives brokers: its id, its epoch, and how far it has come."""

    def __init__(self, broker, topic):
        self.topic, self._next = topic, 0
        with raw.Connection(broker.address) as connection:
            self._id = connection.new_producer()

    def goes_on(self, broker):
        """The last batch is known, the next one is taken, a gap and a new producer's id are refused and new."""
        with raw.Connection(broker.address) as connection:
            if self._next > 0:
                again = self._send(connection, self._next - 3)
                assert again["base_offset"] == self._offset, again
            gap = self._send(connection, self._next + 3) if self._next > 0 else None
            assert gap is None or gap["error_code"] == raw.OUT_OF_ORDER_SEQUENCE_NUMBER, gap
            taken = self._send(connection, self._next)
            assert taken["error_code"] == 0, taken
            self._offset, self._next = taken["base_offset"], self._next + 3
            newer = connection.new_producer()
            assert newer > self._id, "a block of ids is not given out twice"

    def _send(self, connection, sequence):
        values = [b"%d" % number for number in range(sequence, sequence + 3)]
        return connection.produce(self.topic, batch(values, self._id, 0, sequence))
