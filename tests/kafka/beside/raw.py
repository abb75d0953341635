"""Requests as they are written, for what no well-behaved client sends, and answers field by field.

Messages are coded by kafka-python, so that a mistake of Ottla's codec shows.
"""

import functools
import importlib
import json
import pathlib
import socket
import struct
import time
import zipfile
from unittest import mock

import kafka.protocol.api_data
from kafka.protocol.api_message import ApiMessage

from harness.broker import JARS

# Kafka's numbers.
COORDINATOR_LOAD_IN_PROGRESS = 14
COORDINATOR_NOT_AVAILABLE = 15
NOT_COORDINATOR = 16
OUT_OF_ORDER_SEQUENCE_NUMBER = 45

PATIENCE = 30

_MODULES = ("producer", "consumer", "metadata", "admin")


class Closed(Exception):
    """The broker has closed the connection instead of answering."""


class Connection:
    """One connection. Requests are sent one by one, each answered before the next."""

    def __init__(self, address, client_id="raw", source=None):
        """`source` is the address of this machine to connect from."""
        host, port = address.rsplit(":", 1)
        self._socket = socket.create_connection((host, int(port)), PATIENCE, source and (source, 0))
        self._number, self._client_id = 0, client_id

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._socket.close()

    def ask(self, api, version, **fields):
        """Sends a request, for example "Metadata"; gives the answer's fields as dictionaries and lists."""
        request, response = message(f"{api}Request"), message(f"{api}Response")
        self._number += 1
        asked = build(request, fields, version)
        asked.with_header(correlation_id=self._number, client_id=self._client_id)
        frame = self.exchange(asked.encode(header=True))
        answer = response.decode(frame, version=version, header=True)
        assert answer.header.correlation_id == self._number
        return answer.to_dict(json=False)

    def exchange(self, request):
        """Sends the bytes of a request and gives those of its answer, both without the length in front."""
        try:
            self._socket.sendall(struct.pack(">i", len(request)) + request)
            (length,) = struct.unpack(">i", self._read(4))
            return self._read(length)
        except ConnectionError:
            raise Closed from None

    def produce(self, topic, records, version=8, acks=-1, partition=0, **fields):
        """Sends one partition's records; gives that partition's answer."""
        data = [{"name": topic, "partition_data": [{"index": partition, "records": records}]}]
        answer = self.ask("Produce", version, acks=acks, timeout_ms=30_000, topic_data=data, **fields)
        return answer["responses"][0]["partition_responses"][0]

    def new_producer(self):
        """The id of a new idempotent producer, whose epoch is 0."""
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self.ask("InitProducerId", 4, transactional_id=None, transaction_timeout_ms=60_000)
            # Kafka says so until its controller has given it a block of ids.
            if answer["error_code"] != COORDINATOR_LOAD_IN_PROGRESS or time.monotonic() > deadline:
                break
        assert answer["error_code"] == 0 and answer["producer_epoch"] == 0, answer
        return answer["producer_id"]

    def _read(self, length):
        parts = bytearray()
        while len(parts) < length:
            part = self._socket.recv(length - len(parts))
            if not part:
                raise Closed
            parts += part
        return bytes(parts)


def frame(api_key, version, body=b"", flexible=False):
    """A request as it is written, with header, for what kafka-python does not know."""
    header = struct.pack(">hhih", api_key, version, 7, -1)
    return header + (b"\x00" if flexible else b"") + body


def message(name):
    """kafka-python's class of a message."""
    for module in _MODULES:
        found = getattr(importlib.import_module(f"kafka.protocol.{module}"), name, None)
        if found is not None:
            return found
    return _of_kafka(name)


@functools.cache
def _of_kafka(name):
    """The class of a message that kafka-python lacks, made from the schema in Kafka's own jar."""
    (jar,) = pathlib.Path(JARS["KAFKA_LIBS"]).glob("kafka-clients-*.jar")
    with zipfile.ZipFile(jar) as opened:
        schema = opened.read(f"common/message/{name}.json").decode()
    schema = json.loads("".join(line for line in schema.splitlines(True) if not line.strip().startswith("//")))
    shared = {struct["name"]: struct["fields"] for struct in schema.get("commonStructs", ())}
    schema["fields"] = [_with_fields(field, shared) for field in schema["fields"]]
    with mock.patch.object(kafka.protocol.api_data, "load_json", lambda *_, **__: schema):
        return type(ApiMessage)(name, (ApiMessage,), {})


def _with_fields(field, shared):
    """A field of a schema, with the fields of what several share in their places."""
    fields = field.get("fields") or shared.get(field["type"].removeprefix("[]"))
    return {**field, "fields": [_with_fields(each, shared) for each in fields]} if fields else field


def build(kind, fields, version):
    """A message or a part of one, from dictionaries and lists."""
    given = {}
    for name, value in fields.items():
        field = kind._struct.fields[name]
        if field.is_struct_array() and value is not None:
            value = [build(field.data_class, part, version) for part in value]
        elif field.is_struct() and value is not None:
            value = build(field.data_class, value, version)
        given[name] = value
    return kind(version=version, **given)
