"""One data directory, first Ottla's, then Kafka's, then Ottla's again."""

from harness.broker import Kafka, Ottla
from harness.reading import read_all
from harness.writing import create_topic, write_confluent

TOPIC = "test"


def records(*names):
    return [(b"key", name.encode(), [("h", b"v")]) for name in names]


def content(broker):
    return [read_all(broker.bootstrap, TOPIC, partition) for partition in (0, 1)]


def test_kafka_goes_on_where_ottla_stopped_and_back(brokers):
    ottla = brokers(Ottla).start()
    create_topic(ottla.bootstrap, TOPIC, partitions=2)
    write_confluent(ottla.bootstrap, TOPIC, records("a", "b", "c"), codec="zstd")
    before = content(ottla)
    ottla.stop()

    kafka = brokers(Kafka)
    kafka.data_dir = ottla.data_dir
    kafka.start()
    assert content(kafka) == before
    write_confluent(kafka.bootstrap, TOPIC, records("d", "e"))
    create_topic(kafka.bootstrap, "by-kafka")
    write_confluent(kafka.bootstrap, "by-kafka", records("x"))
    between = content(kafka)
    assert [record.value for record in sum(between, [])] == [b"a", b"b", b"c", b"d", b"e"]
    kafka.stop()

    ottla.start()
    assert content(ottla) == between
    assert [record.value for record in read_all(ottla.bootstrap, "by-kafka")] == [b"x"]
    write_confluent(ottla.bootstrap, TOPIC, records("f"))
    assert [record.value for record in sum(content(ottla), [])] == [b"a", b"b", b"c", b"d", b"e", b"f"]
    ottla.stop()
