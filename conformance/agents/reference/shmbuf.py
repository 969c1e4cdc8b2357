"""The shmbuf ring, layout 2, from its bytes alone: as the older programs read and write it.

Sixteen bytes of header, four little-endian words: bytes ever written (head), bytes ever read
(tail), capacity, and one that nobody reads; then the ring. Byte n of the stream lies at
n & (capacity - 1). Each message is its length in four bytes and its bytes, and wraps anywhere.
"""

import mmap
import os
import struct
import time

import framelane_layout as L
from kernel import Failure, fence

HEADER, PREFIX, WRAP = 16, 4, 1 << 32
HEAD, TAIL, CAPACITY, RESERVED = range(4)
PAUSE, LOOK_AT_NAME = 0.001, 0.05


def path(ring):
    return os.path.join(os.environ["FRAMELANE_DIR"], ring.lstrip("/"))


def invalid(text):
    return Failure(L.ErrorKind.INVALID_ARGUMENT, text)


def impossible(text):
    return Failure(L.ErrorKind.PROTOCOL, text)


class Memory:
    """A mapped segment."""

    def __init__(self, fd, size):
        self.map = mmap.mmap(fd, size)
        self.bytes = memoryview(self.map)
        self.words = self.bytes[:HEADER].cast("I")
        self.capacity = self.words[CAPACITY]

    def used(self, head, tail):
        used = (head - tail) % WRAP
        if used > self.capacity:
            raise impossible(f"{used} bytes unread in a ring of {self.capacity}")
        return used

    def _split(self, at, count):
        start = at & (self.capacity - 1)
        first = min(count, self.capacity - start)
        return HEADER + start, first, count - first

    def put(self, at, data):
        start, first, rest = self._split(at, len(data))
        self.bytes[start:start + first] = data[:first]
        self.bytes[HEADER:HEADER + rest] = data[first:]

    def get(self, at, count):
        start, first, rest = self._split(at, count)
        return bytes(self.bytes[start:start + first]) + bytes(self.bytes[HEADER:HEADER + rest])

    def store(self, word, value):
        fence()  # what was written and read before is so for whoever sees this
        self.words[word] = value % WRAP

    def close(self):
        self.words.release()
        self.bytes.release()
        self.map.close()


class Sender:
    """Makes a segment in place of whatever has the name."""

    def __init__(self, ring, wanted, keep, first):
        if not 2 * PREFIX <= wanted < WRAP - HEADER:
            raise invalid(f"a ring of {wanted} bytes")
        self.path, self.keep = path(ring), keep
        if os.path.lexists(self.path):
            os.unlink(self.path)
        fd = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(fd, wanted + HEADER)
            self.memory = Memory(fd, wanted + HEADER)
            self.inode = os.fstat(fd).st_ino
        finally:
            os.close(fd)
        self.memory.words[HEAD] = self.memory.words[TAIL] = self.head = first
        self.memory.words[RESERVED] = 0
        self.memory.capacity = 1 << (wanted.bit_length() - 1)
        self.memory.store(CAPACITY, self.memory.capacity)
        self.sent = self.full = 0

    @property
    def longest(self):
        return self.memory.capacity - PREFIX

    def unread(self):
        return self.memory.used(self.head, self.memory.words[TAIL])

    def _put(self, message):
        if PREFIX + len(message) > self.memory.capacity - self.unread():
            return False
        self.memory.put(self.head, struct.pack("<I", len(message)))
        self.memory.put(self.head + PREFIX, message)
        self.head = (self.head + PREFIX + len(message)) % WRAP
        self.memory.store(HEAD, self.head)
        self.sent += 1
        return True

    def send(self, message, seconds, may_be_empty=False):
        """Whether there was room within the time; None does not wait, and counts a full ring."""
        if not message and not may_be_empty:
            raise invalid("an empty message stops old receivers for ever")
        if len(message) > self.longest:
            raise Failure(L.ErrorKind.TOO_LARGE, f"{len(message)} bytes, {self.longest} fit")
        end = time.monotonic() + (seconds or 0)
        while not self._put(message):
            if time.monotonic() >= end:
                self.full += seconds is None
                return False
            time.sleep(PAUSE)
        return True

    def drain(self, seconds):
        end = time.monotonic() + seconds
        while self.unread() and time.monotonic() < end:
            time.sleep(PAUSE)
        return not self.unread()

    def close(self):
        self.memory.close()
        if not self.keep and os.path.exists(self.path) and os.stat(self.path).st_ino == self.inode:
            os.unlink(self.path)


class Receiver:
    """Attaches to a segment, and to the next one of the name."""

    def __init__(self, ring, seconds):
        self.path, end = path(ring), time.monotonic() + seconds
        while True:
            try:
                self.memory, self.inode = attach(self.path)
                break
            except Failure as failure:
                if failure.kind == L.ErrorKind.PROTOCOL or time.monotonic() >= end:
                    raise
                time.sleep(PAUSE)
        self.received = self.empty = self.restarts = 0

    def _next(self):
        """Where the next message begins, and its length."""
        while True:
            head = self.memory.words[HEAD]
            fence()
            tail = self.memory.words[TAIL]
            used = self.memory.used(head, tail)
            if used == 0:
                return None
            if used < PREFIX:
                raise impossible(f"{used} unread bytes")
            (length,) = struct.unpack("<I", self.memory.get(tail, PREFIX))
            if PREFIX + length > used:
                raise impossible(f"a message of {length} bytes among {used}")
            if length:
                return tail, length
            self.empty += 1
            self.memory.store(TAIL, tail + PREFIX)

    def _renew(self):
        """Moves on to the segment that has the name now."""
        try:
            if os.stat(self.path).st_ino == self.inode:
                return
            memory, inode = attach(self.path)
        except (FileNotFoundError, Failure):
            return
        self.memory.close()
        self.memory, self.inode = memory, inode
        self.restarts += 1

    def wait(self, seconds):
        """The next message within the time."""
        end, look = time.monotonic() + seconds, 0.0
        while (found := self._next()) is None:
            now = time.monotonic()
            if now >= look:
                look = now + LOOK_AT_NAME
                self._renew()
                if (found := self._next()) is not None:
                    break
            if now >= end:
                break
            time.sleep(PAUSE)
        return found

    def receive(self, seconds, room):
        if (found := self.wait(seconds)) is None:
            return None
        tail, length = found
        if room is not None and length > room:
            raise Failure(L.ErrorKind.TOO_LARGE, f"{length} bytes, there is room for {room}")
        message = self.memory.get(tail + PREFIX, length)
        self.memory.store(TAIL, tail + PREFIX + length)
        self.received += 1
        return message

    def skip(self):
        if (found := self.wait(0)) is None:
            return False
        tail, length = found
        self.memory.store(TAIL, tail + PREFIX + length)
        return True

    def close(self):
        self.memory.close()


def attach(name):
    """A segment whose header can be true, and its inode."""
    try:
        fd = os.open(name, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError as error:
        raise Failure(L.ErrorKind.NOT_FOUND, f"there is no {name}") from error
    try:
        header, status = os.pread(fd, HEADER, 0), os.fstat(fd)
        capacity = struct.unpack("<4I", header)[CAPACITY] if len(header) == HEADER else 0
        if capacity == 0:
            raise Failure(L.ErrorKind.TIMED_OUT, f"{name} has no header yet")
        if capacity & (capacity - 1) or not PREFIX <= capacity <= status.st_size - HEADER:
            raise impossible(f"{name}: a ring of {capacity} bytes in {status.st_size}")
        return Memory(fd, HEADER + capacity), status.st_ino
    finally:
        os.close(fd)
