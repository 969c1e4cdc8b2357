"""The classes of the native half for streams; at run time they are in framelane._core."""

import os
from collections.abc import AsyncIterator, Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, final

import numpy
import numpy.typing
from framelane._info import Report
from framelane._layout import Codec, StreamStart
from framelane._stream import RecordInfo, StreamConfig, StreamInfo
from typing_extensions import Buffer, CapsuleType

_Array: TypeAlias = numpy.typing.NDArray[numpy.uint8]
_Path: TypeAlias = str | os.PathLike[str]
_CodecName: TypeAlias = Literal["opaque", "h264", "h265", "jpeg", "aac", "opus", "json"]
_Config: TypeAlias = StreamConfig | Codec | _CodecName
_Place: TypeAlias = StreamStart | Literal["newest_key", "oldest_key", "key_before", "next"]

@final
class Record:
    """A record that was read: a copy of its own, or of a lossless reader the bytes in place.

    It is a read-only buffer of bytes. In place, they stay as they are until it is released and no
    view is left; the writer waits for that.
    """

    @property
    def sequence(self) -> int:
        """Number of the record in its epoch, from 1."""
    @property
    def is_key(self) -> bool:
        """Whether decoding can start here."""
    @property
    def missed(self) -> int:
        """Records that passed between the one before and this one, without those that a
        LappedError has told of and those that a seek has passed over."""
    @property
    def new_config(self) -> bool:
        """Whether this is the first record under its config, of those that were read."""
    @property
    def epoch(self) -> int:
        """Writer incarnation the record comes from."""
    @property
    def new_epoch(self) -> bool:
        """Whether this is the first record after the writer was restarted."""
    @property
    def released(self) -> bool: ...
    @property
    def info(self) -> RecordInfo:
        """What the record is, copied: times, capture id, flags."""
    @property
    def config(self) -> StreamConfig:
        """What the stream is, from this record to the next change, copied."""
    @property
    def data(self) -> memoryview:
        """Its bytes, read-only; the view keeps them."""
    @property
    def array(self) -> _Array:
        """Its bytes as a NumPy array, read-only; it keeps them."""
    def release(self) -> None:
        """Gives the record back. Views that are left keep its bytes until the last is gone."""
    def __len__(self) -> int: ...
    def __bool__(self) -> bool:
        """True: a record of no bytes is a record."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def __array__(
        self, dtype: numpy.typing.DTypeLike | None = None, copy: bool | None = None
    ) -> numpy.typing.NDArray[Any]: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
    def __dlpack__(
        self,
        *,
        stream: None = None,
        max_version: tuple[int, int] | None = None,
        dl_device: tuple[int, int] | None = None,
        copy: bool | None = None,
    ) -> CapsuleType:
        """A read-only tensor. Callers that know only DLPack before 1.0 are refused."""
    def __dlpack_device__(self) -> tuple[int, int]: ...

@final
class RecordMut:
    """The open record of a writer: append its bytes, then commit it.

    In a `with` statement it is committed at the end, and abandoned when an error comes out.
    """

    @property
    def info(self) -> RecordInfo:
        """What the record will say about itself; times, capture id and flags count until it is
        committed, the rest is set then."""
    @property
    def is_key(self) -> bool:
        """Whether decoding can start at this record, a bit of `info.flags`. Where no record needs
        another, it can at each."""
    @is_key.setter
    def is_key(self, is_key: bool) -> None: ...
    @property
    def room(self) -> int:
        """Bytes that can still be appended."""
    def append(self, bytes: Buffer) -> None:
        """Appends bytes, counted as copied by the SDK.

        An Error of kind RECORD_TOO_LARGE for more than was asked for at `begin`; the record stays
        as it was.
        """
    def commit(self) -> int:
        """Makes the record the newest of the lane; its sequence."""
    def abandon(self) -> None:
        """Gives the record up."""
    def __len__(self) -> int:
        """Bytes appended so far."""
    def __bool__(self) -> bool:
        """True: a record of no bytes is a record."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

@final
class StreamWriter:
    """Owns a stream lane and writes its records, one after the other. Usable from several threads,
    though only one record is open at a time.

    It never waits for a live reader; for lossless ones, where the lane admits them with `lossless`,
    as long as it is given time. Half of `data_bytes` is the largest record; `index_capacity` is how
    many are kept at most. Times are seconds. `access` and `trust` are as of a `Producer`.
    """

    def __new__(
        cls,
        name: str,
        config: _Config,
        *,
        data_bytes: int = 8388608,
        index_capacity: int = 1024,
        lossless: bool = False,
        key_request_interval: float = 1.0,
        lock_memory: bool = False,
        numa_node: int | None = None,
        access: Literal["owner", "everyone"] | int | None = None,
        trust: Literal["same_user", "trusted_only", "untrusted"] = "same_user",
        directory: _Path | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def epoch(self) -> int:
        """Random id of this writer incarnation."""
    @property
    def record_limit_bytes(self) -> int:
        """Largest record, in bytes: half of the ring."""
    @property
    def directory(self) -> Path:
        """Runtime directory the lane's socket is in."""
    @property
    def config(self) -> StreamConfig:
        """What the records to come are, copied; `set_config` changes it."""
    @property
    def readers(self) -> int:
        """Number of readers attached now."""
    @property
    def closed(self) -> bool: ...
    def begin(self, room: int, timeout: float | None = 0.0) -> RecordMut:
        """Begins a record of up to `room` bytes, at once or within `timeout` seconds, None being
        for ever.

        An Error of kind RECORD_TOO_LARGE, or NO_FREE_SLOT when a record is open already or a
        lossless reader, which it names, holds what would be overwritten.
        """
    def write(
        self,
        *pieces: Buffer,
        key: bool = False,
        pts_ns: int | None = None,
        dts_ns: int | None = None,
        capture_id: int = 0,
        flags: int = 0,
        timeout: float | None = 0.0,
    ) -> int:
        """Writes a record from its pieces; its sequence. Waits and fails as `begin`. `flags` are
        those of RecordFlag."""
    def set_config(self, config: _Config, timeout: float | None = 0.0) -> int:
        """Says what the records to come are; the number of that config. Readers get it before the
        first record that needs it. Saying the same again changes nothing. Waits as `begin`."""
    def key_frame_wanted(self, timeout: float | None = 0.0) -> bool:
        """Whether a reader wants a key record, waiting up to `timeout` seconds for that.

        Says so again after `key_request_interval` until one is committed. An encoder asks before
        each picture.
        """
    def report(self) -> Report:
        """How the lane is: sizes, counts and readers."""
    def close(self) -> None:
        """Ends the lane. Readers read what is left, and are told."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

@final
class StreamReader:
    """Reads a stream lane, record after record. Used by one thread at a time; `close` works from
    any.

    It begins at `start`: the newest key record, the oldest, the newest that was published
    `start_age` seconds ago or before, or the record that comes next. A live reader copies each
    record once, and the writer does not wait for it: reading raises LappedError when records were
    overwritten unread, and the next read goes on at `after_lap`, the newest or the oldest key
    record. With `lossless`, on lanes that admit it, it gets every record in place, and the writer
    waits. `wait` is how many seconds to wait for a writer to make the lane, None being for ever. A
    reader re-attaches when its writer is restarted.

    Iterating yields records, waiting for each, until the reader is closed or, with
    `reattach=False`, its writer is gone; `async for` does so without blocking the event loop.
    """

    def __new__(
        cls,
        name: str,
        start: _Place | None = None,
        *,
        start_age: float = 0.0,
        after_lap: _Place | None = None,
        lossless: bool = False,
        wait: float | None = 0.0,
        reattach: bool = True,
        directory: _Path | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def received(self) -> int:
        """Records delivered."""
    @property
    def missed(self) -> int:
        """Records that passed without being delivered, all epochs together; seeks left out."""
    @property
    def epoch(self) -> int:
        """Random id of the writer attached to, 0 while there is none."""
    @property
    def held(self) -> int:
        """Records that are held in place now, by records or by views."""
    @property
    def lane(self) -> StreamInfo | None:
        """The lane as of the last attach, None while there is no writer."""
    @property
    def closed(self) -> bool: ...
    def read(self, timeout: float | None = None) -> Record | None:
        """The next record, waiting for it up to `timeout` seconds.

        None when the time is over; without a timeout it waits for ever.
        """
    def read_async(self, timeout: float | None = None) -> Coroutine[Any, Any, Record | None]:
        """Like `read`, in an asyncio loop."""
    def try_next(self) -> Record | None:
        """The next record if there is one now."""
    def wait(self, timeout: float | None = None) -> bool:
        """Waits until there may be something to read; whether there is."""
    def seek(self, place: _Place, *, age: float = 0.0) -> None:
        """Goes to another place of the stream; `age` seconds is what "key_before" means.

        An Error of kind NO_KEY_FRAME when there is none: the reader stays where it is, and one is
        asked for. UNSUPPORTED for a lossless reader that would have to go back.
        """
    def request_key_frame(self) -> None:
        """Asks the writer for a key record."""
    def fileno(self) -> int:
        """A descriptor that becomes readable when there may be a record, for select and others.

        Each time, call `try_next` until it returns None. It belongs to the reader.
        """
    def close(self) -> None:
        """Stops reading, from any thread. Records stay valid."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Record: ...
    def __aiter__(self) -> AsyncIterator[Record]: ...
