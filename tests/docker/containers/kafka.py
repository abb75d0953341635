"""Apache Kafka in a container: the jars and the Java of this machine, on the volume that Ottla has left."""

import os
import pathlib
import shutil

from harness.broker import JARS

from containers.engine import docker


class KafkaOnVolume:
    """Runs while the block does, where clients look for the broker, with the properties that `ottla graduate` prints."""

    data = "/var/lib/kafka/data"

    def __init__(self, world, engine):
        self._world = world
        self._engine = engine

    def __enter__(self):
        project = self._world.compose.project
        volume = ("--volume", f"{project}_data:{self.data}")
        image = os.environ["OTTLA_IMAGE"]
        properties = docker(
            *("run", "--rm", *volume, image, "ottla", "graduate", "--data-dir", self.data),
            *("--listen", "0.0.0.0:9092", "--advertise", "broker:9092"),
            *("--set", "controller.quorum.voters=1@localhost:9093"),
        )
        level = "-Dorg.slf4j.simpleLogger"
        logging = f"{level}.defaultLogLevel=warn {level}.log.kafka.server.KafkaRaftServer=info"
        jars = pathlib.Path(JARS["KAFKA_LIBS"]).resolve()
        java = pathlib.Path(shutil.which("java")).resolve()
        start = f"{java} -Xmx512m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 {logging} -cp '{jars}/*' kafka.Kafka"
        self.container = self._engine.run(
            *("--network", f"{project}_inside", "--network-alias", "broker", *volume),
            *("--volume", "/:/host:ro", "--env", f"PROPERTIES={properties}"),
            image=self._world.clients_image,
            command=("sh", "-c", f'printf %s "$PROPERTIES" > /tmp/properties && exec {start} /tmp/properties'),
        )
        self.container.wait_for_log("Kafka Server started")
        return self

    def __exit__(self, *failed):
        # Java ends with 128 + 15 after SIGTERM, however cleanly it stops.
        code = self.container.stop()
        if not any(failed):
            assert code == 143, f"Kafka ended with {code}:\n{self.container.log}"
        # The superuser's files go back to the user of Ottla's image.
        docker(
            *("run", "--rm", "--user", "0", "--volume", f"{self._world.compose.project}_data:{self.data}"),
            *(os.environ["OTTLA_IMAGE"], "chown", "-R", "1000:0", self.data),
        )
