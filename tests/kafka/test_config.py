"""What a `server.properties` may say: Ottla takes what Kafka takes, and refuses what keeps Kafka from starting."""

import pathlib
import subprocess

import pytest

from harness.broker import Kafka, Ottla

SOURCE = pathlib.Path(__file__).with_name("CheckConfigs.java")

SOUND = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.voters": "1@localhost:9093",
    "controller.listener.names": "CONTROLLER",
    "listeners": "PLAINTEXT://:9092,CONTROLLER://:9093",
    "advertised.listeners": "PLAINTEXT://localhost:9092",
    "log.dirs": "/data",
}
MAP = "listener.security.protocol.map"
THREE = {
    "listeners": "IN://:19092,OUT://:9092,C://:29093",
    "advertised.listeners": "OUT://localhost:9092,IN://broker:19092",
    "controller.listener.names": "C",
    MAP: "IN:PLAINTEXT,OUT:PLAINTEXT,C:PLAINTEXT",
}

#: What is changed in `SOUND`; None: not given.
BOTH_TAKE = [
    {},
    {"process.roles": "controller, broker"},
    {"controller.quorum.voters": None, "controller.quorum.bootstrap.servers": "localhost:9093"},
    {"controller.quorum.bootstrap.servers": "localhost:9093"},
    {"node.id": None, "broker.id": "1"},
    {"node.id": "1", "broker.id": "1"},
    {"advertised.listeners": "PLAINTEXT://localhost:9092,CONTROLLER://localhost:9093"},
    {"inter.broker.listener.name": "PLAINTEXT"},
    {"security.inter.broker.protocol": "PLAINTEXT"},
    THREE | {"inter.broker.listener.name": "IN"},
    THREE | {"inter.broker.listener.name": "IN", "advertised.listeners": "IN://broker:19092"},
    {
        "listeners": "PLAINTEXT://127.0.0.1:9092,SIX://[::1]:9092,CONTROLLER://:9093",
        MAP: "PLAINTEXT:PLAINTEXT,SIX:PLAINTEXT,CONTROLLER:PLAINTEXT",
    },
    {"replica.fetch.wait.max.ms": "30000"},
    {"max.connections.per.ip.overrides": "localhost:5,127.0.0.1:6"},
    {MAP: "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL"},
    {"num.io.threads": "1", "log.cleaner.threads": "2", "no.such.key": "x"},
    {"log.retention.ms": "-1", "compression.type": "zstd", "auto.create.topics.enable": "FALSE"},
]
BOTH_REFUSE = [
    {"process.roles": "broker,broker,controller"},
    {"process.roles": "zookeeper"},
    {"node.id": None},
    {"node.id": "-1"},
    {"broker.id": "2"},
    {"controller.quorum.voters": None},
    {"controller.quorum.voters": "2@localhost:9093"},
    {"controller.quorum.voters": "localhost:9093"},
    {"controller.quorum.voters": "one@localhost:9093"},
    {"controller.quorum.voters": "1@localhost"},
    {"controller.quorum.bootstrap.servers": "localhost"},
    {"controller.listener.names": None},
    {"controller.listener.names": "OTHER"},
    {"controller.listener.names": "controller"},
    {"controller.listener.names": "PLAINTEXT,CONTROLLER"},
    {"listeners": ""},
    {"listeners": "PLAINTEXT://:9092,CONTROLLER://:9092"},
    {"listeners": "PLAINTEXT://:9092,PLAINTEXT://:9094,CONTROLLER://:9093"},
    {"listeners": "PLAINTEXT://127.0.0.1:9092,PLAINTEXT://[::1]:9092,CONTROLLER://:9093"},
    {"listeners": "PLAINTEXT:9092,CONTROLLER://:9093"},
    {"advertised.listeners": "PLAINTEXT://0.0.0.0:9092"},
    {"advertised.listeners": "OTHER://localhost:9092"},
    {"advertised.listeners": "CONTROLLER://localhost:9093"},
    {"advertised.listeners": None, "listeners": "PLAINTEXT://0.0.0.0:9092,CONTROLLER://:9093"},
    {"inter.broker.listener.name": "OTHER"},
    {"inter.broker.listener.name": "CONTROLLER"},
    {"inter.broker.listener.name": "PLAINTEXT", "security.inter.broker.protocol": "PLAINTEXT"},
    {"security.inter.broker.protocol": "TLS"},
    THREE,
    THREE | {"inter.broker.listener.name": "OUT", "advertised.listeners": "IN://broker:19092"},
    {MAP: "PLAINTEXT:PLAINTEXT"},
    {MAP: "PLAINTEXT:PLAINTEXT,CONTROLLER:TLS"},
    {MAP: "PLAINTEXT,CONTROLLER:PLAINTEXT"},
    {"num.io.threads": "0"},
    {"num.partitions": "none"},
    {"num.partitions": ""},
    {"compression.type": "brotli"},
    {"log.retention.ms": "0"},
    {"log.cleaner.dedupe.buffer.size": "1000"},
    {"queued.max.request.bytes": "1000"},
    {"replica.fetch.wait.max.ms": "40000"},
    {"connection.failed.authentication.delay.ms": "700000"},
    {"max.connections.per.ip": "0"},
    {"max.connections.per.ip.overrides": "one:two:three"},
]


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """Ottla's verdict and Kafka's for a file with these changes."""
    directory = tmp_path_factory.mktemp("configs")
    files = []
    for number, changes in enumerate(BOTH_TAKE + BOTH_REFUSE):
        pairs = {key: value for key, value in (SOUND | changes).items() if value is not None}
        file = directory / f"{number}.properties"
        file.write_text("".join(f"{key}={value}\n" for key, value in pairs.items()))
        files.append(file)
    command = [str(word) for word in Kafka.java(SOURCE, *files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    theirs = [line for line in done.stdout.splitlines() if line.startswith(("sound", "refused"))]
    assert len(theirs) == len(files), done.stdout + done.stderr
    ours = [check(file) for file in files]
    verdicts = list(zip(ours, theirs))
    return lambda changes: verdicts[(BOTH_TAKE + BOTH_REFUSE).index(changes)]


def check(file):
    command = [Ottla.binary(), "config", "--show", "--config", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 2), done
    return "sound" if done.returncode == 0 else f"refused: {done.stderr.strip()}"


@pytest.mark.parametrize("changes", BOTH_TAKE, ids=str)
def test_what_kafka_takes_is_taken(verdicts, changes):
    assert verdicts(changes) == ("sound", "sound")


@pytest.mark.parametrize("changes", BOTH_REFUSE, ids=str)
def test_what_keeps_kafka_from_starting_is_refused(verdicts, changes):
    ours, theirs = verdicts(changes)
    assert ours.startswith("refused: ") and theirs.startswith("refused: "), (ours, theirs)
