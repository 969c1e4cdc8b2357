"""The meter against lanes whose frames are known."""

from __future__ import annotations

import json
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import framelane
import numpy
import pytest

PATIENCE = 30.0
WIDTH, HEIGHT = 322, 180


def results_of(
    producer: framelane.Producer, reader: framelane.StreamReader, luma: Any, count: int
) -> list[dict[str, Any]]:
    """Publishes a picture until so many results are there."""
    results: list[dict[str, Any]] = []
    end = time.monotonic() + PATIENCE
    number = 100
    while len(results) < count:
        assert time.monotonic() < end, "no result"
        number += 1
        with producer.claim(PATIENCE) as frame:
            frame.planes[0].array[:] = luma
            frame.planes[1].array[:] = 128
            frame.info.capture_id = number
            frame.info.camera_id = 3
        while (record := reader.read(0.02)) is not None:
            results.append(json.loads(bytes(record)))
            assert record.info.capture_id == results[-1]["capture_id"] > 100
            assert record.info.pts_ns > 0
    return results


@contextmanager
def started(program: str, name: str) -> Iterator[subprocess.Popen[str]]:
    """The program, which does not outlive a test that fails."""
    command = [program, name, "results"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        try:
            yield running
        finally:
            running.kill()


def measured(program: str, name: str, luma: Any) -> dict[str, Any]:
    """What the program says of a picture, in a lane that comes after it."""
    with started(program, name) as running:
        frames = framelane.Producer("frames", "nv12", WIDTH, HEIGHT, stride_align=64)
        with frames, framelane.SwitchController("front", ["frames"]):
            with framelane.StreamReader("results", wait=PATIENCE) as reader:
                result = results_of(frames, reader, luma, 2)[-1]
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE) == 0
    return result


@pytest.mark.parametrize("name", ["frames", "front"])
def test_an_even_picture_has_brightness_only(program: str, name: str) -> None:
    result = measured(program, name, 77)
    assert result["camera_id"] == 3
    assert (result["brightness"], result["contrast"], result["sharpness"]) == (77, 0, 0)


def test_figures_are_those_of_their_formulas(program: str) -> None:
    luma = numpy.random.default_rng(5).integers(0, 256, (HEIGHT, WIDTH), numpy.uint8)
    result = measured(program, "frames", luma)
    exact = luma.astype(float)
    inner = exact[1:-1, 1:-1]
    edges = (
        exact[:-2, 1:-1] + exact[2:, 1:-1] + exact[1:-1, :-2] + exact[1:-1, 2:] - 4 * inner
    )
    assert result["brightness"] == pytest.approx(exact.mean(), abs=0.06)
    assert result["contrast"] == pytest.approx(exact.std(), abs=0.06)
    assert result["sharpness"] == pytest.approx(edges.var(), abs=0.06)


def test_a_blurred_picture_is_less_sharp(program: str) -> None:
    stripes = numpy.zeros((HEIGHT, WIDTH), numpy.uint8)
    stripes[:, ::8] = 240
    blurred = (stripes.astype(int) + numpy.roll(stripes, 1, axis=1).astype(int)) // 2
    sharp = measured(program, "frames", stripes)
    soft = measured(program, "frames", blurred.astype(numpy.uint8))
    assert sharp["brightness"] == pytest.approx(soft["brightness"], abs=2)
    assert soft["sharpness"] < sharp["sharpness"] / 2


def test_what_has_no_luma_is_refused(program: str) -> None:
    reads = started(program, "frames")
    with reads as running, framelane.Producer("frames", "rgb24", 8, 8) as producer:
        end = time.monotonic() + PATIENCE
        while running.poll() is None and time.monotonic() < end:
            producer.claim(PATIENCE).publish()
            time.sleep(0.02)
        assert running.wait(PATIENCE) == 1
        assert running.stderr is not None
        assert "only nv12, i420 and grey" in running.stderr.read()


def test_a_picture_that_does_not_fit_its_plane_is_refused(program: str) -> None:
    reads = started(program, "frames")
    with reads as running, framelane.Producer("frames", "grey", 64, 64) as producer:
        end = time.monotonic() + PATIENCE
        while running.poll() is None and time.monotonic() < end:
            frame = producer.claim(PATIENCE)
            frame.info.width = frame.info.height = 4096
            frame.publish()
            time.sleep(0.02)
        assert running.wait(PATIENCE) == 1
        assert running.stderr is not None
        assert "larger than its plane" in running.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_well_while_it_waits(program: str, number: signal.Signals) -> None:
    with started(program, "none") as running:
        with framelane.StreamReader("results", wait=PATIENCE):
            running.send_signal(number)
            assert running.wait(PATIENCE) == 0
