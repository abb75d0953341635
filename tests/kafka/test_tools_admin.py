"""Kafka's command-line tools for administrators: what they print of Ottla is what they print of Kafka."""

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor

from beside.batches import batch
from beside.java import run_tool
from beside.sides import differences, rounds

TOOLS = "org.apache.kafka.tools"


def printed(side, name, *words, bootstrap="--bootstrap-server"):
    """The exit code, and the lines without what is one broker's own, and without the columns' widths."""
    tool = name if "." in name else f"{TOOLS}.{name}"
    done = run_tool(tool, *([bootstrap, side.broker.bootstrap] if bootstrap else []), *words)
    text = (done.stdout + done.stderr).replace(side.broker.address, "address").replace(str(side.broker.port), "port")
    text = text.replace(str(side.broker.data_dir), "the data directory")
    for drawn, given in side.names.items():
        text = text.replace(id_text(drawn), given)
    # The words after an exception's name are the broker's own, and so is where it was thrown.
    text = re.sub(r"(Exception|Failed|topic command ): .*", r"\1", text)
    text = re.sub(r"(Could not \w+ \S+ to \d+\.) .*", r"\1", text)
    text = re.sub(r"\n\s+(at |\.\.\. ).*", "", text)
    return done.returncode, [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def id_text(topic_id):
    """As Java shows an id."""
    return base64.urlsafe_b64encode(topic_id.bytes).decode().rstrip("=")


def same_lines(sides, story):
    """Runs the story on both at the same time: most of it is Java's start."""
    number = next(rounds)

    def run(side):
        side.begin(number)
        return story(side)

    with ThreadPoolExecutor() as pool:
        ours, theirs = pool.map(run, sides)
    found = list(differences(ours, theirs))
    assert not found, "where, Ottla's, Kafka's:\n" + "\n".join(found)
    return ours


def test_topics(sides):
    def story(side):
        name = "tools.topics"

        def topics(*words):
            return printed(side, "TopicCommand", *words)

        outcome = [
            topics("--create", "--topic", name, "--partitions", "2"),
            topics("--create", "--topic", name),
            topics("--create", "--topic", name, "--if-not-exists"),
            topics("--create", "--topic", "tools_topics"),
            topics("--create", "--topic", "assigned-topic", "--replica-assignment", "1,1,1"),
            topics("--create", "--topic", "nowhere", "--replication-factor", "2"),
            topics("--create", "--topic", "no/where"),
            topics("--alter", "--topic", name, "--partitions", "3"),
            topics("--alter", "--topic", name, "--partitions", "1"),
            topics("--alter", "--topic", "nowhere", "--partitions", "3"),
            topics("--list", "--topic", "tools.*|assigned-topic"),
            topics("--list", "--exclude-internal", "--topic", "__.*"),
            topics("--delete", "--topic", "nowhere"),
            topics("--delete", "--topic", "tools.*|assigned-topic"),
            topics("--list", "--topic", "tools.*|assigned-topic"),
        ]
        return outcome

    assert [code for code, _ in same_lines(sides, story)].count(0) == 8


def test_topics_are_described(sides):
    def story(side):
        topic = side.topic(partitions=2, retention_ms=60000, cleanup_policy="compact,delete")

        def topics(*words):
            return printed(side, "TopicCommand", "--describe", *words)

        return [
            topics("--topic", topic),
            topics("--topic", topic, "--topics-with-overrides"),
            topics("--topic", topic, "--under-replicated-partitions"),
            topics("--topic", topic, "--unavailable-partitions", "--exclude-internal"),
            topics("--topic", "nowhere"),
        ]

    same_lines(sides, story)


def test_log_directories(sides):
    def story(side):
        topic = side.topic(partitions=2)
        side.produce(topic, batch([b"x"] * 9), partition=1)
        code, lines = printed(side, "LogDirsCommand", "--describe", "--topic-list", topic)
        told = json.loads(lines[-1])
        for broker in told["brokers"]:
            for directory in broker["logDirs"]:
                directory["partitions"].sort(key=lambda partition: partition["partition"])
        return code, lines[:-1], told, printed(side, "LogDirsCommand", "--describe", "--broker-list", "7")

    same_lines(sides, story)


def test_quorum(sides):
    def neutral(lines):
        """Without what grows: offsets, epochs and times; and without the port of Kafka's controller."""
        lines = [re.sub(r"(HighWatermark|LeaderEpoch): [1-9]\d*", r"\1: grows", line) for line in lines]
        lines = [re.sub(r"(CONTROLLER://)[\w.]+:\d+", r"\1address", line) for line in lines]
        return [re.sub(r"^(1 \S+) \d+ 0 \d+ \d+ Leader", r"\1 end 0 now now Leader", line) for line in lines]

    def story(side):
        code, lines = printed(side, "MetadataQuorumCommand", "describe", "--status")
        again, rows = printed(side, "MetadataQuorumCommand", "describe", "--replication")
        lines = [line for line in lines if not line.startswith("ClusterId")]
        return code, neutral(lines), again, neutral(rows)

    same_lines(sides, story)


def test_features(sides):
    def story(side):
        def features(*words):
            code, lines = printed(side, "FeatureCommand", *words)
            return code, [re.sub(r"Epoch: \d+", "Epoch: grows", line) for line in lines]

        return [
            features("downgrade", "--feature", "group.version=0", "--dry-run"),
            features("upgrade", "--feature", "transaction.version=9"),
            features("upgrade", "--feature", "streams.version=1"),
            features("downgrade", "--metadata", "3.9"),
            features("downgrade", "--feature", "group.version=0"),
            features("upgrade", "--feature", "group.version=1"),
            features("describe"),
        ]

    same_lines(sides, story)


def test_elections(sides):
    def story(side):
        topic = side.topic()
        one = ["--topic", topic, "--partition", "0"]
        return [
            printed(side, "LeaderElectionCommand", "--election-type", "preferred", *one),
            printed(side, "LeaderElectionCommand", "--election-type", "unclean", *one),
            printed(side, "LeaderElectionCommand", "--election-type", "preferred", "--topic", "nowhere", "--partition", "0"),
            printed(side, "LeaderElectionCommand", "--election-type", "preferred", "--all-topic-partitions"),
        ]

    same_lines(sides, story)


def test_reassignments(sides, tmp_path):
    def story(side):
        topic = side.topic(partitions=2)
        files = tmp_path / side.broker.__class__.__name__
        files.mkdir()

        def moves(name, *partitions, log_dir=None):
            directories = {"log_dirs": [log_dir]} if log_dir else {}
            wishes = [
                {"topic": name, "partition": partition, "replicas": [broker], **directories}
                for partition, broker in partitions
            ]
            wish = files / f"{len(list(files.iterdir()))}.json"
            wish.write_text(json.dumps({"version": 1, "partitions": wishes}))
            return "--reassignment-json-file", str(wish)

        def tool(*words):
            return printed(side, "reassign.ReassignPartitionsCommand", *words)

        to_move = files / "topics.json"
        to_move.write_text(json.dumps({"version": 1, "topics": [{"topic": topic}]}))
        stay = moves(topic, (0, 1), (1, 1))
        here = moves(topic, (0, 1), log_dir=str(side.broker.data_dir))
        return [
            tool("--list"),
            tool("--generate", "--topics-to-move-json-file", str(to_move), "--broker-list", "1"),
            tool("--execute", *stay),
            tool("--verify", "--preserve-throttles", *stay),
            tool("--cancel", "--preserve-throttles", *stay),
            tool("--execute", *here),
            tool("--verify", *here),
            tool("--execute", *moves(topic, (0, 1), log_dir="/nowhere"), "--timeout", "0"),
            tool("--execute", *moves(topic, (0, 2))),
            tool("--execute", *moves("nowhere", (0, 1))),
        ]

    same_lines(sides, story)


def test_deleted_records_and_offsets(sides, tmp_path):
    def story(side):
        topic = side.topic(partitions=2)
        side.produce(topic, batch([b"x"] * 9), partition=1)
        wish = tmp_path / f"{side.broker.__class__.__name__}.json"
        wishes = [(topic, 0, -1), (topic, 1, 4), ("nowhere", 0, 0)]
        wish.write_text(
            json.dumps(
                {"version": 1, "partitions": [{"topic": name, "partition": n, "offset": offset} for name, n, offset in wishes]}
            )
        )
        code, lines = printed(side, "DeleteRecordsCommand", "--offset-json-file", str(wish))
        offsets = [
            printed(side, "GetOffsetShell", "--topic", topic, "--time", moment)
            for moment in ("latest", "earliest", "max-timestamp", "-4", "-5", "1")
        ]
        return code, sorted(lines), offsets

    same_lines(sides, story)


def test_the_cluster(sides):
    def story(side):
        code, lines = printed(side, "ClusterTool", "cluster-id", "--bootstrap-server", side.broker.bootstrap, bootstrap=None)
        return [
            (code, [re.sub(r"Cluster ID: \S+", "Cluster ID: drawn", line) for line in lines]),
            printed(side, "ClusterTool", "list-endpoints", "--bootstrap-server", side.broker.bootstrap, bootstrap=None),
            printed(side, "ClusterTool", "unregister", "--bootstrap-server", side.broker.bootstrap, "--id", "7", bootstrap=None),
        ]

    same_lines(sides, story)


def test_what_needs_an_authorizer_says_so(sides):
    def story(side):
        return [
            printed(side, "AclCommand", "--list"),
            printed(side, "AclCommand", "--add", "--allow-principal", "User:a", "--topic", "t", "--producer"),
            printed(side, "AclCommand", "--remove", "--force", "--topic", "t"),
        ]

    outcome = same_lines(sides, story)
    assert any("SecurityDisabledException" in line for line in outcome[0][1])


def test_producers_of_a_partition(sides):
    def story(side):
        topic, producer = side.topic(), side.producer()
        side.produce(topic, batch([b"x"] * 3, producer, 0, 0))
        words = ["describe-producers", "--topic", topic, "--partition", "0"]
        code, lines = printed(side, "TransactionsCommand", *words)
        return code, [re.sub(rf"^{producer} ", "drawn ", line) for line in lines]

    same_lines(sides, story)
