"""Our `kafka-topics.sh` and the others beside Kafka's own, on the same running Ottla: line by line what they print, and
their exit codes."""

import struct
from itertools import count

import pytest

from beside.java import run_tool, start_tool
from beside.ours import CLASSES, configs_in_order
from harness.broker import Ottla
from harness.reading import read_all
from harness.writing import create_topic, write_confluent


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    broker = lasting_brokers(Ottla, group_initial_rebalance_delay_ms=0).start()
    create_topic(broker.bootstrap, "plain")
    create_topic(broker.bootstrap, "wide", partitions=3)
    create_topic(broker.bootstrap, "long", partitions=12)
    write_confluent(broker.bootstrap, "wide", [(b"%d" % n, b"%d" % n, []) for n in range(30)])
    write_confluent(broker.bootstrap, "plain", [(None, b"%d" % n, []) for n in range(5)])
    return broker


@pytest.mark.parametrize(
    "words",
    [
        "--list",
        "--list --exclude-internal",
        "--list --topic pl.*",
        "--list --topic wide,plain",
        "--list --topic nothing",
        "--delete --topic nothing",
        "--delete --topic nothing --if-exists",
        "--alter --topic nothing --partitions 3",
        "--alter --topic nothing --partitions 3 --if-exists",
        "--alter --topic wide --partitions 2",
        "--alter --topic wide --partitions 3",
        "--create --topic plain",
        "--create --topic plain --if-not-exists",
        "--create --topic wide --partitions 3 --replication-factor 1 --if-not-exists",
        "--create --topic x --partitions 0",
        "--create --topic x --replication-factor 0",
        "--create --topic x --replication-factor 40000",
        "--create --topic x --replica-assignment 1:1",
        "--create --topic x --config retention.ms",
        "--create --topic x --config retention.ms=1=2",
        "--describe --topic nothing",
        "--describe --topic nothing --if-exists",
    ],
)
def test_topics(broker, tools, words):
    tools.same("kafka-topics.sh", "--bootstrap-server", broker.bootstrap, *words.split())


@pytest.fixture(scope="module")
def with_settings(broker):
    settings = {"retention.ms": "1234567", "min.insync.replicas": "1", "cleanup.policy": "compact,delete"}
    create_topic(broker.bootstrap, "with-settings", partitions=2, **settings)
    return "with-settings"


@pytest.mark.parametrize(
    "words",
    [
        "--describe --topic plain",
        "--describe --topic long --partition-size-limit-per-response 5",
        "--describe --topic with-settings",
        "--describe --topic w.* --topics-with-overrides",
        "--describe --topic wide --topics-with-overrides",
        "--describe --topic wide --under-replicated-partitions",
        "--describe --topic wide --unavailable-partitions",
        "--describe --topic wide --under-min-isr-partitions",
        "--describe --topic wide --at-min-isr-partitions",
        "--describe --topic wide --at-min-isr-partitions --topics-with-overrides",
        "--describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ",
        "--describe --topic-id AAAAAAAAAAAAAAAAAAAAAQ --if-exists",
    ],
)
def test_descriptions_of_topics(broker, tools, with_settings, words):
    words = ["--bootstrap-server", broker.bootstrap, *words.split()]
    tools.same("kafka-topics.sh", *words, even_out=configs_in_order)


def test_a_topic_is_described_by_its_id(broker, tools):
    name, bootstrap = "kafka-topics.sh", ["--bootstrap-server", broker.bootstrap]
    by_name = tools.run(name, *bootstrap, "--describe", "--topic", "wide").stdout
    topic_id = by_name.split("TopicId: ")[1].split("\t")[0]
    by_id = tools.same(name, *bootstrap, "--describe", "--topic-id", topic_id, even_out=configs_in_order)
    assert by_id.splitlines()[0] == by_name.splitlines()[0] and len(by_id.splitlines()) == 4


def test_a_topic_is_made_changed_and_deleted(broker, tools):
    bootstrap = ["--bootstrap-server", broker.bootstrap]

    def topics(words):
        done = tools.run("kafka-topics.sh", *bootstrap, *words.split())
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    made = "--create --topic made.here --partitions 2 --config retention.ms=60000 --config cleanup.policy=delete"
    said = topics(made)
    assert said.splitlines()[-1] == "Created topic made.here."
    words = [[*bootstrap, *made.replace("here", where).split()] for where in ("there", "elsewhere")]
    both = tools.both("kafka-topics.sh", *words)
    assert both[0].stdout == both[1].stdout.replace("elsewhere", "there"), "with a warning of names that collide"
    assert "made.here" in topics("--list").split()
    topics("--alter --topic made.here --partitions 5")
    offsets = tools.same("kafka-get-offsets.sh", *bootstrap, "--topic", "made.here")
    assert offsets == "".join(f"made.here:{n}:0\n" for n in range(5))
    topics("--delete --topic made.*")
    assert not [name for name in topics("--list").split() if name.startswith("made")]


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--topic wide",
        "--topic wide --time earliest",
        "--topic wide --time -1",
        "--topic wide --time -4",
        "--topic wide --time latest-tiered",
        "--topic wide --time 0",
        "--topic wide --time 99999999999999",
        "--topic wide --time noon",
        "--topic long",
        "--topic wide|plain --partitions 0,2",
        "--topic wide --partitions x",
        "--topic-partitions wide:1-,plain",
        "--topic-partitions :0,long:-3",
        "--topic-partitions wide:1 --topic wide",
        "--topic nothing",
        "--exclude-internal-topics",
    ],
)
def test_offsets(broker, tools, words):
    tools.same("kafka-get-offsets.sh", "--bootstrap-server", broker.bootstrap, *words.split())


def test_versions(broker, tools):
    said = tools.same("kafka-broker-api-versions.sh", "--bootstrap-server", broker.bootstrap)
    assert "Fetch(1): 4 to 18 [usable: 18]" in said


NUMBERS = count()


@pytest.mark.parametrize(
    "words, stdin",
    [
        ("", "one\ntwo\n\nfour\r\nno end"),
        ("", ""),
        ("--property parse.key=true", "k\tv\nl\tw\tx\n"),
        ("--property parse.key=true", "k\tv\nnothing\nl\tw\n"),
        ("--property parse.key=true --property ignore.error=true --property key.separator=:", "k:v\nnothing\n:w\n"),
        ("--property parse.headers=true --property parse.key=true --property null.marker=NUL", "a:1,b:NUL\tNUL\tv\nNUL\tk\tNUL\n"),
        ("--property parse.headers=true", "a:1,b:2,,\tv\n"),
        ("--property headers.delimiter=,", "x\n"),
        ("--sync", "one\ntwo\n"),
        ("--compression-codec", "one\ntwo\n"),
        ("--compression-codec zstd --request-required-acks 1", "one\ntwo\n"),
        ("--request-required-acks 2", "x\n"),
        ("--batch-size none", "x\n"),
        ("--producer-property enable.idempotence=true --request-required-acks 0", "x\n"),
        ("--compression-codec gzip --producer-property compression.gzip.level=9 --max-partition-memory-bytes 100", "one\ntwo\n"),
        ("--producer-property compression.lz4.level=99", "x\n"),
        ("--producer-property partitioner.class=no.such.Partitioner", "x\n"),
        ("--line-reader org.apache.kafka.tools.LineMessageReader --property parse.key=true", "k\tv\n"),
        ("--line-reader no.such.Reader", "x\n"),
        ("--timeout 5 --retry-backoff-ms 7 --message-send-max-retries 2 --request-timeout-ms 9000 --max-block-ms 9000", "one\n"),
        ("--producer-property acks=1 --producer-property batch.size=10 --producer-property linger.ms=0", "one\ntwo\n"),
        ("--property parse.key=true --property key.separator=ab --property null.marker=ab", "x\n"),
        ("--property parse.headers=true --property headers.separator=[;|] --property headers.key.separator==", "a=1;b=2|c=3\tv\n"),
        ("--property parse.headers=true --property headers.delimiter=! --property ignore.error=true", "a:1,b!v\nno headers\n"),
        ("--producer.config nothing.properties", "x\n"),
    ],
)
def test_lines_become_the_same_records(broker, tools, words, stdin):
    topics = [f"lines-{next(NUMBERS)}" for _ in range(2)]
    for topic in topics:
        create_topic(broker.bootstrap, topic)
    both = tools.both(
        "kafka-console-producer.sh",
        *[["--bootstrap-server", broker.bootstrap, *words.split(), "--topic", topic] for topic in topics],
        stdin=stdin,
    )
    ours, theirs = ([(r.key, r.value, r.headers) for r in read_all(broker.bootstrap, topic)] for topic in topics)
    assert ours == theirs
    assert [done.returncode for done in both][0] == both[1].returncode, both
    assert both[0].stdout == both[1].stdout == ""


def test_what_a_keyed_line_is_written_to_is_the_same_partition(broker, tools):
    lines = "".join(f"key-{n}\tvalue {n}\n" for n in range(200))
    topics = ["ours-keyed", "theirs-keyed"]
    for topic in topics:
        create_topic(broker.bootstrap, topic, partitions=5)
    words = ["--bootstrap-server", broker.bootstrap, "--property", "parse.key=true", "--batch-size", "300"]
    both = tools.both("kafka-console-producer.sh", *[[*words, "--topic", topic] for topic in topics], stdin=lines)
    assert [done.returncode for done in both] == [0, 0], both
    for partition in range(5):
        ours, theirs = ([(r.key, r.value) for r in read_all(broker.bootstrap, topic, partition)] for topic in topics)
        assert ours and ours == theirs


@pytest.fixture(scope="module")
def written(broker):
    """A topic of every kind of record, in several batches and codecs."""
    create_topic(broker.bootstrap, "written")
    headers = [("h", b"1"), ("null", None), ("h", b"")]
    for codec in ("none", "gzip", "snappy", "lz4", "zstd"):
        records = [(b"k%d" % n, f"{codec} {n}".encode(), headers[:n]) for n in range(4)]
        write_confluent(broker.bootstrap, "written", [*records, (None, None, [])], codec=codec)
    return "written"


@pytest.mark.parametrize(
    "words",
    [
        "--from-beginning",
        "--partition 0 --offset 3",
        "--partition 0 --offset earliest",
        "--partition 0 --offset 7 --property print.key=true --property print.offset=true --property print.headers=true",
        "--from-beginning --property print.timestamp=true --property print.partition=true --property print.epoch=true",
        "--from-beginning --property print.value=false --property print.key=true --property null.literal=<none>",
        "--from-beginning --property print.key=true --property key.separator=: --property headers.separator=; --property print.headers=true",
        "--from-beginning --property print.value=false --property line.separator=|  --property print.offset=true",
        "--from-beginning --property print.delivery=true --isolation-level read_committed",
        "--from-beginning --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter",
        "--from-beginning --value-deserializer org.apache.kafka.common.serialization.StringDeserializer",
        "--from-beginning --consumer-property auto.offset.reset=earliest --consumer-property max.partition.fetch.bytes=10",
        "--consumer-property auto.offset.reset=by_duration:P1D",
        "--partition 0 --from-beginning",
        "--include wri.{4} --from-beginning",
        "--from-beginning --key-deserializer org.apache.kafka.common.serialization.BytesDeserializer --property print.key=true",
        "--from-beginning --property headers.deserializer=org.apache.kafka.common.serialization.StringDeserializer --property print.headers=true",
    ],
)
def test_records_are_printed_the_same(broker, tools, written, words):
    words = ["--bootstrap-server", broker.bootstrap, "--topic", written, "--max-messages", "18", *words.split()]
    tools.same("kafka-console-consumer.sh", *words)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "--topic written --include written",
        "--topic written --offset 3",
        "--include written --partition 0",
        "--topic written --partition 0 --from-beginning --offset 3",
        "--topic written --partition 0 --offset -3",
        "--topic written --partition 0 --group g",
        "--topic written --group g --consumer-property group.id=h",
        "--topic written --from-beginning --consumer-property auto.offset.reset=latest",
        "--topic written --consumer-property auto.offset.reset=by_duration:1D",
        "--topic written --consumer-property auto.offset.reset=never",
        "--topic written --formatter no.such.Formatter",
        "--topic written --isolation-level read_some",
        "--topic written --consumer.config nothing.properties",
        "--topic written --partition zero",
        "--topic written --max-messages many",
    ],
)
def test_what_does_not_go_together_is_refused(broker, tools, written, words):
    tools.same("kafka-console-consumer.sh", "--bootstrap-server", broker.bootstrap, *words.split())


def test_several_topics_by_a_pattern(broker, tools):
    for topic in ("pattern-a", "pattern-b"):
        create_topic(broker.bootstrap, topic, partitions=2)
        write_confluent(broker.bootstrap, topic, [(b"%d" % n, f"{topic} {n}".encode(), []) for n in range(20)])
    words = ["--include", "pattern-.*", "--from-beginning", "--max-messages", "40"]
    tools.same(
        "kafka-console-consumer.sh", "--bootstrap-server", broker.bootstrap, *words,
        even_out=lambda text: sorted(text.splitlines()),
    )


def test_a_group_goes_on_where_the_other_tool_stopped(broker, tools, written):
    words = ["--bootstrap-server", broker.bootstrap, "--topic", written, "--from-beginning", "--group", "in-turn"]
    words += ["--property", "print.offset=true", "--property", "print.value=false", "--max-messages", "5"]

    def offsets(done):
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Processed a total of 5 messages" in done.stderr.splitlines()
        return [int(line.removeprefix("Offset:")) for line in done.stdout.splitlines()]

    name = "kafka-console-consumer.sh"
    assert offsets(tools.run(name, *words)) == [0, 1, 2, 3, 4]
    assert offsets(run_tool(CLASSES[name], *words)) == [5, 6, 7, 8, 9]
    assert offsets(tools.run(name, *words)) == [10, 11, 12, 13, 14]
    assert offsets(tools.run(name, *words)) == [15, 16, 17, 18, 19], "who left before is not waited for"


def test_two_members_share_and_the_one_that_stays_gets_all(broker, tools):
    create_topic(broker.bootstrap, "shared", partitions=4)
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "shared", "--group", "sharing", "--from-beginning"]
    words += ["--consumer-property", "heartbeat.interval.ms=200", "--property", "print.partition=true"]
    ours = tools.start("kafka-console-consumer.sh", *words)
    theirs = start_tool(CLASSES["kafka-console-consumer.sh"], *words)

    def partitions(member):
        return {line.split("\t")[0] for line in member.lines if line.startswith("Partition:")}

    try:
        # Who has which partitions is known to the members alone: write until each has its share.
        while not (len(partitions(ours)) >= 2 and len(partitions(theirs)) >= 2):
            assert ours.running and theirs.running
            write_confluent(broker.bootstrap, "shared", [(b"%d" % n, b"x", []) for n in range(40)])
        theirs.terminate()
        before = len(ours.lines)
        while len({line.split("\t")[0] for line in list(ours.lines)[before:]}) < 4:
            assert ours.running
            write_confluent(broker.bootstrap, "shared", [(b"%d" % n, b"x", []) for n in range(40)])
        ours.terminate()
        assert ours.wait_for_line("Processed a total of")
    finally:
        ours.kill9()
        theirs.kill9()


@pytest.mark.parametrize(
    "kind, layout, values",
    [
        ("Integer", ">i", [0, -7, 2**31 - 1]),
        ("Long", ">q", [0, -(2**63)]),
        ("Short", ">h", [-5]),
        ("Float", ">f", [0.0, 0.5, -2.5e7, 1e-5, float("nan")]),
        ("Double", ">d", [1.0, 123456.789, 1e7, 1e-4, float("inf")]),
        ("Boolean", ">?", [True, False]),
        ("UUID", "36s", [b"00112233-4455-6677-8899-aabbccddeeff"]),
        ("Bytes", "6s", [b"a\\\x00\xff~ "]),
        ("String", "6s", [b"\xc3\xa4 ok "]),
    ],
)
def test_values_are_shown_by_their_deserializer(broker, tools, kind, layout, values):
    topic = f"values-{kind}"
    create_topic(broker.bootstrap, topic)
    packed = [struct.pack(layout, value) for value in values]
    write_confluent(broker.bootstrap, topic, [(value, value, [("h", value)]) for value in packed])
    words = ["--from-beginning", "--max-messages", len(values), "--property", "print.key=true", "--property", "print.headers=true"]
    for part in ("key", "value", "headers"):
        words += ["--property", f"{part}.deserializer=org.apache.kafka.common.serialization.{kind}Deserializer"]
    said = tools.same("kafka-console-consumer.sh", "--bootstrap-server", broker.bootstrap, "--topic", topic, *words)
    assert len(said.splitlines()) == len(values)


def test_what_cannot_be_shown_ends_it_or_is_skipped(broker, tools, written):
    words = ["--bootstrap-server", broker.bootstrap, "--topic", written, "--from-beginning", "--max-messages", "3"]
    words += ["--value-deserializer", "org.apache.kafka.common.serialization.LongDeserializer"]
    tools.same("kafka-console-consumer.sh", *words)
    tools.same("kafka-console-consumer.sh", *words, "--skip-message-on-error")


def test_what_coordinators_write_is_shown(broker, tools, written):
    words = ["--bootstrap-server", broker.bootstrap, "--from-beginning"]
    group = ["--topic", written, "--group", "shown", "--max-messages", "3"]
    assert tools.run("kafka-console-consumer.sh", *words, *group).returncode == 0
    for name, has in (("Offsets", '"group":"shown","topic":"written"'), ("GroupMetadata", '"group":"shown"')):
        shown = ["--topic", "__consumer_offsets", "--formatter", f"org.apache.kafka.tools.consumer.{name}MessageFormatter"]
        said = tools.same("kafka-console-consumer.sh", *words, *shown, "--timeout-ms", "2500", even_out=records_in_order)
        assert has in said


def records_in_order(text):
    """Partitions come in any order, and records on one line. The groups of consumers without one are passed over."""
    records = text.replace('}{"key"', '}\n{"key"').splitlines()
    return sorted(record for record in records if "console-consumer-" not in record)


def test_without_records_it_ends_after_its_time(broker, tools):
    create_topic(broker.bootstrap, "silent")
    done = tools.run(
        "kafka-console-consumer.sh", "--bootstrap-server", broker.bootstrap, "--topic", "silent", "--timeout-ms", "300"
    )
    assert done.returncode == 0 and done.stdout == "" and "Processed a total of 0 messages" in done.stderr
