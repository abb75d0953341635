"""Writes numbers from 0 up to one partition, a record each, and says of each where it went, until it has been enough.

write.py BOOTSTRAP TOPIC [KEY=VALUE...]: the pairs are settings of librdkafka. The file /tmp/enough-TOPIC ends it.
"""

import os
import sys
import time

from confluent_kafka import Producer

from harness.writing import create_topic, flush

# Between records, in seconds: there are always some in flight.
PAUSE = 0.001
# Records that may wait for an answer. While nobody answers, no more are written.
WAITING = 200

SETTINGS = {
    "enable.idempotence": True,
    # An answer that does not come is soon missed.
    "socket.timeout.ms": 2000,
    "request.timeout.ms": 2000,
    "socket.connection.setup.timeout.ms": 1000,
    "reconnect.backoff.ms": 10,
    "reconnect.backoff.max.ms": 200,
    "linger.ms": 2,
    # Broken connections are what the stories are about.
    "log_level": 2,
}


def delivered(error, message):
    if error is not None:
        print(f"refused {message.value().decode()} {error}")
        sys.exit(1)
    print(f"ack {message.offset()} {message.value().decode()}")


def main(bootstrap, topic, *pairs):
    create_topic(bootstrap, topic)
    given = dict(pair.split("=", 1) for pair in pairs)
    heard = {"error_cb": lambda error: print(f"trouble {error}")}
    writer = Producer({"bootstrap.servers": bootstrap, **SETTINGS, **heard, **given})
    count = 0
    while not os.path.exists(f"/tmp/enough-{topic}"):
        writer.produce(topic, str(count).encode(), on_delivery=delivered)
        count += 1
        writer.poll(PAUSE)
        while len(writer) > WAITING:
            writer.poll(PAUSE)
    flush(writer)
    print(f"done {count}")


main(*sys.argv[1:])
