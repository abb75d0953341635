"""The Java consumer shares a group with the Python clients."""

import confluent_kafka
from confluent_kafka.admin import AdminClient

from harness.broker import Ottla
from harness.writing import create_topic, flush, producer

PARTITIONS = 8
EACH = 5
PYTHON = ("confluent-kafka", "kafka-python", "aiokafka")
# A group of a test need not wait for members that come together, nor long for one that is gone.
AT_ONCE = {
    "group_initial_rebalance_delay_ms": 0,
    "group_consumer_min_session_timeout_ms": 6000,
    "group_consumer_session_timeout_ms": 6000,
    "group_consumer_min_heartbeat_interval_ms": 500,
    "group_consumer_heartbeat_interval_ms": 500,
}


class Work:
    """What is written round by round, and what came of it."""

    def __init__(self, broker, members):
        self._broker, self._members = broker, members
        self._written = []
        create_topic(broker.bootstrap, "work", PARTITIONS)

    def round(self):
        """More records to every partition, until they are processed and committed. All that there were, once each."""
        writer = producer(self._broker.bootstrap)
        for number in range(len(self._written), len(self._written) + EACH * PARTITIONS):
            writer.produce("work", value=str(number), partition=number % PARTITIONS)
            self._written.append(str(number))
        flush(writer)
        self._members.wait_until(lambda: set(self._written) <= set(self._got()), f"{len(self._written)} records")
        ends = [len(self._written) // PARTITIONS] * PARTITIONS
        self._members.wait_until(lambda: self.committed() == ends, f"commits of {ends}")
        assert sorted(self._got()) == sorted(self._written)

    def committed(self):
        """What is stored, by partition."""
        asker = confluent_kafka.Consumer({"bootstrap.servers": self._broker.bootstrap, "group.id": "team"})
        asked = [confluent_kafka.TopicPartition("work", number) for number in range(PARTITIONS)]
        found = [part.offset for part in asker.committed(asked, timeout=30)]
        asker.close()
        return found

    def _got(self):
        return [value for member in self._members.all for _, _, value in member.got]


def test_four_clients_share_a_topic(brokers, members):
    """They speak `range` and `cooperative-sticky`, `range` and `roundrobin` (twice), and `range`: what is common is used."""
    broker = brokers(Ottla, group_initial_rebalance_delay_ms=0).start()
    work = Work(broker, members)
    java = members.start_java(broker.bootstrap, "team", "work")
    # It leads the group, and does so again when the others come.
    members.wait_for_shares(PARTITIONS, [java])
    own = {"aiokafka": {"strategy": "range"}}
    others = [members.start(client, broker.bootstrap, "team", "work", **own.get(client, {})) for client in PYTHON]
    members.wait_for_shares(PARTITIONS, [java, *others])
    assert {len(member.assignment) for member in members.running} == {PARTITIONS // len(members.running)}
    work.round()
    java.kill9()
    # Its session ends after six seconds; then one of the others leads.
    members.wait_for_shares(PARTITIONS, others)
    work.round()
    stood = work.committed()
    broker.kill9()
    broker.start()
    assert work.committed() == stood
    work.round()
    # With other members of other clients, the Java consumer takes its share again.
    java = members.start_java(broker.bootstrap, "team", "work")
    members.wait_for_shares(PARTITIONS, [java, *others])
    work.round()
    assert len(java.got) == len(java.assignment) * EACH


def test_two_clients_of_the_new_protocol_share_a_topic(brokers, members):
    """Whichever of them is killed, the other takes over, and the broker's restart loses nothing of either."""
    broker = brokers(Ottla, **AT_ONCE).start()
    work = Work(broker, members)
    start_java = lambda: members.start_java(broker.bootstrap, "team", "work", protocol="consumer")
    start_python = lambda: members.start("confluent-kafka", broker.bootstrap, "team", "work", protocol="consumer")
    java, python = start_java(), start_python()
    members.wait_for_shares(PARTITIONS, [java, python])
    assert len(java.assignment) == len(python.assignment)
    work.round()
    java.kill9()
    members.wait_for_shares(PARTITIONS, [python])
    work.round()
    stood = work.committed()
    broker.kill9()
    broker.start()
    assert work.committed() == stood
    java = start_java()
    members.wait_for_shares(PARTITIONS, [java, python])
    work.round()
    python.kill9()
    members.wait_for_shares(PARTITIONS, [java])
    work.round()
    assert len(java.got) == EACH * (PARTITIONS + PARTITIONS // 2)


def test_a_member_of_the_new_protocol_among_classic_ones(brokers, members):
    """The group goes over to the new protocol with the first member that speaks it, and back when the last one is gone."""
    broker = brokers(Ottla, **AT_ONCE).start()
    work = Work(broker, members)
    # Kept until the end: librdkafka drops the answers of a client that is gone.
    admin = AdminClient({"bootstrap.servers": broker.bootstrap})

    def becomes(kind):
        kinds = lambda: [group.type.name for group in admin.list_consumer_groups().result().valid]
        members.wait_until(lambda: kinds() == [kind], f"a group of the type {kind}")

    own = {"aiokafka": {"strategy": "range"}}
    others = [members.start(client, broker.bootstrap, "team", "work", **own.get(client, {})) for client in PYTHON]
    members.wait_for_shares(PARTITIONS, others)
    becomes("CLASSIC")
    work.round()
    java = members.start_java(broker.bootstrap, "team", "work", protocol="consumer")
    members.wait_for_shares(PARTITIONS, [java, *others])
    becomes("CONSUMER")
    work.round()
    stood = work.committed()
    broker.kill9()
    broker.start()
    assert work.committed() == stood
    becomes("CONSUMER")
    work.round()
    java.kill9()
    members.wait_for_shares(PARTITIONS, others)
    becomes("CLASSIC")
    work.round()
