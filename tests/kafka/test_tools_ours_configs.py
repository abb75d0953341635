"""Our `kafka-configs.sh` beside Kafka's own, on the same running Ottla: line by line what they print, and their exit codes."""

import re

import pytest

from beside.ours import in_order
from harness.broker import Ottla
from harness.writing import create_topic

NAME = "kafka-configs.sh"


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    broker = lasting_brokers(Ottla).start()
    create_topic(broker.bootstrap, "plain")
    settings = {"retention.ms": "1234567", "min.insync.replicas": "1", "cleanup.policy": "compact,delete"}
    create_topic(broker.bootstrap, "with-settings", partitions=2, **settings)
    return broker


def entries_in_order(text):
    """As `in_order`; the quotas of a line stand in the order of a hash table too."""
    quotas = re.compile(r"^(Quota configs for .* are )(.*)$", re.M)
    return in_order(quotas.sub(lambda found: found[1] + ", ".join(sorted(found[2].split(", "))), text))


@pytest.mark.parametrize(
    "words",
    [
        "--describe --topic with-settings",
        "--describe --topic with-settings --all",
        "--describe --entity-type topics --entity-name plain",
        "--describe --entity-type topics",
        "--describe --topic nothing",
        "--describe --broker 1 --all",
        "--describe --broker 1",
        "--describe --broker 7",
        "--describe --broker x --all",
        "--describe --entity-type brokers --entity-default",
        "--describe --broker-defaults",
        "--describe",
        "--alter --topic plain --add-config retention.ms=70000",
        "--alter --topic plain --add-config cleanup.policy=[delete,compact],retention.ms=80000",
        "--alter --topic plain --add-config retention.ms",
        "--alter --topic plain --add-config retention.ms=soon",
        "--alter --topic plain --add-config no.such.setting=1",
        "--alter --topic plain --delete-config segment.bytes",
        "--alter --entity-type topics --add-config retention.ms=1",
        "--alter --topic plain",
        "--alter --describe --topic plain",
        "--alter --topic plain --add-config retention.ms=1=2",
        "--alter --topic plain --add-config retention.ms=90000,,cleanup.policy=delete",
        "--alter --topic plain --add-config retention.ms=90000,",
        "--alter --topic plain --add-config re/tention.ms=90000",
        "--alter --topic plain --add-config retention.ms=90000 --add-config-file x",
        "--alter --topic plain --add-config-file nothing.properties",
        "--describe --topic a/b",
        "--describe --entity-type topics --entity-default",
        "--describe --entity-type tables",
        "--describe --topic plain --broker 1",
        "--describe --entity-type topics --entity-name plain --topic plain",
        "--describe --entity-type topics --entity-type topics",
        "--describe --entity-type brokers --entity-default --all",
        "--alter --broker 1 --add-config log.cleaner.threads=1",
        "--alter --broker-defaults --delete-config no.such.setting",
        "--alter --broker-defaults --add-config log.retention.ms=987654321",
        "--describe --broker-defaults",
        "--alter --entity-type brokers --add-config log.retention.ms=1",
        "--describe --broker-logger 1",
        "--describe --entity-type broker-loggers --entity-name x",
        "--describe --entity-type broker-loggers",
        "--alter --broker-logger 1 --add-config kafka.server.KafkaApis=DEBUG",
        "--alter --group waiting --add-config consumer.session.timeout.ms=46000,consumer.heartbeat.interval.ms=5500",
        "--alter --group waiting --add-config consumer.session.timeout.ms=1",
        "--describe --group waiting",
        "--describe --group waiting --all",
        "--describe --group nothing",
        "--describe --entity-type groups",
        "--alter --client-metrics watch --add-config interval.ms=30000,metrics=[org.apache,a.b],match=[client_id=x]",
        "--describe --client-metrics watch",
        "--describe --client-metrics watch --all",
        "--describe --client-metrics nothing",
        "--describe --entity-type client-metrics",
        "--alter --client-metrics watch --add-config nonsense=1",
        "--alter --client slow --add-config producer_byte_rate=1024,consumer_byte_rate=12345678.5,request_percentage=0.0005",
        "--describe --client slow",
        "--describe --entity-type clients --entity-name slow",
        "--alter --client-defaults --add-config producer_byte_rate=10000000",
        "--describe --client-defaults",
        "--describe --entity-type clients --entity-default",
        "--describe --entity-type clients",
        "--alter --client slow --delete-config request_percentage",
        "--alter --client slow --add-config producer_byte_rate=fast",
        "--alter --client slow --add-config producer_byte_rate=-1",
        "--alter --client slow --add-config retention.ms=1",
        "--alter --client slow --add-config SCRAM-SHA-256=[password=x]",
        "--alter --entity-type clients --add-config producer_byte_rate=1",
        "--alter --user one --add-config producer_byte_rate=2048",
        "--alter --user-defaults --add-config consumer_byte_rate=4096",
        "--alter --user one --client slow --add-config producer_byte_rate=77",
        "--alter --entity-type users --entity-type clients --entity-name one --entity-default --add-config producer_byte_rate=78",
        "--alter --entity-type clients --entity-type users --entity-name slow --entity-default --add-config producer_byte_rate=79",
        "--describe --user one --client slow",
        "--describe --entity-type users --entity-type clients",
        "--describe --entity-type users --entity-type clients --entity-name one",
        "--describe --user-defaults",
        "--alter --user-defaults --add-config SCRAM-SHA-256=[password=x]",
        "--alter --user one --add-config no_such_quota=1",
        "--alter --user one --topic plain --add-config producer_byte_rate=1",
        "--alter --ip 10.0.0.1 --add-config connection_creation_rate=5",
        "--alter --ip-defaults --add-config connection_creation_rate=50",
        "--describe --ip 10.0.0.1",
        "--describe --entity-type ips",
        "--alter --ip 10.0.0.1 --add-config producer_byte_rate=5",
    ],
)
def test_configs(broker, tools, words):
    tools.same(NAME, "--bootstrap-server", broker.bootstrap, *words.split(), even_out=entries_in_order)


def test_settings_of_a_topic_are_set_and_taken_away(broker, tools):
    create_topic(broker.bootstrap, "altered")

    def configs(words):
        done = tools.run(NAME, "--bootstrap-server", broker.bootstrap, "--topic", "altered", *words.split())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert configs("--alter --add-config retention.ms=60000,max.message.bytes=1000") == "Completed updating config for topic altered.\n"
    assert "  retention.ms=60000 sensitive=false" in configs("--describe")
    configs("--alter --delete-config retention.ms --add-config max.message.bytes=2000")
    described = configs("--describe")
    assert "retention.ms" not in described and "max.message.bytes=2000" in described


@pytest.mark.parametrize(
    "entity, setting, other",
    [
        ("--topic plain", "segment.ms=777777", "index.interval.bytes=77"),
        ("--broker 1", "log.cleaner.threads=1", "background.threads=9"),
        ("--broker-defaults", "log.retention.ms=987654321", "num.io.threads=7"),
        ("--group waiting", "consumer.session.timeout.ms=47000", "consumer.heartbeat.interval.ms=5600"),
        ("--client-metrics watch", "interval.ms=30000", "metrics=a.b"),
        ("--client fast", "request_percentage=5", "producer_byte_rate=7"),
        ("--ip 10.0.0.2", "connection_creation_rate=4", None),
    ],
)
def test_what_was_set_is_taken_away(broker, tools, entity, setting, other):
    entity = ["--bootstrap-server", broker.bootstrap, *entity.split()]
    names = [each.split("=")[0] for each in (setting, other) if each]

    def told(run):
        def done(*words):
            done = run(NAME, *entity, *words)
            assert done.returncode == 0, done.stdout + done.stderr
            return entries_in_order(done.stdout)

        set_both = done("--alter", "--add-config", ",".join(each for each in (setting, other) if each))
        one, both = done("--describe"), done("--alter", "--delete-config", ",".join(names))
        assert setting.split("=")[0] in str(one)
        return set_both, one, both, done("--describe")

    assert told(tools.run) == told(tools.run_kafkas)


def test_quotas_of_users_are_shown(broker, tools):
    """Kafka's tool ends with an error behind them, since the broker has no SCRAM credentials to describe."""
    words = ["--bootstrap-server", broker.bootstrap]
    tools.same(NAME, *words, "--alter", "--user", "shown", "--add-config", "producer_byte_rate=1.5")
    for each in (["--user", "shown"], ["--entity-type", "users"], ["--user", "nobody"]):
        ours, theirs = tools.both(NAME, *[[*words, "--describe", *each]] * 2)
        assert entries_in_order(ours.stdout) == entries_in_order(theirs.stdout), (ours, theirs)
        assert ours.returncode == 0 and not ours.stderr


def test_scram_credentials_are_refused_by_name(broker, tools):
    words = ["--bootstrap-server", broker.bootstrap, "--alter", "--user", "one"]
    done = tools.run(NAME, *words, "--add-config", "SCRAM-SHA-512=[password=x]")
    assert done.returncode == 1 and done.stderr.startswith("SCRAM-SHA-512 is not supported"), done


def test_settings_come_from_a_file(broker, tools, tmp_path):
    file = tmp_path / "settings.properties"
    file.write_text("# of a topic\nretention.ms = 4711\ncleanup.policy=compact,delete\n")
    create_topic(broker.bootstrap, "from-file")
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "from-file"]
    tools.same(NAME, *words, "--alter", "--add-config-file", file)
    said = tools.same(NAME, *words, "--describe", even_out=entries_in_order)
    assert "  retention.ms=4711 " in said and "  cleanup.policy=compact,delete " in said
