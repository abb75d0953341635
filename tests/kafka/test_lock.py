"""The lock of a data directory: Ottla and a Java process exclude each other."""

import contextlib
import pathlib
import subprocess

import pytest

from beside.contents import files
from harness.broker import Ottla
from harness.reading import read_all
from harness.writing import write_confluent

SOURCE = pathlib.Path(__file__).with_name("HoldLock.java")


@contextlib.contextmanager
def java(data_dir):
    """A Java process that tries to lock the directory, what it said, and its pid."""
    command = ["java", "-XX:TieredStopAtLevel=1", str(SOURCE), str(data_dir)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip(), process.pid
    finally:
        process.stdin.close()
        process.wait(60)


def test_java_cannot_take_what_a_running_broker_has(brokers):
    ottla = brokers(Ottla).start()
    with java(ottla.data_dir) as (said, _):
        assert said == "refused"
    write_confluent(ottla.bootstrap, "test", [(None, b"still here", [])])
    with java(ottla.data_dir) as (said, _):
        assert said == "refused", "the broker opened many files in between"
    ottla.stop()
    with java(ottla.data_dir) as (said, _):
        assert said == "locked"


@pytest.mark.parametrize("used", [False, True], ids=["new directory", "used directory"])
def test_the_broker_does_not_start_where_java_is_and_changes_nothing(brokers, used):
    ottla = brokers(Ottla)
    if used:
        ottla.start()
        write_confluent(ottla.bootstrap, "test", [(None, b"before", [])])
        ottla.stop()
    else:
        ottla.data_dir.mkdir(parents=True)
    with java(ottla.data_dir) as (said, pid):
        assert said == "locked"
        before = files(ottla.data_dir)
        command = [Ottla.binary(), "serve", "--listen", "127.0.0.1:0", "--data-dir", str(ottla.data_dir)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1, done.stderr
        assert len(done.stdout + done.stderr) > 0 and (done.stdout + done.stderr).strip().count("\n") == 0, done
        assert str(ottla.data_dir) in done.stderr and f"pid {pid}" in done.stderr
        assert files(ottla.data_dir) == before
    ottla.start()
    if used:
        assert [record.value for record in read_all(ottla.bootstrap, "test")] == [b"before"]
