"""`ottla dump-log` prints what Kafka's own tool prints, to the byte, for files of either broker."""

import os

import pytest

import coordinators_story
from beside import raw
from beside.batches import batch
from beside.dumping import files, run_both, same
from harness.broker import Kafka, Ottla
from harness.waiting import until
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
        batches = [(4711, 0, 0, 3), (4711, 0, 3, 1), (4711, 2, 0, 5), (12, 32767, 2147483640, 10), (12, 32767, 2, 1)]
        for producer_id, epoch, sequence, count in batches:
            written = connection.produce("producers", batch([b"x"] * count, producer_id, epoch, sequence))
            assert written["error_code"] == 0, written
        create_topic(address, "deleted", retention_ms=60_000)
        connection.ask("DeleteTopics", 5, topic_names=["deleted"], timeout_ms=30_000)


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
    # A snapshot of the metadata now and then.
    broker = brokers(writer, metadata_log_max_record_bytes_between_snapshots=1000).start()
    fill(broker)
    snapshots = "__cluster_metadata-0/*.checkpoint"
    until(lambda: list(broker.data_dir.glob(snapshots)))
    end(broker)
    assert len(files(broker.data_dir, "small-*/*.log")) > 3
    logs = files(broker.data_dir, "*-*/*.log", but="__cluster")
    for flags in (
        ["--deep-iteration"],
        ["--print-data-log"],
        ["--print-data-log", "--skip-record-metadata"],
        ["--print-data-log", "--max-bytes", "1000"],
    ):
        same(logs, *flags)
    # In a topic that was just deleted Kafka leaves indexes at their full size, which its own tool stumbles over.
    indexes = files(broker.data_dir, "*-*/*.index", but="-delete") + files(broker.data_dir, "*-*/*.timeindex", but="-delete")
    for flags in ([], ["--verify-index-only"], ["--index-sanity-check"], ["--max-message-size", "400"]):
        same(indexes, *flags)
    everything = logs + indexes
    if end is not kill:
        everything += files(broker.data_dir, "*-*/*.snapshot")
    same(everything)
    metadata = files(broker.data_dir, "__cluster_metadata-0/*.log") + files(broker.data_dir, snapshots)
    metadata += files(broker.data_dir, "bootstrap.checkpoint", least=0)
    for flags in ([], ["--skip-record-metadata"]):
        same(metadata, "--cluster-metadata-decoder", *flags)


def test_both_tools_read_the_topics_of_the_coordinators(brokers):
    broker = brokers(Kafka, **coordinators_story.SETTINGS).start()
    coordinators_story.tell(broker)
    broker.stop()
    decoders = {
        "__consumer_offsets": "--offsets-decoder",
        "__transaction_state": "--transaction-log-decoder",
        "__share_group_state": "--share-group-state-decoder",
    }
    for topic, decoder in decoders.items():
        logs = files(broker.data_dir, f"{topic}-*/*.log")
        told, _ = same(logs, decoder)
        assert '"data":{' in told and "skipping" not in told
        same(logs, decoder, "--skip-record-metadata")
    # The decoders of other topics find nothing that they can read, and say so alike.
    everything = files(broker.data_dir, "__*-*/*.log", but="__cluster")
    for decoder in decoders.values():
        same(everything, decoder)


def test_both_find_the_same_faults(brokers):
    """Findings go to stderr, after all the rest; a fault is no failure."""
    broker = brokers(Ottla).start()
    create_topic(broker.bootstrap, "test", index_interval_bytes=100)
    writer = producer(broker.bootstrap, linger_ms=0)
    for number in range(20):
        writer.produce("test", value=b"x" * 100, timestamp=1_700_000_000_000 + number)
        flush(writer)
    broker.stop()
    (log,), (index,), (time_index,) = (files(broker.data_dir, f"test-0/*.{kind}") for kind in ("log", "index", "timeindex"))
    whole, offsets, times = log.read_bytes(), index.read_bytes(), time_index.read_bytes()
    size = len(whole) // 20
    assert len(offsets) >= 80 and len(times) >= 120

    def found(what, *paths, flags=("--deep-iteration",)):
        assert what in "".join(same(paths, *flags))

    index.write_bytes(offsets[:8] + (3).to_bytes(4, "big") + offsets[12:])
    found("Mismatches in :", index)
    time_index.write_bytes(times[:12] + bytes(8) + times[20:])
    index.write_bytes(offsets)
    found("Found timestamp mismatch in :", time_index)
    found("Found out of order timestamp in :", time_index)
    time_index.write_bytes(times[:8] + (77).to_bytes(4, "big") + times[12:])
    found("The following indexed offsets are not found in the log.", time_index)
    time_index.write_bytes(times)
    log.write_bytes(whole[: 3 * size] + whole[5 * size :])
    found("Non-consecutive offsets in ", log)
    # Entries past the end: Kafka ends with a stack trace, Ottla with one line.
    ours, theirs = run_both([index])
    assert (ours.returncode, theirs.returncode) == (1, 1)
    assert ours.stdout == theirs.stdout
    assert str(index) in ours.stderr and ours.stderr.count("\n") == 1
    log.write_bytes(whole + b"torn tail")
    found("Found 9 invalid bytes at the end of ", log)
    log.write_bytes(whole[:-10])
    found(" invalid bytes at the end of ", log)
    log.write_bytes(whole[: size + 70] + b"?" + whole[size + 71 :])
    found("isvalid: false", log, flags=())
