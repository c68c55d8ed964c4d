"""Click through the region-to-region matrix on a real X server.

``python tests/gui/click_matrix.py FOLDER [SESSION CHECKPOINT...]`` opens the demo (or the files
given), shows the panel, waits until every cell has a value, points at cells and clicks one, as a
person would, checks what the window says, and saves pictures. It ends with a code other than 0 at
the first thing that is wrong.
"""

from __future__ import annotations

import os
import sys
import tempfile

# What was filled before must not fill it now.
_CACHE = tempfile.TemporaryDirectory(prefix="mtm-gui-")
os.environ["MTM_CACHE"] = _CACHE.name

from PyQt6.QtCore import QPoint  # noqa: E402

from mtm_viewer.theme import THEMES  # noqa: E402
from tests.gui.click_through import SIZES, Person, click, open_at_once  # noqa: E402

ROW, COLUMN = 0, 1
"""The cell that is looked at."""


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    return click(words, open_at_once, (_fill, _read, _set_mask, _change, _pause, _looks))


def _fill(person: Person) -> None:
    """Show the panel by its keys, and let every cell get a value."""
    person.press("ctrl+shift+r")
    person.wait(lambda: person.desktop.matrix.state.answer is not None, "cells have values")

    def is_full() -> bool:
        answer = person.desktop.matrix.state.answer
        assert answer is not None
        _, is_known = answer.report("psth_by_condition").grid()
        n = len(is_known)
        return int(is_known.sum()) == n * (n - 1)

    person.wait(is_full, "every cell has a value", 300)
    person.look("filled-once")


def _cell(person: Person, row: int = ROW, column: int = COLUMN) -> QPoint:
    return person.window.matrix.map.cell_rect(row, column).center().toPoint()


def _names(person: Person) -> tuple[str, str]:
    answer = person.desktop.matrix.state.answer
    assert answer is not None
    regions = answer.report("psth_by_condition").regions
    return regions[ROW], regions[COLUMN]


def _read(person: Person) -> None:
    """Point at a cell and read it."""
    person.hover(person.window.matrix.map, _cell(person))
    row, column = _names(person)
    person.says(person.window.matrix.read_out.text(), part=f"{column} from {row} alone:")
    person.says(person.window.matrix.caution.text(), part="Predictive, not causal")
    person.look("cell-read")


def _set_mask(person: Person) -> None:
    """Click a cell while the matrix is filled: the click is answered first."""
    map_view = person.window.matrix.map
    spot = _cell(person) + QPoint(2, 2)  # xdotool waits for ever where nothing is to be moved
    person.act(lambda: person.click(map_view, spot), "the cell's mask is computed")
    row, column = _names(person)
    person.says(
        person.window.status.mask_words.text(), part=f"all but {row} hidden, {column} scored"
    )
    person.look("cell-clicked")
    person.act(lambda: person.press("ctrl+z"), "the mask before is back")


def _change(person: Person) -> None:
    """Ask for the asymmetry, then for the coarsest level."""
    view = person.window.matrix
    person.click(view.asymmetry, QPoint(8, view.asymmetry.height() // 2))
    person.says(view.title.text(), part="cell minus transpose")
    person.look("asymmetry")
    person.click(view.asymmetry, QPoint(10, view.asymmetry.height() // 2))
    view.level.setFocus()
    person.press("End")
    state = person.desktop.matrix.state
    person.wait(lambda: state.choice.level == "cosmos", "the level is Cosmos")
    person.wait(lambda: state.answer is not None or bool(state.problem), "Cosmos has values")
    person.look("cosmos")


def _pause(person: Person) -> None:
    """Pause, and go on."""
    view, matrix = person.window.matrix, person.desktop.matrix
    if not matrix.is_running:
        return
    person.click(view.pause)
    person.wait(lambda: not matrix.is_running, "the filling has stopped")
    person.says(view.progress_words.text(), part="paused")
    person.look("paused")
    person.click(view.pause, view.pause.rect().center() + QPoint(3, 0))
    person.wait(lambda: matrix.is_running, "the filling goes on")


def _looks(person: Person) -> None:
    """Dark, and small."""
    person.desktop.state.set_theme(THEMES["dark"])
    person.window.resize(*SIZES[0])
    person.idle(1.0)
    person.look("dark-small")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
