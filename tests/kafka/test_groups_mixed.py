"""The Java consumer shares a group with the Python clients."""

import confluent_kafka

from harness.broker import Ottla
from harness.writing import create_topic, flush, producer

PARTITIONS = 8
EACH = 5
PYTHON = ("confluent-kafka", "kafka-python", "aiokafka")


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
