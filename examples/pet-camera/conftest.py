"""Each test of a program has a runtime directory of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _own_lanes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMELANE_DIR", str(tmp_path))


@pytest.fixture
def program() -> str:
    """The program that was built, from `FRAMELANE_PROGRAM`."""
    return os.environ["FRAMELANE_PROGRAM"]
