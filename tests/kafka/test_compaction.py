"""A compacted topic with transactions in it, cleaned by Kafka and by Ottla: readers see the same, tools find nothing wrong."""

import shutil

from beside.dumping import files, same
from beside.sides import Side, list_offset
from harness.broker import Kafka, Ottla
from harness.reading import PATIENCE, read_all
from harness.waiting import until
from harness.writing import create_topic, flush, producer

SETTINGS = {"log_cleaner_backoff_ms": 100, "transaction_state_log_num_partitions": 1}


def fill(kafka):
    """Keys that come again, tombstones, commits and aborts, over several segments."""
    create_topic(
        kafka.bootstrap,
        "latest",
        cleanup_policy="compact",
        internal_segment_bytes=2048,
        index_interval_bytes=200,
        min_cleanable_dirty_ratio=0.01,
    )
    plain = producer(kafka.bootstrap, linger_ms=0)
    writer = producer(kafka.bootstrap, transactional_id="one", linger_ms=0)
    writer.init_transactions(PATIENCE)
    for round in range(8):
        writer.begin_transaction()
        for key in range(4):
            value = None if key == 3 and round % 2 else b"in transaction %d " % round * 5
            writer.produce("latest", key=b"%d" % (key + round % 3), value=value)
            flush(writer)
            plain.produce("latest", key=b"plain %d" % key, value=b"round %d " % round * 5, headers=[("h", b"%d" % round)])
            flush(plain)
        (writer.abort_transaction if round % 3 == 1 else writer.commit_transaction)(PATIENCE)
    # What is written last is in the segment that nobody cleans.
    for number in range(12):
        plain.produce("latest", key=b"end %d" % number, value=b"end " * 50)
        flush(plain)


def cleaned_up_to(broker):
    """How far the log is clean, as the broker has written it down."""
    checkpoint = broker.data_dir / "cleaner-offset-checkpoint"
    lines = checkpoint.read_text().splitlines()[2:] if checkpoint.exists() else []
    return max((int(line.split()[2]) for line in lines if line.startswith("latest 0 ")), default=-1)


def latest(records):
    """The newest value of each key, and its headers."""
    return {record.key: (record.offset, record.value, record.headers) for record in records}


def test_kafkas_transactions_are_cleaned_as_kafka_cleans_them(brokers):
    origin = brokers(Kafka, log_cleaner_enable="false", **SETTINGS).start()
    fill(origin)
    before = read_all(origin.bootstrap, "latest")
    origin.stop()

    cleaned = []
    for kind in (Kafka, Ottla):
        settings = SETTINGS if kind is Kafka else {"log_cleaner_backoff_ms": 100}
        broker = brokers(kind, **settings)
        shutil.copytree(origin.data_dir, broker.data_dir)
        last = max(int(path.stem) for path in (broker.data_dir / "latest-0").glob("*.log"))
        broker.start()
        until(lambda: cleaned_up_to(broker) >= last)
        # A restart reads what was written, and not what is remembered.
        broker.restart()
        cleaned.append(read_all(broker.bootstrap, "latest"))
        end = list_offset(Side(broker), "latest", -1)["offset"]
        assert end > last
        broker.stop()
    theirs, ours = cleaned
    assert latest(ours) == latest(theirs) == latest(before)
    assert [(r.offset, r.key, r.value, r.headers, r.timestamp) for r in ours] == [
        (r.offset, r.key, r.value, r.headers, r.timestamp) for r in theirs
    ]
    assert len(ours) < len(before)
    logs = files(broker.data_dir, "latest-0/*.log")
    same(logs, "--print-data-log")
    indexes = [file for kind in ("index", "timeindex", "txnindex") for file in files(broker.data_dir, f"latest-0/*.{kind}", least=0)]
    for flags in ([], ["--verify-index-only"], ["--index-sanity-check"]):
        assert same(indexes, *flags)[1] == ""
    same(files(broker.data_dir, "latest-0/*.snapshot"))
    # Kafka opens what Ottla has cleaned.
    kafka = brokers(Kafka, log_cleaner_enable="false", **SETTINGS)
    kafka.data_dir = broker.data_dir
    kafka.start()
    assert read_all(kafka.bootstrap, "latest") == ours
