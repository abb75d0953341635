"""The seed of a run, and what a failure says."""

import os
import random

import pytest

from ring.mortal import Mortal


def pytest_configure(config):
    given = os.environ.get("OTTLA_SEED")
    config.seed = int(given) if given else random.SystemRandom().randrange(1 << 32)
    config.told = []


def pytest_terminal_summary(terminalreporter, config):
    for told in config.told:
        terminalreporter.write_line(told)
    terminalreporter.write_line(f"the same moments again: OTTLA_SEED={config.seed} cargo xtask test kills")


@pytest.fixture
def seed(pytestconfig):
    return pytestconfig.seed


@pytest.fixture
def tell(pytestconfig):
    """Says in a line what a story did."""
    return pytestconfig.told.append


@pytest.fixture
def mortal(tmp_path):
    """Makes the broker of a story. What it said last is shown when the story fails."""
    made = []

    def make(**settings):
        given = {name.replace("_", "."): value for name, value in settings.items()}
        made.append(Mortal(tmp_path, given))
        return made[-1]

    yield make
    for broker in made:
        broker.close()
        print(f"the broker's last words:\n{broker.tail()}")
