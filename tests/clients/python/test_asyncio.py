"""The main story from asyncio: aiokafka, and confluent-kafka's own asyncio producer."""

import asyncio
import json

import aiokafka
import pytest
from confluent_kafka.aio import AIOProducer

from harness import dump
from harness.reading import read_all_aiokafka

TEN = [json.dumps({"msg_count": number}).encode() for number in range(10)]


async def by_aiokafka(bootstrap):
    writer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True)
    await writer.start()
    try:
        sent = [await writer.send("test", value) for value in TEN]
        return [record.offset for record in await asyncio.gather(*sent)]
    finally:
        await writer.stop()


async def by_confluent(bootstrap):
    writer = AIOProducer({"bootstrap.servers": bootstrap, "enable.idempotence": True})
    try:
        sent = [await writer.produce("test", value=value) for value in TEN]
        await writer.flush()
        return [message.offset() for message in await asyncio.gather(*sent)]
    finally:
        await writer.close()


@pytest.mark.parametrize("write", [by_aiokafka, by_confluent], ids=["aiokafka", "confluent-kafka"])
async def test_ten_records_are_written_once_and_read_back(broker, write):
    assert await write(broker.bootstrap) == list(range(10))
    records = await read_all_aiokafka(broker.bootstrap, "test")
    assert [record.value for record in records] == TEN
    assert [record.offset for record in records] == list(range(10))
    batches = dump.batches(broker.dump_log(broker.segment("test")))
    assert all(batch["isvalid"] for batch in batches)
    assert len({(batch["producerId"], batch["producerEpoch"]) for batch in batches}) == 1
    assert [record["sequence"] for batch in batches for record in batch.records] == list(range(10))


async def test_many_coroutines_share_one_producer(broker):
    writer = aiokafka.AIOKafkaProducer(bootstrap_servers=broker.bootstrap, enable_idempotence=True)
    await writer.start()

    async def write(name):
        for number in range(20):
            await writer.send_and_wait("test", f"{name}-{number}".encode())

    try:
        await asyncio.gather(*(write(name) for name in range(25)))
    finally:
        await writer.stop()
    records = await read_all_aiokafka(broker.bootstrap, "test")
    seen = {}
    for record in records:
        name, number = record.value.decode().split("-")
        seen.setdefault(int(name), []).append(int(number))
    assert seen == {name: list(range(20)) for name in range(25)}
