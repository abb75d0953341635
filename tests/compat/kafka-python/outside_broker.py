"""A plugin of pytest: kafka-python's integration tests against a broker that runs already.

They want a module that the source distribution lacks, `test.service`, with a class for brokers that the tests start and one for
a broker that somebody else has started. Only the second is used, and it has nothing to do. What came of each test is printed in a
line of its own, for whoever counts.
"""

import sys
import types

import pytest


class ExternalService:
    """A broker that somebody else has started and will stop."""

    def __init__(self, host, port):
        self.host, self.port = host, port

    def open(self):
        pass

    def close(self):
        pass


class SpawnedService:
    """A broker that the tests would start."""

    def __init__(self, *_, **__):
        raise RuntimeError("no broker is started here")


service = types.ModuleType("test.service")
service.ExternalService, service.SpawnedService = ExternalService, SpawnedService
sys.modules["test.service"] = service


class Outcomes:
    """Prints `outcome: HOW SECONDS TEST`. A test has three phases, and is as good as the worst of them."""

    def __init__(self, write):
        self._write = write
        self._worst, self._seconds = "passed", 0.0

    def pytest_runtest_logreport(self, report):
        if report.when == "setup":
            self._worst, self._seconds = "passed", 0.0
        if report.outcome != "passed" and self._worst != "failed":
            self._worst = report.outcome
        self._seconds += report.duration
        if report.when == "teardown":
            self._write(f"\noutcome: {self._worst} {self._seconds:.0f} {report.nodeid}")


# The reporter is made in this hook too.
@pytest.hookimpl(trylast=True)
def pytest_configure(config):
    write = config.pluginmanager.get_plugin("terminalreporter").write_line
    config.pluginmanager.register(Outcomes(write))
