"""Fetch as raw requests."""

import struct
import uuid


def fetch(side, topic, version=12, **fields):
    """One partition's answer, with its records as the list of their whole batches."""
    partition = {"partition": fields.pop("partition", 0), "current_leader_epoch": -1, "fetch_offset": 0}
    partition |= {"last_fetched_epoch": -1, "log_start_offset": -1, "partition_max_bytes": 1 << 20}
    partition |= {name: fields.pop(name) for name in list(fields) if name in partition}
    by = {"topic_id": topic if isinstance(topic, uuid.UUID) else side.topic_id(topic)} if version >= 13 else {"topic": topic}
    asked = {"replica_id": -1, "max_wait_ms": 0, "min_bytes": 0, "max_bytes": 1 << 24, "isolation_level": 0}
    asked |= {"session_id": 0, "session_epoch": -1, "rack_id": "", "forgotten_topics_data": [], **fields}
    if version >= 15:
        asked.pop("replica_id")
    answer = side.ask("Fetch", version, topics=[{**by, "partitions": [partition]}], **asked)
    if answer != "closed":
        if answer.get("session_id"):
            answer["session_id"] = "session"
        for each in answer["responses"]:
            for part in each["partitions"]:
                part["records"] = whole_batches(part["records"])
    return answer


def whole_batches(records):
    """Kafka cuts the last batch at the limit; Ottla sends whole ones, and readers drop the rest anyway."""
    records, found = bytes(records or b""), []
    while len(records) >= 12:
        (length,) = struct.unpack_from(">i", records, 8)
        if len(records) < 12 + length:
            break
        found.append(records[: 12 + length])
        records = records[12 + length :]
    return found
