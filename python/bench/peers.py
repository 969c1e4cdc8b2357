"""What taking a frame costs in Python, beside the usual ways to share one: one thread, no waiting.

Each takes a frame as a NumPy array and gives it back; the figure is the processor time of that
alone. Rounds alternate, ratios are of the same round. Shared memory with a queue is measured
without what it would need to be safe: nothing tells its producer when a slot may be written again.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from multiprocessing import shared_memory

import framelane
import iceoryx2
import numpy

WIDTH, HEIGHT = 640, 480
SHAPE = (HEIGHT * 3 // 2, WIDTH)
BYTES = SHAPE[0] * SHAPE[1]
FRAMES = 20_000
ROUNDS = 7
BATCH = 64
"""Messages that fit a pipe, so that the queue's own thread is done before they are taken."""

Step = Callable[[], object]
Measure = Callable[[], float]


def spent(frames: int, step: Step) -> float:
    """Processor time of the process for each frame, in nanoseconds."""
    start = time.process_time_ns()
    for _ in range(frames):
        step()
    return (time.process_time_ns() - start) / frames


def taking(publish: Step, take: Step) -> Measure:
    """What `take` costs, each after a `publish` whose cost is taken off."""

    def both() -> None:
        publish()
        take()

    return lambda: spent(FRAMES, both) - spent(FRAMES, publish)


@contextmanager
def lane(directory: str) -> Iterator[Measure]:
    with framelane.Producer("peers", "nv12", WIDTH, HEIGHT, directory=directory) as producer:
        with framelane.Consumer("peers", directory=directory) as consumer:

            def take() -> None:
                frame = consumer.try_next()
                frame.array
                frame.release()

            yield taking(lambda: producer.claim().publish(), take)


@contextmanager
def iceoryx() -> Iterator[Measure]:
    iceoryx2.set_log_level(iceoryx2.LogLevel.Error)
    node = iceoryx2.NodeBuilder.new().create(iceoryx2.ServiceType.Ipc)
    service = (
        node.service_builder(iceoryx2.ServiceName.new(f"framelane-peers-{os.getpid()}"))
        .publish_subscribe(iceoryx2.Slice[ctypes.c_uint8])
        .subscriber_max_buffer_size(1)
        .history_size(0)
        .enable_safe_overflow(True)
        .open_or_create()
    )
    publisher = service.publisher_builder().initial_max_slice_len(BYTES).create()
    subscriber = service.subscriber_builder().create()

    def take() -> None:
        sample = subscriber.receive()
        view = sample.payload().as_memory_view()
        numpy.frombuffer(view, numpy.uint8).reshape(SHAPE)
        sample.delete()

    yield taking(lambda: publisher.loan_slice_uninit(BYTES).assume_init().send(), take)


@contextmanager
def queue() -> Iterator[Measure]:
    ring = shared_memory.SharedMemory(create=True, size=BYTES * BATCH)
    slots: multiprocessing.Queue[int] = multiprocessing.Queue()

    def take() -> None:
        slot = slots.get()
        numpy.ndarray(SHAPE, numpy.uint8, ring.buf, slot * BYTES)

    def measure() -> float:
        total = 0
        for _ in range(FRAMES // BATCH):
            for slot in range(BATCH):
                slots.put(slot)
            while slots.qsize() < BATCH or slots._buffer:  # type: ignore[attr-defined]
                time.sleep(0)
            time.sleep(0.001)  # its thread lets go of the last one
            start = time.thread_time_ns()
            for _ in range(BATCH):
                take()
            total += time.thread_time_ns() - start
        return total / (FRAMES // BATCH * BATCH)

    try:
        yield measure
    finally:
        ring.close()
        ring.unlink()


def main() -> None:
    with (
        tempfile.TemporaryDirectory() as lanes,
        lane(lanes) as ours,
        iceoryx() as theirs,
        queue() as recipe,
    ):
        ways = {
            "framelane": ours,
            f"iceoryx2 {metadata.version('iceoryx2')}": theirs,
            "shared_memory + Queue": recipe,
        }
        rounds = [{name: way() for name, way in ways.items()} for _ in range(1 + ROUNDS)][1:]
    print("| to take a frame as an array and give it back | median | ratio |\n|---|---|---|")
    for name in ways:
        median = statistics.median(figures[name] for figures in rounds)
        ratio = statistics.median(figures[name] / figures["framelane"] for figures in rounds)
        print(f"| {name} | {median / 1000:.2f} µs | {ratio:.1f} x |")


main()
