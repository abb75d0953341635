"""A child process whose output is collected, so that a test can wait for a line of it."""

import os
import re
import signal
import subprocess
import threading
import time

# Far more than anything needs.
PATIENCE = 90


class Process:
    """Runs `command`; what it writes to stdout and stderr is collected line by line."""

    def __init__(self, command, env=None, cwd=None, without=None):
        """In the environment of this process with `env` besides, and without what begins with `without`."""
        kept = {name: value for name, value in os.environ.items() if not without or not name.startswith(without)}
        self._child = subprocess.Popen(
            [str(word) for word in command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**kept, **(env or {})},
            cwd=cwd,
        )
        self.lines = []
        self._ended = False
        self._more = threading.Condition()
        self._collector = threading.Thread(target=self._collect, daemon=True)
        self._collector.start()

    def _collect(self):
        for line in self._child.stdout:
            with self._more:
                self.lines.append(line.decode(errors="replace").rstrip("\n"))
                self._more.notify_all()
        with self._more:
            self._ended = True
            self._more.notify_all()

    def wait_for_line(self, pattern):
        """Waits for the first line, old or new, in which the regular expression is found; gives the match."""
        deadline = time.monotonic() + PATIENCE
        seen = 0
        with self._more:
            while True:
                for line in self.lines[seen:]:
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = len(self.lines)
                if self._ended or not self._more.wait(deadline - time.monotonic()):
                    said = "\n".join(self.lines)
                    state = f"ended with {self._child.wait()}" if self._ended else f"said nothing else for {PATIENCE} s"
                    raise AssertionError(f"no line like {pattern!r}; the process {state}:\n{said}")

    def kill9(self):
        """SIGKILL: nothing is written any more."""
        self._child.kill()
        self._finish()

    def terminate(self):
        """SIGTERM; gives the exit code."""
        self._child.send_signal(signal.SIGTERM)
        return self._finish()

    @property
    def running(self):
        return self._child.poll() is None

    @property
    def pid(self):
        return self._child.pid

    def _finish(self):
        code = self._child.wait(PATIENCE)
        self._collector.join(PATIENCE)
        return code
