"""Each test has lanes of its own."""

from collections.abc import Iterator
from pathlib import Path

import framelane
import pytest

DEADLINE = 30.0
"""Seconds that anything may take; a test that waits longer has failed."""


@pytest.fixture(autouse=True)
def lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FRAMELANE_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def producer() -> Iterator[framelane.Producer]:
    with framelane.Producer("lane", "grey", 16, 4) as producer:
        yield producer


@pytest.fixture
def consumer(producer: framelane.Producer) -> Iterator[framelane.Consumer]:
    with framelane.Consumer("lane") as consumer:
        yield consumer


def publish(producer: framelane.Producer, value: int) -> int:
    """Publishes a frame filled with a value; its sequence."""
    frame = producer.claim()
    frame.array[:] = value
    return frame.publish()


def read(consumer: framelane.Consumer) -> framelane.Frame:
    """The next frame, which must come."""
    frame = consumer.read(DEADLINE)
    assert frame is not None
    return frame


def next_record(reader: framelane.StreamReader) -> framelane.Record:
    """The next record, which must come."""
    record = reader.read(DEADLINE)
    assert record is not None
    return record
