"""Compose files that people have for apache/kafka."""

import os
import pathlib

import pytest

from containers.clients import Clients
from containers.engine import IMAGE, Composed
from harness.broker import free_port
from harness.reading import read_all, values
from harness.writing import write_confluent

HERE = pathlib.Path(__file__).parent


@pytest.fixture
def single_node():
    """A node with a listener for this machine and one for other containers; and where this machine finds it."""
    port = free_port()
    compose = Composed(HERE / "single-node.yaml", OTTLA_IMAGE=os.environ[IMAGE], PORT=str(port))
    try:
        compose("up", "--detach")
        yield compose, f"localhost:{port}"
    finally:
        compose.close()


def test_the_variables_of_kafkas_own_file_for_one_node(single_node, clients_image, engine):
    compose, outside = single_node
    broker = compose.container("broker")
    broker.wait_until_healthy()
    write_confluent(outside, "seen", [(None, b"%d" % number, []) for number in range(10)])
    (network,) = broker.networks
    container = engine.run(
        *("--network", network, "--volume", "/:/host:ro"), image=clients_image, command=("sleep", "infinity")
    )
    inside = Clients(container, "broker:19092")
    assert inside.read("seen") == [(number, str(number)) for number in range(10)]
    writer = inside.writer("from-inside")
    writer.wait_for_more()
    written = writer.finish()
    assert values(read_all(outside, "from-inside")) == [text.encode() for _, text in written]
    assert inside.run("cluster").strip() == "4L6g3nShT-eMCtK--X86sw"
