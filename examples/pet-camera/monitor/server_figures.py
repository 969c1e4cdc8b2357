"""What the streaming server says about itself at /metrics, for the page."""

from __future__ import annotations

import http.client
import math
import re
from collections import defaultdict, deque
from typing import NamedTuple
from urllib.parse import urlsplit

LIMIT = 1.0
"""Seconds that the server may take."""
MOST_BYTES = 1 << 20
LOOKS = 15

_LINE = re.compile(r"^(framelane_server_\w+)(?:\{(.*)\})? (\S+)$")
_BOUND = re.compile(r'le="([^"]+)"')


class Figures(NamedTuple):
    """Of one scrape; labels are added up, but for the bounds of latencies."""

    sums: dict[str, float]
    buckets: dict[float, float]


def scrape(address: str) -> Figures:
    """Asks the server. OSError or ValueError where it does not answer as it should."""
    where = urlsplit(address)
    if where.scheme != "http" or where.hostname is None:
        raise ValueError(f"{address} is no http address")
    connection = http.client.HTTPConnection(where.hostname, where.port, timeout=LIMIT)
    try:
        connection.request("GET", "/metrics")
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise ValueError(f"it answers {answer.status}")
        return parse(answer.read(MOST_BYTES).decode(errors="replace"))
    except http.client.HTTPException as error:
        raise ValueError(f"it answers no HTTP: {error!r}") from error
    finally:
        connection.close()


def parse(text: str) -> Figures:
    """Prometheus text, of which only our own families count."""
    sums: defaultdict[str, float] = defaultdict(float)
    buckets: defaultdict[float, float] = defaultdict(float)
    for line in text.splitlines():
        match = _LINE.match(line)
        if match is None or not math.isfinite(value := float(match[3])):
            continue
        name, labels = match[1].removeprefix("framelane_server_"), match[2]
        if name == "latency_seconds_bucket":
            bound = _BOUND.search(labels or "")
            if bound is not None:
                buckets[float(bound[1])] += value
        else:
            sums[name] += value
    return Figures(dict(sums), dict(buckets))


class Recent:
    """The last scrapes, and what happened between the oldest of them and the newest."""

    def __init__(self) -> None:
        self._looks: deque[Figures] = deque(maxlen=LOOKS)

    def add(self, figures: Figures) -> None:
        """One more; a server that was restarted begins anew."""
        if self._looks and figures.sums.get("units_total", 0) < self.total("units_total"):
            self._looks.clear()
        self._looks.append(figures)

    def clear(self) -> None:
        """The server is gone."""
        self._looks.clear()

    def total(self, name: str) -> float:
        """A sum as it is now."""
        return self._looks[-1].sums.get(name, 0.0) if self._looks else 0.0

    def quantiles(self) -> tuple[float, float] | None:
        """p50 and p99 in milliseconds: upper bounds, for buckets are what there is."""
        if len(self._looks) < 2:
            return None
        first, last = self._looks[0].buckets, self._looks[-1].buckets
        grown = {bound: last[bound] - first.get(bound, 0.0) for bound in sorted(last)}
        count = grown.get(math.inf, 0.0)
        if count <= 0:
            return None
        p50, p99 = (
            next(bound for bound, below in grown.items() if below >= part * count)
            for part in (0.5, 0.99)
        )
        finite = max((bound for bound in grown if math.isfinite(bound)), default=0.0)
        return round(min(p50, finite) * 1e3, 2), round(min(p99, finite) * 1e3, 2)
