"""What frames and lanes tell about themselves."""

from __future__ import annotations

from dataclasses import dataclass

from framelane._layout import ConsumerReport, FrameDescriptor, MemoryKind, PixelFormat
from framelane._layout import Report as _Report


class FrameInfo(FrameDescriptor):
    """Everything the producer says about a frame, a copy of the bytes in the lane.

    Fields are those of the schema (schema/descriptor.fbs). Numbers of enums are plain integers,
    since a peer may send any.
    """

    @property
    def format(self) -> PixelFormat | None:
        """The pixel format, None where `fourcc` is none that the SDK lays out by itself."""
        try:
            return PixelFormat(self.fourcc)
        except ValueError:
            return None

    def __repr__(self) -> str:
        code = self.fourcc.to_bytes(4, "little").decode("latin1")
        name = self.format.name if self.format else repr(code)
        return f"<framelane.FrameInfo {name} {self.width}x{self.height} sequence {self.sequence}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FrameInfo) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]  # it can be changed


class Report(_Report):
    """How a lane is: geometry, counts, consumers and what they hold; fields of schema/wire.fbs."""

    @property
    def attached(self) -> list[ConsumerReport]:
        """The consumers that there are; `consumers` has room for more."""
        return list(self.consumers)[: self.consumer_count]

    def __repr__(self) -> str:
        return f"<framelane.Report {self.consumer_count} consumers, {self.published} published>"


@dataclass(frozen=True)
class LaneInfo:
    """Constants of one epoch of a lane, as a consumer knows them."""

    name: str
    epoch: int
    consumer_id: int
    leases: int
    slots: int
    history: int
    memory_kind: MemoryKind
    flags: int
    payload_bytes: int
    lease_ns: int
    total_bytes: int
    producer_pid: int
    producer_uid: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "memory_kind", MemoryKind(self.memory_kind))
