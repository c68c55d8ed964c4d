"""From a mask to pictures: runs the models piece by piece and draws what is known so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.mask_answers import control_donors, in_units_of, mixed_order
from mtm_core.evaluation.mask_scores import CONTROL, TEMPORAL, Rivals
from mtm_core.evaluation.row_order import WithinName
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import AnswerMemory, Reconstruction
from mtm_viewer.presenters.picture import Answers, Picture, make_raster
from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.raster_scene import RasterScene, raster_scene
from mtm_viewer.presenters.score_lines import fit_rivals, score_answers
from mtm_viewer.presenters.workspace import LoadedModel, Workspace, spec_for
from mtm_viewer.state import Display

PAUSE_S = 0.08
"""Pictures follow each other no faster than this, so that the window has time for its person."""

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, eq=False, kw_only=True)
class ReconstructionRequest:
    """What the window wants to show.

    Parameters
    ----------
    workspace : Workspace
        Session, models, trials.
    spec : MaskSpec or None
        The mask; None shows the recording alone.
    regions : tuple of str
        The regions that the mask targets.
    display : Display
        How it is shown.
    wants_control : bool
        Run the shuffle control too.
    device : str
        Where to compute.
    """

    workspace: Workspace
    spec: MaskSpec | None
    regions: tuple[str, ...] = ()
    display: Display = field(default_factory=Display)
    wants_control: bool = False
    device: str = "cpu"

    @property
    def shows_control(self) -> bool:
        """Whether the shuffle control is computed: asked for, or shown as a raster."""
        return self.wants_control or "control" in self.display.raster.panels


@dataclass(eq=False)
class _Bench:
    """What one workspace needs again and again, made when it is first needed."""

    workspace: Workspace
    memory: AnswerMemory
    scenes: dict[tuple[WithinName, bool], RasterScene] = field(default_factory=dict)
    models: dict[tuple[int, str], Reconstructor] = field(default_factory=dict)
    fitted: Rivals | None = None

    def moved_to(self, workspace: Workspace) -> _Bench:
        """Return a bench for other trials of the same session and models, or an empty one."""
        mine = self.workspace
        same = (mine.recording is workspace.recording, mine.session is workspace.session)
        if all(same) and mine.models == workspace.models and mine.shown == workspace.shown:
            return replace(self, workspace=workspace, fitted=None)
        return _Bench(workspace, self.memory)

    def scene(self, display: Display) -> RasterScene:
        key = (display.within, display.is_by_region)
        if key not in self.scenes:
            workspace = self.workspace
            self.scenes[key] = raster_scene(
                workspace.session,
                workspace.train,
                within=display.within,
                is_by_region=display.is_by_region,
            )
        return self.scenes[key]

    def psth_hz(self, trials: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return what training trials of the same conditions foretell, (n_bins, n_units)."""
        log_rate = self.rivals().condition_psth
        places = np.searchsorted(self.workspace.test, np.sort(trials))
        per_bin = np.exp(log_rate[places], dtype=np.float64).mean(axis=0)
        return np.asarray(per_bin / self.workspace.session.bin_size_s)

    def rivals(self) -> Rivals:
        if self.fitted is None:
            self.fitted = fit_rivals(self.workspace)
        return self.fitted

    def reconstructor(self, model: LoadedModel, device: str) -> Reconstructor:
        key = (id(model), device)
        if key not in self.models:
            self.models[key] = Reconstructor(
                model.checkpoint,
                self.workspace.recording,
                allow_overlap=True,
                device=device,
                memory=self.memory,
            )
        return self.models[key]


class ReconstructionJob:
    """The work of the engine's thread; keeps models, row orders and answers between requests."""

    def __init__(self) -> None:
        self._memory = AnswerMemory()
        self._bench: _Bench | None = None

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield pictures, from the first partial one to the final one."""
        if not isinstance(request, ReconstructionRequest):
            msg = f"This thread reconstructs; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        if self._bench is None:
            self._bench = _Bench(request.workspace, self._memory)
        elif self._bench.workspace is not request.workspace:
            self._bench = self._bench.moved_to(request.workspace)
        if request.workspace.model is None or request.spec is None:
            yield _Painter(request, self._bench).draw(Answers(), is_final=True)
            return
        yield from _paced(_pictures(request, self._bench, should_stop))


def _pictures(
    request: ReconstructionRequest, bench: _Bench, should_stop: ShouldStop
) -> Iterator[Callable[[], Picture]]:
    """Yield ways to make pictures: only those that are shown are made."""
    painter = _Painter(request, bench)
    answers = Answers()
    for answers in _answers(request, bench, should_stop):
        yield partial(painter.draw, answers)
    if request.shows_control and not should_stop():
        for control in _control(request, bench, should_stop):
            answers = replace(answers, control=control)
            yield partial(painter.draw, answers)
    if not should_stop():
        yield partial(painter.draw, answers, is_final=True)


def _paced(makers: Iterator[Callable[[], Picture]]) -> Iterator[Picture]:
    """Show the first and the last picture, and of those between what there is time for."""
    shown_s, waiting = -np.inf, None
    for waiting in makers:
        if time.monotonic() - shown_s >= PAUSE_S:
            yield waiting()
            shown_s, waiting = time.monotonic(), None
    if waiting is not None:
        yield waiting()


def _answers(
    request: ReconstructionRequest, bench: _Bench, should_stop: ShouldStop
) -> Iterator[Answers]:
    """Let the model and its baseline answer in step, so that both average the same trials."""
    workspace = request.workspace
    model, rival = workspace.model, workspace.baseline
    if model is None or request.spec is None:
        return
    trials = _shown_order(workspace)
    first = bench.reconstructor(model, request.device)
    steps = first.reconstruct(
        spec_for(model, request.spec), trials, with_preview=True, should_stop=should_stop
    )
    follower = None if rival is None else _Follower(request, bench, rival, should_stop)
    answers = Answers()
    for step in steps:
        answers = Answers(model=step, baseline=follower.keep_up(step) if follower else None)
        yield answers
    if follower is not None and not should_stop():
        for late in follower.rest():
            answers = replace(answers, baseline=late)
            yield answers


class _Follower:
    """The baseline's answers, drawn on until they are as far as the model's."""

    def __init__(
        self,
        request: ReconstructionRequest,
        bench: _Bench,
        rival: LoadedModel,
        should_stop: ShouldStop,
    ) -> None:
        workspace = request.workspace
        bound = bench.reconstructor(rival, request.device)
        spec = spec_for(rival, request.spec or MaskSpec())
        self._steps = bound.reconstruct(
            spec, _shown_order(workspace), with_preview=True, should_stop=should_stop
        )
        self._sessions = (bound.session, workspace.session)
        self._last: Reconstruction | None = None

    def keep_up(self, leader: Reconstruction) -> Reconstruction | None:
        while self._last is None or _progress(self._last) < _progress(leader):
            step = next(self._steps, None)
            if step is None:
                break
            self._last = step
        return self._aligned()

    def rest(self) -> Iterator[Reconstruction | None]:
        for step in self._steps:
            self._last = step
            yield self._aligned()

    def _aligned(self) -> Reconstruction | None:
        return None if self._last is None else in_units_of(self._last, *self._sessions)


def _control(
    request: ReconstructionRequest, bench: _Bench, should_stop: ShouldStop
) -> Iterator[Reconstruction]:
    workspace = request.workspace
    if workspace.model is None or request.spec is None:
        return
    trials, session = _shown_order(workspace), workspace.session
    donors = control_donors(session, workspace.test, trials)
    bound = bench.reconstructor(workspace.model, request.device)
    spec = spec_for(workspace.model, request.spec)
    yield from bound.reconstruct(
        spec, trials, visible_from=donors, with_preview=True, should_stop=should_stop
    )


def _shown_order(workspace: Workspace) -> NDArray[np.int64]:
    return mixed_order(workspace.session.session_id, workspace.test)


def _progress(answer: Reconstruction) -> int:
    return int(answer.is_done.sum() + answer.is_exact.sum())


class _Painter:
    """Draws answers to one request; the same answers only once."""

    def __init__(self, request: ReconstructionRequest, bench: _Bench) -> None:
        self._request = request
        self._bench = bench
        self._answers: Answers | None = None
        self._picture: Picture | None = None

    def draw(self, answers: Answers, *, is_final: bool = False) -> Picture:
        if self._picture is None or self._answers is not answers or not self._picture.lines:
            self._picture = self._make(answers, is_final=is_final)
            self._answers = answers
        return replace(self._picture, is_final=is_final)

    def _make(self, answers: Answers, *, is_final: bool) -> Picture:
        workspace, model = self._request.workspace, answers.model
        model_hz = None if model is None else model.rate_hz()
        picture = Picture(
            workspace=workspace,
            raster=self._raster(answers, model_hz),
            trials=workspace.test,
            n_wanted=len(workspace.test),
            is_final=is_final,
        )
        if model is None:
            return picture
        picture = replace(
            picture,
            trials=model.trials[model.is_done],
            model_hz=model_hz,
            mask=model.mask,
            n_done=model.n_done,
            is_exact=model.is_final,
        )
        # The very first picture does not wait for its rivals to be fitted.
        is_first = self._picture is None and not is_final
        if is_first and self._bench.fitted is None:
            return picture
        others = {TEMPORAL: answers.baseline, CONTROL: answers.control}
        lines, gains = score_answers(workspace, model, others, self._bench.rivals())
        return replace(picture, lines=lines, gains=gains)

    def _raster(self, answers: Answers, model_hz: NDArray[np.float32] | None) -> RasterDrawable:
        display = self._request.display
        return make_raster(
            self._request.workspace,
            answers,
            scene=self._bench.scene(display),
            settings=display.raster,
            regions=self._request.regions if display.is_focused else (),
            model_hz=model_hz,
            psth=self._bench.psth_hz,
        )
