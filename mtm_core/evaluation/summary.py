"""One table from many reports: means over sessions, rivals, differences, sessions won."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from mtm_core.masking.tasks import TASKS

Scores = Mapping[str, Mapping[str, Any]]
"""Task -> scores of one prediction, as `report.scores_to_dict` makes them."""


@dataclass(frozen=True, eq=False, kw_only=True)
class SessionResult:
    """What one session contributes under one split.

    Parameters
    ----------
    session, split : str
        Its id, and how its trials were divided.
    models : sequence of Scores
        One per training seed.
    baselines : mapping of str to Scores
        Baseline -> its scores.
    """

    session: str
    split: str
    models: Sequence[Scores]
    baselines: Mapping[str, Scores]


@dataclass(frozen=True, kw_only=True)
class Mean:
    """A mean over sessions, with its 95 % interval by Student's t (None for one session)."""

    mean: float
    interval: tuple[float, float] | None
    n_sessions: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Mean:
        """Average values, one per session.

        Examples
        --------
        >>> Mean.of([1.0, 3.0]).mean
        2.0
        """
        array = np.asarray(values, dtype=np.float64)
        mean, n = float(array.mean()), len(array)
        if n < 2:
            return cls(mean=mean, interval=None, n_sessions=n)
        half = float(stats.t.ppf(0.975, n - 1) * array.std(ddof=1) / np.sqrt(n))
        return cls(mean=mean, interval=(mean - half, mean + half), n_sessions=n)


@dataclass(frozen=True, kw_only=True)
class Against:
    """The model against one baseline, session by session."""

    difference: Mean
    n_won: int


@dataclass(frozen=True, kw_only=True)
class TaskSummary:
    """One task under one split, over sessions.

    Parameters
    ----------
    task, split : str
        Which.
    model : Mean
        Pooled bits per spike, averaged over seeds, then over sessions.
    model_beyond_psth : Mean
        The same over the null ``psth``.
    seed_sd : float or None
        Standard deviation over seeds within a session, averaged over sessions.
    baselines : mapping of str to Mean
        Each baseline's.
    best_baseline : str
        The one with the highest mean over sessions.
    against : mapping of str to Against
        The model against each baseline.
    against_best_of_each : Against
        The model against whichever baseline is best in the session in question.
    """

    task: str
    split: str
    model: Mean
    model_beyond_psth: Mean
    seed_sd: float | None
    baselines: Mapping[str, Mean]
    best_baseline: str
    against: Mapping[str, Against]
    against_best_of_each: Against


def summarise(results: Sequence[SessionResult], value: str = "bps_pooled") -> list[TaskSummary]:
    """Summarise sessions, for each split and task that they have scores for.

    Parameters
    ----------
    results : sequence of SessionResult
        Sessions under splits; a session without models yet is left out.
    value : str
        Which score to compare.
    """
    done = [result for result in results if result.models]
    splits = dict.fromkeys(result.split for result in done)
    pairs = [(split, task) for split in splits for task in TASKS]
    found = (_summarise(task, [r for r in done if r.split == s], value) for s, task in pairs)
    return [summary for summary in found if summary is not None]


def session_value(result: SessionResult, task: str, value: str = "bps_pooled") -> float | None:
    """Return the model's score in one session, averaged over seeds; None if it has none."""
    known = _known(model[task][value] for model in result.models if task in model)
    return float(np.mean(known)) if known else None


def best_baseline(
    result: SessionResult, task: str, value: str = "bps_pooled"
) -> tuple[str, float] | None:
    """Return the best baseline of one session and its score."""
    known = _baseline_values(result, task, value)
    return max(known.items(), key=lambda item: item[1]) if known else None


def _summarise(task: str, results: Sequence[SessionResult], value: str) -> TaskSummary | None:
    results = [r for r in results if session_value(r, task, value) is not None]
    common = _common_baselines(results, task, value)
    if not common:
        return None
    model = _known(session_value(r, task, value) for r in results)
    beyond = _known(session_value(r, task, "bps_beyond_psth") for r in results)
    rivals = {name: [_baseline_values(r, task, value)[name] for r in results] for name in common}
    best_of_each = [max(values) for values in zip(*rivals.values(), strict=True)]
    means = {name: Mean.of(values) for name, values in rivals.items()}
    return TaskSummary(
        task=task,
        split=results[0].split,
        model=Mean.of(model),
        model_beyond_psth=Mean.of(beyond),
        seed_sd=_seed_sd(results, task, value),
        baselines=means,
        best_baseline=max(means, key=lambda name: means[name].mean),
        against={name: _against(model, values) for name, values in rivals.items()},
        against_best_of_each=_against(model, best_of_each),
    )


def _against(model: Sequence[float], rival: Sequence[float]) -> Against:
    difference = [one - other for one, other in zip(model, rival, strict=True)]
    return Against(difference=Mean.of(difference), n_won=sum(d > 0 for d in difference))


def _baseline_values(result: SessionResult, task: str, value: str) -> dict[str, float]:
    found = {
        name: scores[task][value] for name, scores in result.baselines.items() if task in scores
    }
    return {name: score for name, score in found.items() if score is not None}


def _common_baselines(results: Sequence[SessionResult], task: str, value: str) -> list[str]:
    """Return the baselines that every session has, in the order of the first."""
    if not results:
        return []
    every = [_baseline_values(result, task, value) for result in results]
    return [name for name in every[0] if all(name in values for values in every)]


def _seed_sd(results: Sequence[SessionResult], task: str, value: str) -> float | None:
    each = [_known(model[task][value] for model in r.models if task in model) for r in results]
    spread = [float(np.std(values, ddof=1)) for values in each if len(values) > 1]
    return float(np.mean(spread)) if spread else None


def _known(values: Iterable[float | None]) -> list[float]:
    return [value for value in values if value is not None]
