"""How the example of each language is made ready: a function for each, which gives the words that run it.

A machine that lacks what a language needs skips its example; in CI all of them are required.
"""

import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from harness.broker import JARS

EXAMPLES = pathlib.Path(__file__).parents[2] / "docs" / "examples"
# The directory of the built binary, and the target directory, where builds of ours go.
BUILT = pathlib.Path(os.environ["OTTLA_BIN"]).parent
PLACE = BUILT.parent / "examples"


def need(condition, what):
    if condition:
        return
    if os.environ.get("CI"):
        pytest.fail(f"needs {what}")
    pytest.skip(f"needs {what}")


def run(*command, cwd):
    done = subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"


def python():
    return [sys.executable, EXAMPLES / "python" / "idempotent_producer.py"]


def python_asyncio():
    return [sys.executable, EXAMPLES / "python-asyncio" / "idempotent_producer.py"]


def python_asyncio_confluent():
    return [sys.executable, EXAMPLES / "python-asyncio" / "idempotent_producer_confluent.py"]


def java():
    libs = JARS.get("KAFKA_LIBS")
    need(shutil.which("java"), "java")
    need(libs, "the jars of Kafka's clients, which Maven fetches")
    return ["java", "-cp", f"{libs}/*", EXAMPLES / "java" / "IdempotentProducer.java"]


def node():
    need(shutil.which("node") and shutil.which("npm"), "node and npm")
    place = PLACE / "node"
    shutil.copytree(EXAMPLES / "node", place, dirs_exist_ok=True)
    run("npm", "install", "--no-package-lock", "--no-audit", "--no-fund", cwd=place)
    return ["node", place / "idempotent-producer.js"]


def go():
    need(shutil.which("go"), "go")
    program = PLACE / "go" / "idempotent-producer"
    run("go", "build", "-o", program, ".", cwd=EXAMPLES / "go")
    return [program]


def rust():
    """It is built with the tests."""
    return [BUILT / "examples" / "idempotent_producer"]


LANGUAGES = {
    "python": python,
    "python-asyncio": python_asyncio,
    "python-asyncio-confluent": python_asyncio_confluent,
    "java": java,
    "node": node,
    "go": go,
    "rust": rust,
}
