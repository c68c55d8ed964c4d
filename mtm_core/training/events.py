"""What happens during training: the iterator's events, and their lines of JSON."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtm_core.errors import TrainingError
from mtm_core.json_text import parse_json


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A run began, or goes on.

    Parameters
    ----------
    step : int
        Steps done before.
    n_steps : int
        Steps of the whole run.
    n_parameters : int
        Trainable numbers of the model.
    n_train, n_val : int
        Trials.
    backend : str
        How the machine computes.
    notes : tuple of str
        What a person should know, for example that another PyTorch began this run.
    """

    step: int
    n_steps: int
    n_parameters: int
    n_train: int
    n_val: int
    backend: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class StepDone:
    """An optimiser step.

    Parameters
    ----------
    step : int
        Its number, from 1.
    n_steps : int
        Steps of the whole run.
    loss : float
        Training loss of its batch (nats per scored entry, or nats, see ``optim.loss``).
    lr : float
        Learning rate.
    grad_norm : float
        Norm of the gradient before clipping.
    seconds, seconds_left : float
        Training time so far, the fitted start included, and about how much is to come.
    data_seconds : float
        How long this step waited until the counts of its batch lay where it is computed.
    """

    step: int
    n_steps: int
    loss: float
    lr: float
    grad_norm: float
    seconds: float
    seconds_left: float
    data_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True)
class ValidationDone:
    """The averaged weights were scored on validation trials.

    Parameters
    ----------
    step : int
        After which step.
    bps : float
        Mean over the schemes of `scores`; the best checkpoint is chosen by it.
    scores : mapping of str to float
        Per scheme: pooled bits per spike over the training-mean rate, hidden entries of fixed
        masks only.
    is_best : bool
        Whether these are the best weights so far.
    """

    step: int
    bps: float
    scores: Mapping[str, float]
    is_best: bool


@dataclass(frozen=True, kw_only=True)
class CheckpointSaved:
    """The run can be resumed from here.

    Parameters
    ----------
    step : int
        After which step.
    path : str
        The file with the best averaged weights so far.
    """

    step: int
    path: str


@dataclass(frozen=True, kw_only=True)
class Warned:
    """Something happened that a person should know, and the run goes on.

    Parameters
    ----------
    step : int
        Steps done before.
    text : str
        A sentence.
    """

    step: int
    text: str


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """All steps are done.

    Parameters
    ----------
    step : int
        Their number.
    best_step : int
        The step whose averaged weights were kept.
    bps : float
        Their validation score (see `ValidationDone`).
    seconds : float
        Training time, the fitted start included.
    path : str
        The checkpoint.
    """

    step: int
    best_step: int
    bps: float
    seconds: float
    path: str


Event = RunStarted | StepDone | ValidationDone | CheckpointSaved | Warned | RunFinished

_KINDS: dict[str, type[Event]] = {
    "run_started": RunStarted,
    "step_done": StepDone,
    "validation_done": ValidationDone,
    "checkpoint_saved": CheckpointSaved,
    "warned": Warned,
    "run_finished": RunFinished,
}
_NAMES = {cls: name for name, cls in _KINDS.items()}


def to_json(event: Event) -> str:
    """Return an event as one line of JSON; numbers that are not finite become null.

    Examples
    --------
    >>> to_json(CheckpointSaved(step=5, path="model.safetensors"))
    '{"event": "checkpoint_saved", "step": 5, "path": "model.safetensors"}'
    """
    values = {field.name: getattr(event, field.name) for field in dataclasses.fields(event)}
    return json.dumps({"event": _NAMES[type(event)], **_finite(values)}, ensure_ascii=False)


def from_json(line: str) -> Event:
    """Read an event back.

    Raises
    ------
    TrainingError
        If the line is not an event.
    """
    try:
        values: dict[str, Any] = {k: _restored(value) for k, value in parse_json(line).items()}
        return _KINDS[values.pop("event")](**values)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"This is not a line of a run's events: {line[:60]}"
        raise TrainingError(msg) from error


def _finite(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _finite_value(value) for key, value in values.items()}


def _finite_value(value: object) -> object:
    if isinstance(value, Mapping):
        return _finite(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _restored(value: object) -> object:
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: _restored(entry) for key, entry in value.items()}
    return math.nan if value is None else value
