"""Members of groups as child processes, and waiting for what they say."""

import json
import pathlib
import sys
import threading
import time

from .process import PATIENCE, Process

PYTHON = pathlib.Path(__file__).parent.parent


class Member:
    """A running member; what it says is kept in order."""

    def __init__(self, members, command):
        self._members = members
        self._process = Process(command, cwd=PYTHON)

    @property
    def said(self):
        """Everything it said so far, as dictionaries. Lines that are no JSON come from its client library."""
        return [json.loads(line) for line in list(self._process.lines) if line.startswith("{")]

    @property
    def assignment(self):
        """The partitions that it has now."""
        held = set()
        for event in self.said:
            held |= set(event.get("assigned", ()))
            held -= set(event.get("revoked", ()))
        return held

    @property
    def got(self):
        """The records that it processed: partition, offset, value."""
        return [tuple(event["got"]) for event in self.said if "got" in event]

    def kill9(self):
        self._process.kill9()
        self._members.running.remove(self)

    def terminate(self):
        """SIGTERM, which no Python client here takes as a wish to leave the group, and the Java one does."""
        self._process.terminate()
        self._members.running.remove(self)


class Members:
    """The members that a story started. They end with it."""

    def __init__(self):
        self.running = []
        self.all = []

    def start(self, client, bootstrap, group, topic, **options):
        words = [word for name, value in options.items() for word in (f"--{name.replace('_', '-')}", str(value))]
        return self.start_command([sys.executable, "-m", "harness.member", client, bootstrap, group, topic, *words])

    def start_command(self, command):
        """A member that is a program of its own, which says what `harness.member` would."""
        member = Member(self, command)
        self.running.append(member)
        self.all.append(member)
        return member

    def close(self):
        for member in list(self.running):
            member.kill9()

    def wait_until(self, reached, what):
        """Waits until `reached()` holds. `what` is a text, or says one when the wait was in vain."""
        deadline = time.monotonic() + PATIENCE
        pause = threading.Event()
        while not reached():
            if time.monotonic() > deadline:
                said = {number: member.said[-20:] for number, member in enumerate(self.all)}
                what = what() if callable(what) else what
                raise AssertionError(f"waited in vain for: {what}; the members said {said}")
            pause.wait(0.05)

    def wait_for_shares(self, partitions, members):
        """Waits until each of `members` has a share, and all have the partitions between them, each once."""

        def shared():
            shares = [member.assignment for member in members]
            return all(shares) and sorted(part for share in shares for part in share) == list(range(partitions))

        self.wait_until(shared, f"{partitions} partitions shared by {len(members)} members")
