"""Our `kafka-consumer-groups.sh` beside Kafka's own, on the same running Ottla: line by line what they print, and their exit
codes."""

import re

import pytest

from beside.java import run_tool, start_tool
from beside.ours import CLASSES, in_order
from harness.broker import Ottla
from harness.writing import create_topic, write_confluent

NAME = "kafka-consumer-groups.sh"
CONSUMER = "kafka-console-consumer.sh"
# Members hear of each other at once.
HASTE = {
    "group_initial_rebalance_delay_ms": 0,
    "group_consumer_min_heartbeat_interval_ms": 200,
    "group_consumer_heartbeat_interval_ms": 200,
}
LONG_NAME = "a-name-that-is-longer-than-24-letters"


@pytest.fixture(scope="module")
def broker(lasting_brokers):
    broker = lasting_brokers(Ottla, **HASTE).start()
    for topic, partitions in (("written", 1), ("wide", 3), ("long", 12), ("void", 1), (LONG_NAME, 2)):
        create_topic(broker.bootstrap, topic, partitions=partitions)
    write_confluent(broker.bootstrap, "wide", [(b"%d" % n, b"%d" % n, []) for n in range(30)])
    write_confluent(broker.bootstrap, "written", [(None, b"%d" % n, []) for n in range(25)])
    return broker


@pytest.fixture(scope="module")
def groups(broker, tools):
    """Groups that have left, one with a member, one of the new protocol, and one with members of both."""
    bootstrap = ["--bootstrap-server", broker.bootstrap]
    words = [*bootstrap, "--from-beginning", "--group"]
    for group in ("left", "left-too"):
        for topic, most in (("written", 7), ("wide", 11)):
            done = tools.run(CONSUMER, *words, group, "--topic", topic, "--max-messages", most)
            assert done.returncode == 0, done.stderr
    newer = ["--consumer-property", "group.protocol=consumer"]
    static = [*newer, "--consumer-property", "group.instance.id=somebody"]
    members = [
        tools.start(CONSUMER, *words, "there", "--topic", "long"),
        start_tool(CLASSES[CONSUMER], *words, "newer", "--topic", "wide", *static),
        tools.start(CONSUMER, *words, "mixed", "--topic", "long"),
        start_tool(CLASSES[CONSUMER], *words, "mixed", "--topic", "long", *newer),
    ]
    for group, count in (("there", 1), ("newer", 1), ("mixed", 2)):
        while True:
            state = tools.run(NAME, *bootstrap, "--describe", "--group", group, "--state").stdout
            if re.search(rf"Stable +{count}\s", state):
                break
            assert all(member.running for member in members)
    # What is committed by the clock stays as it is from here on.
    while not re.search(r"wide +2 +\d+ ", tools.run(NAME, *bootstrap, "--describe", "--group", "newer").stdout):
        assert members[1].running
    yield
    assert all(member.running for member in members)
    for member in members:
        member.terminate()


@pytest.mark.parametrize(
    "words",
    [
        "--list",
        "--list --state",
        "--list --state stable,Empty --type",
        "--list --type classic",
        "--list --type consumer",
        "--list --state nonsense",
        "--describe --group left",
        "--describe --group left --group left-too --offsets --verbose",
        "--describe --group left --members",
        "--describe --group left --members --verbose",
        "--describe --group left --state",
        "--describe --group there",
        "--describe --group there --members",
        "--describe --group there --members --verbose",
        "--describe --group there --state",
        "--describe --group there --state --verbose",
        "--describe --group nowhere",
        "--describe --all-groups --state",
        "--describe",
        "--describe --group left --members --state",
        "--describe --group left --all-groups",
        "--list --group left",
        "--reset-offsets --group left --topic wide --to-earliest --dry-run",
        "--reset-offsets --group left --topic wide:0,2 --to-latest",
        "--reset-offsets --group left --all-topics --to-current --dry-run",
        "--reset-offsets --group left --topic wide --to-offset 3 --dry-run",
        "--reset-offsets --group left --topic written --shift-by -2 --dry-run",
        "--reset-offsets --group left --topic written --shift-by 2000 --dry-run",
        "--reset-offsets --group fresh --topic wide --to-earliest --execute",
        "--reset-offsets --group there --topic long --to-earliest --execute",
        "--reset-offsets --group left --topic wide --to-earliest --to-latest",
        "--reset-offsets --group left --topic wide --to-earliest --dry-run --execute",
        "--reset-offsets --group left --topic wide",
        "--reset-offsets --group left --to-earliest",
        "--delete --group nowhere",
        "--delete --group there",
        "--delete --group left --topic wide",
        "--delete",
        "--delete-offsets --group there --topic written",
        "--delete-offsets --group left",
        "--delete-offsets --group left --topic nothing",
        "--delete-offsets --group newer --topic wide:0",
        "--describe --group newer",
        "--describe --group newer --verbose",
        "--describe --group newer --members",
        "--describe --group newer --members --verbose",
        "--describe --group newer --state",
        "--describe --group newer --state --verbose",
        "--describe --group mixed --members --verbose",
        "--describe --group mixed --offsets --verbose",
        "--describe --all-groups",
        "--describe --all-groups --members --verbose",
        "--list --type",
        "--list --state Reconciling,Assigning",
        "--list --type share",
        "--reset-offsets --group newer --topic wide --to-latest --execute",
        "--reset-offsets --group left --topic wide --topic void --to-datetime 2020-01-01T00:00:00.000",
        "--reset-offsets --group left --topic wide --to-datetime 2999-12-31T23:59:59.999+01:30",
        "--reset-offsets --group left --topic wide --to-datetime 2020-01-01",
        "--reset-offsets --group left --topic wide --to-datetime 2020-01-01T00:00:00",
        "--reset-offsets --group left --topic wide --to-datetime 2020-02-30T00:00:00.000Z",
        "--reset-offsets --group left --topic wide --by-duration P1DT1H",
        "--reset-offsets --group left --topic wide --by-duration -P1D --dry-run",
        "--reset-offsets --group left --topic wide --by-duration 1D",
        "--reset-offsets --group left --topic wide --to-datetime 2020-01-01T00:00:00.000 --by-duration P1D",
        f"--reset-offsets --group left --topic wide --topic {LONG_NAME} --to-latest --export",
        "--reset-offsets --group left --group left-too --topic wide --to-earliest --export --dry-run",
        "--reset-offsets --all-groups --topic wide --to-latest --export",
        "--reset-offsets --group left --from-file nothing.csv",
        "--reset-offsets --group left --topic wide:x --to-latest",
        "--validate-regex orders-.*",
        "--validate-regex a|b --list",
    ],
)
def test_groups(broker, tools, groups, words):
    tools.same(NAME, "--bootstrap-server", broker.bootstrap, *words.split(), even_out=in_order)


@pytest.mark.parametrize(
    "words",
    [
        "--list",
        "--list --consumer",
        "--list --share",
        "--list --streams",
        "--list --group-type classic",
        "--list --group-type Consumer --protocol consumer",
        "--list --protocol connect",
        "--list --group-type nonsense",
        "--list --consumer --share",
        "--list --share --protocol share",
        "--consumer",
    ],
)
def test_groups_of_every_kind(broker, tools, groups, words):
    tools.same("kafka-groups.sh", "--bootstrap-server", broker.bootstrap, *words.split(), even_out=in_order)


def test_a_group_is_reset_and_deleted(broker, tools):
    bootstrap = ["--bootstrap-server", broker.bootstrap]

    def both(words):
        each = [[*bootstrap, *words.split(), "--group", group] for group in ("mine", "other")]
        ours, theirs = tools.both(NAME, *each)
        assert in_order(ours.stdout) == in_order(theirs.stdout.replace("other", "mine ").replace("mine '", "mine'").replace("mine .", "mine."))
        return ours.stdout

    both("--reset-offsets --topic written --to-offset 4 --execute")
    both("--reset-offsets --topic wide --to-latest --execute")
    both("--reset-offsets --all-topics --shift-by -1 --execute")
    assert f"{'written':<30} 0          3" in both("--reset-offsets --all-topics --to-current --dry-run")
    assert "Successful" in both("--delete-offsets --topic wide --topic written:0")
    both("--describe")
    assert "was successful" in both("--delete")


def test_a_reset_is_written_to_a_file_and_read_again(broker, tools, groups, tmp_path):
    bootstrap = ["--bootstrap-server", broker.bootstrap, "--reset-offsets"]
    topics = ["--topic", "wide", "--topic", LONG_NAME, "--to-latest", "--export"]
    one, two = ["--group", "left"], ["--group", "left", "--group", "left-too"]
    for number, each in enumerate((one, two)):
        plan = tmp_path / f"{number}.csv"
        plan.write_text(tools.run(NAME, *bootstrap, *topics, *each).stdout.strip() + "\n")
        said = tools.same(NAME, *bootstrap, *each, "--from-file", plan, even_out=in_order)
        assert all(re.search(rf"{group} +{LONG_NAME} 1 +0 ", said) for group in each[1::2]), said
        tools.same(NAME, *bootstrap, "--group", "other", "--from-file", plan, even_out=in_order)
    plan.write_text("wide,0,x\n")
    both = tools.both(NAME, *[[*bootstrap, *one, "--from-file", plan]] * 2)
    assert [done.returncode for done in both] == [0, 0]
    for done in both:
        assert done.stdout.startswith("\nError: Executing consumer group command failed due to "), done


def test_expressions_are_told_sound_or_not(tools):
    for wrong in ("(", "a)", "[a", "*", "(?=a)"):
        ours, theirs = tools.both(NAME, *[["--validate-regex", wrong]] * 2)
        begin = f"The regular expression `{wrong}` is invalid: "
        assert ours.stdout.startswith(begin) and theirs.stdout.startswith(begin), (ours, theirs)
        assert ours.returncode == theirs.returncode == 0


def test_members_of_the_new_protocol_share_and_the_one_that_stays_gets_all(broker, tools):
    create_topic(broker.bootstrap, "shared", partitions=4)
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "shared", "--group", "sharing", "--from-beginning"]
    words += ["--consumer-property", "group.protocol=consumer", "--property", "print.partition=true"]
    ours = tools.start(CONSUMER, *words)
    theirs = start_tool(CLASSES[CONSUMER], *words)

    def partitions(lines):
        return {line.split("\t")[0] for line in lines if line.startswith("Partition:")}

    def write():
        assert ours.running
        write_confluent(broker.bootstrap, "shared", [(b"%d" % n, b"x", []) for n in range(40)])

    try:
        while not (len(partitions(ours.lines)) >= 2 and len(partitions(theirs.lines)) >= 2):
            assert theirs.running
            write()
        described = tools.same(NAME, *words[:2], "--describe", "--group", "sharing", "--members", even_out=in_order)
        assert len(described.split()) and " console-consumer " in described
        theirs.terminate()
        before = len(ours.lines)
        while len(partitions(list(ours.lines)[before:])) < 4:
            write()
        ours.terminate()
        assert ours.wait_for_line("Processed a total of")
        assert "has no active members" in tools.run(NAME, *words[:2], "--describe", "--group", "sharing").stderr
    finally:
        ours.kill9()
        theirs.kill9()


def test_a_group_of_the_new_protocol_goes_on_where_the_other_tool_stopped(broker, tools):
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "written", "--from-beginning", "--group", "in-turn"]
    words += ["--property", "print.offset=true", "--property", "print.value=false", "--max-messages", "5"]
    words += ["--consumer-property", "group.protocol=consumer"]

    def offsets(done):
        assert done.returncode == 0, done.stdout + done.stderr
        return [int(line.removeprefix("Offset:")) for line in done.stdout.splitlines()]

    assert offsets(tools.run(CONSUMER, *words)) == [0, 1, 2, 3, 4]
    assert offsets(run_tool(CLASSES[CONSUMER], *words)) == [5, 6, 7, 8, 9]
    assert offsets(tools.run(CONSUMER, *words)) == [10, 11, 12, 13, 14]
    static = [*words, "--consumer-property", "group.instance.id=me"]
    assert offsets(tools.run(CONSUMER, *static)) == [15, 16, 17, 18, 19]
    assert offsets(tools.run(CONSUMER, *static)) == [20, 21, 22, 23, 24], "a static member comes back to its share"


def test_what_the_new_protocol_leaves_to_the_group_is_refused(broker, tools):
    words = ["--bootstrap-server", broker.bootstrap, "--topic", "written", "--group", "refused"]
    words += ["--consumer-property", "group.protocol=consumer"]
    for key in ("session.timeout.ms=7000", "heartbeat.interval.ms=500", "partition.assignment.strategy=range"):
        tools.same(CONSUMER, *words, "--consumer-property", key)
    tools.same(CONSUMER, *words[:-1], "group.protocol=share")
