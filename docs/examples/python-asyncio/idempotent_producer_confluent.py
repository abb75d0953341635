"""Writes ten records with the asyncio side of confluent-kafka, each of them once whatever happens to the connection or the
broker, and prints where each one is: PARTITION:OFFSET.

    pip install confluent-kafka
    python idempotent_producer_confluent.py 127.0.0.1:9092 my-topic
"""

import asyncio
import sys

from confluent_kafka import KafkaException
from confluent_kafka.aio import AIOProducer


async def main(bootstrap, topic):
    producer = AIOProducer(
        {
            "bootstrap.servers": bootstrap,
            # Not the default of this client. It implies acks=all, and keeps order with up to five requests in flight.
            "enable.idempotence": True,
            # For how long a record is tried again before its failure is reported.
            "delivery.timeout.ms": 120_000,
        }
    )
    try:
        sent = []
        for number in range(10):
            sent.append(await producer.produce(topic, key=f"key-{number}", value=f"example-{number}"))
        # What was produced is collected for a second, unless it is told to go now.
        await producer.flush()
        # A record is stored once its future is done; a failure of any of them comes out here.
        for record in sent:
            where = await record
            print(f"{where.partition()}:{where.offset()}")
    finally:
        await producer.close()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: idempotent_producer_confluent.py BOOTSTRAP_SERVERS TOPIC")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KafkaException as failure:
        sys.exit(f"not all records were stored: {failure}")
