"""An answer is lost on its way: the broker has stored the batch, and the producer, which cannot know, sends it again.

With idempotence it is stored once and in order. The control, without, is stored twice: so the answers were really lost.
"""

import asyncio

import aiokafka
import kafka
import pytest

from harness.reading import read_all, values
from harness.writing import FIVE_IN_FLIGHT, PATIENCE, Tally, flush, producer

MANY = 30


def numbers(count):
    return [str(number).encode() for number in range(count)]


def one_by_one_confluent(bootstrap):
    tally = Tally()
    writer = producer(bootstrap)
    for value in numbers(MANY):
        writer.produce("test", value, on_delivery=tally)
        flush(writer)
    assert not tally.refused
    return [offset for _, offset, _ in tally.acknowledged]


def one_by_one_kafka_python(bootstrap):
    writer = kafka.KafkaProducer(
        bootstrap_servers=bootstrap, enable_idempotence=True, reconnect_backoff_ms=10, retry_backoff_ms=10
    )
    try:
        return [writer.send("test", value).get(PATIENCE).offset for value in numbers(MANY)]
    finally:
        writer.close()


def one_by_one_aiokafka(bootstrap):
    async def write():
        writer = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True, retry_backoff_ms=10)
        await writer.start()
        try:
            return [(await writer.send_and_wait("test", value)).offset for value in numbers(MANY)]
        finally:
            await writer.stop()

    return asyncio.run(write())


@pytest.mark.parametrize(
    "write",
    [one_by_one_confluent, one_by_one_kafka_python, one_by_one_aiokafka],
    ids=["confluent-kafka", "kafka-python", "aiokafka"],
)
def test_each_record_is_stored_once_though_its_first_answer_was_lost(broker_behind_proxy, proxy, write):
    broker = broker_behind_proxy
    proxy.lose(lambda number: number % 2 == 1)
    assert write(broker.bootstrap) == list(range(MANY)), "the retry is told the offset of the first write"
    assert (proxy.lost, proxy.produce_answers) == (MANY, 2 * MANY)
    assert values(read_all(broker.address, "test")) == numbers(MANY)


def test_the_control_without_idempotence_is_stored_twice(broker_behind_proxy, proxy):
    broker = broker_behind_proxy
    proxy.lose(lambda number: number % 2 == 1)
    writer = producer(broker.bootstrap, enable_idempotence=False)
    for value in numbers(MANY):
        writer.produce("test", value)
        flush(writer)
    assert proxy.lost == MANY
    assert values(read_all(broker.address, "test")) == [value for value in numbers(MANY) for _ in range(2)]


def test_with_five_requests_in_flight_the_order_holds(broker_behind_proxy, proxy):
    broker = broker_behind_proxy
    proxy.lose(lambda number: number % 20 == 0)
    tally = Tally()
    writer = producer(broker.bootstrap, **FIVE_IN_FLIGHT)
    for value in numbers(1000):
        writer.produce("test", value, on_delivery=tally)
    flush(writer)
    assert not tally.refused
    assert proxy.lost >= 50
    assert values(read_all(broker.address, "test")) == numbers(1000)
    assert [(offset, value) for _, offset, value in tally.acknowledged] == list(enumerate(numbers(1000)))


def test_all_five_in_flight_are_lost_at_once_again_and_again(broker_behind_proxy, proxy):
    broker = broker_behind_proxy
    tally = Tally()
    writer = producer(broker.bootstrap, **FIVE_IN_FLIGHT)
    count = 0
    for _ in range(10):
        for value in numbers(count + 100)[count:]:
            writer.produce("test", value, on_delivery=tally)
        count += 100
        proxy.lose_together(5)
        proxy.open_door()
        flush(writer)
    assert not tally.refused
    assert proxy.lost == 50
    assert values(read_all(broker.address, "test")) == numbers(count)
