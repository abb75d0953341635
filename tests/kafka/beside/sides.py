"""The two brokers beside each other, and what their answers are compared by."""

import itertools
import re
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

from beside.batches import TIMESTAMP, batch
from beside.raw import PATIENCE, Closed, Connection

# Numbers of stories, so that each has topics of its own.
rounds = itertools.count()

# Whoever waits for an answer in the background.
_waiting = ThreadPoolExecutor(8)

# The ids of groups' members: something known, and something drawn.
_MEMBER_ID = re.compile(r"(?s)(.*)-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Side:
    """One of the two, and what a story needs of it."""

    def __init__(self, broker, former=None):
        """`former` is the one that used the broker's directory before, and named things."""
        self.broker = broker
        self.names = former.names if former else {}
        self._members = former._members if former else {}
        self._connection = None
        self._story, self._topics = 0, itertools.count()
        self._own_topic = former._own_topic if former else None

    def begin(self, story):
        """A story of its own, with names of its own."""
        self._story, self._topics = story, itertools.count()
        self._members.clear()

    def ask(self, api, version, **fields):
        """The answer, or "closed" if the broker closes the connection instead."""
        if self._connection is None:
            self._connection = Connection(self.broker.address)
        try:
            return self._neutral(self._connection.ask(api, version, **self._drawn(fields)))
        except Closed:
            self._connection = None
            return "closed"
        except BaseException:
            self._connection = None
            raise

    def begin_to_ask(self, api, version, **fields):
        """Asks on a connection of its own what others have to do something for. Gives what waits for the answer."""
        asked = self._drawn(fields)

        def ask():
            with Connection(self.broker.address) as connection:
                return connection.ask(api, version, **asked)

        answer = _waiting.submit(ask)
        # What is drawn gets its name here, so that names do not depend on who is answered first.
        return lambda: self._neutral(answer.result(PATIENCE))

    def over(self, connection):
        """From now on asks over this connection; `None` for one of its own."""
        self._connection = connection

    def group(self):
        """A new group, by its name."""
        return f"group-{self._story}-{next(self._topics)}"

    def topic(self, name=None, partitions=1, **configs):
        """A new topic, by its name."""
        name = name or f"story-{self._story}-{next(self._topics)}"
        given = [{"name": key.replace("_", "."), "value": str(value)} for key, value in configs.items()]
        wanted = {"name": name, "num_partitions": partitions, "replication_factor": 1, "configs": given}
        answer = self._connect().ask("CreateTopics", 7, topics=[wanted], timeout_ms=30_000)
        (made,) = answer["topics"]
        assert made["error_code"] == 0, made
        self.names[made["topic_id"]] = f"id of {name}"
        for partition in range(partitions):
            self._wait_for(name, partition)
        return name

    def own_topic(self):
        """One that no story is about."""
        if self._own_topic is None:
            self._own_topic = self.topic("of-no-story")
        return self._own_topic

    def adopt(self, name):
        """A topic that is there already, by its name."""
        answer = self._connect().ask("Metadata", 12, topics=[{"topic_id": uuid.UUID(int=0), "name": name}])
        (found,) = answer["topics"]
        assert found["error_code"] == 0, found
        self.names[found["topic_id"]] = f"id of {name}"
        for partition in found["partitions"]:
            self._wait_for(name, partition["partition_index"])
        return name

    def _wait_for(self, name, partition):
        """Kafka says that a topic is made, or that it has started, before it serves the partitions."""
        deadline = time.monotonic() + PATIENCE
        asked = [{"name": name, "partitions": [{"partition_index": partition, "timestamp": -1}]}]
        while time.monotonic() < deadline:
            answer = self._connect().ask("ListOffsets", 7, replica_id=-1, isolation_level=0, topics=asked)
            if answer["topics"][0]["partitions"][0]["error_code"] == 0:
                return
        raise AssertionError(f"{name} is never served")

    def topic_id(self, name):
        return next(drawn for drawn, given in self.names.items() if given == f"id of {name}")

    def produce(self, topic, records, version=8, acks=-1, partition=0):
        """The one partition's answer."""
        by = {"topic_id": self.topic_id(topic)} if version >= 13 else {"name": topic}
        data = [{**by, "partition_data": [{"index": partition, "records": records}]}]
        answer = self.ask("Produce", version, transactional_id=None, acks=acks, timeout_ms=30_000, topic_data=data)
        return answer if answer == "closed" else answer["responses"][0]["partition_responses"][0]

    def producer(self):
        return self._connect().new_producer()

    def log_end(self, topic):
        return list_offset(self, topic, -1)["offset"]

    def _connect(self):
        if self._connection is None:
            self._connection = Connection(self.broker.address)
        return self._connection

    def _drawn(self, value):
        """The value as this broker knows it: what has got a name is what was drawn."""
        if isinstance(value, dict):
            return {name: self._drawn(part) for name, part in value.items()}
        if isinstance(value, list):
            return [self._drawn(part) for part in value]
        return self._members.get(value, value) if isinstance(value, str) else value

    def _named(self, member_id):
        for name, drawn in self._members.items():
            if drawn == member_id:
                return name
        name = f"{_MEMBER_ID.fullmatch(member_id).group(1)} {len(self._members)}"
        self._members[name] = member_id
        return name

    def _neutral(self, value):
        """The value without what is one broker's own."""
        if isinstance(value, dict):
            value = {name: self._neutral(part) for name, part in value.items()}
            if "port" in value and "host" in value:
                value["port"] = "port"
            if value.get("cluster_id") is not None:
                value["cluster_id"] = "cluster"
            # Kafka says no word about most refusals; Ottla says what was wrong.
            for name in ("error_message", "batch_index_error_message"):
                value.pop(name, None)
            return value
        if isinstance(value, list):
            return [self._neutral(part) for part in value]
        if isinstance(value, uuid.UUID):
            return self.names.get(value, value)
        if isinstance(value, str) and _MEMBER_ID.fullmatch(value):
            return self._named(value)
        return value


def list_offset(side, topic, timestamp, version=7, **fields):
    """One partition's answer."""
    partition = {"partition_index": 0, "current_leader_epoch": -1, "timestamp": timestamp}
    partition |= {name: fields.pop(name) for name in list(fields) if name in partition}
    asked = [{"name": topic, "partitions": [partition]}]
    extra = {"timeout_ms": 1000} if version >= 10 else {}
    fields = {"isolation_level": 0, **extra, **fields}
    answer = side.ask("ListOffsets", version, replica_id=-1, topics=asked, **fields)
    return answer if answer == "closed" else answer["topics"][0]["partitions"][0]


def stored_at(side, *times):
    topic = side.topic()
    for moment in times:
        side.produce(topic, batch([b"x"] * 2, timestamp=TIMESTAMP + moment))
    return topic


def differences(ours, theirs, where="outcome"):
    """One line for each place where the two are not equal."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in ours | theirs:
            yield from differences(ours.get(name), theirs.get(name), f"{where}.{name}")
    elif isinstance(ours, (list, tuple)) and isinstance(theirs, (list, tuple)) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs)):
            yield from differences(one, other, f"{where}[{number}]")
    elif ours != theirs:
        yield f"{where}: {ours!r}, {theirs!r}"


def codes(answers):
    return [answer if answer == "closed" else answer["error_code"] for answer in answers]
