"""Old records go, and so do their files; what is left is served, and the producer's sequence goes on."""

import time

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING
from confluent_kafka.admin import AdminClient

from harness.reading import read_all
from harness.writing import Tally, create_topic, flush, producer

PATIENCE = 60
QUICK = {
    "log.retention.check.interval.ms": 100,
    "log.initial.task.delay.ms": 100,
    "log.segment.delete.delay.ms": 500,
}


def wait_until(what):
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.05)


def files(broker, directory, ending):
    place = broker.data_dir / directory
    return sorted(path.name for path in place.iterdir() if path.name.endswith(ending)) if place.exists() else []


def size(broker, directory):
    return sum((broker.data_dir / directory / name).stat().st_size for name in files(broker, directory, ".log"))


def offsets(broker, topic):
    consumer = confluent_kafka.Consumer({"bootstrap.servers": broker.bootstrap, "group.id": "nobody"})
    try:
        return consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, 0), timeout=PATIENCE)
    finally:
        consumer.close()


def test_what_is_too_much_goes_and_the_producer_goes_on(start_broker):
    broker = start_broker(QUICK)
    create_topic(broker.bootstrap, "test", internal_segment_bytes=10_000, retention_bytes=50_000)
    tally, writer = Tally(), producer(broker.bootstrap, batch_num_messages=10)
    for number in range(2000):
        writer.produce("test", b"%d" % number + b"-" * 100, on_delivery=tally)
    flush(writer)
    # What goes is that without which the size is still reached: less than a segment remains above it.
    wait_until(lambda: 50_000 <= size(broker, "test-0") < 60_000)
    wait_until(lambda: not files(broker, "test-0", ".deleted"))
    low, high = offsets(broker, "test")
    assert 0 < low < high == 2000
    assert int(files(broker, "test-0", ".log")[0].removesuffix(".log")) == low
    there = read_all(broker.bootstrap, "test", start=OFFSET_BEGINNING)
    assert [record.offset for record in there] == list(range(low, high))
    for end in (broker.restart, lambda: (broker.kill9(), broker.start())):
        end()
        assert offsets(broker, "test") == (low, high)
    writer.produce("test", b"one more", on_delivery=tally)
    flush(writer)
    assert not tally.refused and tally.acknowledged[-1][1] == 2000


def test_what_is_too_old_goes_even_when_that_is_everything(start_broker):
    broker = start_broker(QUICK)
    create_topic(broker.bootstrap, "test", internal_segment_bytes=10_000, retention_ms=600_000)
    tally, writer = Tally(), producer(broker.bootstrap, batch_num_messages=10)
    now = int(time.time() * 1000)
    for number in range(500):
        writer.produce("test", b"-" * 100, timestamp=now - 3_600_000 + number, on_delivery=tally)
    flush(writer)
    wait_until(lambda: offsets(broker, "test") == (500, 500))
    wait_until(lambda: files(broker, "test-0", ".log") == ["00000000000000000500.log"])
    wait_until(lambda: not files(broker, "test-0", ".deleted"))
    # The producer's last batches are gone, and it is remembered all the same.
    broker.kill9()
    broker.start()
    writer.produce("test", b"young", timestamp=now, on_delivery=tally)
    flush(writer)
    assert not tally.refused and tally.acknowledged[-1][1] == 500
    assert [record.value for record in read_all(broker.bootstrap, "test", start=500)] == [b"young"]


def test_the_files_of_a_deleted_topic_wait_for_their_time_and_for_the_next_start(start_broker):
    broker = start_broker({**QUICK, "log.segment.delete.delay.ms": 86_400_000})

    def deleted():
        return [path.name for path in broker.data_dir.iterdir() if path.name.endswith("-delete")]

    create_topic(broker.bootstrap, "test", partitions=3)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    admin.delete_topics(["test"])["test"].result(PATIENCE)
    assert len(deleted()) == 3 and not (broker.data_dir / "test-0").exists()
    broker.stop()
    broker.settings["log.segment.delete.delay.ms"] = 500
    broker.start()
    wait_until(lambda: not deleted())
