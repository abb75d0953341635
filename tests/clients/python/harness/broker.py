"""The broker under test: Ottla, or Apache Kafka itself to check the stories against.

`OTTLA_BIN` is the built binary. With `STORIES_AGAINST=kafka`, and Kafka's jars in the directory `KAFKA_LIBS`, the same
stories run against Kafka: a story that fails there asks for something that Kafka does not promise.
"""

import os
import pathlib
import socket
import subprocess

from .process import Process

HOST = "127.0.0.1"


def _kept_from_children():
    """What the environment says to Kafka. `ottla` takes such variables for settings, so it must not see those of the tests."""
    names = [name for name in os.environ if name.startswith("KAFKA_") or name == "CLUSTER_ID"]
    return {name: os.environ.pop(name) for name in names}


#: `KAFKA_LIBS` and `KAFKA_NEWEST_LIBS`, where they are given.
JARS = _kept_from_children()


def free_port():
    with socket.create_server((HOST, 0)) as listener:
        return listener.getsockname()[1]


class Broker:
    """A broker with its own data directory. It keeps its port when it is started again."""

    def __init__(self, directory, settings=None, advertise=None):
        self.directory = pathlib.Path(directory)
        self.data_dir = self.directory / "data"
        self.settings = dict(settings or {})
        self.advertise = advertise
        self.port = 0
        self.log = []
        self.expected = []
        self._process = None

    @property
    def bootstrap(self):
        """Where clients begin: past the proxy, if there is one."""
        return self.advertise or self.address

    @property
    def address(self):
        """Where the broker itself listens."""
        return f"{HOST}:{self.port}"

    def lines(self):
        """What it has said so far, in all its runs."""
        return self.log + (self._process.lines if self._process else [])

    def start(self):
        assert self._process is None, "it is running"
        self._process = self._launch()
        return self

    def kill9(self):
        # It may be about to make a partition whose segment is not there yet; the next start says that it removes the index.
        self.expect_in_log("an index without its segment is removed")
        self._process.kill9()
        self._ended()

    def stop(self):
        """A clean stop, which must end with code 0."""
        code = self._process.terminate()
        lines = self._process.lines
        self._ended()
        assert code in self.clean_exit_codes, f"a clean stop ended with {code}:\n" + "\n".join(lines)

    def restart(self):
        self.stop()
        return self.start()

    def close(self):
        """The end of a test: nothing runs on, and nothing was complained about that the test did not ask for."""
        if self._process is not None:
            self._process.kill9()
            self._ended()
        self.complaints()

    def expect_in_log(self, text):
        """Lines with this text may be warnings or errors."""
        self.expected.append(text)

    def segment(self, topic, partition=0, base_offset=0):
        return self.data_dir / f"{topic}-{partition}" / f"{base_offset:020}.log"

    def dump_log(self, *files, flags=("--print-data-log",)):
        """What dump-log prints about these files."""
        command = [*self.dump_command(), "--files", ",".join(str(file) for file in files), *flags]
        done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        return done.stdout

    def _ended(self):
        self.log += self._process.lines
        self._process = None

    # What differs between the two.

    clean_exit_codes = (0,)

    def _launch(self):
        raise NotImplementedError

    def dump_command(self):
        raise NotImplementedError

    def complaints(self):
        pass


class Ottla(Broker):
    """The built binary."""

    @staticmethod
    def binary():
        return os.environ["OTTLA_BIN"]

    def _launch(self):
        command = [self.binary(), "serve", "--listen", self.address, "--data-dir", self.data_dir]
        if self.advertise:
            command += ["--advertise", self.advertise]
        for key, value in self.settings.items():
            command += ["--set", f"{key}={value}"]
        # Its settings may come from there, and the names of Kafka's jars do not belong to them.
        process = Process(command, without="KAFKA_")
        self.port = int(process.wait_for_line(r"ottla ready on \S+:(\d+)").group(1))
        return process

    def dump_command(self):
        return [self.binary(), "dump-log"]

    def complaints(self):
        loud = [line for line in self.log if any(word in line for word in (" WARN ", " ERROR ", "panicked at"))]
        unasked = [line for line in loud if not any(text in line for text in self.expected)]
        assert not unasked, "the broker complained:\n" + "\n".join(unasked)


class Kafka(Broker):
    """Apache Kafka in KRaft mode, broker and controller in one process."""

    # Java ends with 128 + 15 after SIGTERM, however cleanly it stops.
    clean_exit_codes = (143,)
    cluster_id = "Zx3MQ1j6T3mnAwkqnW1qXA"
    jars = "KAFKA_LIBS"
    # More words for the tool that formats a new directory.
    format_words = ()

    @classmethod
    def java(cls, *words):
        quiet = ["-Xshare:auto", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        return ["java", *quiet, "-cp", JARS[cls.jars] + "/*", *words]

    def dump_command(self):
        return self.java("kafka.tools.DumpLogSegments")

    def _launch(self):
        properties = self.write_properties()
        if not (self.data_dir / "meta.properties").exists():
            self.format(properties, *self.format_words)
        level = "-Dorg.slf4j.simpleLogger"
        logging = [f"{level}.defaultLogLevel=warn", f"{level}.log.kafka.server.KafkaRaftServer=info"]
        process = Process(self.java(*logging, "kafka.Kafka", properties))
        process.wait_for_line(r"Kafka Server started")
        return process

    def write_properties(self):
        """The file that the broker is started with."""
        if self.port == 0:
            self.port = free_port()
            self._controller_port = free_port()
            self.directory.mkdir(parents=True, exist_ok=True)
        properties = self.directory / "server.properties"
        properties.write_text("".join(f"{key}={value}\n" for key, value in self._properties().items()))
        return properties

    def format(self, properties, *words):
        """Makes a data directory of this cluster."""
        words = ["kafka.tools.StorageTool", "format", "-t", self.cluster_id, "-c", properties, *words]
        command = [str(word) for word in self.java(*words)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=90)
        assert done.returncode == 0, done.stdout + done.stderr

    def _properties(self):
        listeners = f"PLAINTEXT://{self.address},CONTROLLER://{HOST}:{self._controller_port}"
        return {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{HOST}:{self._controller_port}",
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.data_dir,
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 1,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            # A killed broker must not be waited for.
            "broker.session.timeout.ms": 6000,
            **self.settings,
        }


class NewestKafka(Kafka):
    """The newest Apache Kafka, on directories that the pinned one could open."""

    jars = "KAFKA_NEWEST_LIBS"
    format_words = ("--release-version", "4.1")


def broker_class():
    return Kafka if os.environ.get("STORIES_AGAINST") == "kafka" else Ottla
