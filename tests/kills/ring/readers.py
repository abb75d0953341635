"""Readers: one that reads along while the broker is killed, and one that reads everything at the end."""

import threading
import time
import zlib
from array import array

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, KafkaError, TopicPartition

from ring.content import parse

PATIENCE = 60
# What a broker that is not there causes.
PASSING = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._TIMED_OUT}


def consumer(bootstrap, reset="error"):
    return confluent_kafka.Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "nobody",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": reset,
            "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 20,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 100,
            "topic.metadata.refresh.interval.ms": 2_000,
            "check.crcs": True,
            "log_level": 0,
        }
    )


def print_of(message):
    """A number for all that a record must keep."""
    stamp = b"%d %d " % message.timestamp()
    headers = repr(message.headers()).encode()
    return zlib.crc32(message.value(), zlib.crc32(stamp + headers))


class Along:
    """Reads places in a thread, and remembers what it saw: no record may change, or be gone, or come twice."""

    def __init__(self, bootstrap, places, may_skip=False):
        """With `may_skip` records may have been deleted before they were read."""
        self._may_skip = may_skip
        self._seen = {place: (array("q"), array("L")) for place in places}
        self._consumer = consumer(bootstrap, "earliest" if may_skip else "error")
        self._consumer.assign([TopicPartition(*place, 0 if not may_skip else OFFSET_BEGINNING) for place in places])
        self._end = threading.Event()
        self.failure = None
        # A daemon: librdkafka 2.16 can lock itself up in `close` (its main thread handles an OffsetForLeaderEpoch answer with a
        # partition's lock held, while a broker's thread that fails wants it), and must not keep the ring from ending then.
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            while not self._end.is_set():
                for message in self._consumer.consume(1000, 0.2):
                    self._take(message)
        except BaseException as failure:  # Told to the story's own thread.
            self.failure = failure
        finally:
            self._consumer.close()

    def _take(self, message):
        error = message.error()
        if error is not None:
            assert error.code() in PASSING, f"a reader that reads along: {error}"
            return
        place, offset = (message.topic(), message.partition()), message.offset()
        offsets, prints = self._seen[place]
        due = offsets[-1] + 1 if offsets else 0
        if self._may_skip:
            assert offset >= due, f"{place}: a reader went back from {due} to {offset}"
        else:
            assert offset == due, f"{place}: a reader came to {offset} where {due} was due"
        offsets.append(offset)
        prints.append(print_of(message))

    def check(self):
        if self.failure is not None:
            raise AssertionError(f"a reader that reads along: {self.failure}") from self.failure

    def give_up(self):
        self._end.set()

    def end(self):
        self.give_up()
        self._thread.join(PATIENCE)
        self.check()

    def compare(self, everything):
        """What it saw is there still, unless it was deleted."""
        compared = 0
        for place, (offsets, prints) in self._seen.items():
            now = everything.prints[place]
            start = everything.log_starts[place]
            for offset, seen in zip(offsets, prints):
                if offset >= start:
                    compared += 1
                    assert now.get(offset) == seen, f"{place} {offset} is not what a reader saw there before a kill"
        return compared


class Everything:
    """All that is in some partitions now."""

    def __init__(self, bootstrap, places):
        reader = consumer(bootstrap)
        # By place: `(offset, writer, number)` in the order of offsets; offset to print; the log start.
        self.records, self.prints, self.log_starts = {}, {}, {}
        try:
            for place in places:
                self._read(reader, place)
        finally:
            reader.close()

    def _read(self, reader, place):
        start, end = reader.get_watermark_offsets(TopicPartition(*place), timeout=PATIENCE)
        self.log_starts[place] = start
        records, prints = self.records.setdefault(place, []), self.prints.setdefault(place, {})
        reader.assign([TopicPartition(*place, start)])
        deadline = time.monotonic() + PATIENCE
        offset = start - 1
        while offset < end - 1:
            messages = reader.consume(5000, 1)
            assert messages or time.monotonic() < deadline, f"{place}: nothing comes after {offset} of {end}"
            for message in messages:
                assert message.error() is None, f"{place}: {message.error()}"
                offset += 1
                assert message.offset() == offset, f"{place}: {message.offset()} comes where {offset} is due"
                name, topic, partition, number = parse(message.value())
                assert (topic, partition) == place, f"{place} {offset} belongs to {topic} {partition}"
                assert message.headers() == [("n", str(number).encode())]
                records.append((offset, name, number))
                prints[offset] = print_of(message)
            if messages:
                deadline = time.monotonic() + PATIENCE
