"""Several producers write to several partitions at once."""

import threading

from harness import dump
from harness.reading import read_all, values
from harness.writing import Tally, create_topic, flush, producer

PARTITIONS = 3
EACH = 500


def test_two_producers_and_three_partitions(broker):
    create_topic(broker.bootstrap, "test", partitions=PARTITIONS)
    together = threading.Barrier(2)
    failed = []

    def write(name):
        try:
            tally = Tally()
            writer = producer(broker.bootstrap, max_in_flight=5, batch_num_messages=7, linger_ms=0)
            together.wait()
            for number in range(EACH):
                for partition in range(PARTITIONS):
                    writer.produce("test", f"{name} {number}".encode(), partition=partition, on_delivery=tally)
                writer.poll(0)
            flush(writer)
            assert len(tally.acknowledged) == EACH * PARTITIONS and not tally.refused
        except BaseException as why:
            failed.append(why)

    threads = [threading.Thread(target=write, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed, failed

    for partition in range(PARTITIONS):
        records = read_all(broker.bootstrap, "test", partition)
        assert [record.offset for record in records] == list(range(2 * EACH))
        for name in (b"a", b"b"):
            mine = [value for value in values(records) if value.startswith(name)]
            assert mine == [name + b" %d" % number for number in range(EACH)]
        batches = dump.batches(broker.dump_log(broker.segment("test", partition)))
        assert len({batch["producerId"] for batch in batches}) == 2
        expected = {}
        for batch in batches:
            assert batch["isvalid"]
            assert batch["baseSequence"] == expected.get(batch["producerId"], 0), "each producer counts without a gap"
            expected[batch["producerId"]] = batch["lastSequence"] + 1
