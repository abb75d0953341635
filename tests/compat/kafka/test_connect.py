"""Kafka Connect copies the lines of a file through a topic into another file, alone and with workers that share the work."""

import pytest

from applications.connect import Files, Worker, properties
from applications.topics import Topics
from harness.waiting import until

INTERNAL = {"connect-configs": 1, "connect-offsets": 3, "connect-status": 2}
DISTRIBUTED = {
    "group.id": "workers",
    "config.storage.topic": "connect-configs",
    "config.storage.replication.factor": 1,
    "offset.storage.topic": "connect-offsets",
    "offset.storage.replication.factor": 1,
    "offset.storage.partitions": INTERNAL["connect-offsets"],
    "status.storage.topic": "connect-status",
    "status.storage.replication.factor": 1,
    "status.storage.partitions": INTERNAL["connect-status"],
    "scheduled.rebalance.max.delay.ms": 0,
    "session.timeout.ms": 6000,
    "heartbeat.interval.ms": 500,
    "reconnect.backoff.max.ms": 200,
}


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path)


@pytest.fixture
def start_worker(broker, tmp_path, started):
    """Starts a worker of a group."""

    def start(name="one"):
        worker = Worker("ConnectDistributed", tmp_path / name, broker, DISTRIBUTED)
        started.append(worker)
        return worker

    return start


@pytest.fixture
def worker(start_worker, files):
    """A worker with both connectors."""
    worker = start_worker()
    worker.tell("/connectors/source/config", "PUT", files.source_config, code=201)
    worker.tell("/connectors/sink/config", "PUT", files.sink_config, code=201)
    return worker


def values(topics, topic):
    return [value for _, _, value in topics.read(topic)[0]]


def settled(worker, topics, files):
    """Everything is copied, and both connectors have said so."""
    until(lambda: files.copied()[-1:] == files.lines[-1:])
    until(lambda: worker.offsets("source") == files.size())
    until(lambda: worker.offsets("sink") == topics.ends("lines")[0])


def test_standalone(broker, topics, files, tmp_path, started):
    """Alone it keeps its place in a file of its own and, for the topic, in the broker: a restart goes on from there."""
    connectors = [
        properties(tmp_path / "source.properties", {"name": "source", **files.source_config}),
        properties(tmp_path / "sink.properties", {"name": "sink", **files.sink_config}),
    ]
    settings = {"offset.storage.file.filename": tmp_path / "offsets"}

    def start():
        worker = Worker("ConnectStandalone", tmp_path / "alone", broker, settings, *connectors)
        started.append(worker)
        return worker

    files.append(300)
    worker = start()
    until(lambda: files.copied() == files.lines)
    files.append(10)
    settled(worker, topics, files)
    assert sorted(worker.ask("/connectors")[1]) == ["sink", "source"]
    worker.stop()
    files.append(200)
    worker = start()
    settled(worker, topics, files)
    worker.stop()
    assert files.copied() == files.lines == values(topics, "lines")
    assert topics.committed("connect-sink", "lines") == {0: len(files.lines)}


def test_distributed(worker, start_worker, topics, files):
    """The internal topics are as Connect wants them, and all that a killed worker leaves: the next one goes on from them."""
    files.append(300)
    settled(worker, topics, files)
    until(lambda: worker.runs("source", "sink"))
    assert files.copied() == files.lines == values(topics, "lines")
    for topic, partitions in INTERNAL.items():
        assert topics.partitions(topic) == list(range(partitions))
        assert topics.changed_config(topic) == {"cleanup.policy": "compact"}
    assert topics.committed("connect-sink", "lines") == {0: 300}
    worker.kill9()
    files.append(200)
    worker = start_worker()
    settled(worker, topics, files)
    worker.stop()
    assert files.copied() == files.lines == values(topics, "lines")


def test_the_broker_is_killed(broker, worker, topics, files):
    """Each line is in the topic once, though the broker is killed under way; what comes out is complete and in order."""
    for _ in range(2):
        files.append(300)
        until(lambda: files.copied())
        broker.kill9()
        files.append(300)
        broker.start()
        settled(worker, topics, files)
    assert values(topics, "lines") == files.lines
    # What the sink had not committed yet, it may have read again.
    assert list(dict.fromkeys(files.copied())) == files.lines
    until(lambda: worker.runs("source", "sink"))
    worker.stop()


def test_connectors_are_managed(worker, topics, files):
    """Paused, resumed, stopped, sent back to the beginning, changed and deleted over REST."""
    files.append(100)
    settled(worker, topics, files)
    worker.tell("/connectors/source/pause", "PUT", code=202)
    until(lambda: worker.states("source") == ["PAUSED", "PAUSED"])
    files.append(100)
    worker.tell("/connectors/source/resume", "PUT", code=202)
    settled(worker, topics, files)
    assert files.copied() == files.lines == values(topics, "lines")

    # The offsets of a sink are those of its group.
    worker.tell("/connectors/sink/stop", "PUT", code=204)
    until(lambda: worker.states("sink") == ["STOPPED"])
    back = {"partition": {"kafka_topic": "lines", "kafka_partition": 0}, "offset": {"kafka_offset": 150}}
    worker.tell("/connectors/sink/offsets", "PATCH", {"offsets": [back]})
    assert topics.committed("connect-sink", "lines") == {0: 150}
    worker.tell("/connectors/sink/resume", "PUT", code=202)
    until(lambda: files.copied() == files.lines + files.lines[150:])
    worker.tell("/connectors/sink/stop", "PUT", code=204)
    until(lambda: worker.states("sink") == ["STOPPED"])
    worker.tell("/connectors/sink/offsets", "DELETE")
    assert topics.committed("connect-sink", "lines") == {}
    files.sink.unlink()
    worker.tell("/connectors/sink/resume", "PUT", code=202)
    until(lambda: files.copied() == files.lines)

    # Another topic for the source, which begins where it was.
    worker.tell("/connectors/source/config", "PUT", {**files.source_config, "topic": "others"})
    until(lambda: worker.runs("source"))
    files.append(50)
    until(lambda: "others" in topics.names() and values(topics, "others") == files.lines[-50:])
    worker.tell("/connectors/source", "DELETE", code=204)
    until(lambda: worker.ask("/connectors") == (200, ["sink"]))
    assert worker.ask("/connectors/source")[0] == 404
    worker.stop()


def test_two_workers(worker, start_worker, topics, files):
    """Both get a share of the tasks, either answers for both, and the one that is left does it all."""
    other = start_worker("two")

    def workers():
        states = [worker.ask(f"/connectors/{name}/status")[1] for name in ("source", "sink")]
        return {task["worker_id"] for state in states if state for task in state["tasks"] if task["state"] == "RUNNING"}

    until(lambda: len(workers()) == 2)
    files.append(200)
    settled(other, topics, files)
    worker.kill9()
    files.append(200)
    until(lambda: other.runs("source", "sink"))
    settled(other, topics, files)
    assert set(files.lines) == set(files.copied())
    assert list(dict.fromkeys(values(topics, "lines"))) == files.lines
    other.stop()
