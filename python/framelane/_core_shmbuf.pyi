"""The classes of the native half for shmbuf rings; at run time they are in framelane._core."""

import os
from types import TracebackType
from typing import Self, TypeAlias, final

from typing_extensions import Buffer

_Path: TypeAlias = str | os.PathLike[str]

@final
class ShmbufSender:
    """Writes messages into a segment of its own, for the older shmbuf programs and for ours.

    A ring in named shared memory with one sender and one receiver, layout 2 of those programs. It
    takes the largest power of two that fits `capacity_bytes`; a message needs 4 bytes beside its
    own. Used by one thread at a time; `close` works from any.
    """

    def __new__(
        cls,
        name: str,
        capacity_bytes: int,
        *,
        mode: int = 0o600,
        keep: bool = False,
        python_receiver: bool = False,
        bell: bool = False,
        poll_interval: float = 0.001,
        directory: _Path | None = None,
    ) -> Self:
        """Makes the segment, with or without a slash in front of its name.

        It replaces one that a dead sender has left; while another sender of ours has the name it
        raises an Error of kind ALREADY_EXISTS. An upstream sender cannot be seen, and loses the
        name. `mode` is given whatever the umask: a receiver needs to read and write. With `keep`
        the name stays when this sender goes. `python_receiver` is for upstream's Python receiver,
        which goes deaf after 4 GiB, and never for a C++ one. `bell` wakes the other side, where it
        is ours and asks for it too; else each looks every `poll_interval` seconds.
        """
    def send(self, message: Buffer, timeout: float | None = 0.0) -> bool:
        """Sends a message at once, or within `timeout` seconds, for ever with None; False, and
        nothing is written, when there was no room.

        Raises for an empty message, at which upstream receivers would stop for ever, and for one
        that the ring could never take (TOO_LARGE).
        """
    def drain(self, timeout: float | None = None) -> bool:
        """Waits up to `timeout` seconds until everything sent has been read; whether it has."""
    @property
    def name(self) -> str: ...
    @property
    def capacity_bytes(self) -> int:
        """Bytes of the ring."""
    @property
    def longest_message(self) -> int:
        """The longest message that the empty ring can take."""
    @property
    def unread_bytes(self) -> int:
        """Bytes that wait to be read, the 4 before each message included."""
    @property
    def has_receiver(self) -> bool:
        """Whether a receiver of ours is attached; upstream ones cannot be seen."""
    @property
    def sent(self) -> int:
        """Messages sent."""
    @property
    def times_full(self) -> int:
        """How often a send that does not wait found the ring full."""
    @property
    def closed(self) -> bool: ...
    def close(self) -> None:
        """Ends the segment, from any thread; an attached receiver can still read what was sent.

        Its name goes unless it is to be kept. A waiting send ends within a fifth of a second.
        """
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

@final
class ShmbufReceiver:
    """Reads the messages of a segment. Used by one thread at a time; `close` works from any.

    `for message in receiver` reads until it is closed, without `reattach` until the sender is gone.
    """

    def __new__(
        cls,
        name: str,
        *,
        wait: float | None = 0.0,
        reattach: bool = True,
        bell: bool = False,
        poll_interval: float = 0.001,
        directory: _Path | None = None,
    ) -> Self:
        """Attaches to a segment, waiting up to `wait` seconds for one that can be read.

        With `reattach` it goes on with the next segment of the name when the sender was restarted;
        without, reading then raises an Error of kind DISCONNECTED. That an upstream sender is gone
        cannot be seen. A segment has one receiver: TOO_MANY while another one of ours reads it.
        """
    def read(self, timeout: float | None = None) -> bytes | None:
        """The next message, waiting up to `timeout` seconds for it, for ever with None. None when
        the time is over."""
    def try_next(self) -> bytes | None:
        """The next message if there is one now."""
    def read_into(self, into: Buffer, timeout: float | None = None) -> int | None:
        """The next message into memory of the caller's; its size, None when the time is over.

        An Error of kind TOO_LARGE when it does not fit; it stays, to be read elsewhere or skipped.
        """
    def wait(self, timeout: float | None = None) -> int | None:
        """Size of the next message, waiting up to `timeout` seconds for it; it stays."""
    def skip(self) -> bool:
        """Drops the next message unread; False if there is none."""
    @property
    def name(self) -> str: ...
    @property
    def capacity_bytes(self) -> int:
        """Bytes of the ring."""
    @property
    def received(self) -> int:
        """Messages received."""
    @property
    def empty(self) -> int:
        """Empty messages that were stepped over; ours never send one."""
    @property
    def restarts(self) -> int:
        """How often another segment was found at the name: the sender had been restarted."""
    @property
    def closed(self) -> bool: ...
    def close(self) -> None:
        """Stops reading, from any thread; the segment stays. A waiting read ends within a fifth of
        a second."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> bytes: ...

def remove_shmbuf(name: str, directory: _Path | None = None) -> bool:
    """Removes a segment by name, as after a crash; False if there is none.

    An Error of kind ALREADY_EXISTS while a sender of ours has it.
    """
