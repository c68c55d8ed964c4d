"""The row of recipes; each button says what a click on a region will do."""

from __future__ import annotations

from PyQt6.QtCore import QRect, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPaintEvent
from PyQt6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    QWidget,
)

from mtm_viewer.presenters.recipes import CUSTOM, RECIPES, RecipeWords
from mtm_viewer.theme import LIGHT, Theme

_PAD_X, _PAD_Y = 12, 6
_LEAST_PAD_X = 7
"""What is left beside the text where the window is narrow."""


class RecipeButton(QPushButton):
    """A button with a title and, smaller, what a click means."""

    def __init__(self, words: RecipeWords, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = words
        self._theme = LIGHT
        self.setCheckable(True)
        self.setAccessibleName(f"{words.title} recipe")
        self.setAccessibleDescription(words.help)
        is_custom = words is RECIPES[CUSTOM]
        more = "" if is_custom else " Click once more for its parameters."
        self.setToolTip(f"{words.help}{more}")
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        """Leave room for both lines (Qt's own hook)."""
        return self._size(_PAD_X)

    def minimumSizeHint(self) -> QSize:
        """Never cut a line (Qt's own hook)."""
        return self._size(_LEAST_PAD_X)

    def _size(self, pad_x: int) -> QSize:
        title, small = QFontMetrics(self._title_font()), QFontMetrics(self._small_font())
        width = max(
            title.horizontalAdvance(self._words.title), small.horizontalAdvance(self._words.click)
        )
        return QSize(width + 2 * pad_x, title.height() + small.height() + 2 * _PAD_Y)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the button and its two lines (Qt's own hook)."""
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = ""
        painter.drawControl(QStyle.ControlElement.CE_PushButton, option)
        title, small = QFontMetrics(self._title_font()), QFontMetrics(self._small_font())
        top = (self.height() - title.height() - small.height()) // 2
        colour = self._theme.on_accent if self.isChecked() else self._theme.text
        second = self._theme.on_accent if self.isChecked() else self._theme.muted
        if not self.isEnabled():
            colour = second = self._theme.muted
        line = QRect(0, top, self.width(), title.height())
        self._write(painter, line, self._title_font(), colour, self._words.title)
        line = QRect(0, top + title.height(), self.width(), small.height())
        self._write(painter, line, self._small_font(), second, self._words.click)

    def _write(self, painter: QPainter, line: QRect, font: QFont, colour: str, text: str) -> None:
        painter.setFont(font)
        painter.setPen(QColor(colour))
        painter.drawText(line, Qt.AlignmentFlag.AlignCenter, text)

    def _title_font(self) -> QFont:
        font = QFont(self.font())
        font.setWeight(QFont.Weight.DemiBold)
        return font

    def _small_font(self) -> QFont:
        font = QFont(self.font())
        font.setPointSizeF(max(7.0, font.pointSizeF() * 0.88))
        return font


class RecipeBar(QWidget):
    """The recipes, of which one is on; tells which one a person chose."""

    recipe_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.buttons: dict[str, RecipeButton] = {}
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        for name, words in RECIPES.items():
            button = RecipeButton(words, self)
            button.clicked.connect(lambda _=False, name=name: self.recipe_chosen.emit(name))
            self._group.addButton(button)
            self.buttons[name] = button
            layout.addWidget(button)

    def draw(self, recipe: str, *, is_enabled: bool = True) -> None:
        """Show which recipe is on."""
        self.buttons[recipe].setChecked(True)
        for button in self.buttons.values():
            button.setEnabled(is_enabled)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        for button in self.buttons.values():
            button.set_theme(theme)
