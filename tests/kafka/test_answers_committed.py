"""Committed offsets: requests sent to Kafka and to Ottla have the same outcome, field by field."""

import pytest

from beside.groups import (
    Member,
    delete,
    delete_offsets,
    describe,
    fetch_offsets,
    list_groups,
    reads,
    sort_topics,
    with_offsets,
)

pytestmark = pytest.mark.usefixtures("coordinators")


@pytest.mark.parametrize("version", range(2, 10))
def test_commits(same, version):
    def story(side):
        topic, other = side.topic(partitions=2), side.topic()
        member, worker, joined, left = Member(side).stable(), Member(side).stable(protocol_type="connect"), Member(side), Member(side)
        joined.join(3)
        left.stable().leave()
        named = Member(side, instance="name").stable()
        outside = {"generation_id_or_member_epoch": -1, "member_id": ""}
        commit = lambda who, *topics, **changes: who.commit(*(topics or (topic,)), version=version, **changes)
        answers = {
            "unknown topic": commit(Member(side), "nowhere"),
            "no topic's name": commit(Member(side), "", "a/b"),
            "unknown partitions": commit(Member(side), (topic, (9, 1, -1, ""), (0, 1, -1, ""), (-1, 1, -1, ""))),
            "one of each": commit(member, "nowhere", (topic, (0, 1, -1, "x"), (5, 1, -1, "")), other),
            "nothing": commit(member),
            "no topics": member.commit(version=version),
            "no group": commit(Member(side, "")),
            "no group but a generation": commit(Member(side, ""), generation_id_or_member_epoch=3, member_id="who"),
            "unknown group": commit(Member(side)),
            "a member of an unknown group": commit(Member(side), generation_id_or_member_epoch=1, member_id="who"),
            "a member without a generation": commit(Member(side), member_id="who"),
            "a name without a generation": commit(Member(side), group_instance_id="who"),
            "from outside": [commit(each, **outside) for each in (member, worker, joined, left)],
            "generations": [commit(member, generation_id_or_member_epoch=each) for each in (0, 1, 2, -1)],
            "generations of an empty group": [commit(left, generation_id_or_member_epoch=each) for each in (0, 1, 2, -1)],
            "unknown member": [commit(each, member_id="who") for each in (member, left)],
            "no member": commit(member, member_id=""),
            "names": [commit(each, group_instance_id=name) for each in (member, named) for name in ("name", "other", None)],
            "somebody else's name": commit(named, member_id="who"),
            "not yet synced": commit(joined),
            "not yet synced, other generation": commit(joined, generation_id_or_member_epoch=7),
            "members": [commit(each) for each in (member, worker, named)],
            "metadata": [
                commit(member, (topic, (0, 7, -1, text), (1, 8, -1, "short")))
                for text in (None, "", "m" * 4096, "m" * 4097, "😀" * 2048, "😀" * 2049, "ü" * 4096)
            ],
            "offsets": [commit(member, (topic, (0, each, -1, ""))) for each in (0, -1, -2, 2**63 - 1, -(2**63))],
            "epochs": [commit(member, (topic, (0, 6, each, ""))) for each in (0, 5, -1, -2)],
            "twice": commit(member, (topic, (0, 6, -1, "first"), (0, 7, -1, "second")), (topic, (0, 8, -1, "third"))),
        }
        fetched = lambda who: fetch_offsets(side, who.group, topic, other, "nowhere")
        return answers, [fetched(each) for each in (member, worker, joined, left, named)]

    same(story)


@pytest.mark.parametrize("retention", [-2, -1, 0, 1, 3_600_000, 2**63 - 1])
def test_commits_with_a_retention_of_their_own(same, retention):
    def story(side):
        topic, member, answers = side.topic(), Member(side), []
        for version in (2, 4):
            answers.append(member.commit(topic, version=version, retention_time_ms=retention))
            answers.append(fetch_offsets(side, member.group, topic))
        return answers

    same(story)


@pytest.mark.parametrize("version", range(1, 10))
def test_fetches(same, version):
    def story(side):
        topic, other = side.topic(partitions=3), side.topic()
        member, answers = Member(side).stable(), []
        member.commit((topic, (0, 5, -1, "where it was"), (2, 7, 3, None)), (other, (0, 0, 0, "ü")))
        idle = with_offsets(side, other)
        fetch = lambda *words, **more: answers.append(fetch_offsets(side, *words, version=version, **more))
        for stable in (False, True):
            fetch(member.group, topic, other, "nowhere", "", "a/b", stable=stable)
            fetch(idle.group, topic, topic, other, stable=stable)
            fetch(side.group(), topic, "nowhere", stable=stable)
            fetch("", topic, stable=stable)
            if version >= 2:
                for group in (member.group, idle.group, side.group(), ""):
                    fetch(group, stable=stable)
        return answers

    same(story)


def test_fetches_of_several_groups(same):
    def story(side):
        topic, other = side.topic(), side.topic()
        member, idle = Member(side).stable(), with_offsets(side, topic, other)
        member.commit(topic)
        some, none = [{"name": topic, "partition_indexes": [0, 0, 3]}], []
        asked = [(member.group, some), (idle.group, None), ("nowhere", some), ("", None), (idle.group, some), (idle.group, none)]
        answers = []
        for version in (8, 9):
            groups = [{"group_id": group, "topics": topics, "member_id": None, "member_epoch": -1} for group, topics in asked]
            answers.append(side.ask("OffsetFetch", version, groups=groups, require_stable=False))
            answers.append(side.ask("OffsetFetch", version, groups=[], require_stable=False))
            for answer in answers:
                for group in answer["groups"]:
                    sort_topics(group)
        # What a member of the new protocol says of itself.
        for member_id, epoch in (("who", 1), (member.id, 1), (member.id, 7), ("", 0), (None, 3)):
            groups = [{"group_id": member.group, "topics": some, "member_id": member_id, "member_epoch": epoch}]
            answers.append(side.ask("OffsetFetch", 9, groups=groups, require_stable=False))
        return answers

    same(story)


def test_deleted_offsets(same):
    def story(side):
        topic, other = side.topic(), side.topic()
        member, babbler, worker = Member(side).stable(said=reads(topic)), Member(side).stable(said=b"\0\0\0"), Member(side).stable(protocol_type="connect")
        joined, left, idle = Member(side), Member(side).stable(said=reads(topic)), with_offsets(side, topic, other)
        joined.join(3, said=reads(topic))
        for each in (member, babbler, worker, left):
            each.commit(topic, other)
        left.leave()
        answers = [delete_offsets(side, group, topic) for group in ("", side.group())]
        for each in (member, babbler, worker, joined, left, idle):
            answers += [delete_offsets(side, each.group, topic, other, "nowhere"), fetch_offsets(side, each.group)]
            answers += [delete_offsets(side, each.group), delete_offsets(side, each.group, "nowhere")]
        return [*answers, list_groups(side, left.group, idle.group)]

    same(story)


def test_offsets_go_with_their_group(same):
    def story(side):
        topic = side.topic()
        idle, left = with_offsets(side, topic), Member(side).stable()
        left.commit(topic)
        left.leave()
        answers = [fetch_offsets(side, each.group) for each in (idle, left)]
        answers.append(delete(side, idle.group, left.group))
        answers += [fetch_offsets(side, each.group) for each in (idle, left)]
        answers += [idle.commit(topic), fetch_offsets(side, idle.group), describe(side, idle.group, left.group)]
        return answers

    same(story)


def test_offsets_go_with_their_topic(same):
    def story(side):
        topic, other = side.topic(), side.topic()
        idle, only = with_offsets(side, topic, other), with_offsets(side, topic)
        answer = side.ask("DeleteTopics", 5, topic_names=[topic], timeout_ms=30_000)
        assert answer["responses"][0]["error_code"] == 0
        while any(group["topics"] and group["topics"][0]["name"] == topic for group in [fetch_offsets(side, only.group)]):
            pass
        answers = [fetch_offsets(side, idle.group), fetch_offsets(side, idle.group, topic), idle.commit(topic)]
        return [*answers, list_groups(side, idle.group, only.group), describe(side, only.group)]

    same(story)
