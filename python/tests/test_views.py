"""Views of frames: read-only, and alive for as long as anybody looks."""

import gc
import zlib
from typing import Any

import framelane
import numpy
import pytest
from conftest import publish, read
from framelane import Consumer, Frame, Producer


def padded() -> tuple[Producer, Consumer, Frame]:
    producer = Producer("padded", "rgb24", 5, 3, stride_align=32)
    consumer = Consumer("padded")
    with producer.claim() as frame:
        frame.array[:] = numpy.arange(45).reshape(3, 5, 3)
    return producer, consumer, read(consumer)


def test_a_buffer_has_the_true_strides() -> None:
    producer, consumer, frame = padded()
    for view in (memoryview(frame), memoryview(frame.planes[0])):
        assert (view.shape, view.strides, view.format) == ((3, 5, 3), (32, 3, 1), "B")
        assert view.readonly and not view.c_contiguous
        assert view.tobytes() == bytes(range(45))
    assert frame.array.strides == (32, 3, 1)
    assert frame.planes[0].raw.nbytes == 96
    with pytest.raises(BufferError, match="padded"):
        zlib.crc32(frame)
    assert numpy.asarray(frame).tolist() == frame.array.tolist()


def test_a_frame_that_was_read_cannot_be_written(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 7)
    frame = read(consumer)
    with pytest.raises(ValueError, match="read-only"):
        frame.array[:] = 1
    with pytest.raises(ValueError):
        frame.array.flags.writeable = True
    with pytest.raises(TypeError):
        memoryview(frame)[0, 0] = 1
    with pytest.raises((TypeError, BufferError)):
        (numpy.ctypeslib.as_ctypes_type(numpy.uint8) * 64).from_buffer(frame)
    assert not numpy.from_dlpack(frame).flags.writeable
    assert frame.array[0, 0] == 7


VIEWS: dict[str, Any] = {
    "array": lambda frame: frame.array,
    "slice of the array": lambda frame: frame.array[1:, ::2],
    "array of a plane": lambda frame: frame.planes[0].array,
    "memoryview": memoryview,
    "slice of a memoryview": lambda frame: memoryview(frame)[1:],
    "plane": lambda frame: frame.planes[0],
    "raw": lambda frame: frame.planes[0].raw,
    "asarray": numpy.asarray,
    "frombuffer": lambda frame: numpy.frombuffer(frame, numpy.uint8),
    "from_dlpack": numpy.from_dlpack,
    "dlpack capsule": lambda frame: frame.__dlpack__(max_version=(1, 0)),
}


@pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_keeps_the_lease(producer: Producer, consumer: Consumer, make: Any) -> None:
    """It ends with the last view, neither before nor later."""
    publish(producer, 7)
    frame = read(consumer)
    view = make(frame)
    frame.release()
    assert frame.released and consumer.held == 1
    for value in range(20):
        publish(producer, value)
    if isinstance(view, numpy.ndarray | memoryview | framelane.Plane):
        assert (numpy.asarray(view) == 7).all()
    del view
    gc.collect()
    assert consumer.held == 0


@pytest.mark.parametrize("make", VIEWS.values(), ids=VIEWS.keys())
def test_a_view_outlives_consumer_and_producer(make: Any) -> None:
    producer = Producer("short", "grey", 16, 4)
    consumer = Consumer("short")
    publish(producer, 9)
    view = make(read(consumer))
    consumer.close()
    del consumer
    producer.close()
    del producer
    gc.collect()
    if isinstance(view, numpy.ndarray | memoryview | framelane.Plane):
        assert (numpy.asarray(view) == 9).all()


def test_a_bare_address_keeps_the_lease_while_the_frame_object_lives(
    producer: Producer, consumer: Consumer
) -> None:
    """This constructor of NumPy releases the buffer at once and goes on using its address."""
    publish(producer, 7)
    frame = read(consumer)
    array = numpy.ndarray((64,), numpy.uint8, frame)  # type: ignore[arg-type]
    frame.release()
    del frame
    for value in range(20):
        publish(producer, value)
    assert (array == 7).all() and consumer.held == 1
    del array
    assert consumer.held == 0
    claimed = producer.claim()
    for target in (claimed, claimed.planes[0]):
        with pytest.raises(BufferError, match="memoryview"):
            numpy.ndarray((64,), numpy.uint8, target)  # type: ignore[arg-type]


def test_all_leases_in_views_is_said(producer: Producer, consumer: Consumer) -> None:
    views = []
    for value in range(2):
        publish(producer, value)
        with read(consumer) as frame:
            views.append(frame.array)
    publish(producer, 2)
    with pytest.raises(framelane.Error, match="release one") as caught:
        consumer.read(0)
    assert caught.value.kind == framelane.ErrorKind.LEASES_IN_USE
    views.pop()
    assert read(consumer).sequence == 3


def test_a_released_frame_answers_with_an_error(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 1)
    frame = read(consumer)
    with frame:
        pass
    frame.release()
    assert (frame.sequence, frame.released) == (1, True)
    for use in ("array", "planes", "info", "epoch"):
        with pytest.raises(framelane.InvalidArgumentError, match="released"):
            getattr(frame, use)
    with pytest.raises(framelane.InvalidArgumentError):
        memoryview(frame)
    with pytest.raises(framelane.InvalidArgumentError):
        frame.check()


def test_array_protocol_converts_and_copies(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 3)
    frame = read(consumer)
    copy = numpy.array(frame, copy=True)
    frame.release()
    assert consumer.held == 0 and copy.flags.writeable
    publish(producer, 4)
    frame = read(consumer)
    assert frame.__array__(numpy.float32).dtype == numpy.float32
    assert frame.planes[0].__array__(copy=True).flags.writeable


def test_copy_to_fills_what_has_the_right_size(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 5)
    frame = read(consumer)
    into = bytearray(64)
    frame.copy_to(0, into)
    assert into == bytes([5] * 64)
    with pytest.raises(framelane.InvalidArgumentError):
        frame.copy_to(0, bytearray(63))
    with pytest.raises(framelane.InvalidArgumentError):
        frame.copy_to(0, bytes(64))
    with pytest.raises(framelane.InvalidArgumentError):
        frame.copy_to(1, into)
    assert producer.report().attached[0].copied_bytes == 64


def test_dlpack_says_read_only_or_nothing(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 5)
    frame = read(consumer)
    assert frame.__dlpack_device__() == (1, 0)
    requests: list[dict[str, Any]] = [
        {},
        {"max_version": (0, 8)},
        {"max_version": (1, 0), "copy": True},
        {"max_version": (1, 0), "dl_device": (2, 0)},
        {"max_version": (1, 0), "stream": 1},
    ]
    for request in requests:
        with pytest.raises(BufferError):
            frame.__dlpack__(**request)
    assert numpy.from_dlpack(frame.planes[0]).tolist() == frame.array.tolist()


def test_each_frame_has_its_own_shape(producer: Producer, consumer: Consumer) -> None:
    for width in range(1, 17):
        with producer.claim() as frame:
            frame.info.width = width
        assert read(consumer).array.shape == (4, width)
