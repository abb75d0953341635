"""Files as both tools print them: Kafka's `DumpLogSegments` and `ottla dump-log`."""

import re
import subprocess

from beside.java import PATIENCE, run_tool
from harness.broker import Ottla


def files(directory, pattern, but=None, least=1):
    found = sorted(path for path in directory.glob(pattern) if but is None or but not in str(path))
    assert len(found) >= least, pattern
    return found


def same(paths, *flags):
    """Compares stdout, the findings on stderr, and the exit code; gives the two texts."""
    ours, theirs = run_both(paths, *flags)
    assert ours.stdout == theirs.stdout, flags
    assert by_file(ours.stderr) == by_file(theirs.stderr), flags
    assert ours.returncode == theirs.returncode == 0, flags
    return ours.stdout, ours.stderr


def by_file(findings):
    """What was found, sorted by files: of several, Kafka names them in no order."""
    return sorted(re.split(r"\n(?=\S)", findings.rstrip("\n")))


def run_both(paths, *flags):
    words = ["--files", ",".join(str(path) for path in paths), *flags]
    command = [Ottla.binary(), "dump-log", *words]
    ours = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE)
    return ours, run_tool("kafka.tools.DumpLogSegments", *words)
