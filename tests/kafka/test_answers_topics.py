"""Metadata and the APIs that change topics, sent to Kafka and to Ottla, have the same outcome, field by field.

Each story runs on both. What cannot be equal (addresses, ids that are drawn, the time) is replaced by a name; where Ottla
differs on purpose, the story says so and why.
"""

import uuid

import pytest

from beside.sides import rounds


def metadata(side, version, topics, **fields):
    asked = {"allow_auto_topic_creation": False} if version >= 4 else {}
    answer = side.ask("Metadata", version, topics=topics, **asked, **fields)
    if answer != "closed":
        answer["topics"].sort(key=lambda topic: (topic["name"] or "", str(topic.get("topic_id"))))
        for topic in answer["topics"]:
            topic["partitions"].sort(key=lambda partition: partition["partition_index"])
    return answer


@pytest.mark.parametrize("version", range(14))
def test_metadata(same, version):
    def story(side):
        topic = side.topic(partitions=2)
        names = [topic, "nowhere", "a/b", "", ".", "x" * 250]
        answers = [metadata(side, version, [{"name": name}]) for name in names]
        answers.append(metadata(side, version, [{"name": topic}, {"name": topic}]))
        if version >= 1:
            answers.append(metadata(side, version, []))
        if version >= 12:
            known = side.topic_id(topic)
            answers += [metadata(side, version, [{"name": None, "topic_id": each}]) for each in (known, uuid.UUID(int=9))]
        return answers

    same(story)


def create(side, version, *topics, **fields):
    given = {"num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
    asked = [{**given, **topic} for topic in topics]
    answer = side.ask("CreateTopics", version, topics=asked, timeout_ms=30_000, **fields)
    if answer != "closed":
        answer["topics"].sort(key=lambda topic: topic["name"])
        for topic in answer["topics"]:
            if isinstance(topic.get("topic_id"), uuid.UUID) and topic["topic_id"].int:
                topic["topic_id"] = "drawn"
    return answer


def assigned(*replicas):
    given = [{"partition_index": index, "broker_ids": list(ids)} for index, ids in enumerate(replicas)]
    return {"num_partitions": -1, "replication_factor": -1, "assignments": given}


CREATIONS = {
    "a topic": [{}],
    "three partitions": [{"num_partitions": 3}],
    "the broker's defaults": [{"num_partitions": -1, "replication_factor": -1}],
    "no partitions": [{"num_partitions": 0}],
    "fewer than none": [{"num_partitions": -2}],
    "no copies": [{"replication_factor": 0}],
    "two copies": [{"replication_factor": 2}],
    "a topic twice": [{"name": "twice"}, {"name": "twice"}],
    "an empty name": [{"name": ""}],
    "a name of one dot": [{"name": "."}],
    "a name of two dots": [{"name": ".."}],
    "a slash": [{"name": "a/b"}],
    "a space": [{"name": "a b"}],
    "a letter that is none of ours": [{"name": "tür"}],
    "the metadata log": [{"name": "__cluster_metadata"}],
    "three dots": [{"name": "...-{}"}],
    "a dot, a dash or an underscore in front": [{"name": ".a{}"}, {"name": "-b{}"}, {"name": "_c{}"}],
    "a line break": [{"name": "a\n"}],
    "a slash and no partitions": [{"name": "a/b", "num_partitions": 0}],
    "249 letters": [{"name": "x" * 249}],
    "250 letters": [{"name": "x" * 250}],
    "an unknown setting": [{"configs": [{"name": "no.such.thing", "value": "1"}]}],
    "a value that is no number": [{"configs": [{"name": "retention.ms", "value": "long"}]}],
    "a value out of range": [{"configs": [{"name": "segment.bytes", "value": "100"}]}],
    "a value that is not among the known": [{"configs": [{"name": "cleanup.policy", "value": "burn"}]}],
    "no value": [{"configs": [{"name": "retention.ms", "value": None}]}],
    "a good setting": [{"configs": [{"name": "retention.ms", "value": "60000"}]}],
    "a setting twice": [{"configs": [{"name": "retention.ms", "value": "1"}, {"name": "retention.ms", "value": "2"}]}],
    "an assignment": [assigned([1], [1])],
    "an assignment with a hole": [
        {**assigned(), "assignments": [{"partition_index": 1, "broker_ids": [1]}, {"partition_index": 3, "broker_ids": [1]}]}
    ],
    "an assignment that begins at 1": [{**assigned(), "assignments": [{"partition_index": 1, "broker_ids": [1]}]}],
    "an assignment below zero": [{**assigned(), "assignments": [{"partition_index": -1, "broker_ids": [1]}]}],
    "an assignment of one partition twice": [
        {**assigned(), "assignments": [{"partition_index": 0, "broker_ids": [1]}, {"partition_index": 0, "broker_ids": [1]}]}
    ],
    "an assignment in any order": [
        {**assigned(), "assignments": [{"partition_index": 1, "broker_ids": [1]}, {"partition_index": 0, "broker_ids": [1]}]}
    ],
    "an uneven assignment": [assigned([1], [1, 2])],
    "an assignment with settings": [{**assigned([1]), "configs": [{"name": "retention.ms", "value": "1"}]}],
    "an assignment with a bad setting": [{**assigned([2]), "configs": [{"name": "retention.ms", "value": "x"}]}],
    "an assignment to nobody": [assigned([])],
    "an assignment to a stranger": [assigned([2])],
    "an assignment to one twice": [assigned([1, 1])],
    "an assignment and a count": [{**assigned([1]), "num_partitions": 1}],
    "an assignment and a factor": [{**assigned([1]), "replication_factor": 1}],
    "fewer than no copies": [{"replication_factor": -2}],
    "no partitions and no copies": [{"num_partitions": 0, "replication_factor": 0}],
    "two copies and a bad setting": [{"replication_factor": 2, "configs": [{"name": "retention.ms", "value": "x"}]}],
    "no topic at all": [],
    "the same twice, and a good one": [{"name": "same-{}"}, {"name": "same-{}", "num_partitions": 0}, {"name": "other-{}"}],
    "names that collide twice over": [{"name": "a.b_c-{}"}, {"name": "a_b.c-{}"}, {"name": "a_b_c-{}"}],
    "one good, one bad": [{"name": "good-{}"}, {"name": "bad-{}", "num_partitions": 0}],
    "a dot and an underscore": [{"name": "col.lision-{}"}, {"name": "col_lision-{}"}],
}


@pytest.mark.parametrize("version", (2, 4, 5, 7))
@pytest.mark.parametrize("name", CREATIONS)
def test_creations(same, name, version):
    number = next(rounds)
    topics = [{"name": f"created-{number}", **topic} for topic in CREATIONS[name]]
    topics = [{**topic, "name": topic["name"].replace("{}", str(number))} for topic in topics]

    def story(side):
        answers = []
        for only in (True, False, False):
            answer = create(side, version, *topics, validate_only=only)
            for topic in answer["topics"]:
                topic["configs"] = bool(topic.get("configs"))
            answers.append(answer)
        return answers

    same(story)


@pytest.mark.parametrize("timeout", (0, -1))
def test_requests_without_time(same, timeout):
    def story(side):
        topic = side.topic()
        wanted = {"name": f"{topic}-late", "num_partitions": 1, "replication_factor": 1, "assignments": [], "configs": []}
        grown = {"name": topic, "count": 2, "assignments": None}
        answers = [
            side.ask("CreateTopics", 7, topics=[wanted], timeout_ms=timeout, validate_only=False),
            side.ask("CreatePartitions", 3, topics=[grown], timeout_ms=timeout, validate_only=False),
            side.ask("DeleteTopics", 5, topic_names=[topic], timeout_ms=timeout),
            side.ask("CreateTopics", 7, topics=[], timeout_ms=timeout, validate_only=False),
            side.ask("CreatePartitions", 3, topics=[], timeout_ms=timeout, validate_only=False),
            side.ask("DeleteTopics", 5, topic_names=[], timeout_ms=timeout),
        ]
        for answer in answers[:1]:
            for each in answer["topics"]:
                each["configs"] = bool(each.get("configs"))
        return answers

    same(story)


def test_settings_that_a_new_topic_is_told_to_have(sides):
    """A setting of Kafka's is named only if Ottla obeys it; what is named has Kafka's value and source."""
    number = next(rounds)
    configs = [{"name": "retention.ms", "value": "60000"}, {"name": "cleanup.policy", "value": "compact,delete"}]

    def settings(side):
        answer = create(side, 7, {"name": f"told-{number}", "configs": configs}, validate_only=False)
        return {setting["name"]: setting for setting in answer["topics"][0]["configs"]}

    ours, theirs = (settings(side) for side in sides)
    assert ours == {name: theirs[name] for name in ours}
    assert {"retention.ms", "cleanup.policy", "segment.bytes", "compression.type"} <= set(ours)


def test_deletions(same):
    def story(side):
        answers = []
        for version in (1, 4, 5):
            topic = side.topic()
            for names in ([topic], [topic], ["nowhere"], ["a/b"], ["nowhere", "nowhere"]):
                answers.append(side.ask("DeleteTopics", version, topic_names=names, timeout_ms=30_000))
        topic, other = side.topic(), side.topic()
        drawn = side.topic_id(topic)
        for asked in (
            [{"name": topic, "topic_id": drawn}],
            [{"name": None, "topic_id": drawn}],
            [{"name": None, "topic_id": drawn}],
            [{"name": None, "topic_id": uuid.UUID(int=77)}],
            [{"name": other, "topic_id": uuid.UUID(int=0)}],
            [{"name": "nowhere", "topic_id": uuid.UUID(int=0)}],
            [{"name": None, "topic_id": uuid.UUID(int=0)}],
        ):
            answers.append(side.ask("DeleteTopics", 6, topics=asked, timeout_ms=30_000))
        for answer in answers:
            if answer != "closed":
                answer["responses"].sort(key=lambda response: str(response))
        return answers

    same(story)


def test_more_partitions(same):
    def story(side):
        topic = side.topic(partitions=2)
        answers = []
        for version in (0, 2, 3):
            for count, assignments in (
                (1, None),
                (2, None),
                (0, None),
                (-1, None),
                (5, [{"broker_ids": [1]}]),
                (3, [{"broker_ids": [2]}]),
                (3, [{"broker_ids": [1, 1]}]),
                (3, [{"broker_ids": []}]),
            ):
                asked = [{"name": topic, "count": count, "assignments": assignments}]
                answers.append(side.ask("CreatePartitions", version, topics=asked, timeout_ms=30_000, validate_only=False))
            asked = [{"name": "nowhere", "count": 2, "assignments": None}]
            answers.append(side.ask("CreatePartitions", version, topics=asked, timeout_ms=30_000, validate_only=False))
        other = side.topic()
        placed = [{"broker_ids": [1]}, {"broker_ids": [1]}]
        for topics in (
            [],
            [{"name": topic, "count": 9, "assignments": None}] * 2,
            [{"name": topic, "count": 9, "assignments": None}] * 2 + [{"name": other, "count": 2, "assignments": None}],
            [{"name": other, "count": 4, "assignments": placed}],
            [{"name": other, "count": 5, "assignments": []}],
            [{"name": other, "count": 6, "assignments": [{"broker_ids": [1]}, {"broker_ids": [1, 2]}]}],
            [{"name": "a/b", "count": 6, "assignments": None}, {"name": "", "count": 1, "assignments": None}],
        ):
            for only in (True, False):
                answer = side.ask("CreatePartitions", 3, topics=topics, timeout_ms=30_000, validate_only=only)
                answer["results"].sort(key=lambda result: result["name"])
                answers.append(answer)
        for only in (True, False):
            asked = [{"name": topic, "count": 4, "assignments": None}]
            answers.append(side.ask("CreatePartitions", 3, topics=asked, timeout_ms=30_000, validate_only=only))
        return answers

    same(story)
