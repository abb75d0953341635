"""The broker that dies: killed while it serves, while it starts, while it stops."""

import random
import signal
import socket
import struct
import subprocess
import time

from harness.broker import HOST, Ottla

PATIENCE = 60
# Below the range that the kernel takes ports of outgoing connections from: a client that tries to reach a broker which is
# not there must not be given the broker's own port, and connect to itself.
PORTS = range(20_000, 32_000)


# Bytes of a batch larger than any segment of the stories.
LARGE = 500_000


def quiet_port():
    for port in random.SystemRandom().sample(PORTS, 200):
        try:
            socket.create_server((HOST, port)).close()
            return port
        except OSError:
            continue
    raise AssertionError("no port is free")


def last_batch(segment):
    """The last whole batch of a file, and the offset after it."""
    data = segment.read_bytes()
    at, last, following = 0, None, None
    while at + 61 <= len(data):
        base, length = struct.unpack_from(">qi", data, at)
        if at + 12 + length > len(data):
            break
        last, at = data[at : at + 12 + length], at + 12 + length
        following = base + struct.unpack_from(">i", last, 23)[0] + 1
    return last, following


class Mortal:
    """Runs the built binary on one directory and one port, again and again. All it says goes to one file."""

    def __init__(self, directory, settings):
        self.data_dir = directory / "data"
        self.log = directory / "broker.log"
        self.bootstrap = f"{HOST}:{quiet_port()}"
        self.kills = 0
        self.starts = 0
        self._said = 0
        self._command = [Ottla.binary(), "serve", "--listen", self.bootstrap, "--data-dir", str(self.data_dir)]
        for key, value in settings.items():
            self._command += ["--set", f"{key}={value}"]
        self._child = None

    def launch(self):
        """Starts it, and waits for nothing."""
        self.starts += 1
        with self.log.open("ab") as log:
            log.write(b"== start %d\n" % self.starts)
            log.flush()
            self._said = log.tell()
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def start(self):
        """Starts it, and waits until it accepts."""
        self.launch()
        deadline = time.monotonic() + PATIENCE
        while "ottla ready on" not in self._new_lines():
            assert self._child.poll() is None, f"start {self.starts} ended with {self._child.poll()}"
            assert time.monotonic() < deadline, f"start {self.starts} takes more than {PATIENCE} s"
            time.sleep(0.002)

    def kill(self):
        self.kills += 1
        self._child.kill()
        self._child.wait(PATIENCE)

    def kill_while_starting(self, after):
        """Kills the process `after` seconds of its life."""
        self.launch()
        time.sleep(after)
        self.kill()

    def kill_while_stopping(self, after):
        """Kills it `after` seconds after a SIGTERM; a stop may be quicker than that."""
        self._child.send_signal(signal.SIGTERM)
        time.sleep(after)
        if self._child.poll() is None:
            self.kill()
        else:
            assert self._child.poll() == 0, f"a clean stop ended with {self._child.poll()}"

    def tear(self, topic, partition, chance):
        """Leaves at the end of a log what a kill in the middle of a large write leaves: the first part of the next batch.
        Gives whether there was one to copy from."""
        segments = sorted((self.data_dir / f"{topic}-{partition}").glob("*.log"))
        batch, following = last_batch(segments[-1]) if segments else (None, None)
        if batch is None:
            return False
        torn = struct.pack(">q", following) + batch[8:]
        if chance.random() < 0.5:
            # A large one: what is left of it reaches beyond where the segment will end.
            torn = torn[:8] + struct.pack(">i", LARGE - 12) + torn[12:] + b"-" * (LARGE - len(torn))
        with segments[-1].open("ab") as log:
            log.write(torn[: chance.randrange(1, len(torn))])
        return True

    def stop(self):
        self._child.send_signal(signal.SIGTERM)
        code = self._child.wait(PATIENCE)
        assert code == 0, f"a clean stop ended with {code}"

    def close(self):
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait(PATIENCE)

    def tail(self, lines=60):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    def complaints(self, asked_for):
        """Warnings and errors that no kill explains."""
        loud = [
            line
            for line in self.log.read_text(errors="replace").splitlines()
            if any(word in line for word in (" WARN ", " ERROR ", "panicked at"))
        ]
        unasked = [line for line in loud if not any(text in line for text in asked_for)]
        assert not unasked, f"the broker complained {len(unasked)} times:\n" + "\n".join(unasked[:10])
        return len(loud)

    def _new_lines(self):
        with self.log.open("rb") as log:
            log.seek(self._said)
            return log.read().decode(errors="replace")
