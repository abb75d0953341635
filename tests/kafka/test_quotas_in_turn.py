"""Quotas on one data directory, Ottla's and Kafka's in turn: whoever opens it describes what the other has left, and holds to it."""

import pytest

from beside.raw import Connection
from beside.sides import Side
from harness.broker import Kafka, Ottla
from harness.waiting import until
from test_answers_quotas import ENTITIES, alter, describe, parts

# Kafka writes a snapshot of its metadata after each few records.
SNAPSHOTS = {"metadata_log_max_record_bytes_between_snapshots": 100}
TIGHT, LOOSE = 0.0001, 1e9


def has_to_wait(side, client_id):
    """Whether a client that asks for a moment has to wait for what it took."""
    with Connection(side.broker.address, client_id) as connection:
        asked = [connection.ask("Metadata", 9, topics=[])["throttle_time_ms"] for _ in range(2)]
    return any(asked)


def takes_too_much(side, client_id):
    """Waits until a broker has a client wait: Kafka says that it is started before it has read its metadata."""
    until(lambda: has_to_wait(side, client_id))


def shown(side, expected):
    until(lambda: len(describe(side, 1)["entries"]) == expected)
    return describe(side, 1)["entries"]


def change(side, *entries):
    answer = alter(side, 1, *entries)
    assert {entry["error_code"] for entry in answer["entries"]} == {0}, answer


@pytest.mark.parametrize("end", ["stop", "kill9"])
def test_to_kafka_and_back(brokers, end):
    ottla = Side(brokers(Ottla).start())
    slow = [("client-id", "slow")]
    change(ottla, *ENTITIES, (slow, [("request_percentage", TIGHT)]))
    takes_too_much(ottla, "slow")
    assert not has_to_wait(ottla, "other")
    left = shown(ottla, len(ENTITIES) + 1)
    getattr(ottla.broker, end)()

    kafka = Side(brokers.kafka_on(ottla.broker, **SNAPSHOTS).start())
    assert shown(kafka, len(left)) == left
    takes_too_much(kafka, "slow")
    assert not has_to_wait(kafka, "other")
    # One is changed, one is new, one has lost a quota of its two, one goes.
    user, gone = ENTITIES[0][0], ENTITIES[1][0]
    changed = [(slow, LOOSE), ([("client-id", "slower")], TIGHT), (user, None)]
    change(kafka, *((entity, [("request_percentage", value)]) for entity, value in changed))
    change(kafka, (gone, [("consumer_byte_rate", None)]))
    takes_too_much(kafka, "slower")
    until(lambda: parts(gone) not in [entry["entity"] for entry in describe(kafka, 1)["entries"]])
    left = shown(kafka, len(ENTITIES) + 1)
    (of_user,) = [entry["values"] for entry in left if entry["entity"] == parts(user)]
    assert of_user == [{"key": "producer_byte_rate", "value": 1024.0}]
    getattr(kafka.broker, end)()

    ottla.broker.start()
    again = Side(ottla.broker)
    assert shown(again, len(left)) == left
    takes_too_much(again, "slower")
    assert not has_to_wait(again, "slow")
