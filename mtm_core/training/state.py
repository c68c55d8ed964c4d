"""The whole state of a run between two steps, as named tensors: what resuming needs."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from mtm_core.errors import TrainingError
from mtm_core.json_text import parse_json
from mtm_core.models.family import Family
from mtm_core.training.optim import WeightAverage

_MOMENTS = ("exp_avg", "exp_avg_sq", "step")
"""AdamW's; layers of a session count only the steps of that session."""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a run is.

    Parameters
    ----------
    step : int
        Steps done.
    seconds : float
        Training time so far, the fitted start included; that of every stretch of a resumed run.
    best_step : int
        The step whose averaged weights scored best on validation trials.
    best_bps : float
        Their mean score over the schemes.
    best_scores : mapping of str to float
        Their score per scheme.
    parts : int
        Parts that batches are computed in, since the device ran out of memory.
    """

    step: int = 0
    seconds: float = 0.0
    best_step: int = 0
    best_bps: float = float("-inf")
    best_scores: Mapping[str, float] = field(default_factory=dict)
    parts: int = 1

    def to_json(self) -> str:
        """Return it as JSON."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Progress:
        """Read it back.

        Raises
        ------
        TrainingError
            If the text is not what `to_json` wrote.
        """
        try:
            return cls(**parse_json(text))
        except (ValueError, TypeError) as error:
            msg = "The saved state of this run cannot be read; start it anew in another folder."
            raise TrainingError(msg) from error


def pack(
    model: Family,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage,
    best: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Name every tensor that the next step depends on, and the best weights so far.

    Generators have no place here: every draw follows from the seed and the step (see
    `mtm_core.training.randomness`).
    """
    tensors = _prefixed("model", model.state_dict()) | _prefixed("best", best)
    if average.model is not model:
        tensors |= _prefixed("average", dict(average.model.named_parameters()))
    for name, parameter in model.named_parameters():
        moments = optimizer.state.get(parameter, {})
        for moment in _MOMENTS:
            if moment in moments:
                tensors[f"{moment}/{name}"] = moments[moment]
    return tensors


def unpack(
    tensors: Mapping[str, Tensor],
    model: Family,
    optimizer: torch.optim.Optimizer,
    average: WeightAverage,
) -> dict[str, Tensor]:
    """Put a saved state back into freshly built objects.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        As `pack` named them.
    model, optimizer, average
        Objects of the same settings; they are changed.

    Returns
    -------
    dict of str to Tensor
        The best weights so far.

    Raises
    ------
    TrainingError
        If the state is not that of such a model.
    """
    try:
        model.load_state_dict(_under("model", tensors))
        average.restart(model)  # what is fitted rather than trained is the same in both
        with torch.no_grad():
            saved = _under("average", tensors)
            for name, parameter in average.model.named_parameters():
                if average.model is not model:
                    parameter.copy_(saved[name])
    except (RuntimeError, KeyError) as error:
        msg = "The saved state does not fit the settings of this run; start it anew elsewhere."
        raise TrainingError(msg) from error
    for name, parameter in model.named_parameters():
        moments = {m: tensors[f"{m}/{name}"] for m in _MOMENTS if f"{m}/{name}" in tensors}
        if moments:
            device = parameter.device
            optimizer.state[parameter] = {key: value.to(device) for key, value in moments.items()}
    return _under("best", tensors)


def _prefixed(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{kind}/{name}": tensor for name, tensor in tensors.items()}


def _under(kind: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = f"{kind}/"
    return {name.removeprefix(start): t for name, t in tensors.items() if name.startswith(start)}
