"""What the files say, by Ottla's dump tool and by Kafka's own."""

import shutil
import subprocess

from harness.broker import JARS, Kafka, Ottla

PATIENCE = 120
# Words of dump-log for what should not be.
FINDINGS = (
    "Mismatches in",
    "Found timestamp mismatch",
    "Found out of order timestamp",
    "Non-consecutive offsets",
    "invalid bytes at the end",
    "isvalid: false",
)


def dump(command, files, *flags):
    words = [*command, "--files", ",".join(str(file) for file in files), *flags]
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, f"{words[:3]} ... {files[:1]}: {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def check_clean(data_dir):
    """Looks at every file of every partition; gives how many there were."""
    ottla = [Ottla.binary(), "dump-log"]
    partitions = [path for path in data_dir.iterdir() if path.is_dir() and not path.name.endswith(("-delete", "-stray"))]
    count = 0
    for partition in partitions:
        left = [path.name for path in partition.iterdir() if path.suffix in (".tmp", ".cleaned", ".swap")]
        assert not left, f"{partition.name} holds {left}"
        for suffix, flags in (
            (".log", ["--deep-iteration"]),
            (".index", ["--index-sanity-check"]),
            (".timeindex", ["--index-sanity-check"]),
            (".index", []),
            (".timeindex", []),
            (".snapshot", []),
        ):
            files = sorted(path for path in partition.iterdir() if path.suffix == suffix)
            if not files:
                continue
            said = dump(ottla, files, *flags)
            assert said.count("Dumping ") == len(files), f"not all of {partition.name}'s {suffix} were dumped"
            for line in said.splitlines():
                assert not any(word in line for word in FINDINGS), f"{partition.name} {suffix}: {line[:300]}"
            if "--index-sanity-check" in flags:
                sane = said.count("passed sanity check") + said.count(" is empty.")
                assert sane == len(files), f"{partition.name}: {said[-500:]}"
            count += len(files) if flags else 0
    return count


def has_kafka():
    return "KAFKA_LIBS" in JARS and shutil.which("java") is not None


def check_with_kafka(data_dir, topics):
    """Kafka's tool says of the newest files of some partitions what ours says."""
    ottla = [Ottla.binary(), "dump-log"]
    kafka = Kafka.java("-Dorg.slf4j.simpleLogger.defaultLogLevel=off", "kafka.tools.DumpLogSegments")
    compared = 0
    logs, indexes = [], []
    for topic in topics:
        partition = data_dir / f"{topic}-0"
        logs += sorted(partition.glob("*.log"))[-3:]
        indexes += [*sorted(partition.glob("*.index"))[-3:], *sorted(partition.glob("*.timeindex"))[-3:]]
        indexes += sorted(partition.glob("*.snapshot"))[-2:]
    for files, flags in ((logs, ["--print-data-log"]), (indexes, []), (indexes, ["--index-sanity-check"])):
        ours, theirs = dump(ottla, files, *flags), dump(kafka, files, *flags)
        assert ours == theirs, f"dump-log and Kafka's tool differ about {[str(file) for file in files]} with {flags}"
        compared += len(files)
    return compared
