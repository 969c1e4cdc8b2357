"""Messages over the byte ring of the older shmbuf programs."""

import functools
import struct
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import framelane
import numpy
import pytest
from conftest import DEADLINE
from framelane import ErrorKind, ShmbufReceiver, ShmbufSender, remove_shmbuf


@pytest.fixture
def folder() -> Iterator[Path]:
    """Where shared memory is, and a segment can be made."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as name:
        yield Path(name)


@pytest.fixture
def sender(folder: Path) -> Iterator[ShmbufSender]:
    with ShmbufSender("ring", 100, bell=True, directory=folder) as sender:
        yield sender


@pytest.fixture
def receiver(sender: ShmbufSender, folder: Path) -> Iterator[ShmbufReceiver]:
    with ShmbufReceiver("/ring", bell=True, directory=folder) as receiver:
        yield receiver


def kind_of(call: Callable[[], object]) -> ErrorKind:
    with pytest.raises(framelane.Error) as caught:
        call()
    return caught.value.kind


def test_messages_arrive_in_order_and_wrap(
    sender: ShmbufSender, receiver: ShmbufReceiver
) -> None:
    assert sender.capacity_bytes == receiver.capacity_bytes == 64
    assert (sender.longest_message, sender.has_receiver) == (60, True)
    assert receiver.try_next() is None and receiver.read(0.0) is None
    assert receiver.wait(0.01) is None
    for number in range(1, 30):
        message = bytes([number]) * number
        assert sender.send(message)
        assert receiver.wait(DEADLINE) == number
        assert receiver.read(DEADLINE) == message
    assert (sender.sent, receiver.received, receiver.empty, receiver.restarts) == (29, 29, 0, 0)
    assert (sender.name, receiver.name) == ("ring", "/ring")


def test_a_full_ring_is_told_and_waited_for(
    sender: ShmbufSender, receiver: ShmbufReceiver
) -> None:
    assert sender.send(bytes(60))
    assert not sender.send(b"x") and not sender.send(b"x", 0.01)
    assert (sender.times_full, sender.unread_bytes) == (1, 64)
    assert not sender.drain(0.01)
    got: list[bytes | None] = []

    def read() -> None:
        got.extend(receiver.read(DEADLINE) for _ in range(2))

    reading = threading.Thread(target=read)
    reading.start()
    assert sender.send(b"x", DEADLINE) and sender.drain(DEADLINE)
    reading.join()
    assert got == [bytes(60), b"x"]


def test_what_can_be_sent(sender: ShmbufSender, receiver: ShmbufReceiver) -> None:
    picture: Any = numpy.arange(24, dtype=numpy.uint8).reshape(2, 4, 3)
    for message in (picture, memoryview(b"abc"), bytearray(b"d")):
        assert sender.send(message)
        assert receiver.read(DEADLINE) == bytes(message)
    assert kind_of(lambda: sender.send(b"")) == ErrorKind.INVALID_ARGUMENT
    assert kind_of(lambda: sender.send(bytes(61))) == ErrorKind.TOO_LARGE
    assert kind_of(lambda: sender.send(picture[:, ::2])) == ErrorKind.INVALID_ARGUMENT
    words: Any = "words"
    with pytest.raises(TypeError):
        sender.send(words)


def test_a_message_that_does_not_fit_stays(
    sender: ShmbufSender, receiver: ShmbufReceiver
) -> None:
    sender.send(b"nine bytes"[:9])
    room = bytearray(8)
    assert kind_of(lambda: receiver.read_into(room)) == ErrorKind.TOO_LARGE
    more: Any = numpy.zeros(12, numpy.uint8)
    assert receiver.read_into(more, DEADLINE) == 9
    assert bytes(more) == b"nine byte\0\0\0"
    assert receiver.read_into(more, 0.0) is None
    sender.send(b"x")
    assert receiver.skip() and not receiver.skip()


def test_a_restarted_sender_is_found(folder: Path) -> None:
    first = ShmbufSender("ring", 100, directory=folder)
    with ShmbufReceiver("ring", directory=folder) as receiver:
        first.send(b"1")
        first.close()
        with ShmbufSender("ring", 200, directory=folder) as second:
            second.send(b"2")
            assert (receiver.read(DEADLINE), receiver.read(DEADLINE)) == (b"1", b"2")
        assert (receiver.restarts, receiver.capacity_bytes) == (1, 128)


def test_a_loop_ends_with_the_sender_or_at_close(folder: Path) -> None:
    sender = ShmbufSender("ring", 100, directory=folder)
    ending = ShmbufReceiver("ring", reattach=False, directory=folder)
    sender.send(b"1")
    sender.send(b"2")
    sender.close()
    assert list(ending) == [b"1", b"2"]
    ending.close()
    with ShmbufSender("ring", 100, directory=folder) as sender:
        receiver = ShmbufReceiver("ring", directory=folder)
        closing = threading.Timer(0.05, receiver.close)
        closing.start()
        assert list(receiver) == []
        closing.join()
        assert receiver.closed and "ring" in repr(receiver)
        assert kind_of(receiver.try_next) == ErrorKind.CLOSED


def test_one_sender_and_one_receiver(sender: ShmbufSender, folder: Path) -> None:
    again = functools.partial(ShmbufSender, "ring", 100, directory=folder)
    assert kind_of(again) == ErrorKind.ALREADY_EXISTS
    assert kind_of(lambda: remove_shmbuf("ring", folder)) == ErrorKind.ALREADY_EXISTS
    with ShmbufReceiver("ring", directory=folder):
        other = functools.partial(ShmbufReceiver, "ring", directory=folder)
        assert kind_of(other) == ErrorKind.TOO_MANY
    sender.close()
    assert sender.closed and "closed" in repr(sender)
    assert kind_of(lambda: sender.send(b"x")) == ErrorKind.CLOSED
    assert not remove_shmbuf("ring", folder)
    assert kind_of(lambda: ShmbufReceiver("ring", directory=folder)) == ErrorKind.NOT_FOUND


def test_a_segment_is_left_and_removed(folder: Path) -> None:
    with ShmbufSender("ring", 64, mode=0o660, keep=True, directory=folder) as sender:
        sender.send(b"left")
    file = folder / "ring"
    assert file.stat().st_mode & 0o777 == 0o660
    assert struct.unpack("<IIII4s", file.read_bytes()[:20]) == (8, 0, 64, 0, b"\x04\0\0\0")
    assert remove_shmbuf("/ring", folder) and not file.exists()


def test_another_thread_may_not_use_it_meanwhile(receiver: ShmbufReceiver) -> None:
    waiting = threading.Thread(target=lambda: receiver.read(0.3))
    waiting.start()
    found = None
    while waiting.is_alive() and found is None:
        try:
            receiver.skip()
        except framelane.InvalidArgumentError as error:
            found = error
    assert "another thread" in str(found)
    waiting.join()
