"""The admin clients of confluent-kafka and kafka-python: each call has the same outcome with Ottla as with Kafka."""

import contextlib
import enum
import re

import confluent_kafka
import pytest
from confluent_kafka import ConsumerGroupTopicPartitions, ElectionType, IsolationLevel, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    ResourcePatternType,
    ResourceType,
)
from kafka import KafkaAdminClient
from kafka import TopicPartition as PythonPartition
from kafka.admin import (
    ACL,
    ACLFilter,
    ACLOperation,
    ACLPermissionType,
    AlterConfigOp,
    ConfigResource as PythonConfigResource,
    MemberToRemove,
    NewPartitions as PythonNewPartitions,
    NewTopic as PythonNewTopic,
    OffsetSpec as PythonOffsetSpec,
    ResourcePattern,
    ResourceType as PythonResourceType,
)
from kafka.errors import KafkaError
from kafka.structs import OffsetAndMetadata

from beside.batches import TIMESTAMP, batch
from beside.groups import Member, given, reads
from harness.waiting import until

PATIENCE = 30

pytestmark = pytest.mark.usefixtures("coordinators")


def confluent(side):
    return AdminClient({"bootstrap.servers": side.broker.bootstrap, "socket.timeout.ms": 1000 * PATIENCE})


def plain(value):
    """What a call gave, as dictionaries, lists and texts; without addresses and what is drawn."""
    if isinstance(value, dict):
        return {str(plain(key)): plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(plain(each)) for each in value)
    if isinstance(value, confluent_kafka.Node):
        return f"node {value.id} {value.rack}"
    if isinstance(value, TopicPartition):
        error = value.error.name() if value.error else None
        return [value.topic, value.partition, value.offset, error]
    if isinstance(value, confluent_kafka.Uuid):
        return "drawn"
    if isinstance(value, enum.Enum):
        return value.name
    if type(value).__module__.startswith("confluent_kafka") and hasattr(value, "__dict__"):
        return {name: plain(each) for name, each in vars(value).items() if name != "cluster_id"}
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def outcome(future):
    """What came of it, or the name of the error."""
    try:
        return plain(future.result(PATIENCE))
    except KafkaException as error:
        return error.args[0].name()


def outcomes(futures):
    return {str(plain(asked)): outcome(future) for asked, future in futures.items()}


def test_topics_of_confluent(same):
    def story(side):
        admin, name = confluent(side), f"confluent-{side.topic()}"

        def create(*topics, **more):
            return outcomes(admin.create_topics(list(topics), request_timeout=PATIENCE, **more))

        def grow(*topics, **more):
            return outcomes(admin.create_partitions(list(topics), request_timeout=PATIENCE, **more))

        answers = [
            create(NewTopic(name, 2, 1), validate_only=True),
            create(NewTopic(name, 2, 1), NewTopic(f"{name}-bad", 0, 1), NewTopic("a/b", 1, 1)),
            create(NewTopic(name, 2, 1)),
            create(NewTopic(f"{name}-assigned", 2, replica_assignment=[[1], [1]])),
            create(NewTopic(f"{name}-stranger", 1, replica_assignment=[[2]])),
            create(NewTopic(f"{name}-copies", 1, 3)),
            create(NewTopic(f"{name}-set", 1, 1, config={"retention.ms": "60000"})),
            create(NewTopic(f"{name}-unset", 1, 1, config={"retention.ms": "never"})),
            grow(NewPartitions(name, 3), validate_only=True),
            grow(NewPartitions(name, 3)),
            grow(NewPartitions(name, 3)),
            grow(NewPartitions(name, 4, [[1]]), NewPartitions("nowhere", 2)),
            outcomes(admin.describe_topics(confluent_kafka.TopicCollection([name, "nowhere"]))),
            outcomes(
                admin.describe_topics(confluent_kafka.TopicCollection([name]), include_authorized_operations=True)
            ),
        ]
        listed = admin.list_topics(timeout=PATIENCE).topics
        answers += [sorted(listed[name].partitions), plain(listed[name].partitions[0].isrs)]
        answers.append(outcomes(admin.delete_topics([name, f"{name}-assigned", f"{name}-set", "nowhere"])))
        return answers

    same(story)


def test_the_cluster_of_confluent(same):
    def story(side):
        admin = confluent(side)
        answers = [
            outcome(admin.describe_cluster()),
            outcome(admin.describe_cluster(include_authorized_operations=True)),
        ]
        topic = side.topic(partitions=2)
        wanted = [TopicPartition(topic, partition) for partition in (0, 1, 2)]
        for kind in (ElectionType.PREFERRED, ElectionType.UNCLEAN):
            answers.append(elected(admin.elect_leaders(kind, wanted)))
            answers.append(elected(admin.elect_leaders(kind)))
        return answers

    same(story)


def elected(future):
    return {str(plain(partition)): error and error.name() for partition, error in future.result(PATIENCE).items()}


def test_records_and_offsets_of_confluent(same):
    def story(side):
        admin, topic = confluent(side), side.topic(partitions=2)
        side.produce(topic, batch([b"x"] * 5, timestamp=TIMESTAMP))
        first, second, missing = (TopicPartition(topic, partition) for partition in (0, 1, 2))
        specs = (
            OffsetSpec.earliest(),
            OffsetSpec.latest(),
            OffsetSpec.max_timestamp(),
            OffsetSpec.for_timestamp(TIMESTAMP),
            OffsetSpec.for_timestamp(TIMESTAMP + 10**9),
        )
        answers = [
            outcomes(admin.list_offsets({first: spec, second: spec}, isolation_level=level))
            for spec in specs
            for level in (IsolationLevel.READ_COMMITTED, IsolationLevel.READ_UNCOMMITTED)
        ]
        answers.append(outcomes(admin.list_offsets({missing: OffsetSpec.latest()})))
        deleted = [TopicPartition(topic, 0, 3), TopicPartition(topic, 1, -1), TopicPartition(topic, 2, 0)]
        answers.append(outcomes(admin.delete_records(deleted)))
        answers.append(outcomes(admin.delete_records([TopicPartition(topic, 0, 99)])))
        answers.append(outcomes(admin.list_offsets({first: OffsetSpec.earliest()})))
        return answers

    same(story)


@pytest.mark.filterwarnings("ignore:list_groups:DeprecationWarning")
def test_groups_of_confluent(same):
    def story(side):
        admin, topic = confluent(side), side.topic(partitions=2)
        side.produce(topic, batch([b"x"] * 5))
        member = Member(side).stable(said=reads(topic), share=given(topic, 0, 1))
        member.commit((topic, (0, 4, -1, "")))
        group = member.group

        def described(**more):
            (future,) = admin.describe_consumer_groups([group], **more).values()
            found = future.result(PATIENCE)
            members = [[plain(each.assignment.topic_partitions), each.client_id, each.host] for each in found.members]
            assignor = found.partition_assignor
            return [str(found.state), str(found.type), assignor, members, plain(found.authorized_operations)]

        def offsets(topics=None):
            wanted = ConsumerGroupTopicPartitions(group, topics)
            (future,) = admin.list_consumer_group_offsets([wanted]).values()
            return plain(sorted(future.result(PATIENCE).topic_partitions))

        def moved(offset):
            wanted = ConsumerGroupTopicPartitions(group, [TopicPartition(topic, 0, offset), TopicPartition("nowhere", 0, 1)])
            (future,) = admin.alter_consumer_group_offsets([wanted]).values()
            return outcome(future)

        def listed():
            return [
                [found.group_id, found.is_simple_consumer_group, str(found.state), str(found.type)]
                for found in admin.list_consumer_groups().result(PATIENCE).valid
                if found.group_id == group
            ]

        def listed_as_before():
            """By the call that list_consumer_groups has taken the place of."""
            return [
                [found.id, str(found.error), found.state, found.protocol_type, found.protocol, plain(found.broker.id)]
                + [[each.client_id, each.client_host, each.metadata, each.assignment] for each in found.members]
                for wanted in (group, "no-group")
                for found in admin.list_groups(wanted, timeout=PATIENCE)
            ]

        answers = [
            described(),
            described(include_authorized_operations=True),
            listed(),
            listed_as_before(),
            group in [found.id for found in admin.list_groups(timeout=PATIENCE)],
            offsets(),
            offsets([TopicPartition(topic, 1), TopicPartition("nowhere", 0)]),
            moved(1),
            outcomes(admin.delete_consumer_groups([group, "no-group"])),
        ]
        member.leave()
        answers += [described(), moved(2), offsets(), listed(), listed_as_before()]
        answers.append(outcomes(admin.delete_consumer_groups([group])))
        answers.append(listed())
        return answers

    same(story)


def test_configurations_of_confluent(same):
    def story(side):
        admin, topic = confluent(side), side.topic(retention_ms=60000)
        of_topic, of_broker = ConfigResource("topic", topic), ConfigResource("broker", "1")
        nowhere = ConfigResource("topic", "nowhere")

        def shown(resource, *names):
            (future,) = admin.describe_configs([resource]).values()
            try:
                found = future.result(PATIENCE)
            except KafkaException as error:
                return error.args[0].name()
            entries = [found[name] for name in names]
            return [[each.value, each.source, each.is_read_only, each.is_default, each.is_sensitive] for each in entries]

        def changed(resource, *changes):
            entries = [ConfigEntry(name, value, incremental_operation=kind) for name, value, kind in changes]
            wanted = ConfigResource(resource.restype, resource.name, incremental_configs=entries)
            return outcome(*admin.incremental_alter_configs([wanted]).values())

        kinds = AlterConfigOpType
        names = ("retention.ms", "cleanup.policy", "segment.bytes")
        return [
            shown(of_topic, *names),
            shown(nowhere),
            shown(of_broker, "log.retention.hours", "num.partitions"),
            changed(of_topic, ("retention.ms", "1000", kinds.SET), ("cleanup.policy", "compact", kinds.APPEND)),
            shown(of_topic, *names),
            changed(of_topic, ("retention.ms", None, kinds.DELETE), ("cleanup.policy", "delete", kinds.SUBTRACT)),
            shown(of_topic, *names),
            changed(of_topic, ("retention.ms", "never", kinds.SET)),
            changed(of_topic, ("no.such.key", "1", kinds.SET)),
            changed(nowhere, ("retention.ms", "1", kinds.SET)),
            outcome(*admin.alter_configs([ConfigResource("topic", topic, {"segment.bytes": "2000000"})]).values()),
            shown(of_topic, *names),
        ]

    same(story)


def test_access_rules_of_confluent(same):
    def story(side):
        admin = confluent(side)
        rule = (ResourceType.TOPIC, "t", ResourcePatternType.LITERAL, "User:a", "*", AclOperation.READ, AclPermissionType.ALLOW)
        return [
            outcomes(admin.create_acls([AclBinding(*rule)])),
            outcome(admin.describe_acls(AclBindingFilter(*rule))),
            outcomes(admin.delete_acls([AclBindingFilter(*rule)])),
        ]

    answers = same(story)
    assert "SECURITY_DISABLED" in str(answers)


@contextlib.contextmanager
def python(side):
    admin = KafkaAdminClient(bootstrap_servers=side.broker.bootstrap, request_timeout_ms=1000 * PATIENCE)
    try:
        yield admin
    finally:
        admin.close()


def neutral(value):
    """Without what is one broker's own, or grows."""
    if isinstance(value, dict):
        value = {str(name): neutral(each) for name, each in value.items()}
        for name in ("port", "log_dir", "host", "cluster_id", "topic_id", "total_bytes", "usable_bytes", "high_watermark"):
            if value.get(name) is not None:
                value[name] = "its own"
        for name in ("leader_epoch", "log_end_offset", "last_fetch_timestamp", "last_caught_up_timestamp"):
            if "replica_id" in value or "current_voters" in value:
                value.pop(name, None)
        for name in ("error_message", "throttle_time_ms", "finalized_epoch"):
            value.pop(name, None)
        return value
    if isinstance(value, (list, tuple)):
        return sorted((neutral(each) for each in value), key=str)
    return value if value is None or isinstance(value, (str, int, float, bool)) else plain_text(value)


def plain_text(value):
    """An answer as kafka-python shows it, without the broker's own words."""
    return re.sub(r"error_message=('[^']*'|\"[^\"]*\"|None)", "error_message", str(value))


def attempt(call, *words, **more):
    """What a call gave, or the name of the error."""
    try:
        return neutral(call(*words, **more))
    except KafkaError as error:
        return type(error).__name__


def test_topics_of_kafka_python(same):
    def story(side):
        name = f"python-{side.topic()}"
        with python(side) as admin:
            answers = [
                attempt(admin.create_topics, [PythonNewTopic(name, 2, 1)], validate_only=True),
                attempt(admin.create_topics, [PythonNewTopic(name, 2, 1)]),
                attempt(admin.create_topics, [PythonNewTopic(name, 2, 1)]),
                attempt(admin.create_topics, [PythonNewTopic(f"{name}-copies", 1, 2)]),
                attempt(admin.create_topics, [PythonNewTopic(f"{name}-placed", -1, -1, {0: [1], 1: [1]})]),
                attempt(admin.create_partitions, {name: PythonNewPartitions(3)}),
                attempt(admin.create_partitions, {name: PythonNewPartitions(1)}),
                attempt(admin.describe_topics, [name, "nowhere"]),
                name in admin.list_topics(),
                attempt(admin.delete_records, {PythonPartition(name, 0): -1}),
                attempt(admin.elect_leaders, 0, {name: [0, 9]}, raise_errors=False),
                attempt(admin.list_partition_reassignments, {name: [0, 1]}),
                attempt(admin.alter_partition_reassignments, {PythonPartition(name, 0): [1]}),
                attempt(admin.alter_partition_reassignments, {PythonPartition(name, 0): None}),
                attempt(admin.alter_partition_reassignments, {PythonPartition(name, 0): [2]}),
                attempt(admin.delete_topics, [name]),
                attempt(admin.delete_topics, [name]),
            ]
        for answer in answers:
            if isinstance(answer, dict):
                for topic in answer.get("topics") or []:
                    if isinstance(topic, dict):
                        topic.pop("configs", None)
        return answers

    same(story)


def test_the_cluster_of_kafka_python(same):
    def story(side):
        topic = side.topic()
        side.produce(topic, batch([b"x"] * 5))
        here = str(side.broker.data_dir)
        with python(side) as admin:
            directories = admin.describe_log_dirs({topic: [0]})
            return [
                attempt(admin.describe_cluster),
                neutral(directories),
                attempt(admin.alter_replica_log_dirs, {(topic, 0, 1): here}),
                attempt(admin.describe_metadata_quorum),
                attempt(admin.describe_features),
                attempt(admin.update_features, {"group.version": ("SAFE_DOWNGRADE", 0)}, validate_only=True),
                attempt(admin.update_features, {"group.version": 2}),
                attempt(admin.describe_producers, [PythonPartition(topic, 0)]),
                attempt(admin.describe_topic_partitions, [topic]),
            ]

    same(story)


def test_versions_of_kafka_python(same):
    def story(side):
        with python(side) as admin:
            found = admin.get_broker_version_data(1)
            return [list(found.broker_version), {str(key): list(versions) for key, versions in found.api_versions.items()}]

    def forgive(ours, theirs):
        """What Ottla has not built yet is not offered (docs/apis.md)."""
        theirs[1] = {key: versions for key, versions in theirs[1].items() if key in ours[1]}

    version, offered = same(story, forgive)
    assert version[0] == 4
    assert len(offered) > 40


def test_members_removed_by_kafka_python(same):
    def story(side):
        topic = side.topic()

        def member(**more):
            return Member(side, **more).stable(said=reads(topic), share=given(topic, 0))

        def removed(group, *members):
            """By name: ids are drawn."""
            try:
                found = admin.remove_group_members(group, members)
            except KafkaError as error:
                return type(error).__name__
            return {names.get(who, who): outcome.__name__ for who, outcome in found.items()}

        dynamic, static = member(), member(instance="static")
        names = {dynamic.id: "the dynamic one", static.id: "the static one"}
        with python(side) as admin:
            return [
                removed(dynamic.group, MemberToRemove(member_id="stranger")),
                removed(dynamic.group, MemberToRemove(member_id="stranger"), MemberToRemove(dynamic.id, reason="enough")),
                dynamic.beat()["error_code"],
                removed(dynamic.group, MemberToRemove(dynamic.id)),
                removed(static.group, MemberToRemove(static.id, "other")),
                removed(static.group, MemberToRemove("stranger", "static")),
                static.beat()["error_code"],
                removed(static.group, MemberToRemove(group_instance_id="static")),
                static.beat()["error_code"],
                removed("no-group", MemberToRemove(group_instance_id="static")),
                attempt(admin.delete_groups, [dynamic.group, static.group]),
            ]

    same(story)


def test_configurations_of_kafka_python(same):
    def story(side):
        topic, group = side.topic(retention_ms=60000), side.group()

        def of(kind, name, configs=()):
            return [PythonConfigResource(kind, name, configs)]

        def altered(*words, **more):
            """Without the broker's own words."""
            (named,) = admin.alter_configs(of(*words), **more).values()
            return [outcome.split(": ")[0] for outcome in named.values()]

        def reset(*words, **more):
            (named,) = admin.reset_configs(of(*words), **more).values()
            return [outcome.split(": ")[0] for outcome in named.values()]

        def shown(*expected):
            """Kafka's broker follows its controller a moment later."""

            def described():
                return admin.describe_configs([PythonConfigResource("TOPIC", topic)])["topic"][topic]

            until(lambda: set(described()) == set(expected))
            return neutral(described())

        def groups():
            return admin.list_config_resources(["GROUP"]).get("group", [])

        with python(side) as admin:
            answers = [
                topic in admin.list_config_resources(["TOPIC"])["topic"],
                neutral(admin.list_config_resources(["BROKER", "BROKER_LOGGER"])),
                attempt(admin.list_config_resources, ["UNKNOWN"]),
                [kind in admin.list_config_resources() for kind in ("broker", "broker_logger", "topic")],
                altered("TOPIC", topic, {"segment.bytes": "2000000"}),
                altered("TOPIC", topic, {"cleanup.policy": (AlterConfigOp.APPEND, "compact")}),
                shown("retention.ms", "segment.bytes", "cleanup.policy"),
                reset("TOPIC", topic, ["segment.bytes"], validate_only=True),
                shown("retention.ms", "segment.bytes", "cleanup.policy"),
                reset("TOPIC", topic, ["segment.bytes"]),
                shown("retention.ms", "cleanup.policy"),
                reset("TOPIC", topic, ["no.such.key"], raise_on_unknown=False),
                reset("TOPIC", "nowhere", ["segment.bytes"], raise_on_unknown=False),
                reset("TOPIC", topic),
                shown(),
                altered("TOPIC", topic, {"segment.bytes": "2000000"}, incremental=False),
                shown("segment.bytes"),
                reset("TOPIC", topic, incremental=False),
                shown(),
                altered("GROUP", group, {"consumer.session.timeout.ms": "50000"}),
            ]
            until(lambda: group in groups())
            return [*answers, reset("GROUP", group), group in groups()]

    def forgive(ours, theirs):
        """Kafka goes on naming a group that has no settings any more (docs/deviations.md)."""
        assert (ours.pop(), theirs.pop()) == (False, True)

    same(story, forgive)


def test_groups_of_kafka_python(same):
    def story(side):
        topic = side.topic(partitions=2)
        side.produce(topic, batch([b"x"] * 5))
        member = Member(side).stable(said=reads(topic), share=given(topic, 0, 1))
        member.commit((topic, (0, 4, -1, "")))
        group, first = member.group, PythonPartition(topic, 0)
        with python(side) as admin:
            described = admin.describe_groups([group], include_authorized_operations=True)
            answers = [
                [[found["group_state"], len(found["members"]), found["authorized_operations"]] for found in described.values()],
                [found for found in neutral(admin.list_groups()) if found["group_id"] == group],
                attempt(admin.list_group_offsets, {group: None}),
                attempt(admin.list_group_offsets, {group: [first, PythonPartition(topic, 7)]}),
                attempt(admin.delete_groups, [group]),
                attempt(admin.delete_group_offsets, group, [first]),
                attempt(admin.alter_group_offsets, group, {first: OffsetAndMetadata(1, "", -1)}),
            ]
            member.leave()
            answers += [
                attempt(admin.alter_group_offsets, group, {first: OffsetAndMetadata(2, "", -1)}),
                attempt(admin.list_group_offsets, {group: None}),
                attempt(admin.reset_group_offsets, group, {first: PythonOffsetSpec.EARLIEST}),
                attempt(admin.list_group_offsets, {group: None}),
                attempt(admin.delete_group_offsets, group, [first]),
                attempt(admin.delete_groups, [group, "no-group"]),
                attempt(admin.list_partition_offsets, {first: PythonOffsetSpec.LATEST}),
                attempt(admin.list_partition_offsets, {first: PythonOffsetSpec.MAX_TIMESTAMP}),
            ]
        return answers

    same(story)


def test_access_rules_of_kafka_python(same):
    def story(side):
        rule = ("User:a", "*", ACLOperation.READ, ACLPermissionType.ALLOW)
        with python(side) as admin:
            return [
                attempt(admin.create_acls, [ACL(*rule, ResourcePattern(PythonResourceType.TOPIC, "t"))]),
                attempt(admin.describe_acls, ACLFilter(*rule, ResourcePattern(PythonResourceType.TOPIC, "t"))),
            ]

    same(story)
