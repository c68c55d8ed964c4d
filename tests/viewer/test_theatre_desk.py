"""The single-trial theatre in the real window: scrubbing, sorting, the worst and the best."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from mtm_core.errors import UnknownNameError
from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.theatre import NO_TRIAL
from mtm_viewer.presenters.trial_filter import TrialFilter
from tests.viewer.test_population_desk import settle, wait_for_units
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def opened(desktop, qtbot):
    workspace = make_small_workspace(n_trials=150, n_bins=20)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(workspace)
    wait_for_units(desktop, qtbot)
    run(desktop, "theatre.show")
    wait_for_trial(desktop, qtbot)
    return desktop


def run(desktop, command):
    assert desktop.explorer.registry.run(command), command


def wait_for_trial(desktop, qtbot):
    theatre = desktop.theatre
    qtbot.waitUntil(lambda: theatre.shown_trial == theatre.state.trial, timeout=PATIENCE_MS)


def surprise(desktop):
    return desktop.population.state.answer.surprise


def test_it_opens_at_the_most_surprising_trial_and_closes(opened):
    window, found = opened.explorer.window, surprise(opened)
    assert window.theatre.isVisible()
    assert not window.raster.isVisible()
    assert opened.theatre.state.trial == found.trials[found.nats_per_bin.argmax()]
    assert "1 of 30 test trials (simulated)" in window.theatre.title.text()
    window.theatre.buttons["close"].click()
    assert window.raster.isVisible()
    assert not opened.explorer.registry.run("theatre.next")


def test_slider_keys_and_curve_scrub_through_the_trials(opened, qtbot):
    theatre, view = opened.theatre, opened.explorer.window.theatre
    order = np.argsort(-surprise(opened).nats_per_bin, kind="stable")
    trials = surprise(opened).trials[order]
    view.slider.setValue(4)
    assert theatre.state.trial == trials[4]
    run(opened, "theatre.next")
    assert theatre.state.trial == trials[5]
    run(opened, "theatre.previous")
    view.buttons["previous"].click()
    assert theatre.state.trial == trials[3]
    qtbot.mouseClick(view.curve, Qt.MouseButton.LeftButton, pos=view.curve.spot_of(20).toPoint())
    assert theatre.state.trial == trials[20]
    assert view.slider.value() == 20
    wait_for_trial(opened, qtbot)
    hz = view.maps.drawable.true_hz.sum()
    view.slider.setValue(21)
    wait_for_trial(opened, qtbot)
    assert view.maps.drawable.true_hz.sum() != hz


def test_at_the_ends_the_walk_stays(opened):
    view = opened.explorer.window.theatre
    view.buttons["previous"].click()
    assert view.slider.value() == 0
    opened.theatre.step(99)
    assert view.slider.value() == 29


def test_worst_and_best_trials_follow_each_other(opened):
    theatre, found = opened.theatre, surprise(opened)
    worst = found.trials[np.argsort(-found.nats_per_bin, kind="stable")]
    assert theatre.state.trial == worst[0]  # as the theatre begins
    for place in (1, 2):
        run(opened, "theatre.worst")
        assert theatre.state.trial == worst[place]
    for place in range(2):
        opened.explorer.window.theatre.buttons["best"].click()
        assert theatre.state.trial == worst[::-1][place]
    run(opened, "theatre.next")
    run(opened, "theatre.worst")
    assert theatre.state.trial == worst[0]


def test_by_bits_per_spike_the_worst_is_another(opened):
    run(opened, "theatre.sort.gain")
    found = surprise(opened)
    run(opened, "theatre.worst")
    assert opened.theatre.state.trial == found.trials[found.bps.values.argmin()]
    assert opened.explorer.window.theatre.sort.currentData() == "gain"
    assert "worst first" in opened.explorer.window.theatre.note.text()


def test_the_trial_stays_when_the_order_changes(opened):
    trial, view = opened.theatre.state.trial, opened.explorer.window.theatre
    view.sort.setCurrentIndex(view.sort.findData("recorded"))
    view.sort.activated.emit(view.sort.currentIndex())
    assert opened.theatre.state.trial == trial
    assert view.slider.value() == np.flatnonzero(surprise(opened).trials == trial)[0]
    with pytest.raises(UnknownNameError, match="colour"):
        opened.theatre.state.sort_by("colour")


def test_another_mask_and_other_trials_are_followed(opened, qtbot):
    trial, view = opened.theatre.state.trial, opened.explorer.window.theatre
    settle(opened, qtbot, lambda: opened.state.click_region("CA1"))
    assert opened.theatre.state.trial == trial
    wait_for_trial(opened, qtbot)
    wanted = TrialFilter().with_level("feedback", "rewarded")
    settle(opened, qtbot, lambda: opened.state.show_trials(wanted))
    n_shown = len(opened.explorer.picture.trials)
    assert f"of {n_shown} rewarded test trials" in view.title.text()
    assert opened.theatre.state.trial in opened.explorer.picture.trials
    wait_for_trial(opened, qtbot)


def test_selection_and_picks_are_those_of_the_window(opened, qtbot):
    view, ids = opened.explorer.window.theatre, opened.state.workspace.session.unit_id
    view.maps.unit_clicked.emit(str(ids[20]))
    assert opened.state.unit_id == ids[20]
    assert view.maps._chosen_unit == ids[20]
    opened.state.pick_units([str(ids[3])])
    assert view.maps.plots[0].picks.getData()[0].size > 0
    settle(opened, qtbot, lambda: view.maps.region_clicked.emit("DG"))
    assert opened.state.mask.region == "DG"


def test_levels_are_its_own(opened, qtbot):
    before = opened.explorer.window.raster.levels
    opened.explorer.window.theatre.maps.levels_chosen.emit(Levels(0.0, 44.0))
    qtbot.waitUntil(
        lambda: opened.explorer.window.theatre.maps.levels == Levels(0.0, 44.0),
        timeout=PATIENCE_MS,
    )
    assert opened.explorer.window.raster.levels == before


def test_it_has_no_tools_for_masks_and_no_menus_of_maps(opened):
    maps = opened.explorer.window.theatre.maps
    assert not maps.tools.isVisible()
    title = maps.plots[0].titleLabel
    assert maps._clicks._title_under(title.sceneBoundingRect().center()) is None


def test_a_session_without_a_model_shows_its_trials(opened, qtbot):
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.state.open_workspace(make_small_workspace(has_models=False))
    wait_for_trial(opened, qtbot)
    view = opened.explorer.window.theatre
    assert "surprise" not in view.facts.text()
    assert not view.buttons["worst"].isEnabled()
    assert not opened.explorer.registry.run("theatre.worst")
    opened.theatre.step_extreme(1)


def test_before_a_session_there_is_nothing_to_show(desktop):
    assert not desktop.explorer.registry.run("theatre.show")
    desktop.theatre.step(1)
    assert desktop.explorer.window.theatre.title.text() == NO_TRIAL
