"""The image in the place of apache/kafka: what people put into `docker run`, and what they ask the container for."""

import io
import re
import tarfile

import pytest

from harness.broker import free_port
from harness.reading import read_all, values
from harness.waiting import until
from harness.writing import create_topic, write_confluent

CLUSTER_ID = "4L6g3nShT-eMCtK--X86sw"
# Of a node that is told everything by variables.
VARIABLES = {
    "KAFKA_NODE_ID": "7",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "7@localhost:9093",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
    "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
}
TOOLS = (
    "broker-api-versions",
    "configs",
    "console-consumer",
    "console-producer",
    "consumer-groups",
    "dump-log",
    "get-offsets",
    "topics",
)


def given(variables):
    """Words for `docker run`."""
    return [word for name, value in variables.items() for word in ("--env", f"{name}={value}")]


@pytest.fixture
def published(engine):
    """Runs the image with its port 9092 published, and clients told so. Gives the container and where clients begin."""

    def run(*words, variables=None, command=()):
        port = free_port()
        advertised = {"KAFKA_ADVERTISED_LISTENERS": f"PLAINTEXT://127.0.0.1:{port}", **(variables or VARIABLES)}
        words = ("--publish", f"127.0.0.1:{port}:9092", *given(advertised), *words)
        return engine.run(*words, command=command), f"127.0.0.1:{port}"

    return run


def content(container, path):
    """The text of a file in a container, running or not."""
    with tarfile.open(fileobj=io.BytesIO(container.files(path))) as tar:
        return tar.extractfile(tar.next()).read().decode()


def properties(text):
    return dict(line.split("=", 1) for line in text.splitlines() if line and not line.startswith("#"))


def sh(container, line, **how):
    done = container.execute("sh", "-c", line, **how)
    return done.stdout


def test_run_without_a_word(engine):
    broker = engine.run()
    broker.wait_until_healthy()
    # What Testcontainers and others wait for, each on a line of its own, in this order.
    ready, started = (
        broker.wait_for_log(line)
        for line in (
            r"(?m)^\[[-\d]+ [:,\d]+\] INFO .*Transitioning from RECOVERY to RUNNING\..*$",
            r"(?m)^\[[-\d]+ [:,\d]+\] INFO .*Kafka Server started.*$",
        )
    )
    assert ready.end() < started.start()
    assert sh(broker, "id -u").strip() == "1000"
    assert sh(broker, "cat /proc/1/comm").strip() == "ottla", "the broker itself gets the signals"
    assert 'cluster.id=5L6g3nShT-eMCtK--X86sw' in content(broker, "/tmp/kraft-combined-logs/meta.properties")
    brokers = sh(broker, "/opt/kafka/bin/kafka-broker-api-versions.sh --bootstrap-server localhost:9092")
    assert brokers.startswith("localhost:9092 (id: 1 rack: null")


def test_tools_of_kafka_by_their_names(engine):
    """As health checks and init containers call them: by path, or as `kafka-topics` where that is what one is used to."""
    broker = engine.run()
    broker.wait_until_healthy()
    at = "--bootstrap-server localhost:9092"
    assert "Created topic orders." in sh(broker, f"/opt/kafka/bin/kafka-topics.sh {at} --create --topic orders --partitions 2")
    assert sh(broker, f"kafka-topics.sh {at} --list").split() == ["orders"]
    assert sh(broker, f"kafka-topics {at} --list").split() == ["orders"]
    sh(broker, f"printf 'a\\nb\\nc\\n' | /opt/kafka/bin/kafka-console-producer.sh {at} --topic orders")
    read = f"/opt/kafka/bin/kafka-console-consumer.sh {at} --topic orders --from-beginning --max-messages 3 --group readers"
    assert sorted(sh(broker, read).split()) == ["a", "b", "c"]
    ends = sh(broker, f"/opt/kafka/bin/kafka-get-offsets.sh {at} --topic orders")
    assert sum(int(line.rsplit(":", 1)[1]) for line in ends.split()) == 3
    assert "readers" in sh(broker, f"/opt/kafka/bin/kafka-consumer-groups.sh {at} --list")
    assert "retention.ms=1000" in sh(
        broker,
        f"/opt/kafka/bin/kafka-configs.sh {at} --alter --topic orders --add-config retention.ms=1000 && "
        f"/opt/kafka/bin/kafka-configs.sh {at} --describe --topic orders",
    )
    segments = sh(broker, "ls /tmp/kraft-combined-logs/orders-*/*.log").split()
    dumped = sh(broker, f"/opt/kafka/bin/kafka-dump-log.sh --print-data-log --files {','.join(segments)}")
    assert sorted(re.findall(r"payload: (\w)", dumped)) == ["a", "b", "c"]
    refused = broker.execute("/opt/kafka/bin/kafka-topics.sh", "--list", "--no-such-flag", check=False)
    assert refused.returncode == 1 and "no-such-flag" in refused.stderr


def test_variables_alone(published):
    """Nothing of the default file is in force then, so the data is where Kafka keeps it without being told."""
    broker, address = published("--env", f"CLUSTER_ID={CLUSTER_ID}", *given({"KAFKA_NUM_PARTITIONS": "3"}))
    broker.wait_until_healthy()
    write_confluent(address, "made-by-itself", [(None, b"x", [])])
    assert "PartitionCount: 3" in sh(broker, "kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic made-by-itself")
    meta = properties(content(broker, "/tmp/kafka-logs/meta.properties"))
    assert (meta["cluster.id"], meta["node.id"]) == (CLUSTER_ID, "7")


def test_arguments_are_variables_too(published):
    command = ("/etc/kafka/docker/run", "KAFKA_LOG_DIRS=/var/lib/kafka/data", f"CLUSTER_ID={CLUSTER_ID}")
    broker, _ = published(command=command)
    broker.wait_until_healthy()
    assert properties(content(broker, "/var/lib/kafka/data/meta.properties"))["cluster.id"] == CLUSTER_ID


def test_a_mounted_file_and_variables_that_beat_it(engine, tmp_path):
    port = free_port()
    file = tmp_path / "server.properties"
    file.write_text(
        "process.roles=broker,controller\nnode.id=3\ncontroller.quorum.voters=3@localhost:9093\n"
        "controller.listener.names=CONTROLLER\nlisteners=PLAINTEXT://:9092,CONTROLLER://:9093\n"
        f"advertised.listeners=PLAINTEXT://127.0.0.1:{port}\nlog.dirs=/var/lib/kafka/data\nnum.partitions=2\n"
        "offsets.topic.replication.factor=1\n"
    )
    tmp_path.chmod(0o755)
    mounted = ("--volume", f"{file}:/mnt/shared/config/server.properties:ro")
    broker = engine.run("--publish", f"127.0.0.1:{port}:9092", *mounted, *given({"KAFKA_NUM_PARTITIONS": "5"}))
    broker.wait_until_healthy()
    write_confluent(f"127.0.0.1:{port}", "five", [(None, b"x", [])])
    assert "PartitionCount: 5" in sh(broker, "kafka-topics.sh --bootstrap-server localhost:9092 --describe --topic five")
    assert properties(content(broker, "/var/lib/kafka/data/meta.properties"))["node.id"] == "3"


def test_a_stop_is_clean_and_a_start_finds_everything(published):
    """With the data in the container itself, as most have it."""
    broker, address = published()
    broker.wait_until_healthy()
    create_topic(address, "kept")
    write_confluent(address, "kept", [(None, b"%d" % number, []) for number in range(100)])
    assert broker.stop() == 0
    assert broker.files("/tmp/kafka-logs/.kafka_cleanshutdown")
    seen = len(broker.log)
    broker.start()
    broker.wait_for_log("Kafka Server started", since=seen)
    assert values(read_all(address, "kept")) == [b"%d" % number for number in range(100)]
    assert not broker.files("/tmp/kafka-logs/.kafka_cleanshutdown")


def test_another_cluster_id_is_refused(engine):
    """The directory belongs to one cluster. A restart with its own id is no change."""
    volume = ("--volume", f"{engine.volume()}:/var/lib/kafka/data", "--env", "KAFKA_LOG_DIRS=/var/lib/kafka/data")
    first = engine.run(*volume, *given({"CLUSTER_ID": CLUSTER_ID, **VARIABLES}))
    first.wait_until_healthy()
    assert first.stop() == 0
    second = engine.run(*volume, *given({"CLUSTER_ID": "5L6g3nShT-eMCtK--X86sw", **VARIABLES}))
    until(lambda: not second.state["Running"])
    assert second.state["ExitCode"] != 0
    assert CLUSTER_ID in second.log
    third = engine.run(*volume, *given({"CLUSTER_ID": CLUSTER_ID, **VARIABLES}))
    third.wait_until_healthy()


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"KAFKA_NUM_PARTITIONS": "many"}, ["num.partitions", "many"]),
        ({"KAFKA_LISTENERS": "PLAINTEXT://:9092"}, ["controller.listener.names"]),
        ({"KAFKA_PROCESS_ROLES": "controller", "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://x:1"}, ["KAFKA_ADVERTISED_LISTENERS"]),
        ({"KAFKA_ADVERTISED_LISTENERS": "SSL://x:9092"}, ["KAFKA_SSL_KEYSTORE_FILENAME"]),
        ({"KAFKA_ADVERTISED_LISTENERS": "SASL_PLAINTEXT://x:9092"}, ["KAFKA_OPTS"]),
    ],
    ids=["value", "contradiction", "controller", "ssl", "sasl"],
)
def test_what_cannot_be_is_said(engine, variables, words):
    broker = engine.run(*given({**VARIABLES, **variables}))
    until(lambda: not broker.state["Running"])
    assert broker.state["ExitCode"] not in (0, 137)
    for word in words:
        assert word in broker.log


def test_unknown_variables_do_not_stop_the_start(published):
    """Among them what images for Kafka take, and what Kubernetes sets in every container beside a service named kafka."""
    others = {
        "KAFKA_HEAP_OPTS": "-Xmx1G",
        "KAFKA_SHARE_COORDINATOR_STATE_TOPIC_MIN_ISR": "1",
        "KAFKA_UNSTABLE_API_VERSIONS_ENABLE": "true",
        "KAFKA_NUM_PARTITONS": "3",
        "KAFKA_SERVICE_HOST": "10.0.0.1",
        "KAFKA_PORT": "tcp://10.0.0.1:9092",
    }
    broker, _ = published(*given(others))
    broker.wait_until_healthy()
    (warning,) = [line for line in broker.log.splitlines() if "num.partitons" in line]
    assert " WARN " in warning and "num.partitions" in warning


def test_another_user(engine):
    """Whoever must not choose the user, as on OpenShift, gets one of the group 0."""
    broker = engine.run("--user", "123456:0")
    broker.wait_until_healthy()


def test_health_is_whether_it_answers(engine):
    """A broker that stands still holds its port and answers nothing."""
    broker = engine.run("--health-interval", "1s", "--health-timeout", "2s", "--health-retries", "1")
    broker.wait_until_healthy()
    broker.docker("kill", "--signal", "STOP")
    until(lambda: broker.state["Health"]["Status"] == "unhealthy")
    broker.docker("kill", "--signal", "CONT")
    broker.wait_until_healthy()
