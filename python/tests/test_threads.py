"""Views that wander between threads, while frames come and consumers go."""

from __future__ import annotations

import gc
import random
import threading
from collections.abc import Callable
from typing import Any

import framelane
import numpy
from conftest import DEADLINE
from framelane import Consumer, ErrorKind, Frame, Producer

FRAMES = 400
MAKE: list[Callable[[Frame], Any]] = [
    lambda frame: frame.array,
    lambda frame: frame.array[2:, ::3],
    lambda frame: frame.planes[0].raw,
    memoryview,
    numpy.from_dlpack,
]


class Pool:
    """Views of all threads, each with the value that its bytes have."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.views: list[tuple[int, Any]] = []

    def exchange(self, chance: random.Random, value: int, view: Any) -> None:
        """Adds a view, looks at one of anybody's and drops it."""
        with self.lock:
            self.views.append((value, view))
            if len(self.views) < 4:
                return
            value, view = self.views.pop(chance.randrange(len(self.views)))
        assert (numpy.asarray(view) == value).all()

    def clear(self) -> None:
        with self.lock:
            self.views.clear()
        gc.collect()


def read(number: int, pool: Pool) -> None:
    chance = random.Random(number)
    consumer = Consumer("lane", chance.choice(["latest", "ordered"]), leases=5)
    while consumer.received < FRAMES:
        try:
            frame = consumer.read(DEADLINE)
        except framelane.Error as error:
            assert error.kind == ErrorKind.LEASES_IN_USE
            pool.clear()
            continue
        assert frame is not None
        view = chance.choice(MAKE)(frame)
        value = frame.info.capture_id
        if chance.random() < 0.5:
            frame.release()
        pool.exchange(chance, value, view)
    consumer.close()


def test_no_view_ever_shows_other_bytes() -> None:
    pool, done, failed = Pool(), threading.Event(), []
    with Producer("lane", "grey", 64, 16, lease_budget=20, claims=2, history=4) as producer:

        def guarded(work: Callable[[], None]) -> None:
            try:
                work()
            except BaseException as error:
                failed.append(error)

        def produce() -> None:
            value = 0
            while not done.is_set():
                value = (value + 1) % 256
                with producer.claim(DEADLINE) as frame:
                    frame.info.capture_id = value
                    frame.array[:] = value

        def reader(number: int) -> Callable[[], None]:
            return lambda: read(number, pool)

        writers = [threading.Thread(target=guarded, args=(produce,)) for _ in range(2)]
        readers = [threading.Thread(target=guarded, args=(reader(n),)) for n in range(4)]
        for thread in writers + readers:
            thread.start()
        for thread in readers:
            thread.join(DEADLINE)
        done.set()
        for thread in writers:
            thread.join(DEADLINE)
        assert failed == [] and not any(thread.is_alive() for thread in writers + readers)
        pool.clear()
