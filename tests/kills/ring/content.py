"""What a record says: who wrote it, where, and as which one. So each can be judged by itself."""

import zlib

# Longest filler; shorter ones follow from the number.
FILLER = 600


def value_of(writer, topic, partition, number):
    name = f"{writer}|{topic}|{partition}|{number}|".encode()
    return name + b"%08x" % zlib.crc32(name) + b"-" * (number * 7919 % FILLER)


def parse(value):
    """The writer's name and the record's number, after a look at the rest."""
    writer, topic, partition, number, _ = value.split(b"|", 4)
    writer, topic, partition, number = writer.decode(), topic.decode(), int(partition), int(number)
    assert value == value_of(writer, topic, partition, number), f"a record was changed: {value[:60]!r}"
    return writer, topic, partition, number
