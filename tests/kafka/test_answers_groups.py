"""The APIs of classic groups: requests sent to Kafka and to Ottla have the same outcome, field by field.

Each story runs on both. Members' ids are drawn; they are replaced by what stands in front, and a number.
"""

import pytest

from beside.groups import READS_NOTHING, Member, delete, describe, list_groups, reads, with_offsets
from beside.raw import Connection
from harness.waiting import until


pytestmark = pytest.mark.usefixtures("coordinators")


@pytest.mark.parametrize("version", range(7))
def test_finding_the_coordinator(same, version):
    def story(side):
        answers = []
        for kind in (0, 1, 2, 3, -1, 127):
            for keys in (["a"], [""], ["grüppe", "b", "a", "b"], []):
                key = keys[0] if keys else "c"
                answers.append((kind, keys, side.ask("FindCoordinator", version, key=key, key_type=kind, coordinator_keys=keys)))
        return answers

    def no_transactions(ours, theirs):
        for answers in (ours, theirs):
            # Version 0 has no types.
            answers[:] = [answer for answer in answers if version == 0 or answer[0] != 1]

    same(story, no_transactions)


def test_words_with_a_coordinator(sides):
    """Those that say what is wrong are Ottla's own."""
    def words(side):
        found = {}
        with Connection(side.broker.address) as connection:
            for version in range(1, 7):
                for kind in (0, 3):
                    answer = connection.ask("FindCoordinator", version, key="a", key_type=kind, coordinator_keys=["a"])
                    (one,) = answer["coordinators"] if version >= 4 else [answer]
                    said = one["error_message"]
                    found[version, kind] = said if said in (None, "", "NONE") else "words"
        return found

    ottla, kafka = (words(side) for side in sides)
    assert ottla == kafka


@pytest.mark.parametrize("version", range(10))
def test_joins_that_are_refused(same, version):
    def story(side):
        member, worker = Member(side).stable(), Member(side).stable(protocol_type="connect")
        there = lambda: Member(side, member.group)
        return {
            "no group": [Member(side, "").join(version, member_id=known) for known in ("", "who")],
            "sessions": [Member(side).join(version, session_timeout_ms=ms) for ms in (5999, -1, 1_800_001, 2**31 - 1)],
            "no group and no session": Member(side, "").join(version, session_timeout_ms=1),
            "an id in no group": Member(side).join(version, member_id="who"),
            "an id and a name in no group": Member(side, instance="name").join(version, member_id="who"),
            "no protocol": Member(side).join(version, speaks=()),
            "no type": Member(side).join(version, protocol_type=""),
            "another type": there().join(version, protocol_type="connect"),
            "another protocol": there().join(version, speaks=("sticky", "roundrobin")),
            "an unknown id": there().join(version, member_id="who"),
            "an unknown id and name": Member(side, member.group, "name").join(version, member_id="who"),
            "another group's id": Member(side, worker.group).join(version, member_id=member.id, protocol_type="connect"),
            "a consumer": Member(side, worker.group).join(version),
            "still there": [member.beat(), worker.beat()],
        }

    same(story)


@pytest.mark.parametrize("version", range(10))
def test_a_member_from_its_first_word_to_its_last(same, version):
    def story(side):
        member = Member(side)
        topic = side.topic()
        said = {"speaks": ("sticky", "range"), "said": reads(topic), "reason": "why not"}
        answers = [member.join(version, **said)]
        if version >= 4:
            answers += [describe(side, member.group), list_groups(side, member.group), member.beat()]
            answers.append(member.join(version, **said))
        answers += [describe(side, member.group), list_groups(side, member.group), member.beat(), member.commit(topic)]
        # The answer was lost.
        answers.append(member.join(version, **said))
        words = {"protocol_type": "consumer", "protocol_name": "sticky"}
        for sync in range(6):
            answers.append(member.sync(sync, **words))
        answers += [member.beat(beat) for beat in range(5)]
        answers += [describe(side, member.group, version=each, operations=True) for each in range(7)]
        answers += [list_groups(side, member.group, version=each) for each in range(6)]
        # The leader wants to assign anew.
        answers += [member.join(version, **said), member.beat(), member.sync(shares={"who": b"!"}, **words)]
        answers += [describe(side, member.group), member.leave(min(version, 5)), member.beat(), member.leave()]
        answers += [describe(side, member.group), list_groups(side, member.group)]
        # Somebody else comes into the group that is empty, with other words.
        other = Member(side, member.group)
        if version >= 4:
            answers.append(other.join(version, protocol_type="connect"))
        answers += [other.join(version, protocol_type="connect"), describe(side, member.group)]
        answers += [list_groups(side, member.group), other.sync(2), describe(side, member.group), delete(side, member.group)]
        answers += [other.leave(), delete(side, member.group), describe(side, member.group)]
        return answers

    same(story)


@pytest.mark.parametrize("client_id", [None, "", "größe", "a b-c", "x" * 300])
def test_members_are_called_after_their_clients(same, client_id):
    def story(side):
        member, answers = Member(side), []
        with Connection(side.broker.address, client_id) as connection:
            side.over(connection)
            answers += [member.join(4), member.join(4), member.sync(0), describe(side, member.group), member.leave()]
            side.over(None)
        return answers

    same(story)


@pytest.mark.parametrize("group", ["grüppe 😀", "a b\nc", "x" * 1000, "../etc", "\0"])
def test_names_of_groups(same, group):
    def story(side):
        member, topic = Member(side, group), side.topic()
        answers = [member.join(), member.join(), member.sync(), member.commit(topic), list_groups(side, group)]
        return [*answers, describe(side, group), member.leave(), delete(side, group)]

    same(story)


def test_syncs_and_heartbeats_that_are_refused(same):
    def story(side):
        topic = side.topic()
        member, idle, joined = Member(side).stable(), with_offsets(side, topic), Member(side)
        joined.join(3)
        # Old clients may commit for the group without a name; then it is there.
        Member(side, "").commit(topic)
        left = Member(side).stable()
        left.leave()
        answers = {"sync": [], "beat": []}
        for version in range(6):
            told = {
                "no group": Member(side, "").sync(version, member_id="who", generation_id=1),
                "unknown group": Member(side).sync(version, member_id="who", generation_id=1),
                "only offsets": idle.sync(version, member_id="who", generation_id=0),
                "empty": left.sync(version),
                "unknown member": member.sync(version, member_id="who"),
                "no member": member.sync(version, member_id=""),
                "unknown name": member.sync(version, group_instance_id="name"),
                "generations": [member.sync(version, generation_id=each) for each in (0, 2, -1)],
                "another type": member.sync(version, protocol_type="connect"),
                "another protocol": member.sync(version, protocol_name="sticky"),
                "neither": member.sync(version, protocol_type=None, protocol_name=None),
                "one only": member.sync(version, protocol_type=None),
                "the other only": member.sync(version, protocol_name=None),
                "no group and neither": Member(side, "").sync(version, protocol_type=None, protocol_name=None),
                "again": member.sync(version, shares={}),
            }
            answers["sync"].append(told)
        for version in range(5):
            told = {
                "no group": Member(side, "").beat(version, member_id="who", generation_id=1),
                "unknown group": Member(side).beat(version, member_id="who", generation_id=1),
                "only offsets": [idle.beat(version, member_id="who", generation_id=each) for each in (0, 1, -1)],
                "empty": left.beat(version),
                "unknown member": member.beat(version, member_id="who"),
                "no member": member.beat(version, member_id=""),
                "unknown name": member.beat(version, group_instance_id="name"),
                "generations": [member.beat(version, generation_id=each) for each in (0, 2, -1)],
                "not yet synced": joined.beat(version),
                "stable": member.beat(version),
            }
            answers["beat"].append(told)
        return answers

    same(story)


def test_leaving(same):
    def story(side):
        topic, answers = side.topic(), []
        for version in range(6):
            member, idle, pending = Member(side).stable(), with_offsets(side, topic), Member(side)
            pending.join()
            told = {
                "no group": Member(side, "").leave(version, member_id="who"),
                "unknown group": Member(side).leave(version, member_id="who"),
                "only offsets": idle.leave(version, member_id="who"),
                "unknown": member.leave(version, member_id="who"),
                "unknown name": member.leave(version, group_instance_id="name"),
                "only a name": member.leave(version, member_id="", group_instance_id="name"),
                "nobody": [member.leave(version, members=[]), Member(side, "").leave(version, members=[])],
                "an id that was only given out": [pending.leave(version), pending.join(), pending.leave(version)],
                "member": [member.leave(version), describe(side, member.group), member.leave(version)],
            }
            answers.append(told)
        several = [Member(side, instance=name) for name in ("one", "two", "three")]
        for each in several:
            each.group = several[0].group
        several[0].stable()
        waiting = []
        for each in several[1:]:
            waiting.append(each.begin_join())
            until(lambda: len(describe(side, each.group)["groups"][0]["members"]) == len(waiting) + 1)
        who = [
            {"member_id": several[0].id, "group_instance_id": "one", "reason": None},
            {"member_id": "", "group_instance_id": "two", "reason": None},
            {"member_id": "", "group_instance_id": "two", "reason": None},
            {"member_id": "x", "group_instance_id": "three", "reason": None},
            {"member_id": "y", "group_instance_id": "four", "reason": None},
            {"member_id": "z", "group_instance_id": None, "reason": None},
            {"member_id": "", "group_instance_id": None, "reason": None},
        ]
        answers.append(several[0].leave(4, members=who))
        # Nobody is left but "three", who has joined.
        return [*answers, *sorted((wait() for wait in waiting), key=lambda answer: answer["error_code"])]

    same(story)


def test_a_rebalance(same):
    def story(side):
        topic = side.topic()
        first = Member(side).stable(said=reads(topic), speaks=("range", "sticky"))
        second, third = Member(side, first.group), Member(side, first.group)
        answers = [second.join(), third.join()]
        waiting = second.begin_join(speaks=("sticky", "range", "none"), said=reads("other"))
        answers += [first.told_to_rejoin(), first.sync(), first.commit(topic), describe(side, first.group)]
        answers += [list_groups(side, first.group), first.beat(generation_id=7), third.beat(), third.sync(), third.commit(topic)]
        # The third was only given an id, and holds up the rebalance until it leaves or comes.
        rejoined = first.begin_join(speaks=("range", "sticky"), said=reads(topic))
        answers.append(third.join(speaks=("range",), said=READS_NOTHING))
        answers.append(rejoined())
        answers.append(waiting())
        members = (first, second, third)
        answers += [describe(side, first.group), *(member.commit(topic) for member in members)]
        answers += [member.beat() for member in members]
        early = [member.begin_sync() for member in (second, third)]
        shares = {first.id: b"first", second.id: b"second"}
        answers += [first.sync(shares=shares), *(wait() for wait in early)]
        answers += [describe(side, first.group), *(member.commit(topic) for member in members)]
        # A follower that says the same again is told what it knows; one that says something else disturbs all.
        answers += [third.join(speaks=("range",)), third.join(4, speaks=("range",)), third.beat()]
        answers += [second.join(version, speaks=("sticky", "range", "none"), said=reads("other")) for version in range(10)]
        changed = second.begin_join(speaks=("range",), said=reads(topic))
        answers += [third.told_to_rejoin(), first.leave(), third.leave(), changed(), describe(side, first.group)]
        answers += [second.sync(), second.leave(), describe(side, first.group)]
        return answers

    same(story)


@pytest.mark.parametrize("version", range(5, 10))
def test_a_static_member_comes_back(same, version):
    def story(side):
        topic = side.topic()
        first, second = Member(side, instance="name"), Member(side)
        second.group = first.group
        first.stable(said=reads(topic))
        second.join()
        waiting = second.begin_join(speaks=("range", "sticky"))
        answers = [first.told_to_rejoin(), first.join(version, said=reads(topic)), waiting()]
        answers += [first.sync(shares={first.id: b"1", second.id: b"2"}), second.sync()]
        again = Member(side, first.group, "name")
        answers += [again.join(version, said=reads(topic)), describe(side, first.group), second.beat(), again.beat()]
        answers += [again.sync(), again.commit(topic)]
        # The former id is not valid any more.
        answers += [first.join(version), first.sync(), first.beat(), first.commit(topic), first.leave()]
        answers += [first.beat(group_instance_id=None), first.commit(topic, group_instance_id=None)]
        # With other words of its own, and the same protocol chosen.
        once = Member(side, first.group, "name")
        answers += [once.join(version, said=reads(topic, "more"), speaks=("range", "sticky"), session_timeout_ms=20_000)]
        answers += [describe(side, first.group), once.sync(), second.beat(), again.beat()]
        # With another protocol, on which all have to agree.
        waiting = Member(side, first.group, "name").begin_join(version, speaks=("sticky",))
        answers += [second.told_to_rejoin(), describe(side, first.group)["groups"][0]["group_state"]]
        # It leaves by its name alone.
        answers += [once.leave(member_id=""), waiting(), once.leave(member_id=""), describe(side, first.group)]
        return answers

    same(story)


def test_listing(same):
    def story(side):
        topic = side.topic()
        stable, worker, idle, left = Member(side).stable(), Member(side).stable(protocol_type="connect"), with_offsets(side, topic), Member(side).stable()
        joined = Member(side)
        joined.join(3)
        left.leave()
        names = [member.group for member in (stable, worker, idle, left, joined)]
        answers = [list_groups(side, *names, version=version) for version in range(6)]
        for states in (["Stable"], ["stable", "EMPTY"], ["Dead"], ["nonsense"], [""], [" Stable "], ["Completing_Rebalance"], ["CompletingRebalance", "x"], ["Assigning", "Reconciling"]):
            answers += [list_groups(side, *names, version=version, states=states) for version in (4, 5)]
        for types in (["classic"], ["Classic"], ["consumer"], ["share"], ["streams"], ["nonsense"], [""], [" classic "], ["consumer", "CLASSIC"], ["unknown"]):
            answers.append(list_groups(side, *names, types=types))
        return [*answers, list_groups(side, *names, types=["classic"], states=["Empty"])]

    same(story)


@pytest.mark.parametrize("version", range(7))
def test_describing_what_is_not_there(same, version):
    def story(side):
        group, idle = side.group(), with_offsets(side, side.topic())
        return [
            describe(side, *groups, version=version, operations=operations)
            for groups in ([group], [""], [], [group, idle.group, group], [idle.group])
            for operations in (False, True)
        ]

    same(story)


@pytest.mark.parametrize("version", range(3))
def test_deleting(same, version):
    def story(side):
        topic = side.topic()
        member, idle, left, pending = Member(side).stable(), with_offsets(side, topic), Member(side).stable(), Member(side)
        left.leave()
        pending.join()
        joined = Member(side)
        joined.join(3)
        answers = [delete(side, group, version=version) for group in ("", side.group(), member.group, joined.group)]
        names = [idle.group, left.group, member.group, "nowhere"]
        answers += [delete(side, *names, version=version), delete(side, version=version)]
        answers += [delete(side, *names, version=version), delete(side, pending.group, version=version), pending.join()]
        return [*answers, list_groups(side, *names), describe(side, *names)]

    same(story)
