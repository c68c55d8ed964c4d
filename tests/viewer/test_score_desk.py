"""The score panel in the real window: what rows stand for, the control, what is compared."""

from __future__ import annotations

from functools import partial

import pytest
from PyQt6.QtCore import Qt

from mtm_core.evaluation.mask_scores import CONTROL, DRIFT
from mtm_viewer.presenters.scores import PREDICTIONS
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


def settle(desktop, qtbot, deed):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        deed()


@pytest.fixture
def opened(desktop, qtbot):
    workspace = make_small_workspace(n_trials=80)
    settle(desktop, qtbot, partial(desktop.state.open_workspace, workspace))
    return desktop


def names(desktop) -> list[str]:
    table = desktop.explorer.window.scores.table
    return [table.item(row, 0).text() for row in range(table.rowCount())]


def test_the_model_is_scored_by_conditions_of_trials(opened, qtbot):
    panel = opened.explorer.window.scores
    headline = panel.headline.text()
    panel.rows.setCurrentIndex(panel.rows.findData("feedback"))
    panel.rows.activated.emit(panel.rows.currentIndex())
    assert [name.partition(" (")[0] for name in names(opened)] == ["rewarded", "not rewarded"]
    assert panel.headline.text() == headline
    settle(opened, qtbot, partial(opened.state.click_region, "DG"))
    assert names(opened)[0].startswith("rewarded (")
    opened.explorer.scores.group_by(PREDICTIONS)
    assert names(opened)[0] == "MtM"
    assert [line.name for line in opened.explorer.scores.lines] == names(opened)


def test_before_the_first_score_nobody_is_told_that_nothing_is_scored(desktop, qtbot):
    headline, said = desktop.explorer.window.scores.headline, []
    desktop.explorer.pictured.connect(lambda _: said.append(headline.text()))
    workspace = make_small_workspace(n_trials=80)
    settle(desktop, qtbot, partial(desktop.state.open_workspace, workspace))
    assert "beyond PSTH: to come" in said
    assert not any("nothing scored" in words for words in said)
    assert said[-1].endswith("bits/spike beyond PSTH")


def test_a_field_that_another_session_lacks_is_no_longer_asked_for(opened, qtbot):
    opened.explorer.scores.group_by("block")
    assert names(opened)[0] == "MtM"


def test_the_shuffle_control_is_kept_for_the_next_mask(opened, qtbot):
    panel = opened.explorer.window.scores
    click = partial(qtbot.mouseClick, panel.shuffle, Qt.MouseButton.LeftButton)
    settle(opened, qtbot, click)
    settle(opened, qtbot, partial(opened.state.click_region, "DG"))
    assert panel.shuffle.isChecked()
    assert CONTROL in names(opened)
    settle(opened, qtbot, click)
    assert CONTROL not in names(opened)


def test_what_is_compared_stands_below_the_model_once(opened, qtbot):
    settle(opened, qtbot, partial(opened.compare.compare_with, "poisson_regression"))
    assert names(opened)[:2] == ["MtM", "Poisson regression"]
    settle(opened, qtbot, partial(opened.compare.compare_with, "drift"))
    assert names(opened)[1] == DRIFT
    assert names(opened).count(DRIFT) == 1


def test_the_border_to_the_rasters_follows_the_rows_until_a_person_moves_it(opened, qtbot):
    window = opened.explorer.window
    before = window._middle.sizes()
    assert before[1] < before[0]
    window.scores.height_wanted.emit(before[1] - 30)
    assert window._middle.sizes()[1] == before[1] - 30
    window._middle.splitterMoved.emit(300, 1)
    window._middle.splitterMoved.emit(301, 1)
    window.scores.height_wanted.emit(before[1] - 60)
    assert window._middle.sizes()[1] == before[1] - 30
