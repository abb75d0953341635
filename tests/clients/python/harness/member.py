"""A consumer of a group, in a process of its own so that it can be killed: `python -m harness.member CLIENT BOOTSTRAP GROUP TOPIC`.

It processes records one by one, commits after each (so that what was committed was processed), and says what it does on
stdout, a JSON object a line: `{"assigned": [partitions]}`, `{"revoked": [...]}`, `{"got": [partition, offset, value]}`.
A record with the value `pause` makes it sleep beyond its poll interval once.
"""

import argparse
import asyncio
import json
import sys
import time

import aiokafka
import aiokafka.coordinator.assignors.range
import aiokafka.coordinator.assignors.roundrobin
import confluent_kafka
import kafka


def say(**what):
    print(json.dumps(what), flush=True)


def got(partition, offset, value):
    say(got=[partition, offset, value.decode()])


def run_confluent(given):
    consumer = confluent_kafka.Consumer(
        {
            "bootstrap.servers": given.bootstrap,
            "group.id": given.group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "group.protocol": given.protocol,
            # The broker says when to beat, and how long silence may last, in the new protocol.
            **({"session.timeout.ms": given.session_timeout_ms, "heartbeat.interval.ms": 500} if given.protocol == "classic" else {}),
            "max.poll.interval.ms": given.max_poll_interval_ms,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 200,
            "retry.backoff.ms": 10,
            "log_level": 2,
            **({"group.instance.id": given.instance} if given.instance else {}),
            **({"partition.assignment.strategy": given.strategy} if given.strategy else {}),
        }
    )
    numbers = lambda partitions: sorted(each.partition for each in partitions)
    consumer.subscribe(
        [given.topic],
        on_assign=lambda _, partitions: say(assigned=numbers(partitions)),
        on_revoke=lambda _, partitions: say(revoked=numbers(partitions)),
        on_lost=lambda _, partitions: say(revoked=numbers(partitions)),
    )
    paused = False
    while True:
        message = consumer.poll(1)
        if message is None or message.error():
            continue
        got(message.partition(), message.offset(), message.value())
        if message.value() == b"pause" and not paused:
            paused = True
            time.sleep(given.max_poll_interval_ms / 1000 + 3)
        try:
            consumer.commit(message, asynchronous=False)
        except confluent_kafka.KafkaException as error:
            # Somebody else processes it again; or the broker is away, and a later commit covers it.
            say(uncommitted=str(error))


def run_kafka_python(given):
    class Listener(kafka.ConsumerRebalanceListener):
        def on_partitions_assigned(self, assigned):
            say(assigned=sorted(each.partition for each in assigned))

        def on_partitions_revoked(self, revoked):
            say(revoked=sorted(each.partition for each in revoked))

    consumer = kafka.KafkaConsumer(
        bootstrap_servers=given.bootstrap,
        group_id=given.group,
        group_instance_id=given.instance,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=given.session_timeout_ms,
        heartbeat_interval_ms=500,
        max_poll_interval_ms=given.max_poll_interval_ms,
        max_poll_records=1,
    )
    consumer.subscribe([given.topic], listener=Listener())
    while True:
        for records in consumer.poll(timeout_ms=1000).values():
            for record in records:
                got(record.partition, record.offset, record.value)
        try:
            consumer.commit()
        except kafka.errors.KafkaError as error:
            say(uncommitted=str(error))


# Its default speaks nothing that the Java consumer's default speaks.
AIOKAFKA_ASSIGNORS = {
    None: (aiokafka.coordinator.assignors.roundrobin.RoundRobinPartitionAssignor,),
    "range": (aiokafka.coordinator.assignors.range.RangePartitionAssignor,),
}


async def run_aiokafka(given):
    class Listener(aiokafka.ConsumerRebalanceListener):
        async def on_partitions_assigned(self, assigned):
            say(assigned=sorted(each.partition for each in assigned))

        async def on_partitions_revoked(self, revoked):
            say(revoked=sorted(each.partition for each in revoked))

    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=given.bootstrap,
        group_id=given.group,
        group_instance_id=given.instance,
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        session_timeout_ms=given.session_timeout_ms,
        heartbeat_interval_ms=500,
        max_poll_interval_ms=given.max_poll_interval_ms,
        partition_assignment_strategy=AIOKAFKA_ASSIGNORS[given.strategy],
    )
    consumer.subscribe([given.topic], listener=Listener())
    await consumer.start()
    while True:
        record = await consumer.getone()
        got(record.partition, record.offset, record.value)
        try:
            await consumer.commit()
        except aiokafka.errors.KafkaError as error:
            say(uncommitted=str(error))


CLIENTS = {
    "confluent-kafka": run_confluent,
    "kafka-python": run_kafka_python,
    "aiokafka": lambda given: asyncio.run(run_aiokafka(given)),
}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("client", choices=CLIENTS)
    parser.add_argument("bootstrap")
    parser.add_argument("group")
    parser.add_argument("topic")
    parser.add_argument("--session-timeout-ms", type=int, default=6000)
    parser.add_argument("--max-poll-interval-ms", type=int, default=300_000)
    parser.add_argument("--instance")
    parser.add_argument("--strategy")
    parser.add_argument("--protocol", choices=["classic", "consumer"], default="classic")
    given = parser.parse_args()
    CLIENTS[given.client](given)


if __name__ == "__main__":
    sys.exit(main())
