"""Kafka's own tools."""

import subprocess

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
