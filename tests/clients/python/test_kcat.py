"""kcat, as people use it in a shell."""

import json
import os
import shutil
import subprocess

import pytest

from harness.process import PATIENCE
from harness.reading import read_all
from harness.writing import create_topic, flush, producer

# In CI a missing kcat is a failure of the tests, not a reason to leave them out.
pytestmark = pytest.mark.skipif(not shutil.which("kcat") and not os.environ.get("CI"), reason="needs kcat")


def kcat(broker, *words, stdin="", code=0):
    """What it prints."""
    command = ["kcat", "-b", broker.bootstrap, "-m", str(PATIENCE), *map(str, words)]
    # No configuration file of whoever runs this.
    environment = {**os.environ, "KCAT_CONFIG": os.devnull}
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE, env=environment)
    assert done.returncode == code, (words, done)
    return done.stdout if code == 0 else done.stderr


def write_at(broker, topic, times):
    """A record at each of the times, with the time as its value."""
    writer = producer(broker.bootstrap)
    for moment in times:
        writer.produce(topic, b"%d" % moment, timestamp=moment, partition=0)
        flush(writer)


def test_metadata(broker):
    create_topic(broker.bootstrap, "pages", partitions=3)
    create_topic(broker.bootstrap, "views")
    lines = [line.strip() for line in kcat(broker, "-L").splitlines()]
    assert lines[0] == f"Metadata for all topics (from broker 1: {broker.bootstrap}/1):", lines
    assert lines[1:3] == ["1 brokers:", f"broker 1 at {broker.bootstrap} (controller)"]
    assert lines[3] == "2 topics:"
    pages = lines.index('topic "pages" with 3 partitions:')
    assert sorted(lines[pages + 1 : pages + 4]) == [f"partition {n}, leader 1, replicas: 1, isrs: 1" for n in range(3)]
    assert 'topic "views" with 1 partitions:' in lines


def test_metadata_as_json(broker):
    create_topic(broker.bootstrap, "pages", partitions=2)
    told = json.loads(kcat(broker, "-L", "-J", "-t", "pages"))
    assert (told["controllerid"], told["brokers"]) == (1, [{"id": 1, "name": broker.bootstrap}])
    (topic,) = told["topics"]
    assert topic["topic"] == "pages"
    assert sorted(topic["partitions"], key=lambda each: each["partition"]) == [
        {"partition": number, "leader": 1, "replicas": [{"id": 1}], "isrs": [{"id": 1}]} for number in range(2)
    ]


def test_a_topic_that_does_not_exist(start_broker):
    broker = start_broker({"auto.create.topics.enable": "false"})
    told = json.loads(kcat(broker, "-L", "-J", "-t", "nowhere"))
    assert told["topics"] == [{"topic": "nowhere", "error": "Broker: Unknown topic or partition", "partitions": []}]
    # Or librdkafka hopes for half a minute that it is still coming.
    at_once = ("-X", "topic.metadata.propagation.max.ms=0")
    refused = kcat(broker, "-C", "-t", "nowhere", "-p", 0, "-e", *at_once, code=1)
    assert "nowhere" in refused and "Unknown topic or partition" in refused
    refused = kcat(broker, "-P", "-t", "nowhere", "-p", 0, *at_once, stdin="lost\n", code=1)
    assert "Unknown topic or partition" in refused


def test_a_topic_comes_by_being_written_to(broker):
    kcat(broker, "-P", "-t", "new", stdin="first\nsecond\n")
    assert kcat(broker, "-C", "-t", "new", "-e", "-q") == "first\nsecond\n"


@pytest.mark.parametrize("more", [(), ("-X", "enable.idempotence=true"), ("-z", "zstd"), ("-z", "snappy"), ("-X", "acks=1")])
def test_keys_headers_and_formats(broker, more):
    create_topic(broker.bootstrap, "test")
    kcat(broker, "-P", "-t", "test", "-K", ":", "-H", "from=kcat", "-H", "empty", *more, stdin="a:1\nb:2\nno key\n")
    kcat(broker, "-P", "-t", "test", "-K", ":", "-Z", *more, stdin="gone:\n")
    seen = kcat(broker, "-C", "-t", "test", "-p", 0, "-o", "beginning", "-e", "-q", "-Z", "-f", r"%t/%p@%o %K %k=%S %s [%h]\n")
    assert seen.splitlines() == [
        "test/0@0 1 a=1 1 [from=kcat,empty=NULL]",
        "test/0@1 1 b=1 2 [from=kcat,empty=NULL]",
        "test/0@2 -1 NULL=6 no key [from=kcat,empty=NULL]",
        "test/0@3 4 gone=-1 NULL []",
    ]
    stored = read_all(broker.bootstrap, "test")
    assert [(record.key, record.value) for record in stored] == [(b"a", b"1"), (b"b", b"2"), (None, b"no key"), (b"gone", None)]
    assert stored[0].headers == (("from", b"kcat"), ("empty", None))


def test_records_as_json(broker):
    create_topic(broker.bootstrap, "test", partitions=2)
    write_at(broker, "test", [1_700_000_000_000])
    kcat(broker, "-P", "-t", "test", "-p", 1, "-k", "k", "-H", "h=x", stdin="in the other\n")
    told = [json.loads(line) for line in kcat(broker, "-C", "-t", "test", "-e", "-q", "-J").splitlines()]
    first, second = sorted(told, key=lambda each: each["partition"])
    assert second.pop("ts") > first["ts"]
    assert first == {
        "topic": "test",
        "partition": 0,
        "offset": 0,
        "tstype": "create",
        "ts": 1_700_000_000_000,
        "broker": 1,
        "key": None,
        "payload": "1700000000000",
    }
    assert second == {
        "topic": "test",
        "partition": 1,
        "offset": 0,
        "tstype": "create",
        "broker": 1,
        "headers": ["h", "x"],
        "key": "k",
        "payload": "in the other",
    }


def test_where_to_begin_and_to_end(broker):
    create_topic(broker.bootstrap, "test")
    write_at(broker, "test", range(1000, 11_000, 1000))

    def read(*words):
        return [int(line) for line in kcat(broker, "-C", "-t", "test", "-p", 0, "-q", *words).split()]

    every = list(range(1000, 11_000, 1000))
    assert read("-o", "beginning", "-e") == every
    assert read("-o", "-3", "-e") == every[-3:]
    assert read("-o", "4", "-e") == every[4:]
    assert read("-o", "4", "-c", "2") == every[4:6]
    assert read("-o", "s@2500", "-e") == every[2:]
    assert read("-o", "s@2000", "-o", "e@5000", "-e") == every[1:4]
    assert read("-o", "end", "-e") == []
    assert read("-o", "s@99000", "-e") == []


def test_offsets_by_time(broker):
    create_topic(broker.bootstrap, "test", partitions=2)
    write_at(broker, "test", range(1000, 6000, 1000))
    asked = [f"test:0:{time}" for time in (1000, 2500, 99_000)]
    told = [kcat(broker, "-Q", "-t", each).strip() for each in [*asked, "test:0:-1", "test:0:-2", "test:1:-1"]]
    offsets = [0, 2, -1, 5, 0]
    assert told == [*(f"test [0] offset {offset}" for offset in offsets), "test [1] offset 0"]
    both = kcat(broker, "-Q", "-t", "test:0:3000", "-t", "test:1:3000").splitlines()
    assert sorted(both) == ["test [0] offset 2", "test [1] offset -1"]


def test_a_group_goes_on_where_it_was(start_broker):
    broker = start_broker({"group.initial.rebalance.delay.ms": 0})
    create_topic(broker.bootstrap, "test", partitions=2)
    for number in range(10):
        kcat(broker, "-P", "-t", "test", "-p", number % 2, stdin=f"{number}\n")

    def read(*words):
        consumed = kcat(broker, "-G", "readers", "-q", "-X", "auto.offset.reset=earliest", *words, "test")
        return sorted(int(line) for line in consumed.split())

    assert read("-e") == list(range(10))
    assert read("-e") == []
    kcat(broker, "-P", "-t", "test", "-p", 1, stdin="11\n13\n")
    assert read("-e") == [11, 13]
