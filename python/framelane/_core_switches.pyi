"""The classes of the native half for switches; at run time they are in framelane._core."""

import os
from collections.abc import AsyncIterator, Coroutine, Sequence
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias, final

from framelane._core import Frame
from framelane._errors import Error
from framelane._layout import Mode, Report

_Path: TypeAlias = str | os.PathLike[str]

@final
class Switch:
    """Reads the active lane of a switch. Used by one thread at a time; `close` works from any.

    A switch shows on the very next frame, which says so (`switched`, `switch_epoch`,
    `lane_index`), and wakes a waiting read. Lanes, and the controller too, may come late, die and
    come again. The keywords are those of `Consumer`, for each lane; `wait` waits for a controller.
    """

    def __new__(
        cls,
        name: str,
        mode: Mode | Literal["latest", "ordered"] | None = None,
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
        """Frames that passed without being delivered while their lane was active."""
    @property
    def dropped(self) -> int:
        """Frames that were too old after a switch, or of the lane that was switched away from."""
    @property
    def switches(self) -> int:
        """Switches this reader has followed."""
    @property
    def held(self) -> int:
        """Frames of this reader that are held now, by frames or by views."""
    @property
    def controlled(self) -> bool:
        """Whether there is a controller. Without one the lane that was active stays so."""
    @property
    def controller_epoch(self) -> int:
        """Random id of the controller seen last."""
    @property
    def problem(self) -> Error | None:
        """Why a controller that is there is not followed."""
    @property
    def switch_epoch(self) -> int:
        """Switch epoch of the selection seen last."""
    @property
    def active(self) -> int | None:
        """Index of the active lane, as of the last read."""
    @property
    def lanes(self) -> list[tuple[str, bool]]:
        """The lanes, by index: their names, and whether their producer is there."""
    @property
    def lane_problems(self) -> list[Error | None]:
        """Why a producer that is there is not attached to, by index of the lane."""
    @property
    def closed(self) -> bool: ...
    def read(self, timeout: float | None = None) -> Frame | None:
        """The next frame of the active lane, waiting for it up to `timeout` seconds.

        None when the time is over; without a timeout it waits for ever.
        """
    def read_latest(self, *, max_age: float | None = None) -> Frame | None:
        """The newest valid frame of the active lane, also one that was delivered before.

        None when there is none, or none published within the last `max_age` seconds.
        """
    def read_async(self, timeout: float | None = None) -> Coroutine[Any, Any, Frame | None]:
        """Like `read`, in an asyncio loop."""
    def try_next(self) -> Frame | None:
        """The next frame of the active lane if there is one now."""
    def wait(self, timeout: float | None = None) -> bool:
        """Waits until there may be something to read; whether there may."""
    def fileno(self) -> int:
        """A descriptor that becomes readable when there may be a frame or a switch.

        Each time, call `try_next` until it returns None. It belongs to the reader.
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

@final
class SwitchController:
    """Owns a switch and says which of its lanes is active. Usable from several threads.

    It reads no frames and waits for nobody. The lanes need not be there yet. When it ends, readers
    go on with the lane that is active, and attach to the next controller of that name.
    """

    def __new__(
        cls,
        name: str,
        lanes: Sequence[str],
        *,
        active: int = 0,
        access: Literal["owner", "everyone"] | int | None = None,
        trust: Literal["same_user", "trusted_only", "untrusted"] = "same_user",
        directory: _Path | None = None,
    ) -> Self: ...
    @property
    def name(self) -> str: ...
    @property
    def lanes(self) -> list[str]:
        """Names of the lanes, by index."""
    @property
    def active(self) -> int:
        """Index of the active lane."""
    @property
    def switch_epoch(self) -> int:
        """How many-th selection this is, from 1."""
    @property
    def held(self) -> bool:
        """Whether somebody has chosen and no policy is to choose otherwise."""
    @property
    def epoch(self) -> int:
        """Random id of this controller incarnation."""
    @property
    def readers(self) -> int:
        """Readers attached now."""
    @property
    def closed(self) -> bool: ...
    def select(self, lane: str | int) -> int:
        """Makes a lane active, by its index or name; the switch epoch.

        The choice stands against a policy until `set_automatic`.
        """
    def propose(self, index: int) -> bool:
        """What a policy wants: makes a lane active unless somebody has chosen. Whether it is."""
    def set_automatic(self) -> None:
        """Takes a choice back: from now on a policy chooses."""
    def wait_switched(self, switch_epoch: int, timeout: float | None = None) -> int:
        """Waits while the switch epoch is `switch_epoch`; the epoch of now."""
    def report(self) -> Report:
        """How the switch is: lanes, selection, counts and readers."""
    def close(self) -> None:
        """Ends the switch, also while another thread waits, which raises `Closed`."""
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> None: ...

def select(
    switch: str,
    lane: str | int | None,
    *,
    timeout: float = 1.0,
    directory: _Path | None = None,
) -> tuple[int, int]:
    """Selects a lane of a switch whose controller is another process, by its index or name.

    None takes an earlier choice back. The index of the active lane, and the switch epoch. Only the
    controller's user and root may.
    """
