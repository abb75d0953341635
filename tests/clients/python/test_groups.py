"""Consumers that share a topic as a group, each in its own process."""

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient

from harness.writing import create_topic, flush, producer

# Only librdkafka speaks the new protocol (KIP-848).
CLIENTS = [("confluent-kafka", "classic"), ("kafka-python", "classic"), ("aiokafka", "classic"), ("confluent-kafka", "consumer")]
PARTITIONS = 4
# A group of a test need not wait for members that come together, nor long for one that is gone.
AT_ONCE = {
    "group.initial.rebalance.delay.ms": 0,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.heartbeat.interval.ms": 500,
}


def write(broker, topic, values):
    """Writes the values, round the partitions."""
    writer = producer(broker.bootstrap)
    for number, value in enumerate(values):
        writer.produce(topic, value=value, partition=number % PARTITIONS)
    flush(writer)


def values_got(members):
    return sorted(value for member in members.all for _, _, value in member.got)


@pytest.fixture
def group_broker(start_broker):
    return start_broker(AT_ONCE)


def start_member(broker, members, client, protocol, topic="work", **options):
    if protocol != "classic":
        options["protocol"] = protocol
    return members.start(client, broker.bootstrap, "team", topic, **options)


@pytest.mark.parametrize("client, protocol", CLIENTS)
def test_two_share_and_one_is_killed(group_broker, members, client, protocol):
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    first = start_member(group_broker, members, client, protocol)
    members.wait_for_shares(PARTITIONS, [first])
    second = start_member(group_broker, members, client, protocol)
    members.wait_for_shares(PARTITIONS, [first, second])
    write(group_broker, "work", [f"v{number}" for number in range(40)])
    members.wait_until(lambda: len(values_got(members)) == 40, "40 records")
    first.kill9()
    # Its session ends after six seconds; then the other has everything.
    members.wait_for_shares(PARTITIONS, [second])
    write(group_broker, "work", [f"w{number}" for number in range(40)])
    members.wait_until(lambda: len(values_got(members)) >= 80, "80 records")
    assert set(values_got(members)) == {f"{letter}{number}" for letter in "vw" for number in range(40)}


@pytest.mark.parametrize("client, protocol", CLIENTS)
@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_members_outlive_the_broker(group_broker, members, client, protocol, end):
    """They go on where they stood: nothing is read twice, since everything was committed."""
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    pair = [start_member(group_broker, members, client, protocol) for _ in range(2)]
    members.wait_for_shares(PARTITIONS, pair)
    write(group_broker, "work", [f"v{number}" for number in range(20)])
    members.wait_until(lambda: len(values_got(members)) == 20, "20 records")
    committed = confluent_kafka.Consumer({"bootstrap.servers": group_broker.bootstrap, "group.id": "team"})
    asked = [confluent_kafka.TopicPartition("work", part) for part in range(PARTITIONS)]
    reached = lambda: [part.offset for part in committed.committed(asked, timeout=30)] == [5] * PARTITIONS
    members.wait_until(reached, "all offsets committed")
    getattr(group_broker, end)()
    group_broker.start()
    assert reached()
    committed.close()
    write(group_broker, "work", [f"w{number}" for number in range(20)])
    members.wait_until(lambda: len(values_got(members)) >= 40, "40 records")
    assert values_got(members) == sorted(f"{letter}{number}" for letter in "vw" for number in range(20))


def test_a_member_that_pauses_too_long_loses_its_share(group_broker, members):
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    options = {"session_timeout_ms": 6000, "max_poll_interval_ms": 6000}
    pair = [start_member(group_broker, members, "confluent-kafka", "classic", **options) for _ in range(2)]
    members.wait_for_shares(PARTITIONS, pair)
    write(group_broker, "work", ["pause"])
    # The one that got it sleeps; its client leaves the group, and the other takes over, and then sleeps too.
    members.wait_until(lambda: values_got(members).count("pause") == 2, "the record processed by both")
    members.wait_for_shares(PARTITIONS, pair)


def test_a_static_member_comes_back_without_a_rebalance(group_broker, members):
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    options = {"session_timeout_ms": 30_000}
    start = lambda name: members.start(
        "confluent-kafka", group_broker.bootstrap, "team", "work", instance=name, **options
    )
    one, two = start("one"), start("two")
    members.wait_for_shares(PARTITIONS, [one, two])
    share = one.assignment
    rebalances = sum("assigned" in event for event in two.said)
    one.kill9()
    again = start("one")
    members.wait_until(lambda: again.assignment, "the share of the one that came back")
    assert again.assignment == share
    write(group_broker, "work", [f"v{number}" for number in range(8)])
    members.wait_until(lambda: len(values_got(members)) == 8, "8 records")
    assert sum("assigned" in event for event in two.said) == rebalances, "the other noticed nothing"


def test_members_go_over_to_the_new_protocol_and_back(group_broker, members):
    """One after the other, while the group works: offsets stay, and nothing is read twice."""
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    start = lambda protocol: start_member(group_broker, members, "confluent-kafka", protocol)
    # Kept until the end: librdkafka drops the answers of a client that is gone.
    admin = AdminClient({"bootstrap.servers": group_broker.bootstrap})
    kinds = lambda: admin.list_consumer_groups().result().valid
    running = [start("classic"), start("classic")]
    members.wait_for_shares(PARTITIONS, running)
    for turn, protocol in enumerate(["consumer", "consumer", "classic", "classic"]):
        # A record for each partition, all committed, so that none is read again.
        write(group_broker, "work", [f"{turn}-{number}" for number in range(PARTITIONS)])
        members.wait_until(lambda: len(values_got(members)) == (turn + 1) * PARTITIONS, f"the records of turn {turn}")
        asker = confluent_kafka.Consumer({"bootstrap.servers": group_broker.bootstrap, "group.id": "team"})
        asked = [confluent_kafka.TopicPartition("work", part) for part in range(PARTITIONS)]
        reached = lambda: [part.offset for part in asker.committed(asked, timeout=30)] == [turn + 1] * PARTITIONS
        members.wait_until(reached, "all offsets committed")
        asker.close()
        running.pop(0).kill9()
        running.append(start(protocol))
        members.wait_for_shares(PARTITIONS, running)
        kind = "CLASSIC" if turn == 3 else "CONSUMER"
        members.wait_until(lambda: [group.type.name for group in kinds()] == [kind], f"a group of the type {kind}")
    write(group_broker, "work", [f"4-{number}" for number in range(PARTITIONS)])
    members.wait_until(lambda: len(values_got(members)) >= 5 * PARTITIONS, "the last records")
    assert values_got(members) == sorted(f"{turn}-{number}" for turn in range(5) for number in range(PARTITIONS))


def test_a_regular_expression_finds_topics_that_come_later(group_broker, members):
    """librdkafka looks at the topics itself in the classic protocol, and leaves it to the broker in the new one."""
    create_topic(group_broker.bootstrap, "work-1", 1)
    member = start_member(group_broker, members, "confluent-kafka", "consumer", "^work-.*")
    members.wait_until(lambda: member.assignment == {0}, "the first topic")
    create_topic(group_broker.bootstrap, "work-22", PARTITIONS)
    create_topic(group_broker.bootstrap, "other", 2 * PARTITIONS)
    members.wait_until(lambda: member.assignment == set(range(PARTITIONS)), "the second topic, and no other")


def test_a_cooperative_group_keeps_what_it_need_not_give(group_broker, members):
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    start = lambda: members.start(
        "confluent-kafka", group_broker.bootstrap, "team", "work", strategy="cooperative-sticky"
    )
    first = start()
    members.wait_for_shares(PARTITIONS, [first])
    second = start()
    members.wait_for_shares(PARTITIONS, [first, second])
    revoked = {part for event in first.said for part in event.get("revoked", ())}
    assert revoked == second.assignment, "only what the other got was taken away"


def test_offsets_outlive_the_group_and_are_deleted_with_it(group_broker, members):
    create_topic(group_broker.bootstrap, "work", PARTITIONS)
    write(group_broker, "work", [f"v{number}" for number in range(8)])
    member = members.start("confluent-kafka", group_broker.bootstrap, "team", "work")
    members.wait_until(lambda: len(member.got) == 8, "8 records")
    def ask(question):
        # A client of its own each time: librdkafka's admin client can lose its coordinator for ever when the broker restarts.
        admin = AdminClient({"bootstrap.servers": group_broker.bootstrap})
        return question(admin)

    def groups():
        listed = ask(lambda admin: admin.list_consumer_groups().result())
        if [error.code() for error in listed.errors] == [confluent_kafka.KafkaError.COORDINATOR_LOAD_IN_PROGRESS]:
            return None
        assert not listed.errors, listed.errors
        return {group.group_id: group.state.name for group in listed.valid}

    assert groups() == {"team": "STABLE"}
    described = ask(lambda admin: admin.describe_consumer_groups(["team"])["team"].result())
    assert [part.partition for each in described.members for part in each.assignment.topic_partitions] == [0, 1, 2, 3]
    refused = ask(lambda admin: admin.delete_consumer_groups(["team"])["team"].exception())
    assert refused.args[0].code() == confluent_kafka.KafkaError.NON_EMPTY_GROUP
    member.kill9()
    members.wait_until(lambda: groups() == {"team": "EMPTY"}, "an empty group")
    group_broker.restart()
    members.wait_until(lambda: groups() is not None, "the groups to be loaded")
    assert groups() == {"team": "EMPTY"}
    ask(lambda admin: admin.delete_consumer_groups(["team"])["team"].result())
    assert groups() == {}
    group_broker.restart()
    members.wait_until(lambda: groups() is not None, "the groups to be loaded")
    assert groups() == {}
