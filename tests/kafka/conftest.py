"""Fixtures: Ottla and Apache Kafka side by side. `OTTLA_BIN` is the one, the jars in `KAFKA_LIBS` are the other."""

import pytest

from harness.broker import Kafka


class Brokers:
    """Makes brokers, `brokers(Ottla)` or `brokers(Kafka)`, each with a fresh directory, and ends them."""

    def __init__(self, directory):
        self._directory = directory
        self._made = []

    def __call__(self, kind, **settings):
        given = {name.replace("_", "."): value for name, value in settings.items()}
        broker = kind(self._directory / f"{kind.__name__.lower()}-{len(self._made)}", given)
        self._made.append(broker)
        return broker

    def kafka_on(self, other, **settings):
        """Kafka on the data directory of another broker, which is stopped."""
        kafka = self(Kafka, **settings)
        kafka.data_dir = other.data_dir
        return kafka

    def close(self):
        for broker in self._made:
            broker.close()


@pytest.fixture
def brokers(tmp_path):
    """Brokers that end with the test."""
    brokers = Brokers(tmp_path)
    yield brokers
    brokers.close()


@pytest.fixture(scope="module")
def lasting_brokers(tmp_path_factory):
    """Brokers that end with the tests of one file."""
    brokers = Brokers(tmp_path_factory.mktemp("brokers"))
    yield brokers
    brokers.close()
