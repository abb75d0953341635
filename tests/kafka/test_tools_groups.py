"""Kafka's command-line tools for groups: what they print of Ottla is what they print of Kafka."""

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from beside.batches import batch
from beside.consumer_groups import ConsumerMember
from beside.groups import Member, given, reads
from beside.java import run_tool
from beside.sides import differences

pytestmark = pytest.mark.usefixtures("coordinators")


def printed(side, *words):
    """By kafka-consumer-groups, without what is drawn and without the columns' widths."""
    done = run_tool("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server", side.broker.bootstrap, *words)
    text = re.sub(r"-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "-drawn", done.stdout + done.stderr)
    text = text.replace(side.broker.address, "address")
    # The words after an exception's name are the broker's own.
    text = re.sub(r"(Exception): .*", r"\1", text)
    return done.returncode, sorted(" ".join(line.split()) for line in text.splitlines())


def test_groups_are_told_reset_and_deleted(sides):
    def story(side):
        side.begin("tools")
        topic, other = side.topic(partitions=2), side.topic()
        side.produce(topic, batch([b"x"] * 9))
        member = Member(side).stable(said=reads(topic), share=given(topic, 0, 1), session_timeout_ms=300_000)
        left = Member(side).stable(said=reads(topic, other))
        for each in (member, left):
            each.commit((topic, (0, 4, -1, "")))
        left.leave()
        one, two = ["--group", member.group], ["--group", left.group]
        wishes = [
            ["--list", "--state"],
            ["--describe", *one, *two],
            ["--describe", *one, "--members", "--verbose"],
            ["--describe", *one, *two, "--state", "--verbose"],
            ["--describe", "--group", "nowhere"],
            ["--reset-offsets", *one, "--topic", topic, "--to-earliest", "--execute"],
            ["--reset-offsets", *two, "--topic", topic, "--to-offset", "7", "--execute"],
            ["--delete-offsets", *two, "--topic", f"{topic}:1", "--topic", other],
            ["--delete", *one],
            ["--delete", *two],
            ["--describe", *two],
        ]
        told = [printed(side, *words) for words in wishes]
        code, listed = told[0]
        told[0] = code, [line for line in listed if member.group in line or left.group in line]
        return told

    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(story, sides)
    found = list(differences(ours, theirs))
    assert not found, found
    codes, said = zip(*ours)
    assert set(codes) == {0, 1} or set(codes) == {0}, ours
    assert any(" 4 9 5 " in line for line in said[1]), said[1]
    assert len(said[0]) == 2, said[0]


def test_groups_of_the_new_protocol_are_told_reset_and_deleted(sides):
    """One at rest, one in the middle of a change, one with a classic member, and one without members."""

    def story(side):
        side.begin("new-tools")
        topic, other = side.topic(partitions=4), side.topic()
        side.produce(topic, batch([b"x"] * 9))
        alone = ConsumerMember(side, "alone", instance="its name")
        alone.join(topic, other, rack_id="rack", server_assignor="range")
        giver, taker = ConsumerMember(side, "giver"), ConsumerMember(side, "taker")
        taker.group = giver.group
        giver.join(topic), taker.join(topic), giver.beat()
        old = Member(side).stable(given(topic, 0, 1, 2, 3), said=reads(topic), session_timeout_ms=300_000)
        new = ConsumerMember(side, "new", old.group)
        new.join(topic)
        left = ConsumerMember(side, "left")
        left.join(topic)
        for each in (alone, giver, left):
            assert each.commit(topic)["topics"][0]["partitions"][0]["error_code"] == 0
        left.leave()
        one, half, both, none = (["--group", member.group] for member in (alone, giver, old, left))
        groups = [*one, *half, *both, *none]
        told = []

        def wish(*words, listing=False):
            # Nobody's session ends while the tools take their time.
            for member in (alone, giver, taker, new):
                if member.epoch:
                    assert member.beat()["error_code"] == 0
            code, lines = printed(side, *words)
            told.append((code, [line for line in lines if "new-tools" in line] if listing else lines))

        wish("--list", "--state", "--type", listing=True)
        wish("--list", "--state", "stable,reconciling", "--type", "consumer", listing=True)
        wish("--list", "--type", "classic", listing=True)
        wish("--describe", *groups, "--offsets", "--verbose")
        wish("--describe", *groups, "--members", "--verbose")
        wish("--describe", *groups, "--members")
        wish("--describe", *groups, "--state", "--verbose")
        for group in (one, none):
            wish("--reset-offsets", *group, "--topic", f"{topic}:0", "--shift-by", "2", "--execute")
        wish("--delete-offsets", *one, "--topic", topic)
        wish("--delete", *one, *none)
        assert alone.leave(-1)["error_code"] == 0
        alone.epoch = 0
        wish("--delete-offsets", *one, "--topic", f"{topic}:0")
        wish("--describe", *one)
        wish("--delete", *one)
        wish("--list", "--type", "consumer", listing=True)
        return told

    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(story, sides)
    found = list(differences(ours, theirs))
    assert not found, "\n".join(found)
    lists = [lines for _, lines in ours]
    assert [len(lines) for lines in lists[:3]] == [4, 3, 0], lists[:3]
    assert any(line.endswith(" 0 7") for line in lists[8]), lists[8]
    assert len(lists[-1]) == 2, lists[-1]


def test_the_console_consumer_goes_on_where_its_group_stood(sides):
    ottla, _ = sides
    ottla.begin("console")
    topic = ottla.topic()
    ottla.produce(topic, batch([b"%d" % number for number in range(10)]))

    def read(count):
        words = ["--topic", topic, "--group", "console", "--max-messages", count, "--from-beginning"]
        done = run_tool("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", ottla.broker.bootstrap, *words)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.split()

    assert read(4) == ["0", "1", "2", "3"]
    assert read(6) == ["4", "5", "6", "7", "8", "9"]
