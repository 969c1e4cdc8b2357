"""The shmbuf ring in plain Python, from the description of its layout: no code of ours or theirs.

    shmbuf.py send PATH CAPACITY COUNT FIRST     makes the segment and sends
    shmbuf.py recv PATH COUNT                    attaches and receives
    shmbuf.py deaf PATH COUNT                    the same, with counters that must not wrap

FIRST is where the running counters begin. Message n is n as eight bytes, then n * 37 % 300 bytes
(n + i) & 255.
"""

import mmap
import os
import struct
import sys
import time

DEADLINE = time.monotonic() + 60


def message(number):
    tail = bytes((number + i) & 255 for i in range(number * 37 % 300))
    return struct.pack("<Q", number) + tail


def pause():
    if time.monotonic() > DEADLINE:
        sys.exit("nothing moves")
    time.sleep(0.001)


class Ring:
    def __init__(self, memory):
        self.memory = memory
        self.capacity = self.word(8)

    def word(self, at):
        return struct.unpack_from("<I", self.memory, at)[0]

    def store(self, at, value):
        struct.pack_into("<I", self.memory, at, value & 0xFFFFFFFF)

    def put(self, at, data):
        for i, byte in enumerate(data):
            self.memory[16 + ((at + i) & (self.capacity - 1))] = byte

    def get(self, at, count):
        places = (16 + ((at + i) & (self.capacity - 1)) for i in range(count))
        return bytes(self.memory[place] for place in places)


def make(path, capacity, first):
    if os.path.exists(path):
        os.unlink(path)
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
    os.ftruncate(fd, capacity + 16)
    memory = mmap.mmap(fd, capacity + 16)
    struct.pack_into("<II", memory, 0, first, first)
    struct.pack_into("<I", memory, 8, 1 << (capacity.bit_length() - 1))
    struct.pack_into("<I", memory, 12, 0)
    return Ring(memory)


def attach(path):
    while not os.path.exists(path):
        pause()
    fd = os.open(path, os.O_RDWR)
    return Ring(mmap.mmap(fd, os.fstat(fd).st_size))


def send(ring, count):
    for number in range(count):
        data = message(number)
        head = ring.word(0)
        while ring.capacity - ((head - ring.word(4)) & 0xFFFFFFFF) < 4 + len(data):
            pause()
        ring.put(head, struct.pack("<I", len(data)))
        ring.put(head + 4, data)
        ring.store(0, head + 4 + len(data))
    while ring.word(0) != ring.word(4):
        pause()


def recv(ring, count, mask):
    for number in range(count):
        while True:
            head, tail = ring.word(0), ring.word(4)
            if (head - tail) & mask >= 4 if mask else head - tail >= 4:
                break
            pause()
        length, = struct.unpack("<I", ring.get(tail, 4))
        if ring.get(tail + 4, length) != message(number):
            sys.exit(f"message {number} is another")
        ring.store(4, tail + 4 + length)


role, path, *rest = sys.argv[1:]
numbers = [int(text) for text in rest]
if role == "send":
    capacity, count, first = numbers
    send(make(path, capacity, first), count)
else:
    recv(attach(path), numbers[0], 0xFFFFFFFF if role == "recv" else 0)
