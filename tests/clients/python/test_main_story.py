"""Ten records from an idempotent producer, read back, and shown by dump-log field by field."""

import json
import time

from harness import dump
from harness.reading import read_all
from harness.writing import Tally, flush, producer


def write_ten(broker):
    tally = Tally()
    # All ten are given before the first batch goes out.
    writer = producer(broker.bootstrap, linger_ms=5000)
    for number in range(10):
        writer.produce("test", json.dumps({"msg_count": number}).encode(), on_delivery=tally)
    flush(writer)
    assert not tally.refused
    return tally


def test_ten_records_are_written_once_and_read_back(broker):
    tally = write_ten(broker)
    assert [offset for _, offset, _ in sorted(tally.acknowledged)] == list(range(10))
    records = read_all(broker.bootstrap, "test")
    assert [json.loads(record.value) for record in records] == [{"msg_count": number} for number in range(10)]
    assert [record.offset for record in records] == list(range(10))
    assert all(record.key is None and record.headers == () for record in records)


def test_dump_log_shows_the_batch_and_its_records(broker):
    before = int(time.time() * 1000)
    write_ten(broker)
    records = read_all(broker.bootstrap, "test")
    # Read while the broker runs, and again after it has stopped.
    text = broker.dump_log(broker.segment("test"))
    broker.stop()
    assert broker.dump_log(broker.segment("test")) == text
    after = int(time.time() * 1000)

    lines = text.splitlines()
    assert lines[0] == f"Dumping {broker.segment('test')}"
    assert lines[1] == "Log starting offset: 0"
    (batch,) = dump.batches(text)
    times = [record.timestamp for record in records]
    expected = {
        "baseOffset": 0,
        "lastOffset": 9,
        "count": 10,
        "baseSequence": 0,
        "lastSequence": 9,
        "producerEpoch": 0,
        "partitionLeaderEpoch": 0,
        "isTransactional": False,
        "isControl": False,
        "deleteHorizonMs": "OptionalLong.empty",
        "position": 0,
        "CreateTime": max(times),
        "size": broker.segment("test").stat().st_size,
        "magic": 2,
        "compresscodec": "none",
        "isvalid": True,
    }
    assert {name: batch[name] for name in expected} == expected
    assert batch["producerId"] >= 0
    assert set(batch.fields) == set(expected) | {"producerId", "crc"}
    assert before <= min(times) and max(times) <= after
    for number, record in enumerate(batch.records):
        value = json.dumps({"msg_count": number})
        assert record.payload == value
        assert record.fields == {
            "offset": number,
            "CreateTime": times[number],
            "keySize": -1,
            "valueSize": len(value),
            "sequence": number,
            "headerKeys": "[]",
        }
    assert len(batch.records) == 10


def test_it_is_all_there_after_a_clean_restart(broker):
    write_ten(broker)
    before = read_all(broker.bootstrap, "test")
    broker.restart()
    assert read_all(broker.bootstrap, "test") == before
    # A new producer writes on where the log ends.
    write_ten(broker)
    assert [record.offset for record in read_all(broker.bootstrap, "test")] == list(range(20))
    first, second = dump.batches(broker.dump_log(broker.segment("test")))
    assert first["producerId"] != second["producerId"]
    assert (second["baseOffset"], second["baseSequence"], second["lastSequence"]) == (10, 0, 9)
