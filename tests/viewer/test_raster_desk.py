"""Maps, rows, levels and trials chosen in the real window reach the picture."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtWidgets import QMessageBox

from mtm_core.data.conditions import trial_conditions
from mtm_core.evaluation.colour_scale import Levels
from mtm_core.evaluation.rastermap_order import HOW_TO_GET
from mtm_viewer import view_actions
from mtm_viewer.presenters.trial_filter import TrialFilter
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 10_000


@pytest.fixture
def explorer(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace(n_trials=120))
    return desktop.explorer


def settle(qtbot, explorer, deed) -> None:
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        deed()


def names(explorer) -> list[str]:
    return [panel.name for panel in explorer.picture.raster.panels]


def test_any_three_maps_stand_side_by_side(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.raster.panel_chosen.emit(0, "psth"))
    settle(qtbot, explorer, lambda: explorer.registry.run("view.panel.middle.control"))
    settle(qtbot, explorer, lambda: explorer.window.models.third_chosen.emit("difference"))
    assert names(explorer) == ["psth", "control", "difference"]
    assert not any(panel.message for panel in explorer.picture.raster.panels)


def test_the_shuffle_control_is_computed_where_it_is_shown(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.models.third_chosen.emit("control"))
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    control = explorer.picture.raster.panels[2]
    assert control.name == "control"
    assert control.message == ""
    rows = explorer.picture.raster.rows
    assert control.values[rows.region == "CA1"].any()


def test_the_psth_map_is_the_mean_of_training_trials_of_the_same_conditions(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    settle(qtbot, explorer, lambda: explorer.registry.run("view.smoothing.0"))
    settle(qtbot, explorer, lambda: explorer.window.models.third_chosen.emit("psth"))
    panel, raster = explorer.picture.raster.panels[2], explorer.picture.raster
    workspace = explorer.state.workspace
    train_hz = workspace.session.counts[workspace.train].mean(axis=0) / 0.01
    place = {name: k for k, name in enumerate(workspace.session.unit_id.tolist())}
    columns = [place[name] for name in raster.rows.unit_id.tolist()]
    overall = train_hz[:, columns].T
    assert np.corrcoef(panel.rate_hz.ravel(), overall.ravel())[0, 1] > 0.8


def test_levels_are_set_by_hand_and_given_back(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.raster.levels_chosen.emit(Levels(1.0, 9.0)))
    assert explorer.picture.raster.panels[0].levels == Levels(1.0, 9.0)
    settle(qtbot, explorer, lambda: explorer.registry.run("view.levels.auto"))
    assert explorer.picture.raster.panels[0].levels.low == 0.0


@pytest.mark.parametrize("scale", ["linear", "zscore"])
def test_brighter_and_darker_are_steps_of_the_upper_level(explorer, qtbot, scale):
    settle(qtbot, explorer, lambda: explorer.registry.run(f"view.scale.{scale}"))
    before = explorer.picture.raster.panels[0].levels
    settle(qtbot, explorer, lambda: explorer.registry.run("view.levels.brighter"))
    after = explorer.picture.raster.panels[0].levels
    assert after.high == pytest.approx(0.8 * before.high)
    assert after.low == pytest.approx(0.8 * before.low)
    settle(qtbot, explorer, lambda: explorer.registry.run("view.levels.darker"))
    assert explorer.picture.raster.panels[0].levels.high == pytest.approx(before.high)


def test_rows_of_several_target_regions_can_be_shown_alone(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.add_region("CA1"))
    settle(qtbot, explorer, lambda: explorer.window.models.focus_chosen.emit(True))
    assert set(explorer.picture.raster.rows.region) == {"CA1", "VISp"}
    assert explorer.window.models.rows.currentText() == "VISp and 1 more only"


def test_rows_can_be_ordered_across_regions(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.registry.run("view.order.rate"))
    settle(qtbot, explorer, lambda: explorer.registry.run("view.order.by_region"))
    assert explorer.picture.raster.rows.bands == ()
    assert "units of all regions by rate" in explorer.window.raster.legend.toolTip()
    settle(qtbot, explorer, lambda: explorer.registry.run("view.order.by_region"))
    assert len(explorer.picture.raster.rows.bands) == 3


def test_rastermap_is_offered_where_it_is_installed_and_says_how_to_get_it(explorer, monkeypatch):
    command = explorer.registry.get("view.order.rastermap")
    monkeypatch.setattr(view_actions, "has_rastermap", lambda: False)
    assert not explorer.registry.run(command.id)
    assert view_actions._order_help("rastermap") == HOW_TO_GET
    explorer.window.refresh_actions()
    assert not explorer.window._actions[command.id].isEnabled()
    monkeypatch.setattr(view_actions, "has_rastermap", lambda: True)
    assert command.is_enabled()
    assert "minute" in view_actions._order_help("rastermap")


def test_rows_stand_in_orders_that_can_be_made_here(explorer, monkeypatch):
    monkeypatch.setattr(view_actions, "has_rastermap", lambda: False)
    assert not view_actions.can_order_by(explorer.state, "rastermap")
    assert view_actions.can_order_by(explorer.state, "auto")
    assert view_actions.can_order_by(explorer.state, "depth")


def test_trials_are_chosen_with_their_counts(explorer, qtbot):
    bar, strip = explorer.window.models, explorer.window.trials
    assert bar.trials.text() == "24 test trials"
    bar.trials.click()
    assert strip.isVisible()
    wanted = TrialFilter().with_level("contrast_side", "left > right")
    settle(qtbot, explorer, lambda: strip.filter_chosen.emit(wanted))
    picture, session = explorer.picture, explorer.state.workspace.session
    conditions = trial_conditions(session, ("contrast_side",))
    assert {conditions.names[k] for k in conditions.label[picture.trials]} == {"left > right"}
    assert bar.trials.text() == f"{picture.n_wanted} of 24 test trials"
    n_words = f"{picture.n_wanted} left > right test trials, exact"
    assert explorer.window.status.progress_words.text() == n_words
    assert explorer.state.mask.title == "Inter-region VISp"


def test_trials_that_the_model_has_seen_wear_a_badge(explorer, qtbot):
    strip, badge = explorer.window.trials, explorer.window.models.badge
    settle(qtbot, explorer, lambda: strip.filter_chosen.emit(TrialFilter(split="train")))
    assert badge.isVisible()
    assert badge.text() == "Training trials"
    assert "no test of it" in badge.toolTip()
    settle(qtbot, explorer, lambda: strip.filter_chosen.emit(TrialFilter()))
    assert not badge.isVisible()


def test_a_choice_without_trials_is_told_and_what_is_shown_stays(explorer, qtbot):
    strip = explorer.window.trials
    strip.filter_chosen.emit(TrialFilter().with_level("feedback", "bitten"))
    (box,) = (box for box in explorer.window.findChildren(QMessageBox) if box.isVisible())
    assert "There are no bitten test trials" in box.informativeText()
    box.close()
    qtbot.wait(10)
    assert explorer.state.trial_filter == TrialFilter()


def test_another_session_starts_with_all_test_trials(explorer, qtbot):
    strip = explorer.window.trials
    settle(qtbot, explorer, lambda: strip.filter_chosen.emit(TrialFilter(split="val")))
    other = make_small_workspace(seed=2, n_trials=120)
    settle(qtbot, explorer, lambda: explorer.state.open_workspace(other))
    assert explorer.state.trial_filter == TrialFilter()
    assert explorer.state.shown is other
