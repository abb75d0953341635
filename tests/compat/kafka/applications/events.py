"""Kafka's verifiable clients, which say what they do as one JSON object a line."""

import json

from beside.java import command
from harness.process import Process
from harness.waiting import until


class Verifiable(Process):
    """A verifiable client."""

    def events(self, name):
        """Its events of that name so far, in order."""
        return [event for event in self._all() if event["name"] == name]

    def names(self):
        return [event["name"] for event in self._all()]

    def ended(self):
        """Waits until it ends by itself."""
        until(lambda: not self.running)
        self._finish()
        return self

    def _all(self):
        return [json.loads(line) for line in list(self.lines) if line.startswith("{")]


class VerifiableProducer(Verifiable):
    """`words` are more arguments; `config` is a file of settings."""

    def __init__(self, broker, topic, *words):
        words = ("--bootstrap-server", broker.bootstrap, "--topic", topic, *words)
        super().__init__(command("org.apache.kafka.tools.VerifiableProducer", *words))

    def acked(self):
        """`{(PARTITION, OFFSET): VALUE}`; each place only once."""
        sends = self.events("producer_send_success")
        places = {(event["partition"], event["offset"]): event["value"] for event in sends}
        assert len(places) == len(sends), "two records were acknowledged at the same place"
        return places


class VerifiableConsumer(Verifiable):
    """A member of a group that commits what each poll brought."""

    def __init__(self, broker, topic, group, protocol, *words):
        words = ("--bootstrap-server", broker.bootstrap, "--topic", topic, "--group-id", group, *words)
        protocol = ("--group-protocol", protocol, "--verbose")
        super().__init__(command("org.apache.kafka.tools.VerifiableConsumer", *protocol, *words))

    def got(self):
        """`[(PARTITION, OFFSET, VALUE)...]` in the order in which they came."""
        return [(event["partition"], event["offset"], event["value"]) for event in self.events("record_data")]

    def committed(self):
        """`{PARTITION: OFFSET}` by its last successful commit of each."""
        commits = [event for event in self.events("offsets_committed") if event["success"]]
        return {one["partition"]: one["offset"] for event in commits for one in event["offsets"]}

    def held(self):
        """The partitions that it has now, as it was told."""
        held = set()
        for event in self._all():
            partitions = {one["partition"] for one in event.get("partitions", ())}
            if event["name"] == "partitions_assigned":
                held |= partitions
            elif event["name"] == "partitions_revoked":
                held -= partitions
        return held
