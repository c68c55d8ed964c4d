"""Connects the population panel with what is scored, selected and picked."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from weakref import WeakKeyDictionary

import numpy as np
from PyQt6.QtCore import QObject

from mtm_core.evaluation.unit_table import NO_REGION, write_unit_table
from mtm_core.masking.region_level import level_labels
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.population_job import PopulationJob
from mtm_viewer.population_actions import SIDE
from mtm_viewer.population_state import PopulationState
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.population import (
    NOTHING_SCORED,
    PopulationAnswer,
    next_unit,
    outlying_units,
    region_bars,
    scatter,
    trials_words,
    unit_words,
)
from mtm_viewer.presenters.probe_depth import probe_depth
from mtm_viewer.presenters.status_words import NO_MODEL


class PopulationDesk(QObject):
    """Looks at every picture that is complete, shows its units, and edits what is picked.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    job : PopulationJob
        Does the work.
    """

    def __init__(self, explorer: Explorer, job: PopulationJob) -> None:
        super().__init__(explorer.window)
        self._explorer = explorer
        self._view = explorer.window.population
        self.state = PopulationState(self)
        self._engine = EngineThread(job, "population", self)
        self._pointed = ""
        self._dock = explorer.window.side_docks[SIDE]
        self._is_stale = True
        self._tasks: WeakKeyDictionary[Picture, str] = WeakKeyDictionary()
        self._connect()

    @property
    def is_running(self) -> bool:
        """Whether a picture is being looked at."""
        return self._engine.is_busy

    def stop(self) -> None:
        """End the thread."""
        self._engine.stop()

    def step_unit(self, step: int) -> None:
        """Look at the unit with the next better (1) or worse (-1) score."""
        answer, state = self.state.answer, self._explorer.state
        row = None if answer is None else next_unit(answer.facts, state.unit_row, step)
        if answer is not None and row is not None:
            state.select_unit(str(answer.session.unit_id[row]))

    def pick_outliers(self, sign: int) -> None:
        """Pick the units that score far better (1) or far worse (-1) than the others."""
        if self.state.answer is not None:
            self._explorer.state.pick_units(outlying_units(self.state.answer, sign))

    def n_outliers(self, sign: int) -> int:
        """Count the units that score far better (1) or far worse (-1) than the others."""
        answer = self.state.answer
        return 0 if answer is None else len(outlying_units(answer, sign))

    def hide_picked(self) -> None:
        """Hide the picked units and nothing else."""
        self._mask(self._explorer.state.hide_only_units)

    def keep_picked(self) -> None:
        """Hide all units but the picked ones."""
        self._mask(self._explorer.state.keep_only_units)

    def clear_picked(self) -> None:
        """Pick no unit any more."""
        self._explorer.state.pick_units(())

    def ask_table(self) -> None:
        """Ask where to save the table, and save it."""
        title, kinds = "Save the units as a table", ["Tables (*.csv)"]
        self._explorer.files.ask(title, kinds, "units", self.save_table)

    def save_table(self, path: Path) -> None:
        """Save a line for each scored unit as CSV."""
        answer = self.state.answer
        if answer is not None:
            trials = trials_words(answer.picture)
            write = partial(write_unit_table, path, answer.facts, answer.session, trials)
            self._explorer.attempt(path.name, write)

    def _connect(self) -> None:
        view, state, explorer = self._view, self.state, self._explorer
        view.choice_asked.connect(lambda changes: state.choose(**changes))
        view.unit_clicked.connect(explorer.state.select_unit)
        view.units_picked.connect(explorer.state.pick_units)
        view.region_picked.connect(self._pick_region)
        view.unit_pointed.connect(self._point)
        view.deed_asked.connect(self._do)
        state.choice_changed.connect(lambda _: self._draw())
        state.answer_changed.connect(lambda _: self._draw())
        self._engine.partial.connect(self._on_answer)
        self._engine.failed.connect(
            lambda _, text: explorer.tell("The units could not be looked at", text)
        )
        explorer.pictured.connect(self._on_picture)
        explorer.engine.busy.connect(self._on_busy)
        explorer.state.unit_changed.connect(lambda _: self._show_unit())
        explorer.state.picked_changed.connect(self._show_picked)
        explorer.window.tree.picked.connect(self._pick_more)
        self._dock.visibilityChanged.connect(lambda _: self._draw_units())

    def _on_picture(self, picture: Picture | None) -> None:
        """Look at a picture once it is complete; what was known of another session goes."""
        known = self.state.answer
        if picture is None or (known is not None and _is_other(known.picture, picture)):
            self._engine.cancel()
            self.state.set_answer(None)
            self._draw()
        if picture is not None and picture.is_final:
            self._request(picture)

    def _on_busy(self, is_busy: bool) -> None:
        """Look at what there is of a picture that was stopped."""
        picture = self._explorer.picture
        if not is_busy and picture is not None and not picture.is_final:
            self._request(picture)

    def _request(self, picture: Picture) -> None:
        if picture.gains is not None and not self._is_of_mask(picture):
            return
        if picture.gains is None:
            self.state.set_answer(None)
            self._draw()
            return
        self._tasks[picture] = self._explorer.state.mask.title
        self._engine.request(picture)

    def _on_answer(self, answer: Answer) -> None:
        found = answer.value
        if isinstance(found, PopulationAnswer):
            self.state.set_answer(found)

    def _is_of_mask(self, picture: Picture) -> bool:
        """Tell whether a picture answers the mask of now; one of the mask before may come late."""
        resolved, mask = self._explorer.state.resolved, picture.mask
        if resolved is None or mask is None:
            return False
        is_there = ~picture.workspace.is_missing
        return all(
            np.array_equal(one[:, is_there], other[:, is_there])
            for one, other in (
                (resolved.is_hidden, mask.is_hidden),
                (resolved.is_scored, mask.is_scored),
            )
        )

    def _draw(self) -> None:
        self._view.draw_choice(self.state.choice)
        self._view.draw_deeds(has_answer=self.state.answer is not None)
        self._is_stale = True
        self._draw_units()
        self._show_unit()
        self._show_picked(self._explorer.state.picked)
        self._explorer.window.refresh_actions()

    def _draw_units(self) -> None:
        """Draw all units, unless nobody would see it or they are drawn already."""
        answer, choice = self.state.answer, self.state.choice
        workspace = self._explorer.state.workspace
        if workspace is None or not self._is_stale or not self._dock.isVisible():
            return
        self._is_stale = False
        session = workspace.session if answer is None else answer.session
        self._view.draw(
            self._title(),
            scatter(answer, choice),
            region_bars(answer, choice.level),
            probe_depth(session, answer, choice.level),
        )

    def _title(self) -> str:
        answer, state = self.state.answer, self._explorer.state
        if answer is not None:
            return f"{self._tasks.get(answer.picture, '')}: {trials_words(answer.picture)}"
        has_model = state.workspace is not None and state.workspace.model is not None
        return NOTHING_SCORED if has_model else NO_MODEL.capitalize()

    def _show_unit(self) -> None:
        """Ring the selected unit, and say what may explain its score, here and in its panel."""
        state, answer = self._explorer.state, self.state.answer
        self._view.show_unit(state.unit_id)
        row = state.unit_row
        words = None if answer is None or row is None else unit_words(answer, row)
        is_current = answer is not None and answer.picture is self._explorer.picture
        brief, full = ("", "") if words is None or not is_current else (words.brief, words.full)
        self._explorer.window.unit.draw_reasons(brief, full)
        self._point(self._pointed)

    def _point(self, unit_id: str) -> None:
        """Say of the unit under the pointer, or else of the selected one, how it scores."""
        self._pointed = unit_id
        state, answer = self._explorer.state, self.state.answer
        wanted = unit_id or state.unit_id
        if answer is None or not wanted:
            self._view.draw_words(None)
            return
        rows = np.flatnonzero(answer.session.unit_id == wanted)
        words = unit_words(answer, int(rows[0])) if len(rows) else None
        if words is None:
            self._view.draw_words(None, "This unit is not scored under this mask.")
        else:
            self._view.draw_words(words)

    def _show_picked(self, picked: frozenset[str]) -> None:
        window = self._explorer.window
        self._view.show_picked(picked)
        window.raster.pick_units(picked)
        window.tree.draw_picked(picked)
        window.refresh_actions()

    def _pick_region(self, name: str, is_added: bool) -> None:
        """Pick the scored units of a region."""
        answer = self.state.answer
        if answer is None:
            return
        labels = level_labels(answer.session, self.state.choice.level)[answer.facts.units]
        mine = answer.facts.units[labels == ("" if name == NO_REGION else name)]
        units = answer.session.unit_id[mine].tolist()
        before = self._explorer.state.picked if is_added else frozenset()
        self._explorer.state.pick_units({*units, *before})

    def _pick_more(self, unit_ids: tuple[str, ...]) -> None:
        self._explorer.state.pick_units({*unit_ids, *self._explorer.state.picked})

    def _mask(self, deed: Callable[..., object]) -> None:
        state = self._explorer.state
        if state.workspace is None or not state.picked:
            return
        wanted = np.isin(state.workspace.session.unit_id, sorted(state.picked))
        name = f"{int(wanted.sum())} picked units"
        self._explorer.attempt("This mask", partial(deed, wanted, name))

    def _do(self, name: str) -> None:
        deeds: dict[str, Callable[[], object]] = {
            "worse": partial(self.step_unit, -1),
            "better": partial(self.step_unit, 1),
            "table": self.ask_table,
            "hide": self.hide_picked,
            "keep": self.keep_picked,
            "clear": self.clear_picked,
        }
        deeds[name]()


def _is_other(known: Picture, picture: Picture) -> bool:
    """Tell whether a picture is of another session or other trials than what is known."""
    return known.workspace is not picture.workspace
