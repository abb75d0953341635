"""Topics that come and go, and records that are deleted, while the broker is killed."""

import random
import threading

from confluent_kafka import KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from ring.readers import consumer

PATIENCE = 60


def in_doubt(error):
    """Whether the request may have come to something: librdkafka itself gave up on it, or the broker was about to stop."""
    code = error.args[0].code()
    return code < 0 or code in (KafkaError.REQUEST_TIMED_OUT, KafkaError.NOT_CONTROLLER)


def admin(bootstrap):
    return AdminClient(
        {
            "bootstrap.servers": bootstrap,
            "reconnect.backoff.ms": 10,
            "reconnect.backoff.max.ms": 100,
            "socket.timeout.ms": 5_000,
            "log_level": 0,
        }
    )


class Worker:
    """A thread that repeats `turn` until the end, and keeps what made it fail."""

    def __init__(self):
        self.failure = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def start(self):
        self._thread.start()
        return self

    def _run(self):
        try:
            while not self._over.is_set():
                self.turn()
                self._over.wait(self.pause)
        except BaseException as failure:  # Told to the story's own thread.
            self.failure = failure

    def check(self):
        if self.failure is not None:
            raise AssertionError(f"{type(self).__name__}: {self.failure}") from self.failure

    def give_up(self):
        self._over.set()

    def end(self):
        self.give_up()
        self._thread.join(PATIENCE)
        self.check()


class Topics(Worker):
    """Creates and deletes topics of a few names. What was acknowledged, or seen, stays so."""

    pause = 0.05
    NAMES = [f"comes-and-goes-{number}" for number in range(4)]

    def __init__(self, bootstrap, seed):
        super().__init__()
        self._admin = admin(bootstrap)
        self._random = random.Random(seed)
        # Whether each exists: True, False, or None while a request about it is in doubt.
        self.known = dict.fromkeys(self.NAMES, False)
        self.created = self.deleted = 0

    def turn(self):
        name = self._random.choice(self.NAMES)
        if self.known[name] is None:
            self.look()
        elif self.known[name]:
            self.deleted += self._try(name, self._admin.delete_topics([name], request_timeout=2), False)
        else:
            wish = NewTopic(name, num_partitions=self._random.randint(1, 3), replication_factor=1)
            self.created += self._try(name, self._admin.create_topics([wish], request_timeout=2), True)

    def _try(self, name, asked, exists):
        """Whether it was acknowledged."""
        self.known[name] = None
        try:
            asked[name].result(PATIENCE)
        except KafkaException as error:
            assert in_doubt(error), f"{name}: {'create' if exists else 'delete'}: {error}"
            return False
        self.known[name] = exists
        return True

    def look(self):
        """Compares what is known with what there is, and settles what was in doubt."""
        try:
            there = set(self._admin.list_topics(timeout=2).topics)
        except KafkaException as error:
            assert in_doubt(error), error
            return False
        for name, known in self.known.items():
            exists = name in there
            assert known is None or known == exists, f"{name} was {'created' if known else 'deleted'}, and is not so any more"
            self.known[name] = exists
        return True


class Deletions(Worker):
    """Deletes records of one partition. An acknowledged log start never moves back."""

    pause = 0.1
    # What a partition says whose broker stops, and to a client that knows its leader from before a restart.
    PASSING = (KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.FENCED_LEADER_EPOCH)

    def __init__(self, bootstrap, place, seed):
        super().__init__()
        self._bootstrap = bootstrap
        self._admin = admin(bootstrap)
        self._random = random.Random(seed)
        self._place = place
        self.log_start = 0
        self.deleted = 0

    def look(self):
        """Where the partition begins now; None while there is no broker to say so."""
        # A client of its own: librdkafka's admin client goes on asking with the leader epoch from before a kill.
        asking = consumer(self._bootstrap)
        try:
            earliest, _ = asking.get_watermark_offsets(TopicPartition(*self._place), timeout=2)
        except KafkaException as error:
            assert in_doubt(error) or error.args[0].code() in self.PASSING, error
            return None
        finally:
            asking.close()
        assert earliest >= self.log_start, f"records below {self.log_start} were deleted, and it begins at {earliest} again"
        return earliest

    def turn(self):
        if self.look() is None:
            return
        before = self.log_start + self._random.randint(0, 3000)
        wish = TopicPartition(*self._place, before)
        (asked,) = self._admin.delete_records([wish], request_timeout=2, operation_timeout=2).values()
        try:
            low = asked.result(PATIENCE).low_watermark
        except KafkaException as error:
            # There may not be so many records yet.
            codes = (KafkaError.OFFSET_OUT_OF_RANGE, *self.PASSING)
            assert in_doubt(error) or error.args[0].code() in codes, error
            return
        # Retention may have taken more.
        assert low >= max(before, self.log_start), f"the log start moved back from {self.log_start} to {low}"
        self.log_start = low
        self.deleted += 1
