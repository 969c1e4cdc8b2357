"""The native half; its classes for streams stand in _core_streams.pyi, those for shmbuf rings in
_core_shmbuf.pyi, those for switches in _core_switches.pyi."""

import os
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Protocol, Self, TypeAlias, final

import numpy
import numpy.typing
from framelane._core_shmbuf import ShmbufReceiver as ShmbufReceiver
from framelane._core_shmbuf import ShmbufSender as ShmbufSender
from framelane._core_shmbuf import remove_shmbuf as remove_shmbuf
from framelane._core_streams import Record as Record
from framelane._core_streams import RecordMut as RecordMut
from framelane._core_streams import StreamReader as StreamReader
from framelane._core_streams import StreamWriter as StreamWriter
from framelane._core_switches import Switch as Switch
from framelane._core_switches import SwitchController as SwitchController
from framelane._core_switches import select as select
from framelane._info import FrameInfo, LaneInfo, Report
from framelane._layout import MemoryKind, Mode, PixelFormat
from typing_extensions import Buffer, CapsuleType

_Array: TypeAlias = numpy.typing.NDArray[numpy.uint8]
_Path: TypeAlias = str | os.PathLike[str]
_FormatName: TypeAlias = Literal["grey", "i420", "nv12", "rgb24", "bgr24", "yuyv"]
_Format: TypeAlias = PixelFormat | _FormatName
_Mode: TypeAlias = Mode | Literal["latest", "ordered", "lossless"]
_Memory: TypeAlias = MemoryKind | Literal["inline", "memfd", "dmabuf", "hb_mem"]

class _HasFileno(Protocol):
    def fileno(self) -> int: ...

@final
class Plane:
    """One plane of a frame, in place: a buffer of bytes with its true shape and strides.

    Read-only for a frame that was read. What is made of it keeps the frame.
    """

    @property
    def shape(self) -> tuple[int, ...]:
        """Counts of rows, samples, and bytes of a sample where there are several."""
    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one row, sample and byte to the next."""
    @property
    def size_bytes(self) -> int:
        """Size with the padding of its rows."""
    @property
    def writable(self) -> bool: ...
    @property
    def array(self) -> _Array:
        """The plane as a NumPy array."""
    @property
    def raw(self) -> memoryview:
        """All its bytes in a row, padding included."""
    def __len__(self) -> int: ...
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
class Frame:
    """A frame under lease: its bytes stay as they are until it is released and no view is left.

    Frames in device memory are the exception: their bytes can be taken back after
    `info.valid_until_ns`, and what was derived from them counts if `check()` says so afterwards.
    """

    @property
    def sequence(self) -> int:
        """Number of the frame in its epoch, from 1."""
    @property
    def missed(self) -> int:
        """Frames that passed between the one before and this one."""
    @property
    def new_epoch(self) -> bool:
        """Whether this is the first frame after the producer was restarted."""
    @property
    def switch_epoch(self) -> int:
        """Switch epoch under which a `Switch` read the frame; 0 of any other reader."""
    @property
    def lane_index(self) -> int:
        """Index of the lane of a `Switch` that the frame comes from; 0 of any other reader."""
    @property
    def switched(self) -> bool:
        """Whether this is the first frame that a `Switch` delivers under another selection."""
    @property
    def epoch(self) -> int:
        """Producer incarnation the frame comes from."""
    @property
    def slot(self) -> int:
        """Slot the frame is in; a small number to key caches by."""
    @property
    def released(self) -> bool: ...
    @property
    def info(self) -> FrameInfo:
        """Everything the producer said about the frame, copied."""
    @property
    def width(self) -> int: ...
    @property
    def height(self) -> int: ...
    @property
    def age(self) -> float:
        """Seconds since it was published."""
    @property
    def array(self) -> _Array:
        """The picture as a NumPy array, in place and read-only; it keeps the lease.

        (height, width) for grey, with a third axis of 3 for RGB and BGR and of 2 for YUYV;
        (height * 3 / 2, width) for NV12 and I420, as image libraries convert from.
        """
    @property
    def planes(self) -> tuple[Plane, ...]: ...
    def check(self) -> bool:
        """Whether everything read from the frame before this call counts."""
    def plane_fd(self, plane: int) -> int:
        """A descriptor of the dma-buf or memfd that one plane is in, to import it elsewhere: the
        plane is at the `offset_bytes` of its layout. The caller owns and closes it. An Error of
        kind UNSUPPORTED for frames in other memory."""
    def copy_to(self, plane: int, into: Buffer) -> None:
        """Copies one plane, padding included; an Error of kind REVOKED if it is not whole."""
    def release(self) -> None:
        """Gives the frame back. Views that are left keep the lease until the last is gone."""
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
class FrameMut:
    """A claimed slot to be filled, then published.

    In a `with` statement it is published at the end, and abandoned when an error comes out.
    Publishing is refused with BufferError while an array or memoryview could still write it.
    """

    @property
    def info(self) -> FrameInfo:
        """What the frame will say about itself; changes count until it is published."""
    @property
    def array(self) -> _Array:
        """The picture to be filled: `frame.array[:] = picture`."""
    @property
    def planes(self) -> tuple[Plane, ...]:
        """The planes as `info` lays them out now, to be filled."""
    @property
    def payload(self) -> memoryview:
        """All bytes of the slot."""
    def copy_from(self, bytes: Buffer) -> None:
        """Copies bytes to the start of the slot, counted as copied by the SDK."""
    def publish(self) -> int:
        """Makes the frame the newest of the lane; its sequence."""
    def abandon(self) -> None:
        """Gives the slot back unpublished, once its last view is gone."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...

@final
class Producer:
    """Owns a lane: claims slots, fills them, publishes them. Usable from several threads.

    Without `payload_bytes` a slot has the size of the picture. `access` is "owner", "everyone" or
    the number of a group. Times are seconds. A lane has lease_budget + claims + 1 + history slots,
    at most 64.
    """

    def __new__(
        cls,
        name: str,
        format: _Format | None = None,
        width: int | None = None,
        height: int | None = None,
        *,
        stride_align: int = 1,
        payload_bytes: int | None = None,
        lease_budget: int = 8,
        claims: int = 1,
        history: int = 1,
        lossless: bool = False,
        lease: float = 0.0,
        frame_period: float = 0.0,
        memory: _Memory | None = None,
        device_buffers: Sequence[int | _HasFileno] = (),
        huge_pages: Literal["off", "try", "require"] = "off",
        lock_memory: bool = False,
        numa_node: int | None = None,
        access: Literal["owner", "everyone"] | int | None = None,
        trust: Literal["same_user", "trusted_only", "untrusted"] = "same_user",
        reclaim: Literal["thread", "pump"] = "thread",
        directory: _Path | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def epoch(self) -> int:
        """Random id of this producer incarnation."""
    @property
    def directory(self) -> Path:
        """Runtime directory the lane's socket is in."""
    @property
    def consumers(self) -> int:
        """Number of consumers attached now."""
    @property
    def closed(self) -> bool: ...
    def claim(self, timeout: float | None = 0.0) -> FrameMut:
        """Claims a slot at once, or within `timeout` seconds, None being for ever.

        An Error of kind NO_FREE_SLOT names who holds the slots.
        """
    def publish_batch(self, frames: Sequence[FrameMut]) -> int:
        """Publishes claimed frames in order with one wake-up; the last sequence."""
    def publish_external(
        self, info: FrameInfo, owner: Callable[[int, bool], object] | None = None
    ) -> int:
        """Publishes a frame in device memory; its sequence.

        `owner(sequence, revoked)` is called once when the buffer may be used again: on a thread of
        the producer's, or in `reclaim()` where the lane was made with `reclaim="pump"`.
        """
    def reclaim(self) -> int:
        """Calls the owners of returned buffers; how many."""
    def recall(self) -> None:
        """Takes back the device frames that nobody holds, the newest included."""
    def report(self) -> Report:
        """How the lane is: geometry, counts, consumers and what they hold."""
    def close(self) -> None:
        """Ends the lane. Consumers are told; frames that they hold stay valid."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

@final
class Consumer:
    """Reads a lane. Used by one thread at a time; `close` works from any.

    `leases` is how many frames can be held at once: in a loop, the one before and its arrays are
    still there when the next is read, hence two. `wait` is how many seconds to wait for a producer
    to make the lane, None being for ever. A consumer re-attaches when its producer is restarted.

    Iterating yields frames, waiting for each, until the consumer is closed or, with
    `reattach=False`, its producer is gone; `async for` does so without blocking the event loop.
    """

    def __new__(
        cls,
        name: str,
        mode: _Mode | None = None,
        *,
        leases: int = 2,
        wait: float | None = 0.0,
        reattach: bool = True,
        writable: bool = False,
        directory: _Path | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def received(self) -> int:
        """Frames delivered."""
    @property
    def missed(self) -> int:
        """Frames that passed without being delivered."""
    @property
    def epoch(self) -> int:
        """Random id of the producer attached to, 0 while there is none."""
    @property
    def held(self) -> int:
        """Frames of this consumer that are held now, by frames or by views."""
    @property
    def lane(self) -> LaneInfo | None:
        """The lane as of the last attach, None while there is no producer."""
    @property
    def closed(self) -> bool: ...
    def read(self, timeout: float | None = None) -> Frame | None:
        """The next frame of this consumer's mode, waiting for it up to `timeout` seconds.

        None when the time is over; without a timeout it waits for ever.
        """
    def read_latest(self, *, max_age: float | None = None) -> Frame | None:
        """The newest valid frame, also one that was delivered before.

        None when there is none, or none published within the last `max_age` seconds.
        """
    def read_async(self, timeout: float | None = None) -> Coroutine[Any, Any, Frame | None]:
        """Like `read`, in an asyncio loop."""
    def try_next(self) -> Frame | None:
        """The next frame if there is one now."""
    def wait(self, timeout: float | None = None) -> bool:
        """Waits until there is something to read; whether there is."""
    def fileno(self) -> int:
        """A descriptor that becomes readable when there may be a frame, for select and others.

        Each time, call `try_next` until it returns None. It belongs to the consumer.
        """
    def close(self) -> None:
        """Stops reading, from any thread. Frames that are held stay valid."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Frame: ...
    def __aiter__(self) -> AsyncIterator[Frame]: ...

def discover(directory: _Path | None = None) -> list[tuple[str, Path]]:
    """Names and runtime directories of the lanes that have a socket, by name."""

def query(name: str, *, timeout: float = 1.0, directory: _Path | None = None) -> Report:
    """Asks a lane's producer how the lane is. Takes no lease."""

def picture(format: _Format, width: int, height: int, stride_align: int = 1) -> FrameInfo:
    """A FrameInfo that lays out one picture in one block of memory."""

def monotonic_ns() -> int:
    """CLOCK_MONOTONIC now, the clock of publish times."""

def layout_hash() -> int:
    """Hash of the byte layout that this build was made with."""
