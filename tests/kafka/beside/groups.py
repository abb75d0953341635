"""Groups for raw stories: their members, and their offsets."""

from beside.raw import COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR
from harness.waiting import until

# What a consumer says that reads no topic, and nothing else.
READS_NOTHING = b"\0\0\0\0\0\0\xff\xff\xff\xff"


def reads(*topics):
    """A subscription of version 1 to these topics."""
    names = b"".join(len(topic.encode()).to_bytes(2, "big") + topic.encode() for topic in topics)
    return b"\0\1" + len(topics).to_bytes(4, "big") + names + b"\xff\xff\xff\xff" + b"\0\0\0\0"


def wait_for_coordinator(side):
    """Asks for one, which makes its topic, until it serves groups."""
    not_yet = (COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE, NOT_COORDINATOR)
    until(lambda: side.ask("FindCoordinator", 2, key="any", key_type=0)["error_code"] not in not_yet)
    until(lambda: delete(side, "any")["results"][0]["error_code"] not in not_yet)


def given(topic, *partitions):
    """An assignment of version 0, of one topic's partitions."""
    numbers = b"".join(partition.to_bytes(4, "big") for partition in partitions)
    named = len(topic).to_bytes(2, "big") + topic.encode() + len(partitions).to_bytes(4, "big") + numbers
    return b"\0\0\0\0\0\1" + named + b"\xff\xff\xff\xff"


class Member:
    """A member of a group, or one that wants to be. It remembers what the broker has told it."""

    def __init__(self, side, group=None, instance=None):
        self.side = side
        self.group = side.group() if group is None else group
        self.id, self.generation, self.instance = "", -1, instance

    def join(self, version=9, **changes):
        return self._joined(self.side.ask("JoinGroup", version, **self._join(changes)))

    def begin_join(self, version=9, **changes):
        """Joins on a connection of its own. Gives what waits for the answer."""
        answer = self.side.begin_to_ask("JoinGroup", version, **self._join(changes))
        return lambda: self._joined(answer())

    def sync(self, version=5, **changes):
        return self.side.ask("SyncGroup", version, **self._sync(changes))

    def begin_sync(self, version=5, **changes):
        return self.side.begin_to_ask("SyncGroup", version, **self._sync(changes))

    def beat(self, version=4, **changes):
        return self.side.ask("Heartbeat", version, **{**self._self(), **changes})

    def leave(self, version=5, **changes):
        """Leaves alone, or with those that `members` names."""
        who = {"member_id": self.id, "group_instance_id": self.instance, "reason": "it was time"}
        who |= {name: changes.pop(name) for name in list(changes) if name in who}
        asked = {"group_id": self.group, "members": [who], **changes}
        if version < 3:
            asked = {"group_id": self.group, "member_id": who["member_id"]}
        return self.side.ask("LeaveGroup", version, **asked)

    def commit(self, *topics, version=8, **changes):
        """Each topic is a name, or a name and its partitions as `(index, offset, leader epoch, metadata)`."""
        asked = {**self._self(), "retention_time_ms": -1, "topics": [_committed(topic) for topic in topics]}
        asked["generation_id_or_member_epoch"] = asked.pop("generation_id")
        return sort_topics(self.side.ask("OffsetCommit", version, **{**asked, **changes}))

    def stable(self, share=b"mine", **changes):
        """Joined, and alone."""
        answer = self.join(**changes)
        if answer["error_code"] == 79:
            answer = self.join(**changes)
        assert answer["error_code"] == 0, answer
        synced = self.sync(shares={self.id: share}, protocol_type=answer["protocol_type"], protocol_name=answer["protocol_name"])
        assert synced["error_code"] == 0, synced
        return self

    def told_to_rejoin(self):
        """Sends heartbeats until somebody else has made the group rebalance; gives the answer that says so."""
        until(lambda: self.beat()["error_code"] != 0)
        return self.beat()

    def _self(self):
        return {
            "group_id": self.group,
            "generation_id": self.generation,
            "member_id": self.id,
            "group_instance_id": self.instance,
        }

    def _join(self, changes):
        said = changes.pop("said", READS_NOTHING)
        named = changes.pop("speaks", ("range",))
        return {
            "group_id": self.group,
            "member_id": self.id,
            "group_instance_id": self.instance,
            "session_timeout_ms": 30_000,
            "rebalance_timeout_ms": 10_000,
            "protocol_type": "consumer",
            "protocols": [{"name": name, "metadata": said} for name in named],
            "reason": None,
            **changes,
        }

    def _joined(self, answer):
        if answer["error_code"] in (0, 79):
            self.id, self.generation = answer["member_id"], answer["generation_id"]
        # Kafka's come in no order.
        answer["members"].sort(key=lambda member: member["member_id"])
        return answer

    def _sync(self, changes):
        shares = changes.pop("shares", {self.id: b"mine"})
        given = [{"member_id": member, "assignment": share} for member, share in shares.items()]
        words = {"protocol_type": "consumer", "protocol_name": "range"}
        return {**self._self(), **words, "assignments": given, **changes}


def _committed(topic):
    name, *partitions = (topic, (0, 5, -1, "")) if isinstance(topic, str) else topic
    names = ("partition_index", "committed_offset", "committed_leader_epoch", "committed_metadata")
    return {"name": name, "partitions": [dict(zip(names, partition)) for partition in partitions]}


def with_offsets(side, *topics):
    """A group that has offsets and never had members."""
    member = Member(side)
    answer = member.commit(*topics)
    assert all(part["error_code"] == 0 for topic in answer["topics"] for part in topic["partitions"]), answer
    return member


def fetch_offsets(side, group, *topics, version=7, stable=False):
    """Of these topics' partitions 0 and 1, or of all that there are."""
    asked = [{"name": topic, "partition_indexes": [0, 1]} for topic in topics] or None
    one = {"group_id": group, "topics": asked}
    if version >= 8:
        one = {"groups": [one]}
    answer = side.ask("OffsetFetch", version, **one, require_stable=stable)
    for group in answer.get("groups", ()):
        sort_topics(group)
    return sort_topics(answer)


def delete_offsets(side, group, *topics):
    """Of the partitions 0 and 7 of these topics."""
    asked = [{"name": topic, "partitions": [{"partition_index": index} for index in (0, 7)]} for topic in topics]
    return sort_topics(side.ask("OffsetDelete", 0, group_id=group, topics=asked))


def sort_topics(answer):
    """Kafka's come in no order."""
    for topic in answer.get("topics", ()):
        topic["partitions"].sort(key=lambda partition: partition["partition_index"])
    answer.get("topics", []).sort(key=lambda topic: topic["name"])
    return answer


def settle(side):
    """Kafka shows a group that was never written down once anything else was written to its partition."""
    with_offsets(side, side.own_topic())


def describe(side, *groups, version=6, operations=False):
    settle(side)
    answer = side.ask("DescribeGroups", version, groups=list(groups), include_authorized_operations=operations)
    for group in answer["groups"]:
        group["members"].sort(key=lambda member: member["member_id"])
    return answer


def delete(side, *groups, version=2):
    answer = side.ask("DeleteGroups", version, groups_names=list(groups))
    answer["results"].sort(key=lambda result: result["group_id"])
    return answer


def list_groups(side, *groups, version=5, states=(), types=()):
    """Those of `groups` that are listed."""
    settle(side)
    answer = side.ask("ListGroups", version, states_filter=list(states), types_filter=list(types))
    listed = [group for group in answer["groups"] if group["group_id"] in groups]
    answer["groups"] = sorted(listed, key=lambda group: group["group_id"])
    return answer
