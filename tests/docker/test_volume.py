"""The data volume goes from one container to the next, of Ottla or of Apache Kafka."""

from containers.kafka import KafkaOnVolume


def written(world, topic):
    writer = world.clients.writer(topic)
    writer.wait_for_more()
    return writer.finish()


def test_a_new_container_goes_on_under_a_producer(world):
    """Stopped, removed, and made anew with the same volume: so is a broker brought to another version of the image."""
    writer = world.clients.writer("kept")
    cluster = world.clients.run("cluster")
    before = world.broker.name
    for _ in range(2):
        writer.wait_for_more()
        world.compose("rm", "--stop", "--force", "broker")
        world.compose("up", "--detach", "--no-deps", "broker")
        world.broker = world.compose.container("broker")
    writer.wait_for_more()
    assert world.broker.name != before
    kept = writer.finish()
    assert world.clients.read("kept") == kept
    assert [text for _, text in kept] == [str(number) for number in range(len(kept))]
    assert world.clients.run("cluster") == cluster


def test_apache_kafka_opens_the_volume_and_gives_it_back(world, engine):
    """With a producer that writes before, during and after, and takes all three for one broker."""
    writer = world.clients.writer("travelled")
    at_rest = written(world, "at-rest")
    writer.wait_for_more()
    assert world.broker.stop() == 0
    assert world.broker.files("/var/lib/kafka/data/.kafka_cleanshutdown")

    with KafkaOnVolume(world, engine):
        assert world.clients.read("at-rest") == at_rest
        from_kafka = written(world, "from-kafka")
        writer.wait_for_more()

    world.broker.start()
    writer.wait_for_more()
    travelled = writer.finish()
    assert world.clients.read("travelled") == travelled
    assert [text for _, text in travelled] == [str(number) for number in range(len(travelled))]
    assert world.clients.read("at-rest") == at_rest
    assert world.clients.read("from-kafka") == from_kafka
