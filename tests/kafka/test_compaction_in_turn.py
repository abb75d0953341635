"""A compacted topic, cleaned by Ottla and by Kafka in turn."""

import random
import time

import pytest
from confluent_kafka import Producer

from beside import raw
from beside.batches import batch
from beside.java import run_tool
from harness.broker import Kafka, Ottla
from harness.reading import read_all
from harness.writing import PATIENCE, create_topic, flush, producer

TOPIC = "compacted"
# Small segments, cleaned as soon as something in them is new.
SETTINGS = {"log_cleaner_backoff_ms": "100"}
CONFIG = {
    "cleanup_policy": "compact",
    "internal_segment_bytes": 4096,
    "index_interval_bytes": 200,
    "min_cleanable_dirty_ratio": "0.001",
    "delete_retention_ms": 60_000,
}
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")


def write(broker, told, rng, count=400):
    """Values and tombstones of forty keys, with every codec. `told` learns the newest of each key."""
    for codec in CODECS:
        writer = producer(broker.bootstrap, linger_ms=0, compression_type=codec)
        for number in range(count // len(CODECS)):
            key = b"key-%d" % rng.randrange(40)
            value = None if rng.random() < 0.2 else bytes(rng.choices(range(256), k=60))
            writer.produce(TOPIC, key=key, value=value, headers=[("h", b"v"), ("null", None)])
            told[key] = value
            if number % 3 == 2:
                flush(writer)
        flush(writer)


def fill_the_rest(broker):
    """So that what was written before lies in closed segments."""
    writer = producer(broker.bootstrap, linger_ms=0)
    for number in range(60):
        writer.produce(TOPIC, key=b"rest-%d" % number, value=b"x" * 100)
        flush(writer)


def segments(broker):
    return sorted((broker.data_dir / f"{TOPIC}-0").glob("*.log"))


def first_dirty(broker):
    path = broker.data_dir / "cleaner-offset-checkpoint"
    lines = path.read_text().splitlines()[2:] if path.exists() else []
    return next((int(line.split()[2]) for line in lines if line.startswith(f"{TOPIC} 0 ")), -1)


def wait_until_cleaned(broker):
    """All but the last segment."""
    deadline = time.monotonic() + PATIENCE
    while first_dirty(broker) != int(segments(broker)[-1].stem):
        assert time.monotonic() < deadline, f"cleaned up to {first_dirty(broker)} of {segments(broker)[-1]}"
        time.sleep(0.05)


def latest(broker, isolation="read_committed"):
    """The newest value of each key that has one, and how many records were read for it."""
    records = read_all(broker.bootstrap, TOPIC, isolation=isolation)
    newest = {record.key: record.value for record in records}
    return {key: value for key, value in newest.items() if value is not None}, len(records)


def check(broker, told):
    wanted = {key: value for key, value in told.items() if value is not None}
    found, read = latest(broker)
    found = {key: value for key, value in found.items() if not key.startswith(b"rest-")}
    assert found == wanted
    return read


def dump_is_sound(broker):
    """Kafka's tool has no complaint about any file, and Ottla's prints the same."""
    for log in segments(broker):
        printed = run_tool("kafka.tools.DumpLogSegments", "--deep-iteration", "--print-data-log", "--files", log)
        assert printed.returncode == 0, printed.stderr
        assert "isvalid: false" not in printed.stdout and "Found" not in printed.stdout, printed.stdout
        assert broker.dump_log(log, flags=("--deep-iteration", "--print-data-log")) == printed.stdout
        for index in (log.with_suffix(".index"), log.with_suffix(".timeindex")):
            if index.stat().st_size == 0:
                # The tool only says that it is.
                continue
            sane = run_tool("kafka.tools.DumpLogSegments", "--index-sanity-check", "--files", index)
            whole = run_tool("kafka.tools.DumpLogSegments", "--files", index)
            assert (sane.returncode, whole.returncode) == (0, 0), sane.stderr + whole.stderr
            assert "passed sanity check" in sane.stdout, sane.stdout
            assert "mismatch" not in whole.stdout.lower() and "Found" not in whole.stdout, whole.stdout


def test_kafka_goes_on_cleaning_where_ottla_stopped_and_back(brokers):
    rng, told = random.Random(1), {}
    ottla = brokers(Ottla, **SETTINGS).start()
    create_topic(ottla.bootstrap, TOPIC, **CONFIG)
    with raw.Connection(ottla.address) as connection:
        idle = connection.new_producer()
        written = connection.produce(TOPIC, batch([b"x"] * 3, idle, 0, 0, key=b"key-0"))["base_offset"]
    told[b"key-0"] = b"x"
    write(ottla, told, rng)
    fill_the_rest(ottla)
    wait_until_cleaned(ottla)
    assert check(ottla, told) < 250
    ottla.stop()
    dump_is_sound(ottla)
    before = [log.stat().st_size for log in segments(ottla)]

    kafka = brokers.kafka_on(ottla, **SETTINGS).start()
    check(kafka, told)
    with raw.Connection(kafka.address) as connection:
        again = connection.produce(TOPIC, batch([b"x"] * 3, idle, 0, 0, key=b"key-0"))
        assert (again["error_code"], again["base_offset"]) == (0, written), "its batch is there as an empty one"
    write(kafka, told, rng)
    fill_the_rest(kafka)
    wait_until_cleaned(kafka)
    assert check(kafka, told) < 250
    kafka.stop()
    assert [log.stat().st_size for log in segments(ottla)] != before

    ottla.start()
    check(ottla, told)
    write(ottla, told, rng)
    fill_the_rest(ottla)
    wait_until_cleaned(ottla)
    assert check(ottla, told) < 250
    with raw.Connection(ottla.address) as connection:
        assert connection.produce(TOPIC, batch([b"x"] * 3, idle, 0, 0, key=b"key-0"))["base_offset"] == written
    ottla.stop()
    dump_is_sound(ottla)


def test_ottla_cleans_transactions_that_kafka_wrote(brokers):
    """Aborted records go, and what was committed stays, whoever reads how."""
    rng, told = random.Random(2), {}
    kafka = brokers(Kafka, **SETTINGS, log_cleaner_enable="false").start()
    create_topic(kafka.bootstrap, TOPIC, **CONFIG)
    write(kafka, told, rng, count=100)
    writer = Producer({"bootstrap.servers": kafka.bootstrap, "transactional.id": "t", "linger.ms": 0})
    writer.init_transactions()
    for number in range(30):
        writer.begin_transaction()
        keys = [b"key-%d" % rng.randrange(40) for _ in range(3)]
        for key in keys:
            writer.produce(TOPIC, key=key, value=b"%s in %d" % (key, number))
        flush(writer)
        if number % 2:
            writer.commit_transaction()
            told.update({key: b"%s in %d" % (key, number) for key in keys})
        else:
            writer.abort_transaction()
    fill_the_rest(kafka)
    check(kafka, told)
    kafka.stop()

    ottla = brokers(Ottla, **SETTINGS)
    ottla.data_dir = kafka.data_dir
    ottla.start()
    wait_until_cleaned(ottla)
    check(ottla, told)
    uncommitted, _ = latest(ottla, isolation="read_uncommitted")
    committed, _ = latest(ottla)
    assert uncommitted == committed, "nothing of the aborted ones is left below the last segment"
    ottla.stop()
    dump_is_sound(ottla)

    kafka.settings["log.cleaner.enable"] = "true"
    kafka.start()
    check(kafka, told)
    write(kafka, told, rng, count=100)
    fill_the_rest(kafka)
    wait_until_cleaned(kafka)
    check(kafka, told)
    kafka.stop()


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_a_killed_broker_goes_on_cleaning(brokers, policy):
    rng, told = random.Random(3), {}
    ottla = brokers(Ottla, **SETTINGS).start()
    create_topic(ottla.bootstrap, TOPIC, **{**CONFIG, "cleanup_policy": policy})
    for _ in range(4):
        write(ottla, told, rng, count=100)
        ottla.kill9()
        ottla.start()
        check(ottla, told)
    fill_the_rest(ottla)
    wait_until_cleaned(ottla)
    check(ottla, told)
