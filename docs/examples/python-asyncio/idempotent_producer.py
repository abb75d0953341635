"""Writes ten records with aiokafka, each of them once whatever happens to the connection or the broker, and prints where
each one is: PARTITION:OFFSET.

    pip install aiokafka
    python idempotent_producer.py 127.0.0.1:9092 my-topic
"""

import asyncio
import sys

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError


async def main(bootstrap, topic):
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        # Not the default of this client. It implies acks="all".
        enable_idempotence=True,
    )
    await producer.start()
    try:
        sent = []
        for number in range(10):
            key, value = f"key-{number}", f"example-{number}"
            sent.append(await producer.send(topic, key=key.encode(), value=value.encode()))
        # A record is stored once its future is done; a failure of any of them comes out here.
        for record in sent:
            where = await record
            print(f"{where.partition}:{where.offset}")
    finally:
        await producer.stop()


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: idempotent_producer.py BOOTSTRAP_SERVERS TOPIC")
    try:
        asyncio.run(main(*sys.argv[1:]))
    except KafkaError as failure:
        sys.exit(f"not all records were stored: {failure}")
