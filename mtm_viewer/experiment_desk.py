"""Keeping what is on screen, and coming back to it: experiments, figures that carry them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PyQt6.QtCore import QObject, pyqtSignal
from PyQt6.QtWidgets import QApplication

from mtm_core.experiment.comparison import compare
from mtm_core.experiment.files import (
    SUFFIX,
    may_hold_experiment,
    write_experiment,
)
from mtm_core.experiment.process_backend import (
    backend_like,
    expected_tolerance,
    other_software,
)
from mtm_core.experiment.record import Experiment
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer
from mtm_viewer.jobs.experiment_job import ExperimentRequest, OpenedExperiment
from mtm_viewer.presenters.experiment_made import (
    caption_of,
    difference_words,
    experiment_of,
    numbers_table,
    shown_numbers,
)
from mtm_viewer.presenters.experiment_view import View, read_view
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.state import Display
from mtm_viewer.theatre_state import TheatreState
from mtm_viewer.view_actions import can_order_by
from mtm_viewer.views.file_questions import ask_file

_SAVED = (f"Experiments (*{SUFFIX})",)
_OPENED = (f"Experiments and figures (*{SUFFIX} *.png *.svg *.pdf)", "All files (*)")


class ExperimentDesk(QObject):
    """Saves and opens experiments.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    theatre : TheatreState
        How single trials are shown.
    folder : callable
        Returns the folder in which to begin asking for files.

    Notes
    -----
    Signal: `shown` the `Experiment` that was opened and is on screen now.
    """

    shown = pyqtSignal(object)

    def __init__(
        self, explorer: Explorer, theatre: TheatreState, folder: Callable[[], str]
    ) -> None:
        super().__init__(explorer)
        self._explorer = explorer
        self._theatre = theatre
        self._folder = folder
        self._settled: tuple[Picture, MaskChoice] | None = None
        self._awaited: tuple[Experiment, MaskChoice] | None = None
        explorer.settled.connect(self._on_settled)
        explorer.opener.loader.partial.connect(self._on_answer)

    def ask_save(self) -> None:
        """Ask where to save what is on screen, and save it."""
        self._explorer.files.ask("Save experiment", _SAVED, "experiment", self.save)

    def ask_open(self) -> None:
        """Ask for an experiment or a figure, and open it."""
        ask_file(self._explorer.window, "Open experiment", _OPENED, self._folder(), self.open)

    def save(self, path: Path) -> None:
        """Save what is on screen as an experiment."""
        self._explorer.attempt(path.name, partial(self._save, path))

    def open(self, path: Path) -> None:
        """Open an experiment, or a figure that carries one."""
        self.reopen(ExperimentRequest(path=path, current=self._explorer.state.workspace))

    def reopen(self, request: ExperimentRequest) -> None:
        """Open an experiment, wherever it comes from."""
        self._explorer.opener.loader.request(request)

    def take(self, paths: list[Path]) -> bool:
        """Open what was dropped if it is an experiment or a figure; tell whether it is."""
        if len(paths) != 1 or not paths[0].is_file() or not may_hold_experiment(paths[0]):
            return False
        self.open(paths[0])
        return True

    def copy_numbers(self) -> None:
        """Copy all scores to the clipboard."""
        experiment = self.experiment()
        if experiment is not None and experiment.numbers:
            self._copy(numbers_table(experiment), "The numbers were copied.")
        else:
            self._explorer.tell(
                "There are no numbers to copy yet",
                "Hide something, with a model open, and wait until all trials are computed.",
            )

    def copy_caption(self) -> None:
        """Copy a caption to the clipboard."""
        experiment, workspace = self.experiment(), self._explorer.state.shown
        if experiment is not None and workspace is not None:
            self._copy(caption_of(experiment, workspace), "The caption was copied.")

    def experiment(self) -> Experiment | None:
        """Return what is on screen as an experiment; None where nothing is open."""
        state = self._explorer.state
        if state.shown is None:
            return None
        return experiment_of(
            state.shown,
            self._final_picture(),
            self.view(),
            title=state.describe_mask(),
            device=state.device,
        )

    def view(self) -> View:
        """Return how things are shown now."""
        state = self._explorer.state
        display = state.display
        return View(
            mask=state.mask,
            trials=state.trial_filter,
            raster=display.raster,
            within=display.within,
            is_by_region=display.is_by_region,
            is_focused=display.is_focused,
            unit_id=state.unit_id,
            wants_control=state.wants_control,
            compare=state.compare,
            unit_panel=state.unit_settings,
            theatre=self._theatre.settings,
        )

    def _save(self, path: Path) -> None:
        experiment = self.experiment()
        if experiment is None:
            return
        write_experiment(experiment, path)
        unfinished = experiment.mask is not None and not experiment.numbers
        without = ", without numbers: not all trials are computed yet" if unfinished else ""
        self._say(f"Saved {path}{without}.")

    def _final_picture(self) -> Picture | None:
        """Return the picture on screen if it is whole, and is that of the mask and the trials."""
        if self._settled is None:
            return None
        picture, mask = self._settled
        state = self._explorer.state
        is_shown = picture is self._explorer.picture and picture.workspace is state.shown
        return picture if is_shown and picture.is_exact and mask == state.mask else None

    def _on_settled(self) -> None:
        picture, state = self._explorer.picture, self._explorer.state
        self._settled = None if picture is None else (picture, state.mask)
        if self._awaited is not None and self._final_picture() is not None:
            experiment, mask = self._awaited
            self._awaited = None
            if mask == state.mask:
                self._compare(experiment)

    def _compare(self, experiment: Experiment) -> None:
        """Say whether the numbers on screen are those that were saved."""
        picture = self._final_picture()
        if picture is None or not experiment.numbers:
            return
        unit = experiment.numbers.unit
        now = shown_numbers(picture, "" if unit is None else unit.unit_id)
        pairs = compare(experiment.numbers, now)
        backend, differs = backend_like(experiment.backend)
        others = "; ".join(filter(None, (differs, other_software(experiment.versions))))
        words = difference_words(pairs, expected_tolerance(backend, others))
        if words:
            self._explorer.tell("The numbers differ from those that were saved", words)
        else:
            self._say(f"All {len(pairs)} numbers are those that were saved.")

    def _on_answer(self, answer: Answer) -> None:
        if isinstance(answer.value, OpenedExperiment):
            self._show(answer.value)

    def _show(self, opened: OpenedExperiment) -> None:
        """Bring session, models, mask and view to the screen."""
        explorer, experiment = self._explorer, opened.experiment
        state, view = explorer.state, read_view(experiment.view, experiment.mask)
        explorer.opener.opened.emit(opened.workspace)
        state.set_compare(opened.compare)
        display = Display(
            raster=view.raster,
            within=view.within,
            is_by_region=view.is_by_region,
            is_focused=view.is_focused,
        )
        if not can_order_by(state, display.within):
            display = replace(display, within="auto")
        state.set_display(display)
        explorer.attempt("The choice of trials", partial(state.show_trials, view.trials))
        words = f"open {opened.path.name}"
        explorer.attempt("The mask", partial(state.show_choice, view.mask, words))
        state.set_control(is_wanted=view.wants_control)
        state.set_unit_settings(view.unit_panel)
        state.select_unit(view.unit_id)
        self._theatre.take(view.theatre)
        self._awaited = (experiment, state.mask)
        self._check_trials(experiment)
        self.shown.emit(experiment)

    def _check_trials(self, experiment: Experiment) -> None:
        shown = self._explorer.state.shown
        if shown is not None and not np.array_equal(shown.test, experiment.trials.rows):
            self._awaited = None
            self._explorer.tell(
                "Other trials are shown than those of the experiment",
                f"It holds {len(experiment.trials.rows)} {experiment.trials.kind} trials that no "
                "choice in this window makes. 'mtm-core replay' computes its numbers.",
            )

    def _copy(self, text: str, said: str) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setText(text)
            self._say(said)

    def _say(self, sentence: str) -> None:
        bar = self._explorer.window.statusBar()
        if bar is not None:
            bar.showMessage(sentence, 8000)
