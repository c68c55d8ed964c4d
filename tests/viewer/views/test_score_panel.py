from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from mtm_viewer.presenters.scores import PREDICTIONS, ScoreContext, ScoreLine, score_panel
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.score_panel import ScorePanel
from mtm_viewer.views.tooltips import tooltip

pytestmark = pytest.mark.gui
MODEL = ScoreLine(
    name="MtM",
    bps_beyond_psth=0.21,
    interval=(0.17, 0.25),
    bps_pooled=0.35,
    bps_unit_mean=0.4,
    n_units=46,
    n_spikes=12_345,
    explanation="the model on screen",
)
CONTEXT = ScoreContext(task="inter-region", trials="66 test trials", checkpoint="demo")


@pytest.fixture
def panel(qtbot: QtBot) -> ScorePanel:
    widget = ScorePanel(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(760, 200)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def test_the_headline_its_interval_and_its_meaning_are_on_show(panel):
    drawable = score_panel([MODEL], CONTEXT, can_shuffle=True)
    panel.draw(drawable)
    assert panel.headline.text() == "0.210 bits/spike beyond PSTH"
    assert panel.interval.text() == "95 % interval 0.170 to 0.250"
    assert panel.verdict.text() == drawable.verdict
    assert panel.headline.toolTip() == tooltip(drawable.tooltip)


def test_the_table_holds_a_row_for_every_predictor(panel):
    lines = [MODEL, replace(MODEL, name="Shuffle control", bps_beyond_psth=-0.01)]
    drawable = score_panel(lines, CONTEXT)
    panel.draw(drawable)
    shown = [
        tuple(panel.table.item(row, column).text() for column in range(7)) for row in range(2)
    ]
    assert shown == [row.cells for row in drawable.rows]
    assert panel.table.horizontalHeaderItem(1).toolTip() == tooltip(drawable.column_tooltips[1])
    assert panel.table.item(0, 0).toolTip() == "the model on screen"
    panel.draw(score_panel(lines[:1], CONTEXT))
    assert panel.table.rowCount() == 1


def test_numbers_are_not_cut(panel):
    panel.draw(score_panel([replace(MODEL, name="Temporal baseline")], CONTEXT))
    for column in range(7):
        needed = panel.table.sizeHintForColumn(column)
        assert panel.table.columnWidth(column) >= needed


def test_the_shuffle_control_can_be_asked_for_only_when_something_is_scored(panel, qtbot):
    panel.draw(score_panel([], None, can_shuffle=True))
    assert not panel.shuffle.isEnabled()
    assert panel.table.isHidden()
    panel.draw(score_panel([MODEL], CONTEXT, can_shuffle=True))
    with qtbot.waitSignal(panel.shuffle_requested) as asked:
        qtbot.mouseClick(panel.shuffle, Qt.MouseButton.LeftButton)
    assert asked.args == [True]


def test_the_shuffle_control_shows_that_it_is_on_and_can_be_turned_off(panel, qtbot):
    panel.draw(replace(score_panel([MODEL], CONTEXT, can_shuffle=True), is_shuffled=True))
    assert panel.shuffle.isChecked()
    with qtbot.waitSignal(panel.shuffle_requested) as asked:
        qtbot.mouseClick(panel.shuffle, Qt.MouseButton.LeftButton)
    assert asked.args == [False]


def test_rows_can_stand_for_something_else(panel, qtbot):
    groupings = {PREDICTIONS: "Predictions", "feedback": "By outcome"}
    drawable = score_panel([MODEL], CONTEXT, groups=[replace(MODEL, name="rewarded (9 trials)")])
    panel.draw(replace(drawable, groupings=groupings, grouping="feedback"))
    assert panel.rows.currentText() == "By outcome"
    assert panel.table.item(0, 0).text() == "rewarded (9 trials)"
    assert panel.headline.text() == "0.210 bits/spike beyond PSTH"
    with qtbot.waitSignal(panel.grouping_chosen) as asked:
        qtbot.keyClick(panel.rows, Qt.Key.Key_Up)
    assert asked.args == [PREDICTIONS]


def test_what_stands_under_the_pointer_keeps_its_own_letters(panel):
    for label in (panel.headline, panel.interval, panel.verdict):
        assert label.styleSheet().startswith(".QLabel {")


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_the_verdict_has_the_colour_of_its_role_in_each_theme(panel, theme):
    panel.draw(score_panel([MODEL], CONTEXT))
    panel.set_theme(theme)
    assert theme.good in panel.verdict.styleSheet()
    panel.draw(score_panel([replace(MODEL, interval=(-0.1, 0.3))], CONTEXT))
    assert theme.warning in panel.verdict.styleSheet()


def test_every_part_has_a_name_for_screen_readers(panel):
    for part in (panel, panel.headline, panel.interval, panel.verdict, panel.shuffle, panel.table):
        assert part.accessibleName()


def test_scores_over_others_equal_those_on_an_empty_panel(panel, qtbot):
    quiet = replace(MODEL, name="PSTH", bps_beyond_psth=None, interval=None, explanation="none")
    looks = [
        score_panel([MODEL], CONTEXT, can_shuffle=True),
        score_panel([MODEL, replace(MODEL, name="Shuffle control", n_spikes=7)], CONTEXT),
        score_panel([quiet], replace(CONTEXT, is_final=False)),
        score_panel([], None),
    ]

    def picture(of: ScorePanel):
        for _ in range(3):
            QApplication.processEvents()
        return of.grab().toImage()

    for wanted in looks:
        fresh = ScorePanel(LIGHT)
        qtbot.addWidget(fresh)
        fresh.resize(panel.size())
        with qtbot.waitExposed(fresh):
            fresh.show()
        fresh.draw(wanted)
        plain = picture(fresh)
        for before in looks:
            panel.draw(before)
            panel.draw(wanted)
            assert picture(panel) == plain
            tips = [panel.table.item(row, 0).toolTip() for row in range(panel.table.rowCount())]
            assert tips == [tooltip(row.tooltip) for row in wanted.rows]


def test_the_panel_asks_for_the_height_that_its_rows_need(panel, qtbot):
    wanted = []
    panel.height_wanted.connect(wanted.append)
    empty = replace(score_panel([], None), command="mtm-core train")
    for drawable in (
        score_panel([MODEL], CONTEXT),
        score_panel([replace(MODEL, name=str(n)) for n in range(9)], CONTEXT),
        empty,
    ):
        panel.draw(drawable)
    usual, many, none = wanted
    assert none < usual < many
    panel.draw(score_panel([MODEL] * 4, CONTEXT))
    panel.resize(panel.width(), wanted[-1])
    QApplication.processEvents()
    assert not panel.table.verticalScrollBar().isVisible()
