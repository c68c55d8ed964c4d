"""How far scores of components are pulled towards 0 where a mask leaves little of them visible.

A score is estimated by dividing what is visible by the share that is visible. With one small
region in view that share is a few per cent, and the estimate is mostly noise; an estimate that is
pulled towards 0, more where a component varies less, tells more. How much is right depends on the
session, so validation trials choose, once, before the first training step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mtm_core.masking.masked_batch import prompt_index
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import SOFTENING, ComponentReadIn

PROMPT = "inter_region"
"""The prompt whose masks leave as little as one region visible."""
ALIKE = (SOFTENING, 0.3, 1.0, 3.0)
"""Softenings that are the same for all components; the first is that of other models."""
FALLING = (0.03, 0.1, 0.3, 1.0)
"""Softenings of the component that varies most; the others have more, as they vary less."""
MOST_TRIALS = 64
"""Training trials that the variances are computed from."""


def choose_softening(model: Ndt1, counts: Tensor, score: Callable[[], float]) -> None:
    """Choose the softening of the prompt of whole regions, in place.

    Parameters
    ----------
    model : Ndt1
        After its warm start.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        Training counts.
    score : callable
        Says how well the model, as it is, predicts validation trials under masks of that prompt.
    """
    read_in, prompt = model.part.read_in, prompt_index(PROMPT)
    if not isinstance(read_in, ComponentReadIn):
        msg = "softening belongs to read_in='components'"
        raise TypeError(msg)
    spread = read_in.spread(model.part.standardise(counts[:MOST_TRIALS].float()), prompt)
    scores = {}
    candidates = list(_candidates(spread))
    for place, softening in enumerate(candidates):
        read_in.set_softening(prompt, softening)
        scores[place] = score()
    best = max(scores, key=lambda place: scores[place])
    read_in.set_softening(prompt, candidates[best])


def _candidates(spread: Tensor) -> Iterator[Tensor]:
    for value in ALIKE:
        yield torch.full_like(spread, value)
    less = spread.max() / spread.clamp(min=1e-4 * spread.max())
    for value in FALLING:
        yield value * less
