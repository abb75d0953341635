"""Fixtures: Ottla and Apache Kafka side by side. `OTTLA_BIN` is the one, the jars in `KAFKA_LIBS` are the other."""

import pytest

from harness.broker import Kafka, Ottla


@pytest.fixture
def brokers(tmp_path):
    """Makes brokers, `brokers(Ottla)` or `brokers(Kafka)`, each with a fresh directory; they end with the test."""
    made = []

    def make(kind, **settings):
        given = {name.replace("_", "."): value for name, value in settings.items()}
        broker = kind(tmp_path / f"{kind.__name__.lower()}-{len(made)}", given)
        made.append(broker)
        return broker

    yield make
    for broker in made:
        broker.close()


@pytest.fixture
def ottla(brokers):
    return brokers(Ottla).start()


@pytest.fixture
def kafka(brokers):
    return brokers(Kafka).start()
