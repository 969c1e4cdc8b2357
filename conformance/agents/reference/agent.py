"""The reference agent: conformance/README.md in plain Python, without framelane's own code.

It reads and writes the bytes that schema/README.md describes, in both roles, and is the witness
against which the bindings are judged. It is written to be read, not to be fast.
"""

import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Isolated Python adds neither the script's own folder nor any other.
sys.path[:0] = [HERE, os.path.join(HERE, "../../../schema/generated/python")]
sys.dont_write_bytecode = True

import framelane_layout as L  # noqa: E402
import pixels  # noqa: E402
import wire  # noqa: E402
from consumer import Consumer  # noqa: E402
from kernel import Failure  # noqa: E402
from messages import NOTHING, WORDS as MESSAGES, Messages  # noqa: E402
from options import Options, device_buffer  # noqa: E402
from producer import Producer  # noqa: E402
from streams import WORDS, Streams  # noqa: E402


class Line(dict):
    """The `key=value` of a command. Numbers that are not there are 0."""

    def number(self, key, otherwise=0):
        return int(self.get(key, otherwise))

    def need(self, key):
        if key not in self:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"{key}= is missing")
        return self[key]

    def layout(self):
        """Hash and table to speak with; foreign=1 are those of a build that moved a field."""
        foreign = self.number("foreign")
        return L.LAYOUT_HASH ^ foreign, wire.layout_table(bool(foreign))


def find(things, number, what):
    if number not in things:
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"there is no {what} {number}")
    return things[number]


class Agent:
    """What the agent has, and a method for each command."""

    def __init__(self):
        self.producer = None
        self.claims, self.consumers, self.frames = {}, {}, {}
        self.streams = Streams()
        self.messages = Messages()

    # Producer

    def create(self, line):
        picture = None
        if "format" in line:
            picture = pixels.layout(line["format"], line.number("width"), line.number("height"),
                                    line.number("align", 1))
        memory = L.MemoryKind[line.get("memory", "inline").upper()]
        devices = [device_buffer(picture, number, line.number("writable"))
                   for number in range(line.number("buffers"))]
        options = Options(
            picture, line.number("payload_bytes"), line.number("lease_budget", 8),
            line.number("claims", 1), line.number("history", 1), line.number("lossless"),
            line.get("access", "owner"), line.get("trust", "same_user"), memory,
            line.number("lease_ms") * 1_000_000, devices, *line.layout())
        producer = Producer(line.need("lane"), options)
        if self.producer:
            self.close_producer(line)
        self.producer = producer
        return {"epoch": producer.epoch}

    def _producer(self):
        if not self.producer:
            raise Failure(L.ErrorKind.INVALID_ARGUMENT, "there is no producer")
        return self.producer

    def publish(self, line):
        claim = self._producer().claim()
        try:
            self._fill(claim, line)
            return {"sequence": self.producer.publish([claim.slot])}
        except Failure:
            claim.abandon()
            raise

    @staticmethod
    def _fill(claim, line):
        pixels.set_fields(claim.descriptor, line)
        if "seed" in line:
            claim.fill(line.number("seed"))

    def claim(self, line):
        seconds = line.number("timeout_ms") / 1000
        self.claims[line.number("claim")] = self._producer().claim(seconds)

    def fill(self, line):
        self._fill(find(self.claims, line.number("claim"), "claim"), line)

    def commit(self, line):
        numbers = [int(number) for number in line.need("claims").split(",")]
        slots = [find(self.claims, number, "claim").slot for number in numbers]
        for number in numbers:
            del self.claims[number]
        return {"sequence": self._producer().publish(slots)}

    def abandon(self, line):
        find(self.claims, line.number("claim"), "claim").abandon()
        del self.claims[line.number("claim")]

    def publish_external(self, line):
        descriptor = L.FrameDescriptor()
        if self._producer().options.picture:
            pixels.apply(self.producer.options.picture, descriptor, line.number("buffer"))
        pixels.set_fields(descriptor, line)
        return {"sequence": self.producer.publish_external(descriptor)}

    def returned(self, line):
        returned = self.returned_before + (self.producer.returned if self.producer else [])
        return {"count": len(returned), "revoked": sum(returned)}

    def recall(self, line):
        self._producer().recall()

    def report(self, line):
        producer = self._producer()
        with producer.lock:
            return {"consumers": len(producer.members), "published": producer.sequence,
                    "abandoned": producer.abandoned, "no_free_slot": producer.no_free_slot,
                    "revoked": producer.revoked, "leases_granted": producer.leases_granted(),
                    "slots": producer.options.slots}

    def close_producer(self, line):
        producer = self._producer()
        for number in [n for n, claim in self.claims.items() if claim.producer is producer]:
            self.claims.pop(number)
        producer.close()
        self.returned_before, self.producer = producer.returned, None

    # Consumer

    def open(self, line):
        mode = L.Mode[line.need("mode").upper()]
        consumer = Consumer(line.need("lane"), mode, line.number("leases", 1),
                            line.number("wait_ms") / 1000, line.number("reattach", 1),
                            line.number("writable"), *line.layout())
        number = line.number("consumer")
        if number in self.consumers:
            self.consumers[number].close()
        self.consumers[number] = consumer
        return {"epoch": consumer.current.lane.header.epoch}

    def _consumer(self, line):
        return find(self.consumers, line.number("consumer"), "consumer")

    def _frame(self, line):
        return find(self.frames, line.number("frame"), "frame")

    def _keep(self, frame, line):
        if frame is None:
            return None
        number = line.number("frame")
        if number in self.frames:
            old = self.frames.pop(number)
            old.attachment.release(old.cell)
        self.frames[number] = frame
        return {"sequence": frame.sequence, "missed": frame.missed,
                "new_epoch": int(frame.new_epoch)}

    def next(self, line):
        return self._keep(self._consumer(line).next(int(line.need("timeout_ms")) / 1000), line)

    def try_(self, line):
        return self._keep(self._consumer(line).try_next(), line)

    def latest(self, line):
        return self._keep(self._consumer(line).latest(), line)

    def wait(self, line):
        ready = self._consumer(line).wait(int(line.need("timeout_ms")) / 1000)
        return {"ready": int(ready)}

    def poll(self, line):
        ready = self._consumer(line).poll(int(line.need("timeout_ms")) / 1000)
        return {"ready": int(ready)}

    def read(self, line):
        frame = self._frame(line)
        planes, descriptor = frame.planes(), frame.descriptor
        answer = {"format": descriptor.fourcc, "width": descriptor.width,
                  "height": descriptor.height, "planes": len(planes)}
        for number, data in enumerate(planes):
            plane = descriptor.planes[number]
            answer |= {f"size{number}": plane.size_bytes, f"stride{number}": plane.stride_bytes,
                       f"rows{number}": plane.rows, f"crc{number}": pixels.crc(data)}
        return answer

    def in_place(self, line):
        frame = self._frame(line)
        answer = {}
        for number, data in enumerate(frame.planes()):
            file = os.fstat(frame.plane_fd(number)).st_ino
            answer |= {f"crc{number}": pixels.crc(data), f"file{number}": file}
        return answer

    def describe(self, line):
        return pixels.describe(self._frame(line).descriptor)

    def check(self, line):
        return {"intact": int(self._frame(line).check())}

    def release(self, line):
        frame = self._frame(line)
        del self.frames[line.number("frame")]
        frame.release()

    def count(self, line):
        consumer = self._consumer(line)
        return {"received": consumer.received, "missed": consumer.missed}

    def close(self, line):
        self._consumer(line).close()
        del self.consumers[line.number("consumer")]

    def close_later(self, line):
        consumer, seconds = self._consumer(line), int(line.need("after_ms")) / 1000

        def close():
            time.sleep(seconds)
            consumer.closed = True  # a sleeper looks after each slice

        threading.Thread(target=close, daemon=True).start()

    # Both

    returned_before = []

    def decode(self, line):
        with open(line.need("file"), "rb") as file:
            return pixels.describe(L.FrameDescriptor.from_buffer_copy(file.read()))

    def reset(self, line):
        for frame in self.frames.values():
            frame.attachment.release(frame.cell)
        for consumer in self.consumers.values():
            consumer.close()
        if self.producer:
            self.close_producer(line)
        self.streams.reset()
        self.messages.reset()
        self.__init__()
        self.returned_before = []


COMMANDS = {"try": Agent.try_} | {
    word: getattr(Agent, word) for word in
    "create publish claim fill commit abandon publish_external returned recall report "
    "close_producer open next latest wait poll read in_place describe check release count close "
    "close_later decode reset".split()} | {
    word: lambda agent, line, word=word: getattr(agent.streams, word)(line) for word in WORDS} | {
    word: lambda agent, line, word=word: getattr(agent.messages, word)(line) for word in MESSAGES}


def answer(agent, text):
    word, *pairs = text.split()
    if word not in COMMANDS:
        raise Failure(L.ErrorKind.INVALID_ARGUMENT, f"there is no command {word}")
    result = COMMANDS[word](agent, Line(pair.split("=", 1) for pair in pairs))
    if result is None:
        nothing = ("next", "try", "latest", "next_record", *NOTHING)
        return "none" if word in nothing else "ok"
    return " ".join(["ok", *(f"{key}={value}" for key, value in result.items())])


def main():
    agent = Agent()
    print("ready language=reference", flush=True)
    for text in sys.stdin:
        if text.strip() == "quit":
            break
        try:
            print(answer(agent, text), flush=True)
        except Failure as error:
            print(f"error kind={error.kind.name.lower()} text={error}", flush=True)
        except (KeyError, ValueError) as error:  # the line itself has no meaning
            print(f"error kind=invalid_argument text={error}", flush=True)


main()
