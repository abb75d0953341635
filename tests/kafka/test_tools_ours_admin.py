"""Our smaller tools beside Kafka's own, on the same running Ottla, and all of them where no broker answers."""

import json
import re

import pytest

from beside.ours import in_order
from harness.broker import Ottla, free_port
from harness.writing import create_topic, write_confluent


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    broker = lasting_brokers(Ottla).start()
    create_topic(broker.bootstrap, "full", partitions=3)
    write_confluent(broker.bootstrap, "full", [(b"%d" % n, b"%d" % n, []) for n in range(60)])
    return broker


def but_for_time(text):
    """Two looks at the quorum are not at the same time."""
    return re.sub(r"\b\d{13}\b|\d+ ms ago", "T", re.sub(r" +\t", "\t", text))


@pytest.mark.parametrize(
    "name, words",
    [
        ("kafka-cluster.sh", "cluster-id"),
        ("kafka-cluster.sh", "list-endpoints"),
        ("kafka-cluster.sh", "list-endpoints --include-fenced-brokers"),
        ("kafka-cluster.sh", "unregister"),
        ("kafka-cluster.sh", "unregister --id 77"),
        ("kafka-cluster.sh", "cluster-id --config nothing.properties"),
        ("kafka-cluster.sh", "nonsense"),
        ("kafka-metadata-quorum.sh", "describe --status"),
        ("kafka-metadata-quorum.sh", "describe --replication"),
        ("kafka-metadata-quorum.sh", "describe --replication --human-readable"),
        ("kafka-metadata-quorum.sh", "describe --status --human-readable"),
        ("kafka-metadata-quorum.sh", "describe --status --replication"),
        ("kafka-metadata-quorum.sh", "describe"),
        ("kafka-features.sh", "describe"),
        ("kafka-leader-election.sh", "--election-type preferred --topic full --partition 1"),
        ("kafka-leader-election.sh", "--election-type unclean --topic full --partition 1"),
        ("kafka-leader-election.sh", "--election-type preferred --all-topic-partitions"),
        ("kafka-leader-election.sh", "--election-type preferred --topic full --partition 9"),
        ("kafka-leader-election.sh", "--election-type preferred --topic full"),
        ("kafka-leader-election.sh", "--election-type preferred --partition 1"),
        ("kafka-leader-election.sh", "--election-type best --topic full --partition 1"),
        ("kafka-leader-election.sh", "--topic full --partition 1"),
        ("kafka-leader-election.sh", "--election-type preferred --path-to-json-file nothing.json"),
        ("kafka-delete-records.sh", "--offset-json-file nothing.json"),
        ("kafka-delete-records.sh", ""),
        ("kafka-log-dirs.sh", ""),
        ("kafka-log-dirs.sh", "--describe --broker-list 7,8"),
        ("kafka-log-dirs.sh", "--describe --broker-list one"),
    ],
)
def test_small_tools(broker, tools, name, words):
    bootstrap, words = ["--bootstrap-server", broker.bootstrap], words.split()
    # Some take their flags behind the command, others in front of it.
    words = [*words, *bootstrap] if name == "kafka-cluster.sh" else [*bootstrap, *words]
    tools.same(name, *words, even_out=lambda text: in_order(but_for_time(text)))


@pytest.mark.parametrize("words", ["", "--topic-list full", "--topic-list nothing,full --broker-list 1", "--topic-list nothing"])
def test_what_directories_hold(broker, tools, words):
    def even(text):
        first, second, shown, *rest = text.splitlines()
        shown = json.loads(shown)
        for brokers in shown["brokers"]:
            for directory in brokers["logDirs"]:
                directory["partitions"].sort(key=lambda partition: partition["partition"])
        return first, second, shown, rest

    words = ["--bootstrap-server", broker.bootstrap, "--describe", *words.split()]
    said = tools.same("kafka-log-dirs.sh", *words, even_out=even)
    assert ('"partition":"full-0"' in said) == (words[-1] != "nothing")


@pytest.mark.parametrize(
    "content",
    [
        {"partitions": [{"topic": "full", "partition": 0, "offset": 2}, {"topic": "full", "partition": 1, "offset": 0}], "version": 1},
        {"partitions": [{"topic": "full", "partition": 0, "offset": 9999}]},
        {"partitions": [{"topic": "full", "partition": 2, "offset": -1}]},
        {"partitions": [{"topic": "full", "partition": 0, "offset": 2}, {"topic": "full", "partition": 0, "offset": 3}]},
        {"partitions": [{"topic": "full", "partition": 0}]},
        {"partitions": [], "version": 2},
        {"version": 1},
        "no object",
    ],
    ids=str,
)
def test_records_are_deleted(broker, tools, tmp_path, content):
    file = tmp_path / "offsets.json"
    file.write_text(json.dumps(content))
    words = ["--bootstrap-server", broker.bootstrap, "--offset-json-file", file]
    tools.same("kafka-delete-records.sh", *words, even_out=in_order)


def test_what_is_deleted_is_gone(broker, tools, tmp_path):
    create_topic(broker.bootstrap, "emptied")
    write_confluent(broker.bootstrap, "emptied", [(None, b"%d" % n, []) for n in range(10)])
    file = tmp_path / "offsets.json"
    file.write_text('{"partitions": [{"topic": "emptied", "partition": 0, "offset": 7}]}')
    words = ["--bootstrap-server", broker.bootstrap, "--offset-json-file", file]
    assert "emptied-0\tlow_watermark: 7" in tools.run("kafka-delete-records.sh", *words).stdout
    read = ["--bootstrap-server", broker.bootstrap, "--topic", "emptied", "--from-beginning", "--max-messages", "3"]
    assert tools.run("kafka-console-consumer.sh", *read).stdout == "7\n8\n9\n"
    # Kafka's tool looks for such a partition for a minute.
    file.write_text('{"partitions": [{"topic": "emptied", "partition": 9, "offset": 7}]}')
    done = tools.run("kafka-delete-records.sh", *words)
    assert "emptied-9\terror: org.apache.kafka.common.errors.UnknownTopicOrPartitionException" in done.stdout
    assert done.returncode == 0


def test_an_election_of_what_a_file_names(broker, tools, tmp_path):
    file = tmp_path / "partitions.json"
    words = ["--bootstrap-server", broker.bootstrap, "--election-type", "PREFERRED", "--path-to-json-file", file]
    one = {"topic": "full", "partition": 0}
    for content in ({"partitions": [one, {"topic": "full", "partition": 2}]}, {"partitions": [one, one]}, {}):
        file.write_text(json.dumps(content))
        tools.same("kafka-leader-election.sh", *words)


EACH = [
    ("kafka-topics.sh", ["--list"]),
    ("kafka-topics.sh", ["--create", "--topic", "t", "--if-not-exists"]),
    ("kafka-configs.sh", ["--describe", "--topic", "full"]),
    ("kafka-consumer-groups.sh", ["--list"]),
    ("kafka-consumer-groups.sh", ["--describe", "--group", "g"]),
    ("kafka-get-offsets.sh", ["--topic", "full"]),
    ("kafka-log-dirs.sh", ["--describe"]),
    ("kafka-features.sh", ["describe"]),
    ("kafka-metadata-quorum.sh", ["describe", "--status"]),
]
HASTY = "default.api.timeout.ms=700\nrequest.timeout.ms=300\n"


@pytest.fixture(scope="module")
def hasty(tmp_path_factory):
    """Settings of a client that does not wait long."""
    file = tmp_path_factory.mktemp("settings") / "hasty.properties"
    file.write_text(HASTY)
    return file


@pytest.mark.parametrize("name, words", EACH)
def test_where_no_broker_answers(tools, hasty, name, words):
    nobody = f"127.0.0.1:{free_port()}"
    words = ["--bootstrap-server", nobody, "--command-config", hasty, *words]
    if name == "kafka-consumer-groups.sh":
        words += ["--timeout", "700"]
    ours, theirs = tools.both(name, words, words)
    assert ours.returncode == theirs.returncode, (ours, theirs)
    assert nobody in ours.stdout + ours.stderr, "who does not answer is named"


@pytest.mark.parametrize("name, words", EACH)
def test_one_of_several_brokers_is_there(broker, tools, name, words):
    servers = f"127.0.0.1:{free_port()},127.0.0.1:{free_port()},{broker.bootstrap}"
    done = tools.run(name, "--bootstrap-server", servers, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    alone = tools.run(name, "--bootstrap-server", broker.bootstrap, *words)
    if "--create" not in words:
        assert but_for_time(done.stdout) == but_for_time(alone.stdout)


@pytest.mark.parametrize("servers", ["localhost", "localhost:", "localhost:port", ","])
def test_what_is_no_address_is_refused(tools, servers):
    for name in ("kafka-topics.sh", "kafka-get-offsets.sh"):
        ours, theirs = tools.both(name, *[["--bootstrap-server", servers, "--list" if name == "kafka-topics.sh" else "--topic=t"]] * 2)
        assert ours.returncode == theirs.returncode == 1 and ours.stdout.startswith(theirs.stdout[:10]), (ours, theirs)


def test_a_file_of_settings_that_asks_for_more_than_plaintext_is_refused_by_name(broker, tools, tmp_path):
    file = tmp_path / "secure.properties"
    file.write_text("security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n")
    for name, words in EACH:
        done = tools.run(name, "--bootstrap-server", broker.bootstrap, "--command-config", file, *words)
        assert "security.protocol=SASL_SSL is not supported" in done.stdout + done.stderr, (name, done)
