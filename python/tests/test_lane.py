"""Frames from a producer to its consumers."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import framelane
import numpy
import pytest
from conftest import DEADLINE, publish, read
from framelane import Consumer, Mode, PixelFormat, Producer

SHAPES = [
    ("grey", 5, 3, (3, 5), [(3, 5)]),
    ("rgb24", 5, 3, (3, 5, 3), [(3, 5, 3)]),
    ("bgr24", 4, 2, (2, 4, 3), [(2, 4, 3)]),
    ("yuyv", 4, 3, (3, 4, 2), [(3, 4, 2)]),
    ("nv12", 6, 4, (6, 6), [(4, 6), (2, 3, 2)]),
    ("i420", 6, 4, (6, 6), [(4, 6), (2, 3), (2, 3)]),
    ("nv12", 5, 3, None, [(3, 5), (2, 3, 2)]),
    ("i420", 5, 3, None, [(3, 5), (2, 3), (2, 3)]),
]


@pytest.mark.parametrize("name, width, height, picture, planes", SHAPES)
@pytest.mark.parametrize("align", [1, 64])
def test_every_format_arrives_in_its_shape(
    name: Any,
    width: int,
    height: int,
    picture: tuple[int, ...] | None,
    planes: list[tuple[int, ...]],
    align: int,
) -> None:
    """Each byte of each plane is where the producer put it, with and without padded rows."""
    with Producer("lane", name, width, height, stride_align=align) as producer:
        with Consumer("lane") as consumer:
            with producer.claim() as frame:
                for number, plane in enumerate(frame.planes):
                    plane.array[:] = numpy.arange(plane.array.size).reshape(plane.shape) + number
            read_frame = read(consumer)
            assert [plane.shape for plane in read_frame.planes] == planes
            for number, plane in enumerate(read_frame.planes):
                expected = (numpy.arange(plane.array.size) + number).astype(numpy.uint8)
                assert (plane.array.ravel() == expected).all()
                assert plane.strides[0] % align == 0
                assert len(plane.raw) == plane.size_bytes
            # Two chroma rows of I420 make one of luma only where rows are not padded.
            if picture is None or (name == "i420" and align > 1):
                with pytest.raises(framelane.Error, match="planes") as caught:
                    _ = read_frame.array
                assert caught.value.kind == framelane.ErrorKind.UNSUPPORTED
            else:
                assert read_frame.array.shape == picture
                count = read_frame.planes[0].array.size
                if name in ("nv12", "i420"):
                    assert (read_frame.array[:height] == read_frame.planes[0].array).all()
                    chroma = b"".join(bytes(plane) for plane in read_frame.planes[1:])
                    assert bytes(read_frame)[count:] == chroma


def test_what_the_producer_says_arrives(producer: Producer, consumer: Consumer) -> None:
    with producer.claim() as frame:
        frame.info.capture_id = 2**64 - 1
        frame.info.analog_gain = 1.5
        frame.info.user_data[:] = list(range(64))
        assert frame.info.format is PixelFormat.GREY
    frame_read = read(consumer)
    info = frame_read.info
    assert (info.capture_id, info.analog_gain) == (2**64 - 1, 1.5)
    assert bytes(info.user_data) == bytes(range(64))
    assert (info.width, info.height, info.sequence) == (16, 4, 1)
    assert (frame_read.width, frame_read.height, frame_read.sequence) == (16, 4, 1)
    assert frame_read.epoch == producer.epoch == consumer.epoch
    assert 0 <= frame_read.age < DEADLINE
    info.fourcc = 1
    assert info.format is None and info != frame_read.info


def test_latest_skips_and_says_so(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 1)
    assert read(consumer).missed == 0
    for value in (2, 3, 4):
        publish(producer, value)
    frame = read(consumer)
    assert (frame.sequence, frame.missed) == (4, 2)
    assert (consumer.received, consumer.missed) == (2, 2)
    assert consumer.try_next() is None


def test_ordered_delivers_in_order() -> None:
    with Producer("lane", "grey", 16, 4, history=4) as producer:
        with Consumer("lane", Mode.ORDERED) as consumer:
            for value in range(1, 6):
                publish(producer, value)
            for value in range(1, 6):
                with read(consumer) as frame:
                    assert (frame.sequence, frame.array[0, 0], frame.missed) == (value, value, 0)


def test_a_loop_with_its_arrays_needs_no_more_than_the_default(
    producer: Producer, consumer: Consumer
) -> None:
    """The frame and the array of the round before are still there when the next is read."""
    publish(producer, 0)
    for number, frame in enumerate(consumer):
        picture = frame.array
        assert picture[0, 0] == number
        if number == 20:
            break
        publish(producer, number + 1)


def test_read_latest_delivers_again_and_knows_the_age(
    producer: Producer, consumer: Consumer
) -> None:
    assert consumer.read_latest() is None
    publish(producer, 1)
    for _ in range(2):
        frame = consumer.read_latest(max_age=DEADLINE)
        assert frame is not None and frame.sequence == 1
        frame.release()
    assert consumer.read_latest(max_age=0.0) is None
    with Producer("other", "grey", 16, 4, lossless=True), Consumer("other", "lossless") as every:
        with pytest.raises(framelane.Error) as caught:
            every.read_latest()
        assert caught.value.kind == framelane.ErrorKind.UNSUPPORTED


def test_a_batch_is_published_in_order() -> None:
    with Producer("lane", "grey", 16, 4, claims=3, history=3) as producer:
        with Consumer("lane", "ordered", leases=3) as consumer:
            frames = [producer.claim() for _ in range(3)]
            for value, frame in enumerate(frames):
                frame.array[:] = value
            assert producer.publish_batch(frames) == 3
            assert [read(consumer).array[0, 0] for _ in range(3)] == [0, 1, 2]
            with pytest.raises(framelane.InvalidArgumentError):
                producer.publish_batch(frames)
            with pytest.raises(framelane.InvalidArgumentError):
                producer.publish_batch([])
            twice = producer.claim()
            with pytest.raises(framelane.InvalidArgumentError, match="twice"):
                producer.publish_batch([twice, twice])


def test_lossless_consumers_make_a_claim_wait() -> None:
    with Producer("lane", "grey", 16, 4, lossless=True, history=0) as producer:
        with Consumer("lane", "lossless") as consumer:
            publish(producer, 1)
            with pytest.raises(framelane.Error) as caught:
                producer.claim(timeout=0.01)
            assert caught.value.kind == framelane.ErrorKind.NO_FREE_SLOT
            assert read(consumer).sequence == 1
            producer.claim(timeout=DEADLINE).abandon()


def test_closing_ends_a_claim_that_waits_for_ever() -> None:
    producer = Producer("lane", "grey", 16, 4)
    held = producer.claim()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(producer.claim, None)
        producer.close()
        with pytest.raises(framelane.Error) as caught:
            waiting.result(DEADLINE)
    assert caught.value.kind == framelane.ErrorKind.CLOSED
    held.abandon()


def test_a_restarted_producer_is_found_and_told() -> None:
    first = Producer("lane", "grey", 16, 4)
    with Consumer("lane") as consumer:
        publish(first, 1)
        held = read(consumer)
        first.close()
        with Producer("lane", "grey", 16, 4) as second:
            publish(second, 2)
            frame = read(consumer)
            assert frame.new_epoch and frame.epoch == second.epoch
            assert held.array[0, 0] == 1, "frames of the dead producer stay"


def test_an_iteration_ends_with_its_producer_where_that_was_asked_for() -> None:
    with Producer("lane", "grey", 16, 4) as producer:
        consumer = Consumer("lane", reattach=False)
        publish(producer, 1)
    assert [frame.sequence for frame in consumer] == [1]
    with pytest.raises(framelane.Error) as caught:
        consumer.read(0)
    assert caught.value.kind == framelane.ErrorKind.DISCONNECTED


def test_lanes_tell_about_themselves(producer: Producer, consumer: Consumer) -> None:
    publish(producer, 1)
    assert framelane.discover() == [("lane", producer.directory)]
    for report in (framelane.query("lane"), producer.report()):
        assert (report.epoch, report.published) == (producer.epoch, 1)
        assert (report.consumer_count, report.leases_granted) == (1, 2)
        assert [consumer.leases for consumer in report.attached] == [2]
    assert producer.consumers == 1
    lane = consumer.lane
    assert lane is not None
    assert (lane.name, lane.payload_bytes, lane.epoch) == ("lane", 64, producer.epoch)
    assert lane.memory_kind is framelane.MemoryKind.INLINE
    assert framelane.layout_hash() != 0
    assert framelane.monotonic_ns() > 0
