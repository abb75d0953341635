"""`ottla dump-log` prints what Kafka's own tool prints, to the byte, for files of either broker."""

import os
import subprocess

import pytest

from beside import raw
from beside.batches import batch
from beside.java import PATIENCE, run_tool
from harness.broker import Kafka, Ottla
from harness.writing import WRITERS, create_topic, flush, producer, write_confluent

SHAPES = [
    (None, b"plain", []),
    (b"k", None, [("a", b"1"), ("b", b""), ("a", b"2"), ("null", None)]),
    (b"", "\u00fc\u4e16\U0001f600".encode(), [("\u00fc", b"x")]),
    (b"\xff\xfe", b"not UTF-8 \x80\x00\n\xe2\x82", []),
    (None, None, []),
]
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def fill(broker):
    """Something of everything."""
    address = broker.bootstrap
    create_topic(address, "small", internal_segment_bytes=2048, index_interval_bytes=100)
    writer = producer(address, linger_ms=0)
    for number in range(30):
        writer.produce("small", key=b"%d" % number, value=os.urandom(300))
        flush(writer)
    create_topic(address, "indexed", index_interval_bytes=100)
    for number in range(30):
        # Times that go back and forth.
        writer.produce("indexed", value=b"%d" % number * 50, timestamp=1_700_000_000_000 + 1000 * (number * 7 % 30))
        flush(writer)
    create_topic(address, "shapes", partitions=2)
    for codec in CODECS:
        for write in WRITERS.values():
            # Not every client writes a record of nothing, or a header without a value.
            write(address, "shapes", SHAPES if write is write_confluent else SHAPES[:1], codec=codec)
    create_topic(address, "stamped", message_timestamp_type="LogAppendTime")
    write_confluent(address, "stamped", SHAPES, codec="lz4")
    create_topic(address, "empty")
    create_topic(address, "producers")
    with raw.Connection(broker.address) as connection:
        for epoch, sequence, count in ((0, 0, 3), (0, 3, 1), (2, 0, 5), (2, 2147483647, 1)):
            connection.produce("producers", batch([b"x"] * count, 4711, epoch, sequence))
        connection.produce("producers", batch([b"x"] * 10, 12, 32767, 2147483640))
    create_topic(address, "deleted")
    write_confluent(address, "deleted", SHAPES)


def stop(broker):
    broker.stop()


def kill(broker):
    broker.kill9()


def kill_and_restart(broker):
    broker.kill9()
    broker.start()
    write_confluent(broker.bootstrap, "small", [(b"after", b"the kill", [])])
    broker.stop()


@pytest.mark.parametrize("writer, end", [(Ottla, stop), (Ottla, kill), (Ottla, kill_and_restart), (Kafka, stop)])
def test_both_tools_print_the_same(brokers, writer, end):
    broker = brokers(writer).start()
    fill(broker)
    end(broker)
    assert len(files(broker, "small-*/*.log")) > 3
    logs = files(broker, "*-*/*.log", but="__cluster")
    for flags in (
        ["--deep-iteration"],
        ["--print-data-log"],
        ["--print-data-log", "--skip-record-metadata"],
        ["--print-data-log", "--max-bytes", "1000"],
    ):
        same(logs, *flags)
    indexes = files(broker, "*-*/*.index") + files(broker, "*-*/*.timeindex")
    # After a kill, and in the active segment of a broker that runs, the files are longer than what is in them.
    for flags in ([], ["--verify-index-only"], ["--index-sanity-check"], ["--max-message-size", "400"]):
        same(indexes, *flags)
    everything = logs + indexes
    if end is not kill:
        everything += files(broker, "*-*/*.snapshot")
    same(everything)
    metadata = files(broker, "__cluster_metadata-0/*.log") + files(broker, "__cluster_metadata-0/*.checkpoint", least=0)
    metadata += files(broker, "bootstrap.checkpoint", least=0)
    for flags in ([], ["--skip-record-metadata"]):
        same(metadata, "--cluster-metadata-decoder", *flags)


def files(broker, pattern, but=None, least=1):
    found = sorted(path for path in broker.data_dir.glob(pattern) if but is None or but not in str(path))
    assert len(found) >= least, pattern
    return found


def same(paths, *flags):
    """Stdout, the findings on stderr, and the exit code."""
    words = ["--files", ",".join(str(path) for path in paths), *flags]
    theirs = run_tool("kafka.tools.DumpLogSegments", *words)
    ours = subprocess.run([Ottla.binary(), "dump-log", *words], capture_output=True, text=True, timeout=PATIENCE)
    assert ours.stdout == theirs.stdout, words
    assert ours.stderr == theirs.stderr, words
    assert ours.returncode == theirs.returncode, words
