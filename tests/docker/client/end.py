"""Prints where a topic with one partition ends. end.py BOOTSTRAP TOPIC"""

import sys

from confluent_kafka import Consumer, TopicPartition

consumer = Consumer({"bootstrap.servers": sys.argv[1], "group.id": "nobody"})
print(consumer.get_watermark_offsets(TopicPartition(sys.argv[2], 0), timeout=30)[1])
consumer.close()
