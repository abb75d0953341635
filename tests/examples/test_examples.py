"""Each example of docs/examples as its reader would run it, on good days and on bad ones."""

import subprocess

from harness.reading import read_all
from harness.writing import create_topic

PARTITIONS = 3
# A run takes seconds.
PATIENCE = 120


def start(example, broker, topic):
    command = [str(word) for word in [*example, broker.bootstrap, topic]]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, text=True)


def finish(process):
    """Waits for its end; gives the lines that it printed."""
    try:
        printed, complaints = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
    assert process.returncode == 0, printed + complaints
    return printed.splitlines()


def run(example, broker, topic):
    return finish(start(example, broker, topic))


def records(broker, topic):
    """`{(partition, offset): record}` of all that can be read, past no proxy."""
    return {
        (partition, record.offset): (record.key, record.value)
        for partition in range(PARTITIONS)
        for record in read_all(broker.address, topic, partition)
    }


def written(lines):
    """What should stand where the lines say, which are in the order of the records."""
    places = [tuple(int(number) for number in line.split(":")) for line in lines]
    assert len(places) == 10, lines
    return {place: (f"key-{number}".encode(), f"example-{number}".encode()) for number, place in enumerate(places)}


def test_ten_records_stand_where_it_says_also_after_a_restart(example, broker):
    create_topic(broker.address, "test", PARTITIONS)
    first = written(run(example, broker, "test"))
    assert records(broker, "test") == first
    broker.restart()
    second = written(run(example, broker, "test"))
    assert records(broker, "test") == first | second
    assert len(first | second) == 20


def test_nothing_is_lost_or_doubled_when_the_broker_is_killed_before_it_is_heard(example, broker, proxy):
    create_topic(broker.address, "test", PARTITIONS)
    process = start(example, broker, "test")
    # The broker has stored the batch, but the producer cannot know.
    proxy.lose_together(1)
    broker.kill9()
    broker.start()
    proxy.open_door()
    expected = written(finish(process))
    assert proxy.lost == 1
    assert records(broker, "test") == expected


def test_what_cannot_be_stored_ends_it_with_a_failure(example, broker):
    process = start(example, broker, "no name for a topic")
    printed, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode != 0, printed) == (True, "")
    assert complaints, "it says what went wrong"
