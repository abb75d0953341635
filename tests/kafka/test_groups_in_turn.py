"""Groups and committed offsets on one data directory, Ottla's and Kafka's in turn, and the records that both write of them."""

import re

import pytest
from confluent_kafka import Consumer

from beside.batches import batch
from beside.consumer_groups import ConsumerMember, describe_consumers
from beside.group_records import records
from beside.groups import Member, delete, delete_offsets, describe, fetch_offsets, list_groups, reads, wait_for_coordinator, with_offsets
from beside.sides import Side, differences
from harness.broker import Kafka, Ottla
from harness.waiting import until

SETTINGS = {"group_initial_rebalance_delay_ms": 0, "offsets_topic_num_partitions": 1}
# No session ends while brokers take turns.
LONG = {"session_timeout_ms": 300_000}
VALUES = [b"%d" % number for number in range(10)]


def everything(side):
    """Groups in each state, and what is left of others. Gives the names of those that are still there."""
    wait_for_coordinator(side)
    topic, other = side.topic("read", partitions=2), side.topic("other")
    side.produce(topic, batch(VALUES))
    first = Member(side, "team").stable(said=reads(topic), speaks=("range", "sticky"), **LONG)
    first.commit((topic, (0, 3, 0, 'where "it" was: \u00fc \U0001f600'), (1, 4, -1, None)), other)
    second = Member(side, "team", "its name")
    waiting = second.begin_join(said=reads(topic, other), **LONG)
    first.told_to_rejoin()
    first.join(said=reads(topic), speaks=("range", "sticky"), **LONG)
    waiting()
    first.sync(shares={first.id: b"first", second.id: b"second"})
    second.sync()
    # In its own place.
    again = Member(side, "team", "its name")
    again.join(said=reads(topic, other), **LONG)
    again.sync()
    again.commit((topic, (1, 5, 2, "again")))
    left = Member(side, "left").stable(said=reads(topic))
    left.commit((topic, (0, 5, -1, ""), (1, 0, -1, "")), other)
    left.leave()
    Member(side, "workers").stable(protocol_type="connect", said=b"\0\1\2", **LONG)
    tool = Member(side, "tool")
    tool.commit((topic, (0, 6, -1, "")), version=2, retention_time_ms=3_600_000)
    tool.commit((topic, (1, 7, -1, "")), other)
    delete_offsets(side, "tool", other, topic)
    gone, going = with_offsets(side, topic), Member(side).stable(said=reads(other))
    going.commit(topic)
    going.leave()
    delete(side, gone.group, going.group)
    return ["left", "team", "tool", "workers"]


def seen(side, groups):
    """What a broker tells of the groups."""
    wait_for_coordinator(side)
    return list_groups(side, *groups), describe(side, *groups), [fetch_offsets(side, group) for group in groups]


def test_both_write_the_same_records(brokers):
    sides = [Side(brokers(kind, **SETTINGS).start()) for kind in (Ottla, Kafka)]
    groups = [everything(side) for side in sides]
    told = [seen(side, names) for side, names in zip(sides, groups)]
    assert not list(differences(*told))
    for side in sides:
        side.broker.stop()
    ours, theirs = (records(side) for side in sides)
    # Ottla adds the topic's id to an offset, Kafka only where the client has given it.
    with_ids = [record for record in ours if '"topicId":' in record]
    assert len(with_ids) == sum('"version":"4"' in record for record in ours)
    ours = [re.sub(r',"topicId":"[^"]{22}"', "", record) for record in ours]
    found = list(differences(ours, theirs))
    assert len(ours) > 20 and not found, "where, Ottla's, Kafka's:\n" + "\n".join(found)


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_to_kafka_and_back(brokers, end):
    """Members stay in their groups, offsets stay committed, and a consumer goes on where the last one stood."""
    ottla = brokers(Ottla, **SETTINGS).start()
    first = Side(ottla)
    groups = everything(first)
    before = seen(first, groups)
    getattr(ottla, end)()

    kafka = brokers.kafka_on(ottla, **SETTINGS).start()
    second = Side(kafka, first)
    assert not list(differences(before, seen(second, groups)))
    goes_on(kafka, VALUES[5:])
    changed = seen(second, groups)
    getattr(kafka, end)()

    ottla.start()
    third = Side(ottla, second)
    assert not list(differences(changed, seen(third, groups)))
    third.produce("read", batch([b"new"]))
    goes_on(ottla, [b"new"])


CONSUMER_SETTINGS = {**SETTINGS, "group_consumer_max_session_timeout_ms": 300_000, "group_consumer_session_timeout_ms": 300_000}


def consumers(side):
    """Two members of the new protocol that share a topic, one of them static, and offsets of both. Gives the members."""
    wait_for_coordinator(side)
    topic = side.topic("read", partitions=4)
    first, second = ConsumerMember(side, "a", "new"), ConsumerMember(side, "b", "new", "its name")
    first.join(topic)
    second.join(topic, server_assignor="range")
    first.beat(), first.holds(), second.beat(), second.holds()
    # By ranges, since one of them asks for it; who has a name of its own comes first.
    assert [part["partitions"] for member in (first, second) for part in member.has] == [[2, 3], [0, 1]]
    for member in (first, second):
        member.commit(topic)
    return [first, second]


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_consumer_groups_to_kafka_and_back(brokers, end):
    """Members of the new protocol go on in their epochs, with what they have, whoever serves them; so do newcomers."""
    ottla = brokers(Ottla, **CONSUMER_SETTINGS).start()
    side = Side(ottla)
    members = consumers(side)
    told = lambda side: (describe_consumers(side, "new"), list_groups(side, "new"), fetch_offsets(side, "new"))
    before = told(side)
    getattr(ottla, end)()

    kafka = brokers.kafka_on(ottla, **CONSUMER_SETTINGS).start()
    side = over(kafka, side, members)
    assert not list(differences(before, told(side)))
    # Nothing has changed for those who are in it.
    assert [(member.holds()["error_code"], member.epoch) for member in members] == [(0, 2), (0, 2)]
    newcomer = ConsumerMember(side, "c", "new")
    assert newcomer.join("read")["error_code"] == 0
    members.append(newcomer)
    settle_down(members, 3)
    members[0].commit("read")
    changed = told(side)
    getattr(kafka, end)()

    ottla.start()
    side = over(ottla, side, members)
    assert not list(differences(changed, told(side)))
    members.pop().leave()
    settle_down(members, 4)
    assert sorted(sum((part["partitions"] for member in members for part in member.has), [])) == [0, 1, 2, 3]


def over(broker, former, members):
    """The members go over to another broker on the same directory, once it serves them."""
    side = Side(broker, former)
    wait_for_coordinator(side)
    for member in members:
        member.side = side
    return side


def settle_down(members, epoch):
    """Heartbeats, until all members are in this epoch and have their partitions."""

    def settled():
        answers = [member.holds() for member in members]
        assert all(answer["error_code"] == 0 for answer in answers), answers
        return all(member.epoch == epoch for member in members) and all(member.has for member in members)

    until(settled)
    settled()


def test_a_topic_of_groups_that_kafka_has_enlarged(brokers):
    """Where a group lives follows from the number of partitions. Kafka adds some and forgets the groups that have moved; Ottla
    adds none, and finds on such a directory what Kafka finds."""
    names = [f"group-{number}" for number in range(6)]
    found = lambda side: [fetch_offsets(side, name, topic) for name in names]
    grown = [{"name": "__consumer_offsets", "count": 3, "assignments": None}]
    grow = lambda side: side.ask("CreatePartitions", 3, topics=grown, timeout_ms=30_000, validate_only=False)
    ottla = brokers(Ottla, **SETTINGS).start()
    side = Side(ottla)
    wait_for_coordinator(side)
    topic = side.topic("read", partitions=2)
    for name in names:
        Member(side, name).commit(topic)
    before = found(side)
    assert [answer["error_code"] for answer in grow(side)["results"]] == [44]
    ottla.stop()

    kafka = brokers.kafka_on(ottla, **SETTINGS).start()
    side = Side(kafka, side)
    wait_for_coordinator(side)
    assert grow(side)["results"][0]["error_code"] == 0
    kafka.stop()
    kafka.start()
    side = Side(kafka, side)
    for name in names:
        until(lambda: fetch_offsets(side, name, topic)["error_code"] == 0)
    theirs = found(side)
    assert theirs != before and any(one in before for one in theirs), "some have moved, and others stayed"
    kafka.stop()

    ottla.expect_in_log("the number of partitions was changed")
    ottla.start()
    side = Side(ottla, side)
    for name in names:
        until(lambda: fetch_offsets(side, name, topic)["error_code"] == 0)
    assert not list(differences(found(side), theirs))
    # Nobody is there twice.
    assert len(list_groups(side, *names)["groups"]) == len([one for one in theirs if one in before])
    for name in names:
        Member(side, name).commit(topic)
    ottla.restart()
    side = Side(ottla, side)
    for name in names:
        until(lambda: fetch_offsets(side, name, topic)["error_code"] == 0)
    assert found(side) == before


def goes_on(broker, expected):
    """A consumer of the group `left` reads these values, and commits."""
    settings = {"bootstrap.servers": broker.bootstrap, "group.id": "left", "enable.auto.commit": False}
    consumer = Consumer({**settings, "auto.offset.reset": "error"})
    consumer.subscribe(["read"])
    read = []

    def has_all():
        message = consumer.poll(0.1)
        if message is not None:
            assert message.error() is None, message.error()
            read.append(message.value())
        return len(read) >= len(expected)

    until(has_all)
    assert read == expected
    consumer.commit(asynchronous=False)
    consumer.close()
