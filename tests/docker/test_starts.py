"""How containers of the image start: by whom, with what, under which old paths; and what keeps them from it."""

import io
import os
import re
import tarfile

import pytest

from containers.engine import IMAGE, call, docker, wait_for

STARTED = r"\] INFO \[KafkaRaftServer nodeId=1\] Kafka Server started \(kafka\.server\.KafkaRaftServer\)"

#: What a node in both roles has to be told.
NODE = {
    "KAFKA_NODE_ID": "1",
    "KAFKA_PROCESS_ROLES": "broker,controller",
    "KAFKA_LISTENERS": "PLAINTEXT://:19092,CONTROLLER://:9093",
    "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:19092",
    "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
    "KAFKA_CONTROLLER_QUORUM_VOTERS": "1@localhost:9093",
}


def variables(**more):
    given = {**NODE, **more}
    return [word for name, value in given.items() for word in ("--env", f"{name}={value}")]


def once(*words, command=()):
    """A container that ends by itself; gives its exit code and what it said."""
    done = call(["docker", "run", "--rm", *words, os.environ[IMAGE], *command], check=False)
    return done.returncode, done.stdout + done.stderr


def tool(broker, name, *words, port=9092):
    return broker.execute(f"/opt/kafka/bin/{name}", "--bootstrap-server", f"localhost:{port}", *words).stdout


def mounted(engine, text):
    """A volume for /mnt/shared/config with this server.properties."""
    volume = engine.volume()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo("server.properties")
        entry.size = len(text)
        tar.addfile(entry, io.BytesIO(text.encode()))
    docker("run", "--rm", "--interactive", "--user", "root", "--volume", f"{volume}:/to", os.environ[IMAGE],
           "tar", "-x", "-C", "/to", input=archive.getvalue())
    return volume


def test_one_variable_switches_the_default_file_off(engine):
    code, said = once("--env", "KAFKA_NUM_PARTITIONS=3")
    assert code == 1 and 'Missing required configuration "process.roles" which has no default value.' in said
    broker = engine.run(*variables(CLUSTER_ID="any-text"))
    broker.wait_for_log(STARTED)
    assert "Running in KRaft mode..." in broker.log
    assert b"cluster.id=any-text" in broker.files("/tmp/kafka-logs/meta.properties")
    # The check finds the port, and groups work though their topic is to have three replicas.
    broker.wait_until_healthy()
    tool(broker, "kafka-console-producer.sh", "--topic", "t", port=19092)
    tool(broker, "kafka-console-consumer.sh", "--topic", "t", "--group", "g", "--timeout-ms", "3000", port=19092)
    assert tool(broker, "kafka-consumer-groups.sh", "--list", port=19092) == "g\n"


def test_listeners_follow_from_what_is_advertised_and_arguments_are_variables(engine):
    given = {name: value for name, value in NODE.items() if name != "KAFKA_LISTENERS"}
    given |= {"KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://elsewhere:7,CONTROLLER://elsewhere:8"}
    pairs = [f"{name}={value}" for name, value in given.items()]
    broker = engine.run(command=["/etc/kafka/docker/run", *pairs])
    broker.wait_for_log(STARTED)
    assert "===> Overriding env params with args ..." in broker.log
    assert "elsewhere:7 (id: 1 " in call(
        ["docker", "exec", broker.name, "kafka-broker-api-versions.sh", "--bootstrap-server", "localhost:7"]
    ).stdout


def test_what_kubernetes_says_of_a_service_called_kafka_is_no_setting(engine):
    said = {
        "KAFKA_SERVICE_HOST": "10.0.0.1",
        "KAFKA_SERVICE_PORT": "9092",
        "KAFKA_PORT": "tcp://10.0.0.1:9092",
        "KAFKA_PORT_9092_TCP": "tcp://10.0.0.1:9092",
        "KAFKA_PORT_9092_TCP_ADDR": "10.0.0.1",
    }
    broker = engine.run(*(word for name, value in said.items() for word in ("--env", f"{name}={value}")))
    broker.wait_for_log(STARTED)
    assert "WARN" not in broker.log and "ERROR" not in broker.log


def test_what_quarkus_sets_besides_does_not_stop_it(engine):
    broker = engine.run(
        *variables(
            KAFKA_GROUP_COORDINATOR_REBALANCE_PROTOCOLS="classic,consumer,share",
            KAFKA_UNSTABLE_API_VERSIONS_ENABLE="true",
            KAFKA_SHARE_COORDINATOR_STATE_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_LOG_FLUSH_INTERVAL_MESSAGES="9223372036854775807",
        )
    )
    broker.wait_for_log(STARTED)


@pytest.mark.parametrize(
    ("start", "step"), [("kafka", "/etc/kafka/docker/configureDefaults"), ("confluent", "/etc/confluent/docker/ensure")]
)
def test_a_stop_is_heard_while_the_script_runs(engine, start, step):
    """Process 1 hears only of signals that it handles; an engine that has to kill it gives 137."""
    script = f"echo 'echo in the middle; sleep 1' >> {step}; exec /etc/{start}/docker/run"
    container = engine.run(*variables(CLUSTER_ID="any-text"), command=["sh", "-c", script])
    container.wait_for_log("in the middle")
    assert container.stop() == 143


def test_a_stop_is_heard_while_the_broker_starts(engine):
    """Held up by a file of settings that nobody has finished writing."""
    script = "mkfifo /tmp/settings; echo made; exec ottla serve --config /tmp/settings"
    broker = engine.run(command=["sh", "-c", script])
    broker.wait_for_log("made")
    # It opens once the broker reads.
    docker("exec", "--detach", broker.name, "sh", "-c", "exec 3>/tmp/settings; echo > /tmp/read; sleep 1000")
    wait_for(lambda: broker.files("/tmp/read"), lambda: f"it does not read its settings:\n{broker.log}")
    assert broker.stop() == 143


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"KAFKA_PROCESS_ROLES": "broker"}, "must be broker,controller"),
        ({"KAFKA_PROCESS_ROLES": "controller"}, "KAFKA_ADVERTISED_LISTENERS is not supported on a KRaft controller."),
        ({"KAFKA_CONTROLLER_QUORUM_VOTERS": "1@a:1,2@b:1"}, "must name one voter"),
        ({"KAFKA_ADVERTISED_LISTENERS": "SSL://h:1"}, "KAFKA_SSL_KEYSTORE_FILENAME environment variable not set"),
        ({"KAFKA_LISTENERS": "SSL://:1,CONTROLLER://:9093"}, "asks for SSL, which is not built"),
        ({"KAFKA_NODE_ID": "one"}, "(given in $KAFKA_NODE_ID)"),
    ],
)
def test_what_it_cannot_be_is_refused_by_name(given, said):
    code, log = once(*variables(**given))
    assert code == 1 and said in log


def test_a_mistake_is_told_where_it_was_made(engine):
    config = mounted(engine, "process.roles=broker,controller\nnode.id=one\n")
    code, log = once("--volume", f"{config}:/mnt/shared/config")
    assert code == 1 and "(given in /mnt/shared/config/server.properties:2)" in log
    code, log = once(command=["/etc/kafka/docker/run", "A=b", "A B=c"])
    assert code == 1 and "the argument 'A B=c' is not NAME=VALUE" in log


def test_another_clusters_directory_is_refused(engine):
    volume = engine.volume()
    place = ("--volume", f"{volume}:/var/lib/kafka/data")
    broker = engine.run(*place, *variables(KAFKA_LOG_DIRS="/var/lib/kafka/data", CLUSTER_ID="one"))
    broker.wait_for_log(STARTED)
    broker.stop()
    code, log = once(*place, *variables(KAFKA_LOG_DIRS="/var/lib/kafka/data", CLUSTER_ID="two"))
    assert code == 1 and "belongs to the cluster one, not to two" in log


def test_a_volume_of_somebody_else_is_told_with_its_owner(engine):
    volume = engine.volume()
    code, log = once("--volume", f"{volume}:/elsewhere", *variables(KAFKA_LOG_DIRS="/elsewhere/data"))
    assert code == 1
    assert "/elsewhere belongs to user 0 and group 0 (mode 755), and this process runs as user 1000" in log


def test_any_user_of_the_superusers_group_will_do(engine):
    broker = engine.run("--user", "12345:0", *variables(KAFKA_LOG_DIRS="/var/lib/kafka/data/kafka"))
    broker.wait_for_log(STARTED)


def test_a_replaced_command_is_what_runs():
    assert once(command=["bash", "-c", "id -un; hostname -i; sleep 0; echo ${HOME}"])[1].splitlines()[0] == "appuser"
    assert once(command=["/bin/sh", "-c", "exit 7"])[0] == 7
    assert once(command=["kafka-server-start.sh"]) == (
        1, "USAGE: kafka-server-start.sh server.properties [--override property=value]*\n"
    )


def test_an_init_container_formats_what_another_serves(engine):
    volume = engine.volume()
    text = "".join(f"{name[6:].lower().replace('_', '.')}={value}\n" for name, value in NODE.items())
    config = mounted(engine, text + "log.dirs=/var/lib/kafka/data\n")
    place = ("--volume", f"{volume}:/var/lib/kafka/data", "--volume", f"{config}:/config")
    script = (
        "/opt/kafka/bin/kafka-storage.sh format -t $(/opt/kafka/bin/kafka-storage.sh random-uuid) "
        "-c /config/server.properties"
    )
    code, said = once(*place, command=["sh", "-c", script])
    assert code == 0 and said == "Formatting metadata directory /var/lib/kafka/data with metadata.version 4.1-IV1.\n"
    command = ["/opt/kafka/bin/kafka-server-start.sh", "/config/server.properties", "--override", "num.partitions=4"]
    broker = engine.run(*place, command=command)
    broker.wait_for_log(STARTED)
    tool(broker, "kafka-topics.sh", "--create", "--topic", "t", port=19092)
    assert "PartitionCount: 4" in tool(broker, "kafka-topics.sh", "--describe", "--topic", "t", port=19092)
    broker.wait_until_healthy()
    assert broker.stop() == 0


def test_a_broker_that_is_started_by_hand_is_healthy_on_its_own_port(engine):
    where = ["--listen", "0.0.0.0:19092", "--advertise", "localhost:19092"]
    words = ["serve", *where, "--data-dir", "/var/lib/kafka/data/by-hand"]
    engine.run(command=["ottla", *words]).wait_until_healthy()
    # Also where it is not process 1.
    engine.run("--init", command=["sh", "-c", f"ottla {' '.join(words)}; exit"]).wait_until_healthy()


#: What a module for Confluent's images puts into a container once it knows the port.
SCRIPTS = {
    "python": """
        sed -i '/KAFKA_ZOOKEEPER_CONNECT/d' /etc/confluent/docker/configure
        echo 'kafka-storage format --ignore-formatted -t MkU3OEVBNTcwNTJENDM2Qk -c /etc/kafka/kafka.properties' \
            >> /etc/confluent/docker/configure
        export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:19092
        . /etc/confluent/docker/bash-config
        /etc/confluent/docker/configure
        /etc/confluent/docker/launch
    """,
    "go": """
        . /etc/confluent/docker/bash-config
        export KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:19092
        echo 'kafka-storage format --ignore-formatted -t "$(kafka-storage random-uuid)" -c /etc/kafka/kafka.properties' \
            >> /etc/confluent/docker/configure
        echo '' > /etc/confluent/docker/ensure
        /etc/confluent/docker/configure
        /etc/confluent/docker/launch
    """,
    "run": "exec /etc/confluent/docker/run",
}


@pytest.mark.parametrize("script", SCRIPTS)
def test_confluents_paths_start_it_too(engine, script):
    given = variables(**({"CLUSTER_ID": "MkU3OEVBNTcwNTJENDM2Qk"} if script != "go" else {}))
    broker = engine.run(*given, command=["sh", "-c", SCRIPTS[script]])
    broker.wait_for_log(STARTED)
    broker.wait_until_healthy()
    cluster = re.search(rb"cluster\.id=(.*)", broker.files("/var/lib/kafka/data/meta.properties"))[1]
    assert len(cluster) == 22 and (script == "go" or cluster == b"MkU3OEVBNTcwNTJENDM2Qk")
