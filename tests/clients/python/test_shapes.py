"""Records of every shape, large ones, and one that is too large."""

import os

import confluent_kafka
import pytest

from harness.reading import READERS, read_all, values
from harness.writing import WRITERS, Tally, flush, producer

SHAPES = [
    (None, b"without a key", []),
    (b"without a value", None, []),
    (None, None, []),
    (b"", b"", []),
    (b"an empty value", b"", []),
    (b"", b"an empty key", []),
    (bytes(range(256)), bytes(reversed(range(256))), []),
    (b"headers", b"x", [("a", b"1"), ("b", b""), ("a", b"2"), ("", b"an empty name"), ("\u00fc\u4e16\U0001f600", b"\xff")]),
    (b"many headers", b"x", [(f"h{number}", b"%d" % number) for number in range(100)]),
]


@pytest.mark.parametrize("client", WRITERS)
def test_every_shape_comes_back_as_it_was(broker, client):
    # Only confluent-kafka sends a record that has neither key nor value.
    shapes = [shape for shape in SHAPES if client == "confluent-kafka" or shape[:2] != (None, None)]
    WRITERS[client](broker.bootstrap, "test", shapes)
    for reader, read in READERS.items():
        got = [(record.key, record.value, list(record.headers)) for record in read(broker.bootstrap, "test")]
        assert got == shapes, reader


@pytest.mark.parametrize("client", WRITERS)
def test_messages_of_a_megabyte(broker, client):
    large = [(None, os.urandom(1_000_000), []) for _ in range(5)]
    small = [(None, b"small", [])]
    mixed = large + small + large
    WRITERS[client](broker.bootstrap, "test", mixed)
    for reader, read in READERS.items():
        assert [(None, value, []) for value in values(read(broker.bootstrap, "test"))] == mixed, reader


def test_a_message_that_is_too_large_is_refused_and_the_others_are_not(broker):
    tally = Tally()
    writer = producer(broker.bootstrap, message_max_bytes=3_000_000, enable_idempotence=False)
    for value in (b"before", os.urandom(2_000_000), b"after"):
        writer.produce("test", value, on_delivery=tally)
        flush(writer)
    ((error, refused),) = tally.refused
    assert error.code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE
    assert len(refused) == 2_000_000
    assert values(read_all(broker.bootstrap, "test")) == [b"before", b"after"]


def test_an_idempotent_producer_goes_on_after_a_message_that_is_too_large(broker):
    tally = Tally()
    writer = producer(broker.bootstrap, message_max_bytes=3_000_000)
    for value in (b"before", os.urandom(2_000_000), b"after"):
        writer.produce("test", value, on_delivery=tally)
        flush(writer)
    ((error, _),) = tally.refused
    assert error.code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE
    assert values(read_all(broker.bootstrap, "test")) == [b"before", b"after"]
