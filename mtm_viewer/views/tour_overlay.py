"""The tour drawn over the window: all is dimmed but what is told of, with a bubble beside it."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, QPoint, QRect, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QKeyEvent, QPainter, QPainterPath, QPaintEvent, QPen
from PyQt6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from mtm_viewer.presenters.tour import STEPS, TourStep, bubble_place, step_words
from mtm_viewer.theme import Theme

_WIDTH = 360
_MARGIN = 4
_DIM = 150
"""How dark the rest is, 0 to 255."""
_ON = (Qt.Key.Key_Right, Qt.Key.Key_Return, Qt.Key.Key_Enter)
_KEYS = (*_ON, Qt.Key.Key_Left, Qt.Key.Key_Escape)


class TourOverlay(QWidget):
    """Covers the window while the tour is on.

    Notes
    -----
    Signals: `moved` the number of the step that is wanted, `ended` nothing. Right and Enter go
    on, Left goes back, Esc ends it.
    """

    moved = pyqtSignal(int)
    ended = pyqtSignal()

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self._place = 0
        self._target: QWidget | None = None
        self._theme = theme
        self.bubble = QFrame(self)
        self.title, self.text, self.count = (QLabel(self.bubble) for _ in range(3))
        self.back = QPushButton("Back", self.bubble)
        self.next = QPushButton("Next", self.bubble)
        self.skip = QPushButton("Skip the tour", self.bubble)
        self._lay_out()
        self.back.clicked.connect(lambda _: self.moved.emit(self._place - 1))
        self.next.clicked.connect(lambda _: self._go_on())
        self.skip.clicked.connect(lambda _: self.ended.emit())
        self.setAccessibleName("Tour")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        parent.installEventFilter(self)
        self.resize(parent.size())

    def draw(self, place: int, target: QWidget) -> None:
        """Show a step, pointing at a widget."""
        step: TourStep = STEPS[place]
        self._place, self._target = place, target
        self.title.setText(step.title)
        self.text.setText(step.text)
        self.count.setText(step_words(place))
        self.back.setEnabled(place > 0)
        is_last = place == len(STEPS) - 1
        self.next.setText("Done" if is_last else "Next")
        self.next.setAccessibleName(self.next.text())
        self.skip.setVisible(not is_last)
        self.setAccessibleDescription(f"{step.title}. {step.text}")
        self.show()
        self.raise_()
        self._arrange()
        self.next.setFocus()

    def target_rect(self) -> QRect:
        """Return where the thing that is told of stands in the window."""
        if self._target is None:
            return QRect()
        corner = self.mapFromGlobal(self._target.mapToGlobal(QPoint(0, 0)))
        around = QRect(corner, self._target.size())
        return around.adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN).intersected(self.rect())

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Cover the window whatever its size (Qt's own hook)."""
        parent = self.parentWidget()
        if event is not None and event.type() == QEvent.Type.Resize and parent is not None:
            self.resize(parent.size())
            self._arrange()
        return super().eventFilter(watched, event)

    def event(self, event: QEvent | None) -> bool:
        """Take the keys of the tour before any shortcut does (Qt's own hook)."""
        is_asked = event is not None and event.type() == QEvent.Type.ShortcutOverride
        if is_asked and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Go on, back, or end (Qt's own hook)."""
        key = None if event is None else event.key()
        if key == Qt.Key.Key_Escape:
            self.ended.emit()
        elif key in _ON:
            self._go_on()
        elif key == Qt.Key.Key_Left and self._place > 0:
            self.moved.emit(self._place - 1)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Dim all but what is told of (Qt's own hook)."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        path, hole = QPainterPath(), self.target_rect()
        path.addRect(self.rect().toRectF())
        if not hole.isEmpty():
            path.addRoundedRect(hole.toRectF(), 6, 6)
        path.setFillRule(Qt.FillRule.OddEvenFill)
        painter.fillPath(path, QColor(0, 0, 0, _DIM))
        if not hole.isEmpty():
            painter.setPen(QPen(QColor(self._theme.accent), 2))
            painter.drawRoundedRect(hole.adjusted(1, 1, -1, -1), 6, 6)

    def _go_on(self) -> None:
        if self._place == len(STEPS) - 1:
            self.ended.emit()
        else:
            self.moved.emit(self._place + 1)

    def _arrange(self) -> None:
        width, layout = min(_WIDTH, max(120, self.width() - 20)), self.bubble.layout()
        if layout is not None:
            layout.activate()
            self.bubble.setFixedSize(width, layout.totalHeightForWidth(width))
        hole, size = self.target_rect(), self.bubble.size()
        place = bubble_place(
            (hole.x(), hole.y(), hole.width(), hole.height()),
            (size.width(), size.height()),
            (self.width(), self.height()),
        )
        self.bubble.move(*place)
        self.update()

    def _lay_out(self) -> None:
        theme = self._theme
        self.bubble.setObjectName("bubble")
        self.bubble.setStyleSheet(
            f"#bubble {{ background: {theme.panel}; border: 1px solid {theme.accent};"
            "border-radius: 8px; }"
        )
        self.title.setStyleSheet(f"color: {theme.text}; font-size: 13pt; font-weight: 600;")
        self.text.setStyleSheet(f"color: {theme.text};")
        self.count.setStyleSheet(f"color: {theme.muted};")
        names = {self.title: "Title", self.text: "What it is", self.count: "Step"}
        for label, name in names.items():
            label.setAccessibleName(f"Tour: {name}")
            label.setWordWrap(label is not self.count)
        for button in (self.back, self.next, self.skip):
            button.setAccessibleName(button.text())
        row = QHBoxLayout()
        row.addWidget(self.skip)
        row.addStretch(1)
        for widget in (self.count, self.back, self.next):
            row.addWidget(widget)
        column = QVBoxLayout(self.bubble)
        column.setContentsMargins(14, 12, 14, 12)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.text)
        column.addLayout(row)
