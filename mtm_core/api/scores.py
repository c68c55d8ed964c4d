"""Scoring a model on the four tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from mtm_core.api.models import ModelName, load_model
from mtm_core.data.session import Session
from mtm_core.evaluation import report
from mtm_core.evaluation.report import Report
from mtm_core.masking.tasks import TASKS
from mtm_core.models.backend import probe_backend, use_backend
from mtm_core.models.checkpoint import Checkpoint


def evaluate(
    model: Checkpoint | ModelName,
    session: Session,
    tasks: Sequence[str] = TASKS,
    *,
    split: Literal["test", "val", "train"] = "test",
    baselines: bool = False,
    shuffle: bool = True,
    seed: int = 0,
) -> Report:
    """Score a model on trials that it was not trained on; see docs/numbers.md.

    Parameters
    ----------
    model : Checkpoint or name
        The model; see `load_model`.
    session : Session
        A recording that it was trained on.
    tasks : sequence of str
        Of ``co_smoothing``, ``forward_prediction``, ``intra_region``, ``inter_region``.
    split : {"test", "val", "train"}
        Which trials of the model's own split.
    baselines : bool
        Fit and score rivals too, on the same entries.
    shuffle : bool
        Score the shuffle control too: the same model given other trials' activity.
    seed : int
        Of intervals and the shuffle control.

    Returns
    -------
    Report
        ``report.tasks["inter_region"].overall``: bits per spike by null and pooling, with
        intervals; ``report.to_dict()``: every number with the choices behind it.

    Raises
    ------
    MismatchError
        If model and session do not belong together.
    UnknownNameError
        If there is no such task.
    """
    found = model if isinstance(model, Checkpoint) else load_model(model, session)
    with use_backend(probe_backend("cpu")):
        return report.evaluate(
            found, session, tasks, split, baselines=baselines, shuffle=shuffle, seed=seed
        )
