"""What records and streams tell about themselves."""

from __future__ import annotations

from dataclasses import dataclass

from framelane._errors import InvalidArgumentError
from framelane._layout import Codec, ErrorKind, RecordFlag, Size, StreamLimit
from framelane._layout import RecordInfo as _RecordInfo
from framelane._layout import StreamConfig as _StreamConfig

_NO_TIME = StreamLimit.NO_TIME - (1 << 64)
"""As the signed number that times are."""


class RecordInfo(_RecordInfo):
    """What a record is: times, capture id, flags; fields of the schema (schema/stream.fbs).

    A new one knows no times and has no flags. Times are nanoseconds; where one is not known, `pts`
    and `dts` are None, and the fields `pts_ns` and `dts_ns` the lowest number there is.
    """

    def __init__(self) -> None:
        super().__init__(pts_ns=_NO_TIME, dts_ns=_NO_TIME)

    @property
    def is_key(self) -> bool:
        """Whether decoding can start here, a bit of `flags`."""
        return bool(self.flags & RecordFlag.KEY)

    @is_key.setter
    def is_key(self, is_key: bool) -> None:
        bit = int(RecordFlag.KEY)
        self.flags = self.flags & ~bit | (bit if is_key else 0)

    @property
    def pts(self) -> int | None:
        """Presentation time, None where it is not known."""
        return None if self.pts_ns == _NO_TIME else self.pts_ns

    @property
    def dts(self) -> int | None:
        """Decoding time, None where it is not known."""
        return None if self.dts_ns == _NO_TIME else self.dts_ns

    def __repr__(self) -> str:
        key = " key" if self.is_key else ""
        return f"<framelane.RecordInfo {self.sequence}{key} of {self.size_bytes} bytes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RecordInfo) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]  # it can be changed


class StreamConfig(_StreamConfig):
    """What the records of a stream are, to the next change; fields of schema/stream.fbs.

    Further fields (bits_per_second, camera_id, ...) are set on the object. Numbers of enums are
    plain integers, since a peer may send any.
    """

    def __init__(
        self,
        codec: Codec | str = Codec.OPAQUE,
        width: int = 0,
        height: int = 0,
        *,
        fps: tuple[int, int] = (0, 0),
        sample_rate: int = 0,
        channels: int = 0,
        parameter_sets: bytes = b"",
    ) -> None:
        super().__init__(width=width, height=height, sample_rate=sample_rate, channels=channels)
        self.fps_numerator, self.fps_denominator = fps
        self.codec = _codec(codec)
        self.parameter_sets = parameter_sets

    @property
    def known_codec(self) -> Codec | None:
        """The codec, None for a number that this build does not know."""
        try:
            return Codec(self.codec)
        except ValueError:
            return None

    @property
    def parameter_sets(self) -> bytes:
        """Parameter sets that are not in the records."""
        return bytes(self.parameters[: self.parameter_bytes])

    @parameter_sets.setter
    def parameter_sets(self, given: bytes) -> None:
        if len(given) > Size.PARAMETER_BYTES:
            room = Size.PARAMETER_BYTES
            text = f"{len(given)} bytes of parameters, a config has room for {room}"
            raise InvalidArgumentError(text, ErrorKind.INVALID_ARGUMENT)
        self.parameters[:] = list(given.ljust(Size.PARAMETER_BYTES, b"\0"))
        self.parameter_bytes = len(given)

    def __repr__(self) -> str:
        codec = self.known_codec
        name = codec.name if codec is not None else f"codec {self.codec}"
        return f"<framelane.StreamConfig {self.id}: {name} {self.width}x{self.height}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamConfig) and bytes(self) == bytes(other)

    __hash__ = None  # type: ignore[assignment]  # it can be changed


def _codec(given: Codec | str) -> Codec:
    try:
        return Codec[given.upper()] if isinstance(given, str) else Codec(given)
    except (KeyError, ValueError):
        known = ", ".join(codec.name.lower() for codec in Codec)
        text = f"codec {given}; known are {known}"
        raise InvalidArgumentError(text, ErrorKind.INVALID_ARGUMENT) from None


@dataclass(frozen=True)
class StreamInfo:
    """Constants of one epoch of a stream lane, as a reader knows them."""

    name: str
    epoch: int
    consumer_id: int
    data_bytes: int
    record_limit_bytes: int
    index_capacity: int
    flags: int
    total_bytes: int
    producer_pid: int
    producer_uid: int
