"""Waiting for records and for room: without the interpreter lock, ended by signals and news."""

import asyncio
import gc
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import framelane
import pytest
from conftest import DEADLINE, next_record
from framelane import ErrorKind, LappedError, StreamReader, StreamWriter


@pytest.fixture
def writer() -> Iterator[StreamWriter]:
    with StreamWriter("stream", "opaque", data_bytes=65536, lossless=True) as writer:
        yield writer


@pytest.fixture
def reader(writer: StreamWriter) -> Iterator[StreamReader]:
    with StreamReader("stream", "next") as reader:
        yield reader


def test_a_wait_lets_other_threads_run(writer: StreamWriter, reader: StreamReader) -> None:
    thread = threading.Timer(0.05, writer.write, (b"first",))
    thread.start()
    record = reader.read()
    assert record is not None and bytes(record) == b"first"
    thread.join(DEADLINE)
    thread = threading.Timer(0.05, writer.write, (b"second",))
    thread.start()
    assert reader.wait()
    thread.join(DEADLINE)


def test_a_writer_waits_for_a_lossless_reader(writer: StreamWriter) -> None:
    """Both are threads of one interpreter."""
    with StreamReader("stream", lossless=True) as reader:
        writer.write(bytes(32768))
        writer.write(bytes(32768))
        record = next_record(reader)
        thread = threading.Timer(0.05, record.release)
        thread.start()
        assert writer.write(b"third", timeout=None) == 3
        thread.join(DEADLINE)


def test_a_wanted_key_record_ends_a_wait(writer: StreamWriter, reader: StreamReader) -> None:
    thread = threading.Timer(0.05, reader.request_key_frame)
    thread.start()
    assert writer.key_frame_wanted(None)
    thread.join(DEADLINE)


def test_a_second_thread_is_told_to_open_its_own(
    writer: StreamWriter, reader: StreamReader
) -> None:
    done: list[object] = []
    waiter = threading.Thread(target=lambda: done.append(reader.read()))
    waiter.start()
    refused = None
    for _ in range(10_000):
        try:
            reader.try_next()
        except framelane.InvalidArgumentError as error:
            refused = str(error)
            break
        time.sleep(0.001)
    assert refused is not None and "one for each thread" in refused
    assert reader.received == 0
    writer.write(b"")
    waiter.join(DEADLINE)
    assert len(done) == 1 and done[0] is not None


def test_closing_ends_a_wait(writer: StreamWriter, reader: StreamReader) -> None:
    threading.Timer(0.05, reader.close).start()
    with pytest.raises(framelane.Error) as caught:
        reader.read()
    assert caught.value.kind == ErrorKind.CLOSED
    for call in (reader.try_next, reader.wait, reader.fileno, reader.request_key_frame):
        with pytest.raises(framelane.Error) as caught:
            call()
        assert caught.value.kind == ErrorKind.CLOSED
    assert list(reader) == []
    record = writer.begin(1)
    threading.Timer(0.05, writer.close).start()
    with pytest.raises(framelane.Error) as caught:
        writer.begin(1, None)
    assert caught.value.kind == ErrorKind.CLOSED
    record.abandon()


def test_without_reattaching_the_loop_ends_with_the_writer(writer: StreamWriter) -> None:
    reader = StreamReader("stream", reattach=False)
    writer.write(b"last")
    writer.close()
    assert [bytes(record) for record in reader] == [b"last"]


def test_the_next_writer_is_found(writer: StreamWriter, reader: StreamReader) -> None:
    writer.write(b"old")
    assert bytes(next_record(reader)) == b"old"
    writer.close()
    with StreamWriter("stream", "json") as second:
        second.write(b"new")
        record = next_record(reader)
        assert bytes(record) == b"new" and record.new_epoch and record.new_config
        assert record.epoch == second.epoch == reader.epoch


def test_open_waits_for_a_writer() -> None:
    with pytest.raises(framelane.NotFoundError, match="later"):
        StreamReader("later", wait=0.01)
    made: list[StreamWriter] = []
    make = threading.Timer(0.1, lambda: made.append(StreamWriter("later", "json")))
    make.start()
    StreamReader("later", wait=DEADLINE).close()
    make.join(DEADLINE)
    made[0].close()


INTERRUPTED = """
import framelane, signal, threading, os
writer = framelane.StreamWriter('stream', 'json')
reader = framelane.StreamReader('stream')
record = writer.begin(1)
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    {call}
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize(
    "call",
    [
        "reader.read()",
        "reader.wait()",
        "next(iter(reader))",
        "framelane.StreamReader('nobody', wait=None)",
        "writer.begin(1, None)",
        "writer.write(b'', timeout=None)",
        "writer.set_config('aac', None)",
        "framelane.StreamWriter('other', 'json').key_frame_wanted(None)",
    ],
)
def test_ctrl_c_ends_a_wait(call: str) -> None:
    script = INTERRUPTED.format(call=call)
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=DEADLINE
    )
    assert ended.stdout == "interrupted\n", ended.stderr


def test_the_descriptor_wakes_select(writer: StreamWriter, reader: StreamReader) -> None:
    poll = select.poll()
    poll.register(reader, select.POLLIN)
    while reader.try_next() is not None:
        pass
    writer.write(b"news")
    deadline = time.monotonic() + DEADLINE
    record = None
    while record is None and time.monotonic() < deadline:
        poll.poll(1000)
        record = reader.try_next()
    assert record is not None and bytes(record) == b"news"


def test_async_for_reads_without_blocking_the_loop(
    writer: StreamWriter, reader: StreamReader
) -> None:
    async def write() -> None:
        for value in range(5):
            await asyncio.sleep(0.01)
            writer.write(bytes([value]))
            while reader.received <= value:
                await asyncio.sleep(0.001)
        reader.close()

    async def read() -> list[int]:
        return [record.data[0] async for record in reader]

    async def both() -> list[int]:
        task = asyncio.create_task(write())
        values = await asyncio.wait_for(read(), DEADLINE)
        await task
        return values

    assert asyncio.run(both()) == list(range(5))


def test_async_reads_time_out_and_tell_of_laps() -> None:
    async def scene() -> None:
        with StreamWriter("laps", "json", index_capacity=2) as writer:
            with StreamReader("laps", "next") as reader:
                assert await reader.read_async(0.01) is None
                for _ in range(5):
                    writer.write(b"{}")
                with pytest.raises(LappedError) as caught:
                    await reader.read_async(DEADLINE)
                assert caught.value.missed == 4
                record = await reader.read_async(DEADLINE)
                assert record is not None and record.sequence == 5

    asyncio.run(scene())


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_is_refused_and_harms_nobody(writer: StreamWriter) -> None:
    reader = StreamReader("stream", lossless=True)
    writer.write(b"bytes")
    held = next_record(reader)
    view = held.data
    opened = writer.begin(5)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            assert bytes(view) == b"bytes", "lane memory stays readable"
            for call in (
                lambda: reader.read(0),
                lambda: writer.begin(1),
                lambda: opened.append(b"x"),
                lambda: opened.commit(),
            ):
                try:
                    call()
                    raise AssertionError("a forked child may do nothing")
                except framelane.Error as error:
                    assert error.kind == ErrorKind.FORKED
            del view, held, opened
            gc.collect()
            reader.close()
            writer.close()
            status = 0
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    opened.append(b"later")
    assert opened.commit() == 2
    assert reader.held == 1 and bytes(next_record(reader)) == b"later"
    assert writer.readers == 1
    reader.close()


def test_an_interpreter_that_ends_with_everything_open_is_quiet() -> None:
    script = """
import framelane
writer = framelane.StreamWriter("stream", "opaque", lossless=True)
reader = framelane.StreamReader("stream", lossless=True)
writer.write(b"bytes")
record = reader.read(10)
array, view = record.array, record.data
opened = writer.begin(3)
kept = [writer, reader, record, opened]
kept.append(kept)
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", script],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")


def test_no_descriptor_or_memory_is_left() -> None:
    def had() -> tuple[int, int]:
        gc.collect()
        with open("/proc/self/maps") as maps:
            return len(os.listdir("/proc/self/fd")), sum("/memfd:" in line for line in maps)

    before = had()
    for _ in range(3):
        with StreamWriter("stream", "json", lossless=True) as writer:
            with StreamReader("stream", lossless=True) as reader:
                writer.write(b"{}")
                view = next_record(reader).data
        del view, writer, reader
    assert had() == before
