"""Kafka's command-line tools against a running Ottla, as far as what they ask is served."""

import json

import pytest

from beside.java import run_tool, start_tool
from harness.broker import Ottla
from harness.reading import read_all
from harness.writing import create_topic, write_confluent


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    return lasting_brokers(Ottla).start()


def tool(broker, name, *words, stdin="", bootstrap="--bootstrap-server"):
    done = run_tool(name, bootstrap, broker.bootstrap, *words, stdin=stdin)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def topics(broker, *words):
    return tool(broker, "org.apache.kafka.tools.TopicCommand", *words)


def test_topics_are_made_listed_described_and_deleted(broker):
    made = topics(broker, "--create", "--topic", "made", "--partitions", "3", "--config", "retention.ms=60000")
    assert "Created topic made." in made
    assert topics(broker, "--list").split() == ["made"]
    topics(broker, "--delete", "--topic", "made")
    assert topics(broker, "--list").split() == []


def test_topic_that_exists_is_refused_with_the_reason(broker):
    create_topic(broker.bootstrap, "there")
    words = ["--bootstrap-server", broker.bootstrap, "--create", "--topic", "there"]
    done = run_tool("org.apache.kafka.tools.TopicCommand", *words)
    assert done.returncode == 1
    assert "there is a topic there already" in done.stdout + done.stderr


def test_offsets_are_told(broker):
    create_topic(broker.bootstrap, "offsets", partitions=2)
    write_confluent(broker.bootstrap, "offsets", [(b"same", b"%d" % n, []) for n in range(7)])
    by_partition = [len(read_all(broker.bootstrap, "offsets", partition)) for partition in (0, 1)]
    assert sum(by_partition) == 7

    def offsets(*words):
        return tool(broker, "org.apache.kafka.tools.GetOffsetShell", "--topic", "offsets", *words).split()

    assert offsets() == [f"offsets:{partition}:{count}" for partition, count in enumerate(by_partition)]
    assert offsets("--time", "earliest") == ["offsets:0:0", "offsets:1:0"]
    full = by_partition.index(7)
    assert offsets("--time", "max-timestamp")[full] in [f"offsets:{full}:{n}" for n in range(7)]


def test_records_are_deleted(broker, tmp_path):
    create_topic(broker.bootstrap, "shortened", partitions=2)
    write_confluent(broker.bootstrap, "shortened", [(b"same", b"%d" % n, []) for n in range(7)])
    full = 0 if read_all(broker.bootstrap, "shortened", 0) else 1
    wishes = [{"topic": "shortened", "partition": full, "offset": 5}]
    wish = tmp_path / "offsets.json"

    def delete(*wishes):
        wish.write_text(json.dumps({"version": 1, "partitions": wishes}))
        return tool(broker, "org.apache.kafka.tools.DeleteRecordsCommand", "--offset-json-file", str(wish))

    assert f"partition: shortened-{full}\tlow_watermark: 5" in delete(*wishes)
    read = read_all(broker.bootstrap, "shortened", full, start=5)
    assert [record.offset for record in read] == [5, 6]
    said = delete({"topic": "shortened", "partition": full, "offset": 8}, {"topic": "nowhere", "partition": 0, "offset": 0})
    assert f"partition: shortened-{full}\terror: org.apache.kafka.common.errors.OffsetOutOfRangeException" in said
    assert "partition: nowhere-0\terror: org.apache.kafka" in said
    everything = [{"topic": "shortened", "partition": partition, "offset": -1} for partition in (0, 1)]
    said = delete(*everything)
    assert f"partition: shortened-{full}\tlow_watermark: 7" in said
    assert f"partition: shortened-{1 - full}\tlow_watermark: 0" in said


def test_versions_are_told(broker):
    said = tool(broker, "org.apache.kafka.tools.BrokerApiVersionsCommand")
    assert f"{broker.bootstrap} (id: 1 rack: null isFenced: false) -> (" in said
    assert "Produce(0): 0 to 13 [usable: 13]" in said
    assert "Fetch(1): 4 to 18 [usable: 18]" in said


def test_what_the_console_producer_writes_the_console_consumer_prints(broker):
    create_topic(broker.bootstrap, "console")
    lines = "".join(f"key-{n}\tvalue {n}\n" for n in range(20))
    words = ["--topic", "console", "--property", "parse.key=true", "--producer-property", "compression.type=lz4"]
    tool(broker, "org.apache.kafka.tools.ConsoleProducer", *words, stdin=lines)
    assert [(r.key, r.value) for r in read_all(broker.bootstrap, "console")] == [
        (b"key-%d" % n, b"value %d" % n) for n in range(20)
    ]
    words = ["--topic", "console", "--partition", "0", "--offset", "5", "--max-messages", "15"]
    words += ["--property", "print.key=true", "--property", "print.offset=true", "--property", "print.headers=true"]
    printed = tool(broker, "org.apache.kafka.tools.consumer.ConsoleConsumer", *words)
    assert printed.splitlines() == [f"Offset:{n}\tNO_HEADERS\tkey-{n}\tvalue {n}" for n in range(5, 20)]


def test_a_console_consumer_waits_for_what_comes(broker):
    create_topic(broker.bootstrap, "waited-for")
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "waited-for", "--partition", "0", "--offset", "latest"]
    write_confluent(broker.bootstrap, "waited-for", [(None, b"before", [])])
    consumer = start_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", *words, "--max-messages", "1")
    try:
        # Where "latest" is, is known to the consumer alone: write until it has one.
        while consumer.running and not consumer.lines:
            write_confluent(broker.bootstrap, "waited-for", [(None, b"after", [])])
        assert consumer.wait_for_line("after")
    finally:
        consumer.kill9()


def test_the_verifiable_producer_gets_every_acknowledgement(broker):
    create_topic(broker.bootstrap, "verified", partitions=2)
    words = ["--topic", "verified", "--max-messages", "500", "--acks", "-1", "--value-prefix", "7"]
    said = tool(broker, "org.apache.kafka.tools.VerifiableProducer", *words)
    events = [json.loads(line) for line in said.splitlines()]
    acknowledged = [event for event in events if event["name"] == "producer_send_success"]
    assert len(acknowledged) == 500
    assert events[-1]["name"] == "tool_data" and events[-1]["acked"] == 500
    stored = {
        (partition, record.offset): record.value.decode()
        for partition in (0, 1)
        for record in read_all(broker.bootstrap, "verified", partition)
    }
    assert stored == {(event["partition"], event["offset"]): event["value"] for event in acknowledged}


def test_the_performance_producer_is_fast_enough_to_end(broker):
    words = ["--topic", "performance", "--num-records", "20000", "--record-size", "100", "--throughput", "-1"]
    words += ["--producer-props", f"bootstrap.servers={broker.bootstrap}", "compression.type=zstd"]
    done = run_tool("org.apache.kafka.tools.ProducerPerformance", *words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1].startswith("20000 records sent")
    assert len(read_all(broker.bootstrap, "performance")) == 20000
