"""Topics as a user of librdkafka sees them."""

from confluent_kafka import (
    OFFSET_BEGINNING,
    Consumer,
    ConsumerGroupTopicPartitions,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, ConfigResource, NewTopic, ResourceType

from harness.waiting import until

# Seconds; far more than anything needs.
PATIENCE = 90


class Topics:
    """The topics and groups of a broker."""

    def __init__(self, broker):
        self._broker = broker
        self._where = {"bootstrap.servers": broker.bootstrap}
        # When no broker is left librdkafka begins anew, and then waits forever for the coordinator that it had known.
        self.admin = AdminClient({**self._where, "metadata.recovery.strategy": "none"})

    def create(self, name, partitions=1, **config):
        """`config` is the topic's, with `_` for `.`."""
        config = {key.replace("_", "."): str(value) for key, value in config.items()}
        new = NewTopic(name, num_partitions=partitions, replication_factor=1, config=config)
        self.admin.create_topics([new])[name].result(PATIENCE)
        return name

    def names(self):
        return set(self.admin.list_topics(timeout=PATIENCE).topics)

    def partitions(self, name):
        return sorted(self.admin.list_topics(name, timeout=PATIENCE).topics[name].partitions)

    def changed_config(self, name):
        """What was set for the topic itself."""
        resource = ConfigResource(ResourceType.TOPIC, name)
        entries = self.admin.describe_configs([resource])[resource].result(PATIENCE)
        # 1 is what Kafka calls DYNAMIC_TOPIC_CONFIG.
        return {key: entry.value for key, entry in entries.items() if entry.source == 1}

    def write(self, name, values):
        """Writes these values, and waits until all of them are stored."""
        failures = []
        producer = Producer({**self._where, "enable.idempotence": True})
        for value in values:
            producer.produce(name, value, on_delivery=lambda error, _: error and failures.append(error))
            producer.poll(0)
        assert producer.flush(PATIENCE) == 0
        assert not failures, failures

    def bounds(self, name):
        """`{PARTITION: (START, END)}`"""
        consumer = Consumer({**self._where, "group.id": "bounds"})
        try:
            places = [TopicPartition(name, number) for number in self.partitions(name)]
            return {place.partition: consumer.get_watermark_offsets(place, timeout=PATIENCE) for place in places}
        finally:
            consumer.close()

    def ends(self, name):
        return {partition: end for partition, (_, end) in self.bounds(name).items()}

    def read(self, name):
        """All records there are, `{PARTITION: [(OFFSET, KEY, VALUE)...]}`, keys and values as text, a letter for a byte."""
        unread = {partition: end for partition, (start, end) in self.bounds(name).items() if start < end}
        records = {partition: [] for partition in self.partitions(name)}
        config = {"group.id": "reader", "enable.auto.commit": False, "enable.partition.eof": True}
        consumer = Consumer({**self._where, **config})
        try:
            consumer.assign([TopicPartition(name, partition, OFFSET_BEGINNING) for partition in unread])
            while unread:
                message = consumer.poll(PATIENCE)
                assert message is not None, f"nothing comes from {name}, up to {unread}"
                if not message.error():
                    text = [None if part is None else part.decode("latin-1") for part in (message.key(), message.value())]
                    records[message.partition()].append((message.offset(), *text))
                # The last record may have been removed by a compaction.
                if message.offset() + 1 >= unread.get(message.partition(), message.offset() + 2):
                    del unread[message.partition()]
        finally:
            consumer.close()
        return records

    def committed(self, group, topic):
        """`{PARTITION: OFFSET}` of what the group committed in this topic."""
        answers = []
        until(lambda: answers.extend(self._committed(group)) or answers)
        return {at.partition: at.offset for at in answers[0] if at.topic == topic and at.offset >= 0}

    def _committed(self, group):
        """The answer, or nothing while a broker that was just started reads its groups: librdkafka does not ask again by itself."""
        asked = ConsumerGroupTopicPartitions(group)
        try:
            return [self.admin.list_consumer_group_offsets([asked])[group].result(PATIENCE).topic_partitions]
        except KafkaException as refused:
            if refused.args[0].code() not in (KafkaError.COORDINATOR_LOAD_IN_PROGRESS, KafkaError.NOT_COORDINATOR):
                raise
            return []
