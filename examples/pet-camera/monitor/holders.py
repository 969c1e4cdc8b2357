"""Who reads which lane, what it holds, and what would have been copied for it."""

from __future__ import annotations

import os
from typing import Any

import framelane
import looking
from looking import Look
from stages import Rates, rounded

MODES = {mode.value: mode.name.lower() for mode in framelane.Mode}


def tell(look: Look, rates: Rates, names: dict[int, str], own_copies: float) -> dict[str, Any]:
    """Rows of consumers and of copies. `names` are those of processes that have no telling one;
    `own_copies` is what this program copies a second of the frames that it draws into."""
    holders: list[dict[str, Any]] = []
    paths: list[dict[str, Any]] = []
    for lane in sorted(look.lanes):
        report = look.report(lane)
        if report is None or looking.is_kind(report, framelane.LaneKind.SWITCH):
            continue
        size, filled = _published(lane, report, rates)
        if filled is not None:
            paths.append(filled)
        for consumer in report.attached:
            row = _holder(lane, report, consumer, rates, names)
            holders.append(row)
            key = (lane, report.epoch, "copied", consumer.consumer_id)
            copied = rates.of(key, consumer.copied_bytes, report.now_ns) or 0.0
            would = (row["fps"] or 0.0) * size if size else copied
            if consumer.pid == os.getpid() and size:
                # Where no picture is made, only times are read, for which nothing need be copied.
                would, copied = (would, own_copies) if own_copies else (0.0, 0.0)
            if not would:
                continue  # attached, and reads nothing: the camera that is not active
            paths.append(
                {
                    "path": f"{lane} → {row['command']}",
                    "lane": lane,
                    "pid": consumer.pid,
                    "consumer_id": consumer.consumer_id,
                    "frame_bytes": size or None,
                    "fps": row["fps"],
                    "copied_bytes_per_s": round(copied),
                    "would_bytes_per_s": round(max(would, copied)),
                }
            )
    copied_in_all = sum(path["copied_bytes_per_s"] for path in paths)
    would_in_all = sum(path["would_bytes_per_s"] for path in paths)
    total = {"copied_bytes_per_s": copied_in_all, "would_bytes_per_s": would_in_all}
    return {"holders": holders, "savings": {"paths": paths, "total": total}}


def _published(
    lane: str, report: framelane.Report, rates: Rates
) -> tuple[int, dict[str, Any] | None]:
    """Bytes of a frame, and the way into the lane; a stream has no frames of one size."""
    if not looking.is_kind(report, framelane.LaneKind.FRAME) or not report.published:
        return 0, None
    size = looking.frame_bytes(report)
    fps = rates.of((lane, report.epoch, "published"), report.published, report.now_ns)
    copied = rates.of((lane, report.epoch, "filled"), report.copied_bytes, report.now_ns)
    return size, {
        "path": f"camera → {lane}",
        "lane": lane,
        "pid": report.producer_pid,
        "consumer_id": None,
        "frame_bytes": size,
        "fps": rounded(fps),
        "copied_bytes_per_s": round(copied or 0.0),
        "would_bytes_per_s": round((fps or 0.0) * size),
    }


def _holder(
    lane: str,
    report: framelane.Report,
    consumer: Any,
    rates: Rates,
    names: dict[int, str],
) -> dict[str, Any]:
    key = lane, report.epoch, "received", consumer.consumer_id
    held_for = report.now_ns - consumer.held_since_ns if consumer.held_since_ns else None
    command = looking.text(consumer.command)
    return {
        "lane": lane,
        "command": names.get(consumer.pid, command),
        "pid": consumer.pid,
        # A process may read a lane more than once, in the same mode too.
        "consumer_id": consumer.consumer_id,
        "mode": MODES.get(consumer.mode, str(consumer.mode)),
        "fps": rounded(rates.of(key, consumer.received, report.now_ns)),
        "held": consumer.held_slots.bit_count(),
        "leases": consumer.leases,
        "held_for_ms": None if held_for is None else round(max(held_for, 0) / 1e6, 1),
        "received": consumer.received,
        "missed": consumer.missed,
        "revoked": consumer.revoked,
    }
