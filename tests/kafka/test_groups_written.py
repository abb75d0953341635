"""Members of the new protocol (KIP-848) say the same to both brokers, and both write the same records about it."""

import re

from beside.batches import batch
from beside.consumer_groups import ConsumerMember
from beside.dumping import same
from beside.group_records import records
from beside.groups import Member, delete, delete_offsets, given, list_groups, reads, wait_for_coordinator
from beside.sides import Side, differences
from harness.broker import Kafka, Ottla
from harness.waiting import until

# No session ends meanwhile.
SETTINGS = {
    "group_initial_rebalance_delay_ms": 0,
    "offsets_topic_num_partitions": 1,
    "group_consumer_max_session_timeout_ms": 300_000,
    "group_consumer_session_timeout_ms": 300_000,
}
LONG = {"session_timeout_ms": 300_000}


def shared(side, topic, other):
    """Members come, give up what others are to have, change what they read and go; one has a name, and comes back with it."""
    first, named = ConsumerMember(side, "a", "shared"), ConsumerMember(side, "b", "shared", "its name")
    first.join(topic, server_assignor="range")
    first.holds()
    named.join(topic, other, rack_id="rack", rebalance_timeout_ms=30_000)
    first.beat(), named.beat(), first.holds(), named.beat(), named.holds()
    first.commit(topic), named.commit(topic)
    first.beat(subscribed_topic_names=[other, topic], rack_id="another")
    first.beat(), first.holds(), named.beat(), named.holds(), first.beat(), first.holds()
    named.leave(-2)
    back = ConsumerMember(side, "c", "shared", "its name")
    back.join(topic, rebalance_timeout_ms=40_000)
    back.beat(), first.beat(), first.holds(), back.beat(), back.holds(), first.beat(), first.holds()
    first.leave()
    back.beat(), back.holds()


def evenly(side, topic):
    """The uniform assignor, of one topic: which of several a member loses first follows from ids that are drawn."""
    members = [ConsumerMember(side, name, "evenly") for name in "abc"]
    for member in members:
        member.join(topic)
        # Those before it give up what it is to have.
        for each in members * 2:
            each.epoch and each.beat(), each.epoch and each.holds()
    members[1].beat(server_assignor="range")
    for each in members * 2:
        each.beat(), each.holds()
    members.pop(0).leave()
    for each in members * 2:
        each.beat(), each.holds()


def by_expression(side, topic, other):
    """A member reads what an expression finds, then what another finds, and then a topic by its name."""
    member = ConsumerMember(side, "a", "by expression")

    def finds(*topics):
        found = lambda: [side.names.get(part["topic_id"], part["topic_id"]) for part in member.has]
        until(lambda: member.holds()["error_code"] == 0 and sorted(found()) == sorted(f"id of {name}" for name in topics))
        member.holds()

    # Kafka looks for topics beside the heartbeats: a new group is empty at first.
    member.join()
    member.beat(subscribed_topic_regex=f"{topic}|nothing")
    finds(topic)
    member.beat(subscribed_topic_regex=f"{topic}|{other}")
    finds(topic, other)
    member.beat(subscribed_topic_names=[other], subscribed_topic_regex="")
    finds(other)


def to_the_new_protocol_and_back(side, topic):
    """A classic member is joined by one of the new protocol, which goes again."""
    old = Member(side, "moving").stable(given(topic, *range(5)), said=reads(topic), speaks=("range", "roundrobin"), **LONG)
    old.commit(topic)
    new = ConsumerMember(side, "new", "moving")
    new.join(topic)
    assert old.beat()["error_code"] == 27
    old.join(said=reads(topic), speaks=("range", "roundrobin"), **LONG)
    old.sync()
    new.beat(), new.holds()
    assert len(new.has) == 1
    new.leave()
    assert [group["group_type"] for group in list_groups(side, "moving")["groups"]] == ["classic"]


def ended(side, topic, other):
    """Groups without members: one that was classic is taken over, offsets are deleted, and whole groups."""
    left = Member(side, "taken over").stable(said=reads(topic))
    left.commit(topic)
    left.leave()
    for name in ("taken over", "short", "gone"):
        member = ConsumerMember(side, "a", name)
        member.join(topic, other)
        member.commit(topic), member.commit(other)
        member.leave()
    delete_offsets(side, "short", other)
    answer = delete(side, "gone")
    assert [result["error_code"] for result in answer["results"]] == [0]


def topics_change(side):
    """A topic that a group reads comes only later, and goes."""
    member = ConsumerMember(side, "a", "patient")
    member.join("later")
    side.topic("later", partitions=2)
    until(lambda: member.holds()["error_code"] == 0 and member.has)
    member.holds()
    side.ask("DeleteTopics", 5, topic_names=["later"], timeout_ms=30_000)
    until(lambda: member.holds()["error_code"] == 0 and not member.has)
    member.holds()


def tell(side):
    wait_for_coordinator(side)
    topic, other = side.topic("read", partitions=5), side.topic("other", partitions=2)
    side.produce(topic, batch([b"x"]))
    shared(side, topic, other)
    evenly(side, topic)
    by_expression(side, topic, other)
    to_the_new_protocol_and_back(side, topic)
    ended(side, topic, other)
    topics_change(side)


def test_both_write_the_same_records(brokers):
    sides = [Side(brokers(kind, **SETTINGS).start()) for kind in (Ottla, Kafka)]
    for side in sides:
        tell(side)
        side.broker.stop()
    ours, theirs = (records(side) for side in sides)
    # Ottla adds the topic's id to an offset, Kafka only where the client has given it.
    ours = [re.sub(r',"topicId":"[^"]{22}"', "", record) for record in ours]
    found = list(differences(ours, theirs))
    shown = "\n".join(["Ottla's:", *ours, "Kafka's:", *theirs])
    assert not found, "where, Ottla's, Kafka's:\n" + "\n".join(found) + "\n" + shown
    for kind in (3, 5, 6, 7, 8, 16):
        of_kind = [record for record in ours if f'"type":"{kind}"' in record]
        assert any("<DELETE>" in record for record in of_kind) and not all("<DELETE>" in record for record in of_kind), kind
    # And both tools print the logs of both alike.
    for side in sides:
        told, _ = same([side.broker.segment("__consumer_offsets")], "--offsets-decoder")
        assert '"type":"16"' in told and "skipping" not in told
