"""The broker is killed again and again under everything that goes on in it. What was promised must be there.

Promised to an idempotent producer: an acknowledged record stands where it was said to stand, once, in order; one that was
not acknowledged stands there at most once, and nothing behind a gap. To a reader: what it has read stays as it is. To an
administrator: an acknowledged topic exists, a deleted one does not, deleted records do not come back.
"""

import os
import random
import time

from confluent_kafka.admin import NewTopic

from ring import files
from ring.churn import Deletions, Topics, admin
from ring.readers import Along, Everything
from ring.writers import Writer, check_at_least_once, check_exactly_once

# Of the first story; the second takes a quarter.
KILLS = int(os.environ.get("OTTLA_KILLS", "100"))

# What a kill explains: a write that it cut short, though it seldom hits one, so that the stories tear some logs themselves;
# and the removal of a segment that it cut short, whose log was renamed and whose indexes were not.
ASKED_FOR = ["no whole batch is there, and nothing from there on was flushed", "an index without its segment is removed"]

BROKER = {
    "auto_create_topics_enable": "false",
    # So that old segments and their files go between two kills.
    "log_retention_check_interval_ms": 200,
    "log_initial_task_delay_ms": 100,
    "log_segment_delete_delay_ms": 300,
    "replica_high_watermark_checkpoint_interval_ms": 400,
    "log_flush_offset_checkpoint_interval_ms": 700,
    "log_flush_start_offset_checkpoint_interval_ms": 900,
}
# What the writers write to: partitions, and settings.
TOPICS = {
    "plain": (3, {"internal.segment.bytes": 300_000}),
    "flushed": (1, {"flush.messages": 1, "internal.segment.bytes": 200_000}),
    "stamped": (1, {"message.timestamp.type": "LogAppendTime", "internal.segment.bytes": 100_000}),
    # Records go from here: by DeleteRecords, and by size.
    "shrinking": (1, {"internal.segment.bytes": 50_000, "retention.bytes": 1_000_000}),
}
IDEMPOTENT = {"enable.idempotence": True, "acks": "all", "max.in.flight.requests.per.connection": 5}
WRITERS = [
    # Five requests in flight are five only with one message each: librdkafka counts messages.
    {**IDEMPOTENT, "batch.num.messages": 1, "linger.ms": 0},
    {**IDEMPOTENT, "compression.type": "zstd", "linger.ms": 5},
    {**IDEMPOTENT, "compression.type": "snappy", "linger.ms": 2, "batch.num.messages": 20},
    {**IDEMPOTENT, "compression.type": "gzip", "linger.ms": 20},
]


def create_topics(bootstrap, topics):
    wishes = [
        NewTopic(name, num_partitions=count, replication_factor=1, config={key: str(value) for key, value in config.items()})
        for name, (count, config) in topics.items()
    ]
    # Kept: the futures end with it.
    asking = admin(bootstrap)
    for created in asking.create_topics(wishes).values():
        created.result(60)


class Fleet:
    """The writers of a story: some die, and others take their place."""

    def __init__(self, directory, bootstrap, topics, settings):
        self._directory, self._bootstrap, self._topics = directory, bootstrap, topics
        self._number = 0
        self.all, self.alive = [], []
        self._settings = settings
        for place in range(len(settings)):
            self._start(place)

    def _start(self, place):
        self._number += 1
        writer = Writer(
            f"w{self._number}", self._directory, self._bootstrap, self._topics, self._settings[place]
        )
        self.all.append(writer)
        self.alive[place : place + 1] = [writer]

    def replace(self, place):
        self.alive[place].kill()
        self._start(place)

    def end(self):
        """Gives what each of them was promised."""
        for writer in self.alive:
            writer.end()
        for writer in self.alive:
            writer.join()
        promises = [writer.promises() for writer in self.all]
        for writer, promise in zip(self.all, promises):
            if not writer.was_killed:
                promise.check_all_acknowledged()
            assert not promise.refusals, f"{promise.name} was refused: {promise.refusals[:3]}"
        return promises

    def close(self):
        for writer in self.alive:
            writer.kill()


def die(broker, chance, places):
    """One way to die, and a start. Gives how many logs were torn."""
    torn = 0
    way = chance.random()
    if way < 0.55:
        broker.kill()
        if chance.random() < 0.4:
            torn += broker.tear(*chance.choice(places), chance)
    elif way < 0.75:
        broker.kill()
        for _ in range(chance.randint(1, 3)):
            broker.kill_while_starting(chance.uniform(0, 0.02))
    elif way < 0.92:
        broker.kill_while_stopping(chance.uniform(0, 0.03))
    else:
        broker.stop()
    broker.start()
    return torn


def test_idempotent_producers_stay_exactly_once(mortal, tmp_path, seed, tell):
    chance = random.Random(seed)
    broker = mortal(**BROKER)
    broker.start()
    create_topics(broker.bootstrap, TOPICS)
    partitions = {topic: count for topic, (count, _) in TOPICS.items()}
    places = [(topic, partition) for topic, count in partitions.items() for partition in range(count)]
    lasting = [place for place in places if place[0] != "shrinking"]

    fleet = Fleet(tmp_path, broker.bootstrap, partitions, WRITERS)
    topics = Topics(broker.bootstrap, seed).start()
    deletions = Deletions(broker.bootstrap, ("shrinking", 0), seed).start()
    torn = 0
    readers = [Along(broker.bootstrap, lasting), Along(broker.bootstrap, [("shrinking", 0)], may_skip=True)]
    try:
        while broker.kills < KILLS:
            time.sleep(chance.uniform(0.2, 1.8))
            for each in (topics, deletions, *readers):
                each.check()
            if chance.random() < 0.12:
                fleet.replace(chance.randrange(len(WRITERS)))
            torn += die(broker, chance, lasting)
        promises = fleet.end()
        for each in (topics, deletions, *readers):
            each.end()
    finally:
        fleet.close()
        for each in (topics, deletions, *readers):
            each.give_up()

    # A clean stop settles the files; a clean start must show the same.
    broker.stop()
    dumped = files.check_clean(broker.data_dir)
    compared = files.check_with_kafka(broker.data_dir, ["plain", "flushed", "shrinking"]) if files.has_kafka() else 0
    broker.start()
    everything = Everything(broker.bootstrap, places)
    assert topics.look()
    check_exactly_once(promises, everything.records, everything.log_starts)
    assert everything.log_starts["shrinking", 0] >= deletions.log_start
    assert all(everything.log_starts[place] == 0 for place in lasting)
    seen = sum(reader.compare(everything) for reader in readers)
    broker.stop()
    assert broker.complaints(ASKED_FOR) >= torn

    total = sum(promise.total() for promise in promises)
    tell(
        f"{broker.kills} kills, {broker.starts} starts, {len(promises)} producers, {total} acknowledged records, {seen} read"
        f" along, {topics.created} topics created, {topics.deleted} deleted, {deletions.deleted} deletions up to"
        f" {deletions.log_start}, {torn} logs torn, {dumped} files clean, {compared} compared with Kafka's tool"
    )
    # A story in which nothing happened proves nothing.
    assert total > 50 * KILLS and seen > 50 * KILLS and topics.deleted > 0 and deletions.deleted > 0
    assert everything.log_starts["shrinking", 0] > 0


def test_plain_producers_lose_nothing_that_was_acknowledged(mortal, tmp_path, seed, tell):
    """Without idempotence a retry may be stored twice, but an acknowledgement, even with acks=1, means what it says."""
    chance = random.Random(seed + 1)
    broker = mortal(**BROKER)
    broker.start()
    topics = {"plain": (2, {"internal.segment.bytes": 100_000})}
    create_topics(broker.bootstrap, topics)
    settings = [
        {"enable.idempotence": False, "acks": "1", "linger.ms": 0},
        {"enable.idempotence": False, "acks": "all", "linger.ms": 5, "compression.type": "snappy"},
    ]
    fleet = Fleet(tmp_path, broker.bootstrap, {"plain": 2}, settings)
    places = [("plain", 0), ("plain", 1)]
    torn = 0
    try:
        while broker.kills < KILLS // 4:
            time.sleep(chance.uniform(0.2, 1.2))
            torn += die(broker, chance, places)
        promises = fleet.end()
    finally:
        fleet.close()
    everything = Everything(broker.bootstrap, places)
    check_at_least_once(promises, everything.records)
    broker.stop()
    files.check_clean(broker.data_dir)
    assert broker.complaints(ASKED_FOR) >= torn
    total = sum(promise.total() for promise in promises)
    tell(f"{broker.kills} kills, {total} records acknowledged to plain producers, {torn} logs torn")
    assert total > 50 * KILLS // 4
