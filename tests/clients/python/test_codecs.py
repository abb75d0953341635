"""Each codec, written by each client and read by each other."""

import pytest

from harness import dump
from harness.reading import READERS
from harness.writing import WRITERS

# Repetitive, so that it gets smaller.
RECORDS = [
    (b"key-%d" % (number % 7), b"one value, much like the next one, number %d" % number * 5, [("h", b"v")])
    for number in range(200)
]


@pytest.mark.parametrize("codec", ["none", "gzip", "snappy", "lz4", "zstd"])
@pytest.mark.parametrize("client", WRITERS)
def test_what_one_client_compresses_all_clients_read(broker, client, codec):
    assert WRITERS[client](broker.bootstrap, "test", RECORDS, codec=codec) == list(range(len(RECORDS)))
    for reader, read in READERS.items():
        got = [(record.key, record.value, list(record.headers)) for record in read(broker.bootstrap, "test")]
        assert got == RECORDS, reader
    batches = dump.batches(broker.dump_log(broker.segment("test")))
    stored = {batch["compresscodec"] for batch in batches}
    assert stored == {codec}
    assert all(batch["isvalid"] for batch in batches)
    assert sum(len(batch.records) for batch in batches) == len(RECORDS)
