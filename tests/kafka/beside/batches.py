"""Record batches as a producer writes them, and with any field wrong."""

import struct
import time

from kafka.record.default_records import DefaultRecordBatchBuilder
from kafka.record.util import calc_crc32c

# Where the fields of a batch are, and how they are coded.
FIELDS = {
    "base_offset": (0, ">q"),
    "batch_length": (8, ">i"),
    "leader_epoch": (12, ">i"),
    "magic": (16, ">b"),
    "crc": (17, ">I"),
    "attributes": (21, ">h"),
    "last_offset_delta": (23, ">i"),
    "base_timestamp": (27, ">q"),
    "max_timestamp": (35, ">q"),
    "producer_id": (43, ">q"),
    "producer_epoch": (51, ">h"),
    "base_sequence": (53, ">i"),
    "record_count": (57, ">i"),
}
CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
# Kafka forgets producers by the time of their records, so records are of now.
TIMESTAMP = int(time.time() * 1000)


def batch(values, producer_id=-1, epoch=-1, sequence=-1, codec="none", key=None, timestamp=TIMESTAMP, **changes):
    """A batch with these values. `changes` are header fields that are set to something else; the checksum is right
    unless it is one of them."""
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=CODECS[codec],
        is_transactional=False,
        producer_id=producer_id,
        producer_epoch=epoch,
        base_sequence=sequence,
        batch_size=1 << 30,
    )
    for offset, value in enumerate(values):
        builder.append(offset, timestamp=timestamp, key=key, value=value, headers=[])
    return changed(bytes(builder.build()), **changes)


def changed(built, **changes):
    built = bytearray(built)
    for name, value in changes.items():
        at, form = FIELDS[name]
        struct.pack_into(form, built, at, value)
    if "crc" not in changes:
        struct.pack_into(">I", built, FIELDS["crc"][0], calc_crc32c(bytes(built[FIELDS["attributes"][0] :])))
    return bytes(built)
