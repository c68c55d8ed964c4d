"""A field for a bin that shows and takes milliseconds: people know times, not numbers of bins."""

from __future__ import annotations

import re

from PyQt6.QtGui import QValidator
from PyQt6.QtWidgets import QSpinBox, QWidget

_TEXT = re.compile(r"\s*([-+\N{MINUS SIGN}]?\d*[.,]?\d*)\s*(m?s?)\s*")


class BinSpin(QSpinBox):
    """Its value is the number of a bin; its text is where that bin begins, or ends.

    Parameters
    ----------
    is_end : bool
        Show where the bin ends.
    parent : QWidget, optional
        Where it stands.
    """

    def __init__(self, *, is_end: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._is_end = is_end
        self._start_ms = 0.0
        self._step_ms = 1.0
        self.setKeyboardTracking(False)

    def set_bins(self, n_bins: int, start_s: float, bin_size_s: float) -> None:
        """Take the bins of a session."""
        self._start_ms, self._step_ms = 1000 * start_s, 1000 * bin_size_s
        self.setRange(0, n_bins - 1)

    def textFromValue(self, v: int) -> str:
        """Write the time of a bin (Qt's own hook)."""
        edge_ms = self._start_ms + (v + self._is_end) * self._step_ms
        return f"{round(edge_ms, 3):g} ms".replace("-", "\N{MINUS SIGN}")

    def valueFromText(self, text: str | None) -> int:
        """Find the bin whose edge is nearest to a time (Qt's own hook)."""
        found = _TEXT.fullmatch(text or "")
        number = "" if found is None else found[1].replace("\N{MINUS SIGN}", "-").replace(",", ".")
        try:
            edge_ms = float(number)
        except ValueError:
            return self.value()
        value = round((edge_ms - self._start_ms) / self._step_ms) - self._is_end
        return min(max(self.minimum(), value), self.maximum())

    def validate(self, text: str | None, pos: int) -> tuple[QValidator.State, str, int]:
        """Take what may be a time (Qt's own hook)."""
        fits = _TEXT.fullmatch(text or "") is not None
        state = QValidator.State.Acceptable if fits else QValidator.State.Invalid
        return state, text or "", pos
