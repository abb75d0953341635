"""GetTelemetrySubscriptions and PushTelemetry (KIP-714), sent to Kafka and to Ottla, have the same outcome; and what confluent-kafka
pushes by itself arrives at both. Kafka asks for metrics only with a plugin, which is compiled here."""

import gzip
import pathlib
import re
import subprocess
import time
import uuid

import confluent_kafka
import pytest

from beside.raw import PATIENCE, Closed, Connection
from harness.broker import JARS, Kafka, Ottla

SOURCE = pathlib.Path(__file__).with_name("TelemetryReporter.java")
CLIENT_METRICS = 16
NOBODY = uuid.UUID(int=0)


def gauge():
    """A gauge `g` of 1, as OpenTelemetry's `MetricsData`."""
    message = bytes([0x31]) + (1).to_bytes(8, "little")
    for head in (b"\x0a", b"\x0a\x01g\x2a", b"\x12", b"\x12", b"\x0a"):
        message = head + bytes([len(message)]) + message
    return message


class KafkaWithReporter(Kafka):
    classes = None

    @classmethod
    def java(cls, *words):
        command = super().java(*words)
        place = command.index("-cp") + 1
        command[place] += f":{cls.classes}"
        return command


@pytest.fixture(scope="module")
def pair(lasting_brokers, tmp_path_factory):
    KafkaWithReporter.classes = tmp_path_factory.mktemp("classes")
    libraries = JARS[Kafka.jars] + "/*"
    subprocess.run(["javac", "-cp", libraries, "-d", KafkaWithReporter.classes, SOURCE], check=True, timeout=PATIENCE)
    most = {"telemetry_max_bytes": 5000}
    ottla = lasting_brokers(Ottla, ottla_client_telemetry="log", **most)
    kafka = lasting_brokers(KafkaWithReporter, metric_reporters="TelemetryReporter", **most)
    return ottla.start(), kafka.start()


def subscribe(broker, name, **pairs):
    configs = [
        {"name": key.replace("_", "."), "config_operation": 0, "value": str(value)} for key, value in pairs.items()
    ]
    resource = {"resource_type": CLIENT_METRICS, "resource_name": name, "configs": configs}
    with Connection(broker.address) as connection:
        answer = connection.ask("IncrementalAlterConfigs", 1, resources=[resource], validate_only=False)
    return answer["responses"][0]["error_code"]


def unsubscribe(broker, name, *keys):
    configs = [{"name": key.replace("_", "."), "config_operation": 1, "value": None} for key in keys]
    resource = {"resource_type": CLIENT_METRICS, "resource_name": name, "configs": configs}
    with Connection(broker.address) as connection:
        connection.ask("IncrementalAlterConfigs", 1, resources=[resource], validate_only=False)


def wanted(connection, instance=NOBODY):
    answer = connection.ask("GetTelemetrySubscriptions", 0, client_instance_id=instance)
    answer["requested_metrics"].sort()
    return answer


def until_wanted(broker, client_id, metrics):
    """Kafka's broker follows its controller a moment later."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with Connection(broker.address, client_id) as connection:
            if wanted(connection)["requested_metrics"] == metrics:
                return
        time.sleep(0.05)
    raise AssertionError(f"{client_id} is never asked for {metrics}")


def code(connection, told, **changes):
    pushed = {
        "client_instance_id": told["client_instance_id"],
        "subscription_id": told["subscription_id"],
        "terminating": False,
        "compression_type": 0,
        "metrics": gauge(),
    }
    return connection.ask("PushTelemetry", 0, **{**pushed, **changes})["error_code"]


def story(broker):
    """What a client meets, step by step."""
    seen = {}
    subscribe(broker, "all-of-a", metrics="a.,b.", interval_ms=600_000, match="client_id=a.*")
    subscribe(broker, "some-of-a", metrics="b.,c.", interval_ms=100_000, match="client_id=ab, client_source_address=127.0.0.1")
    until_wanted(broker, "ab", ["a.", "b.", "c."])
    with Connection(broker.address, "ab") as connection:
        told = wanted(connection)
        seen["told"] = {**told, "client_instance_id": "id", "subscription_id": "number"}
        assert told["client_instance_id"] != NOBODY
        seen["asked again"] = wanted(connection, told["client_instance_id"])["error_code"]
        seen["pushed"] = code(connection, told)
        seen["pushed again"] = code(connection, told)
        seen["last"] = code(connection, told, terminating=True)
        seen["after the last"] = code(connection, told)
        seen["after that"] = code(connection, told)
    for name, client_id in (("a alone", "ax"), ("another", "xa")):
        with Connection(broker.address, client_id) as connection:
            told = wanted(connection)
            seen[name] = told["requested_metrics"], told["push_interval_ms"]
    strange = {
        "nobody": {"client_instance_id": NOBODY},
        "reserved": {"client_instance_id": uuid.UUID(int=1)},
        "another number": {"subscription_id": 12345},
        "no codec": {"compression_type": 5},
        "a negative codec": {"compression_type": -1},
        "too large": {"metrics": bytes(5001)},
        "as large as may be, and no metrics": {"metrics": b"\xff" * 5000},
        "empty": {"metrics": b""},
        "gzip": {"compression_type": 1, "metrics": gzip.compress(gauge())},
        "not gzip": {"compression_type": 1},
        "not snappy": {"compression_type": 2},
        "not lz4": {"compression_type": 3},
        "not zstd": {"compression_type": 4},
    }
    for name, changes in strange.items():
        with Connection(broker.address, "ab") as connection:
            told = wanted(connection)
            seen[name] = code(connection, told, **changes)
            seen[f"{name}, asked"] = wanted(connection, told["client_instance_id"])["error_code"]
    with Connection(broker.address, "ab") as connection:
        told = wanted(connection)
        subscribe(broker, "more-of-a", metrics="d.", match="client_id=ab")
        until_wanted(broker, "ab", ["a.", "b.", "c.", "d."])
        seen["changed"] = code(connection, told)
        again = wanted(connection, told["client_instance_id"])
        seen["asked after a change"] = again["error_code"], again["requested_metrics"]
        seen["pushed at once"] = code(connection, again)
        assert again["subscription_id"] != told["subscription_id"]
    with Connection(broker.address, "ab") as connection:
        seen["a stranger"] = code(connection, {**told, "client_instance_id": uuid.uuid4()})
    for name in ("all-of-a", "some-of-a", "more-of-a"):
        unsubscribe(broker, name, "metrics", "interval_ms", "match")
    until_wanted(broker, "ab", [])
    with Connection(broker.address, "ab") as connection:
        told = wanted(connection)
        seen["nothing"] = told["requested_metrics"], told["push_interval_ms"], told["error_code"]
    return seen


def test_what_a_client_meets_is_the_same(pair):
    ours, theirs = (story(broker) for broker in pair)
    assert ours == theirs


def test_patterns_that_cannot_be_read_are_refused(pair):
    for pattern in ("client_id=(", "client_id", "client=a", "client_id=", "client_id=a=b", "client_id=[a", "client_id=a,,client_id=b"):
        ours, theirs = (subscribe(broker, "odd", metrics="*", match=pattern) for broker in pair)
        assert ours == theirs != 0, pattern
    assert [subscribe(broker, "odd", metrics="*", match="client_id=nobody=") for broker in pair] == [0, 0]


def test_both_are_offered_where_they_are_on_and_only_there(pair, brokers):
    def offered(broker):
        with Connection(broker.address) as connection:
            keys = connection.ask("ApiVersions", 3, client_software_name="raw", client_software_version="1")["api_keys"]
        return [(key["api_key"], key["min_version"], key["max_version"]) for key in keys if key["api_key"] in (71, 72)]

    assert [offered(broker) for broker in pair] == [[(71, 0, 0), (72, 0, 0)]] * 2
    off = brokers(Ottla).start()
    assert offered(off) == []
    with Connection(off.address) as connection, pytest.raises(Closed):
        wanted(connection)


def names(broker):
    """The metrics that arrived from the client, by their names, of all pushes and of the last one."""
    found, last = set(), False
    for line in broker.lines():
        ours = re.search(r"client metrics: (.*?)(?: client_id=| \{|$)", line) if "pusher" in line else None
        theirs = re.search(r"pushed by .*pusher.*: last=(\w+) (.*)", line)
        if ours:
            found |= {point.split("{")[0].split("=")[0] for point in re.findall(r"\S+?(?:\{.*?\})?=\S+", ours.group(1))}
            last |= "is_last=true" in line
        elif theirs:
            found |= set(theirs.group(2).split())
            last |= theirs.group(1) == "true"
    return found, last


def test_what_confluent_kafka_pushes_arrives(pair):
    arrived = []
    for broker in pair:
        subscribe(broker, "pusher", metrics="*", interval_ms=200, match="client_id=pusher,client_software_name=confluent.*")
        producer = confluent_kafka.Producer({"bootstrap.servers": broker.bootstrap, "client.id": "pusher"})
        deadline = time.monotonic() + PATIENCE
        while not names(broker)[0] and time.monotonic() < deadline:
            producer.produce("telemetry", b"x")
            producer.poll(0.1)
        producer.flush(PATIENCE)
        del producer
        while not names(broker)[1] and time.monotonic() < deadline:
            time.sleep(0.05)
        arrived.append(names(broker))
    assert arrived[0] == arrived[1]
    assert "org.apache.kafka.producer.connection.creation.total" in arrived[0][0] and arrived[0][1], arrived[0]
