"""Groups and transactions of every kind on Apache Kafka, and the logs of its coordinators as it leaves them.

    KAFKA_LIBS=<jars> python3 tests/kafka/coordinators_story.py tests/fixtures/dump-log

writes the logs of `__consumer_offsets`, `__transaction_state` and `__share_group_state` into directories of these names.
Needs confluent-kafka and kafka-python.
"""

import pathlib
import shutil
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parent.parent / "clients" / "python"))

from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from beside import raw
from beside.java import run_tool
from harness.broker import Kafka

PATIENCE = 60

SETTINGS = {
    "auto.create.topics.enable": "false",
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    # Small snapshots now and then among the updates.
    "share.coordinator.snapshot.update.records.per.snapshot": 3,
    "group.initial.rebalance.delay.ms": 0,
    "group.coordinator.rebalance.protocols": "classic,consumer,share",
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.heartbeat.interval.ms": 500,
    "group.share.min.heartbeat.interval.ms": 500,
    "group.share.heartbeat.interval.ms": 500,
    "log.cleaner.enable": "false",
}


def tell(broker):
    """The stories, one after the other."""
    address = broker.bootstrap
    admin = AdminClient({"bootstrap.servers": address})
    for future in admin.create_topics([NewTopic("read", 4, 1), NewTopic("other", 1, 1)]).values():
        future.result()
    writer = Producer({"bootstrap.servers": address})
    for number in range(40):
        writer.produce("read", key=b"%d" % number, value=b"value %d" % number)
    writer.flush()

    classic(address)
    static(address)
    without_members(address)
    not_consumers(address)
    consumer_protocol(address)
    moving(address)
    transactions(address)
    deleted(address, admin)
    share(address)


def consumer(address, group, **settings):
    named = {name.replace("_", "."): value for name, value in settings.items()}
    given = {
        "bootstrap.servers": address,
        "group.id": group,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        **named,
    }
    return Consumer(given)


def settle(*members, partitions=4):
    """Polls until the members have all partitions between them."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        for member in members:
            member.poll(0.1)
        if sum(len(member.assignment()) for member in members) == partitions and all(
            member.assignment() for member in members
        ):
            return
    raise AssertionError(f"{[member.assignment() for member in members]}")


def classic(address):
    """Two members share partitions, commit with and without metadata, and leave."""
    members = [
        consumer(address, "classic", client_id=f"client {name}", partition_assignment_strategy="range,roundrobin")
        for name in ("one", "two")
    ]
    for member in members:
        member.subscribe(["read"])
    settle(*members)
    for member in members:
        offsets = [
            TopicPartition(part.topic, part.partition, 3 + part.partition, metadata='where "I" was: \u00fc \U0001f600')
            for part in member.assignment()
        ]
        member.commit(offsets=offsets, asynchronous=False)
    settle(*members)
    for member in members:
        message = None
        while message is None or message.error():
            message = member.poll(1)
        member.commit(message, asynchronous=False)
    for member in members:
        member.close()


def static(address):
    """A member with a name comes back, and its group is cooperative."""
    named = {"group_instance_id": "its name", "partition_assignment_strategy": "cooperative-sticky"}
    for _ in range(2):
        member = consumer(address, "static", client_rack="rack", **named)
        member.subscribe(["read", "other"])
        settle(member, partitions=5)
        member.close()


def without_members(address):
    """Commits from outside, also with a time to live of their own."""
    member = consumer(address, "simple")
    member.assign([TopicPartition("read", 1)])
    member.commit(offsets=[TopicPartition("read", 1, 5), TopicPartition("read", 2, 6, metadata="")], asynchronous=False)
    member.close()
    with raw.Connection(address) as connection:
        partitions = [{"partition_index": 0, "committed_offset": 7, "committed_metadata": "for an hour"}]
        answer = connection.ask(
            "OffsetCommit",
            2,
            group_id="with its own retention",
            generation_id_or_member_epoch=-1,
            member_id="",
            retention_time_ms=3_600_000,
            topics=[{"name": "read", "partitions": partitions}],
        )
        assert answer["topics"][0]["partitions"][0]["error_code"] == 0, answer


def not_consumers(address):
    """A group whose members say to each other what only they understand, and one that says it badly."""
    for group, kind, said in (("workers", "connect", b"\0\1\2"), ("babble", "consumer", b"\0\0\0")):
        with raw.Connection(address) as connection:
            asked = {
                "group_id": group,
                "session_timeout_ms": 30_000,
                "rebalance_timeout_ms": 30_000,
                "protocol_type": kind,
                "protocols": [{"name": "own", "metadata": said}],
            }
            given = connection.ask("JoinGroup", 4, member_id="", **asked)["member_id"]
            joined = connection.ask("JoinGroup", 4, member_id=given, **asked)
            assert joined["error_code"] == 0, joined
            synced = connection.ask(
                "SyncGroup",
                2,
                group_id=group,
                generation_id=joined["generation_id"],
                member_id=given,
                assignments=[{"member_id": given, "assignment": b"\xff\xfe" + said}],
            )
            assert synced["error_code"] == 0, synced


def consumer_protocol(address):
    """KIP-848: two members, then a regular expression, then one member less."""
    settings = {"group_protocol": "consumer", "client_id": "next", "client_rack": "rack"}
    members = [
        consumer(address, "next", group_remote_assignor="range", **settings),
        consumer(address, "next", group_instance_id="its name", **settings),
    ]
    members[0].subscribe(["read"])
    members[1].subscribe(["^re.d$"])
    settle(*members)
    for member in members:
        member.commit(offsets=[TopicPartition("read", part.partition, 9) for part in member.assignment()], asynchronous=False)
    members[0].close()
    settle(members[1])
    members[1].close()
    passing = consumer(address, "passing", group_protocol="consumer")
    passing.subscribe(["read"])
    settle(passing)
    passing.close()


def moving(address):
    """A classic group becomes one of KIP-848, and goes back."""
    first = consumer(address, "moving", partition_assignment_strategy="cooperative-sticky")
    first.subscribe(["read"])
    settle(first)
    second = consumer(address, "moving", group_protocol="consumer")
    second.subscribe(["read"])
    settle(first, second)
    second.close()
    settle(first)
    first.close()


def transactions(address):
    """Offsets that are committed and ones that are not."""
    writer = Producer({"bootstrap.servers": address, "transactional.id": "its id", "transaction.timeout.ms": 30_000})
    writer.init_transactions()
    member = consumer(address, "in transactions")
    member.subscribe(["read"])
    settle(member)
    for offset, end in ((11, writer.commit_transaction), (12, writer.abort_transaction)):
        writer.begin_transaction()
        writer.produce("other", b"in a transaction")
        writer.send_offsets_to_transaction([TopicPartition("read", 0, offset)], member.consumer_group_metadata())
        end()
    member.close()


def deleted(address, admin):
    """Tombstones: of an offset, of groups of both protocols."""
    with raw.Connection(address) as connection:
        topics = [{"name": "read", "partitions": [{"partition_index": 2}]}]
        answer = connection.ask("OffsetDelete", 0, group_id="simple", topics=topics)
        assert answer["error_code"] == 0 and answer["topics"][0]["partitions"][0]["error_code"] == 0, answer
    for future in admin.delete_consumer_groups(["classic", "passing"]).values():
        future.result()


def share(address):
    """A share group reads and acknowledges (KIP-932)."""
    server = ("--bootstrap-server", address)
    run("org.apache.kafka.tools.FeatureCommand", *server, "upgrade", "--feature", "share.version=1")
    # From the first record on, else it would wait for new ones.
    group = ("--entity-type", "groups", "--entity-name", "shared")
    run("kafka.admin.ConfigCommand", *server, "--alter", *group, "--add-config", "share.auto.offset.reset=earliest")
    reader = "org.apache.kafka.tools.consumer.ConsoleShareConsumer"
    run(reader, *server, "--group", "shared", "--topic", "read", "--max-messages", 12)


def run(name, *words):
    done = run_tool(name, *words)
    assert done.returncode == 0, done.stdout + done.stderr


def main(target):
    with tempfile.TemporaryDirectory() as directory:
        broker = Kafka(directory, SETTINGS).start()
        try:
            tell(broker)
            broker.stop()
        except BaseException:
            broker.close()
            raise
        for topic in ("__consumer_offsets", "__transaction_state", "__share_group_state"):
            to = pathlib.Path(target) / topic
            shutil.rmtree(to, ignore_errors=True)
            to.mkdir(parents=True)
            for log in sorted(broker.data_dir.glob(f"{topic}-*/*.log")):
                shutil.copy(log, to)
                print(f"{to / log.name}: {log.stat().st_size} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
