"""The line at the bottom: in words what is hidden, from which trials, exact or partial."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QSize, Qt, QTimer, pyqtSignal
from PyQt6.QtGui import QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QSizePolicy, QWidget

from mtm_viewer.theme import Theme, mix
from mtm_viewer.views.selector import fill_selector, selector

_MARGIN = 2
_BUSY_DELAY_MS = 40
"""Answers faster than this show no busy badge: it would only flicker."""


class ElidedLabel(QLabel):
    """A line of text that ends in dots where there is no room, and is whole in its tooltip."""

    def __init__(self, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(accessible_name)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def setText(self, text: str | None) -> None:
        """Show a text (Qt's own hook)."""
        super().setText(text)
        self.setToolTip(text)

    def minimumSizeHint(self) -> QSize:
        """Shrink to nothing if need be (Qt's own hook)."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw as much as there is room for (Qt's own hook)."""
        painter = QPainter(self)
        metrics = QFontMetrics(self.font())
        shown = metrics.elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        painter.setPen(self.palette().windowText().color())
        painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignVCenter), shown)


class StatusLine(QWidget):
    """Session, mask, how far the answer is, and where it is computed, from left to right.

    Notes
    -----
    Signals: `device_chosen` a device, `cancelled` nothing.
    """

    device_chosen = pyqtSignal(str)
    cancelled = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.session = QLabel(self)
        self.session.setAccessibleName("Open session")
        self.mask_words = ElidedLabel("What is hidden", self)
        self.progress_words = QLabel(self)
        self.progress_words.setAccessibleName("How far the answer is")
        self.busy = QLabel("Computing", self)
        self.busy.setAccessibleName("Busy")
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName("Share of trials answered")
        self.progress.setFixedWidth(90)
        self.progress.setTextVisible(False)
        self.cancel = QPushButton("Stop", self)
        self.cancel.setAccessibleName("Stop computing")
        self.cancel.setToolTip("Stop computing (Esc); what is on screen stays.")
        self.cancel.clicked.connect(lambda _: self.cancelled.emit())
        self.device = selector(self, "Device", "Where the model computes.")
        self.device.activated.connect(lambda _: self.device_chosen.emit(self.device.currentData()))
        self.route = QLabel(self)
        self.route.setAccessibleName("How it is computed")
        self.link = QLabel("Offline", self)
        self.link.setAccessibleName("Database offline")
        self.link.setToolTip("The IBL database is not asked; what was downloaded can be opened.")
        self._busy_delay = QTimer(self)
        self._busy_delay.setSingleShot(True)
        self._busy_delay.setInterval(_BUSY_DELAY_MS)
        self._busy_delay.timeout.connect(lambda: self._show_busy(is_busy=True))
        self._lay_out()
        self._show_busy(is_busy=False)

    def draw(self, *, session: str, mask: str, progress: str) -> None:
        """Show three texts; empty ones take no room."""
        self.session.setText(session)
        self.mask_words.setText(mask)
        self.progress_words.setText(progress)
        self.session.setVisible(bool(session))
        self.progress_words.setVisible(bool(progress))

    def draw_devices(self, names: Sequence[str], chosen: str) -> None:
        """List the devices of this machine."""
        fill_selector(self.device, {name: device_words(name) for name in names}, chosen)

    def draw_route(self, words: str, tooltip: str) -> None:
        """Say which way of computing is taken."""
        self.route.setText(words)
        self.route.setToolTip(tooltip)
        self.route.setAccessibleDescription(tooltip)
        self.route.setVisible(bool(words))

    def draw_link(self, *, is_offline: bool) -> None:
        """Say that the database is not asked, or nothing."""
        self.link.setVisible(is_offline)

    def draw_busy(self, *, is_busy: bool) -> None:
        """Tell whether something is being computed."""
        if is_busy:
            self._busy_delay.start()
        else:
            self._busy_delay.stop()
            self._show_busy(is_busy=False)

    def draw_progress(self, n_done: int, n_wanted: int) -> None:
        """Tell how many trials have their answer."""
        self.progress.setRange(0, max(1, n_wanted))
        self.progress.setValue(n_done)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.busy.setStyleSheet(f"color: {theme.accent}; font-weight: 600;")
        self.route.setStyleSheet(f"color: {theme.muted};")
        self.link.setStyleSheet(
            f"color: {theme.warning}; border: 1px solid {theme.warning}; border-radius: 8px;"
            "padding: 0 7px;"
        )
        self._keep_height()

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, _MARGIN, 4, _MARGIN)
        layout.setSpacing(12)
        layout.addWidget(self.session)
        layout.addWidget(self.mask_words, 1)
        words = (self.progress_words, self.link, self.route)
        for widget in (self.busy, self.progress, self.cancel, *words, self.device):
            layout.addWidget(widget)
        self.draw_route("", "")
        self.draw_link(is_offline=False)

    def _keep_height(self) -> None:
        """Stay as high with the busy badge as without: else all of the window moves at a click."""
        tallest = max(widget.sizeHint().height() for widget in (self.cancel, self.device))
        self.setFixedHeight(tallest + 2 * _MARGIN)

    def _show_busy(self, *, is_busy: bool) -> None:
        for widget in (self.busy, self.progress, self.cancel):
            widget.setVisible(is_busy)


def device_words(name: str) -> str:
    """Name a device for people.

    Examples
    --------
    >>> device_words("cpu"), device_words("cuda:1")
    ('CPU', 'CUDA 1')
    """
    return name.upper().replace(":", " ")


class Badge(QLabel):
    """A short warning in a coloured pill, with the reason in its tooltip."""

    def __init__(self, accessible_name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(accessible_name)
        self.setVisible(False)

    def draw(self, text: str, reason: str) -> None:
        """Show a text with its reason; an empty text hides the badge."""
        self.setText(text)
        self.setToolTip(reason)
        self.setAccessibleDescription(reason)
        self.setVisible(bool(text))

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        back = mix(theme.panel, theme.warning, 0.16)
        self.setStyleSheet(
            f"color: {theme.warning}; background: {back}; border: 1px solid {theme.warning};"
            "border-radius: 9px; padding: 2px 9px;"
        )
