"""The same window without a display: drawn into a file, with its scores as a table."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QEventLoop, QTimer

from mtm_core.cli import output
from mtm_core.errors import MtmError, OutputError
from mtm_core.masking.tasks import TASKS
from mtm_viewer.desktop import Desktop
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.recipes import RECIPES
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.views.export import write_image

SIZE = (1600, 1000)
PATIENCE_MS = 600_000
_HEADER = ("task", "prediction", "beyond PSTH", "95 % interval", "over mean", "units", "spikes")
EXIT_ERROR = 2


def draw_once(desktop: Desktop, begin: Callable[[], object], screenshot: Path | None) -> int:
    """Open, compute every recipe for one region, print the scores, save the window, and end.

    Parameters
    ----------
    desktop : Desktop
        The program.
    begin : callable
        Opens what shall be drawn.
    screenshot : Path or None
        Where to save the window as a PNG; None saves nothing.

    Returns
    -------
    int
        The exit code: 0, or 2 if something could not be done.
    """
    window = desktop.explorer.window
    window.resize(*SIZE)
    window.show()
    problem = _wait(desktop, begin)
    scores: dict[str, tuple[ScoreLine, ...]] = {}
    # The recipe on screen comes last, so that it is the one in the picture.
    last = desktop.state.mask.recipe
    for recipe in [*(task for task in TASKS if task != last), last] if not problem else []:
        problem = problem or _compute(desktop, recipe)
        picture = desktop.explorer.picture
        scores[recipe] = () if picture is None else picture.lines
    if not problem:
        _print_scores(desktop, scores)
        problem = _save(window, screenshot)
    window.close()
    if problem:
        output.fail("mtm-viewer", problem)
    return EXIT_ERROR if problem else 0


def _compute(desktop: Desktop, recipe: str) -> str:
    workspace, state = desktop.state.workspace, desktop.state
    if workspace is None or workspace.model is None or recipe == state.mask.recipe:
        return ""
    return _wait(desktop, lambda: state.choose_recipe(recipe))


def _wait(desktop: Desktop, begin: Callable[[], object]) -> str:
    """Begin something and wait until its final picture is there; return what went wrong."""
    problems: list[str] = []
    loop = QEventLoop()
    clock = QTimer()
    clock.setSingleShot(True)
    clock.timeout.connect(lambda: problems.append("It took too long; it was stopped."))
    clock.timeout.connect(loop.quit)
    told = desktop.explorer.told.connect(problems.append)
    failed = desktop.explorer.told.connect(lambda _: loop.quit())
    settled = desktop.explorer.settled.connect(loop.quit)
    clock.start(PATIENCE_MS)
    try:
        begin()
    except MtmError as error:
        problems.append(str(error))
    if not problems:
        loop.exec()
    clock.stop()
    for link in (told, failed):
        desktop.explorer.told.disconnect(link)
    desktop.explorer.settled.disconnect(settled)
    return problems[0] if problems else ""


def _print_scores(desktop: Desktop, scores: dict[str, tuple[ScoreLine, ...]]) -> None:
    workspace, mask = desktop.state.workspace, desktop.state.mask
    if workspace is None:
        return
    session = workspace.session
    model = "no model" if workspace.model is None else workspace.model.name
    output.show(
        f"{session.session_id}: {session.n_units} units, {session.n_trials} trials; {model}; "
        f"{len(workspace.test)} {workspace.trial_kind} trials"
    )
    target = f"units of {mask.region}" if mask.region else "the hidden units"
    output.show(f"bits per spike of {target}, pooled; interval: bootstrap over trials")
    rows = [row for recipe, lines in scores.items() for row in _rows(recipe, lines)]
    if rows:
        output.show_table(_HEADER, rows)


def _rows(recipe: str, lines: tuple[ScoreLine, ...]) -> list[tuple[object, ...]]:
    return [
        (
            RECIPES[recipe].title if place == 0 else "",
            line.name,
            line.bps_beyond_psth,
            "-" if line.interval is None else "{:.3f} to {:.3f}".format(*line.interval),
            line.bps_pooled,
            line.n_units,
            line.n_spikes,
        )
        for place, line in enumerate(lines)
    ]


def _save(window: MainWindow, path: Path | None) -> str:
    """Save the window; return what went wrong."""
    if path is None:
        return ""
    try:
        write_image(window.grab().toImage(), path)
    except OutputError as error:
        return str(error)
    output.show(f"The window is in {path}. To see it live, run: mtm-viewer --demo")
    return ""
