"""Kafka's own tools."""

import json
import pathlib
import subprocess
from types import SimpleNamespace

from harness.broker import Kafka
from harness.process import Process

# Far more than any of them needs.
PATIENCE = 120

# Kafka logs to stderr, where a tool says what it found.
SILENT = "-Dorg.slf4j.simpleLogger.defaultLogLevel=off"


def command(name, *words):
    return [str(word) for word in Kafka.java(SILENT, name, *words)]


def run_tool(name, *words, stdin=""):
    """Runs a tool of Kafka to its end; gives its exit code, stdout and stderr."""
    return subprocess.run(command(name, *words), input=stdin, capture_output=True, text=True, timeout=PATIENCE)


def start_tool(name, *words):
    """Starts a tool of Kafka that does not end by itself."""
    return Process(command(name, *words))


class ToolRunner:
    """One JVM for many runs: a tool takes a tenth of the time that way, and answers the same."""

    SOURCE = pathlib.Path(__file__).parents[1] / "RunTools.java"

    def __init__(self):
        self._start()

    def _start(self):
        self._process = subprocess.Popen(
            command(str(self.SOURCE)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def run(self, name, *words, stdin=""):
        """As `run_tool`, for a tool that ends by itself."""
        wish = {"class": name, "words": [str(word) for word in words], "stdin": stdin, "patience": PATIENCE}
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            # A few end the JVM themselves, over words that make no sense, and have printed nothing before.
            code = self._process.wait(PATIENCE)
            self._start()
            return SimpleNamespace(returncode=code, stdout="", stderr="the JVM has ended")
        answer = json.loads(answer)
        assert answer["code"] != -1, f"{name} {words} does not end: {answer}"
        return SimpleNamespace(returncode=answer["code"], stdout=answer["stdout"], stderr=answer["stderr"])

    def close(self):
        self._process.stdin.close()
        self._process.wait(PATIENCE)
