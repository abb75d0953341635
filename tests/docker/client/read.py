"""Prints all records of a topic with one partition: `OFFSET TEXT`. read.py BOOTSTRAP TOPIC"""

import sys

from harness.reading import read_all

for record in read_all(*sys.argv[1:]):
    print(record.offset, record.value.decode())
