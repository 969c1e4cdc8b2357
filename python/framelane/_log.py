"""What goes wrong where nobody could catch it goes to the logger `framelane`."""

import logging

LOGGER = logging.getLogger("framelane")


def owner_failed(sequence: int, error: BaseException) -> None:
    """The owner of a returned buffer raised."""
    LOGGER.error("the owner of frame %d raised", sequence, exc_info=error)
