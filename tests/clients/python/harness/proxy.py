"""A TCP proxy that understands just enough of Kafka's frames to lose the right answer."""

import socket
import struct
import threading
from collections import deque

from .broker import HOST, free_port

PRODUCE = 0
PASS, HOLD, LOSE = range(3)


# Far more than any client needs to send a few requests.
PATIENCE = 60


class Proxy:
    """Stands between clients and a broker. It can lose answers to Produce: the broker has stored the batch and has
    answered, and the connection breaks before the client hears of it."""

    def __init__(self):
        # Bound only while it listens, so that the broker can be told the address before it runs.
        self.port = free_port()
        self.address = f"{HOST}:{self.port}"
        self._lock = threading.Lock()
        self._lose = lambda number: False
        # With a number here, answers to Produce are held back until so many are due on one connection.
        self._together = None
        self._lost_together = threading.Event()
        self._door_is_open = True
        self.produce_answers = 0
        self.lost = 0
        self._listener = None
        self._upstream = None
        self._open = set()

    def start(self, upstream):
        """Begins to pass connections on to `upstream`, `(host, port)`."""
        self._upstream = upstream
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def lose(self, which):
        """`which(number)` says of each answer to a Produce with acks, counted from 1, whether it is lost."""
        with self._lock:
            self._lose = which

    def lose_together(self, count):
        """Holds answers to Produce back until one connection waits for `count` of them, loses them all, and lets nobody
        in before `open_door`. Gives when that has happened."""
        with self._lock:
            self._lost_together.clear()
            self._together = count
        assert self._lost_together.wait(PATIENCE), f"there were never {count} requests in flight"

    def open_door(self):
        with self._lock:
            self._door_is_open = True

    def close(self):
        if self._listener is not None:
            self._listener.close()
        with self._lock:
            connections, self._open = self._open, set()
        for connection in connections:
            connection.cut()

    def _accept(self):
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._lock:
                    if not self._door_is_open:
                        raise ConnectionRefusedError
                broker = socket.create_connection(self._upstream)
            except OSError:
                # As if the broker were down, and perhaps it is.
                client.close()
                continue
            connection = _Connection(self, client, broker)
            with self._lock:
                self._open.add(connection)
            connection.start()

    def _judge(self, held):
        """What becomes of the next answer to a Produce on a connection that holds back `held` others."""
        with self._lock:
            self.produce_answers += 1
            if self._together is not None:
                if held + 1 < self._together:
                    return HOLD
                self.lost += self._together
                self._together = None
                self._door_is_open = False
                self._lost_together.set()
                return LOSE
            if self._lose(self.produce_answers):
                self.lost += 1
                return LOSE
            return PASS

    def _forget(self, connection):
        with self._lock:
            self._open.discard(connection)


class _Connection:
    def __init__(self, proxy, client, broker):
        self._proxy = proxy
        self._client = client
        self._broker = broker
        for end in (client, broker):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # API keys of the requests whose answers are due. A broker answers in order.
        self._due = deque()

    def start(self):
        for pump in (self._requests, self._answers):
            threading.Thread(target=self._guard, args=(pump,), daemon=True).start()

    def cut(self):
        for end in (self._client, self._broker):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            end.close()

    def _guard(self, pump):
        try:
            pump()
        except OSError:
            pass
        finally:
            self.cut()
            self._proxy._forget(self)

    def _requests(self):
        while (frame := _read_frame(self._client)) is not None:
            (key,) = struct.unpack_from(">h", frame, 4)
            if not (key == PRODUCE and _acks(frame) == 0):
                self._due.append(key)
            self._broker.sendall(frame)

    def _answers(self):
        held = []
        while (frame := _read_frame(self._broker)) is not None:
            key = self._due.popleft()
            fate = self._proxy._judge(held.count(PRODUCE)) if key == PRODUCE else PASS
            if fate == LOSE:
                return
            # Behind a held answer all others wait too: they keep their order.
            if fate == HOLD or held:
                held.append(key)
            else:
                self._client.sendall(frame)


def _acks(frame):
    """The field acks of a Produce, version 3 and later."""
    version, _, client_id = struct.unpack_from(">hih", frame, 6)
    at = 14 + max(client_id, 0)
    if version >= 9:
        # Tagged fields of the header (no client sends any), then the transactional id as a compact string.
        assert frame[at] == 0, "a tagged field in a request header"
        length = frame[at + 1]
        at += 2 + max(length - 1, 0)
    else:
        (length,) = struct.unpack_from(">h", frame, at)
        at += 2 + max(length, 0)
    (acks,) = struct.unpack_from(">h", frame, at)
    return acks


def _read_frame(end):
    """The next frame, its length included; None at the end of the stream."""
    head = _read(end, 4)
    if head is None:
        return None
    (length,) = struct.unpack(">i", head)
    body = _read(end, length)
    return None if body is None else head + body


def _read(end, length):
    parts = bytearray()
    while len(parts) < length:
        part = end.recv(min(length - len(parts), 1 << 20))
        if not part:
            return None
        parts += part
    return bytes(parts)
