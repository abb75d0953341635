"""kafka-configs.sh, kafka-topics.sh --describe, and the admin clients of confluent-kafka and kafka-python on configurations:
with Ottla they show and do what they show and do with Kafka. And Kafka, started on Ottla's directory, has the same ones."""

import re
import time

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource, ResourceType
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource as PythonResource
from kafka.admin import ConfigResourceType
from kafka.errors import KafkaError

from harness.broker import Ottla
from harness.writing import create_topic
from test_tools_admin import printed, same_lines

PATIENCE = 30


def settled(show):
    """Kafka's broker follows its controller a moment later: what is shown, once it stays the same."""
    before = None
    for _ in range(20):
        now = show()
        if now == before:
            return now
        before = now
        time.sleep(0.3)
    raise AssertionError("it never settles")


def configs(side, *words):
    def run():
        code, lines = printed(side, "kafka.admin.ConfigCommand", *words)
        # Java's maps have no order.
        return code, sorted(re.sub(r"synonyms=\{(.*)\}", in_order, line) for line in lines)

    return settled(run) if "--describe" in words else run()


def in_order(synonyms):
    return f"synonyms={{{', '.join(sorted(synonyms[1].split(', ')))}}}"


def test_kafka_configs(sides):
    def story(side):
        topic, group = side.topic(retention_ms=5), side.group()
        of_topic = ["--entity-type", "topics", "--entity-name", topic]
        of_all = ["--entity-type", "brokers", "--entity-default"]
        of_group = ["--entity-type", "groups", "--entity-name", group]
        of_metrics = ["--entity-type", "client-metrics", "--entity-name", group]
        return [
            configs(side, "--describe", *of_topic),
            configs(side, "--describe", "--all", *of_topic),
            configs(side, "--alter", "--add-config", "segment.bytes=2000000,cleanup.policy=[compact,delete]", *of_topic),
            configs(side, "--alter", "--delete-config", "retention.ms", *of_topic),
            configs(side, "--alter", "--add-config", "no.such=1", *of_topic),
            configs(side, "--describe", *of_topic),
            configs(side, "--alter", "--add-config", "log.roll.ms=700000", *of_all),
            configs(side, "--describe", *of_all),
            configs(side, "--alter", "--delete-config", "log.roll.ms", *of_all),
            configs(side, "--alter", "--add-config", "consumer.session.timeout.ms=50000", *of_group),
            configs(side, "--describe", *of_group),
            configs(side, "--alter", "--add-config", "interval.ms=1000,metrics=[a.,b.]", *of_metrics),
            configs(side, "--describe", *of_metrics),
            configs(side, "--alter", "--delete-config", "interval.ms,metrics", *of_metrics),
        ]

    codes = [code for code, _ in same_lines(sides, story)]
    assert codes.count(0) == 13, codes


def test_topics_are_described(sides):
    def story(side):
        topic = side.topic(partitions=2, retention_ms=5)

        def topics(*words):
            return settled(lambda: printed(side, "TopicCommand", "--topic", topic, *words))

        return [
            topics("--describe"),
            topics("--describe", "--topics-with-overrides"),
            topics("--describe", "--under-replicated-partitions"),
            topics("--describe", "--at-min-isr-partitions"),
        ]

    assert [code for code, _ in same_lines(sides, story)] == [0, 0, 0, 0]


def test_clients(same):
    def story(side):
        topic = side.topic()
        admin = AdminClient({"bootstrap.servers": side.broker.bootstrap})

        def change(*entries):
            resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=list(entries))
            (future,) = admin.incremental_alter_configs([resource]).values()
            try:
                return future.result(PATIENCE)
            except KafkaException as error:
                return error.args[0].name()

        def described():
            (future,) = admin.describe_configs([ConfigResource(ResourceType.TOPIC, topic)]).values()
            return sorted(
                [each.name, each.value, each.source, each.is_read_only, each.is_default, each.is_sensitive]
                for each in future.result(PATIENCE).values()
            )

        def entry(name, value, operation):
            return ConfigEntry(name, value, incremental_operation=operation)

        answers = [
            change(entry("retention.ms", "5", AlterConfigOpType.SET), entry("cleanup.policy", "compact", AlterConfigOpType.APPEND)),
            settled(described),
            change(entry("retention.ms", None, AlterConfigOpType.DELETE), entry("cleanup.policy", "delete", AlterConfigOpType.SUBTRACT)),
            settled(described),
            change(entry("retention.ms", "soon", AlterConfigOpType.SET)),
        ]
        python = KafkaAdminClient(bootstrap_servers=side.broker.bootstrap)
        try:
            resource = PythonResource(ConfigResourceType.TOPIC, topic, configs={"retention.ms": "7"})
            answers.append(attempt(python.alter_configs, [resource]))
            answers.append(settled(described))
            answers.append(attempt(python.describe_configs, [PythonResource(ConfigResourceType.TOPIC, topic)]))
        finally:
            python.close()
        return answers

    same(story)


def attempt(call, *words):
    """What a call gave, without the broker's own words, or the name of the error."""
    try:
        found = re.sub(r"error_message=('[^']*'|\"[^\"]*\"|None)", "error_message", str(call(*words)))
        return sorted(re.findall(r"[\w.]+", re.sub(r"throttle_time_ms=\d+", "", found)))
    except KafkaError as error:
        return type(error).__name__


def test_kafka_goes_on_with_what_was_changed(brokers):
    ottla = brokers(Ottla).start()
    admin = AdminClient({"bootstrap.servers": ottla.bootstrap})

    def change(kind, name, key, value):
        entry = ConfigEntry(key, value, incremental_operation=AlterConfigOpType.SET)
        (future,) = admin.incremental_alter_configs([ConfigResource(kind, name, incremental_configs=[entry])]).values()
        future.result(PATIENCE)

    def described(bootstrap):
        client = AdminClient({"bootstrap.servers": bootstrap})
        found = {}
        for kind, name in [(ResourceType.TOPIC, "kept"), (ResourceType.BROKER, "1")]:
            (future,) = client.describe_configs([ConfigResource(kind, name)]).values()
            for key, entry in future.result(PATIENCE).items():
                if key in ("retention.ms", "segment.ms", "log.roll.ms", "log.retention.bytes"):
                    found[key] = (entry.value, entry.source)
        return found

    create_topic(ottla.bootstrap, "kept")
    change(ResourceType.TOPIC, "kept", "retention.ms", "700000")
    change(ResourceType.BROKER, "1", "log.roll.ms", "800000")
    change(ResourceType.BROKER, "1", "log.retention.bytes", "900000000")
    ours = described(ottla.bootstrap)
    assert ours["segment.ms"] == ("800000", 2) and ours["retention.ms"] == ("700000", 1)
    ottla.stop()
    kafka = brokers.kafka_on(ottla).start()
    assert settled(lambda: described(kafka.bootstrap)) == ours
