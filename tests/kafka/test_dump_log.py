"""`ottla dump-log` prints what Kafka's own tool prints, to the byte, for files of either broker."""

import os

import pytest

from harness.broker import Kafka, Ottla
from harness.writing import WRITERS, create_topic, write_confluent

SHAPES = [
    (None, b"plain", []),
    (b"k", None, [("a", b"1"), ("b", b""), ("a", b"2")]),
    (b"", "\u00fc\u4e16\U0001f600".encode(), [("\u00fc", b"x")]),
    (b"\xff\xfe", b"not UTF-8 \x80\x00\n", []),
]


def fill(broker):
    """A broker's directory with something of everything, after a clean stop."""
    # 1 MiB is the smallest segment that Kafka 4.1 takes.
    create_topic(broker.bootstrap, "rolled", segment_bytes=1 << 20, index_interval_bytes=100)
    for number in range(30):
        write_confluent(broker.bootstrap, "rolled", [(b"%d" % number, os.urandom(120_000), [])])
    create_topic(broker.bootstrap, "shapes", partitions=2)
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        for write in WRITERS.values():
            write(broker.bootstrap, "shapes", SHAPES, codec=codec)
    create_topic(broker.bootstrap, "stamped", message_timestamp_type="LogAppendTime")
    write_confluent(broker.bootstrap, "stamped", SHAPES)
    create_topic(broker.bootstrap, "empty")
    broker.stop()


@pytest.mark.parametrize("writer", [Ottla, Kafka])
def test_both_tools_print_the_same(brokers, writer):
    broker = brokers(writer).start()
    fill(broker)

    def files(*patterns):
        found = [path for pattern in patterns for path in sorted(broker.data_dir.glob(pattern))]
        assert found, patterns
        return found

    def same(paths, *flags):
        ours = Ottla.dump_log(brokers(Ottla), *paths, flags=flags)
        theirs = Kafka.dump_log(brokers(Kafka), *paths, flags=flags)
        assert ours == theirs, flags

    logs = files("rolled-*/*.log", "shapes-*/*.log", "stamped-*/*.log", "empty-*/*.log")
    assert len(files("rolled-*/*.log")) > 2
    for flags in (
        [],
        ["--deep-iteration"],
        ["--print-data-log"],
        ["--print-data-log", "--skip-record-metadata"],
        ["--print-data-log", "--max-bytes", "1000"],
    ):
        same(logs, *flags)
    indexes = files("rolled-*/*.index", "rolled-*/*.timeindex", "shapes-*/*.index", "shapes-*/*.timeindex")
    for flags in ([], ["--verify-index-only"], ["--index-sanity-check"]):
        same(indexes, *flags)
    same(files("*/*.snapshot"))
    same(files("__cluster_metadata-0/*.log"), "--cluster-metadata-decoder")
    same(files("__cluster_metadata-0/*.log"), "--cluster-metadata-decoder", "--skip-record-metadata")
