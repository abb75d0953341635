"""Our `kafka-topics.sh` and the others beside Kafka's own, on the same running Ottla: line by line what they print, and
their exit codes."""

from itertools import count

import pytest

from beside.ours import Tools, configs_in_order
from harness.broker import Ottla
from harness.reading import read_all
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
    words = [[*bootstrap, *made.replace("here", where).split()] for where in ("there", "elsewhere")]
    both = tools.both("kafka-topics.sh", *words)
    assert both[0].stdout == both[1].stdout.replace("elsewhere", "there"), "with a warning of names that collide"
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


NUMBERS = count()


@pytest.mark.parametrize(
    "words, stdin",
    [
        ("", "one\ntwo\n\nfour\r\nno end"),
        ("", ""),
        ("--property parse.key=true", "k\tv\nl\tw\tx\n"),
        ("--property parse.key=true", "k\tv\nnothing\nl\tw\n"),
        ("--property parse.key=true --property ignore.error=true --property key.separator=:", "k:v\nnothing\n:w\n"),
        ("--property parse.headers=true --property parse.key=true --property null.marker=NUL", "a:1,b:NUL\tNUL\tv\nNUL\tk\tNUL\n"),
        ("--property parse.headers=true", "a:1,b:2,,\tv\n"),
        ("--property headers.delimiter=,", "x\n"),
        ("--sync", "one\ntwo\n"),
        ("--compression-codec", "one\ntwo\n"),
        ("--compression-codec zstd --request-required-acks 1", "one\ntwo\n"),
        ("--request-required-acks 2", "x\n"),
        ("--batch-size none", "x\n"),
        ("--producer-property enable.idempotence=true --request-required-acks 0", "x\n"),
    ],
)
def test_lines_become_the_same_records(broker, tools, words, stdin):
    topics = [f"lines-{next(NUMBERS)}" for _ in range(2)]
    for topic in topics:
        create_topic(broker.bootstrap, topic)
    both = tools.both(
        "kafka-console-producer.sh",
        *[["--bootstrap-server", broker.bootstrap, *words.split(), "--topic", topic] for topic in topics],
        stdin=stdin,
    )
    ours, theirs = ([(r.key, r.value, r.headers) for r in read_all(broker.bootstrap, topic)] for topic in topics)
    assert ours == theirs
    assert [done.returncode for done in both][0] == both[1].returncode, both
    assert both[0].stdout == both[1].stdout == ""


def test_what_a_keyed_line_is_written_to_is_the_same_partition(broker, tools):
    lines = "".join(f"key-{n}\tvalue {n}\n" for n in range(200))
    topics = ["ours-keyed", "theirs-keyed"]
    for topic in topics:
        create_topic(broker.bootstrap, topic, partitions=5)
    words = ["--bootstrap-server", broker.bootstrap, "--property", "parse.key=true", "--batch-size", "300"]
    both = tools.both("kafka-console-producer.sh", *[[*words, "--topic", topic] for topic in topics], stdin=lines)
    assert [done.returncode for done in both] == [0, 0], both
    for partition in range(5):
        ours, theirs = ([(r.key, r.value) for r in read_all(broker.bootstrap, topic, partition)] for topic in topics)
        assert ours and ours == theirs
