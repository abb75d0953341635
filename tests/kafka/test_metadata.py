"""Snapshots of the metadata log: Kafka takes Ottla's, and nothing that Kafka keeps in its metadata is lost in them."""

import json

from beside.java import run_tool
from harness.broker import Kafka, Ottla, free_port
from harness.reading import read_all
from harness.waiting import until
from harness.writing import create_topic, write_confluent

# A snapshot whenever something has changed, and nothing older than the newest.
EAGER = {
    "metadata.log.max.record.bytes.between.snapshots": "1",
    "metadata.max.retention.bytes": "1",
}
# What there is of these after Kafka made them is there for ever.
KEPT = (
    "ACCESS_CONTROL_ENTRY_RECORD",
    "CLIENT_QUOTA_RECORD",
    "CONFIG_RECORD",
    "DELEGATION_TOKEN_RECORD",
    "FEATURE_LEVEL_RECORD",
    "PARTITION_RECORD",
    "TOPIC_RECORD",
    "USER_SCRAM_CREDENTIAL_RECORD",
)


def metadata_dir(broker):
    return broker.data_dir / "__cluster_metadata-0"


def is_trimmed(broker):
    """Whether the beginning of the log is gone, and a snapshot stands in for it."""
    whole = list(metadata_dir(broker).glob("*.checkpoint"))
    return len(whole) == 1 and not (metadata_dir(broker) / f"{0:020}.log").exists()


def newest(broker):
    return max((file.name for file in metadata_dir(broker).glob("*.checkpoint")), default="")


def trim(ottla, names):
    """Makes topics until Ottla has written two snapshots since, and so lets the log begin with the second."""
    for name in names:
        before = newest(ottla)
        create_topic(ottla.bootstrap, name, partitions=2, retention_ms=7200000)
        until(lambda before=before: newest(ottla) > before)
    until(lambda: is_trimmed(ottla))


def records(broker, files):
    """Type and data of the metadata records in the files, as Kafka's tool prints them."""
    text = Kafka.dump_log(kafka_tool(broker), *files, flags=("--cluster-metadata-decoder",))
    lines = (line.partition(" payload: ")[2] for line in text.splitlines())
    return [json.loads(line) for line in lines if line]


def kafka_tool(broker):
    return Kafka(broker.directory)


def kept(records):
    """The state that these records come to, as far as it must not be lost."""
    found = set()
    for record in records:
        data = record["data"]
        # Who leads in which epoch changes with each start; a configuration without a value was taken back.
        if record["type"] in KEPT and data.get("value", "") is not None:
            fixed = {key: value for key, value in data.items() if "Epoch" not in key and key not in ("leader", "isr")}
            found.add((record["type"], json.dumps(fixed, sort_keys=True)))
    return found


def test_kafka_goes_on_from_a_log_that_ottla_trimmed(brokers):
    ottla = brokers(Ottla, **EAGER).start()
    trim(ottla, ("one", "two", "three"))
    for name in ("one", "two", "three"):
        write_confluent(ottla.bootstrap, name, [(b"k", name.encode(), [])])
    ottla.kill9()
    ottla.start()
    create_topic(ottla.bootstrap, "four")
    ottla.stop()

    kafka = brokers.kafka_on(ottla).start()
    for name in ("one", "two", "three"):
        values = [record.value for index in (0, 1) for record in read_all(kafka.bootstrap, name, index)]
        assert values == [name.encode()]
    done = run_tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", kafka.bootstrap, "--describe")
    assert done.stdout.count("Configs: ") and done.stdout.count("retention.ms=7200000") == 3, done.stdout
    write_confluent(kafka.bootstrap, "four", [(b"k", b"by Kafka", [])])
    create_topic(kafka.bootstrap, "five")
    kafka.stop()

    ottla.start()
    assert [record.value for record in read_all(ottla.bootstrap, "four")] == [b"by Kafka"]
    assert read_all(ottla.bootstrap, "five") == []


def test_what_only_kafka_acts_on_survives_ottlas_snapshots(brokers, tmp_path):
    sasl = free_port()
    kafka = brokers(Kafka)
    kafka.settings = secured(kafka, sasl)
    kafka.start()
    make_all_kinds(kafka, sasl, tmp_path)
    kafka.stop()
    before = kept(records(kafka, sorted(metadata_dir(kafka).glob("*.log"))))
    assert {kind for kind, _ in before} == set(KEPT)

    ottla = brokers(Ottla, **EAGER)
    ottla.data_dir = kafka.data_dir
    ottla.expect_in_log("does not act on")
    ottla.start()
    trim(ottla, ("by-ottla", "by-ottla-too"))
    ottla.stop()
    [snapshot] = metadata_dir(ottla).glob("*.checkpoint")
    after = kept(records(ottla, [snapshot]))
    assert before - after == set()
    assert {json.loads(text)["name"] for kind, text in after - before if kind == "TOPIC_RECORD"} == {"by-ottla", "by-ottla-too"}

    # Kafka has nothing but that snapshot and what came after it.
    kafka.start()
    described = run_tool(
        "kafka.admin.ConfigCommand",
        *("--bootstrap-server", kafka.bootstrap, "--describe", "--entity-type", "users", "--entity-name", "alice"),
    )
    assert "SCRAM-SHA-256=iterations=4096" in described.stdout, described.stdout + described.stderr
    rules = run_tool("org.apache.kafka.tools.AclCommand", "--bootstrap-server", kafka.bootstrap, "--list")
    assert "User:alice" in rules.stdout, rules.stdout + rules.stderr
    kafka.stop()


def secured(kafka, sasl):
    """Kafka that knows access rules and delegation tokens: those take a client who said who it is."""
    kafka.directory.mkdir(parents=True)
    kafka.port, kafka._controller_port = free_port(), free_port()
    listeners = f"PLAINTEXT://{kafka.address},SASL://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{kafka._controller_port}"
    login = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="admin" password="s" user_admin="s";'
    return {
        "listeners": listeners,
        "advertised.listeners": f"PLAINTEXT://{kafka.address},SASL://127.0.0.1:{sasl}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
        "sasl.enabled.mechanisms": "PLAIN",
        "listener.name.sasl.plain.sasl.jaas.config": login,
        "delegation.token.secret.key": "secret",
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS;User:admin",
    }


def make_all_kinds(kafka, sasl, tmp_path):
    """Everything that metadata can hold, made with Kafka's own tools."""
    module = "org.apache.kafka.common.security.plain.PlainLoginModule"
    (tmp_path / "client").write_text(
        "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\n"
        f'sasl.jaas.config={module} required username="admin" password="s";\n'
    )

    def tool(name, *words):
        done = run_tool(name, "--bootstrap-server", kafka.bootstrap, *words)
        assert done.returncode == 0, done.stdout + done.stderr

    def configure(kind, name, config):
        entity = ("--entity-default",) if name is None else ("--entity-name", name)
        tool("kafka.admin.ConfigCommand", "--alter", "--entity-type", kind, *entity, "--add-config", config)

    create_topic(kafka.bootstrap, "kept", partitions=2, retention_ms=7200000)
    tool("org.apache.kafka.tools.AclCommand", "--add", "--allow-principal", "User:alice", "--operation", "Read", "--topic", "kept")
    configure("users", "alice", "SCRAM-SHA-256=[password=secret]")
    configure("users", None, "consumer_byte_rate=2048")
    configure("brokers", "1", "log.cleaner.threads=2")
    configure("client-metrics", "all", "interval.ms=5000,metrics=org.apache.kafka")
    configure("groups", "mine", "consumer.session.timeout.ms=50000")
    done = run_tool(
        "org.apache.kafka.tools.DelegationTokenCommand",
        *("--bootstrap-server", f"127.0.0.1:{sasl}", "--command-config", tmp_path / "client"),
        *("--create", "--max-life-time-period", "-1", "--renewer-principal", "User:bob"),
    )
    assert done.returncode == 0, done.stdout + done.stderr
