"""Fixtures: a broker, and clients that see what Kafka's applications did. `OTTLA_BIN` is Ottla, the jars in `KAFKA_LIBS` are Kafka and
its applications; with `STORIES_AGAINST=kafka` they run against Kafka."""

import pytest

from applications.topics import Topics
from harness.broker import broker_class
from harness.proxy import Proxy


@pytest.fixture
def start_broker(tmp_path):
    """Starts the broker under test, with settings of its own; it ends with the test."""
    brokers = []

    def start(settings=None, advertise=None):
        settings = {"group.initial.rebalance.delay.ms": 0, **(settings or {})}
        brokers.append(broker_class()(tmp_path / "broker", settings, advertise))
        return brokers[-1].start()

    yield start
    for broker in brokers:
        broker.close()


@pytest.fixture
def broker(start_broker):
    return start_broker()


@pytest.fixture
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def topics(broker):
    return Topics(broker)


@pytest.fixture
def started():
    """Ends with the test what is put into it, however the test ends."""
    processes = []
    yield processes
    for process in processes:
        if process.running:
            process.kill9()
