"""Instances of the word count (WordCount.java)."""

import json
import os
import pathlib
import subprocess
import urllib.error
import urllib.request

from beside.java import SILENT
from harness.broker import Kafka
from harness.process import PATIENCE, Process

SOURCE = pathlib.Path(__file__).parents[1] / "WordCount.java"


def compiled(directory):
    """Compiles the word count into this directory."""
    words = ["javac", "-cp", Kafka.java()[-1], "-d", directory, SOURCE]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return directory


class WordCount(Process):
    """One instance; `settings` are those of Kafka Streams, with `_` for `.`."""

    def __init__(self, classes, broker, application, state_dir, **settings):
        settings = {
            "commit.interval.ms": 500,
            "consumer.auto.offset.reset": "earliest",
            "consumer.session.timeout.ms": 6000,
            "consumer.heartbeat.interval.ms": 500,
            "producer.reconnect.backoff.max.ms": 200,
            **{name.replace("_", "."): value for name, value in settings.items()},
        }
        given = [f"{name}={value}" for name, value in settings.items()]
        words = (broker.bootstrap, application, state_dir, "lines", "counted", *given)
        *java, jars = Kafka.java()
        super().__init__([*java, f"{classes}{os.pathsep}{jars}", SILENT, "WordCount", *words])
        self._port = int(self.wait_for_line(r"^port (\d+)$").group(1))

    def ask(self, what):
        """What it says about `counts`, `tasks` or `restored`; `None` while it cannot say."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/{what}", timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refused:
            assert refused.code == 503, refused
            return None

    def counts(self):
        return self.ask("counts")

    def tasks(self):
        """State, active tasks, standby tasks."""
        told = self.ask("tasks")
        return told["state"], set(told["active"]), set(told["standby"])

    def stop(self):
        assert self.terminate() == 143
        assert not [line for line in self.lines if line.startswith("failed: ")], self.lines
