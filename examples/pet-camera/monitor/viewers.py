"""Those who watch. Whoever is slow loses what it was too slow for; nobody waits for anybody."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class TooManyError(Exception):
    """There are as many as there may be."""


class Viewer(Generic[T]):
    """One who watches, with room for a few that it has not taken yet."""

    def __init__(self, room: int) -> None:
        self._waiting: deque[T] = deque(maxlen=room)
        self._arrived = asyncio.Event()
        self.dropped = 0

    def offer(self, item: T) -> None:
        """Gives it the newest; the oldest that it has not taken goes."""
        if len(self._waiting) == self._waiting.maxlen:
            self.dropped += 1
        self._waiting.append(item)
        self._arrived.set()

    async def next(self) -> T:
        """What comes next."""
        while not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return self._waiting.popleft()


class Viewers(Generic[T]):
    """All who watch the same."""

    def __init__(self, most: int, room: int, changed: Callable[[], None]) -> None:
        self._all: set[Viewer[T]] = set()
        self._most, self._room, self._changed = most, room, changed
        self._dropped = 0

    def __len__(self) -> int:
        return len(self._all)

    @property
    def dropped(self) -> int:
        """What all of them were too slow for, those that have left included."""
        return self._dropped + sum(viewer.dropped for viewer in self._all)

    def join(self) -> Viewer[T]:
        """One more, who must leave; TooManyError if there are enough."""
        if len(self._all) >= self._most:
            raise TooManyError(f"{self._most} viewers are the limit")
        viewer: Viewer[T] = Viewer(self._room)
        self._all.add(viewer)
        self._changed()
        return viewer

    def leave(self, viewer: Viewer[T]) -> None:
        """One less."""
        self._all.discard(viewer)
        self._dropped += viewer.dropped
        self._changed()

    def offer(self, item: T) -> None:
        """Gives it to all."""
        for viewer in self._all:
            viewer.offer(item)
