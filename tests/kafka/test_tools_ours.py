"""Our `kafka-topics.sh` and the others beside Kafka's own, on the same running Ottla: line by line what they print, and
their exit codes."""

import pytest

from beside.ours import Tools, configs_in_order
from harness.broker import Ottla
from harness.writing import create_topic, write_confluent


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    broker = lasting_brokers(Ottla).start()
    create_topic(broker.bootstrap, "plain")
    create_topic(broker.bootstrap, "wide", partitions=3)
    create_topic(broker.bootstrap, "long", partitions=12)
    write_confluent(broker.bootstrap, "wide", [(b"%d" % n, b"%d" % n, []) for n in range(30)])
    write_confluent(broker.bootstrap, "plain", [(None, b"%d" % n, []) for n in range(5)])
    return broker


@pytest.fixture(scope="module")
def tools(tmp_path_factory):
    return Tools(tmp_path_factory.mktemp("bin"))


@pytest.mark.parametrize(
    "words",
    [
        "--list",
        "--list --exclude-internal",
        "--list --topic pl.*",
        "--list --topic wide,plain",
        "--list --topic nothing",
        "--delete --topic nothing",
        "--delete --topic nothing --if-exists",
        "--alter --topic nothing --partitions 3",
        "--alter --topic nothing --partitions 3 --if-exists",
        "--alter --topic wide --partitions 2",
        "--alter --topic wide --partitions 3",
        "--create --topic plain",
        "--create --topic plain --if-not-exists",
        "--create --topic wide --partitions 3 --replication-factor 1 --if-not-exists",
        "--create --topic x --partitions 0",
        "--create --topic x --replication-factor 0",
        "--create --topic x --replication-factor 40000",
        "--create --topic x --replica-assignment 1:1",
        "--create --topic x --config retention.ms",
        "--create --topic x --config retention.ms=1=2",
        "--describe --topic nothing",
        "--describe --topic nothing --if-exists",
    ],
)
def test_topics(broker, tools, words):
    tools.same("kafka-topics.sh", "--bootstrap-server", broker.bootstrap, *words.split())


def test_a_topic_is_made_changed_and_deleted(broker, tools):
    bootstrap = ["--bootstrap-server", broker.bootstrap]

    def topics(words):
        done = tools.run("kafka-topics.sh", *bootstrap, *words.split())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    made = "--create --topic made.here --partitions 2 --config retention.ms=60000 --config cleanup.policy=delete"
    said = topics(made)
    assert said.splitlines()[-1] == "Created topic made.here."
    theirs = tools.both("kafka-topics.sh", *bootstrap, *made.replace("made.here", "made.there").split())
    assert theirs[0].returncode + theirs[1].returncode == 1, "one of them came first"
    assert said.splitlines()[0] == theirs[1].stdout.splitlines()[0], "the warning of names that collide"
    assert "made.here" in topics("--list").split()
    topics("--alter --topic made.here --partitions 5")
    offsets = tools.same("kafka-get-offsets.sh", *bootstrap, "--topic", "made.here")
    assert offsets == "".join(f"made.here:{n}:0\n" for n in range(5))
    topics("--delete --topic made.*")
    assert not [name for name in topics("--list").split() if name.startswith("made")]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--topic wide",
        "--topic wide --time earliest",
        "--topic wide --time -1",
        "--topic wide --time -4",
        "--topic wide --time latest-tiered",
        "--topic wide --time 0",
        "--topic wide --time 99999999999999",
        "--topic wide --time noon",
        "--topic long",
        "--topic wide|plain --partitions 0,2",
        "--topic wide --partitions x",
        "--topic-partitions wide:1-,plain",
        "--topic-partitions :0,long:-3",
        "--topic-partitions wide:1 --topic wide",
        "--topic nothing",
        "--exclude-internal-topics",
    ],
)
def test_offsets(broker, tools, words):
    tools.same("kafka-get-offsets.sh", "--bootstrap-server", broker.bootstrap, *words.split())


def test_versions(broker, tools):
    said = tools.same("kafka-broker-api-versions.sh", "--bootstrap-server", broker.bootstrap)
    assert "Fetch(1): 4 to 18 [usable: 18]" in said
