"""Which segments retention takes, beside Kafka: the same batches, the same limits, the same files left."""

import time

import pytest

from beside.batches import TIMESTAMP, batch
from beside.sides import Side, list_offset
from harness.broker import Kafka, Ottla

PATIENCE = 60
HOUR = 3_600_000


@pytest.fixture(scope="module")
def both(lasting_brokers):
    quick = {"log_retention_check_interval_ms": 200, "log_initial_task_delay_ms": 200, "log_segment_delete_delay_ms": 500}
    return [Side(lasting_brokers(kind, **quick).start()) for kind in (Ottla, Kafka)]


def segments(side, topic):
    place = side.broker.data_dir / f"{topic}-0"
    return sorted(int(path.name[:20]) for path in place.iterdir() if path.name.endswith(".log"))


def left(side, topic, expected):
    """The segments once they are as expected, or what they are after a long time."""
    deadline = time.monotonic() + PATIENCE
    while segments(side, topic) != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    return segments(side, topic)


def fill(side, topic, ages=(0,) * 8):
    """A segment of two records for each age, and an empty or a last one."""
    for age in ages:
        side.produce(topic, batch([b"-" * 400] * 2, timestamp=TIMESTAMP - age))


def delete_before(side, topic, offset):
    asked = [{"name": topic, "partitions": [{"partition_index": 0, "offset": offset}]}]
    answer = side.ask("DeleteRecords", 2, topics=asked, timeout_ms=30_000)
    assert answer["topics"][0]["partitions"][0]["error_code"] == 0


# One batch to a segment: a second one does not fit.
SMALL = {"internal_segment_bytes": 1000}
# Size of the batch above.
SIZE = len(batch([b"-" * 400] * 2))

STORIES = {
    "size": ({"retention_bytes": 3 * SIZE}, {}, [10, 12, 14]),
    "a byte more": ({"retention_bytes": 3 * SIZE + 1}, {}, [8, 10, 12, 14]),
    "no byte at all": ({"retention_bytes": 0}, {}, [16]),
    "time": ({"retention_ms": HOUR}, {"ages": [2 * HOUR] * 3 + [0] * 5}, [6, 8, 10, 12, 14]),
    "the first young one ends it": ({"retention_ms": HOUR}, {"ages": [2 * HOUR, 0] + [2 * HOUR] * 6}, [2, 4, 6, 8, 10, 12, 14]),
    "everything": ({"retention_ms": HOUR}, {"ages": [2 * HOUR] * 8}, [16]),
}


@pytest.mark.parametrize("name", STORIES)
def test_the_same_segments_are_left(both, name):
    limits, content, expected = STORIES[name]
    for side in both:
        topic = side.topic(f"left-{list(STORIES).index(name)}", **SMALL, **limits)
        fill(side, topic, **content)
        assert left(side, topic, expected) == expected, type(side.broker).__name__
        assert list_offset(side, topic, -2)["offset"] == expected[0]
        assert list_offset(side, topic, -1)["offset"] == 16


@pytest.mark.parametrize("before, expected", [(6, [6, 8, 10, 12, 14]), (7, [6, 8, 10, 12, 14]), (16, [14])])
def test_what_lies_below_the_log_start_goes(both, before, expected):
    for side in both:
        topic = side.topic(f"below-{before}", **SMALL, retention_ms=-1)
        fill(side, topic)
        delete_before(side, topic, before)
        assert left(side, topic, expected) == expected, type(side.broker).__name__
        assert list_offset(side, topic, -2)["offset"] == before
