"""The records in the groups' log, with what each broker draws for itself evened out."""

import base64
import itertools
import json
import re

DRAWN = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# What is a moment, or the number of the metadata's last record.
OF_NOW = r'("(?:commitTimestamp|currentStateTimestamp|expireTimestamp|timestamp)":)\d+'


def records(side):
    """Key and value of each record, without times, and with a name for each id that was drawn."""
    broker = side.broker
    text = broker.dump_log(broker.segment("__consumer_offsets"), flags=("--offsets-decoder",))
    drawn, hashes, found = [], [], []
    topics = {base64.urlsafe_b64encode(drawn.bytes).decode().rstrip("="): name for drawn, name in side.names.items()}

    def number(known, what):
        if what not in known:
            known.append(what)
        return known.index(what)

    for key, value in re.findall(r"^\| offset: .* key: (.*) payload: (.*)$", text, re.MULTILINE):
        if value.startswith("{"):
            value = json.loads(value)
            sort(value["data"], topics)
            # Of the topics' ids among others.
            if value["data"].get("metadataHash"):
                value["data"]["metadataHash"] = f"hash {number(hashes, value['data']['metadataHash'])}"
            if '"type":"16"' in key:
                value["data"]["version"] = "of the metadata"
            value = json.dumps(value, separators=(",", ":"))
        line = re.sub(DRAWN, lambda matched: f"drawn {number(drawn, matched.group())}", f"{key} {value}")
        found.append(re.sub(OF_NOW, r"\1a time", line))
    return [line for _, run in itertools.groupby(found, unordered) for line in sorted(run)]


def unordered(line):
    """What is one for lines that follow each other in no order: members' targets, and what ends together."""
    kind = re.match(r'{"type":"(\d+)"', line).group(1)
    return (kind, "<DELETE>" in line) if "<DELETE>" in line or kind == "7" else line


def sort(data, topics):
    """Sorts what Kafka keeps in no order, and names the topics."""
    for name, value in data.items():
        if name == "members":
            value.sort(key=lambda member: re.sub(DRAWN, "", member["memberId"]))
        elif name in ("topicPartitions", "assignedPartitions", "partitionsPendingRevocation"):
            for part in value:
                part["topicId"] = topics[part["topicId"]]
                part["partitions"].sort()
            value.sort(key=lambda part: part["topicId"])
        elif name in ("subscribedTopicNames", "topics"):
            value.sort()
