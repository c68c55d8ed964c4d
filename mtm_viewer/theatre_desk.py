"""Connects the single-trial theatre with the picture on screen, its scores and the selection."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PyQt6.QtCore import QObject

from mtm_core.evaluation.trial_surprise import TrialSurprise
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.theatre_job import TheatreJob, TheatreRequest, TheatreScene
from mtm_viewer.population_state import PopulationState
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.theatre import TrialList, extreme_trials, theatre_drawable, trial_list
from mtm_viewer.presenters.theatre_settings import NO_TRIAL
from mtm_viewer.presenters.trial_order import SortName
from mtm_viewer.theatre_state import TheatreState


class TheatreDesk(QObject):
    """Shows single trials in place of averages while the theatre is open.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    population : PopulationState
        What is known of the trials of the picture.
    job : TheatreJob
        Draws the rasters.
    state : TheatreState
        What is shown.
    """

    def __init__(
        self,
        explorer: Explorer,
        population: PopulationState,
        job: TheatreJob,
        state: TheatreState,
    ) -> None:
        super().__init__(explorer.window)
        self._explorer, self._population = explorer, population
        self._view = explorer.window.theatre
        self.state = state
        self._engine = EngineThread(job, "theatre", self)
        self._walk: tuple[int, int, int] = (0, 0, NO_TRIAL)
        self.shown_trial = NO_TRIAL
        self._connect()

    def stop(self) -> None:
        """End the thread."""
        self._engine.stop()

    def toggle(self) -> None:
        """Open the theatre, or go back to averages."""
        self.state.show(is_shown=not self.state.is_shown)

    def can_show(self) -> bool:
        """Tell whether there are trials to show."""
        picture = self._explorer.picture
        return picture is not None and len(picture.trials) > 0

    def step(self, places: int) -> None:
        """Go so many places on in the list; at its ends the walk stays."""
        listed = self._list()
        place = None if listed is None else listed.place(self.state.trial)
        if listed is not None and place is not None:
            self._go_to_place(min(max(0, place + places), len(listed.trials) - 1))

    def step_extreme(self, sign: int) -> None:
        """Go to the worst trial (-1) or the best (1); asked again, to the next worst or best."""
        surprise = self._surprise()
        if surprise is None:
            return
        trials = extreme_trials(surprise, self.state.sort)[::-sign]
        last_sign, n_done, trial = self._walk
        n_done = n_done + 1 if last_sign == sign and trial == self.state.trial else 0
        if n_done == 0 and self.state.is_shown and len(trials) and trials[0] == self.state.trial:
            n_done = 1  # it is on screen already
        n_done = min(n_done, len(trials) - 1)
        if n_done >= 0:
            wanted = int(trials[n_done])
            self._walk = (sign, n_done, wanted)
            self.state.show(is_shown=True)
            self.state.choose_trial(wanted)

    def can_step_extreme(self) -> bool:
        """Tell whether trials are scored."""
        return self._surprise() is not None

    def _connect(self) -> None:
        view, state, explorer = self._view, self.state, self._explorer
        view.place_chosen.connect(self._go_to_place)
        view.sort_chosen.connect(state.sort_by)
        view.deed_asked.connect(self._do)
        self._engine.partial.connect(self._on_scene)
        self._engine.failed.connect(
            lambda _, text: explorer.tell("This trial cannot be shown", text)
        )
        maps = view.maps
        maps.unit_clicked.connect(explorer.state.select_unit)
        maps.region_clicked.connect(
            lambda name: explorer.attempt(name, partial(explorer.state.click_region, name))
        )
        maps.levels_chosen.connect(state.set_levels)
        state.shown_changed.connect(self._on_shown)
        state.trial_changed.connect(lambda _: self._draw())
        state.sort_changed.connect(lambda _: self._draw())
        state.levels_changed.connect(lambda _: self._draw())
        explorer.pictured.connect(self._on_picture)
        self._population.answer_changed.connect(lambda _: self._draw())
        explorer.state.unit_changed.connect(maps.choose_unit)
        explorer.state.picked_changed.connect(maps.pick_units)

    def _on_shown(self, is_shown: bool) -> None:
        self._explorer.window.show_theatre(is_shown=is_shown)
        self._draw()
        if is_shown:
            self._view.slider.setFocus()
        self._explorer.window.refresh_actions()

    def _on_picture(self, picture: Picture | None) -> None:
        if picture is None:
            self._engine.cancel()
            self.state.choose_trial(NO_TRIAL)
            self.state.set_levels(None)
            self._view.draw(None)
            self._view.draw_maps(None)
            self.shown_trial = NO_TRIAL
            return
        self._draw()

    def _draw(self) -> None:
        """Show the trial that is chosen; the first of the list where it is not among them."""
        picture, listed = self._explorer.picture, self._list()
        if not self.state.is_shown or picture is None or listed is None:
            return
        if listed.place(self.state.trial) is None:
            if self.state.trial == NO_TRIAL or self._is_whole(picture):
                self.state.choose_trial(int(listed.trials[0]))
            return
        surprise = self._surprise()
        self._view.draw_sort(self.state.sort)
        self._view.draw_deeds(is_scored=surprise is not None)
        self._view.draw(theatre_drawable(picture, surprise, listed, self.state.trial))
        self._request(picture)
        self._explorer.window.refresh_actions()

    def _request(self, picture: Picture) -> None:
        state = self._explorer.state
        display = state.display
        self._engine.request(
            TheatreRequest(
                picture=picture,
                trial=self.state.trial,
                settings=replace(display.raster, levels=self.state.levels),
                regions=state.mask.regions if display.is_focused else (),
            )
        )

    def _on_scene(self, answer: Answer) -> None:
        scene = answer.value
        if isinstance(scene, TheatreScene):
            state = self._explorer.state
            self.shown_trial = scene.trial
            self._view.draw_maps(scene.raster)
            self._view.maps.choose_unit(state.unit_id)
            self._view.maps.pick_units(state.picked)

    def _surprise(self) -> TrialSurprise | None:
        """Return what is known of the trials, if it is of the picture on screen."""
        answer = self._population.answer
        is_current = answer is not None and answer.picture is self._explorer.picture
        return answer.surprise if answer is not None and is_current else None

    def _list(self) -> TrialList | None:
        picture = self._explorer.picture
        if picture is None or not len(picture.trials):
            return None
        return trial_list(picture, self._surprise(), self.state.sort)

    def _is_whole(self, picture: Picture) -> bool:
        """Tell whether all trials have an answer; until then the trial may still come."""
        return picture.model_hz is None or picture.n_done >= picture.n_wanted

    def _go_to_place(self, place: int) -> None:
        listed = self._list()
        if listed is not None and 0 <= place < len(listed.trials):
            self.state.choose_trial(int(listed.trials[place]))

    def sort_by(self, sort: SortName) -> None:
        """Go through trials in another order."""
        self.state.sort_by(sort)

    def _do(self, name: str) -> None:
        deeds: dict[str, Callable[[], object]] = {
            "previous": partial(self.step, -1),
            "next": partial(self.step, 1),
            "worst": partial(self.step_extreme, -1),
            "best": partial(self.step_extreme, 1),
            "close": partial(self.state.show, is_shown=False),
        }
        deeds[name]()
