"""Our tools beside Kafka's: the same words, the same lines."""

import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

from beside.java import PATIENCE, ToolRunner
from harness.process import Process

# By the name of the script, the class behind it.
CLASSES = {
    "kafka-topics.sh": "org.apache.kafka.tools.TopicCommand",
    "kafka-configs.sh": "kafka.admin.ConfigCommand",
    "kafka-console-consumer.sh": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer.sh": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups.sh": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-get-offsets.sh": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-broker-api-versions.sh": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-cluster.sh": "org.apache.kafka.tools.ClusterTool",
    "kafka-delete-records.sh": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-features.sh": "org.apache.kafka.tools.FeatureCommand",
    "kafka-groups.sh": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election.sh": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs.sh": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum.sh": "org.apache.kafka.tools.MetadataQuorumCommand",
}


class Tools:
    """Links to our binary under the names of Kafka's scripts, as an image has them."""

    def __init__(self, directory):
        self._directory = directory
        self._kafkas = ToolRunner()
        for name in CLASSES:
            (directory / name).symlink_to(os.environ["OTTLA_BIN"])

    def run(self, name, *words, stdin=""):
        command = [str(self._directory / name), *map(str, words)]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=PATIENCE)

    def close(self):
        self._kafkas.close()

    def start(self, name, *words):
        """Starts a tool that does not end by itself."""
        return Process([str(self._directory / name), *map(str, words)])

    def run_kafkas(self, name, *words, stdin=""):
        """As `run`, but Kafka's own."""
        return self._kafkas.run(CLASSES[name], *words, stdin=stdin)

    def both(self, name, ours, theirs, stdin=""):
        """What comes of ours and of Kafka's, each with words of its own."""
        with ThreadPoolExecutor() as pool:
            theirs = pool.submit(self.run_kafkas, name, *theirs, stdin=stdin)
            return self.run(name, *ours, stdin=stdin), theirs.result()

    def same(self, name, *words, stdin="", even_out=lambda text: text):
        """Runs both; stdout and exit code are to be the same. Gives stdout."""
        ours, theirs = self.both(name, words, words, stdin=stdin)
        shown = f"ours:\n{ours.stdout}{ours.stderr}\nKafka's:\n{theirs.stdout}{theirs.stderr}"
        assert even_out(ours.stdout) == even_out(theirs.stdout), shown
        assert ours.returncode == theirs.returncode, shown
        return ours.stdout


def configs_in_order(text):
    """Kafka's tool shows a topic's settings in the order of a hash table."""
    return re.sub(r"Configs: (\S*)", lambda found: "Configs: " + ",".join(sorted(found[1].split(","))), text)


def in_order(text):
    """Kafka's tool shows rows in the order of hash tables. What follows an exception's name are words of its own."""
    return sorted(re.sub(r"(Exception): .*", r"\1", line) for line in text.splitlines())
