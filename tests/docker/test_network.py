"""A broker and its clients in containers of their own, on a private network that fails."""

import pytest


def nothing_is_lost_or_doubled(world, topic, written):
    """Each number is there once, in order, where its writer was told."""
    records = world.clients.read(topic)
    assert [text for _, text in records] == [str(number) for number in range(len(written))]
    assert records == written


def test_the_advertised_name_is_reached_from_another_container(world):
    writer = world.clients.writer("greetings")
    writer.wait_for_more()
    nothing_is_lost_or_doubled(world, "greetings", writer.finish())


def test_a_killed_broker_is_started_again_under_an_idempotent_producer(world):
    writer = world.clients.writer("killed")
    for _ in range(3):
        writer.wait_for_more()
        world.broker.kill9()
        assert world.broker.state["ExitCode"] == 137
        world.broker.start()
    writer.wait_for_more()
    nothing_is_lost_or_doubled(world, "killed", writer.finish())


class Silence:
    """What the broker sends to the clients is dropped. What they send still arrives."""

    rule = ("INPUT", "--protocol", "tcp", "--source-port", "9092", "--jump", "DROP")

    def __init__(self, world):
        self._container = world.clients.container

    def __enter__(self):
        self._container.execute("iptables", "--append", *self.rule)

    def __exit__(self, *_):
        self._container.execute("iptables", "--delete", *self.rule)


@pytest.mark.parametrize("killed", [False, True], ids=["alive", "killed"])
def test_answers_are_dropped_while_batches_are_in_flight(world, killed):
    """The broker stores what nobody hears of, and gets it a second time. It may have been killed in between."""
    writer = world.clients.writer("unheard")
    for _ in range(2):
        writer.wait_for_more()
        with Silence(world):
            writer.wait_for_trouble()
            if killed:
                world.broker.kill9()
                world.broker.start()
                world.broker.wait_until_healthy()
    writer.wait_for_more()
    nothing_is_lost_or_doubled(world, "unheard", writer.finish())


def test_the_network_is_taken_away_and_comes_back(world):
    writer = world.clients.writer("unplugged")
    (network,) = world.broker.networks
    for _ in range(2):
        writer.wait_for_more()
        world.broker.unplug(network)
        writer.wait_for_trouble()
        world.broker.plug(network, "broker")
    writer.wait_for_more()
    nothing_is_lost_or_doubled(world, "unplugged", writer.finish())
