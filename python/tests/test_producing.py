"""Claimed frames: written in place, and never after they were published."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import framelane
import numpy
import pytest
from conftest import DEADLINE, publish, read
from framelane import Consumer, FrameInfo, FrameMut, MemoryKind, Producer


def test_a_view_that_could_still_write_forbids_publishing(
    producer: Producer, consumer: Consumer
) -> None:
    frame = producer.claim()
    for view in (frame.array, frame.array[1:], memoryview(frame), frame.planes[0].raw):
        with pytest.raises(BufferError, match="could still write"):
            frame.publish()
        with pytest.raises(BufferError, match="could still write"):
            producer.publish_batch([frame])
        del view
    planes, info = frame.planes, frame.info
    planes[0].array[:] = 9
    assert frame.publish() == 1
    with pytest.raises(BufferError, match="not yours"):
        memoryview(planes[0])
    info.width = 1
    assert read(consumer).info.width == 16


def test_with_publishes_or_abandons(producer: Producer, consumer: Consumer) -> None:
    with pytest.raises(ZeroDivisionError), producer.claim() as frame:
        frame.array[:] = 1
        raise ZeroDivisionError
    assert producer.report().abandoned == 1
    with producer.claim() as frame:
        frame.array[:] = 2
    with producer.claim() as frame:
        frame.publish()
    with producer.claim() as frame:
        frame.abandon()
    assert read(consumer).sequence == 2
    for call in (frame.publish, lambda: frame.array, lambda: frame.info, lambda: frame.payload):
        with pytest.raises(framelane.InvalidArgumentError, match="published or abandoned"):
            call()


def test_an_abandoned_slot_stays_taken_while_it_can_be_written(producer: Producer) -> None:
    frame = producer.claim()
    view = frame.array
    frame.abandon()
    with pytest.raises(framelane.Error) as caught:
        producer.claim()
    assert caught.value.kind == framelane.ErrorKind.NO_FREE_SLOT
    view[:] = 1
    del view
    producer.claim().publish()


def test_a_view_of_a_slot_outlives_its_producer(producer: Producer) -> None:
    frame = producer.claim()
    view, payload = frame.array, frame.payload
    producer.close()
    view[:] = 7
    assert payload[0] == 7
    del view, payload
    with pytest.raises(framelane.Error) as caught:
        frame.publish()
    assert caught.value.kind == framelane.ErrorKind.CLOSED
    with pytest.raises(framelane.Error):
        producer.claim()
    assert producer.closed


def test_bytes_are_copied_and_counted(producer: Producer, consumer: Consumer) -> None:
    with producer.claim() as frame:
        frame.copy_from(bytes(range(64)))
        with pytest.raises(framelane.Error) as caught:
            frame.copy_from(bytes(65))
        assert caught.value.kind == framelane.ErrorKind.TOO_LARGE
    assert bytes(read(consumer)) == bytes(range(64))
    assert producer.report().copied_bytes == 64


def test_a_plane_outside_the_slot_is_refused(producer: Producer) -> None:
    frame = producer.claim()
    frame.info.planes[0].offset_bytes = 1
    for use in (lambda: frame.planes, lambda: frame.array):
        with pytest.raises(framelane.Error, match="does not fit") as caught:
            use()
        assert caught.value.kind == framelane.ErrorKind.PROTOCOL
    frame.info.planes[0].offset_bytes = 2**64 - 1
    with pytest.raises(framelane.Error):
        _ = frame.planes


def test_any_geometry_stays_inside_its_plane(producer: Producer, consumer: Consumer) -> None:
    """What a producer says about rows may be nonsense; the array never leaves the plane."""
    for stride, rows, size, shape in [
        (16, 4, 64, (4, 16)),
        (32, 4, 64, (64,)),
        (16, 9, 64, (64,)),
        (0, 4, 64, (64,)),
        (2**32 - 1, 2**32 - 1, 64, (64,)),
        (8, 4, 64, (64,)),
        (48, 2, 64, (2, 16)),
        (16, 0, 0, (0,)),
    ]:
        with producer.claim() as frame:
            plane = frame.info.planes[0]
            plane.stride_bytes, plane.rows, plane.size_bytes = stride, rows, size
        with read(consumer) as read_frame:
            assert read_frame.array.shape == shape
            assert read_frame.planes[0].raw.nbytes == size
    with producer.claim() as frame:
        frame.info.fourcc = 0x31323334
    assert read(consumer).array.shape == (4, 16), "rows of bytes for a format of others"


def memfd(info: FrameInfo, value: int) -> int:
    fd = os.memfd_create("test", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.write(fd, bytes([value]) * sum(plane.size_bytes for plane in info.planes))
    import fcntl

    future_write = 0x10
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | future_write)
    return fd


@pytest.fixture
def device() -> Iterator[tuple[Producer, FrameInfo]]:
    info = framelane.picture("nv12", 16, 4)
    fds = [memfd(info, value) for value in (10, 11, 12)]
    with Producer(
        "device", "nv12", 16, 4, memory=MemoryKind.MEMFD, device_buffers=fds, history=0
    ) as producer:
        for fd in fds:
            os.close(fd)
        yield producer, info


def in_buffer(info: FrameInfo, number: int) -> FrameInfo:
    for plane in info.planes:
        plane.buffer_index = number
    return info


def test_external_buffers_are_read_in_place_and_returned(
    device: tuple[Producer, FrameInfo],
) -> None:
    producer, info = device
    returned: list[tuple[int, bool]] = []
    came = threading.Event()

    def owner(sequence: int, revoked: bool) -> None:
        returned.append((sequence, revoked))
        came.set()

    with Consumer("device") as consumer:
        assert producer.publish_external(in_buffer(info, 2), owner) == 1
        frame = read(consumer)
        assert frame.info.memory_kind == MemoryKind.MEMFD
        assert (frame.array == 12).all() and frame.array.shape == (6, 16)
        fd = frame.plane_fd(1)
        assert os.pread(fd, 1, frame.info.planes[1].offset_bytes) == bytes([12])
        os.close(fd)
        into = bytearray(64)
        frame.copy_to(0, into)
        assert into == bytes([12] * 64)
        producer.publish_external(in_buffer(info, 0))
        assert frame.check() and not returned
        frame.release()
        assert came.wait(DEADLINE)
        assert returned == [(1, False)]
        frame = read(consumer)
        came.clear()
        producer.close()
        assert not frame.check()
        with pytest.raises(framelane.Error) as caught:
            frame.copy_to(0, into)
        assert caught.value.kind == framelane.ErrorKind.REVOKED
        with pytest.raises(framelane.Error, match="taken back"):
            frame.release()


def test_an_owner_that_raises_is_logged(
    device: tuple[Producer, FrameInfo], caplog: pytest.LogCaptureFixture
) -> None:
    producer, info = device

    def owner(sequence: int, revoked: bool) -> None:
        raise ValueError("no buffer")

    producer.publish_external(in_buffer(info, 0), owner)
    producer.close()
    assert [(record.name, record.levelname) for record in caplog.records] == [
        ("framelane", "ERROR")
    ]
    assert "no buffer" in caplog.text


def test_a_pump_runs_owners_in_the_thread_of_the_source() -> None:
    info = in_buffer(framelane.picture("grey", 16, 4), 0)
    fd, threads = memfd(info, 1), []
    producer = Producer(
        "pump", "grey", 16, 4, memory="memfd", device_buffers=[fd], history=0, reclaim="pump"
    )
    producer.publish_external(info, lambda *_: threads.append(threading.current_thread()))
    producer.recall()
    assert producer.reclaim() == 1
    assert threads == [threading.current_thread()]
    producer.close()
    os.close(fd)


def test_options_are_checked() -> None:
    all_options: list[dict[str, Any]] = [
        {},
        {"format": "grey"},
        {"width": 4, "height": 4},
        {"format": "nv21", "width": 4, "height": 4},
        {"format": 1, "width": 4, "height": 4},
        {"format": "grey", "width": 4, "height": 4, "trust": "all"},
        {"format": "grey", "width": 4, "height": 4, "access": "nobody"},
        {"format": "grey", "width": 4, "height": 4, "lease": -1.0},
        {"format": "grey", "width": 4, "height": 4, "lease_budget": 64},
        {"format": "grey", "width": 4, "height": 4, "memory": "memfd", "device_buffers": [-1]},
        {"format": "yuyv", "width": 5, "height": 4},
    ]
    for options in all_options:
        with pytest.raises(framelane.InvalidArgumentError):
            Producer("options", **options)
    with pytest.raises(TypeError):
        Producer("options", "grey", 4, 4, leases=3)  # type: ignore[call-arg]
    Producer("options", payload_bytes=100, access=os.getgid(), trust="untrusted").close()


def test_producing_from_many_threads() -> None:
    with Producer("lane", "grey", 16, 4, claims=4) as producer:
        def work() -> None:
            for _ in range(50):
                publish(producer, 1)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(DEADLINE)
        assert producer.report().published == 200


def test_a_forgotten_claim_goes_back(producer: Producer) -> None:
    frame: FrameMut | None = producer.claim()
    assert frame is not None
    frame = None
    assert numpy.asarray(producer.claim().array).shape == (4, 16)


def test_what_the_sdk_has_to_say_is_logged(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """More huge pages than there are: ordinary ones are taken, and that is no secret."""
    lines = Path("/proc/meminfo").read_text().splitlines()
    memory = dict(line.split(":") for line in lines)
    free = int(memory["HugePages_Free"]) * int(memory["Hugepagesize"].split()[0]) * 1024
    with caplog.at_level("INFO", logger="framelane"):
        Producer("huge", payload_bytes=free + 1, huge_pages="try").close()
    messages = [record.getMessage() for record in caplog.records if record.name == "framelane"]
    assert any("too few huge pages" in message for message in messages), messages
    assert capfd.readouterr() == ("", "")
