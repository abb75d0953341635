"""The writers as the story sees them: started, killed, ended, and asked what they were promised."""

import json
import os
import pathlib
import subprocess
import sys
from collections import defaultdict

PLACES = os.pathsep.join(str(pathlib.Path(place)) for place in sys.path)
PATIENCE = 150

# Quick to come back, and patient: what is not acknowledged in ten minutes is lost for another reason than a kill.
RESTLESS = {
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 100,
    "retry.backoff.ms": 10,
    "retry.backoff.max.ms": 100,
    "message.timeout.ms": 600_000,
    "socket.timeout.ms": 10_000,
    "socket.connection.setup.timeout.ms": 2_000,
    "topic.metadata.refresh.interval.ms": 2_000,
    "log_level": 0,
}


class Writer:
    """One process with one producer. A new one has a new name and a new producer id."""

    def __init__(self, name, directory, bootstrap, topics, settings, most_waiting=300):
        self.name = name
        self._journal = pathlib.Path(directory) / f"{name}.journal"
        orders = {
            "name": name,
            "topics": topics,
            "most_waiting": most_waiting,
            "settings": {"bootstrap.servers": bootstrap, **RESTLESS, **settings},
        }
        with self._journal.open("wb") as journal, self._journal.with_suffix(".stderr").open("wb") as complaints:
            self._child = subprocess.Popen(
                [sys.executable, "-m", "ring.writer"],
                stdin=subprocess.PIPE,
                stdout=journal,
                stderr=complaints,
                env={**os.environ, "PYTHONPATH": PLACES},
            )
        self._child.stdin.write(json.dumps(orders).encode() + b"\n")
        self._child.stdin.flush()
        self.was_killed = False

    def kill(self):
        self.was_killed = True
        self._child.kill()
        self._child.wait(PATIENCE)

    def end(self):
        """Lets it write no more; it then waits for its acknowledgements."""
        self._child.stdin.close()

    def join(self):
        code = self._child.wait(PATIENCE)
        complaints = self._journal.with_suffix(".stderr").read_text()
        assert code == 0, f"the writer {self.name} ended with {code}: {complaints[-2000:]}"

    def promises(self):
        """What it was told, and whether it was told of everything."""
        return Promises(self.name, self._journal.read_text(), self.was_killed)


class Promises:
    def __init__(self, name, journal, was_killed):
        self.name = name
        # By topic and partition: the offset of each acknowledged number, and how many were written in all.
        self.offsets = defaultdict(dict)
        self.counts = {}
        self.refusals = []
        # A kill may cut the last line short.
        for line in journal.splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            kind, *words = line.split()
            if kind == "A":
                topic, partition, number, offset = words
                known = self.offsets[topic, int(partition)].setdefault(int(number), int(offset))
                assert known == int(offset), f"{name} heard of two offsets: {known} and {line}"
            elif kind == "E":
                topic, partition, count = words
                self.counts[topic, int(partition)] = int(count)
            else:
                self.refusals.append(line.strip())
        assert was_killed or self.counts, f"the writer {name} did not come to its end"

    def total(self):
        return sum(len(offsets) for offsets in self.offsets.values())

    def check_all_acknowledged(self):
        """Of a writer that was not killed."""
        assert not self.refusals, f"{self.name} was refused: {self.refusals[:3]}"
        for place, count in self.counts.items():
            missing = sorted(set(range(count)) - set(self.offsets[place]))
            assert not missing, f"{self.name} was never told about {len(missing)} of {count} in {place}: {missing[:5]}"


def check_exactly_once(promises, found, log_starts):
    """`found` holds by topic and partition, in the order of offsets, `(offset, writer, number)`. Each writer's records stand
    there once and in order, and where it was told that they do."""
    by_name = {promise.name: promise for promise in promises}
    for place, records in found.items():
        start = log_starts.get(place, 0)
        # The next number of each writer.
        due = {}
        at = defaultdict(dict)
        for offset, name, number in records:
            assert name in by_name, f"nobody called {name} wrote {place} {offset}"
            if name not in due:
                # What came before may have been deleted, if anything was.
                assert number == 0 or start > 0, f"{place} {offset}: {name} begins with {number}"
                due[name] = number
            expected = due[name]
            what = "twice" if number < expected else "after a gap"
            assert number == expected, f"{place} {offset}: {name}'s {number} stands there {what}, {expected} was due"
            due[name] += 1
            at[name][number] = offset
        for name, promise in by_name.items():
            for number, offset in promise.offsets.get(place, {}).items():
                if offset >= start:
                    there = at[name].get(number)
                    assert there == offset, (
                        f"{place}: {name}'s {number} was acknowledged at {offset} and is "
                        + ("lost" if there is None else f"at {there}")
                    )
            if place in promise.counts and start == 0:
                assert due.get(name, 0) == promise.counts[place], f"{place}: {name} wrote {promise.counts[place]}"


def check_at_least_once(promises, found):
    """For producers without idempotence: what was acknowledged is there."""
    for place, records in found.items():
        there = {offset: (name, number) for offset, name, number in records}
        for promise in promises:
            for number, offset in promise.offsets.get(place, {}).items():
                assert there.get(offset) == (promise.name, number), (
                    f"{place}: {promise.name}'s {number} was acknowledged at {offset}, where {there.get(offset)} stands"
                )
