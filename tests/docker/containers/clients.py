"""Clients in a container of their own."""

import pathlib
import sys

from containers.engine import wait_for

HERE = pathlib.Path(__file__).resolve().parents[1]
HARNESS = HERE.parent / "clients" / "python"


class Clients:
    """Runs the programs under `client/` in a container. Each is told where the broker is."""

    def __init__(self, container, bootstrap):
        self.container = container
        self.bootstrap = bootstrap

    def _words(self, program, *words):
        return [sys.executable, "-u", HERE / "client" / f"{program}.py", self.bootstrap, *words]

    _options = ("--env", f"PYTHONPATH={HARNESS}")

    def run(self, program, *words):
        return self.container.execute(*self._words(program, *words), options=self._options).stdout

    def writer(self, topic, *words):
        """Begins to write to a topic. The words are settings of librdkafka."""
        process = self.container.begin(*self._words("write", topic, *words), options=self._options)
        return Writer(process, lambda: self.container.execute("touch", f"/tmp/enough-{topic}"))

    def read(self, topic):
        """All records, as pairs of offset and text."""
        lines = self.run("read", topic).splitlines()
        return [(int(offset), text) for offset, text in (line.split(" ", 1) for line in lines)]

    def end(self, topic):
        """The offset that the next record would get."""
        return int(self.run("end", topic))


class Writer:
    """A program that writes numbers from 0 up."""

    def __init__(self, process, say_enough):
        self.process = process
        self._say_enough = say_enough

    @property
    def acknowledged(self):
        """Pairs of offset and text, in the order of the answers."""
        pairs = (line.split(" ") for line in list(self.process.lines) if line.startswith("ack "))
        return [(int(offset), text) for _, offset, text in pairs]

    def wait_for_more(self, count=500):
        """Waits until so many more are acknowledged."""
        wanted = len(self.acknowledged) + count
        self._wait(lambda: len(self.acknowledged) >= wanted, f"{wanted} acknowledged")

    def wait_for_trouble(self):
        """Waits until the client has given up waiting for an answer, and finds nobody else to ask."""
        seen = len(self.process.lines)
        self._wait(lambda: any(line.startswith("trouble ") for line in self.process.lines[seen:]), "trouble")

    def finish(self):
        """Lets it end, and waits until all is acknowledged; gives what was: pairs of offset and text, by offset."""
        self._say_enough()
        count = int(self.process.wait_for_line(r"^done (\d+)$").group(1))
        acknowledged = sorted(self.acknowledged)
        assert sorted(int(text) for _, text in acknowledged) == list(range(count))
        return acknowledged

    def _wait(self, holds, what):
        def asked():
            assert self.process.running, "the writer has ended:\n" + "\n".join(self.process.lines[-20:])
            return holds()

        wait_for(asked, lambda: f"never {what}: {self.process.lines[-5:]}")
