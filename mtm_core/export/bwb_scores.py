"""Scores of written files: by our own metrics, and by the benchmark's package where it is there.

Definitions are the benchmark's: a unit's null is its mean over the scored entries; Poisson D2 is
the mean over units with spikes, bits per spike are pooled over these. Both differ from what
`mtm-core evaluate` shows, which says so of each of its numbers.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import ConfigError
from mtm_core.evaluation import metrics
from mtm_core.evaluation.decoding_scores import class_scores, signal_errors, signal_scores
from mtm_core.export.bwb_reader import BwbPair
from mtm_core.export.bwb_tasks import EVALUATOR, EVALUATOR_VERSION, BwbTask, Kind

Scores = dict[str, float | None]
"""By the benchmark's names of its metrics; None where there is nothing to score."""


def own_scores(pair: BwbPair) -> Scores:
    """Score predictions by our own metrics.

    Returns
    -------
    dict of str to float or None
        ``poisson_d2`` and ``bps`` of activity, ``bacc`` of classes, ``r2`` of a signal.
    """
    return _OWN[pair.task.kind](pair)


def activity_scores(log_rate: NDArray[np.floating], counts: NDArray[np.floating]) -> Scores:
    """Score log-rates against counts, both (n_windows, n_bins, n_units).

    Examples
    --------
    >>> counts = np.array([[[0.0], [2.0]]])
    >>> scores = activity_scores(np.log(np.maximum(counts, 1e-9)), counts)
    >>> round(scores["poisson_d2"], 6), round(scores["bps"], 6)
    (1.0, 1.0)
    """
    null = np.broadcast_to(metrics.scored_mean_log_rate(counts), counts.shape)
    model, null = (metrics.log_likelihood(counts, each) for each in (log_rate, null))
    d2 = metrics.unit_d2(model, null, metrics.best_log_likelihood(counts))
    spikes = counts.sum(axis=1)
    has_spikes = spikes.sum(axis=0) > 0
    return {
        "poisson_d2": metrics.mean_over_units(d2, has_spikes),
        "bps": metrics.pooled_bps((model - null)[:, has_spikes], spikes[:, has_spikes]),
    }


def evaluator_version() -> str | None:
    """Return the version of the benchmark's package; None if it, or what it needs, is absent."""
    needed = ("ibl_bwb_eval", "torchmetrics", "rich")
    if any(importlib.util.find_spec(name) is None for name in needed):
        return None
    return importlib.metadata.version(EVALUATOR)


def require_evaluator() -> str:
    """Return the version of the benchmark's package.

    Raises
    ------
    ConfigError
        If it is not there; the text says how to get it.
    """
    version = evaluator_version()
    if version is None:
        msg = (
            f"--score needs the package {EVALUATOR}, which is not installed. Run: pip install "
            f"torchmetrics rich && pip install --no-deps {EVALUATOR}=={EVALUATOR_VERSION}"
        )
        raise ConfigError(msg)
    return version


def evaluator_scores(task: BwbTask, predictions: Path, truth: Path) -> Scores:
    """Score files by the benchmark's package (see `require_evaluator`)."""
    from ibl_bwb_eval.scoring import ts1, ts2

    if task.suite == "ts2":
        found = ts2.score_file(predictions, truth)
    else:
        found = ts1.score_file(task.id, predictions, truth)
    return {name: value if np.isfinite(value) else None for name, value in found.items()}


def _score_activity(pair: BwbPair) -> Scores:
    return activity_scores(pair.predicted, pair.true)


def _score_classes(pair: BwbPair) -> Scores:
    is_true, is_predicted = pair.true[:, 0] > 0, pair.predicted[:, 0].argmax(axis=1) > 0
    return {"bacc": float(class_scores(is_true, is_predicted)[1])}


def _score_signal(pair: BwbPair) -> Scores:
    true, predicted = pair.true[..., 0], pair.predicted[..., 0]
    errors = signal_errors(true, predicted, np.zeros(true.shape[1]))
    return {"r2": float(signal_scores(errors)[0])}


_OWN: dict[Kind, Callable[[BwbPair], Scores]] = {
    "activity": _score_activity,
    "classes": _score_classes,
    "signal": _score_signal,
}
