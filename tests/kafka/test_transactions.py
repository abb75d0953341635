"""Transactions that Kafka has written, committed and aborted: Ottla serves what Kafka serves."""

import shutil

import pytest

from beside.batches import TIMESTAMP
from beside.contents import refused
from beside.dumping import files, same as dumped_alike
from beside.fetching import fetch
from beside.java import run_tool
from beside.sides import Side, differences, list_offset
from harness.broker import Kafka, Ottla
from harness.reading import PATIENCE, read_all
from harness.waiting import until
from harness.writing import create_topic, flush, producer, write_confluent

TOPICS = {"rolled": 2, "large": 1}
SETTINGS = {
    # A transaction that is never ended is aborted soon.
    "transaction_abort_timed_out_transaction_cleanup_interval_ms": 200,
    "transaction_state_log_num_partitions": 1,
}


def transactional(broker, name, **settings):
    writer = producer(broker.bootstrap, transactional_id=name, linger_ms=0, **settings)
    writer.init_transactions(PATIENCE)
    return writer


def write(writer, *numbers):
    """Batches of one record each, half of them in a partition of their own."""
    for number in numbers:
        value = b"%d " % number * 40
        writer.produce("rolled", value, key=b"%d" % number, partition=number % 2, timestamp=TIMESTAMP + number)
        writer.produce("large", value, timestamp=TIMESTAMP - number)
        flush(writer)


def commit(writer):
    writer.commit_transaction(PATIENCE)


def abort(writer):
    writer.abort_transaction(PATIENCE)


def fill(kafka):
    """Transactions of several producers, one within the other, over several segments; some only in one partition."""
    address = kafka.bootstrap
    create_topic(address, "rolled", partitions=2, internal_segment_bytes=2048, index_interval_bytes=300)
    create_topic(address, "large", index_interval_bytes=300)
    one, two, three = (transactional(kafka, name, enable_idempotence=True) for name in ("one", "two", "three"))
    number = iter(range(10_000))

    def some(count):
        return [next(number) for _ in range(count)]

    for round in range(3):
        one.begin_transaction()
        write(one, *some(3))
        two.begin_transaction()
        write(two, *some(2))
        write_confluent(address, "large", [(None, b"outside", [])])
        abort(one)
        one.begin_transaction()
        write(one, *some(1))
        three.begin_transaction()
        write(three, *some(4))
        (commit if round % 2 else abort)(two)
        two.begin_transaction()
        write(two, *some(1))
        abort(three)
        commit(one)
        abort(two)
        write_confluent(address, "rolled", [(b"k", b"in no transaction", [])] * 3)
    java_writer(address)


def java_writer(address):
    """The Java client, whose epoch rises with each transaction (KIP-890)."""
    words = ["--topic", "large", "--num-records", "40", "--record-size", "50", "--throughput", "400"]
    words += ["--transactional-id", "java", "--transaction-duration-ms", "20", "--producer-props", f"bootstrap.servers={address}"]
    done = run_tool("org.apache.kafka.tools.ProducerPerformance", *words)
    assert done.returncode == 0, done.stdout + done.stderr


def places():
    return [(topic, partition) for topic, partitions in TOPICS.items() for partition in range(partitions)]


def answers(broker):
    """What a broker answers about transactional data, field by field."""
    side = Side(broker)
    found = {}
    for topic in TOPICS:
        side.adopt(topic)
    for topic, partition in places():
        for isolation in (0, 1):
            offsets = {
                timestamp: offset(side, topic, partition, timestamp, isolation)
                for timestamp in (-1, -2, -3, TIMESTAMP, TIMESTAMP + 10, TIMESTAMP - 20, TIMESTAMP + 10**9)
            }
            found[topic, partition, isolation, "offsets"] = offsets
            end = offsets[-1]["offset"]
            assert end > 20
            for version in (4, 5, 12, 17):
                for at in range(end + 1) if version == 12 else (0, end // 2, end):
                    where = {"partition": partition, "fetch_offset": at, "isolation_level": isolation}
                    found[topic, partition, isolation, version, at] = fetched(side, topic, version, **where)
        rows = side.ask("DescribeProducers", 0, topics=[{"name": topic, "partition_indexes": [partition]}])
        (rows,) = rows["topics"][0]["partitions"]
        rows["active_producers"].sort(key=lambda row: row["producer_id"])
        found[topic, partition, "producers"] = rows
    return found


def offset(side, topic, partition, timestamp, isolation):
    answer = list_offset(side, topic, timestamp, partition_index=partition, isolation_level=isolation)
    # Kafka raises the epoch at each start.
    if timestamp == -1:
        answer.pop("leader_epoch")
    return answer


def fetched(side, topic, version, **where):
    answer = fetch(side, topic, version, **where)
    (part,) = answer["responses"][0]["partitions"]
    return part


def committed(broker):
    """What readers see that read only what is committed: confluent-kafka's, and, of one partition, Java's."""
    found = {place: read_all(broker.bootstrap, *place, isolation="read_committed") for place in places()}
    read = found["large", 0]
    words = ["--topic", "large", "--partition", 0, "--offset", "earliest", "--max-messages", len(read)]
    words += ["--isolation-level", "read_committed", "--property", "print.offset=true", "--timeout-ms", 60_000]
    done = run_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", broker.bootstrap, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [f"Offset:{record.offset}\t{record.value.decode()}" for record in read]
    assert done.stdout.splitlines() == lines
    return {place: [(record, record.timestamp) for record in read] for place, read in found.items()}


def copied(brokers, kind, directory, **settings):
    broker = brokers(kind, **settings)
    shutil.copytree(directory, broker.data_dir)
    return broker


def indexes(directory):
    """Each `.txnindex` that says anything. Kafka also leaves empty ones."""
    found = {str(path.relative_to(directory)): path.read_bytes() for path in directory.glob("*-*/*.txnindex")}
    return {name: content for name, content in found.items() if content}


def same(ours, theirs):
    found = list(differences(ours, theirs))
    assert not found, f"{len(found)} differences: where, Ottla's, Kafka's:\n" + "\n".join(found[:20])


def is_settled(broker):
    """Whether no transaction is open any more."""
    side = Side(broker)
    for topic, partition in places():
        ends = [offset(side, topic, partition, -1, isolation)["offset"] for isolation in (0, 1)]
        # -1: not served yet.
        if not -1 < ends[0] == ends[1]:
            return False
    return True


@pytest.fixture(scope="module")
def kafkas(lasting_brokers):
    """Kafka that was killed while a transaction was open, started again, and killed when that had timed out; the directory
    after the first kill and after the second."""
    kafka = lasting_brokers(Kafka, **SETTINGS).start()
    fill(kafka)
    open_one = transactional(kafka, "left open", transaction_timeout_ms=1500)
    open_one.begin_transaction()
    write(open_one, 9001, 9002)
    kafka.kill9()
    undecided = kafka.directory / "undecided"
    shutil.copytree(kafka.data_dir, undecided)
    kafka.start()
    until(lambda: is_settled(kafka))
    kafka.kill9()
    return undecided, kafka.data_dir


def test_killed_kafkas_transactions_are_served_as_kafka_serves_them(brokers, kafkas):
    _, killed = kafkas
    before = indexes(killed)
    assert len(before) > 4 and all(len(content) % 34 == 0 for content in before.values())
    kafka, ottla = (copied(brokers, kind, killed) for kind in (Kafka, Ottla))
    # Nothing was synced, so a power loss could have left anything. Kafka does not start on everything.
    for broker, left in ((kafka, b""), (ottla, b"\x07" * 50)):
        for path in broker.data_dir.glob("*-*/*.txnindex"):
            path.write_bytes(left)
    kafka.start()
    theirs, seen = answers(kafka), committed(kafka)
    kafka.stop()
    ottla.start()
    same(answers(ottla), theirs)
    assert committed(ottla) == seen
    assert any(part["aborted_transactions"] for part in theirs.values() if "aborted_transactions" in part)
    ottla.stop()
    assert indexes(ottla.data_dir) == before == indexes(kafka.data_dir)
    # What either stopped, Ottla serves without reading it again.
    ottla.start()
    same(answers(ottla), theirs)
    again = copied(brokers, Ottla, kafka.data_dir).start()
    same(answers(again), theirs)


def test_a_transaction_that_is_still_open_is_named(kafkas):
    undecided, _ = kafkas
    said = refused(undecided)
    assert "left open" in said and "is still open" in said, said


def test_both_tools_print_the_same_of_transactions(brokers, kafkas):
    """Of a directory that was killed with a transaction open, and of what Kafka made of it."""
    for directory in kafkas:
        logs = files(directory, "*-*/*.log", but="__")
        for flags in (["--print-data-log"], ["--print-data-log", "--skip-record-metadata"]):
            dumped_alike(logs, *flags)
        dumped_alike(files(directory, "*-*/*.txnindex") + files(directory, "*-*/*.snapshot"))
        dumped_alike(files(directory, "__transaction_state-*/*.log"), "--transaction-log-decoder")
    killed = kafkas[1]
    ottla = copied(brokers, Ottla, killed).start()
    ottla.stop()
    indexes = [file for kind in ("index", "timeindex", "txnindex") for file in files(ottla.data_dir, f"*-*/*.{kind}")]
    for flags in ([], ["--verify-index-only"], ["--index-sanity-check"]):
        assert dumped_alike(indexes, *flags)[1] == ""
    dumped_alike(files(ottla.data_dir, "*-*/*.snapshot"))
