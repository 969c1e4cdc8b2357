"""The Python agent of the conformance runs: does line by line what conformance/README.md says."""

from __future__ import annotations

import os
import select
import sys
import threading
import zlib
from collections.abc import Callable
from functools import partial
from typing import Any

from framelane import Consumer, Error, ErrorKind, Frame, FrameInfo, FrameMut, MemoryKind, Producer
from framelane import picture
from line import Line, Misunderstood, apply_fields, fields, numbered
from messages import Messages
from pixels import device_buffers, filled
from streams import Answer, Streams
from switching import Switching


class Agent:
    """Everything the agent has."""

    def __init__(self) -> None:
        self.producer: Producer | None = None
        self.picture: FrameInfo | None = None
        self.claims: dict[int, FrameMut] = {}
        self.consumers: dict[int, Consumer] = {}
        self.frames: dict[int, Frame] = {}
        self.returned_frames: list[bool] = []
        self.streams = Streams()
        self.messages = Messages()
        self.switching = Switching()

    # As producer

    def create(self, line: Line) -> Answer:
        names = ("payload_bytes", "lease_budget", "claims", "history")
        options: dict[str, Any] = {name: line.number(name) for name in names if name in line}
        options |= {name: line[name] for name in ("access", "trust", "memory") if name in line}
        layout = None
        if "format" in line:
            size = {name: line.number(name) for name in ("width", "height")}
            format: Any = line["format"]
            options |= size | {"format": format, "stride_align": line.number("align", 1)}
            layout = picture(format, **size, stride_align=line.number("align", 1))
        if "memory" in line and layout:
            options["device_buffers"] = device_buffers(layout, line)
        lossless, lease = line.number("lossless") != 0, line.number("lease_ms") / 1000
        producer = Producer(line.need("lane"), lossless=lossless, lease=lease, **options)
        if self.producer:
            self.producer.close()
        self.producer, self.picture = producer, layout
        self.claims, self.returned_frames = {}, []
        return f" epoch={producer.epoch}"

    def _producer(self) -> Producer:
        if not self.producer:
            raise Misunderstood("there is no producer")
        return self.producer

    def _fill(self, frame: FrameMut, line: Line) -> None:
        apply_fields(line, frame.info)
        if "seed" in line:
            for number, plane in enumerate(frame.planes):
                plane.raw[:] = filled(number, line.number("seed"), plane.size_bytes)

    def publish(self, line: Line) -> Answer:
        with self._producer().claim() as frame:
            self._fill(frame, line)
            return f" sequence={frame.publish()}"

    def claim(self, line: Line) -> Answer:
        timeout = line.seconds("timeout_ms") if "timeout_ms" in line else 0.0
        self.claims[line.number("claim")] = self._producer().claim(timeout)
        return ""

    def fill(self, line: Line) -> Answer:
        self._fill(numbered(self.claims, "claim", line), line)
        return ""

    def commit(self, line: Line) -> Answer:
        numbers = [Line(f"commit claim={number}") for number in line.need("claims").split(",")]
        frames = [numbered(self.claims, "claim", number) for number in numbers]
        for number in numbers:
            del self.claims[number.number("claim")]
        if len(frames) == 1:
            return f" sequence={frames[0].publish()}"
        return f" sequence={self._producer().publish_batch(frames)}"

    def abandon(self, line: Line) -> Answer:
        numbered(self.claims, "claim", line).abandon()
        del self.claims[line.number("claim")]
        return ""

    def publish_external(self, line: Line) -> Answer:
        info = FrameInfo.from_buffer_copy(self.picture) if self.picture else FrameInfo()
        for plane in info.planes:
            plane.buffer_index = line.number("buffer")
        apply_fields(line, info)
        returned = self.returned_frames
        sequence = self._producer().publish_external(info, lambda _, gone: returned.append(gone))
        return f" sequence={sequence}"

    def returned(self, line: Line) -> Answer:
        return f" count={len(self.returned_frames)} revoked={sum(self.returned_frames)}"

    def recall(self, line: Line) -> Answer:
        self._producer().recall()
        return ""

    def report(self, line: Line) -> Answer:
        r = self._producer().report()
        return (
            f" consumers={r.consumer_count} published={r.published} abandoned={r.abandoned}"
            f" no_free_slot={r.no_free_slot} revoked={r.revoked}"
            f" leases_granted={r.leases_granted} slots={r.slot_count}"
        )

    def close_producer(self, line: Line) -> Answer:
        self._producer().close()
        self.producer = None
        return ""

    # As consumer

    def open(self, line: Line) -> Answer:
        mode: Any = line.need("mode")
        consumer = Consumer(
            line.need("lane"),
            mode,
            leases=line.number("leases", 1),  # what the scenarios count on; here the default is 2
            wait=line.number("wait_ms") / 1000,
            reattach=line.number("reattach", 1) != 0,
            writable=line.number("writable") != 0,
        )
        if before := self.consumers.get(line.number("consumer")):
            before.close()
        self.consumers[line.number("consumer")] = consumer
        return f" epoch={consumer.epoch}"

    def _consumer(self, line: Line) -> Consumer:
        return numbered(self.consumers, "consumer", line)

    def _frame(self, line: Line) -> Frame:
        return numbered(self.frames, "frame", line)

    def _keep(self, frame: Frame | None, line: Line) -> Answer:
        if frame is None:
            return None
        before = self.frames.get(line.number("frame"))
        self.frames[line.number("frame")] = frame
        if before:
            before.release()
        said = f" sequence={frame.sequence} missed={frame.missed}"
        return f"{said} new_epoch={int(frame.new_epoch)}"

    def next(self, line: Line) -> Answer:
        return self._keep(self._consumer(line).read(line.seconds("timeout_ms")), line)

    def try_(self, line: Line) -> Answer:
        return self._keep(self._consumer(line).try_next(), line)

    def latest(self, line: Line) -> Answer:
        return self._keep(self._consumer(line).read_latest(), line)

    def wait(self, line: Line) -> Answer:
        return f" ready={int(self._consumer(line).wait(line.seconds('timeout_ms')))}"

    def poll(self, line: Line) -> Answer:
        poll = select.poll()
        poll.register(self._consumer(line), select.POLLIN)
        return f" ready={len(poll.poll(line.seconds('timeout_ms') * 1000))}"

    def read(self, line: Line) -> Answer:
        frame = self._frame(line)
        info, planes = frame.info, frame.planes
        answer = f" format={info.fourcc} width={info.width} height={info.height}"
        answer += f" planes={len(planes)}"
        for n, plane in enumerate(planes):
            data: bytearray | memoryview = plane.raw
            if info.memory_kind != MemoryKind.INLINE:
                data = bytearray(plane.size_bytes)
                frame.copy_to(n, data)
            layout, crc = info.planes[n], zlib.crc32(data)
            answer += f" size{n}={plane.size_bytes} stride{n}={layout.stride_bytes}"
            answer += f" rows{n}={layout.rows} crc{n}={crc:08x}"
        return answer

    def in_place(self, line: Line) -> Answer:
        frame, answer = self._frame(line), ""
        for n, plane in enumerate(frame.planes):
            fd = frame.plane_fd(n)
            try:
                file = os.fstat(fd).st_ino
            finally:
                os.close(fd)
            answer += f" crc{n}={zlib.crc32(plane.raw):08x} file{n}={file}"
        return answer

    def describe(self, line: Line) -> Answer:
        return " " + " ".join(fields(self._frame(line).info))

    def check(self, line: Line) -> Answer:
        return f" intact={int(self._frame(line).check())}"

    def release(self, line: Line) -> Answer:
        frame = self._frame(line)
        del self.frames[line.number("frame")]
        frame.release()
        return ""

    def count(self, line: Line) -> Answer:
        consumer = self._consumer(line)
        return f" received={consumer.received} missed={consumer.missed}"

    def close(self, line: Line) -> Answer:
        self._consumer(line).close()
        del self.consumers[line.number("consumer")]
        return ""

    def close_later(self, line: Line) -> Answer:
        threading.Timer(line.seconds("after_ms"), self._consumer(line).close).start()
        return ""

    # Both

    def decode(self, line: Line) -> Answer:
        with open(line.need("file"), "rb") as file:
            return " " + " ".join(fields(FrameInfo.from_buffer_copy(file.read())))

    def reset(self, line: Line) -> Answer:
        for consumer in self.consumers.values():
            consumer.close()
        if self.producer:
            self.producer.close()
        self.streams.close()
        self.messages.close()
        self.switching.close()
        self.__init__()  # type: ignore[misc]
        return ""


WORDS = (
    "create publish claim fill commit abandon publish_external returned recall report "
    "close_producer open next latest wait poll read in_place describe check release count close "
    "close_later decode reset"
)
COMMANDS = {"try": Agent.try_} | {word: getattr(Agent, word) for word in WORDS.split()}


def command(agent: Agent, word: str) -> Callable[[Line], Answer]:
    """What a word does."""
    if word in COMMANDS:
        return partial(COMMANDS[word], agent)
    parts = (agent.streams, agent.messages, agent.switching)
    of_others = next((found for part in parts if (found := part.command(word))), None)
    if of_others is None:
        raise Misunderstood(f"there is no command {word!r}")
    return of_others


def answer(agent: Agent, text: str) -> str:
    try:
        line = Line(text)
        values = command(agent, line.word)(line)
        return "none" if values is None else f"ok{values}"
    except Error as error:
        return f"error kind={error.kind.name.lower()} text={error}"
    except (Misunderstood, OverflowError, OSError) as error:
        return f"error kind={ErrorKind.INVALID_ARGUMENT.name.lower()} text={error}"


def main() -> None:
    agent = Agent()
    print("ready language=python", flush=True)
    for text in sys.stdin:
        if text.strip() == "quit":
            break
        print(answer(agent, text), flush=True)


if __name__ == "__main__":
    main()
