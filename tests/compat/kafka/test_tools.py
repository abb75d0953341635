"""Apache Kafka's own verifiers and measuring tools: what they say must agree with each other, and with what librdkafka reads."""

import re

import pytest

from applications.events import VerifiableConsumer, VerifiableProducer
from applications.topics import Topics
from beside.java import run_tool, start_tool
from harness.waiting import until

PACKAGE = "org.apache.kafka.tools."
PROTOCOLS = ("classic", "consumer")
#: Members that are killed are missed soon, and no sooner than either broker allows.
SOON = {
    "group.min.session.timeout.ms": 6000,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.heartbeat.interval.ms": 500,
}

#: By itself VerifiableProducer tries nothing again.
IDEMPOTENT = "enable.idempotence=true\nretries=2147483647\ndelivery.timeout.ms=300000\nreconnect.backoff.max.ms=200\n"


def done(tool, *words):
    """What a tool prints that must succeed."""
    ended = run_tool(PACKAGE + tool, *words)
    assert ended.returncode == 0, f"{tool} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}"
    return ended.stdout.splitlines()


def in_order(got):
    """Each partition once from its start on, without a gap; gives `{(PARTITION, OFFSET): VALUE}`."""
    places = {(partition, offset): value for partition, offset, value in got}
    for partition in {partition for partition, _, _ in got}:
        offsets = [offset for its, offset, _ in got if its == partition]
        assert offsets == list(range(len(offsets))), f"partition {partition}"
    return places


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_verifiable_pair(broker, topics, protocol):
    """What was acknowledged is consumed, each record once, in order; and all of it is committed."""
    count = 3000
    topics.create("pair", partitions=3)
    words = ("--max-messages", count, "--repeating-keys", 50, "--value-prefix", 5)
    producer = VerifiableProducer(broker, "pair", *words).ended()
    acked = producer.acked()
    assert producer.names()[0] == "startup_complete"
    assert producer.names()[-2:] == ["shutdown_complete", "tool_data"]
    (summary,) = producer.events("tool_data")
    assert (summary["sent"], summary["acked"]) == (count, count)
    assert not producer.events("producer_send_error")
    assert sorted(acked.values()) == sorted(f"5.{number}" for number in range(count))

    consumer = VerifiableConsumer(broker, "pair", "readers", protocol, "--max-messages", count).ended()
    assert in_order(consumer.got()) == acked
    # A partition's records were sent in the order of their numbers.
    for partition in range(3):
        numbers = [int(value.split(".")[1]) for its, _, value in consumer.got() if its == partition]
        assert numbers == sorted(numbers)
    ends = topics.ends("pair")
    assert sum(ends.values()) == count
    assert consumer.committed() == ends
    assert topics.committed("readers", "pair") == ends
    assert all(event["success"] for event in consumer.events("offsets_committed"))
    assert sum(event["count"] for event in consumer.events("records_consumed")) == count
    assert [event["partitions"] for event in consumer.events("partitions_assigned")] == [
        [{"topic": "pair", "partition": partition} for partition in range(3)]
    ]
    assert consumer.names()[0] == "startup_complete" and "shutdown_complete" in consumer.names()

    # Who comes later goes on where the group is: behind the last record.
    more = VerifiableProducer(broker, "pair", "--max-messages", 10, "--value-prefix", 6).ended()
    later = VerifiableConsumer(broker, "pair", "readers", protocol, "--max-messages", 10).ended()
    assert {(partition, offset): value for partition, offset, value in later.got()} == more.acked()


def test_verifiable_producer_whose_answers_are_lost(start_broker, proxy):
    """Each third answer is lost after the broker has stored the batch: what the producer sends again is stored once."""
    broker = start_broker(advertise=proxy.address)
    proxy.start(("127.0.0.1", broker.port))
    topics = Topics(broker)
    topics.create("lost", partitions=3)
    config = broker.directory / "producer.properties"
    config.write_text(IDEMPOTENT + "batch.size=500\n")
    proxy.lose(lambda number: number % 3 == 0)
    words = ("--max-messages", 3000, "--repeating-keys", 50, "--producer.config", config)
    acked = VerifiableProducer(broker, "lost", *words).ended().acked()
    assert proxy.lost > 10
    assert sorted(int(value) for value in acked.values()) == list(range(3000))
    assert sum(topics.ends("lost").values()) == 3000
    consumer = VerifiableConsumer(broker, "lost", "readers", "classic", "--max-messages", 3000).ended()
    assert in_order(consumer.got()) == acked


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_verifiable_pair_over_a_killed_broker(start_broker, tmp_path, started, protocol):
    """The broker is killed while both are at work: nothing that was acknowledged is lost, nothing is stored twice."""
    broker = start_broker()
    topics = Topics(broker)
    topics.create("killed", partitions=3)
    config = tmp_path / "producer.properties"
    config.write_text(IDEMPOTENT)
    words = ("--throughput", 500, "--repeating-keys", 50, "--producer.config", config)
    producer = VerifiableProducer(broker, "killed", *words)
    consumer = VerifiableConsumer(broker, "killed", "readers", protocol)
    started += [producer, consumer]
    for _ in range(2):
        aim = len(producer.acked()) + 1000
        until(lambda: len(producer.acked()) >= aim and len(consumer.got()) >= aim // 2)
        broker.kill9()
        broker.start()
    aim = len(producer.acked()) + 1000
    until(lambda: len(producer.acked()) >= aim)
    producer.terminate()
    acked = producer.acked()
    (summary,) = producer.events("tool_data")
    assert summary["sent"] == summary["acked"] == len(acked)
    assert sorted(int(value) for value in acked.values()) == list(range(len(acked)))

    # The log holds what was acknowledged, and nothing else.
    ends = topics.ends("killed")
    assert sum(ends.values()) == len(acked)
    fresh = VerifiableConsumer(broker, "killed", "fresh", protocol, "--max-messages", len(acked)).ended()
    assert in_order(fresh.got()) == acked

    # Who was reading all along has read all of it: some of it twice perhaps, where a commit was lost with the broker.
    until(lambda: consumer.committed() == ends)
    assert consumer.terminate() == 143
    first = {}
    for partition, offset, value in consumer.got():
        first.setdefault((partition, offset), value)
        assert acked[partition, offset] == value
    in_order([(partition, offset, value) for (partition, offset), value in first.items()])
    assert first == acked
    assert topics.committed("readers", "killed") == ends


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_verifiable_consumers_share(start_broker, started, protocol):
    """A second one takes its share over, and everything when the first is killed; the commits of both are one line."""
    broker = start_broker(SOON)
    topics = Topics(broker)
    topics.create("shared", partitions=4)
    session = ("--session-timeout", 6000) if protocol == "classic" else ()
    producer = VerifiableProducer(broker, "shared", "--throughput", 200, "--repeating-keys", 50)
    first = VerifiableConsumer(broker, "shared", "sharing", protocol, *session)
    started += [producer, first]
    until(lambda: first.held() == {0, 1, 2, 3} and first.got())
    second = VerifiableConsumer(broker, "shared", "sharing", protocol, *session)
    started.append(second)
    until(lambda: len(first.held()) == len(second.held()) == 2 and second.got())
    assert first.held() | second.held() == {0, 1, 2, 3}
    first.kill9()
    until(lambda: second.held() == {0, 1, 2, 3})
    aim = len(second.got()) + 200
    until(lambda: len(second.got()) >= aim)
    producer.terminate()
    ends = topics.ends("shared")
    until(lambda: topics.committed("sharing", "shared") == ends)
    assert second.terminate() == 143
    got = [*first.got(), *second.got()]
    assert {(partition, offset): value for partition, offset, value in got} == producer.acked()
    # What the first had committed in the partitions it died with, the second did not read again.
    for partition in first.held():
        taken_over = [offset for its, offset, _ in second.got() if its == partition]
        assert min(taken_over) >= first.committed()[partition]


def test_performance(broker, topics):
    """Whatever the codec, the producer's summary and the consumer's agree with the ends of the partitions."""
    topics.create("fast", partitions=3)
    codecs = ("none", "gzip", "snappy", "lz4", "zstd")
    for codec in codecs:
        config = ("bootstrap.servers=" + broker.bootstrap, f"compression.type={codec}", "acks=all")
        size = ("--num-records", 20000, "--record-size", 200, "--throughput", -1)
        *_, last = done("ProducerPerformance", "--topic", "fast", *size, "--producer-props", *config)
        assert re.match(r"20000 records sent, .* records/sec .* ms 99.9th\.", last), last
    total = 20000 * len(codecs)
    ends = topics.ends("fast")
    assert sum(ends.values()) == total
    words = ("--bootstrap-server", broker.bootstrap, "--topic", "fast", "--messages", total, "--group", "fast-readers")
    *_, header, numbers = done("ConsumerPerformance", *words)
    told = dict(zip(header.split(", "), numbers.split(", "), strict=True))
    assert int(told["data.consumed.in.nMsg"]) == total
    assert float(told["data.consumed.in.MB"]) == pytest.approx(total * 200 / (1 << 20), rel=1e-4)
    # It commits when it closes.
    assert topics.committed("fast-readers", "fast") == ends


def test_performance_of_numbered_payloads(broker, topics):
    """The payloads 1, 2, 3... of one producer stand in the log once each, in order."""
    topics.create("numbered")
    config = ("bootstrap.servers=" + broker.bootstrap, "batch.size=2000", "max.in.flight.requests.per.connection=5")
    words = ("--payload-monotonic", "--num-records", 5000, "--throughput", -1)
    done("ProducerPerformance", "--topic", "numbered", *words, "--producer-props", *config)
    values = [int(value) for _, _, value in topics.read("numbered")[0]]
    assert values == list(range(values[0], values[0] + 5000))


@pytest.mark.parametrize("acks", ("1", "all"))
def test_end_to_end_latency(broker, topics, acks):
    """Each record is read back right after its acknowledgement, the same bytes, and no other; the tool makes its topic."""
    lines = done("EndToEndLatency", broker.bootstrap, "latency", 300, acks, 100)
    assert any(line.startswith("Avg latency: ") for line in lines), lines
    assert any(line.startswith("Percentiles: 50th = ") for line in lines), lines
    assert sum(topics.ends("latency").values()) == 300


def test_client_compatibility(broker, topics):
    """Kafka's check of what a broker can do."""
    topics.create("compatible")
    able = [
        "--offsets-for-times-supported",
        "--cluster-id-supported",
        "--create-topics-supported",
        "--describe-acls-supported",
        "--describe-configs-supported",
        "--idempotent-producer-supported",
    ]
    able = [word for flag in able for word in (flag, "true")]
    words = ("--bootstrap-server", broker.bootstrap, "--topic", "compatible", "--num-cluster-nodes", 1)
    lines = done("ClientCompatibilityTest", *words, *able, "--expect-record-too-large-exception", "false")
    assert lines[-1] == "SUCCESS.", lines


def test_replica_verification(broker, topics, started):
    """The tool walks through all partitions up to their ends as a replica would."""
    topics.create("verified", partitions=2)
    topics.write("verified", [f"{number}" for number in range(5000)])
    words = ("--broker-list", broker.bootstrap, "--topics-include", "verified", "--time", -2, "--report-interval-ms", 500)
    tool = start_tool(PACKAGE + "ReplicaVerificationTool", *words)
    started.append(tool)
    said = tool.wait_for_line(r"max lag is 0 for partition verified-\d at offset (\d+) among 2 partitions")
    assert int(said.group(1)) in topics.ends("verified").values()
    assert not [line for line in tool.lines if "match" in line]
