"""Pointing in the real window: strokes, picks, named masks and history reach the mask."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPointF, Qt
from PyQt6.QtGui import QMouseEvent
from PyQt6.QtWidgets import QApplication, QMessageBox

from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 10_000
_LEFT, _NONE = Qt.MouseButton.LeftButton, Qt.MouseButton.NoButton


@pytest.fixture
def explorer(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop.explorer


def settle(qtbot, explorer, deed) -> None:
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        deed()


def drag(qtbot, raster, panel: int, places: list[tuple[float, float]]) -> None:
    """Drag the pointer over a raster along (bin, row) places."""
    plot, viewport = raster.plots[panel], raster.graphics.viewport()

    def send(kind: QEvent.Type, place, button, buttons) -> None:
        scene = plot.box.mapViewToScene(QPointF(*plot.from_entries(*place)))
        where = QPointF(raster.graphics.mapFromScene(scene))
        modifiers = Qt.KeyboardModifier.NoModifier
        spot = viewport.mapToGlobal(where)
        QApplication.sendEvent(
            viewport, QMouseEvent(kind, where, spot, button, buttons, modifiers)
        )

    send(QEvent.Type.MouseMove, places[0], _NONE, _NONE)
    send(QEvent.Type.MouseButtonPress, places[0], _LEFT, _LEFT)
    for place in places[1:]:
        qtbot.wait(15)  # pyqtgraph takes no more moves than the screen can show
        send(QEvent.Type.MouseMove, place, _NONE, _LEFT)
    send(QEvent.Type.MouseButtonRelease, places[-1], _LEFT, _NONE)


def hidden(explorer) -> np.ndarray:
    """What is hidden, rows as on screen, shape (n_rows, n_bins)."""
    session, rows = explorer.state.workspace.session, explorer.picture.raster.rows
    place = {name: column for column, name in enumerate(session.unit_id.tolist())}
    columns = [place[name] for name in rows.unit_id.tolist()]
    return explorer.state.resolved.is_hidden[:, columns].T


def close_dialogs(qtbot, explorer) -> list[str]:
    boxes = [box for box in explorer.window.findChildren(QMessageBox) if box.isVisible()]
    texts = [box.informativeText() for box in boxes]
    for box in boxes:
        box.close()
    qtbot.wait(10)
    return texts


def test_the_brush_hides_what_it_crosses_in_one_step(explorer, qtbot):
    raster, before = explorer.window.raster, hidden(explorer)
    raster.tools.choose("brush")
    raster.tools.width_px.setValue(2)
    settle(qtbot, explorer, lambda: drag(qtbot, raster, 0, [(1.5, 9.5), (3.5, 9.5), (5.5, 9.5)]))
    after = hidden(explorer)
    assert np.argwhere(after & ~before).tolist() == [[9, k] for k in range(1, 6)]
    assert explorer.state.undo_stack.count() == 1
    assert explorer.state.undo_stack.undoText() == "paint 5 entries of 1 unit"
    assert not any(cover.isVisible() for cover in raster.painter.covers)


def test_the_lasso_takes_what_it_surrounds_on_any_panel(explorer, qtbot):
    raster, before = explorer.window.raster, hidden(explorer)
    raster.tools.choose("lasso")
    corners = [(2.0, 11.0), (6.0, 11.0), (6.0, 14.0), (2.0, 14.0)]
    settle(qtbot, explorer, lambda: drag(qtbot, raster, 1, corners))
    wanted = np.zeros_like(before)
    wanted[11:14, 2:6] = True
    assert np.array_equal(hidden(explorer) & ~before, wanted)


def test_the_eraser_shows_whole_units_again(explorer, qtbot):
    raster, before = explorer.window.raster, hidden(explorer)
    row = int(np.flatnonzero(before.all(axis=1))[0])
    raster.tools.choose("brush")
    raster.tools.width_px.setValue(2)
    raster.tools.eraser.setChecked(True)
    raster.tools.extent.setCurrentIndex(raster.tools.extent.findData("units"))
    settle(qtbot, explorer, lambda: drag(qtbot, raster, 0, [(2.5, row + 0.5), (4.5, row + 0.5)]))
    assert np.flatnonzero((before & ~hidden(explorer)).any(axis=1)).tolist() == [row]
    assert explorer.state.undo_stack.undoText() == "erase 1 unit"


def test_dragging_with_the_pointer_moves_the_picture_and_hides_nothing(explorer, qtbot):
    raster = explorer.window.raster
    raster.plots[0].setYRange(4, 12, padding=0)
    low = raster.plots[0].box.viewRange()[1][0]
    drag(qtbot, raster, 0, [(4.0, 9.0), (4.0, 8.0), (4.0, 6.0)])
    assert raster.plots[0].box.viewRange()[1][0] > low
    assert explorer.state.undo_stack.count() == 0


def test_units_and_regions_are_picked_on_the_raster(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.raster.regions_picked.emit(["CA1"]))
    assert explorer.state.mask.regions == ("VISp", "CA1")
    units = explorer.state.workspace.session.unit_id[[8, 9]].tolist()
    settle(qtbot, explorer, lambda: explorer.window.raster.units_picked.emit(units))
    assert explorer.state.mask.recipe == "custom"
    assert explorer.state.resolved.scored_units.tolist() == [*range(10), *range(16, 24)]


def test_grow_and_invert_stand_over_the_rasters(explorer, qtbot):
    tools = explorer.window.raster.tools
    settle(qtbot, explorer, tools.invert.click)
    assert set(explorer.state.parts.regions) == {"CA1", "DG"}
    tools.grow.click()  # whole regions are hidden already
    assert explorer.state.undo_stack.undoText() == "invert the mask"


def test_random_units_are_asked_for_in_the_editor(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.choose_recipe("custom"))
    settle(qtbot, explorer, explorer.window.editor.random.draw_units.click)
    assert explorer.state.undo_stack.undoText() == "hide 30 % of all units (seed 0)"


def test_the_editor_says_which_prompt_fits(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.choose_recipe("custom"))
    assert explorer.window.editor.prompt.currentText() == "fitting: inter-region"


def test_a_click_in_the_history_goes_to_that_step(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    settle(qtbot, explorer, lambda: explorer.state.click_region("DG"))
    steps = explorer.window.history.steps
    model = steps.model()
    assert [model.index(row, 0).data() for row in range(model.rowCount())] == [
        "as opened",
        "Inter-region CA1",
        "Inter-region DG",
    ]
    settle(qtbot, explorer, lambda: steps.setCurrentIndex(model.index(0, 0)))
    assert explorer.state.mask.region == "VISp"
    settle(qtbot, explorer, lambda: steps.setCurrentIndex(model.index(2, 0)))
    assert explorer.state.mask.region == "DG"


def test_masks_are_named_used_and_combined_in_their_panel(explorer, qtbot):
    panel = explorer.window.names
    panel.name.setText("visual")
    panel.save.click()
    assert panel.list.item(0).toolTip() == (
        "visual: VISp hidden: 8 of 24 units, inter-region prompt"
    )
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    settle(qtbot, explorer, panel.buttons["union"].click)
    assert set(explorer.state.parts.regions) == {"CA1", "VISp"}
    settle(qtbot, explorer, panel.buttons["complement"].click)
    assert set(explorer.state.parts.regions) == {"CA1", "DG"}
    settle(qtbot, explorer, panel.buttons["use"].click)
    assert explorer.state.parts.regions == ("VISp",)
    panel.buttons["forget"].click()
    assert panel.list.count() == 0


def test_a_combination_that_hides_nothing_is_told(explorer, qtbot):
    explorer.state.name_mask("visual")
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    explorer.window.names.buttons["intersection"].click()
    (text,) = close_dialogs(qtbot, explorer)
    assert "nothing in common" in text
    assert explorer.state.mask.region == "CA1"


def test_a_named_mask_that_does_not_fit_says_so_in_its_line(explorer, qtbot):
    explorer.state.hide_by_rule('region == "VISp"')
    explorer.state.name_mask("ruled")
    other = make_small_workspace(regions=("CA1", "DG", "TH"), session_id="simulated-0")
    settle(qtbot, explorer, lambda: explorer.state.open_workspace(other))
    assert "does not fit" in explorer.window.names.list.item(0).toolTip()


def test_named_masks_are_there_again_after_a_restart(build_desktop, qtbot):
    first = build_desktop()
    settle(qtbot, first.explorer, lambda: first.state.open_workspace(make_small_workspace()))
    first.state.name_mask("visual")
    first.explorer.window.close()
    second = build_desktop()
    settle(qtbot, second.explorer, lambda: second.state.open_workspace(make_small_workspace()))
    assert second.explorer.window.names.list.item(0).text() == "visual"


def tree_item(explorer, region: str, *, is_group: bool = False):
    model = explorer.window.tree.model
    index = model.region_index(region)
    return model.item(model.parent(index) if is_group else index)


def test_a_click_on_a_group_does_what_the_recipe_says_with_all_its_regions(explorer, qtbot):
    tree, group = explorer.window.tree, tree_item(explorer, "CA1", is_group=True)
    settle(qtbot, explorer, lambda: tree.group_clicked.emit(group))
    assert explorer.state.mask.title == "Inter-region CA1, DG"
    settle(qtbot, explorer, lambda: explorer.state.choose_recipe("custom"))
    settle(qtbot, explorer, lambda: tree.group_clicked.emit(group))
    assert explorer.state.undo_stack.undoText() == "show HPF"
    assert explorer.state.mask.spec is None


def test_rows_picked_in_the_tree_are_added(explorer, qtbot):
    tree = explorer.window.tree
    settle(qtbot, explorer, lambda: tree.items_picked.emit([tree_item(explorer, "DG")]))
    assert explorer.state.mask.regions == ("VISp", "DG")
    tree.tree.expand(tree.model.region_index("CA1"))
    units = [
        tree.model.item(tree.model.index(row, 0, tree.model.region_index("CA1"))) for row in (1, 2)
    ]
    settle(qtbot, explorer, lambda: tree.items_picked.emit(units))
    assert explorer.state.undo_stack.undoText() == "hide 2 units"


def test_a_row_is_hidden_alone_or_kept_alone(explorer, qtbot):
    tree = explorer.window.tree
    settle(qtbot, explorer, lambda: tree.only_chosen.emit(tree_item(explorer, "DG")))
    assert explorer.state.parts.regions == ("DG",)
    settle(qtbot, explorer, lambda: tree.others_chosen.emit(tree_item(explorer, "DG")))
    assert explorer.state.parts.regions == ("CA1", "VISp")
    unit = tree.model.item(tree.model.index(0, 0, tree.model.region_index("CA1")))
    settle(qtbot, explorer, lambda: tree.only_chosen.emit(unit))
    assert explorer.state.undo_stack.undoText() == "hide only unit CA1 #0"


def test_units_without_a_region_are_hidden_by_their_ids(desktop, qtbot):
    workspace = make_small_workspace(regions=("CA1", "", "VISp"))
    explorer = desktop.explorer
    settle(qtbot, explorer, lambda: explorer.state.open_workspace(workspace))
    model = explorer.window.tree.model
    last = model.item(model.index(model.rowCount() - 1, 0))
    settle(qtbot, explorer, lambda: explorer.window.tree.eye_clicked.emit(last))
    assert len(explorer.state.parts.ids) == 8


def test_the_recipe_that_is_on_shows_its_parameters_when_it_is_clicked_again(explorer, qtbot):
    window, state = explorer.window, explorer.state
    dock = window.side_docks["recipe"]
    settle(qtbot, explorer, window.recipes.buttons["forward_prediction"].click)
    assert dock.isHidden()
    window.recipes.buttons["forward_prediction"].click()
    assert not dock.isHidden()
    panel = window.recipe
    assert panel.last.value() == 1
    settle(qtbot, explorer, lambda: panel.last.setValue(3))
    assert state.mask.settings.last_bins == 3
    assert panel.span.text() == "30 of 100 ms; published: 1 bins"
    panel.rule.setText("depth_um > 500")
    settle(qtbot, explorer, panel.rule.editingFinished.emit)
    assert state.mask.settings.score_rule == "depth_um > 500"
    settle(qtbot, explorer, panel.reset.click)
    assert (panel.last.value(), panel.rule.text()) == (1, "")
    assert not panel.reset.isEnabled()
    settle(qtbot, explorer, window.recipes.buttons["inter_region"].click)
    assert not panel.last.isVisible()
    window.recipes.buttons["inter_region"].click()
    assert dock.isHidden()


def test_a_prompt_is_chosen_in_the_recipes_panel_and_by_commands(explorer, qtbot):
    panel, state = explorer.window.recipe, explorer.state
    assert panel.told.text() == "The model is told: inter-region"
    place = panel.prompt.findData("neuron")
    panel.prompt.setCurrentIndex(place)
    settle(qtbot, explorer, lambda: panel.prompt.activated.emit(place))
    assert (state.mask.recipe, state.mask.spec.prompt) == ("inter_region", "neuron")
    assert "neuron prompt" in explorer.window.status.mask_words.text()
    settle(qtbot, explorer, lambda: explorer.registry.run("mask.prompt.automatic"))
    assert state.mask.spec.prompt == "inter_region"


def test_a_rule_that_is_none_is_told_and_changes_nothing(explorer, qtbot):
    told = []
    explorer.told.connect(told.append)
    explorer.window.recipe.rule.setText("depth >")
    explorer.window.recipe.rule.editingFinished.emit()
    assert told
    assert explorer.state.mask.settings.score_rule == ""
    for box in explorer.window.findChildren(QMessageBox):
        box.reject()


def test_a_custom_mask_says_that_its_fields_are_elsewhere(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.state.choose_recipe("custom"))
    assert "fields of its own" in explorer.window.recipe.help.text()
