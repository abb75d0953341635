"""Testcontainers, as it is published, with our image in the place of those that it knows. The samples in Java and Python do
what those modules' own tests do, which are not published; the module for Go brings its tests, and they are what is run."""

import os
import pathlib
import re

import kafka
import pytest

from containers.engine import IMAGE, call, docker, new_name
from containers.testcontainers_settings import SETTINGS

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def module(monkeypatch):
    """The module of testcontainers-python for Kafka. It reads the environment as it is loaded."""
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    from testcontainers.community import kafka

    return kafka


def use(bootstrap, topic="test-topic"):
    """A record, and a reader that finds exactly that one."""
    writer = kafka.KafkaProducer(bootstrap_servers=[bootstrap])
    writer.send(topic, b"verification message")
    writer.flush()
    writer.close()

    reader = kafka.KafkaConsumer(bootstrap_servers=[bootstrap], consumer_timeout_ms=60_000)
    place = kafka.TopicPartition(topic, 0)
    reader.assign([place])
    reader.seek_to_beginning()
    assert reader.end_offsets([place])[place] == 1
    assert next(reader).value == b"verification message"
    reader.close()


def test_python_with_kraft(module):
    with module.KafkaContainer(os.environ[IMAGE]).with_kraft() as container:
        assert container.kraft_enabled
        use(container.get_bootstrap_server())


def test_python_with_another_port(module):
    with module.KafkaContainer(os.environ[IMAGE], port=9888).with_kraft() as container:
        assert container.port == 9888
        use(container.get_bootstrap_server())


def test_python_with_a_cluster_id(module):
    with module.KafkaContainer(os.environ[IMAGE]).with_kraft().with_cluster_id("4L6g3nShT-eMCtK--X86sw") as container:
        client = kafka.KafkaAdminClient(bootstrap_servers=container.get_bootstrap_server())
        assert client.describe_cluster()["cluster_id"] == "4L6g3nShT-eMCtK--X86sw"
        client.close()


@pytest.mark.timeout(600)
def test_java(tmp_path):
    """`testcontainers-java/src`: the class for apache/kafka and apache/kafka-native, and the one for Confluent's image."""
    command = ["mvn", "--batch-mode", "--quiet", "--file", HERE / "testcontainers-java/pom.xml", f"-Dmade={tmp_path}", "test"]
    done = call(command, env=SETTINGS, check=False, patience=580)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    (report,) = (tmp_path / "surefire-reports").glob("TEST-*.xml")
    assert 'tests="4" errors="0" skipped="0" failures="0"' in report.read_text()


#: Pinned: a newer one is a change that shows in review.
GO_MODULE = "github.com/testcontainers/testcontainers-go/modules/kafka"
GO_VERSION = "v0.38.0"


@pytest.fixture
def stand_in():
    """What is put before the names of images, and stands before one more name of ours."""
    prefix = new_name("stand-in") + "/"
    name = f"{prefix}confluentinc/confluent-local:7.5.0"
    docker("tag", os.environ[IMAGE], name)
    yield prefix
    docker("image", "rm", name)


@pytest.mark.timeout(600)
def test_go(stand_in, tmp_path):
    """The module's own tests, unchanged: they name Confluent's image, and get ours by a setting of Testcontainers."""
    told = {**SETTINGS, "TESTCONTAINERS_HUB_IMAGE_NAME_PREFIX": stand_in, "GOFLAGS": "-mod=mod", "GOWORK": "off"}

    def go(*words, **how):
        return call(["go", "-C", tmp_path, *words], env=told, patience=580, **how)

    go("mod", "init", "ottla/testcontainers")
    go("get", "-t", f"{GO_MODULE}@{GO_VERSION}")
    done = go("test", "-v", GO_MODULE, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    assert {"TestKafka", "ExampleRun"} <= set(re.findall(r"--- PASS: (\w+)", done.stdout))
