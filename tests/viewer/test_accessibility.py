"""Everything in the window has a name, and can be reached and used from the keyboard."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QGraphicsView,
    QLabel,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QProgressBar,
    QScrollBar,
    QWidget,
)

from mtm_viewer.theme import DARK, LIGHT
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000
CONTROLS = (
    *(QAbstractButton, QAbstractItemView, QAbstractSlider, QAbstractSpinBox, QComboBox),
    *(QLineEdit, QPlainTextEdit, QProgressBar, QGraphicsView),
)
_WHOLE = QComboBox | QAbstractSpinBox | QAbstractItemView | QLineEdit | QMenu
"""What is inside of these belongs to them."""
DIALOGS = (
    *("edit.palette", "edit.preferences", "help.shortcuts", "help.log", "help.about"),
    *("session.details", "session.prepare", "session.login", "training.choose"),
)


@pytest.fixture
def full(desktop, qtbot):
    """A window in which every panel is shown in its turn."""
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


def controls_of(root: QWidget) -> list[QWidget]:
    """List what a person can use, and what tells them something; not the insides of widgets."""
    found = [w for w in root.findChildren(QWidget) if isinstance(w, CONTROLS)]
    return [w for w in found if not _is_inside(w)]


def _is_inside(widget: QWidget) -> bool:
    """Tell whether Qt made a widget for another one: a scroll bar, the field of a spin box."""
    parent = widget.parentWidget()
    own = widget.objectName().startswith(("qt_", "ScrollLeft", "ScrollRight"))
    while parent is not None:
        if isinstance(
            parent, QComboBox | QAbstractSpinBox | QAbstractItemView | QLineEdit | QMenu
        ):
            return True
        own = own or type(parent).__name__ == "QTabBar"
        parent = parent.parentWidget()
    return own or isinstance(widget, QScrollBar) or _is_canvas(widget)


def _is_canvas(widget: QWidget) -> bool:
    """Tell whether it is where a named plot is drawn, and takes no focus of its own."""
    parent = widget.parentWidget()
    is_named = parent is not None and bool(parent.accessibleName())
    takes_none = widget.focusPolicy() == Qt.FocusPolicy.NoFocus
    return isinstance(widget, QGraphicsView) and is_named and takes_none


def name_of(widget: QWidget) -> str:
    text = widget.text() if isinstance(widget, QAbstractButton) else ""
    return widget.accessibleName() or text.replace("&", "")


def describe(widget: QWidget) -> str:
    parents, parent = [], widget.parentWidget()
    while parent is not None and len(parents) < 4:
        parents.append(parent.accessibleName() or type(parent).__name__)
        parent = parent.parentWidget()
    return f"{type(widget).__name__} {widget.objectName()} in {' < '.join(parents)}"


def test_every_control_of_the_window_has_a_name(full):
    unnamed = [describe(w) for w in controls_of(full.explorer.window) if not name_of(w)]
    assert unnamed == []


def test_every_control_of_a_dialog_has_a_name_and_tab_meets_it(full):
    window = full.explorer.window
    for command in DIALOGS:
        assert full.explorer.registry.run(command)
        (dialog,) = [d for d in window.findChildren(QDialog) if d.isVisible()]
        assert dialog.windowTitle()
        assert [describe(w) for w in controls_of(dialog) if not name_of(w)] == [], command
        assert unreachable(dialog) == [], command
        dialog.reject()


def unreachable(root: QWidget) -> list[str]:
    """Walk with Tab through a window as it is; return what can be used but is never met."""
    wanted = {
        w
        for w in controls_of(root)
        if w.isVisible()
        and w.isEnabled()
        and not isinstance(w, QProgressBar | QGraphicsView)
        and w.focusPolicy() & Qt.FocusPolicy.TabFocus
    }
    met, widget = set(), root.nextInFocusChain()
    for _ in range(5000):
        met.add(widget)
        widget = widget.nextInFocusChain()
        if widget is root:
            break
    return [describe(w) for w in wanted - met]


def test_tab_meets_every_control_that_can_be_used(full, qtbot):
    window = full.explorer.window
    for dock in (None, *window.side_docks.values()):
        if dock is not None:
            dock.show()
            dock.raise_()
            qtbot.wait(10)
        assert unreachable(window) == []


def test_what_the_mouse_alone_can_reach_has_a_command_or_a_key(full):
    """Controls that take no focus, for example because a key does the same."""
    window = full.explorer.window
    titles = {c.plain_title.lower() for c in full.explorer.registry.search("")}
    mouse_only = [
        w
        for w in controls_of(window)
        if isinstance(w, QAbstractButton | QComboBox | QAbstractSpinBox)
        and w.focusPolicy() == Qt.FocusPolicy.NoFocus
        and not w.objectName().startswith("qt_")
        and "qt_dockwidget" not in w.objectName()
        and name_of(w).lower() not in titles
    ]
    assert [describe(w) for w in mouse_only] == []


def test_every_menu_entry_can_be_found_in_the_palette_and_has_words(full):
    registry = full.explorer.registry
    for commands in registry.in_menus().values():
        for command in commands:
            assert command.title_now.strip()
            assert registry.get(command.id) is command
    window = full.explorer.window
    menus = [menu for menu in window.findChildren(QMenu) if menu.parent() is window]
    assert menus
    assert all(menu.title() for menu in menus)


def test_the_panels_are_named_for_those_who_hear_them(full):
    window = full.explorer.window
    for dock in (window.tree_dock, window.unit_dock, *window.side_docks.values()):
        assert dock.accessibleName() == dock.windowTitle()
        assert dock.widget().accessibleName()
    assert "true" in window.raster.accessibleName().lower()


def test_nothing_is_told_by_colour_alone(full, qtbot):
    """What a colour tells stands in words or in a form as well."""
    window, state = full.explorer.window, full.state
    # Hidden entries are hatched and said in the legend; the eye of the tree has two forms.
    with qtbot.waitSignal(full.explorer.settled, timeout=PATIENCE_MS):
        state.target_regions(("DG",))
    legend = window.raster.legend.text().replace("&nbsp;", " ")
    assert "hidden" in legend
    assert "not scored" in legend
    # The verdict is a sentence, conditions and regions are named beside their colour.
    assert window.scores.verdict.text()
    psth = window.unit.plots[0]
    assert any(name in psth.legend.text() for name in ("left", "right", "equal"))
    chips = window.health.findChildren(QLabel)
    assert all(chip.text().strip() for chip in chips if chip.isVisible() and chip.accessibleName())
    # A recipe that is on is also checked, for those who cannot see its colour.
    checked = [b for b in window.recipes.findChildren(QAbstractButton) if b.isChecked()]
    assert len(checked) == 1


def contrast(one: str, other: str) -> float:
    """Return the ratio of luminances, 1 to 21 (WCAG 2)."""

    def luminance(colour: str) -> float:
        parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=lambda theme: theme.name)
def test_texts_stand_out_from_what_is_behind_them(theme):
    for back in (theme.window, theme.panel):
        assert contrast(theme.text, back) > 7
        for colour in (theme.muted, theme.good, theme.warning, theme.bad, theme.accent):
            assert contrast(colour, back) > 4.5, (colour, back)
    assert contrast(theme.on_accent, theme.accent) > 4.5


def test_the_focus_can_be_seen(full):
    sheet = QApplication.instance().styleSheet()
    assert "QPushButton:focus" in sheet
    assert "QLineEdit:focus" in sheet
