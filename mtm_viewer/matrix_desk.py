"""Connects the matrix panel with its state, its thread, and the mask."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject

from mtm_core.evaluation.region_matrix_report import MatrixReport, write_csv
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.backend_job import BackendWork
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.matrix_job import MatrixJob, MatrixRequest
from mtm_viewer.matrix_actions import SIDE
from mtm_viewer.matrix_state import MatrixState
from mtm_viewer.presenters.computing import Computing
from mtm_viewer.presenters.region_matrix import (
    MatrixAnswer,
    cell_lines,
    cell_mask,
    matrix_drawable,
    progress_words,
)
from mtm_viewer.presenters.status_words import train_command
from mtm_viewer.presenters.workspace import Workspace

SUBSET_PRESET = "quick-subset"
"""What trains a model that is asked about one visible region as well."""
_NO_MODEL = "The matrix needs a model of this session: train one, then open it."


class MatrixDesk(QObject):
    """Fills the matrix while its panel is shown, and sets the mask of a cell that is clicked.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    job : MatrixJob
        Does the work, by the way that was measured to be fastest here.
    computing : Computing
        What a person chose about computing.
    """

    def __init__(self, explorer: Explorer, job: MatrixJob, computing: Computing) -> None:
        super().__init__(explorer.window)
        self._explorer, self._job = explorer, job
        self._work = BackendWork(lambda _: job, computing)
        self._view = explorer.window.matrix
        self._dock = explorer.window.side_docks[SIDE]
        self.state = MatrixState(self)
        self._engine = EngineThread(self._work, "matrix", self)
        self._is_seen = False
        self._in_menus: tuple[object, ...] = ()
        self._connect()

    @property
    def is_running(self) -> bool:
        """Whether the matrix is being filled."""
        return self._engine.is_busy

    def stop(self) -> None:
        """End the thread."""
        self._job.hold(is_held=False)
        self._engine.stop()

    def compute_like(self, computing: Computing) -> None:
        """Compute otherwise from now on: what is on screen is made anew, or found again."""
        self._work.choose(computing)
        self._restart()

    def toggle_pause(self) -> None:
        """Pause the filling, or let it go on."""
        self.state.set_paused(is_paused=not self.state.is_paused)

    def can_pause(self) -> bool:
        """Tell whether there is something to pause or to go on with."""
        return self.is_running or self.state.is_paused

    def ask_table(self) -> None:
        """Ask where to save the table, and save it."""
        title, kinds = "Save the matrix as a table", ["Tables (*.csv)"]
        self._explorer.files.ask(title, kinds, "matrix", self.save_table)

    def save_table(self, path: Path) -> None:
        """Save a line for each cell as CSV."""
        report = self._report()
        if report is not None:
            self._explorer.attempt(path.name, partial(write_csv, report, path))

    def _connect(self) -> None:
        view, state, explorer = self._view, self.state, self._explorer
        view.choice_asked.connect(lambda changes: state.choose(**changes))
        view.cell_pointed.connect(self._show_cell)
        view.cell_chosen.connect(self._set_mask)
        view.pause_asked.connect(lambda is_paused: state.set_paused(is_paused=is_paused))
        view.table_asked.connect(self.ask_table)
        self._engine.partial.connect(self._on_answer)
        self._engine.failed.connect(lambda _, text: state.set_problem(text))
        self._engine.busy.connect(lambda _: self._draw())
        state.choice_changed.connect(lambda _: self._on_choice())
        state.answer_changed.connect(lambda _: self._draw())
        state.problem_changed.connect(lambda _: self._draw())
        state.paused_changed.connect(lambda _: self._follow())
        explorer.state.workspace_changed.connect(lambda _: self._on_workspace())
        explorer.state.device_changed.connect(lambda _: self._restart())
        explorer.engine.busy.connect(lambda is_busy: self._job.hold(is_held=is_busy))
        self._dock.visibilityChanged.connect(self._on_seen)

    def _on_seen(self, is_seen: bool) -> None:
        self._is_seen = is_seen
        self._follow()

    def _on_choice(self) -> None:
        """Show the same matrix otherwise, or begin another."""
        self._view.draw_choice(self.state.choice)
        answer = self.state.answer
        if answer is None or answer.settings != self.state.choice.settings:
            self._restart()
        self._draw()

    def _on_workspace(self) -> None:
        self._job.forget()
        self._restart()

    def _restart(self) -> None:
        """Forget what is on screen; it was of another model, session or level."""
        self._engine.cancel()
        self.state.set_answer(None)
        self.state.set_problem("")
        self._follow()

    def _follow(self) -> None:
        """Fill while the panel is shown and nobody paused it."""
        workspace = self._explorer.state.workspace
        is_wanted = self._is_seen and not self.state.is_paused
        if workspace is not None and workspace.model is None:
            self.state.set_problem(_NO_MODEL)
        elif not is_wanted or workspace is None:
            self._engine.cancel()
        elif not self.is_running and not self._is_complete() and not self.state.problem:
            self._request(workspace)
        self._draw()

    def _request(self, workspace: Workspace) -> None:
        self._engine.request(
            MatrixRequest(
                workspace=workspace,
                settings=self.state.choice.settings,
                device=self._explorer.state.device,
            )
        )

    def _on_answer(self, answer: Answer) -> None:
        found = answer.value
        if isinstance(found, MatrixAnswer) and found.settings == self.state.choice.settings:
            self.state.set_answer(found)

    def _is_complete(self) -> bool:
        answer = self.state.answer
        return answer is not None and answer.share_done == 1

    def _report(self) -> MatrixReport | None:
        answer = self.state.answer
        return None if answer is None else answer.report(self.state.choice.null)

    def _draw(self) -> None:
        state, report = self.state, self._report()
        workspace = self._explorer.state.workspace
        command = "" if workspace is None else train_command(workspace, SUBSET_PRESET)
        drawable = None if report is None else matrix_drawable(report, state.choice, command)
        self._view.draw(drawable, state.problem)
        share = 0.0 if state.answer is None else state.answer.share_done
        words = progress_words(state.answer, is_running=self.is_running, is_paused=state.is_paused)
        self._view.draw_progress(
            share, words, is_paused=state.is_paused, can_pause=self.can_pause()
        )
        self._show_cell(*(self._view.map.cursor_cell or (-1, -1)))
        in_menus = (state.choice, state.is_paused, self.can_pause(), report is not None)
        if in_menus != self._in_menus:
            self._in_menus = in_menus
            self._explorer.window.refresh_actions()

    def _show_cell(self, row: int, column: int) -> None:
        report = self._report()
        if report is None or row < 0:
            self._view.draw_read_out(())
            return
        self._view.draw_read_out(cell_lines(report, report.regions[row], report.regions[column]))

    def _set_mask(self, row: int, column: int) -> None:
        """Show only the row region, and score the column region."""
        report = self._report()
        if report is None:
            return
        names = report.regions[row], report.regions[column]
        spec = cell_mask(report, self.state.choice.level, *names)
        text = f"only {names[0]} visible, {names[1]} scored"
        state = self._explorer.state
        self._explorer.attempt("This mask", partial(state.use_spec, spec, text))
