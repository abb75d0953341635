"""Fixtures of the stories."""

import pytest

from harness.broker import broker_class
from harness.group import Members
from harness.proxy import Proxy


@pytest.fixture
def start_broker(tmp_path):
    """Starts brokers, each with a fresh data directory, which end with the test."""
    brokers = []

    def start(settings=None, advertise=None):
        broker = broker_class()(tmp_path / f"broker-{len(brokers)}", settings, advertise)
        brokers.append(broker)
        return broker.start()

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
def broker_behind_proxy(start_broker, proxy):
    """A broker that clients reach only past the proxy."""
    broker = start_broker(advertise=proxy.address)
    proxy.start(("127.0.0.1", broker.port))
    return broker


@pytest.fixture
def members():
    members = Members()
    yield members
    members.close()
