"""Commands that several processes of `torchrun` carry out together."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from mtm_core.errors import TrainingError
from mtm_core.training.distributed import Team, join_team


@contextlib.contextmanager
def together(device: str, advice: str) -> Iterator[Team]:
    """Find the other processes of a command; if one of them is killed, end with a sentence.

    Parameters
    ----------
    device : str
        Where the command computes.
    advice : str
        What to do when another process has ended.
    """
    with join_team(device, advice) as team, ending_with(advice, is_needed=team.size > 1):
        yield team


@contextlib.contextmanager
def ending_with(advice: str, *, is_needed: bool = True) -> Iterator[None]:
    """Turn SIGTERM, by which `torchrun` ends the others when one has ended, into an error.

    Parameters
    ----------
    advice : str
        What to do then.
    is_needed : bool
        Change nothing if False. Nothing is changed outside the main thread either.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        msg = f"This process was asked to stop, as when another one has ended. {advice}"
        raise TrainingError(msg)

    if not is_needed or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def own_rank() -> int:
    """Return the number of this process among those that `torchrun` started; 0 if it is alone."""
    return int(os.environ.get("RANK", "0"))


def n_ranks() -> int:
    """Return how many processes `torchrun` started, on all machines; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def n_here() -> int:
    """Return how many of them share this machine."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
