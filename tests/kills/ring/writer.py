"""A writer in a process of its own, so that it can be killed too.

Reads its orders as JSON from the first line of stdin, writes until stdin ends, then waits for the acknowledgements that are
due. Says what it was told on stdout: `A <topic> <partition> <number> <offset>` for an acknowledgement, `R ...` for a
refusal, and at the very end `E <topic> <partition> <count>` for each partition.
"""

import json
import os
import sys
import threading

import confluent_kafka

from ring.content import value_of

PATIENCE = 120


class Writer:
    def __init__(self, orders):
        self.name = orders["name"]
        self.places = [(topic, partition) for topic, count in orders["topics"].items() for partition in range(count)]
        self.counts = dict.fromkeys(self.places, 0)
        self.waiting = 0
        self.most_waiting = orders["most_waiting"]
        self.said = []
        self.over = threading.Event()
        self.producer = confluent_kafka.Producer(orders["settings"])

    def run(self):
        while not self.over.is_set():
            if self.waiting < self.most_waiting:
                for place in self.places:
                    self.write(place)
            self.producer.poll(0.005)
            self.say()
        self.producer.flush(PATIENCE)
        self.said += ["E %s %d %d" % (*place, count) for place, count in self.counts.items()]
        self.say()

    def write(self, place):
        topic, partition = place
        number = self.counts[place]
        try:
            self.producer.produce(
                topic,
                value_of(self.name, topic, partition, number),
                partition=partition,
                headers={"n": str(number)},
                on_delivery=lambda error, message: self.told(place, number, error, message),
            )
        except BufferError:
            return
        self.counts[place] += 1
        self.waiting += 1

    def told(self, place, number, error, message):
        self.waiting -= 1
        what = "A %s %d %d %d" % (*place, number, message.offset()) if error is None else f"R {place} {number} {error}"
        self.said.append(what)

    def say(self):
        if self.said:
            text, self.said = "\n".join(self.said) + "\n", []
            sys.stdout.write(text)
            sys.stdout.flush()


def main():
    writer = Writer(json.loads(sys.stdin.readline()))

    def wait_for_the_end():
        # Not the buffered stdin: its lock would be held at the end of the process.
        while os.read(0, 4096):
            pass
        writer.over.set()

    threading.Thread(target=wait_for_the_end, daemon=True).start()
    try:
        writer.run()
    except confluent_kafka.KafkaException as fatal:
        print(f"R fatal {fatal}", flush=True)


if __name__ == "__main__":
    main()
