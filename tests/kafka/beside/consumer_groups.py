"""Members of consumer groups (KIP-848) for raw stories."""


class ConsumerMember:
    """A member that speaks the consumer protocol, and remembers its epoch and what it may read."""

    def __init__(self, side, name="a", group=None, instance=None):
        self.side, self.id, self.instance = side, name, instance
        self.group = side.group() if group is None else group
        self.epoch, self.has = 0, []

    def join(self, *topics, version=1, **changes):
        """Joins for these topics."""
        said = {"member_epoch": 0, "rebalance_timeout_ms": 60_000, "subscribed_topic_names": list(topics), "topic_partitions": []}
        return self.beat(version=version, **{**said, **changes})

    def beat(self, version=1, **changes):
        said = {
            "group_id": self.group,
            "member_id": self.id,
            "member_epoch": self.epoch,
            "instance_id": self.instance,
            "rack_id": None,
            "rebalance_timeout_ms": -1,
            "subscribed_topic_names": None,
            "server_assignor": None,
            "topic_partitions": None,
        }
        if version >= 1:
            said["subscribed_topic_regex"] = None
        answer = self.side.ask("ConsumerGroupHeartbeat", version, **{**said, **changes})
        if answer["error_code"] == 0:
            self.epoch = answer["member_epoch"]
            if answer["assignment"] is not None:
                self.has = answer["assignment"]["topic_partitions"]
        return sorted_shares(answer)

    def holds(self, **changes):
        """Says that it holds what it was given, and no more."""
        side, held = self.side, []
        for part in self.has:
            ids = [drawn for drawn, name in side.names.items() if name == part["topic_id"]]
            held.append({"topic_id": ids[0] if ids else part["topic_id"], "partitions": part["partitions"]})
        return self.beat(topic_partitions=held, **changes)

    def leave(self, epoch=-1, **changes):
        return self.beat(member_epoch=epoch, **changes)

    def commit(self, topic, version=9, **changes):
        asked = {
            "group_id": self.group,
            "generation_id_or_member_epoch": self.epoch,
            "member_id": self.id,
            "group_instance_id": self.instance,
            "topics": [{"name": topic, "partitions": [{"partition_index": 0, "committed_offset": 5, "committed_leader_epoch": -1, "committed_metadata": ""}]}],
        }
        return self.side.ask("OffsetCommit", version, **{**asked, **changes})

    def fetch(self, **changes):
        asked = {"group_id": self.group, "member_id": self.id, "member_epoch": self.epoch, "topics": None}
        return self.side.ask("OffsetFetch", 9, groups=[{**asked, **changes}], require_stable=False)


def sorted_shares(value):
    """Kafka's topics and partitions come in no order."""
    if isinstance(value, dict):
        for part in value.values():
            sorted_shares(part)
        if "topic_partitions" in value and value["topic_partitions"] is not None:
            value["topic_partitions"].sort(key=lambda part: str(part["topic_id"]))
        if "partitions" in value and value["partitions"] and isinstance(value["partitions"][0], int):
            value["partitions"].sort()
    if isinstance(value, list):
        for part in value:
            sorted_shares(part)
    return value


def describe_consumers(side, *groups, version=1, operations=False):
    answer = side.ask("ConsumerGroupDescribe", version, group_ids=list(groups), include_authorized_operations=operations)
    for group in answer["groups"]:
        group["members"].sort(key=lambda member: member["member_id"])
        for member in group["members"]:
            member["subscribed_topic_names"].sort()
    answer["groups"].sort(key=lambda group: group["group_id"])
    return sorted_shares(answer)

