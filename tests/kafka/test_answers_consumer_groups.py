"""The APIs of consumer groups (KIP-848): requests sent to Kafka and to Ottla have the same outcome, field by field.

Members' ids are their own here: they are no UUIDs, so that they stand in answers as they are.
"""

import pytest

from beside.consumer_groups import ConsumerMember, describe_consumers
from beside.groups import Member, delete, describe, list_groups, reads
from harness.waiting import until

pytestmark = pytest.mark.usefixtures("coordinators")


def seen(side, group, versions=(0, 1)):
    """What each kind of question says of a group."""
    return [
        *(describe_consumers(side, group, version=version) for version in versions),
        describe_consumers(side, group, operations=True),
        list_groups(side, group),
        describe(side, group),
    ]


@pytest.mark.parametrize("assignor", [None, "uniform", "range"])
def test_members_from_their_first_word_to_their_last(same, assignor):
    def story(side):
        topic, other = side.topic(partitions=4), side.topic(partitions=1)
        first = ConsumerMember(side, "a")
        second = ConsumerMember(side, "b", first.group)
        named = {"server_assignor": assignor}
        answers = [first.join(topic, **named), *seen(side, first.group), first.beat(), first.holds()]
        answers += [second.join(topic, other, **named), *seen(side, first.group), first.beat(), second.beat()]
        answers += [first.beat(), *seen(side, first.group), first.holds(), second.beat(), second.holds()]
        answers += [*seen(side, first.group), first.commit(topic), second.commit(topic), first.fetch(), second.fetch()]
        # The answer was lost: all that it is to know again.
        answers += [second.join(topic, other, **named), second.holds(), first.holds(), first.holds(), second.holds()]
        answers += [first.leave(), first.beat(member_epoch=5), *seen(side, first.group)]
        answers += [second.holds(), second.holds(), *seen(side, first.group), second.leave(), second.leave()]
        answers += [*seen(side, first.group), delete(side, first.group), *seen(side, first.group)]
        return answers

    same(story)


def test_heartbeats_that_are_refused(same):
    def story(side):
        topic = side.topic()
        member = ConsumerMember(side)
        joined = member.join(topic)
        new = lambda: ConsumerMember(side, "new", member.group)
        answers = {
            "joined": joined,
            "no group": ConsumerMember(side, group="").join(topic),
            "no id": new().join(topic, member_id=""),
            "no id in a group": new().beat(member_id="", member_epoch=1, version=0),
            "no id to leave": new().beat(member_id="", member_epoch=-1, version=0),
            "no timeout": new().join(topic, rebalance_timeout_ms=-1),
            "no subscription": new().join(subscribed_topic_names=None),
            "no partitions": new().join(topic, topic_partitions=None),
            "some partitions": new().join(topic, topic_partitions=[{"topic_id": side.topic_id(topic), "partitions": [0]}]),
            "an empty name": new().join(topic, instance_id=""),
            "an empty rack": new().join(topic, rack_id=""),
            "an unknown assignor": new().join(topic, server_assignor="sticky"),
            "an epoch below all": new().beat(member_epoch=-3),
            "away without a name": new().leave(-2),
            "an unknown member": [new().beat(member_epoch=epoch) for epoch in (1, 7, -1)],
            "an unknown name": [new().leave(-2, instance_id="who"), new().beat(member_epoch=1, instance_id="who")],
            "an unknown group": [ConsumerMember(side).beat(member_epoch=epoch) for epoch in (1, -1)],
            "an epoch to come": member.beat(member_epoch=2),
            "a bad expression": new().join(subscribed_topic_names=None, subscribed_topic_regex="(a"),
            "still there": member.beat(),
            "an epoch long gone": [member.join(topic, topic), member.beat(member_epoch=-2)],
            "nothing to read": new().join(),
            "a topic that is not there": new().join("no-such-topic"),
            "seen": seen(side, member.group),
        }
        return answers

    same(story)


def test_static_members(same):
    def story(side):
        topic = side.topic(partitions=2)
        first = ConsumerMember(side, "a", instance="one")
        second = ConsumerMember(side, "b", first.group, "two")
        answers = [first.join(topic), second.join(topic), first.beat(), first.holds(), second.beat()]
        thief = ConsumerMember(side, "c", first.group, "one")
        answers += [thief.join(topic), thief.beat(member_epoch=2), thief.leave(), thief.leave(-2)]
        answers += [first.leave(-2), *seen(side, first.group), first.beat()]
        back = ConsumerMember(side, "d", first.group, "one")
        answers += [back.join(topic), *seen(side, first.group), back.holds(), first.beat(), second.holds()]
        answers += [back.commit(topic), back.leave(), second.holds(), second.holds(), *seen(side, first.group)]
        return answers

    same(story)


def test_regular_expressions(same):
    def story(side):
        one = side.topic(partitions=2)
        member = ConsumerMember(side)
        wish = {"subscribed_topic_names": None, "subscribed_topic_regex": f"{one}|nothing"}
        joined = member.join(**wish)
        # Kafka looks at topics beside the heartbeats, and gives what it found at a later one.
        until(lambda: member.holds()["error_code"] == 0 and member.has)
        member.holds()
        group = describe_consumers(side, member.group)["groups"][0]
        (seen,) = group["members"]
        assert joined["error_code"] == 0
        return member.has, seen["subscribed_topic_regex"], seen["subscribed_topic_names"], seen["assignment"], group["group_state"]

    same(story)


def test_commits_and_fetches_that_are_refused(same):
    def story(side):
        topic = side.topic()
        member = ConsumerMember(side)
        member.join(topic)
        stranger = ConsumerMember(side, "stranger", member.group)
        return {
            "commits": [member.commit(topic, generation_id_or_member_epoch=epoch) for epoch in (0, 1, 2, -1)],
            "old commits": [member.commit(topic, version=version) for version in (2, 7, 8)],
            "of a stranger": [stranger.commit(topic, generation_id_or_member_epoch=epoch) for epoch in (1, -1)],
            "of nobody": stranger.commit(topic, member_id="", generation_id_or_member_epoch=-1),
            "fetches": [member.fetch(member_epoch=epoch) for epoch in (0, 1, 2, -1)],
            "a stranger's": [stranger.fetch(member_epoch=epoch) for epoch in (1, -1)],
            "nobody's": stranger.fetch(member_id=None, member_epoch=-1),
            "deleted": delete(side, member.group),
        }

    same(story)


def test_members_of_both_protocols(same):
    """A classic group becomes a consumer group with the first member of the new protocol, and goes back with the last."""

    def story(side):
        topic = side.topic(partitions=2)
        old = Member(side).stable(said=reads(topic))
        answers = [list_groups(side, old.group), describe_consumers(side, old.group)]
        new = ConsumerMember(side, "new", old.group)
        answers += [new.join(topic), list_groups(side, old.group), describe(side, old.group)]
        described = describe_consumers(side, old.group)
        answers += [described["groups"][0]["group_epoch"], [member["member_type"] for member in described["groups"][0]["members"]]]
        answers += [old.beat(), old.join(said=reads(topic)), old.sync(), old.beat(), new.holds(), new.holds()]
        answers += [old.commit(topic), new.commit(topic), new.leave(), list_groups(side, old.group), old.beat()]
        answers += [old.join(said=reads(topic)), old.sync(), old.beat(), describe(side, old.group)]
        return answers

    same(story)
