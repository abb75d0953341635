"""Testcontainers, as it is published, with our image in the place of those that it knows. The samples do what the module's
own tests do."""

import pathlib

import pytest

from containers.engine import call
from containers.testcontainers_settings import SETTINGS

HERE = pathlib.Path(__file__).parent


@pytest.mark.timeout(600)
def test_java(tmp_path):
    """`testcontainers/src`: the class for apache/kafka and apache/kafka-native, and the one for Confluent's image."""
    command = ["mvn", "--batch-mode", "--quiet", "--file", HERE / "testcontainers/pom.xml", f"-Dmade={tmp_path}", "test"]
    done = call(command, env=SETTINGS, check=False, patience=580)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr
    (report,) = (tmp_path / "surefire-reports").glob("TEST-*.xml")
    assert 'tests="4" errors="0" skipped="0" failures="0"' in report.read_text()
