"""The comparison panel in the real window: choose, read, blink, pick, save, come back."""

from __future__ import annotations

import csv
from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, Qt
from PyQt6.QtWidgets import QFileDialog

from mtm_core.cli.__main__ import main
from mtm_core.experiment.files import read_experiment
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.theme import DARK
from tests.core.sessions import make_session
from tests.viewer.workspaces import write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000


def settle(desktop, qtbot, deed) -> None:
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        deed()
    qtbot.waitUntil(lambda: not desktop.explorer.engine.is_busy, timeout=PATIENCE_MS)
    # The panel is drawn after the rasters are painted.
    qtbot.waitUntil(lambda: not desktop.compare._delay.isActive(), timeout=PATIENCE_MS)


@pytest.fixture
def desktop(build_desktop, qtbot, tmp_path):
    desktop = build_desktop()
    session, model, temporal = write_files(tmp_path, make_session(n_trials=160))
    settle(
        desktop, qtbot, lambda: desktop.open_source(str(session), checkpoints=[model, temporal])
    )
    return desktop


@pytest.fixture
def compared(desktop, qtbot):
    settle(desktop, qtbot, lambda: desktop.compare.compare_with("poisson_regression"))
    return desktop


def view(desktop):
    return desktop.explorer.window.compare


def titles(desktop):
    plots = desktop.explorer.window.raster.plots
    return [plot.titleLabel.text.removesuffix(" (simulated)") for plot in plots]


def test_nothing_is_compared_until_a_person_asks(desktop):
    desktop.explorer.registry.run("compare.show")
    assert view(desktop).isVisible()
    assert view(desktop).headline.text().startswith("Choose what")
    assert not view(desktop).blink.isEnabled()
    assert not desktop.explorer.registry.run("compare.blink")
    assert desktop.explorer.picture.compared is None


def test_a_choice_in_the_panel_shows_numbers_and_map(desktop, qtbot):
    desktop.explorer.registry.run("compare.show")
    box = view(desktop).opponent
    place = box.findData("drift")
    box.setCurrentIndex(place)
    settle(desktop, qtbot, lambda: box.activated.emit(place))
    assert desktop.state.compare.key == "drift"
    assert "Drift" in view(desktop).sentence.text()
    assert titles(desktop)[2] == "Drift"
    assert view(desktop).plot.isVisible()
    settle(desktop, qtbot, lambda: desktop.explorer.registry.run("compare.with.nothing"))
    assert titles(desktop)[2] == "Temporal baseline"
    assert not view(desktop).plot.isVisible()


def test_the_panel_opens_by_itself_when_a_command_compares(compared):
    assert view(compared).isVisible()
    assert titles(compared)[2] == "Poisson regression"


def test_blinking_exchanges_the_two_and_back(compared, qtbot):
    image = compared.explorer.window.raster.plots[1].image
    before = image.image.copy()
    qtbot.keyClick(compared.explorer.window, Qt.Key.Key_X)
    assert titles(compared)[1:] == ["Poisson regression", "Reconstructed"]
    assert view(compared).blink.isChecked()
    assert not np.array_equal(image.image, before)
    view(compared).blink.click()
    assert titles(compared)[1:] == ["Reconstructed", "Poisson regression"]
    assert np.array_equal(image.image, before)


def test_blinking_ends_when_there_is_nothing_to_blink_to(compared, qtbot):
    compared.compare.blink()
    assert compared.compare.is_blinking()
    settle(compared, qtbot, lambda: compared.compare.compare_with(""))
    assert not compared.compare.is_blinking()
    assert titles(compared)[1] == "Reconstructed"


def test_another_mask_is_compared_anew(compared, qtbot):
    before = view(compared).headline.text()
    settle(compared, qtbot, lambda: compared.state.target_regions(("DG",)))
    assert view(compared).headline.text() != before
    assert compared.explorer.picture.compared.is_exact


def test_pointing_reads_a_unit_and_clicking_chooses_it(compared, qtbot):
    plot = view(compared).plot
    points = plot._points
    row = int(np.argmax(np.hypot(points.own - points.own.mean(), points.other)))
    at = QPointF(float(points.other[row]), float(points.own[row]))
    spot = plot.plot.mapFromScene(plot.plot.getViewBox().mapViewToScene(at))
    with qtbot.waitSignal(plot.pointed):
        qtbot.mouseMove(plot.plot.viewport(), spot)
    near = plot._row_under(plot.plot.mapToScene(spot))
    assert near is not None
    qtbot.mouseClick(plot.plot.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert compared.state.unit_id == points.unit_id[near]
    assert view(compared).unit.text() == points.words[near]
    assert plot._row_under(QPointF(-50.0, -50.0)) is None
    corner = plot.plot.mapToScene(QPoint(plot.plot.width() // 2, 3))
    plot._on_moved(corner)
    plot.draw(None)
    assert plot._row_under(plot.plot.mapToScene(spot)) is None


def test_a_contrast_takes_two_rasters_and_gives_them_back(desktop, qtbot):
    settle(desktop, qtbot, lambda: desktop.explorer.registry.run("compare.contrast.contrast_side"))
    words = "side L \N{MINUS SIGN} R"
    assert titles(desktop)[:2] == [f"True: {words}", f"Model: {words}"]
    assert view(desktop).contrast_words.text().startswith("Under this mask")
    settle(desktop, qtbot, lambda: desktop.explorer.registry.run("compare.contrast.none"))
    assert titles(desktop)[:2] == ["True", "Reconstructed"]
    assert not desktop.explorer.registry.run("compare.contrast.block")


def test_the_table_holds_every_scored_unit(compared, tmp_path):
    compared.explorer.registry.run("compare.table")
    (dialog,) = compared.explorer.window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "units.csv"))
    dialog.reject()
    with (tmp_path / "units.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    change = compared.explorer.picture.compared.change
    assert [float(row["change"]) for row in rows] == change.units.change.tolist()


def test_an_experiment_keeps_the_comparison_replays_and_opens(compared, qtbot, tmp_path, capsys):
    state = compared.state
    settle(
        compared,
        qtbot,
        lambda: state.set_compare(replace(state.compare, contrast="contrast_side")),
    )
    path = tmp_path / "it.mtm.json"
    compared.experiments.save(path)
    saved = read_experiment(path)
    shown = compared.explorer.picture.compared
    assert saved.numbers.change == shown.change.score
    assert saved.numbers.contrast == shown.contrast
    words = ["replay", str(path), "--out", str(tmp_path), "--figure", "none", "--tolerance", "0"]
    assert main(words) == 0
    assert "came out again, exactly" in capsys.readouterr().out
    chosen, panels = state.compare, state.display.raster.panels
    settle(compared, qtbot, lambda: state.set_compare(CompareChoice()))
    settle(compared, qtbot, lambda: compared.experiments.open(path))
    assert state.compare == chosen
    assert state.display.raster.panels == panels
    bar = compared.explorer.window.statusBar()
    qtbot.waitUntil(lambda: "are those that were saved" in bar.currentMessage(), timeout=5000)


def test_an_experiment_against_another_model_opens_both(desktop, qtbot, tmp_path):
    model = str(desktop.state.workspace.models[1].checkpoint.path)
    settle(desktop, qtbot, lambda: desktop.compare.compare_with(f"model:{model}"))
    path = tmp_path / "it.mtm.json"
    desktop.experiments.save(path)
    assert read_experiment(path).opponent.model.name == "Temporal baseline (temporal)"
    settle(desktop, qtbot, lambda: desktop.state.set_compare(CompareChoice()))
    settle(desktop, qtbot, lambda: desktop.experiments.open(path))
    assert desktop.state.compare.checkpoint == model
    assert len(desktop.state.workspace.models) == 2


def test_without_a_session_nothing_is_compared(build_desktop):
    desktop = build_desktop()
    desktop.compare.compare_with("drift")
    assert desktop.state.compare == CompareChoice()
    desktop.compare.save_table("nowhere.csv")
    assert not desktop.compare.can_blink()


def test_the_panel_follows_the_theme(compared):
    compared.state.set_theme(DARK)
    assert DARK.muted in view(compared).caution.styleSheet()
    assert view(compared).plot._points is not None
