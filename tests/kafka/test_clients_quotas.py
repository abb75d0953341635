"""Quotas as clients meet them: librdkafka is told to wait, by Ottla as by Kafka, waits, and nothing is lost meanwhile."""

import contextlib

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from beside.raw import PATIENCE, Closed, Connection
from harness.reading import read_all
from harness.waiting import until
from harness.writing import Tally, flush, producer
from test_answers_quotas import alter
from test_tools_admin import same_lines

SIZE = 20_000
# Bytes per second. Measured over ten seconds, so that ten times as much passes before anybody has to wait.
RATE = 50_000.0
BOUNDLESS = 1e12


@contextlib.contextmanager
def quotas(side, *entries):
    """Each entry is an entity, and its quotas as pairs."""
    answer = alter(side, 1, *entries)
    assert {entry["error_code"] for entry in answer["entries"]} == {0}, answer
    yield
    alter(side, 1, *((entity, [(key, None) for key, _ in changes]) for entity, changes in entries))


class Writer:
    """An idempotent producer that remembers when it was told to wait."""

    def __init__(self, side, client_id):
        self.told_to_wait, self.tally = [], Tally()
        given = {"client_id": client_id, "linger_ms": 0, "throttle_cb": self.told_to_wait.append}
        self._producer = producer(side.broker.bootstrap, **given)
        self._written = 0

    def write(self, topic):
        self._producer.produce(topic, b"%d " % self._written + b"x" * SIZE, on_delivery=self.tally)
        self._written += 1
        flush(self._producer)

    def told(self):
        self._producer.poll(0)
        return bool(self.told_to_wait)

    def write_until_told(self, topic):
        def told():
            self.write(topic)
            return self.told()

        until(told)

    def values(self):
        return [b"%d " % number + b"x" * SIZE for number in range(self._written)]


def all_there(side, topic, writer):
    """Each record once, in order, where its producer was told."""
    assert not writer.tally.refused
    stored = read_all(side.broker.bootstrap, topic)
    assert [record.value for record in stored] == writer.values()
    assert [(0, record.offset, record.value) for record in stored] == writer.tally.acknowledged


@pytest.mark.parametrize(
    "entity",
    [
        [("client-id", "writer")],
        [("client-id", None)],
        [("user", "ANONYMOUS")],
        [("user", None)],
        [("user", "ANONYMOUS"), ("client-id", "writer")],
    ],
    ids=lambda entity: "+".join(f"{kind} {name or 'default'}" for kind, name in entity),
)
def test_a_producer_is_told_to_wait_and_loses_nothing(sides, entity):
    def story(side):
        topic, writer = side.topic(), Writer(side, "writer")
        with quotas(side, (entity, [("producer_byte_rate", RATE)])):
            writer.write_until_told(topic)
            for _ in range(3):
                writer.write(topic)
        all_there(side, topic, writer)
        return writer.told_to_wait[0].throttle_time > 0

    assert same_lines(sides, story) is True


def test_a_client_with_a_quota_of_its_own_is_none_of_all_the_others(sides):
    def story(side):
        topic, writer = side.topic(), Writer(side, "favoured")
        tight, loose = ("producer_byte_rate", RATE), ("producer_byte_rate", BOUNDLESS)
        with quotas(side, ([("client-id", None)], [tight]), ([("client-id", "favoured")], [loose])):
            for _ in range(40):
                writer.write(topic)
        all_there(side, topic, writer)
        return writer.told()

    assert same_lines(sides, story) is False


def test_a_consumer_is_told_to_wait_and_misses_nothing(sides):
    def story(side):
        topic, writer, told_to_wait = side.topic(), Writer(side, "writer"), []
        for _ in range(30):
            writer.write(topic)
        given = {"client.id": "reader", "group.id": side.group(), "throttle_cb": told_to_wait.append}
        reader = confluent_kafka.Consumer({"bootstrap.servers": side.broker.bootstrap, **given})
        values = []
        with quotas(side, ([("client-id", "reader")], [("consumer_byte_rate", RATE)])):
            reader.assign([confluent_kafka.TopicPartition(topic, 0, 0)])
            while len(values) < 30:
                message = reader.poll(PATIENCE)
                assert message is not None and message.error() is None, (len(values), message)
                values.append(message.value())
        reader.close()
        assert values == writer.values()
        return bool(told_to_wait)

    assert same_lines(sides, story) is True


def test_whoever_takes_too_much_time_is_told_to_wait(sides):
    def story(side):
        topic, writer = side.topic(), Writer(side, "busy")
        with quotas(side, ([("client-id", "busy")], [("request_percentage", 0.05)])):
            writer.write_until_told(topic)
            writer.write(topic)
        all_there(side, topic, writer)
        # Never for longer than a second.
        return {0 < event.throttle_time <= 1 for event in writer.told_to_wait}

    assert same_lines(sides, story) == {True}


def test_whoever_makes_too_many_topics_is_told_to_wait(sides):
    def story(side):
        told_to_wait = []
        given = {"bootstrap.servers": side.broker.bootstrap, "client.id": "maker"}
        admin = AdminClient({**given, "throttle_cb": told_to_wait.append})
        made = []

        def told():
            made.append(side.group())
            for created in admin.create_topics([NewTopic(made[-1], num_partitions=20)]).values():
                created.result(PATIENCE)
            admin.poll(0)
            return bool(told_to_wait)

        with quotas(side, ([("client-id", "maker")], [("controller_mutation_rate", 5.0)])):
            until(told)
        return admin.list_topics(timeout=PATIENCE).topics.keys() >= set(made)

    assert same_lines(sides, story) is True


def served(side, source):
    """Whether a new connection from this address of the machine is served. If not, it is closed after a while."""
    with Connection(side.broker.address, source=source) as connection:
        try:
            return connection.ask("ApiVersions", 0)["error_code"] == 0
        except Closed:
            return False


@pytest.mark.parametrize("limited", ["127.0.0.9", None], ids=["an address", "default"])
def test_an_address_connects_so_often(sides, limited):
    """Over ten seconds, so that ten connections are let in before one has to wait."""

    def story(side):
        named = [] if limited else [([("ip", "127.0.0.10")], [("connection_creation_rate", 1000.0)])]
        with quotas(side, ([("ip", limited)], [("connection_creation_rate", 1.0)]), *named):
            until(lambda: not served(side, "127.0.0.9"))
            others = [served(side, "127.0.0.10") for _ in range(30)]
        return all(others), served(side, "127.0.0.9")

    assert same_lines(sides, story) == (True, True)
