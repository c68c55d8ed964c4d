"""The dock of training: its curves, words and table."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtWidgets import QPushButton

from mtm_core.training.events import StepDone, ValidationDone
from mtm_viewer.presenters.run_head import RunHead
from mtm_viewer.presenters.run_list import RunInfo, run_lines
from mtm_viewer.presenters.training_curve import TrainingCurve
from mtm_viewer.theme import DARK
from mtm_viewer.views.training_panel import TrainingPanel

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(qtbot):
    panel = TrainingPanel()
    qtbot.addWidget(panel)
    with qtbot.waitExposed(panel):
        panel.show()
    return panel


def run(name: str, state: str) -> RunInfo:
    return RunInfo(
        folder=Path(name),
        preset="quick",
        session_names=(name,),
        session_ids=(name,),
        created=f"2026-11-28T12:00:0{len(name)}+00:00",
        state=state,
        step=5,
        n_steps=10,
        scores=(("mean", 0.2),),
    )


def test_curves_are_drawn_with_different_marks_in_both_themes(panel):
    curve = TrainingCurve()
    curve.take(
        [
            StepDone(
                step=1, n_steps=5, loss=2.0, lr=0.1, grad_norm=1.0, seconds=1.0, seconds_left=9.0
            ),
            ValidationDone(step=1, bps=0.1, scores={"neuron": 0.1, "causal": 0.1}, is_best=True),
        ]
    )
    panel.draw_curves(curve.drawable())
    panel.set_theme(DARK)
    lines = [item for item in panel.validation.plot.listDataItems() if item.xData is not None]
    assert len({line.opts["symbol"] for line in lines}) == 3
    assert "0.100 at step 1" in panel.validation.legend.text()
    axes = [plot.plot.getAxis("left") for plot in (panel.loss, panel.validation)]
    assert all(axis.style["showValues"] for axis in axes)
    panel.draw_curves(None)
    assert panel.validation.accessibleDescription() == ""
    assert not any(axis.style["showValues"] for axis in axes)


def test_buttons_follow_the_run(panel):
    assert not panel.pause.isVisible()
    panel.draw_head(
        RunHead(title="a", detail="b", share=0.5, is_running=True, can_pause=True, can_cancel=True)
    )
    assert panel.pause.isEnabled()
    assert panel.progress.value() == 500
    assert all(each.accessibleName() for each in panel.findChildren(QPushButton))


def test_the_table_keeps_the_choice_and_offers_what_can_be_done(panel, qtbot):
    runs = panel.runs
    assert runs.empty.isVisible()
    runs.draw(run_lines([run("a", "paused"), run("bb", "finished")]), Path("runs"))
    assert runs.chosen.folder == Path("bb")
    assert (runs.buttons["open"].isEnabled(), runs.buttons["resume"].isEnabled()) == (True, False)
    with qtbot.waitSignal(runs.run_chosen):
        runs.choose(Path("a"))
    runs.draw(run_lines([run("a", "running"), run("bb", "finished"), run("ccc", "new")]), Path())
    assert runs.chosen.folder == Path("a")
    assert not any(each.isEnabled() for each in runs.buttons.values())
    runs.choose(Path("ccc"))
    with qtbot.waitSignal(runs.deed_chosen) as chosen:
        runs.buttons["resume"].click()
    assert (chosen.args[0], chosen.args[1].folder) == ("resume", Path("ccc"))
