"""An examination: which tasks, on which trials, judged by which truths; and who takes it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import Conditions, available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.evaluation.scores import NullName, TaskScores, Truth
from mtm_core.evaluation.sharing import ALONE, Crew, for_all, gather, own_rows
from mtm_core.inference import Reconstructor, shuffle_donors
from mtm_core.masking.targets import target_regions
from mtm_core.masking.tasks import MIN_REGION_UNITS, TASKS, TaskPlan, find_task, plan_task
from mtm_core.models.baselines import CONDITIONS, BaselineData, Plan, Predictor
from mtm_core.models.baselines_all import fit_baselines
from mtm_core.seeding import numpy_generator

OnProgress = Callable[[int], None]
"""Told how many passes of the model were made since it was last told."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Exam:
    """Tasks on chosen trials of a session, the same for a model and for every baseline.

    Parameters
    ----------
    session : Session
        The recording.
    data : BaselineData
        The same as plain arrays, with the training and validation trials.
    trials : ndarray of int64
        Rows that are scored.
    plans : mapping of str to TaskPlan
        The tasks that can be scored here.
    truths : mapping of str to Truth
        What their predictions are compared with.
    not_scored : mapping of str to str
        Tasks that cannot be scored, and why.
    seed : int
        Of the samples of trials and of the shuffle control.
    folds : tuple of (BaselineData, ndarray of int64)
        Of a cross-fitted model: what baselines of each fold may learn from, and which of the
        `trials` they predict, by their places.
    """

    session: Session
    data: BaselineData
    trials: NDArray[np.int64]
    plans: Mapping[str, TaskPlan]
    truths: Mapping[str, Truth]
    not_scored: Mapping[str, str] = field(default_factory=dict)
    seed: int = 0
    folds: tuple[tuple[BaselineData, NDArray[np.int64]], ...] = ()

    def donors(self) -> NDArray[np.int64]:
        """Return for each trial another one of its condition: the shuffle control.

        Raises
        ------
        DataError
            If there are fewer than two trials.
        """
        rng = numpy_generator(self.seed, "shuffle control", self.session.session_id)
        return shuffle_donors(_conditions(self.session), self.trials, rng)


def set_exam(
    session: Session,
    *,
    train: NDArray[np.int64],
    val: NDArray[np.int64],
    trials: NDArray[np.int64],
    tasks: Sequence[str] = TASKS,
    null: NullName = "train_mean",
    is_missing: NDArray[np.bool_] | None = None,
    seed: int = 0,
    n_samples: int = 1000,
    folds: Sequence[Split] = (),
) -> Exam:
    """Plan tasks for a session and prepare what their predictions are compared with.

    Parameters
    ----------
    session : Session
        The recording, in the bins that are scored.
    train, val : ndarray of int64
        Rows that null models and baselines learn from, and that choose the baselines' settings.
    trials : ndarray of int64
        Rows to score.
    tasks : sequence of str
        Names of tasks.
    null : str
        The null of the main scores.
    is_missing : ndarray of bool, shape (n_units,), optional
        Units that were not recorded here: never scored.
    seed, n_samples : int
        Of the samples of trials for intervals.
    folds : sequence of Split
        Of a cross-fitted model, see `Exam`; `train` and `val` are not looked at then.

    Raises
    ------
    UnknownNameError
        If there is no such task.
    """
    data = BaselineData.from_session(session, train, val)
    parts = tuple(
        (
            BaselineData.from_session(session, fold.train, fold.val),
            np.flatnonzero(np.isin(trials, fold.test)),
        )
        for fold in folds
    )
    missing = np.zeros(session.n_units, dtype=bool) if is_missing is None else is_missing
    plans: dict[str, TaskPlan] = {}
    truths: dict[str, Truth] = {}
    not_scored: dict[str, str] = {}
    for name in dict.fromkeys(map(find_task, tasks)):
        plan = _plan(name, session, missing)
        if not plan.is_scored.any():
            not_scored[name] = f"no region of at least {MIN_REGION_UNITS} units to target"
            continue
        rng = numpy_generator(seed, "samples of trials", session.session_id)
        plans[name] = plan
        truths[name] = Truth(
            data,
            plan,
            trials,
            unit_id=session.unit_id,
            rng=rng,
            null=null,
            n_samples=n_samples,
            folds=parts,
        )
    return Exam(
        session=session,
        data=data,
        trials=trials,
        plans=plans,
        truths=truths,
        not_scored=not_scored,
        seed=seed,
        folds=parts,
    )


def score_baseline(exam: Exam, baseline: Predictor) -> dict[str, TaskScores]:
    """Score a baseline on those tasks of an exam that it can do."""
    return {
        name: exam.truths[name].score(baseline.predict(plan, exam.trials))
        for name, plan in exam.plans.items()
        if name in baseline.tasks
    }


def score_baselines(
    exam: Exam, *, on_progress: OnProgress | None = None, crew: Crew = ALONE
) -> dict[str, dict[str, TaskScores]]:
    """Fit all baselines and score each on those tasks of an exam that it can do, by its name.

    Parameters
    ----------
    exam : Exam
        Its training and validation trials are what they are fitted to.
    on_progress : callable, optional
        Told after each baseline, or after each handful of them that processes fit at once.
    crew : Crew
        Processes that share the baselines out among them; all get all scores.
    """
    rivals = _fitted(exam)
    found: dict[str, dict[str, TaskScores]] = {}
    for start in range(0, len(rivals), crew.size):
        handful = rivals[start : start + crew.size]
        own = {place: _predictions(exam, handful[place]) for place in _own_place(handful, crew)}
        for place, baseline in enumerate(handful):
            found[baseline.name] = {
                name: truth.score(_shared(own.get(place, {}).get(name), exam, crew))
                for name, truth in exam.truths.items()
                if name in baseline.tasks
            }
        if on_progress is not None:
            on_progress(len(handful))
    return {name: scores for name, scores in found.items() if scores}


@dataclass(frozen=True, eq=False)
class _Folded:
    """A baseline fitted anew for each fold, which predicts the trials that it never saw."""

    parts: tuple[tuple[Predictor, NDArray[np.int64]], ...]

    @property
    def name(self) -> str:
        return self.parts[0][0].name

    @property
    def tasks(self) -> tuple[str, ...]:
        return self.parts[0][0].tasks

    def predict(self, plan: Plan, trials: NDArray[np.int64]) -> NDArray[np.float32]:
        log_rate = np.zeros((len(trials), *plan.is_scored.shape), dtype=np.float32)
        for baseline, places in self.parts:
            log_rate[places] = baseline.predict(plan, trials[places])
        return log_rate


def _fitted(exam: Exam) -> Sequence[Predictor]:
    """Return all baselines, with one fit for each fold where there are folds."""
    if not exam.folds:
        return fit_baselines(exam.data)
    by_fold = [fit_baselines(data) for data, _ in exam.folds]
    places = [own for _, own in exam.folds]
    return [_Folded(tuple(zip(same, places, strict=True))) for same in zip(*by_fold, strict=True)]


def _own_place(handful: Sequence[Predictor], crew: Crew) -> Sequence[int]:
    return (crew.rank,) if crew.rank < len(handful) else ()


def _predictions(exam: Exam, baseline: Predictor) -> dict[str, NDArray[np.float32]]:
    return {
        name: baseline.predict(plan, exam.trials)
        for name, plan in exam.plans.items()
        if name in baseline.tasks
    }


def _shared(own: NDArray[np.float32] | None, exam: Exam, crew: Crew) -> NDArray[np.float32]:
    """Return a prediction that one of the processes made."""
    every = np.arange(len(exam.trials) if own is not None else 0)
    shape = (0, exam.session.n_bins, exam.session.n_units)
    values = np.zeros(shape, dtype=np.float32) if own is None else own
    return gather(values, every, len(exam.trials), crew)


def score_model(
    exam: Exam,
    bound: Reconstructor,
    *,
    shuffled: bool = False,
    on_progress: OnProgress | None = None,
    crew: Crew = ALONE,
) -> dict[str, TaskScores]:
    """Score a model on all tasks of an exam.

    Parameters
    ----------
    exam : Exam
        Set for ``bound.session``.
    bound : Reconstructor
        Model and session.
    shuffled : bool
        Give the model the visible activity of another trial of the same condition.
    on_progress : callable, optional
        See `OnProgress`.
    crew : Crew
        Processes that share the trials out among them; all get all scores.
    """
    donors = exam.donors() if shuffled else None
    scores = {}
    for name, plan in exam.plans.items():
        log_rate = predict_task(
            bound, plan, exam.trials, visible_from=donors, on_progress=on_progress, crew=crew
        )
        scores[name] = exam.truths[name].score(log_rate)
    return scores


def n_passes(exam: Exam, bound: Reconstructor) -> int:
    """Return how many passes of the model an exam takes: what `OnProgress` counts."""
    per_trial = (sum(_passes_per_trial(bound, plan)) for plan in exam.plans.values())
    return len(exam.trials) * sum(per_trial)


def predict_task(
    bound: Reconstructor,
    plan: TaskPlan,
    trials: NDArray[np.int64],
    *,
    visible_from: NDArray[np.int64] | None = None,
    on_progress: OnProgress | None = None,
    crew: Crew = ALONE,
) -> NDArray[np.float32]:
    """Predict the scored entries of a task, each under the mask that scores it.

    Parameters
    ----------
    bound : Reconstructor
        Model and session.
    plan : TaskPlan
        The task, planned for ``bound.session``.
    trials : ndarray of int64
        Rows to predict.
    visible_from : ndarray of int64, optional
        Rows whose visible activity the model is given instead.
    on_progress : callable, optional
        See `OnProgress`.
    crew : Crew
        Processes that share the trials out among them; all get all predictions.

    Returns
    -------
    ndarray of float32, shape (n_trials, n_bins, n_units)
        Log-rate; 0 where nothing is scored.
    """
    own, donors = own_rows(len(trials), crew), visible_from
    tell = None if on_progress is None else for_all(on_progress, len(own), len(trials))
    found = np.zeros((len(own), bound.session.n_bins, bound.session.n_units), dtype=np.float32)
    if len(own):
        _predict(bound, plan, trials[own], None if donors is None else donors[own], found, tell)
    return gather(found, own, len(trials), crew)


def _predict(
    bound: Reconstructor,
    plan: TaskPlan,
    trials: NDArray[np.int64],
    donors: NDArray[np.int64] | None,
    log_rate: NDArray[np.float32],
    on_progress: OnProgress | None,
) -> None:
    """Fill in the scored entries of a task."""
    for spec, passes in zip(plan.specs, _passes_per_trial(bound, plan), strict=True):
        n_before = 0
        for answer in bound.reconstruct(spec, trials, visible_from=donors):
            if on_progress is not None:
                on_progress(passes * (answer.n_done - n_before))
            n_before = answer.n_done
        is_scored = answer.mask.is_scored
        log_rate[:, is_scored] = answer.log_rate[:, is_scored]


def _passes_per_trial(bound: Reconstructor, plan: TaskPlan) -> list[int]:
    masks = [bound.resolve(spec) for spec in plan.specs]
    return [len(mask.scored_units) + 1 if mask.one_at_a_time else 1 for mask in masks]


def _plan(name: str, session: Session, is_missing: NDArray[np.bool_]) -> TaskPlan:
    if not is_missing.any():
        return plan_task(name, session)
    present = target_regions(session.region[~is_missing], MIN_REGION_UNITS)
    plan = plan_task(name, session, target_regions=present)
    return replace(plan, is_scored=plan.is_scored & ~is_missing)


def _conditions(session: Session) -> Conditions:
    known = available_conditions(session)
    return trial_conditions(session, tuple(name for name in CONDITIONS if name in known))
