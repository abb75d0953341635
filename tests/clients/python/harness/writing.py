"""Writers: the same few verbs over each client, and a tally of what was acknowledged."""

import asyncio
import threading

import aiokafka
import confluent_kafka
import kafka
from confluent_kafka.admin import AdminClient, NewTopic

PATIENCE = 90


class Tally:
    """Counts deliveries by confluent-kafka, and lets a test wait for the next ones."""

    def __init__(self):
        self._more = threading.Condition()
        self.acknowledged = []
        self.refused = []

    def __call__(self, error, message):
        with self._more:
            if error is None:
                self.acknowledged.append((message.partition(), message.offset(), message.value()))
            else:
                self.refused.append((error, message.value()))
            self._more.notify_all()

    def fail(self, error):
        """The producer itself has failed."""
        with self._more:
            self.refused.append((error, None))
            self._more.notify_all()

    def wait_for(self, count):
        """Waits until at least `count` were acknowledged; gives how many there are."""
        with self._more:
            arrived = self._more.wait_for(lambda: len(self.acknowledged) >= count or self.refused, PATIENCE)
            assert arrived, f"{len(self.acknowledged)} of {count} acknowledged, and then nothing"
            assert not self.refused, self.refused[:3]
            return len(self.acknowledged)


# Settings of `producer` that keep five requests in flight to one partition. librdkafka lets no more than five *messages* of
# an idempotent producer fly (rdkafka_broker.c compares `rktp_msgs_inflight` with the window), so five requests it is only
# with one message each.
FIVE_IN_FLIGHT = {"max_in_flight": 5, "batch_num_messages": 1, "linger_ms": 0}


def producer(bootstrap, **settings):
    """confluent-kafka's producer. Settings are librdkafka's, with `_` for `.`; idempotent unless they say otherwise."""
    as_it_is = lambda name: name == "log_level" or name.endswith("_cb")
    given = {name if as_it_is(name) else name.replace("_", "."): value for name, value in settings.items()}
    return confluent_kafka.Producer(
        {
            "bootstrap.servers": bootstrap,
            "enable.idempotence": True,
            # Quick to come back after a broken connection.
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 200,
            "retry.backoff.ms": 10,
            # Broken connections are what the stories are about.
            "log_level": 2,
            **given,
        }
    )


def flush(producer):
    left = producer.flush(PATIENCE)
    assert left == 0, f"{left} messages were not delivered"


def create_topic(bootstrap, name, partitions=1, **config):
    """Creates a topic; its settings are Kafka's, with `_` for `.`."""
    settings = {key.replace("_", "."): value for key, value in config.items()}
    admin = AdminClient({"bootstrap.servers": bootstrap})
    topic = NewTopic(name, num_partitions=partitions, replication_factor=1, config=settings)
    for created in admin.create_topics([topic]).values():
        created.result(PATIENCE)


def write_confluent(bootstrap, topic, records, codec="none"):
    """Writes `(key, value, headers)` one after the other, idempotently, and gives their offsets. So do the others."""
    tally = Tally()
    writer = producer(bootstrap, compression_type=codec, message_max_bytes=10_000_000, linger_ms=100)
    for key, value, headers in records:
        writer.produce(topic, key=key, value=value, headers=headers, on_delivery=tally)
    flush(writer)
    assert not tally.refused, tally.refused[:3]
    return [offset for _, offset, _ in tally.acknowledged]


def write_kafka_python(bootstrap, topic, records, codec="none"):
    writer = kafka.KafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        max_request_size=10_000_000,
        linger_ms=100,
        enable_idempotence=True,
    )
    try:
        sent = [writer.send(topic, key=key, value=value, headers=headers) for key, value, headers in records]
        return [each.get(PATIENCE).offset for each in sent]
    finally:
        writer.close()


async def write_aiokafka(bootstrap, topic, records, codec="none"):
    writer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        compression_type=None if codec == "none" else codec,
        max_request_size=10_000_000,
        linger_ms=100,
        enable_idempotence=True,
    )
    await writer.start()
    try:
        sent = [await writer.send(topic, key=key, value=value, headers=headers) for key, value, headers in records]
        return [(await each).offset for each in sent]
    finally:
        await writer.stop()


WRITERS = {
    "confluent-kafka": write_confluent,
    "kafka-python": write_kafka_python,
    "aiokafka": lambda *what, **how: asyncio.run(write_aiokafka(*what, **how)),
}
