"""Fixtures of the examples: a broker behind a proxy, and each example ready to run."""

import pytest

from harness.broker import Ottla
from harness.proxy import Proxy
from languages import LANGUAGES


@pytest.fixture
def proxy():
    proxy = Proxy()
    yield proxy
    proxy.close()


@pytest.fixture
def broker(tmp_path, proxy):
    """A broker that clients reach only past the proxy."""
    broker = Ottla(tmp_path / "broker", advertise=proxy.address).start()
    proxy.start(("127.0.0.1", broker.port))
    yield broker
    broker.close()


@pytest.fixture(scope="session")
def built():
    """What was built already, by the name of the language."""
    return {}


@pytest.fixture(params=LANGUAGES)
def example(request, built):
    """The words that run an example, but for its two arguments."""
    if request.param not in built:
        built[request.param] = LANGUAGES[request.param]()
    return built[request.param]
