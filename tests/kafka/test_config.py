"""What a `server.properties` may say: Ottla takes what Kafka takes, and refuses what keeps Kafka from starting."""

import pathlib
import subprocess

import pytest
from confluent_kafka.admin import AdminClient

from harness.broker import HOST, Kafka, Ottla, free_port
from harness.process import Process
from harness.reading import read_all
from harness.writing import create_topic, write_confluent

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
    {"listeners": " PLAINTEXT://:9092 , CONTROLLER://:9093 ,", "log.dirs": "/data,"},
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
    {"max.connections.per.ip": "0", "max.connections.per.ip.overrides": "localhost:5"},
    {"early.start.listeners": "PLAINTEXT, CONTROLLER"},
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
    {"early.start.listeners": "plaintext"},
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


def started(command, line):
    process = Process([str(word) for word in command])
    process.wait_for_line(line)
    return process


def test_one_file_starts_ottla_and_kafka_in_turn(tmp_path):
    """The same `server.properties`, unchanged, on the same directory: with two listeners for clients, each at its own address."""
    inside, outside, controller = free_port(), free_port(), free_port()
    pairs = SOUND | {
        "controller.quorum.voters": f"1@{HOST}:{controller}",
        "listeners": f"IN://:{inside},OUT://:{outside},C://{HOST}:{controller}",
        "advertised.listeners": f"OUT://localhost:{outside},IN://{HOST}:{inside}",
        "controller.listener.names": "C",
        MAP: "IN:PLAINTEXT,OUT:PLAINTEXT,C:PLAINTEXT",
        "inter.broker.listener.name": "IN",
        "log.dirs": str(tmp_path / "data"),
        "offsets.topic.replication.factor": "1",
    }
    file = tmp_path / "server.properties"
    file.write_text("".join(f"{key}={value}\n" for key, value in pairs.items()))
    ottla = [Ottla.binary(), "--config", file]
    kafka = Kafka.java("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info", "kafka.Kafka", file)
    turns = [(ottla, f"ottla ready on .*:{outside} for OUT", 0), (kafka, r"Kafka Server started", 143)] * 2
    written = []
    for number, (command, line, code) in enumerate(turns):
        process = started(command, line)
        try:
            told = {port: AdminClient({"bootstrap.servers": f"{HOST}:{port}"}).list_topics(timeout=60) for port in (inside, outside)}
            assert {(node.host, node.port) for node in told[inside].brokers.values()} == {(HOST, inside)}
            assert {(node.host, node.port) for node in told[outside].brokers.values()} == {("localhost", outside)}
            if number == 0:
                create_topic(f"{HOST}:{inside}", "test", partitions=-1)
            values = [(b"k", b"%d" % number, [])]
            write_confluent(f"{HOST}:{inside if number % 2 else outside}", "test", values)
            written.append(b"%d" % number)
            assert [record.value for record in read_all(f"{HOST}:{outside}", "test")] == written
            assert process.terminate() == code
        finally:
            if process.running:
                process.kill9()
