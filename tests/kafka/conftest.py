"""Fixtures: Ottla and Apache Kafka side by side. `OTTLA_BIN` is the one, the jars in `KAFKA_LIBS` are the other; those in
`KAFKA_NEWEST_LIBS` are of the newest Kafka."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from beside.groups import wait_for_coordinator
from beside.members import MembersBesideJava
from beside.ours import Tools
from beside.sides import Side, differences, rounds
from harness.broker import Kafka, Ottla


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


@pytest.fixture
def members():
    """Members of groups, which end with the test."""
    members = MembersBesideJava()
    yield members
    members.close()


@pytest.fixture(scope="module")
def lasting_brokers(tmp_path_factory):
    """Brokers that end with the tests of one file."""
    brokers = Brokers(tmp_path_factory.mktemp("brokers"))
    yield brokers
    brokers.close()


@pytest.fixture(scope="session")
def tools(tmp_path_factory):
    """Our tools, and Kafka's beside them."""
    tools = Tools(tmp_path_factory.mktemp("bin"))
    yield tools
    tools.close()


@pytest.fixture(scope="session")
def sides(tmp_path_factory):
    """Ottla and Kafka, for all files that compare answers."""
    brokers = Brokers(tmp_path_factory.mktemp("sides"))
    # No more topics by themselves than the stories ask for.
    settings = {"auto_create_topics_enable": "false", "group_initial_rebalance_delay_ms": 0, "offsets_topic_num_partitions": 1}
    with ThreadPoolExecutor() as pool:
        sides = list(pool.map(lambda kind: Side(brokers(kind, **settings).start()), (Ottla, Kafka)))
    sides[0].broker.expect_in_log("this broker does not support transactions yet")
    yield sides
    brokers.close()


@pytest.fixture(scope="session")
def coordinators(sides):
    """Both have a topic for groups, and whoever keeps it has read it."""
    for side in sides:
        wait_for_coordinator(side)


@pytest.fixture
def same(sides):
    """Runs a story on both sides, compares, and gives the outcome."""

    def run(story, forgive=lambda ours, theirs: None):
        """`forgive` sees both outcomes first, and evens out what differs on purpose."""
        number = next(rounds)
        for side in sides:
            side.begin(number)
        ours, theirs = (story(side) for side in sides)
        forgive(ours, theirs)
        found = list(differences(ours, theirs))
        assert not found, "where, Ottla's, Kafka's:\n" + "\n".join(found)
        return ours

    return run
