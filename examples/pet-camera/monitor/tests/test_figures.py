"""Figures: rates, stages, what the server says, and what copying would have cost."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor

import framelane
import holders
import looking
import server_figures
from conftest import HEIGHT, PATIENCE, WIDTH, Camera
from stages import Rates, Stage

FRAME_BYTES = WIDTH * HEIGHT * 3 // 2


def test_a_rate_needs_two_looks_and_survives_no_restart() -> None:
    rates = Rates()
    second = 1_000_000_000
    told = []
    for count, now in (
        (5, 0),
        (35, second),
        (36, second + 1000),
        (95, 3 * second),
        (2, 4 * second),
    ):
        rates.turn()
        told.append(rates.of("lane", count, now))
    assert told == [None, 30.0, 30.0, 30.0, None], "looks in quick succession say nothing new"
    rates.turn()
    rates.turn()
    assert rates.of("lane", 3, 6 * second) is None, "what was not asked about is forgotten"


def test_a_stage_notes_since_when_and_that_it_came_back() -> None:
    stage = Stage("camera", "Camera", "")
    stage.becomes("up")
    assert stage.recovered is None, "it was not away, nobody had looked"
    stage.becomes("down", "gone", "All is dark.")
    since = stage.since
    stage.becomes("down", "still gone")
    assert (stage.since, stage.why, stage.note) == (since, "still gone", "")
    stage.becomes("up")
    assert stage.recovered is not None and stage.recovered["after_s"] >= 0


def said(units: int, quick: int, slow: int) -> server_figures.Figures:
    bucket = 'framelane_server_latency_seconds_bucket{kind="mp4",le='
    return server_figures.parse(
        f'framelane_server_viewers{{kind="mp4"}} 1\nframelane_server_viewers{{kind="webrtc"}} 2\n'
        f"framelane_server_units_total {units}\nother_total 9\nframelane_server_x garbage more\n"
        f"framelane_server_units_total NaN\nframelane_server_viewers +Inf\n"
        f'{bucket}"0.001"}} {quick}\n{bucket}"0.25"}} {quick + slow}\n'
        f'{bucket}"+Inf"}} {quick + slow}\n'
    )


def test_the_servers_latency_is_that_of_the_last_looks() -> None:
    recent = server_figures.Recent()
    recent.add(said(1000, 0, 1000))
    assert recent.quantiles() is None and recent.total("viewers") == 3
    recent.add(said(1100, 97, 1003))
    assert recent.quantiles() == (1.0, 250.0), "what was before the first look does not count"
    recent.add(said(5, 5, 0))
    assert recent.quantiles() is None, "it was restarted"


def test_what_copying_would_have_cost_is_measured(camera: Camera) -> None:
    rates = Rates()

    async def told(own_copies: float) -> tuple[looking.Look, dict[str, object]]:
        with ThreadPoolExecutor(2) as pool:
            look = await looking.look(pool)
        rates.turn()
        return look, holders.tell(look, rates, {}, own_copies)

    with framelane.Consumer("frames") as consumer:
        camera.publish()
        first, _ = asyncio.run(told(0.0))
        while (look := asyncio.run(told(0.0))[0]).now_ns - first.now_ns < 600_000_000:
            camera.publish()
            frame = consumer.read(PATIENCE)
            assert frame is not None
            frame.release()
        _, table = asyncio.run(told(1234.0))
    savings = table["savings"]
    assert isinstance(savings, dict)
    filled, own = savings["paths"]
    assert filled["path"] == "camera → frames" and filled["frame_bytes"] == FRAME_BYTES
    assert filled["copied_bytes_per_s"] == 0
    assert abs(filled["would_bytes_per_s"] - filled["fps"] * FRAME_BYTES) <= 0.06 * FRAME_BYTES
    assert own["pid"] == os.getpid() and own["copied_bytes_per_s"] == 1234
    assert savings["total"] == {
        key: filled[key] + own[key] for key in ("copied_bytes_per_s", "would_bytes_per_s")
    }
    assert look.report("frames") is not None
