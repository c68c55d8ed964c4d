"""From a mask to pictures: runs the models piece by piece and draws what is known so far."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import MaskError
from mtm_core.evaluation.mask_answers import control_donors, in_units_of, mixed_order
from mtm_core.evaluation.mask_scores import CONTROL, TEMPORAL
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import MEMORY_BYTES, AnswerMemory, Reconstruction
from mtm_viewer.jobs.bench import Bench
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.compared import Compared, compare_answers
from mtm_viewer.presenters.picture import Answers, Picture, make_raster
from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.score_lines import score_answers, scored_trials
from mtm_viewer.presenters.workspace import LoadedModel, Workspace, spec_for
from mtm_viewer.state import Display

PAUSE_S = 0.08
"""Pictures follow each other no faster than this, so that the window has time for its person."""
PAINTING_S = 0.02
"""How long the work rests after the first picture: painted beside it, it comes later."""

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
    compare : CompareChoice
        What the model is compared with, and which conditions are.
    """

    workspace: Workspace
    spec: MaskSpec | None
    regions: tuple[str, ...] = ()
    display: Display = field(default_factory=Display)
    wants_control: bool = False
    device: str = "cpu"
    compare: CompareChoice = field(default_factory=CompareChoice)

    @property
    def shows_control(self) -> bool:
        """Whether the shuffle control is computed: asked for, or shown as a raster."""
        return self.wants_control or "control" in self.display.raster.panels


class ReconstructionJob:
    """The work of the engine's thread; keeps models, row orders and answers between requests."""

    def __init__(self, memory_bytes: int = MEMORY_BYTES) -> None:
        self._memory = AnswerMemory(memory_bytes)
        self._bench: Bench | None = None

    def __call__(self, request: object, should_stop: ShouldStop) -> Iterator[object]:
        """Yield pictures, from the first partial one to the final one."""
        if not isinstance(request, ReconstructionRequest):
            msg = f"This thread reconstructs; it cannot do {type(request).__name__}."
            raise TypeError(msg)
        if self._bench is None:
            self._bench = Bench(request.workspace, self._memory)
        elif self._bench.workspace is not request.workspace:
            self._bench = self._bench.moved_to(request.workspace)
        if request.workspace.model is None or request.spec is None:
            yield _Painter(request, self._bench).draw(Answers(), is_final=True)
            return
        yield from _paced(_pictures(request, self._bench, should_stop))


def _pictures(
    request: ReconstructionRequest, bench: Bench, should_stop: ShouldStop
) -> Iterator[Callable[[], Picture] | None]:
    """Yield ways to make pictures: only those that are shown are made; see `_paced`."""
    painter = _Painter(request, bench)
    answers = Answers()
    for answers in _answers(request, bench, should_stop):
        yield partial(painter.draw, answers)
    if request.compare.opponent is not None and request.compare.opponent.is_baseline:
        yield None
    for late in _late_opponent(request, bench, answers, should_stop):
        answers = late
        yield partial(painter.draw, answers)
    if request.shows_control and not should_stop():
        for control in _control(request, bench, should_stop):
            answers = replace(answers, control=control)
            yield partial(painter.draw, answers)
    if not should_stop():
        yield partial(painter.draw, answers, is_final=True)


def _paced(makers: Iterator[Callable[[], Picture] | None]) -> Iterator[Picture]:
    """Show the first and the last picture, and of those between what there is time for.

    None says that the next one will take its time: what is known by then is shown.
    """
    shown_s, waiting = -np.inf, None
    is_first = True
    for maker in makers:
        waiting = maker or waiting
        is_time = maker is None or time.monotonic() - shown_s >= PAUSE_S
        if waiting is not None and is_time:
            yield waiting()
            if is_first:
                time.sleep(PAINTING_S)
            shown_s, waiting, is_first = time.monotonic(), None, False
    if waiting is not None:
        yield waiting()


def _answers(
    request: ReconstructionRequest, bench: Bench, should_stop: ShouldStop
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
    nobody: Iterator[Reconstruction] = iter(())
    baseline = _Follower(
        nobody if rival is None else _rival_steps(request, bench, rival, should_stop)
    )
    contender = bench.contender(request.compare, request.device)
    is_model = contender is not None and contender.bound is not None
    opponent = _Follower(
        contender.answers(request.spec, trials, with_preview=True, should_stop=should_stop)
        if contender is not None and is_model
        else nobody
    )
    answers = Answers()
    for place, step in enumerate(steps):
        if place == 0 and request.spec.one_at_a_time and not step.is_final:
            # A rival that goes unit by unit through its layers can take many times as long.
            yield Answers(model=step)
        kept_up = baseline.keep_up(step), opponent.keep_up(step)
        answers = Answers(model=step, baseline=kept_up[0], opponent=kept_up[1])
        yield answers
    for late in baseline.rest(should_stop):
        answers = replace(answers, baseline=late)
        yield answers
    for late in opponent.rest(should_stop):
        answers = replace(answers, opponent=late)
        yield answers


def _rival_steps(
    request: ReconstructionRequest, bench: Bench, rival: LoadedModel, should_stop: ShouldStop
) -> Iterator[Reconstruction]:
    workspace = request.workspace
    bound = bench.reconstructor(rival, request.device)
    spec = spec_for(rival, request.spec or MaskSpec())
    for step in bound.reconstruct(
        spec, _shown_order(workspace), with_preview=True, should_stop=should_stop
    ):
        yield in_units_of(step, bound.session, workspace.session)


def _late_opponent(
    request: ReconstructionRequest, bench: Bench, answers: Answers, should_stop: ShouldStop
) -> Iterator[Answers]:
    """Ask a baseline once the model has answered: to fit it can take seconds."""
    contender = bench.contender(request.compare, request.device)
    if contender is None or contender.bound is not None or request.spec is None:
        return
    if answers.model is None or should_stop():
        return
    try:
        trials = _shown_order(request.workspace)
        for opponent in contender.answers(request.spec, trials, should_stop=should_stop):
            yield replace(answers, opponent=opponent)
    except MaskError as error:
        yield replace(answers, problem=str(error))


class _Follower:
    """A rival's answers, drawn on until they are as far as the model's."""

    def __init__(self, steps: Iterator[Reconstruction]) -> None:
        self._steps = steps
        self._last: Reconstruction | None = None

    def keep_up(self, leader: Reconstruction) -> Reconstruction | None:
        while self._last is None or _progress(self._last) < _progress(leader):
            step = next(self._steps, None)
            if step is None:
                break
            self._last = step
        return self._last

    def rest(self, should_stop: ShouldStop) -> Iterator[Reconstruction]:
        """Yield what is left, unless asked to stop."""
        if not should_stop():
            yield from self._steps


def _control(
    request: ReconstructionRequest, bench: Bench, should_stop: ShouldStop
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

    def __init__(self, request: ReconstructionRequest, bench: Bench) -> None:
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
        compared = self._compared(answers)
        picture = Picture(
            workspace=workspace,
            raster=self._raster(answers, model_hz, compared),
            trials=workspace.test,
            n_wanted=len(workspace.test),
            scene=self._bench.scene(self._request.display),
            is_final=is_final,
            compared=compared,
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

    def _compared(self, answers: Answers) -> Compared | None:
        """Compare once there is time: the very first picture does not wait for it."""
        request, model = self._request, answers.model
        choice, loaded = request.compare, request.workspace.model
        if choice == CompareChoice() or model is None or loaded is None:
            return None
        name = choice.name_in(request.workspace)
        if answers.problem or (self._picture is None and self._bench.fitted is None):
            return Compared(choice=choice, name=name, problem=answers.problem)
        pair = loaded, model, answers.opponent
        trials = scored_trials(request.workspace)
        return compare_answers(choice, name, trials, self._bench.rivals(), pair)

    def _raster(
        self,
        answers: Answers,
        model_hz: NDArray[np.float32] | None,
        compared: Compared | None,
    ) -> RasterDrawable:
        display = self._request.display
        return make_raster(
            self._request.workspace,
            answers,
            scene=self._bench.scene(display),
            settings=display.raster,
            regions=self._request.regions if display.is_focused else (),
            model_hz=model_hz,
            psth=self._bench.psth_hz,
            compared=compared,
        )
