"""The seed of a run, and what a failure says."""

import os
import random

import pytest

from ring.mortal import Mortal


def pytest_configure(config):
    given = os.environ.get("OTTLA_SEED")
    config.seed = int(given) if given else random.SystemRandom().randrange(1 << 32)


@pytest.fixture
def seed(pytestconfig):
    print(f"seed {pytestconfig.seed}; the same again: OTTLA_SEED={pytestconfig.seed} cargo xtask test kills")
    return pytestconfig.seed


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
