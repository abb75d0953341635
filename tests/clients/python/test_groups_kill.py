"""The broker and the members of a group are killed at random, again and again, while records come in."""

import random
import threading

import pytest

from harness.writing import create_topic, producer

PARTITIONS = 4
ROUNDS = 12


class Writer:
    """Writes numbers without end, idempotently, until it is told to stop."""

    def __init__(self, broker, topic):
        self._producer = producer(broker.bootstrap, linger_ms=5)
        self._topic = topic
        self._stop = threading.Event()
        self.acknowledged = []
        self.refused = []
        self._thread = threading.Thread(target=self._write, daemon=True)
        self._thread.start()

    def _delivered(self, error, message):
        if error is None:
            self.acknowledged.append(message.value().decode())
        else:
            self.refused.append(str(error))

    def _write(self):
        number = 0
        while not self._stop.wait(0.01):
            self._producer.produce(
                self._topic, value=str(number), partition=number % PARTITIONS, on_delivery=self._delivered
            )
            self._producer.poll(0)
            number += 1
        self._producer.flush(60)

    def stop(self):
        self._stop.set()
        self._thread.join(90)
        assert not self.refused, self.refused[:3]
        return self.acknowledged


# A session of the new protocol is set by the broker.
SETTINGS = {
    "group.initial.rebalance.delay.ms": 0,
    "group.consumer.min.session.timeout.ms": 6000,
    "group.consumer.session.timeout.ms": 6000,
    "group.consumer.min.heartbeat.interval.ms": 500,
    "group.consumer.heartbeat.interval.ms": 500,
}


@pytest.mark.parametrize(
    "client, protocol, seed", [("confluent-kafka", "classic", 1), ("aiokafka", "classic", 2), ("confluent-kafka", "consumer", 3)]
)
def test_what_is_committed_after_processing_is_never_skipped(start_broker, members, client, protocol, seed):
    dice = random.Random(seed)
    broker = start_broker(SETTINGS)
    create_topic(broker.bootstrap, "work", PARTITIONS)
    writer = Writer(broker, "work")
    options = {} if protocol == "classic" else {"protocol": protocol}
    start = lambda: members.start(client, broker.bootstrap, "team", "work", **options)
    for _ in range(3):
        start()
    processed = lambda: {value for member in members.all for _, _, value in member.got}
    for _ in range(ROUNDS):
        before = len(processed())
        members.wait_until(lambda: len(processed()) > before + dice.randrange(40), "more records to be processed")
        what = dice.choice(["broker", "member", "everybody"])
        if what == "everybody":
            # Whoever comes afterwards begins at the offsets that the broker finds in its log.
            fallen = len(members.running)
            members.close()
        if what != "member":
            broker.kill9()
            broker.start()
        if what == "member":
            dice.choice(members.running).kill9()
            start()
        if what == "everybody":
            for _ in range(fallen):
                start()
    written = set(writer.stop())
    missing = lambda: sorted(written - processed(), key=int)
    members.wait_until(lambda: not missing(), lambda: f"{missing()} of {len(written)} records to be processed")
    # Each partition's records come in order from wherever a member begins.
    for member in members.all:
        for partition in range(PARTITIONS):
            begun = None
            for event in member.said:
                if partition in event.get("assigned", ()):
                    begun = None
                elif "got" in event and event["got"][0] == partition:
                    offset = event["got"][1]
                    assert begun is None or offset == begun + 1, f"from {begun} to {offset}"
                    begun = offset
