"""A command line: a word, then `key=value`; and descriptor fields as such pairs."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import TypeVar

from framelane import FrameInfo

T = TypeVar("T")


class Misunderstood(Exception):
    """The line itself has no meaning."""


class Line(dict[str, str]):
    """The pairs of one command."""

    def __init__(self, text: str) -> None:
        self.word, *pairs = text.split()
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals:
                raise Misunderstood(f"{pair!r} is no key=value")
            self[key] = value

    def need(self, key: str) -> str:
        if key not in self:
            raise Misunderstood(f"{self.word} needs {key}=")
        return self[key]

    def number(self, key: str, default: int = 0) -> int:
        try:
            return int(self.get(key, default))
        except ValueError:
            raise Misunderstood(f"{key}={self[key]} has no meaning") from None

    def seconds(self, key: str) -> float:
        self.need(key)
        return self.number(key) / 1000


def numbered(among: dict[int, T], key: str, line: Line) -> T:
    """The one of several things that a line means."""
    number = line.number(key)
    if number not in among:
        raise Misunderstood(f"there is no {key} {number}")
    return among[number]


def apply_fields(line: Line, info: FrameInfo) -> None:
    """Sets the fields that a line names."""
    for key, value in line.items():
        if not key.startswith("d."):
            continue
        struct: ctypes.Structure = info
        *path, name = key[2:].split(".")
        try:
            if path:
                _, index = path
                struct = info.planes[int(index)]
            kind = dict(struct._fields_)[name]  # type: ignore[arg-type]
            if issubclass(kind, ctypes.Array):
                getattr(struct, name)[:] = list(bytes.fromhex(value))
            else:
                setattr(struct, name, float(value) if kind is ctypes.c_float else int(value))
        except (KeyError, IndexError, ValueError):
            raise Misunderstood(f"{key}={value} has no meaning") from None


def fields(struct: ctypes.Structure, prefix: str = "d.") -> Iterator[str]:
    """All fields but the reserved ones."""
    for name, *_ in struct._fields_:
        value = getattr(struct, name)
        if name.startswith("reserved"):
            continue
        if name == "planes":
            for number, plane in enumerate(value):
                yield from fields(plane, f"{prefix}planes.{number}.")
        elif isinstance(value, ctypes.Array):
            yield f"{prefix}{name}={bytes(value).hex()}"
        else:
            yield f"{prefix}{name}={value!r}"
