"""DescribeClientQuotas and AlterClientQuotas, sent to Kafka and to Ottla, have the same outcome, and so has having too much."""

import re
import time

import pytest

from beside.batches import batch
from beside.raw import PATIENCE, Connection
from test_tools_admin import same_lines
from test_tools_configs import configs

INVALID_REQUEST, UNSUPPORTED_VERSION, THROTTLING_QUOTA_EXCEEDED = 42, 35, 89


def parts(entity):
    return [{"entity_type": kind, "entity_name": name} for kind, name in entity]


def alter(side, version, *entries, validate_only=False):
    """Each entry is an entity, as pairs, and its changes: key and value, None to remove it."""
    wanted = [
        {
            "entity": parts(entity),
            "ops": [{"key": key, "value": value or 0.0, "remove": value is None} for key, value in changes],
        }
        for entity, changes in entries
    ]
    answer = side.ask("AlterClientQuotas", version, entries=wanted, validate_only=validate_only)
    return in_order(answer)


def describe(side, version, *components, strict=False):
    asked = [{"entity_type": kind, "match_type": how, "match": name} for kind, how, name in components]
    return in_order(side.ask("DescribeClientQuotas", version, components=asked, strict=strict))


def in_order(answer):
    """Kafka's order is that of hash maps, and its words are its own."""
    for each in [answer, *(answer["entries"] or [])]:
        if "error_message" in each:
            each["error_message"] = each["error_message"] is not None
        for name, key in (("entity", "entity_type"), ("values", "key")):
            each.get(name, []).sort(key=lambda one: one[key])
    if answer["entries"]:
        answer["entries"].sort(key=lambda entry: repr(entry["entity"]))
    return answer


def settled(side, version, expected):
    """Kafka's broker follows its controller a moment later."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = describe(side, version)
        if len(found["entries"]) == expected:
            return found
        time.sleep(0.05)
    raise AssertionError(f"there are never {expected} entities")


ENTITIES = [
    ([("user", "u")], [("producer_byte_rate", 1024.0), ("request_percentage", 12.5)]),
    ([("user", None)], [("consumer_byte_rate", 2048.0)]),
    ([("user", "u"), ("client-id", "c")], [("controller_mutation_rate", 0.5)]),
    ([("user", "u"), ("client-id", None)], [("producer_byte_rate", 1.0)]),
    ([("client-id", "c")], [("producer_byte_rate", 9e15)]),
    ([("client-id", None)], [("request_percentage", 1e9)]),
    ([("ip", "10.1.2.3")], [("connection_creation_rate", 100.0)]),
    ([("ip", None)], [("connection_creation_rate", 2147483647.0)]),
]


@pytest.mark.parametrize("version", [0, 1])
def test_quotas_are_set_described_and_removed(same, version):
    def story(side):
        outcome = [alter(side, version, *ENTITIES, validate_only=True), describe(side, version)]
        outcome += [alter(side, version, *ENTITIES), settled(side, version, len(ENTITIES))]
        for strict in (False, True):
            outcome += [
                describe(side, version, ("user", 0, "u"), strict=strict),
                describe(side, version, ("user", 1, None), strict=strict),
                describe(side, version, ("user", 2, None), strict=strict),
                describe(side, version, ("user", 2, None), ("client-id", 2, None), strict=strict),
                describe(side, version, ("user", 0, "u"), ("client-id", 1, None), strict=strict),
                describe(side, version, ("client-id", 0, "c"), strict=strict),
                describe(side, version, ("ip", 2, None), strict=strict),
                describe(side, version, ("ip", 0, "10.1.2.4"), strict=strict),
            ]
        removed = [(entity, [(key, None) for key, _ in changes]) for entity, changes in ENTITIES]
        return [*outcome, alter(side, version, *removed), settled(side, version, 0)]

    outcome = same(story)
    assert len(outcome[3]["entries"]) == len(ENTITIES)


@pytest.mark.parametrize("version", [0, 1])
def test_what_makes_no_sense_is_refused(same, version):
    user, rate = [("user", "u")], ("producer_byte_rate", 1.0)

    def story(side):
        return [
            alter(side, version, (entity, changes))
            for entity, changes in (
                ([], [rate]),
                ([("group", "g")], [rate]),
                ([("user", "")], [rate]),
                ([("user", "u"), ("ip", "10.0.0.1")], [rate]),
                ([("ip", "10.0.0.1")], [rate]),
                ([("ip", "999.0.0.1.")], [("connection_creation_rate", 1.0)]),
                ([("ip", "10.0.0.1")], [("connection_creation_rate", 2147483648.0)]),
                (user, [("connection_creation_rate", 1.0)]),
                (user, [("no_such_key", 1.0)]),
                (user, [("producer_byte_rate", -1.0)]),
                (user, [("producer_byte_rate", 1.5)]),
                (user, [("producer_byte_rate", 1e19)]),
                (user, [rate, rate]),
            )
        ] + [
            describe(side, version, *components)
            for components in (
                [("", 2, None)],
                [("group", 2, None)],
                [("user", 0, None)],
                [("user", 1, "u")],
                [("user", 2, "u")],
                [("user", 3, None)],
                [("user", 2, None), ("user", 1, None)],
                [("ip", 2, None), ("user", 2, None)],
            )
        ] + [alter(side, version, (user, [("no_such_key", None)])), describe(side, version)]

    outcome = same(story)
    assert {entry["error_code"] for answer in outcome[:13] for entry in answer["entries"]} == {INVALID_REQUEST}
    assert {answer["error_code"] for answer in outcome[13:21]} == {INVALID_REQUEST, UNSUPPORTED_VERSION}


def until_limited(side, client_id, ask):
    """Asks on new connections, since the last one may be muted, until the answer is one that a quota had a say in."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        with Connection(side.broker.address, client_id) as connection:
            answer = ask(connection)
        if answer["throttle_time_ms"] > 0:
            return answer
        time.sleep(0.05)
    raise AssertionError("it never has to wait")


def limited(side, client_id, key, value, ask):
    entity = [("client-id", client_id)]
    alter(side, 1, (entity, [(key, value)]))
    answer = until_limited(side, client_id, ask)
    alter(side, 1, (entity, [(key, None)]))
    return answer


def test_a_producer_with_too_much_is_stored_and_has_to_wait(same):
    def story(side):
        topic = side.topic()
        data = [{"name": topic, "partition_data": [{"index": 0, "records": batch([b"x" * 5000])}]}]

        def ask(connection):
            return connection.ask("Produce", 9, acks=-1, timeout_ms=30_000, topic_data=data, transactional_id=None)

        answer = limited(side, "producer", "producer_byte_rate", 100.0, ask)
        # (5000 / 10 s - 100) / 100 * 10 s, if it was the first one, and more with each.
        assert answer["throttle_time_ms"] >= 39_000
        return answer["responses"][0]["partition_responses"][0]["error_code"]

    assert same(story) == 0


def test_a_consumer_with_too_much_gets_nothing(same):
    def story(side):
        topic = side.topic()
        side.produce(topic, batch([b"x" * 700]))
        partition = {"partition": 0, "fetch_offset": 0, "partition_max_bytes": 1 << 20}
        asked = {"topics": [{"topic": topic, "partitions": [partition]}], "max_bytes": 1 << 20, "min_bytes": 0}

        def ask(connection):
            return connection.ask("Fetch", 11, max_wait_ms=0, session_epoch=-1, rack_id="", **asked)

        answer = limited(side, "consumer", "consumer_byte_rate", 100.0, ask)
        assert 0 < answer.pop("throttle_time_ms") < 10_000
        return answer

    assert same(story)["responses"] == []


def test_request_time_lets_wait_for_a_second(same):
    def story(side):
        ask = lambda connection: connection.ask("Metadata", 9, topics=[])
        return limited(side, "busy", "request_percentage", 0.0001, ask)["throttle_time_ms"]

    assert same(story) == 1000


def test_topics_that_come_too_fast_are_refused(same):
    def story(side):
        names = [f"{side.group()}-{number}" for number in range(3)]
        wanted = [{"name": name, "num_partitions": 10, "replication_factor": 1} for name in names]

        def ask(connection):
            return connection.ask("CreateTopics", 7, topics=wanted, timeout_ms=30_000, validate_only=True)

        answer = limited(side, "creator", "controller_mutation_rate", 1.0, ask)
        return [topic["error_code"] for topic in answer["topics"]]

    assert same(story)[-1] == THROTTLING_QUOTA_EXCEEDED


def test_kafka_configs_on_quotas(sides):
    def described(side, *words):
        code, lines = configs(side, "--describe", *words)
        # Java's maps have no order.
        return code, [re.sub(r"(?<= are )(.*)", lambda values: ", ".join(sorted(values[1].split(", "))), line) for line in lines]

    def story(side):
        outcome = []
        for words in (
            ["--entity-type", "clients", "--entity-name", "c"],
            ["--entity-type", "clients", "--entity-default"],
            ["--entity-type", "users", "--entity-name", "u", "--entity-type", "clients", "--entity-name", "c"],
            ["--entity-type", "users", "--entity-default"],
        ):
            outcome += [
                configs(side, "--alter", "--add-config", "producer_byte_rate=1048576,request_percentage=200", *words),
                described(side, *words),
                configs(side, "--alter", "--delete-config", "producer_byte_rate,request_percentage", *words),
            ]
        address = ["--entity-type", "ips", "--entity-name", "10.0.0.1"]
        outcome += [
            configs(side, "--alter", "--add-config", "connection_creation_rate=5", *address),
            described(side, *address),
            configs(side, "--alter", "--delete-config", "connection_creation_rate", *address),
        ]
        return outcome

    assert {code for code, _ in same_lines(sides, story)} == {0}
