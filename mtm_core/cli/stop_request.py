"""Ctrl-C as a request: the step in hand is finished and a checkpoint saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType

from mtm_core.cli import output

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGBREAK") if hasattr(signal, name)
)
"""What asks to stop; SIGBREAK is how Windows asks a process of another group."""
_SAID = "Stopping: saving a checkpoint. Press Ctrl-C again to stop at once."


class StopRequest:
    """Turn the first Ctrl-C or SIGTERM inside the block into a wish to stop.

    A second Ctrl-C interrupts at once, as usual. Outside the main thread nothing is changed,
    since Python handles signals there only.

    Parameters
    ----------
    said : str
        What the first Ctrl-C is answered with; nothing if empty.
    is_patient : bool
        A second Ctrl-C changes nothing: terminal and launcher both send one to every process.
    """

    def __init__(self, said: str = _SAID, *, is_patient: bool = False) -> None:
        self._said = said
        self._is_patient = is_patient
        self._signal: signal.Signals | None = None
        self._before: dict[signal.Signals, object] = {}

    @property
    def is_asked(self) -> bool:
        """Whether somebody wants to stop."""
        return self._signal is not None

    @property
    def exit_code(self) -> int:
        """The exit code by custom: 128 and the number of the signal."""
        return 128 + (self._signal or signal.SIGINT)

    def __enter__(self) -> StopRequest:
        """Begin to listen."""
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Put the handlers back that were there before."""
        for number, handler in self._before.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._signal is not None:
            if self._is_patient:
                return
            raise KeyboardInterrupt
        self._signal = signal.Signals(number)
        if self._said:
            output.note(self._said)
