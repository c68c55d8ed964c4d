"""How a model bears incomplete and noisy recordings: curves of bits per spike.

Three ways of spoiling what the model is shown (see `mtm_core.evaluation.damage`), each at several
strengths and in several seeded draws. The model is neither retrained nor told; targets, null and
scored units are the same at every strength.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import ConfigError, DataError
from mtm_core.evaluation.damage import DAMAGES, DamageName, add_spikes, drop_units, thin_spikes
from mtm_core.evaluation.scores import Judgement, NullName, Truth
from mtm_core.evaluation.tasks import predict_task, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.tasks import TaskPlan
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.baselines_rates import mean_count
from mtm_core.models.checkpoint import Checkpoint, split_part
from mtm_core.models.manifest import PartName
from mtm_core.seeding import numpy_generator

ROBUSTNESS_TASKS = ("co_smoothing", "inter_region")
"""Tasks by default."""
LEVELS: Mapping[DamageName, tuple[float, ...]] = {
    "dropped": (0.1, 0.25, 0.5, 0.75, 0.9),
    "added": (0.1, 0.25, 0.5, 0.75, 1.0),
    "thinned": (0.1, 0.25, 0.5, 0.75, 0.9),
}
"""Strengths by default; the undamaged recording, 0, is always there."""
WHAT: Mapping[DamageName, str] = {
    "dropped": "fraction of the visible units that are dropped",
    "added": "spikes added as Poisson noise, in multiples of each unit's mean rate in training",
    "thinned": "fraction of the visible spikes that are deleted at random",
}
"""What a strength means."""

OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class RobustnessSettings:
    """What to try.

    Parameters
    ----------
    levels : mapping of str to tuple of float
        Strengths of each kind of damage.
    n_draws : int
        Draws of units, or of noise, for each strength.
    n_units : int
        Most units that are scored in tasks that hide one unit at a time; 0 means all.
    split : {"test", "val", "train"}
        Which of the checkpoint's trials.
    null : str
        What scores are gains over.
    seed : int
        Of units, noise and intervals.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    levels: Mapping[DamageName, tuple[float, ...]] = field(default_factory=lambda: dict(LEVELS))
    n_draws: int = 3
    n_units: int = 50
    split: PartName = "test"
    null: NullName = "train_mean"
    seed: int = 0

    def __post_init__(self) -> None:
        if not 1 <= self.n_draws <= 1000:
            msg = f"--draws is {self.n_draws}, but must lie between 1 and 1000."
            raise ConfigError(msg)
        if self.n_units < 0:
            msg = f"--units is {self.n_units}, but must be 0 (all) or more."
            raise ConfigError(msg)
        for kind, levels in self.levels.items():
            highest = 100.0 if kind == "added" else 0.99
            if any(not 0 < level <= highest for level in levels):
                msg = f"--{kind} must be above 0 and at most {highest:g}."
                raise ConfigError(msg)


@dataclass(frozen=True, kw_only=True)
class CurvePoint:
    """Scores at one strength of damage.

    Parameters
    ----------
    level : float
        The strength; 0 is the recording as it is.
    mean : Judgement
        Mean over draws, with intervals over trials.
    draws : tuple of (float or None)
        Pooled bits per spike of each draw.
    """

    level: float
    mean: Judgement
    draws: tuple[float | None, ...]


@dataclass(frozen=True, kw_only=True)
class TaskCurves:
    """How a task's scores fall.

    Parameters
    ----------
    n_units, n_units_all, n_spikes : int
        Units that are scored, those of the whole task, and spikes of the former.
    psth : Judgement
        Of each unit's training PSTH by condition, which sees no other unit.
    curves : mapping of str to tuple of CurvePoint
        For each kind of damage, from none to the strongest.
    """

    n_units: int
    n_units_all: int
    n_spikes: int
    psth: Judgement
    curves: Mapping[DamageName, tuple[CurvePoint, ...]]


@dataclass(frozen=True, eq=False, kw_only=True)
class RobustnessReport:
    """Curves of all tasks, and the choices behind them."""

    header: Mapping[str, Any]
    tasks: Mapping[str, TaskCurves]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        tasks = {name: dataclasses.asdict(curves) for name, curves in self.tasks.items()}
        return {**self.header, "tasks": tasks}


def evaluate_robustness(
    checkpoint: Checkpoint,
    session: Session,
    tasks: Sequence[str] = ROBUSTNESS_TASKS,
    settings: RobustnessSettings | None = None,
    *,
    on_step: OnStep | None = None,
) -> RobustnessReport:
    """Score a checkpoint on tasks while what it is shown gets worse and worse.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model, and the trials that it was trained on.
    session : Session
        The recording that it was trained on.
    tasks : sequence of str
        Names of tasks.
    settings : RobustnessSettings, optional
        What to try.
    on_step : callable, optional
        Told what is being done, how many predictions are done, and how many there are.

    Raises
    ------
    MismatchError
        If session and checkpoint do not belong together.
    UnknownNameError
        If there is no such task.
    DataError
        If none of the tasks can be scored.
    """
    settings = settings or RobustnessSettings()
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    parts = {
        part: split_part(checkpoint.manifest, bound.session, part)
        for part in ("train", "val", settings.split)
    }
    trials = parts[settings.split]
    exam = set_exam(
        bound.session,
        train=parts["train"],
        val=parts["val"],
        trials=trials,
        tasks=tasks,
        null=settings.null,
        seed=settings.seed,
    )
    if not exam.plans:
        why = "; ".join(f"{name}: {reason}" for name, reason in exam.not_scored.items())
        msg = f"None of these tasks can be scored here ({why})."
        raise DataError(msg)
    rates = mean_count(exam.data.counts[parts["train"]])
    found = {}
    for name, plan in exam.plans.items():
        few = _sampled(plan, bound.session, settings)
        rng = numpy_generator(settings.seed, "samples of trials", bound.session.session_id)
        truth = Truth(
            exam.data, few, trials, unit_id=bound.session.unit_id, rng=rng, null=settings.null
        )
        course = _Course(bound, few, truth, trials, rates, settings, on_step or _ignore)
        found[name] = course.curves(n_units_all=int(plan.is_scored.any(axis=0).sum()))
    header = _header(checkpoint, bound.session, settings, len(trials), exam.not_scored)
    return RobustnessReport(header=header, tasks=found)


@dataclass(frozen=True, eq=False)
class _Course:
    """One task under every kind of damage."""

    bound: Reconstructor
    plan: TaskPlan
    truth: Truth
    trials: NDArray[np.int64]
    mean_count: NDArray[np.float64]
    settings: RobustnessSettings
    on_step: OnStep

    def curves(self, n_units_all: int) -> TaskCurves:
        """Score the task at every strength of every kind of damage."""
        levels, n_draws = self.settings.levels, self.settings.n_draws
        total, done = 1 + n_draws * sum(map(len, levels.values())), 1
        intact = self._point(0.0, [self._likelihood(self.bound, self.plan)])
        found: dict[DamageName, tuple[CurvePoint, ...]] = {}
        for kind in (kind for kind in DAMAGES if kind in levels):
            points = [intact]
            for level in sorted(set(levels[kind])):
                drawn = []
                for draw in range(n_draws):
                    self.on_step(self.plan.name, done, total)
                    drawn.append(self._damaged(kind, level, draw))
                    done += 1
                points.append(self._point(level, drawn))
            found[kind] = tuple(points)
        self.on_step(self.plan.name, total, total)
        return TaskCurves(
            n_units=len(self.truth.rows),
            n_units_all=n_units_all,
            n_spikes=int(self.truth.spikes.sum()),
            psth=self.truth.judge(self.truth.null_likelihood("psth")),
            curves=found,
        )

    def _point(self, level: float, drawn: Sequence[NDArray[np.float64]]) -> CurvePoint:
        """Judge the mean over draws: bits per spike are linear in the log-likelihood."""
        mean = self.truth.judge(np.mean(drawn, axis=0))
        draws = tuple(self.truth.judge(one).bps_pooled for one in drawn) if len(drawn) > 1 else ()
        return CurvePoint(level=level, mean=mean, draws=draws or (mean.bps_pooled,))

    def _damaged(self, kind: DamageName, level: float, draw: int) -> NDArray[np.float64]:
        session = self.bound.session
        if kind == "dropped":
            specs = tuple(
                drop_units(spec, session, level, self._rng(kind, draw, str(group)))
                for spec, group in zip(self.plan.specs, self.plan.groups, strict=True)
            )
            return self._likelihood(self.bound, replace(self.plan, specs=specs))
        rng = self._rng(kind, draw, f"{level:g}")
        if kind == "added":
            spoilt = add_spikes(session, self.trials, self.mean_count, level, rng)
        else:
            spoilt = thin_spikes(session, self.trials, level, rng)
        memory = AnswerMemory(max_bytes=0)
        return self._likelihood(
            Reconstructor(self.bound.checkpoint, spoilt, memory=memory), self.plan
        )

    def _likelihood(self, bound: Reconstructor, plan: TaskPlan) -> NDArray[np.float64]:
        return self.truth.likelihood(predict_task(bound, plan, self.trials))

    def _rng(self, kind: str, draw: int, what: str) -> np.random.Generator:
        return numpy_generator(
            self.settings.seed, "robustness", kind, draw, what, self.bound.session.session_id
        )


def _sampled(plan: TaskPlan, session: Session, settings: RobustnessSettings) -> TaskPlan:
    """Score a sample of the units only, if the task hides one at a time."""
    units = np.flatnonzero(plan.is_scored.any(axis=0))
    one_at_a_time = any(spec.one_at_a_time for spec in plan.specs)
    if not one_at_a_time or not 0 < settings.n_units < len(units):
        return plan
    rng = numpy_generator(settings.seed, "scored units", plan.name, session.session_id)
    chosen = np.zeros(session.n_units, dtype=bool)
    chosen[rng.choice(units, settings.n_units, replace=False)] = True
    kept, groups = [], []
    for spec, group in zip(plan.specs, plan.groups, strict=True):
        own = spec.resolve(session).is_scored.any(axis=0) & chosen
        if own.any():
            scored = Block(UnitChoice.these(session.unit_id[own].tolist()))
            kept.append(replace(spec, scored=(scored,)))
            groups.append(group)
    return replace(
        plan, specs=tuple(kept), groups=tuple(groups), is_scored=plan.is_scored & chosen
    )


def _header(
    checkpoint: Checkpoint,
    session: Session,
    settings: RobustnessSettings,
    n_trials: int,
    not_scored: Mapping[str, str],
) -> dict[str, Any]:
    manifest = checkpoint.manifest
    return {
        "session": session.session_id,
        "is_simulated": session.provenance.is_simulated,
        "checkpoint": str(checkpoint.path),
        "preset": manifest.config.name,
        "schemes": list(manifest.config.masking.schemes),
        "train_seed": manifest.config.run.seed,
        "train_step": manifest.step,
        "split": settings.split,
        "split_kind": manifest.config.data.split,
        "split_seed": manifest.config.data.split_seed,
        "n_trials": n_trials,
        "n_units": session.n_units,
        "n_draws": settings.n_draws,
        "n_units_sampled": settings.n_units,
        "seed": settings.seed,
        "null": settings.null,
        "damages": {kind: WHAT[kind] for kind in DAMAGES if kind in settings.levels},
        "not_scored": dict(not_scored),
        "versions": dict(manifest.versions),
    }


def _ignore(what: str, done: int, total: int) -> None:
    del what, done, total
