"""`ottla graduate` says whether Kafka can go on, and prints a configuration that really starts it."""

import hashlib
import re
import subprocess

from harness.broker import HOST, Kafka, Ottla, free_port
from harness.process import Process
from harness.reading import read_all
from harness.waiting import until
from harness.writing import create_topic, write_confluent

VALUES = [(b"k", b"%d" % number, []) for number in range(50)]


def graduate(broker, *words):
    command = [Ottla.binary(), "graduate", "--data-dir", broker.data_dir, *words]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60)


def fingerprint(directory):
    """Content and time of change of everything below it."""

    def of(path):
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        return str(path), content, path.stat().st_mtime_ns

    return sorted(of(path) for path in directory.rglob("*"))


def filled(broker):
    create_topic(broker.bootstrap, "test", retention_ms=7200000)
    write_confluent(broker.bootstrap, "test", VALUES)
    return broker


def test_the_printed_file_starts_kafka(brokers, tmp_path):
    ottla = filled(brokers(Ottla).start())
    before = read_all(ottla.bootstrap, "test")
    running = graduate(ottla)
    assert (running.returncode, running.stdout) == (1, "")
    assert "not ready: the data directory" in running.stderr and "is in use by another process" in running.stderr
    ottla.stop()

    files = fingerprint(ottla.data_dir)
    config = tmp_path / "ottla.properties"
    config.write_text("num.partitions=3\noffsets.topic.num.partitions=1\n")
    port, controller = free_port(), free_port()
    listen = ("--listen", f"{HOST}:{port}", "--set", f"controller.quorum.voters=1@{HOST}:{controller}")
    done = graduate(ottla, "--config", config, *listen)
    assert done.returncode == 0, done.stderr
    # A reader may have asked for its group's coordinator, and so made a topic of the broker's own.
    assert re.match(r"ready \(topics: [12], partitions: \d+\)\.", done.stderr), done.stderr
    assert fingerprint(ottla.data_dir) == files, "nothing was changed"

    properties = tmp_path / "server.properties"
    properties.write_text(done.stdout)
    kafka = Process(Kafka.java("-Dorg.slf4j.simpleLogger.log.kafka.server.KafkaRaftServer=info", "kafka.Kafka", properties))
    try:
        kafka.wait_for_line(r"Kafka Server started")
        address = f"{HOST}:{port}"
        assert read_all(address, "test") == before
        write_confluent(address, "test", [(b"k", b"by Kafka", [])])
        create_topic(address, "made-by-kafka", partitions=-1)
        # num.partitions was handed on.
        until(lambda: len(list(ottla.data_dir.glob("made-by-kafka-*"))) == 3)
        assert kafka.terminate() == 143
    finally:
        if kafka.running:
            kafka.kill9()

    again = graduate(ottla)
    assert again.returncode == 0, again.stderr
    ottla.start()
    assert [record.value for record in read_all(ottla.bootstrap, "test")][-1] == b"by Kafka"


def test_a_directory_that_kafka_could_not_serve_is_not_ready(brokers):
    ottla = filled(brokers(Ottla).start())
    ottla.stop()
    (ottla.data_dir / "backup").mkdir()
    files = fingerprint(ottla.data_dir)
    done = graduate(ottla)
    assert (done.returncode, done.stdout) == (1, "")
    assert 'holds "backup", which is no partition\'s directory' in done.stderr
    assert fingerprint(ottla.data_dir) == files
    (ottla.data_dir / "backup").rmdir()
    (ottla.data_dir / "test-0" / "partition.metadata").unlink()
    done = graduate(ottla)
    assert (done.returncode, done.stdout) == (1, "")
    assert "not ready: partition test-0: it has no partition.metadata" in done.stderr


def test_wrong_arguments_end_with_two(brokers):
    ottla = brokers(Ottla)
    for words in (("--config", "missing.properties"), ("--set", "num.partitions=none"), ("--unknown",)):
        done = graduate(ottla, *words)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert not ottla.data_dir.exists()
