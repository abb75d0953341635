"""What `dump-log --print-data-log` printed, as batches and records."""

import re
from dataclasses import dataclass, field


@dataclass
class Batch:
    fields: dict
    records: list = field(default_factory=list)

    def __getitem__(self, name):
        return self.fields[name]


@dataclass
class Record:
    fields: dict
    payload: str

    def __getitem__(self, name):
        return self.fields[name]


def batches(text):
    """The batches of one dumped log. Numbers and booleans are turned into those, all else stays text."""
    found = []
    for line in text.splitlines():
        if line.startswith("baseOffset: "):
            found.append(Batch(_fields(line)))
        elif line.startswith("| offset: "):
            head, _, payload = line[2:].partition(" payload: ")
            found[-1].records.append(Record(_fields(head), payload))
    return found


def _fields(line):
    return {name: _value(value) for name, value in re.findall(r"(\w+): (\[.*?\]|\S+)", line)}


def _value(text):
    if text in ("true", "false"):
        return text == "true"
    return int(text) if re.fullmatch(r"-?\d+", text) else text
