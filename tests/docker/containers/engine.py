"""The docker command line. What a test makes has a name that begins with this run's, and goes away at its end."""

import itertools
import json
import os
import re
import subprocess
import time

from harness.process import PATIENCE, Process

#: The image under test.
IMAGE = "OTTLA_IMAGE"

_numbers = itertools.count()


def new_name(what):
    """A name that nothing else on this engine has."""
    return f"ottla-test-{os.getpid()}-{next(_numbers)}-{what}"


def call(command, *, input=None, check=True, env=None, patience=PATIENCE):
    """Runs a command to its end; gives what it did."""
    words = [str(word) for word in command]
    # What the tests are told about Kafka must not become a setting of a broker.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KAFKA_")}
    text = not isinstance(input, bytes)
    done = subprocess.run(
        words, input=input, capture_output=True, text=text, timeout=patience, env={**kept, **(env or {})}
    )
    if check:
        assert done.returncode == 0, f"{words} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
    return done


def docker(*words, **how):
    """Runs `docker ...`; gives what it printed."""
    return call(["docker", *words], **how).stdout


class Container:
    """A container that runs, or did."""

    def __init__(self, name):
        self.name = name

    def docker(self, verb, *words, **how):
        """Runs `docker VERB WORDS... CONTAINER`."""
        return docker(verb, *words, self.name, **how)

    def execute(self, *words, options=(), **how):
        """Runs a program in it to its end; gives what it did."""
        return call(["docker", "exec", *options, self.name, *words], **how)

    def begin(self, *words, options=()):
        """Runs a program in it, and does not wait for its end."""
        return Process(["docker", "exec", *options, self.name, *words])

    @property
    def state(self):
        return json.loads(self.docker("inspect"))[0]["State"]

    @property
    def log(self):
        """All that it wrote to stdout and stderr."""
        done = call(["docker", "logs", self.name])
        return done.stdout + done.stderr

    def wait_for_log(self, pattern, since=0):
        """Waits for a line in which the regular expression is found, in the log from the character `since` on."""

        def found():
            match = re.search(pattern, self.log[since:])
            assert match or self.state["Running"], f"it has ended without {pattern!r}:\n{self.log}"
            return match

        return wait_for(found, lambda: f"no line like {pattern!r}:\n{self.log}")

    def wait_until_healthy(self):
        def healthy():
            assert self.state["Running"], f"it has ended:\n{self.log}"
            return self.state["Health"]["Status"] == "healthy"

        wait_for(healthy, lambda: f"not healthy: {self.state}\n{self.log}")

    def port(self, inside):
        """Where its port is published on this machine."""
        return int(self.docker_port(inside).rsplit(":", 1)[1])

    def docker_port(self, inside):
        return docker("port", self.name, inside).splitlines()[0]

    def files(self, path):
        """What is at a path of the container, running or not, as a tar archive; nothing, when nothing is there."""
        done = subprocess.run(["docker", "cp", f"{self.name}:{path}", "-"], capture_output=True, timeout=PATIENCE)
        return done.stdout

    def stop(self):
        """A clean stop; gives the exit code."""
        self.docker("stop", "--time", PATIENCE)
        return self.state["ExitCode"]

    def kill9(self):
        self.docker("kill", "--signal", "KILL")
        wait_for(lambda: not self.state["Running"], lambda: "a SIGKILL does not end it")

    def start(self):
        self.docker("start")

    @property
    def networks(self):
        return list(json.loads(self.docker("inspect"))[0]["NetworkSettings"]["Networks"])

    def unplug(self, network):
        docker("network", "disconnect", network, self.name)

    def plug(self, network, alias):
        docker("network", "connect", "--alias", alias, network, self.name)


def wait_for(holds, complaint):
    """Asks again and again until `holds()` is true, and gives it."""
    deadline = time.monotonic() + PATIENCE
    while not (answer := holds()):
        assert time.monotonic() < deadline, complaint()
        time.sleep(0.1)
    return answer


class Engine:
    """Makes containers and volumes, and takes them away."""

    def __init__(self):
        self._made = []

    def run(self, *words, image=None, command=()):
        """`docker run -d WORDS... IMAGE COMMAND...`, with a new name."""
        name = new_name("container")
        # It may be there even if it does not start.
        self._made.append(("rm", "--force", "--volumes", name))
        docker("run", "--detach", "--name", name, *words, image or os.environ[IMAGE], *command)
        return Container(name)

    def volume(self):
        name = new_name("volume")
        self._made.append(("volume", "rm", "--force", name))
        docker("volume", "create", name)
        return name

    def close(self):
        for words in reversed(self._made):
            docker(*words)


class Composed:
    """What a compose file describes."""

    def __init__(self, file, **variables):
        self._file = file
        self._project = new_name("compose")
        self._variables = variables

    def __call__(self, *words):
        """Runs `docker-compose WORDS...`; gives what it printed."""
        command = ["docker-compose", "--project-name", self._project, "--file", self._file, *words]
        return call(command, env=self._variables).stdout

    def container(self, service):
        return Container(self("ps", "--quiet", "--all", service).strip())

    @property
    def project(self):
        return self._project

    def close(self):
        self("down", "--volumes", "--timeout", "0")
