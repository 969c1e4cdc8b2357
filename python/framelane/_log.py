"""What the SDK has to say, and what goes wrong where nobody could catch it: logger `framelane`."""

import logging

LOGGER = logging.getLogger("framelane")


def owner_failed(sequence: int, error: BaseException) -> None:
    """The owner of a returned buffer raised."""
    LOGGER.error("the owner of frame %d raised", sequence, exc_info=error)


def from_native(level: int, text: str) -> None:
    """Something that the native half has to say."""
    LOGGER.log(level, "%s", text)
