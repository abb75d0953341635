"""AdminClient.delete_records of confluent-kafka, and what a restart remembers of it."""

import confluent_kafka
import pytest
from confluent_kafka import KafkaError, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from harness.reading import read_all, values
from harness.writing import Tally, create_topic, flush, producer, write_confluent

PATIENCE = 60


def delete(broker, topic, before, partition=0):
    """The log start after the deletion."""
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    wish = TopicPartition(topic, partition, before)
    (deleted,) = admin.delete_records([wish], request_timeout=PATIENCE).values()
    return deleted.result(PATIENCE).low_watermark


def earliest(broker, topic, partition=0):
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (found,) = admin.list_offsets({TopicPartition(topic, partition): OffsetSpec.earliest()}).values()
    return found.result(PATIENCE).offset


def numbers(count):
    return [(None, str(number).encode(), []) for number in range(count)]


def test_what_is_below_the_offset_is_gone(broker):
    create_topic(broker.bootstrap, "test")
    write_confluent(broker.bootstrap, "test", numbers(100))
    assert delete(broker, "test", 40) == 40
    assert earliest(broker, "test") == 40
    # Whoever begins at the beginning begins there.
    assert values(read_all(broker.bootstrap, "test", start=confluent_kafka.OFFSET_BEGINNING))[:2] == [b"40", b"41"]
    assert delete(broker, "test", 10) == 40
    assert delete(broker, "test", confluent_kafka.OFFSET_END) == 100
    assert earliest(broker, "test") == 100
    assert write_confluent(broker.bootstrap, "test", numbers(1)) == [100]


@pytest.mark.parametrize(
    "topic, before, code",
    [
        ("test", 101, KafkaError.OFFSET_OUT_OF_RANGE),
        ("compacted", 0, KafkaError.POLICY_VIOLATION),
    ],
)
def test_what_cannot_be_deleted_is_refused(broker, topic, before, code):
    create_topic(broker.bootstrap, "test")
    create_topic(broker.bootstrap, "compacted", cleanup_policy="compact")
    write_confluent(broker.bootstrap, "test", numbers(100))
    with pytest.raises(confluent_kafka.KafkaException) as refused:
        delete(broker, topic, before)
    assert refused.value.args[0].code() == code


def kill(broker):
    broker.kill9()
    broker.start()


def stop(broker):
    broker.restart()


@pytest.mark.parametrize("end", [kill, stop])
def test_what_was_deleted_stays_so(broker, end):
    """The broker ends as soon as the answer is there. Kafka may bring the records back after a kill."""
    create_topic(broker.bootstrap, "test")
    tally = Tally()
    writer = producer(broker.bootstrap)
    for turn in range(5):
        for number in range(100):
            writer.produce("test", str(number).encode(), on_delivery=tally)
        flush(writer)
        assert delete(broker, "test", 100 * turn + 70) == 100 * turn + 70
        end(broker)
        assert earliest(broker, "test") == 100 * turn + 70
    # The producer's sequence went on all the time.
    assert not tally.refused
    assert [offset for _, offset, _ in tally.acknowledged] == list(range(500))
