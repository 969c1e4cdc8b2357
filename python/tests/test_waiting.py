"""Waiting: without the interpreter lock, ended by signals, by closing and by news."""

import asyncio
import os
import select
import signal
import subprocess
import sys
import threading
import time

import framelane
import pytest
from conftest import DEADLINE, publish, read
from framelane import Consumer, ErrorKind, Producer


def test_nothing_in_time_is_none(producer: Producer, consumer: Consumer) -> None:
    assert consumer.read(0) is None
    assert consumer.read(0.01) is None
    assert not consumer.wait(0.01)
    assert not consumer.wait(0)
    for bad in (-1.0, float("nan")):
        with pytest.raises(framelane.InvalidArgumentError):
            consumer.read(bad)


def test_a_wait_lets_other_threads_run(producer: Producer, consumer: Consumer) -> None:
    """The producer is a thread of the same interpreter, and gets its turn."""
    thread = threading.Timer(0.05, publish, (producer, 5))
    thread.start()
    frame = consumer.read()
    assert frame is not None and frame.array[0, 0] == 5
    thread.join(DEADLINE)
    thread = threading.Timer(0.05, publish, (producer, 6))
    thread.start()
    assert consumer.wait()
    thread.join(DEADLINE)


def test_a_second_thread_is_told_to_open_its_own(producer: Producer, consumer: Consumer) -> None:
    done: list[object] = []
    waiter = threading.Thread(target=lambda: done.append(consumer.read()))
    waiter.start()
    refused = None
    for _ in range(10_000):
        try:
            consumer.try_next()
        except framelane.InvalidArgumentError as error:
            refused = str(error)
            break
        time.sleep(0.001)
    assert refused is not None and "one for each thread" in refused
    assert consumer.received == 0
    publish(producer, 1)
    waiter.join(DEADLINE)
    assert len(done) == 1 and done[0] is not None


def test_closing_ends_a_wait(producer: Producer, consumer: Consumer) -> None:
    threading.Timer(0.05, consumer.close).start()
    with pytest.raises(framelane.Error) as caught:
        consumer.read()
    assert caught.value.kind == ErrorKind.CLOSED
    for call in (consumer.try_next, consumer.read_latest, consumer.wait, consumer.fileno):
        with pytest.raises(framelane.Error) as caught:
            call()
        assert caught.value.kind == ErrorKind.CLOSED
    assert list(consumer) == []


INTERRUPTED = """
import framelane, signal, threading, os
{made}
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {call}
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(
    "call",
    [
        "consumer.read()",
        "consumer.wait()",
        "next(iter(consumer))",
        "framelane.Consumer('nobody', wait=None)",
        "producer.claim(None)",
    ],
)
def test_ctrl_c_ends_a_wait(call: str) -> None:
    made = "producer = framelane.Producer('lane', 'grey', 16, 4); claimed = producer.claim()\n"
    made += "consumer = framelane.Consumer('lane')"
    script = INTERRUPTED.format(made=made, call=call)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=DEADLINE
    )
    assert ended.stdout == "interrupted\n", ended.stderr


def test_a_signal_handler_runs_and_the_wait_goes_on(
    producer: Producer, consumer: Consumer
) -> None:
    """A handler that does not raise does not end the wait."""
    before = signal.signal(signal.SIGUSR1, lambda *_: publish(producer, 3) and None)
    try:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGUSR1)).start()
        assert read(consumer).array[0, 0] == 3
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_open_waits_for_a_producer() -> None:
    with pytest.raises(framelane.NotFoundError, match="later"):
        Consumer("later", wait=0.01)
    made: list[Producer] = []
    make = threading.Timer(0.1, lambda: made.append(Producer("later", "grey", 16, 4)))
    make.start()
    Consumer("later", wait=DEADLINE).close()
    make.join(DEADLINE)
    made[0].close()


def test_the_descriptor_wakes_select(producer: Producer, consumer: Consumer) -> None:
    poll = select.poll()
    poll.register(consumer, select.POLLIN)
    while consumer.try_next() is not None:
        pass
    publish(producer, 1)
    deadline = time.monotonic() + DEADLINE
    frame = None
    while frame is None and time.monotonic() < deadline:
        poll.poll(1000)
        frame = consumer.try_next()
    assert frame is not None and frame.sequence == 1


def test_async_for_reads_without_blocking_the_loop(
    producer: Producer, consumer: Consumer
) -> None:
    async def produce() -> None:
        for value in range(5):
            await asyncio.sleep(0.01)
            publish(producer, value)
            while consumer.received <= value:
                await asyncio.sleep(0.001)
        consumer.close()

    async def consume() -> list[int]:
        return [int(frame.array[0, 0]) async for frame in consumer]

    async def both() -> list[int]:
        task = asyncio.create_task(produce())
        values = await asyncio.wait_for(consume(), DEADLINE)
        await task
        return values

    threads = threading.active_count()
    assert asyncio.run(both()) == list(range(5))
    assert threading.active_count() == threads


def test_async_reads_time_out_and_are_cancelled(producer: Producer, consumer: Consumer) -> None:
    async def scene() -> None:
        assert await consumer.read_async(0.01) is None
        task = asyncio.create_task(consumer.read_async())
        await asyncio.sleep(0.01)
        with pytest.raises(framelane.InvalidArgumentError, match="another task"):
            await consumer.read_async()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        publish(producer, 4)
        frame = await consumer.read_async(DEADLINE)
        assert frame is not None and frame.array[0, 0] == 4

    asyncio.run(scene())


def test_two_consumers_in_one_loop() -> None:
    async def scene() -> None:
        with Producer("left", "grey", 16, 4) as left, Producer("right", "grey", 16, 4) as right:
            with Consumer("left") as one, Consumer("right") as other:
                both = asyncio.gather(one.read_async(), other.read_async())
                await asyncio.sleep(0.01)
                publish(right, 2)
                publish(left, 1)
                frames = await asyncio.wait_for(both, DEADLINE)
                assert [int(f.array[0, 0]) for f in frames if f is not None] == [1, 2]

    asyncio.run(scene())
