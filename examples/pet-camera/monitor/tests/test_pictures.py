"""Pictures: whose boxes they have, who gets them, and what is done when nobody watches."""

from __future__ import annotations

import socket
import time

import framelane
import numpy
from conftest import BOX, PATIENCE, Camera, Events, Monitor, Rate, becomes, record, stage_of


def is_amber(rgb: numpy.typing.NDArray[numpy.uint8]) -> numpy.typing.NDArray[numpy.bool_]:
    red, green, blue = (rgb[:, :, channel].astype(int) for channel in range(3))
    amber: numpy.typing.NDArray[numpy.bool_] = (red - blue > 100) & (green > 110)
    return amber


def test_a_picture_has_the_boxes_of_its_own_frame_or_none(monitor: Monitor, running: Rate) -> None:
    stream = monitor.stream()
    boxed = 0
    last = 0
    end = time.monotonic() + PATIENCE
    while boxed < 30:
        assert time.monotonic() < end, f"{boxed} pictures with boxes"
        part = stream.part()
        number = part.number("X-Capture-Id")
        assert number > last, "pictures come in order"
        assert part.number("X-Capture-Ns") == running.taken[number]
        last = number
        drawn = is_amber(part.rgb)
        grey = part.rgb[5, 5].astype(int)
        assert abs(grey - (30 + number % 100)).max() <= 3, "it is another frame's picture"
        if not part.headers["x-boxes-capture-id"]:
            assert not drawn.any() and part.number("X-Boxes") == 0
            continue
        assert number % 3, "nothing was said of this frame"
        assert part.number("X-Boxes-Capture-Id") == number
        assert part.number("X-Boxes") == 1
        left = numpy.argwhere(drawn)[:, 1].min()
        assert abs(int(left) - number % 40 * 4) <= 2, (left, number)
        boxed += 1


def test_frames_of_another_camera_with_the_same_number_get_no_boxes(monitor: Monitor) -> None:
    camera = Camera("frames", camera_id=1)
    with framelane.StreamWriter("results", "json") as detector:
        rate = Rate(camera, detector)  # its records say camera 0
        try:
            stream = monitor.stream()
            becomes(lambda: monitor.metric("results_total") > 10)
            for _ in range(20):
                part = stream.part()
                assert part.headers["x-boxes-capture-id"] == "" and not is_amber(part.rgb).any()
        finally:
            rate.stop()
            camera.close()


def test_nothing_is_read_or_encoded_while_nobody_watches(monitor: Monitor, running: Rate) -> None:
    stream = monitor.stream()
    stream.part()
    becomes(lambda: running.camera.producer.consumers == 1)
    stream.close()
    becomes(lambda: running.camera.producer.consumers == 0)
    before = monitor.metric("pictures_total"), monitor.metric("frames_total")
    more = running.camera.last + 10
    becomes(lambda: running.camera.last > more)
    assert (monitor.metric("pictures_total"), monitor.metric("frames_total")) == before
    assert monitor.metric("viewers") == 0


def test_one_encode_is_for_all_viewers(monitor: Monitor, running: Rate) -> None:
    streams = [monitor.stream() for _ in range(4)]
    seen = [[stream.part() for _ in range(10)] for stream in streams]
    jpegs = {part.number("X-Capture-Id"): part.jpeg for part in seen[0]}
    for parts in seen[1:]:
        for part in parts:
            same = jpegs.setdefault(part.number("X-Capture-Id"), part.jpeg)
            assert same == part.jpeg
    assert monitor.metric("pictures_total") <= running.camera.last


def test_a_slow_viewer_holds_up_nobody(monitor: Monitor, running: Rate) -> None:
    running.apart = 0.004
    host, port = monitor.host.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as slow:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.sendall(b"GET /stream.mjpeg HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        quick = monitor.stream()
        while monitor.metric("dropped_total") < 5:
            # The quick one gets each frame while the slow one takes nothing.
            first = quick.part().number("X-Frame-Sequence")
            assert first > 0
        assert running.camera.producer.report().no_free_slot == 0
    becomes(lambda: monitor.metric("viewers") == 1)


def test_without_a_detector_frames_wait_for_nothing(monitor: Monitor, camera: Camera) -> None:
    stream = monitor.stream()
    becomes(lambda: camera.producer.consumers == 1)
    for number in range(1, 6):
        camera.publish(number)
        assert stream.part().number("X-Capture-Id") == number


def test_a_camera_that_stops_after_a_frame_still_shows_it(monitor: Monitor, camera: Camera) -> None:
    stream = monitor.stream()
    with framelane.StreamWriter("results", "json") as detector:
        becomes(lambda: camera.producer.consumers == 1 and detector.readers == 1)
        taken = camera.publish(1)
        detector.write(record(1, taken, BOX), key=True)
        stream.part()
        camera.publish(2)  # of which nothing is ever said
        part = stream.part()
        assert (part.number("X-Capture-Id"), part.headers["x-boxes-capture-id"]) == (2, "")


def test_a_restarted_camera_is_attached_to_again(monitor: Monitor) -> None:
    first = Camera("frames")
    stream = monitor.stream()
    becomes(lambda: first.producer.consumers == 1)
    first.publish()
    epoch = stream.part().headers["x-lane-epoch"]
    first.close()
    second = Camera("frames", width=160, height=120)
    rate = Rate(second)
    try:
        part = becomes(lambda: (part := stream.part()).headers["x-lane-epoch"] != epoch and part)
        assert part.rgb.shape == (120, 160, 3)
    finally:
        rate.stop()
        second.close()


def test_garbage_of_a_detector_is_counted_and_pictures_go_on(
    monitor: Monitor, camera: Camera
) -> None:
    stream = monitor.stream()
    with framelane.StreamWriter("results", "json") as detector:
        becomes(lambda: camera.producer.consumers == 1 and detector.readers == 1)
        number = 0
        while monitor.metric("refused_total") < 10:
            number += 1
            detector.write(bytes([number % 256]) * 1000, key=True)
            taken = camera.publish()
            detector.write(record(number, taken, {**BOX, "x": "left"}), key=True)
            part = stream.part()
            assert part.number("X-Capture-Id") == number
            assert part.headers["x-boxes-capture-id"] == ""
        events = monitor.events()
        becomes(lambda: detector.write(b"garbage", key=True) and told_nonsense(events))
        taken = camera.publish()
        detector.write(record(camera.last, taken, BOX), key=True)
        becomes(lambda: monitor.metric("results_total") == 1)


def told_nonsense(events: Events) -> bool:
    return "no sense" in stage_of(events.next("state"), "detector")["note"]
