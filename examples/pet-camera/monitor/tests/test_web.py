"""Events, the switch, health, and who may ask what."""

from __future__ import annotations

import http.server
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import framelane
import pytest
from conftest import BOX, HEIGHT, PATIENCE, PROGRAM, Camera, Monitor, Rate, becomes, stage_of

JSON = "application/json"


@pytest.fixture
def two() -> Iterator[tuple[Camera, Camera]]:
    cameras = Camera("day", 0), Camera("night", 1)
    yield cameras
    for camera in cameras:
        camera.close()


def to(choice: str) -> bytes:
    return json.dumps({"to": choice}).encode()


def test_the_switch_shows_on_the_next_picture(monitor: Monitor, two: tuple[Camera, Camera]) -> None:
    day, night = two
    with framelane.SwitchController("frames", ["day", "night"]) as controller:
        stream = monitor.stream()
        becomes(lambda: day.producer.consumers == 1)
        day.publish()
        part = stream.part()
        assert (part.number("X-Camera-Id"), part.number("X-Switch-Epoch")) == (0, 1)
        status, body = monitor.ask("POST", "/switch", to("night"), Content_Type=JSON)
        assert status == 200, body
        told = json.loads(body)
        switched_ns = told.pop("switched_ns")
        assert told == {"active": 1, "switch_epoch": 2, "automatic": False}
        assert part.number("X-Capture-Ns") < switched_ns < framelane.monotonic_ns()
        day.publish()
        night.publish()
        part = stream.part()
        assert (part.number("X-Camera-Id"), part.number("X-Switch-Epoch")) == (1, 2)
        assert part.number("X-Lane-Index") == 1
        # What a camera says of itself may be anything.
        night.publish(brightness=float("inf"))
        events = monitor.events()
        told = events.until(lambda told: told["camera"]["active"] == 1)
        assert [lane["brightness"] for lane in told["camera"]["lanes"]] == [0.0, None]
        assert not told["camera"]["automatic"] and controller.held
        status, body = monitor.ask("POST", "/switch", to("automatic"), Content_Type=JSON)
        assert status == 200 and json.loads(body)["automatic"]
        events.until(lambda told: told["camera"]["automatic"])
        assert not controller.held


OTHER = """
import sys, framelane
with framelane.SwitchController("small", ["c", "d"]) as controller:
    print("ready", flush=True)
    sys.stdin.readline()
    print(controller.active, flush=True)
"""


def test_the_detectors_switch_is_selected_too_where_another_program_has_it(
    monitor: Monitor,
) -> None:
    with framelane.SwitchController("frames", ["a", "b"]) as own:
        with subprocess.Popen(
            [sys.executable, "-c", OTHER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as other:
            assert other.stdout is not None and other.stdout.readline() == "ready\n"
            assert monitor.ask("POST", "/switch", to("night"), Content_Type=JSON)[0] == 200
            assert own.active == 1
            assert other.communicate("\n", timeout=PATIENCE)[0] == "1\n"
        # Who has both lets the one follow the other.
        with framelane.SwitchController("small", ["c", "d"], active=1) as second:
            assert monitor.ask("POST", "/switch", to("day"), Content_Type=JSON)[0] == 200
            assert (own.active, second.active) == (0, 1)


def test_without_its_controller_the_active_camera_goes_on(running: Rate) -> None:
    controller = framelane.SwitchController("either", ["frames", "other"])
    follower = Monitor("--frames", "either")
    try:
        events = follower.events()
        becomes(lambda: follower.metric("frames_total") > 0)
        controller.close()
        assert "goes on" in events.stage("camera", "stalled")["note"]
        before = follower.metric("frames_total")
        becomes(lambda: follower.metric("frames_total") > before + 5)
    finally:
        follower.close()
        controller.close()


REFUSED: list[tuple[dict[str, str], bytes, int]] = [
    ({"Content_Type": "text/plain"}, to("day"), 415),
    ({}, to("day"), 415),
    ({"Content_Type": JSON, "Origin": "http://evil.example"}, to("day"), 403),
    ({"Content_Type": JSON, "Origin": "null"}, to("day"), 403),
    ({"Content_Type": JSON}, b"{", 400),
    ({"Content_Type": JSON}, b"[]", 400),
    ({"Content_Type": JSON}, to("dusk"), 400),
    ({"Content_Type": JSON}, b'{"to": ["day"]}', 400),
    ({"Content_Type": JSON}, b" " * 5000, 400),
    ({"Content_Type": JSON}, b"[" * 1000, 400),
    ({"Content_Type": JSON, "Origin": "http://["}, to("day"), 403),
    ({"Content_Type": JSON, "Host": "["}, to("day"), 421),
    ({"Content_Type": JSON, "Host": ""}, to("day"), 421),
    ({"Content_Type": JSON, "Host": "evil.example"}, to("day"), 421),
]


def test_what_must_not_switch_does_not(monitor: Monitor) -> None:
    with framelane.SwitchController("frames", ["day", "night"], active=1) as controller:
        for headers, body, status in REFUSED:
            assert monitor.ask("POST", "/switch", body, **headers)[0] == status, (headers, body)
            assert (controller.active, controller.held) == (1, False)
        own = {"Content_Type": JSON, "Origin": monitor.address}
        assert monitor.ask("POST", "/switch", to("day"), **own)[0] == 200
        assert controller.active == 0


def test_a_switch_that_is_not_there_is_told(monitor: Monitor, camera: Camera) -> None:
    status, body = monitor.ask("POST", "/switch", to("day"), Content_Type=JSON)
    assert status in (409, 502) and json.loads(body)["error"]
    told = monitor.events().until(lambda told: "one lane" in told["camera"]["why"])
    assert not told["camera"]["switchable"]
    camera.close()
    status, body = monitor.ask("POST", "/switch", to("day"), Content_Type=JSON)
    assert status == 503 and json.loads(body)["error"]


def test_a_foreign_name_is_refused_and_answers_are_shielded(monitor: Monitor) -> None:
    assert monitor.ask("GET", "/", Host="evil.example")[0] == 421
    for host in ("localhost:1", "192.0.2.1", "[::1]:80"):
        assert monitor.ask("GET", "/healthz", Host=host)[0] != 421
    connection = monitor.connect()
    connection.request("GET", "/", headers={"Host": "localhost:1"})
    answer = connection.getresponse()
    # The server knows the page by one origin.
    assert (answer.status, answer.getheader("Location")) == (307, monitor.address)
    answer.read()
    connection.request("GET", "/")
    answer = connection.getresponse()
    policy = answer.getheader("Content-Security-Policy", "")
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy
    assert answer.getheader("Cross-Origin-Resource-Policy") == "same-origin"
    assert b'id="picture"' in answer.read()
    connection.close()


def test_a_stage_that_ends_is_down_with_its_time_and_comes_back(monitor: Monitor) -> None:
    events = monitor.events()
    assert events.stage("camera", "down")["why"]
    assert monitor.ask("GET", "/healthz")[0] == 503
    camera = Camera("frames")
    camera.publish()
    stage = events.stage("camera", "up")
    assert monitor.ask("GET", "/healthz")[0] == 200
    camera.close()
    down = events.stage("camera", "down")
    assert down["since"] >= stage["since"] and "frames" in down["why"]
    again = Camera("frames")
    again.publish()
    recovered = events.stage("camera", "up")["recovered"]
    assert recovered["after_s"] >= 0
    again.close()


def test_results_are_told_as_they_come(monitor: Monitor, running: Rate) -> None:
    events = monitor.events()
    told = events.next("result")
    taken = running.taken[told["capture_id"]]
    assert told["ticks"] == taken // 1000 * 9 // 100
    # The lane that is shown is twice as high as the one the detector says it saw.
    told = becomes(lambda: (one := events.next("result"))["height"] == HEIGHT and one)
    [box] = told["objects"]
    assert (box["label"], box["y"], box["height"]) == ("cat", 2 * BOX["y"], 2 * BOX["height"])
    told = events.until(lambda told: stage_of(told, "detector")["p50_ms"] is not None)
    assert stage_of(told, "detector")["state"] == "up"


def test_who_holds_what_is_told(monitor: Monitor, camera: Camera) -> None:
    events = monitor.events()
    with framelane.Consumer("frames") as consumer:
        camera.publish()
        frame = consumer.read(5)
        assert frame is not None
        held = events.until(lambda told: any(one["held"] for one in told["holders"]))
        [row] = [one for one in held["holders"] if one["held"]]
        assert (row["lane"], row["leases"], row["mode"]) == ("frames", 2, "latest")
        frame.release()
        with framelane.Consumer("frames"):
            told = events.until(lambda told: len(told["holders"]) > len(held["holders"]))
            own = [one["consumer_id"] for one in told["holders"] if one["pid"] == os.getpid()]
            assert len(set(own)) == 2, "a process that reads twice has two rows"
        names = {one["command"] for one in held["holders"]}
        assert "monitor" in names


def test_who_only_asks_what_there_is_or_leaves_at_once_is_no_viewer(monitor: Monitor) -> None:
    for path in ("/stream.mjpeg", "/events"):
        assert monitor.ask("HEAD", path)[0] == 200
        for _ in range(20):
            connection = monitor.connect()
            connection.request("GET", path)
            connection.close()
    becomes(lambda: monitor.metric("viewers") == 0 and monitor.metric("listeners") == 0)


def test_there_is_a_limit_to_viewers(monitor: Monitor) -> None:
    events = [monitor.events() for _ in range(64)]
    assert monitor.ask("GET", "/events")[0] == 503
    events[0].close()
    becomes(lambda: monitor.metric("listeners") == 63)
    monitor.events().next("state")


class Figures(http.server.BaseHTTPRequestHandler):
    """A server that says what ours does, with one more picture at each look."""

    units = 0

    def do_GET(self) -> None:
        Figures.units += 1
        text = (
            'framelane_server_viewers{kind="mp4"} 1\n'
            f"framelane_server_units_total {Figures.units}\n"
            f'framelane_server_latency_seconds_bucket{{kind="mp4",le="0.001"}} {Figures.units}\n'
            f'framelane_server_latency_seconds_bucket{{kind="mp4",le="+Inf"}} {Figures.units}\n'
        )
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_: object) -> None:
        """Says nothing."""


def test_the_servers_figures_are_told() -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Figures) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        monitor = Monitor("--server", f"http://127.0.0.1:{server.server_port}/")
        try:
            events = monitor.events()
            told = events.until(lambda told: stage_of(told, "server")["p99_ms"] is not None)
            assert stage_of(told, "server")["p99_ms"] == 1.0
            config = json.loads(monitor.ask("GET", "/config.json")[1])
            assert config == {"server": f"http://127.0.0.1:{server.server_port}"}
            server.shutdown()
            server.server_close()
            assert "does not answer" in events.stage("server", "down")["why"]
        finally:
            server.shutdown()
            serving.join()
            monitor.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_while_it_is_watched_and_leaves_no_lease(
    monitor: Monitor, camera: Camera, number: signal.Signals
) -> None:
    stream, events = monitor.stream(), monitor.events()
    becomes(lambda: camera.producer.consumers == 1)
    camera.publish()
    assert stream.part() and events.next("state")
    assert monitor.end(number) == 0
    becomes(lambda: camera.producer.consumers == 0)
    assert camera.producer.report().held_slots == 0


def test_an_address_that_cannot_be_had_is_an_error(monitor: Monitor) -> None:
    command = [sys.executable, "-B", str(PROGRAM), "--listen", monitor.host]
    ended = subprocess.run(command, capture_output=True, timeout=PATIENCE, check=False, text=True)
    assert ended.returncode == 1 and monitor.host in ended.stderr
