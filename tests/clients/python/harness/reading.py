"""Readers: all records of a partition, by each client, without groups and without commits."""

import asyncio
import time
from dataclasses import dataclass, field

import aiokafka
import confluent_kafka
import kafka

# Far more than reading anything here takes.
PATIENCE = 60


@dataclass(frozen=True)
class Record:
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple = ()
    timestamp: int = field(default=0, compare=False)


def read_all(bootstrap, topic, partition=0, start=0, isolation="read_committed"):
    """By confluent-kafka: from `start` to what is the end now."""
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "fetch.wait.max.ms": 100,
            "isolation.level": isolation,
            # The last offsets may be those of markers, or of records that were aborted or compacted away.
            "enable.partition.eof": True,
        }
    )
    try:
        end = _end(consumer, topic, partition)
        place = confluent_kafka.TopicPartition(topic, partition, start)
        consumer.assign([place])
        records = []
        while not records or records[-1].offset < end - 1:
            if end <= start:
                break
            message = consumer.poll(PATIENCE)
            assert message is not None, f"{len(records)} records of {end - start}, and then nothing"
            if message.error() is not None and message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                if message.offset() >= end:
                    break
                continue
            assert message.error() is None, message.error()
            headers = tuple((name, value) for name, value in message.headers() or ())
            timestamp = message.timestamp()[1]
            records.append(Record(message.offset(), message.key(), message.value(), headers, timestamp))
        return records
    finally:
        consumer.close()


def _end(consumer, topic, partition):
    """Where the partition ends. Kafka says that it has started before it leads its partitions: then this asks again, as a
    consumer would."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return _end_now(consumer, topic, partition)
        except confluent_kafka.KafkaException as error:
            if error.args[0].code() != confluent_kafka.KafkaError.NOT_LEADER_FOR_PARTITION or time.monotonic() > deadline:
                raise


def _end_now(consumer, topic, partition):
    _, end = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), timeout=PATIENCE)
    return end


def read_all_kafka_python(bootstrap, topic, partition=0, start=0):
    place = kafka.TopicPartition(topic, partition)
    consumer = kafka.KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    try:
        consumer.assign([place])
        end = consumer.end_offsets([place])[place]
        consumer.seek(place, start)
        records = []
        while consumer.position(place) < end:
            polled = consumer.poll(timeout_ms=PATIENCE * 1000)
            assert polled, f"{len(records)} records of {end - start}, and then nothing"
            for r in polled[place]:
                records.append(Record(r.offset, r.key, r.value, tuple(r.headers or ()), r.timestamp))
        return records
    finally:
        consumer.close()


async def read_all_aiokafka(bootstrap, topic, partition=0, start=0):
    place = aiokafka.TopicPartition(topic, partition)
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        consumer.seek(place, start)
        records = []
        while await consumer.position(place) < end:
            r = await asyncio.wait_for(consumer.getone(place), PATIENCE)
            records.append(Record(r.offset, r.key, r.value, tuple(r.headers or ()), r.timestamp))
        return records
    finally:
        await consumer.stop()


def values(records):
    return [record.value for record in records]


READERS = {
    "confluent-kafka": read_all,
    "kafka-python": read_all_kafka_python,
    "aiokafka": lambda *place: asyncio.run(read_all_aiokafka(*place)),
}
