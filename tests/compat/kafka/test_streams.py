"""A word count on Kafka Streams: its internal topics, its store, and what becomes of both when it or the broker ends."""

import random
import shutil
from collections import Counter

import pytest

from applications.streams import WordCount, compiled
from applications.topics import Topics
from beside.java import run_tool
from harness.waiting import until

WORDS = ["apple", "pear", "plum", "fig", "quince", "cherry", "medlar"]
PARTITIONS = 3
CHANGELOG = "count-counts-changelog"
REPARTITION = "count-counts-repartition"


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    return compiled(tmp_path_factory.mktemp("classes"))


class Story:
    """Lines that are written, the words in them, and the instances that count."""

    def __init__(self, classes, broker, directory, started):
        self.broker = broker
        self.topics = Topics(broker)
        self.topics.create("lines", partitions=PARTITIONS)
        self.topics.create("counted", partitions=PARTITIONS)
        self.expected = Counter()
        self._random = random.Random(7)
        self._classes = classes
        self._directory = directory
        self._started = started

    def state_dir(self, name="one"):
        return self._directory / f"state-{name}"

    def start(self, name="one", **settings):
        instance = WordCount(self._classes, self.broker, "count", self.state_dir(name), **settings)
        self._started.append(instance)
        return instance

    def write(self, lines):
        texts = [" ".join(self._random.choices(WORDS, k=5)) for _ in range(lines)]
        self.expected.update(word for text in texts for word in text.split(" "))
        self.topics.write("lines", texts)

    def wait_until_counted(self, *instances):
        """All words are counted, by these instances together, and that is committed."""
        until(lambda: self._together(instances) == self.expected)
        for topic in ("lines", REPARTITION):
            until(lambda topic=topic: self.all_committed(topic))

    def all_committed(self, topic):
        """Whether the application has committed the end of each partition that has records."""
        ends = {partition: end for partition, end in self.topics.ends(topic).items() if end > 0}
        return self.topics.committed("count", topic) == ends

    def newest(self, topic):
        """The newest value of each key in a topic."""
        records = self.topics.read(topic)
        return {key: value for partition in records.values() for _, key, value in partition}

    @staticmethod
    def _together(instances):
        shares = [instance.counts() for instance in instances]
        if None in shares:
            return None
        words = [word for share in shares for word in share]
        assert len(words) == len(set(words)) or len(shares) > 1, "a word is counted by two instances"
        return {word: count for share in shares for word, count in share.items()}


@pytest.fixture
def story(classes, start_broker, tmp_path, started):
    # Segments of the changelog are closed, and cleaned, soon enough to be seen.
    broker = start_broker({"log.cleaner.backoff.ms": 200, "log.retention.check.interval.ms": 500})
    return Story(classes, broker, tmp_path, started)


def test_words_are_counted(story):
    """The counts are right in the store, in the output and in the changelog; the internal topics are as Streams wants them."""
    story.write(2000)
    instance = story.start(repartition_purge_interval_ms=500)
    story.wait_until_counted(instance)
    expected = {word: str(count) for word, count in story.expected.items()}
    assert story.newest("counted") == expected

    topics = story.topics
    assert topics.partitions(CHANGELOG) == topics.partitions(REPARTITION) == list(range(PARTITIONS))
    assert topics.changed_config(CHANGELOG) == {"cleanup.policy": "compact", "message.timestamp.type": "CreateTime"}
    assert topics.changed_config(REPARTITION) == {
        "cleanup.policy": "delete",
        "message.timestamp.type": "CreateTime",
        "retention.ms": "-1",
        "segment.bytes": "52428800",
    }
    # What is counted is deleted from the repartition topic by the application itself.
    until(lambda: all(start == end for start, end in topics.bounds(REPARTITION).values()))
    assert sum(topics.ends(REPARTITION).values()) == sum(story.expected.values())
    # The store follows what comes later.
    story.write(100)
    story.wait_until_counted(instance)
    instance.stop()
    # What the changelog says of each word is a number of eight bytes.
    last = story.newest(CHANGELOG)
    assert {word: int.from_bytes(value.encode("latin-1"), "big") for word, value in last.items()} == story.expected


def test_killed_and_restored_from_the_changelog(story):
    """Killed, with its state directory gone, it reads its store back from the changelog and counts on."""
    story.write(1000)
    first = story.start()
    story.wait_until_counted(first)
    before = dict(story.expected)
    first.kill9()
    shutil.rmtree(story.state_dir())
    second = story.start()
    until(lambda: second.counts() == before)
    ends = story.topics.ends(CHANGELOG)
    assert sum(second.ask("restored").values()) == sum(ends.values()) > 0
    story.write(1000)
    story.wait_until_counted(second)
    second.stop()
    # With its state directory it has nothing to read back.
    third = story.start()
    story.wait_until_counted(third)
    assert sum((third.ask("restored") or {}).values()) == 0
    third.stop()


def test_restored_from_a_compacted_changelog(story):
    """The changelog is compacted under way: less is read back, and it comes to the same."""
    story.topics.create(CHANGELOG, partitions=PARTITIONS, cleanup_policy="compact", segment_bytes=1 << 20, segment_ms=1000,
                        min_cleanable_dirty_ratio=0.01)
    first = story.start(commit_interval_ms=100, statestore_cache_max_bytes=0)

    def compacted():
        # The active segment is never cleaned, and only another record ends it.
        story.write(200)
        written = sum(story.topics.ends(CHANGELOG).values())
        return sum(map(len, story.topics.read(CHANGELOG).values())) < written // 2

    until(compacted)
    story.wait_until_counted(first)
    first.kill9()
    shutil.rmtree(story.state_dir())
    second = story.start()
    until(lambda: second.counts() == story.expected)
    assert sum(second.ask("restored").values()) < sum(story.topics.ends(CHANGELOG).values())
    story.write(100)
    story.wait_until_counted(second)
    second.stop()


def test_the_broker_is_killed(story):
    """At least once: no word is lost while the broker is killed and started again."""
    instance = story.start()
    story.write(1000)
    story.wait_until_counted(instance)
    for _ in range(2):
        story.write(1000)
        story.broker.kill9()
        story.broker.start()
    story.write(1000)
    until(lambda: story.all_committed("lines"))
    until(lambda: sum((instance.counts() or {}).values()) >= sum(story.expected.values()))
    assert all(instance.counts()[word] >= count for word, count in story.expected.items())
    until(lambda: instance.tasks()[0] == "RUNNING")
    instance.stop()


def test_two_instances_and_a_standby(story):
    """Two instances share the tasks and stand by for each other; when one is killed the other has all of it."""
    story.write(1000)
    first = story.start("one", num_standby_replicas=1)
    story.wait_until_counted(first)
    second = story.start("two", num_standby_replicas=1, probing_rebalance_interval_ms=60000)
    everything = {f"{part}_{partition}" for part in (0, 1) for partition in range(PARTITIONS)}

    def shared():
        (state, active, standby), (other_state, others, other_standby) = first.tasks(), second.tasks()
        settled = state == other_state == "RUNNING" and active | others == everything
        return settled and active and others and standby and other_standby

    until(shared)
    story.write(1000)
    story.wait_until_counted(first, second)
    assert not first.counts().keys() & second.counts().keys()
    # Those with a store stand by where they are not active.
    assert first.tasks()[2] == {task for task in second.tasks()[1] if task.startswith("1_")}
    first.kill9()
    until(lambda: second.tasks()[:2] == ("RUNNING", everything))
    story.write(1000)
    story.wait_until_counted(second)
    second.stop()


def test_reset(story):
    """Kafka's reset tool removes the internal topics and the offsets: everything is counted anew."""
    story.write(500)
    first = story.start()
    story.wait_until_counted(first)
    first.stop()
    words = ("--bootstrap-server", story.broker.bootstrap, "--application-id", "count", "--input-topics", "lines", "--force")
    reset = run_tool("org.apache.kafka.tools.StreamsResetter", *words)
    assert reset.returncode == 0, reset.stdout + reset.stderr
    assert not {CHANGELOG, REPARTITION} & story.topics.names()
    assert set(story.topics.committed("count", "lines").values()) <= {0}
    shutil.rmtree(story.state_dir())
    second = story.start()
    story.wait_until_counted(second)
    assert second.counts() == story.expected
    second.stop()
