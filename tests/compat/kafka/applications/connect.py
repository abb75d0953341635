"""Workers of Kafka Connect, which copy lines from file to topic and from topic to file."""

import json
import urllib.error
import urllib.request

from beside.java import SILENT
from harness.broker import HOST, Kafka, free_port
from harness.process import PATIENCE, Process
from harness.waiting import until

STRINGS = "org.apache.kafka.connect.storage.StringConverter"
SOURCE = "org.apache.kafka.connect.file.FileStreamSourceConnector"
SINK = "org.apache.kafka.connect.file.FileStreamSinkConnector"


def properties(file, settings):
    """Writes settings to a file that Java reads."""
    file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
    return file


class Worker(Process):
    """A worker, asked over REST."""

    def __init__(self, kind, directory, broker, settings, *files):
        self._rest = f"http://{HOST}:{free_port()}"
        directory.mkdir(exist_ok=True)
        settings = {
            "bootstrap.servers": broker.bootstrap,
            "key.converter": STRINGS,
            "value.converter": STRINGS,
            "listeners": self._rest,
            "plugin.discovery": "service_load",
            "offset.flush.interval.ms": 500,
            # Without it a batch that is sent again is stored again; here every line is to be there once.
            "producer.enable.idempotence": "true",
            "producer.reconnect.backoff.max.ms": 200,
            "consumer.session.timeout.ms": 6000,
            "consumer.heartbeat.interval.ms": 500,
            **settings,
        }
        command = Kafka.java(SILENT, f"org.apache.kafka.connect.cli.{kind}", properties(directory / "worker.properties", settings))
        super().__init__([*command, *files])

    def ask(self, path, method="GET", body=None):
        """Status and answer; `None` and nothing while it does not listen or is rebalancing."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._rest + path, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            # 409 says that a rebalance is under way, 500 and 503 that the workers cannot reach each other or the broker now.
            return (None, None) if refused.code in (409, 500, 503) else (refused.code, None)
        except (urllib.error.URLError, ConnectionError):
            return None, None

    def tell(self, path, method, body=None, code=200):
        """Asks for a change until it is taken."""
        until(lambda: self.ask(path, method, body)[0] == code)

    def runs(self, *connectors):
        """Whether these connectors and a task of each run."""
        return all(self.states(connector) == ["RUNNING", "RUNNING"] for connector in connectors)

    def states(self, connector):
        """The states of a connector and of its tasks."""
        code, status = self.ask(f"/connectors/{connector}/status")
        return [status["connector"]["state"], *(task["state"] for task in status["tasks"])] if code == 200 else []

    def offsets(self, connector):
        """Where a connector is: the only number that it commits."""
        code, answer = self.ask(f"/connectors/{connector}/offsets")
        numbers = [number for one in (answer["offsets"] if code == 200 else ()) for number in one["offset"].values()]
        return numbers[0] if len(numbers) == 1 else None

    def stop(self):
        assert self.terminate() == 143


class Files:
    """A file that is read, one that is written, and the connectors between them, past the topic `lines`."""

    def __init__(self, directory):
        self.source, self.sink = directory / "source.txt", directory / "sink.txt"
        self.source.touch()
        self.lines = []
        self.source_config = {"connector.class": SOURCE, "tasks.max": "1", "file": str(self.source), "topic": "lines"}
        self.sink_config = {"connector.class": SINK, "tasks.max": "1", "file": str(self.sink), "topics": "lines"}

    def append(self, count):
        more = [f"line {len(self.lines) + number}" for number in range(count)]
        self.lines += more
        with self.source.open("a") as file:
            file.writelines(line + "\n" for line in more)

    def copied(self):
        """The lines that came out."""
        return self.sink.read_text().splitlines() if self.sink.exists() else []

    def size(self):
        return self.source.stat().st_size
