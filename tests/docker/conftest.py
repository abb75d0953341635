"""Fixtures of the stories in containers. `OTTLA_IMAGE` is the image under test."""

import os
import pathlib

import pytest

from containers import client_image
from containers.clients import Clients
from containers.engine import IMAGE, Composed, Engine, docker

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="session")
def clients_image():
    """An image in which clients can run."""
    name = client_image.make()
    yield name
    docker("image", "rm", name)


@pytest.fixture
def engine():
    """Makes containers that end with the test."""
    engine = Engine()
    yield engine
    engine.close()


class World:
    """The containers of compose.yaml: a broker and clients on a private network."""

    def __init__(self, clients_image):
        self.clients_image = clients_image
        self.compose = Composed(HERE / "compose.yaml", OTTLA_IMAGE=os.environ[IMAGE], CLIENT_IMAGE=clients_image)

    def start(self):
        self.compose("up", "--detach")
        self.broker = self.compose.container("broker")
        self.clients = Clients(self.compose.container("client"), "broker:9092")
        return self


@pytest.fixture
def world(clients_image):
    world = World(clients_image)
    try:
        yield world.start()
    finally:
        world.compose.close()
