"""The panels of the window that can be saved: what each looks like, and what its numbers are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PyQt6.QtWidgets import QWidget

from mtm_core.evaluation.paired_change import PairedChange
from mtm_viewer.explorer import Explorer
from mtm_viewer.main_window import MainWindow
from mtm_viewer.matrix_state import MatrixState
from mtm_viewer.panel_exports import ExportPanel, PanelExports
from mtm_viewer.population_state import PopulationState
from mtm_viewer.presenters.numbers_of_panels import (
    change_numbers,
    honesty_numbers,
    matrix_numbers,
    population_numbers,
    raster_numbers,
    score_numbers,
    training_numbers,
    tree_numbers,
    unit_numbers,
)
from mtm_viewer.presenters.panel_numbers import PanelNumbers
from mtm_viewer.presenters.population import trials_words

Widgets = Sequence[QWidget]


def offer_panels(
    exports: PanelExports,
    explorer: Explorer,
    matrix: MatrixState,
    change: Callable[[], PairedChange | None],
    population: PopulationState,
) -> None:
    """Let every panel of the window be saved and copied.

    Parameters
    ----------
    exports : PanelExports
        Takes the panels.
    explorer : Explorer
        The running program.
    matrix : MatrixState
        What is known of the region-to-region matrix.
    change : callable
        Returns what came out of a comparison; None where nothing did.
    population : PopulationState
        What is known of all units.
    """
    window = explorer.window
    for panel in (
        _rasters(window),
        _scores(explorer),
        _unit(window),
        _matrix(window, matrix),
        _compare(explorer, change),
        _population(window, population),
        _theatre(window),
        _honesty(window),
        _training(window),
        _tree(explorer),
    ):
        exports.offer(panel)


def _rasters(window: MainWindow) -> ExportPanel:
    raster = window.raster
    return ExportPanel(
        name="rasters",
        title="Rasters",
        widget=raster,
        parts=_when(lambda: raster.drawable is not None, (raster.graphics, raster.legend)),
        numbers=lambda: None if raster.drawable is None else raster_numbers(raster.drawable),
        keys={"picture": "Ctrl+S", "copy": "Ctrl+Shift+C"},
    )


def _scores(explorer: Explorer) -> ExportPanel:
    scores = explorer.window.scores

    def numbers() -> PanelNumbers | None:
        lines = explorer.scores.lines
        return score_numbers(lines) if lines else None

    return ExportPanel(
        name="scores",
        title="Scores",
        widget=scores,
        parts=_when(
            lambda: explorer.picture is not None and bool(explorer.picture.lines),
            (scores.headline, scores.interval, scores.verdict, scores.table),
        ),
        numbers=numbers,
    )


def _unit(window: MainWindow) -> ExportPanel:
    unit = window.unit
    return ExportPanel(
        name="unit",
        title="Unit panel",
        widget=unit,
        parts=lambda: () if unit.drawable is None else unit.parts,
        numbers=lambda: None if unit.drawable is None else unit_numbers(unit.drawable),
    )


def _matrix(window: MainWindow, state: MatrixState) -> ExportPanel:
    view = window.matrix

    def numbers() -> PanelNumbers | None:
        report = None if state.answer is None else state.answer.report(state.choice.null)
        return None if report is None else matrix_numbers(report)

    return ExportPanel(
        name="matrix",
        title="Region-to-region matrix",
        widget=view,
        parts=_when(lambda: state.answer is not None, (view.title, view.map, view.caution)),
        numbers=numbers,
    )


def _compare(explorer: Explorer, change: Callable[[], PairedChange | None]) -> ExportPanel:
    view, state = explorer.window.compare, explorer.state

    def numbers() -> PanelNumbers | None:
        found, workspace = change(), state.workspace
        if found is None or workspace is None:
            return None
        return change_numbers(workspace.session, found)

    texts = (view.headline, view.sentence)
    below = (view.key, view.units, view.unit, view.contrast_words, view.caution)
    parts: Widgets = (*texts, view.plot, *below)
    return ExportPanel(
        name="compare",
        title="Compare",
        widget=view,
        parts=lambda: [each for each in parts if not each.isHidden() and change() is not None],
        numbers=numbers,
    )


def _population(window: MainWindow, state: PopulationState) -> ExportPanel:
    view = window.population

    def numbers() -> PanelNumbers | None:
        answer = state.answer
        if answer is None:
            return None
        return population_numbers(answer.facts, answer.session, trials_words(answer.picture))

    return ExportPanel(
        name="population",
        title="Population",
        widget=view,
        parts=lambda: () if state.answer is None else view.parts,
        numbers=numbers,
    )


def _theatre(window: MainWindow) -> ExportPanel:
    view = window.theatre
    maps = view.maps
    return ExportPanel(
        name="theatre",
        title="Single-trial theatre",
        widget=view,
        parts=_when(lambda: maps.drawable is not None, (view.title, view.facts, maps.graphics)),
        numbers=lambda: None if maps.drawable is None else raster_numbers(maps.drawable),
    )


def _honesty(window: MainWindow) -> ExportPanel:
    panel = window.honesty
    return ExportPanel(
        name="honesty",
        title="Behind the picture",
        widget=panel,
        parts=_when(lambda: bool(panel.lines), (panel.list,)),
        numbers=lambda: honesty_numbers(panel.lines) if panel.lines else None,
    )


def _training(window: MainWindow) -> ExportPanel:
    panel = window.training
    return ExportPanel(
        name="training",
        title="Training",
        widget=panel,
        parts=_when(
            lambda: panel.drawable is not None,
            (panel.title, panel.detail, panel.loss, panel.validation, panel.steps),
        ),
        numbers=lambda: None if panel.drawable is None else training_numbers(panel.drawable),
    )


def _tree(explorer: Explorer) -> ExportPanel:
    state = explorer.state

    def numbers() -> PanelNumbers | None:
        workspace = state.workspace
        if workspace is None:
            return None
        return tree_numbers(workspace.session, workspace.rate_hz, state.resolved)

    tree = explorer.window.tree
    return ExportPanel(
        name="tree",
        title="Regions and units",
        widget=tree,
        parts=_when(lambda: state.workspace is not None, (tree.tree,)),
        numbers=numbers,
    )


def _when(is_there: Callable[[], bool], parts: Widgets) -> Callable[[], Widgets]:
    """Return those parts only while there is something in them."""
    return partial(_parts_if, is_there, parts)


def _parts_if(is_there: Callable[[], bool], parts: Widgets) -> Widgets:
    return parts if is_there() else ()
