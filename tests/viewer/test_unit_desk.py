"""The unit panel in the real window: fields, order of trials, what it says of the unit."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_viewer.unit_desk import gain_values, reaction_values
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


def _with_reactions(workspace):
    session = workspace.session
    align = session.trials.columns["align_s"].values
    late = np.random.default_rng(0).uniform(0.1, 0.9, len(align))
    trials = Table({**session.trials.columns, "response_s": Column.full(late)})
    session = replace(session, trials=trials)
    return replace(workspace, session=session, recording=session)


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(_with_reactions(make_small_workspace()))
    return desktop


def _drawn(desktop, qtbot, deed):
    panel = desktop.explorer.window.unit
    with qtbot.waitSignal(panel.drawn, timeout=PATIENCE_MS):
        deed()
    return panel


def test_a_field_is_shown_or_not_by_menu_and_by_command(opened, qtbot):
    panel = opened.explorer.window.unit
    assert len(panel.plots) == 4
    _drawn(opened, qtbot, panel.choices.menu.actions()[1].trigger)
    assert [plot.accessibleName() for plot in panel.plots][1] == "PSTH by contrast"
    for field in ("contrast", "block", "feedback"):
        _drawn(opened, qtbot, partial(opened.explorer.registry.run, f"unit.psth.{field}"))
    names = [plot.accessibleName() for plot in panel.plots]
    assert names == ["PSTH by stimulus side", "PSTH by choice"]
    checked = [action.text() for action in panel.choices.menu.actions() if action.isChecked()]
    assert checked == ["Stimulus side", "Choice"]


@pytest.mark.parametrize(
    ("sort", "words"),
    [
        ("recorded", "by trial number"),
        ("reaction", "by response after simulated stimulus onset"),
        ("gain", "by gain over the PSTH"),
        ("condition", "by condition"),
    ],
)
def test_trials_are_sorted_as_asked(opened, qtbot, sort, words):
    opened.explorer.registry.run("unit.sort.recorded")
    if sort != "recorded":
        _drawn(opened, qtbot, lambda: opened.explorer.registry.run(f"unit.sort.{sort}"))
    panel = opened.explorer.window.unit
    assert panel.order.text().startswith(f"Single trials {words}")
    assert panel.choices.sort.currentData() == sort


def test_the_list_of_orders_is_heard(opened, qtbot):
    panel = opened.explorer.window.unit
    place = panel.choices.sort.findData("gain")
    panel.choices.sort.setCurrentIndex(place)
    _drawn(opened, qtbot, lambda: panel.choices.sort.activated.emit(place))
    assert opened.state.unit_settings.sort == "gain"


def test_it_says_what_the_model_sees_of_the_unit(opened, qtbot):
    panel, session = opened.explorer.window.unit, opened.state.workspace.session
    for region, word in (("CA1", "hidden, scored"), ("VISp", "visible")):
        with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
            opened.state.target_regions(("CA1",) if region == "CA1" else ("DG",))
        unit = str(session.unit_id[session.region == region][3])
        opened.state.select_unit(unit)
        assert panel.subtitle.text().endswith(f"trials, {word}")


def test_gains_stand_in_the_order_of_the_trials_of_the_picture(opened):
    picture = opened.explorer.picture
    unit = int(picture.gains.units[2])
    values = gain_values(picture, unit)
    by_trial = dict(zip(np.sort(picture.trials).tolist(), picture.gains.gain[:, 2], strict=True))
    wanted = [by_trial[trial] / np.log(2) for trial in picture.trials.tolist()]
    np.testing.assert_allclose(values.values, wanted)
    unscored = np.setdiff1d(np.arange(24), picture.gains.units)[0]
    assert not gain_values(picture, int(unscored)).is_valid.any()


def test_a_session_without_reaction_times_has_none(opened):
    picture = opened.explorer.picture
    bare = make_small_workspace()
    values = reaction_values(replace(picture, workspace=bare))
    assert not values.is_valid.any()
    assert reaction_values(picture).is_valid.all()
