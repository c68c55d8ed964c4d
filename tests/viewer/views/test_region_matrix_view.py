from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtWidgets import QWidget

from mtm_viewer.presenters.region_matrix import MatrixChoice, matrix_drawable
from mtm_viewer.theme import DARK, DIFFERENCE, LIGHT
from mtm_viewer.views.region_matrix_view import HINT, RegionMatrixView
from tests.core.evaluation.matrices import UNTRAINED, make_report

pytestmark = pytest.mark.gui
REPORT = make_report()


def drawable_of(report=REPORT, **choice):
    return matrix_drawable(report, MatrixChoice(**choice), "mtm-core train")


@pytest.fixture
def view(qtbot):
    view = RegionMatrixView()
    qtbot.addWidget(view)
    view.resize(420, 640)
    with qtbot.waitExposed(view):
        view.show()
    view.draw(drawable_of())
    qtbot.wait(20)
    return view


def middle(view, row, column) -> QPoint:
    return view.map.cell_rect(row, column).center().toPoint()


def colour_at(view, row, column) -> tuple[int, int, int]:
    """Colour near the corner of a cell, where no number stands."""
    corner = view.map.cell_rect(row, column).topLeft().toPoint() + QPoint(4, 4)
    found = view.map.grab().toImage().pixelColor(corner)
    return found.red(), found.green(), found.blue()


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_cells_have_the_colours_of_their_numbers(view, theme):
    view.set_theme(theme)
    drawable = drawable_of()
    for row, column in np.argwhere(drawable.is_known).tolist():
        expected = theme.lut(DIFFERENCE)[drawable.colour[row, column]]
        assert colour_at(view, row, column) == tuple(expected.tolist())
    own = drawable.region_colours[1]
    assert "#{:02x}{:02x}{:02x}".format(*colour_at(view, 1, 1)) == own


def test_the_pointer_reads_cells_and_a_click_chooses_one(view, qtbot):
    pointed, chosen = [], []
    view.cell_pointed.connect(lambda row, column: pointed.append((row, column)))
    view.cell_chosen.connect(lambda row, column: chosen.append((row, column)))
    qtbot.mouseMove(view.map, middle(view, 0, 2))
    qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=middle(view, 0, 2))
    qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=middle(view, 1, 1))
    qtbot.mouseClick(view.map, Qt.MouseButton.RightButton, pos=middle(view, 2, 0))
    assert pointed == [(0, 2), (1, 1)]
    assert chosen == [(0, 2)]


def test_outside_of_the_cells_nothing_is_chosen(view, qtbot):
    chosen = []
    view.cell_chosen.connect(lambda *cell: chosen.append(cell))
    qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=QPoint(2, 2))
    assert chosen == []
    assert view.map.cursor_cell is None


def test_arrow_keys_and_enter_do_the_same(view, qtbot):
    chosen = []
    view.cell_chosen.connect(lambda row, column: chosen.append((row, column)))
    view.map.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Return):
        qtbot.keyClick(view.map, key)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Space):
        qtbot.keyClick(view.map, key)
    assert chosen == [(0, 2), (0, 1)]
    qtbot.keyClick(view.map, Qt.Key.Key_A)


def test_the_read_out_shows_lines_and_else_a_hint(view):
    assert view.read_out.text() == HINT
    view.draw_read_out(["one", "two"])
    assert view.read_out.text() == "one\ntwo"
    view.draw(None, "too few regions")
    assert view.read_out.text() == HINT
    assert view.title.text() == "too few regions"
    assert not view.table.isEnabled()


def test_selectors_ask_for_another_choice(view, qtbot):
    asked = []
    view.choice_asked.connect(asked.append)
    view.draw_choice(MatrixChoice(level="beryl", is_asymmetry=True, min_units=20))
    assert asked == []
    assert view.level.currentData() == "beryl"
    assert view.asymmetry.isChecked()
    view.level.setCurrentIndex(2)
    view.level.activated.emit(2)
    view.asymmetry.click()
    view.least.setValue(25)
    assert asked == [{"level": "cosmos"}, {"is_asymmetry": False}, {"min_units": 25}]


def test_progress_pause_and_table(view, qtbot):
    asked = []
    view.pause_asked.connect(asked.append)
    view.table_asked.connect(lambda: asked.append("table"))
    view.draw_progress(0.25, "5 of 20 steps", is_paused=False, can_pause=True)
    assert view.progress.value() == 250
    assert view.progress_words.text() == "5 of 20 steps"
    view.pause.click()
    view.draw_progress(0.25, "5 of 20 steps, paused", is_paused=True, can_pause=True)
    assert view.pause.text() == "Go on"
    view.pause.click()
    view.table.click()
    assert asked == [True, False, "table"]


def test_the_badge_and_the_caution_are_words(view):
    assert not view.badge.isVisible()
    view.draw(drawable_of(make_report(reason=UNTRAINED)))
    assert view.badge.isVisible()
    assert "region-subset" in view.badge.toolTip()
    assert "Predictive, not causal" in view.caution.text()


@pytest.mark.parametrize("n_regions", [2, 14, 40])
@pytest.mark.parametrize("size", [(280, 420), (900, 300)])
def test_matrices_of_every_size_fit_into_the_map(view, qtbot, n_regions, size):
    names = tuple(f"area{n}" for n in range(n_regions))
    view.resize(*size)
    view.draw(drawable_of(make_report(names)))
    qtbot.wait(20)
    last = view.map.cell_rect(n_regions - 1, n_regions - 1)
    assert last.right() <= view.map.width()
    assert last.bottom() <= view.map.height()
    assert not view.map.grab().isNull()


def test_every_control_has_a_name_and_can_be_reached_by_keys(view):
    controls = [
        child
        for child in view.findChildren(QWidget)
        if child.focusPolicy() != Qt.FocusPolicy.NoFocus and child.isVisible()
    ]
    assert len(controls) >= 8
    named = [c for c in controls if c.accessibleName() or c.parent() is view.least]
    assert named == controls
