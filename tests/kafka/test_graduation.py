"""One data directory, Ottla's and Kafka's in turn: whoever opens it serves what the other left, and goes on."""

import pytest
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, NewPartitions

from beside.contents import SHAPES, Sequence, content, delete_topic, fill, refused, topics
from beside.graduated import Graduated
from harness.broker import NewestKafka, Ottla
from harness.reading import read_all
from harness.waiting import until
from harness.writing import create_topic, write_confluent

# Kafka writes a snapshot of its metadata after each few records.
SNAPSHOTS = {"metadata_log_max_record_bytes_between_snapshots": 100}


def ends_alike(before, after, *changed):
    """All topics are as they were, but for those that `changed` names."""
    assert before.keys() - set(changed) == after.keys() - set(changed)
    for topic in before.keys() - set(changed):
        for part, was in before[topic].items():
            assert after[topic][part] == was, (topic, part)


def configs(broker, topic):
    """What is set for a topic itself."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (found,) = admin.describe_configs([resource]).values()
    return {name: entry.value for name, entry in found.result(60).items() if entry.source == 1}


def set_configs(broker, topic, **settings):
    """Changes settings of a topic; `None` takes one away."""
    resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
    for name, value in settings.items():
        change = AlterConfigOpType.SET if value is not None else AlterConfigOpType.DELETE
        text = None if value is None else str(value)
        entry = ConfigEntry(name.replace("_", "."), text, incremental_operation=change)
        resource.add_incremental_config(entry)
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})
    (changed,) = admin.incremental_alter_configs([resource]).values()
    changed.result(60)


def change_by_kafka(kafka):
    """What Ottla must find on the way back."""
    address, admin = kafka.bootstrap, AdminClient({"bootstrap.servers": kafka.bootstrap})
    create_topic(address, "by-kafka", internal_segment_bytes=4096)
    write_confluent(address, "by-kafka", SHAPES * 20, codec="zstd")
    set_configs(kafka, "stamped", message_timestamp_type="CreateTime", max_message_bytes=None)
    set_configs(kafka, "by-kafka", message_timestamp_type="LogAppendTime")
    for grown in admin.create_partitions([NewPartitions("empty", 4)]).values():
        grown.result(60)
    create_topic(address, "gone")
    write_confluent(address, "gone", SHAPES)
    delete_topic(address, "gone")
    snapshots = "__cluster_metadata-0/*.checkpoint"
    newest = max((path.name for path in kafka.data_dir.glob(snapshots)), default="")
    set_configs(kafka, "rolled", retention_ms=86_400_000)
    until(lambda: max((path.name for path in kafka.data_dir.glob(snapshots)), default="") > newest)


def timestamp_type(broker, topic):
    """Of a record that is written now."""
    (offset,) = write_confluent(broker.bootstrap, topic, [(None, b"when?", [])])
    (stored,) = [b for b in content(broker)[topic]["stored"][0] if int.from_bytes(b[0:8], "big") == offset]
    return "LogAppendTime" if int.from_bytes(stored[21:23], "big") & 8 else "CreateTime"


def on(brokers, kind, other, **settings):
    """Another broker on the same directory."""
    broker = brokers(kind, **settings)
    broker.data_dir = other.data_dir
    return broker


def test_to_kafka_and_back_twice(brokers):
    ottla = brokers(Ottla).start()
    fill(ottla)
    writer = Sequence(ottla, "rolled")
    writer.goes_on(ottla)
    before = content(ottla)
    assert before.keys() == {"rolled", "stamped", "empty", "codecs"}
    assert len(list((ottla.data_dir / "rolled-0").glob("*.log"))) > 3
    assert all(before[topic]["stored"][0] for topic in before.keys() - {"empty"})
    ottla.stop()

    kafka = on(brokers, Graduated, ottla, **SNAPSHOTS).start()
    ends_alike(before, content(kafka))
    assert configs(kafka, "rolled") == {
        "internal.segment.bytes": "4096",
        "index.interval.bytes": "256",
        "retention.ms": "-1",
    }
    assert configs(kafka, "stamped") == {"message.timestamp.type": "LogAppendTime", "max.message.bytes": "2000000"}
    writer.goes_on(kafka)
    change_by_kafka(kafka)
    between = content(kafka)
    ends_alike(before, between, "rolled", "empty", "by-kafka")
    kafka.stop()

    ottla.start()
    ends_alike(between, content(ottla))
    assert topics(ottla)["empty"]["partitions"] == 4
    assert (timestamp_type(ottla, "stamped"), timestamp_type(ottla, "by-kafka")) == ("CreateTime", "LogAppendTime")
    writer.goes_on(ottla)
    write_confluent(ottla.bootstrap, "empty", SHAPES)
    create_topic(ottla.bootstrap, "gone")
    write_confluent(ottla.bootstrap, "gone", SHAPES[:1])
    before = content(ottla)
    ottla.stop()

    kafka.start()
    ends_alike(before, content(kafka))
    assert configs(kafka, "rolled")["retention.ms"] == "86400000"
    writer.goes_on(kafka)
    write_confluent(kafka.bootstrap, "codecs", SHAPES, codec="gzip")
    between = content(kafka)
    kafka.kill9()

    ottla.start()
    ends_alike(between, content(ottla))
    writer.goes_on(ottla)
    write_confluent(ottla.bootstrap, "codecs", SHAPES, codec="snappy")
    before = content(ottla)
    ottla.kill9()

    kafka.start()
    ends_alike(before, content(kafka))
    writer.goes_on(kafka)


def test_a_directory_of_features_that_are_not_known_is_refused(brokers):
    newest = brokers(NewestKafka)
    newest.format(newest.write_properties())
    said = refused(newest.data_dir)
    assert "metadata.version" in said and str(newest.data_dir) in said, said


@pytest.mark.parametrize("born_of", [Ottla, NewestKafka])
def test_the_newest_kafka_opens_what_ottla_left_and_the_other_way_round(brokers, born_of):
    first = brokers(born_of).start()
    fill(first)
    writer = Sequence(first, "rolled")
    writer.goes_on(first)
    before = content(first)
    first.stop()

    second = on(brokers, NewestKafka if born_of is Ottla else Ottla, first).start()
    ends_alike(before, content(second))
    writer.goes_on(second)
    create_topic(second.bootstrap, "new")
    write_confluent(second.bootstrap, "new", SHAPES, codec="lz4")
    between = content(second)
    second.stop()

    first.start()
    ends_alike(between, content(first))
    writer.goes_on(first)
    assert len(read_all(first.bootstrap, "new")) == len(SHAPES)
    first.stop()
