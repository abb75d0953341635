"""Writes ten records with confluent-kafka, each of them once whatever happens to the connection or the broker, and prints
where each one is: PARTITION:OFFSET.

    pip install confluent-kafka
    python idempotent_producer.py 127.0.0.1:9092 my-topic
"""

import sys

from confluent_kafka import KafkaException, Producer


def main(bootstrap, topic):
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            # Not the default of this client. It implies acks=all, and keeps order with up to five requests in flight.
            "enable.idempotence": True,
            # For how long a record is tried again before its failure is reported.
            "delivery.timeout.ms": 120_000,
        }
    )
    places = {}

    def delivered(number):
        def report(error, message):
            if error is not None:
                raise KafkaException(error)
            places[number] = f"{message.partition()}:{message.offset()}"

        return report

    for number in range(10):
        producer.produce(topic, key=f"key-{number}", value=f"example-{number}", on_delivery=delivered(number))
    # A record is stored once its report has come; an exception in a report comes out here.
    producer.flush()
    for number in sorted(places):
        print(places[number])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: idempotent_producer.py BOOTSTRAP_SERVERS TOPIC")
    try:
        main(*sys.argv[1:])
    except KafkaException as failure:
        sys.exit(f"not all records were stored: {failure}")
