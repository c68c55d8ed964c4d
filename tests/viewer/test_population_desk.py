"""The population panel in the real window: what is scored, selected, picked and saved."""

from __future__ import annotations

import csv
import dataclasses

import numpy as np
import pytest
from PyQt6.QtWidgets import QFileDialog

from mtm_viewer.presenters.population import NOTHING_SCORED
from mtm_viewer.views.tooltips import tooltip
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def opened(desktop, qtbot):
    workspace = make_small_workspace(n_trials=150, n_bins=20)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(workspace)
    wait_for_units(desktop, qtbot)
    desktop.explorer.registry.run("population.show")
    return desktop


def wait_for_units(desktop, qtbot):
    population = desktop.population

    def is_there() -> bool:
        answer = population.state.answer
        return answer is not None and answer.picture is desktop.explorer.picture

    qtbot.waitUntil(is_there, timeout=PATIENCE_MS)


def settle(desktop, qtbot, deed):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        deed()
    wait_for_units(desktop, qtbot)


def run(desktop, command):
    assert desktop.explorer.registry.run(command), command


def test_the_panel_knows_every_scored_unit_of_the_picture(opened):
    view, answer = opened.explorer.window.population, opened.population.state.answer
    assert answer.session.region[answer.facts.units].tolist() == ["VISp"] * 8
    assert view.title.text().startswith("Inter-region VISp: 30 test trials, exact, simulated")
    assert view.scatter.note.text().startswith("8 of 8 scored units")
    assert view.bars._drawable.bars[0].name == "VISp"
    assert [band.name for band in view.probe._cloud.bands] == ["CA1", "DG", "VISp"]


def test_another_mask_brings_other_units(opened, qtbot):
    settle(opened, qtbot, lambda: run(opened, "mask.co_smoothing"))
    settle(opened, qtbot, lambda: opened.state.target_regions(()))
    assert len(opened.population.state.answer.facts.units) == 24
    assert len(opened.explorer.window.population.bars._drawable.bars) == 3


def test_a_clicked_point_is_selected_everywhere_and_explained(opened):
    view, window = opened.explorer.window.population, opened.explorer.window
    unit = str(opened.population.state.answer.session.unit_id[20])
    view.scatter.unit_clicked.emit(unit)
    assert opened.state.unit_id == unit
    assert view.head.text() == "unit VISp #20"
    assert view.reasons.text().count("\n") >= 0
    assert view.reasons.text()
    assert window.unit.why.text()
    assert window.unit.why.toolTip() == tooltip(view.reasons.text())
    assert window.raster._chosen_unit == unit


def test_an_unscored_unit_is_said_to_be_unscored(opened):
    opened.state.select_unit(str(opened.state.workspace.session.unit_id[0]))
    view = opened.explorer.window.population
    assert view.numbers.text() == "This unit is not scored under this mask."
    assert not opened.explorer.window.unit.why.isVisible()


def test_the_unit_under_the_pointer_is_read_and_then_the_selected_one_again(opened):
    view, ids = opened.explorer.window.population, opened.state.workspace.session.unit_id
    opened.state.select_unit(str(ids[20]))
    view.scatter.hovered.emit(str(ids[21]))
    assert view.head.text() == "unit VISp #21"
    view.scatter.hovered.emit("")
    assert view.head.text() == "unit VISp #20"
    view.bars.region_pointed.emit("VISp: 0.2")
    assert view.numbers.text() == "VISp: 0.2"
    view.bars.region_pointed.emit("")
    assert view.head.text() == "unit VISp #20"


def test_worse_and_better_units_are_reached_by_keys(opened):
    facts = opened.population.state.answer.facts
    counted = facts.units[facts.is_counted]
    order = counted[facts.bps.values[facts.is_counted].argsort(kind="stable")]
    opened.state.select_unit(str(opened.state.workspace.session.unit_id[order[3]]))
    for command, place in (("worse", 2), ("worse", 1), ("better", 2)):
        run(opened, f"population.unit.{command}")
        assert opened.state.unit_row == order[place]


def test_picked_units_are_marked_in_raster_tree_and_panel(opened):
    window, ids = opened.explorer.window, opened.state.workspace.session.unit_id
    window.population.scatter.units_picked.emit([str(ids[17]), str(ids[19])])
    rows = window.raster.drawable.rows.unit_id.tolist()
    marked = window.raster.plots[0].picks.getData()[1]
    assert {int(row) for row in marked[::2]} == {rows.index(str(ids[k])) for k in (17, 19)}
    index = window.tree.model.region_index("VISp")
    assert window.tree.model.n_picked(index) == 2
    assert window.tree.model.sentence(index).endswith(", 2 picked")
    assert window.population.picked.text() == "2 units picked"
    run(opened, "population.clear")
    assert window.tree.model.n_picked(index) == 0
    assert window.raster.plots[0].picks.getData()[0].size == 0
    assert not window.population.buttons["hide"].isEnabled()


def test_picked_units_are_hidden_or_kept_as_one_step(opened, qtbot):
    ids = opened.state.workspace.session.unit_id
    picked = [str(ids[k]) for k in (17, 18, 19)]
    opened.state.pick_units(picked)
    settle(opened, qtbot, opened.explorer.window.population.buttons["hide"].click)
    hidden = opened.state.resolved.is_hidden.all(axis=0)
    assert set(ids[hidden]) == set(picked)
    assert opened.state.undo_stack.undoText() == "hide only 3 picked units"
    assert opened.state.picked == frozenset(picked)
    settle(opened, qtbot, opened.state.undo_stack.undo)
    settle(opened, qtbot, lambda: run(opened, "population.keep"))
    assert set(ids[~opened.state.resolved.is_hidden.all(axis=0)]) == set(picked)


def test_a_bar_picks_the_units_of_its_region_and_the_tree_adds_some(opened):
    view, tree = opened.explorer.window.population, opened.explorer.window.tree
    view.bars.region_chosen.emit("VISp", False)
    assert len(opened.state.picked) == 8
    index = tree.model.region_index("CA1")
    menu = tree.make_menu(tree.model.item(index), "CA1")
    next(a for a in menu.actions() if a.text().startswith("Pick CA1")).trigger()
    menu.deleteLater()
    assert len(opened.state.picked) == 16
    view.bars.region_chosen.emit("VISp", True)
    assert len(opened.state.picked) == 16


def test_other_axes_and_levels_are_chosen_by_list_and_by_command(opened):
    view, state = opened.explorer.window.population, opened.population.state
    view.axis.setCurrentIndex(view.axis.findData("r2"))
    view.axis.activated.emit(view.axis.currentIndex())
    assert state.choice.axis == "r2"
    run(opened, "population.axis.region")
    run(opened, "population.level.cosmos")
    assert [text for _, text in view.scatter._cloud.x_ticks] == ["Isocortex"]
    assert view.axis.currentData() == "region"
    for place, name in enumerate(("scatter", "regions", "probe")):
        run(opened, f"population.tab.{name}")
        assert view.tabs.currentIndex() == place
    opened.toggle_side("population")
    run(opened, "population.tab.scatter")
    assert opened.is_side_shown("population")


def test_the_table_is_saved_where_a_person_says(opened, tmp_path):
    run(opened, "population.table")
    (dialog,) = opened.explorer.window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "units.csv"))
    with (tmp_path / "units.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    facts = opened.population.state.answer.facts
    assert [float(row["bps_beyond_psth"]) for row in rows] == facts.bps.values.tolist()
    assert rows[0]["trials"] == "30 test trials, exact, simulated"


def test_outliers_are_picked_where_there_are_any(opened):
    for sign, name in ((1, "better"), (-1, "worse")):
        n_units = opened.population.n_outliers(sign)
        assert opened.explorer.registry.run(f"population.pick.{name}") == (n_units > 0)
        if n_units:
            assert len(opened.state.picked) == n_units


def test_without_a_model_it_says_so(opened, qtbot):
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.state.open_workspace(make_small_workspace(has_models=False))
    view = opened.explorer.window.population
    assert opened.population.state.answer is None
    assert view.title.text() == "No model for this session"
    assert view.scatter.message.text() == NOTHING_SCORED
    assert len(view.probe._cloud.units) == 24
    for command in ("population.unit.worse", "population.table", "population.hide"):
        assert not opened.explorer.registry.run(command)
    opened.population.step_unit(1)
    opened.population.pick_outliers(1)
    opened.population.hide_picked()
    assert opened.population.n_outliers(1) == 0


def test_showing_everything_forgets_the_scores(opened, qtbot):
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        run(opened, "mask.clear")
    qtbot.waitUntil(lambda: opened.population.state.answer is None, timeout=PATIENCE_MS)
    assert opened.explorer.window.population.title.text() == NOTHING_SCORED


def test_a_hidden_panel_is_drawn_when_it_is_shown(opened, qtbot):
    view = opened.explorer.window.population
    opened.toggle_side("population")
    before = view.title.text()
    settle(opened, qtbot, lambda: opened.state.click_region("DG"))
    assert view.title.text() == before
    opened.toggle_side("population")
    assert view.title.text().startswith("Inter-region DG:")


def test_scores_keep_the_name_of_their_own_mask(opened):
    view = opened.explorer.window.population
    opened.state.click_region("CA1")  # its answer is still to come
    opened.population.state.choose(axis="spikes")
    assert view.title.text().startswith("Inter-region VISp:")


def test_units_that_the_recording_lacks_do_not_keep_the_rest_from_being_looked_at(desktop, qtbot):
    workspace = make_small_workspace(n_trials=150, n_bins=20)
    is_missing = np.arange(24) < 2
    workspace = dataclasses.replace(workspace, is_missing=is_missing)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(workspace)
    wait_for_units(desktop, qtbot)
