"""Start an NDT1 from ridge-penalised Poisson regressions, one for each prompt.

Minibatch training of a small model on one session spends most of its steps on what a convex fit
finds at once: which population patterns each unit follows. So a model with a component read-in
starts there. Its components are the leading principal components of the training population; its
read-out is, prompt by prompt, the Poisson regression of each unit on the scores that this prompt's
mask leaves visible. The layers are then trained with masks to correct the scores.

Temporal kernel and ridge penalty are chosen on validation trials.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.masking.masked_batch import PROMPTS, prompt_index
from mtm_core.models.block_scores import Kernels
from mtm_core.models.learnt_prior import Prior, learn_prior
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import ComponentReadIn
from mtm_core.models.read_out import PromptReadOut
from mtm_core.models.ridge_poisson import Penalties, fit_ridge_poisson
from mtm_core.models.warm_problems import Regressions

SMOOTHING_BINS = 2.0
"""Gaussian width of the smoothing before the principal components are taken."""
KERNELS: Mapping[int, Mapping[str, tuple[Kernels, ...]]] = {
    2: {
        "neuron": ((1, 3), (2, 3)),
        "intra_region": ((1, 3), (2, 3)),
        "inter_region": ((1, 3), (2, 3)),
        "causal": ((1, 3), (2, 3), (2, 2)),
    },
    3: {
        "neuron": ((0, 2, 4), (1, 3, 4)),
        "intra_region": ((0, 2, 4), (1, 3, 4)),
        "inter_region": ((0, 2, 4), (1, 3, 4)),
        "causal": ((0, 2, 4), (1, 3, 4)),
    },
}
"""Temporal kernels among which validation trials choose, by the number of times that components
come and by prompt; see `ComponentReadIn`."""
CHOICE_STRIDE, CHOICE_PENALTY = 3, 300.0
"""Kernels are chosen by fits to one training trial in so many, with this ridge penalty."""
PRIOR_OF_ITS_OWN = ("neuron", "causal")
"""Prompts whose regressions are of all units at once; the others share the prior of the first."""
NOISE_FLOOR = 0.01
"""Added to a unit's mean count per bin before its root scales the unit's noise to 1."""


@torch.no_grad()
def warm_start(
    model: Ndt1,
    train: Tensor,
    val: Tensor,
    region: NDArray[np.str_],
    report: Callable[[int, int], None] | None = None,
) -> None:
    """Fit components and read-outs of a fresh model, in place.

    Parameters
    ----------
    model : Ndt1
        Built with ``read_in="components"``.
    train, val : Tensor, shape (n_trials, n_bins, n_units), float32
        Training and validation counts.
    region : ndarray of str, shape (n_units,)
        Region of each unit.
    report : callable or None
        Told how many parts of the work are done, and of how many.
    """
    report = report or (lambda n_done, n_parts: None)
    strength = _fit_components(model, train)
    regressions = Regressions.of(model, torch.cat([train, val]), len(train), region)
    few = regressions.thinned(CHOICE_STRIDE)
    read_in, read_out = _parts(model)
    kernels, prior = KERNELS[read_in.n_copies], Prior(strength)
    chosen = {}
    for number, (name, choices) in enumerate(kernels.items()):
        report(2 * number, 2 * len(kernels))
        chosen[name] = _choose_kernels(few, name, choices, strength)
        report(2 * number + 1, 2 * len(kernels))
        if model.config.component_prior == "learnt" and name in PRIOR_OF_ITS_OWN:
            ((_, problem),) = regressions.problems(name, chosen[name])
            prior = learn_prior(problem, strength)
        prompt = prompt_index(name)
        for units, problem in regressions.problems(name, chosen[name]):
            solution = prior.fit(problem)
            read_out.weight[prompt, units] = solution.weight
            read_out.bias[prompt, units] = solution.bias
        if name == "neuron":  # where a prompt has no regression of its own, this one serves
            read_out.weight[:] = read_out.weight[prompt].clone()
            read_out.bias[:] = read_out.bias[prompt].clone()
    read_in.set_kernels([chosen.get(name, chosen["neuron"]) for name in PROMPTS])
    report(2 * len(kernels), 2 * len(kernels))


def _choose_kernels(
    few: Regressions, name: str, choices: tuple[Kernels, ...], strength: float
) -> Kernels:
    """Choose a prompt's temporal kernels on validation trials, by fits to some of the others."""
    penalties = Penalties(strength, (CHOICE_PENALTY / CHOICE_STRIDE,))
    scores = {
        kernels: sum(
            fit_ridge_poisson(problem, penalties).val_log_likelihood
            for _, problem in few.problems(name, kernels)
        )
        for kernels in choices
    }
    return max(scores, key=lambda kernels: scores[kernels])


def _parts(model: Ndt1) -> tuple[ComponentReadIn, PromptReadOut]:
    if not isinstance(model.part.read_in, ComponentReadIn) or not isinstance(
        model.part.read_out, PromptReadOut
    ):
        msg = "warm_start needs a model with read_in='components'"
        raise TypeError(msg)
    return model.part.read_in, model.part.read_out


def _fit_components(model: Ndt1, train: Tensor) -> float:
    """Set scale and loadings from training trials; return the largest component's variance."""
    bins = torch.arange(train.shape[1], device=train.device)
    window = torch.exp(-0.5 * ((bins[:, None] - bins) / SMOOTHING_BINS) ** 2)
    window = window / window.sum(dim=1, keepdim=True)
    smooth = window @ (train - model.part.mean)
    if model.config.component_scale == "noise":
        model.part.scale.copy_((train.mean(dim=(0, 1)) + NOISE_FLOOR).rsqrt())
    else:
        model.part.scale.copy_(1 / smooth.std(dim=(0, 1)).clamp(min=1e-3))
    flat = (smooth * model.part.scale).flatten(0, 1)
    variance, vectors = torch.linalg.eigh((flat.T @ flat / len(flat)).double())
    read_in, _ = _parts(model)
    largest = max(float(variance[-1]), 1e-6)
    loading = torch.zeros_like(read_in.loading)
    for group in read_in.groups():
        rows = loading[group]  # a view
        n = min(len(rows), len(variance))
        rows[:n] = vectors[:, -n:].flip(1).T.float() * largest**-0.5
    read_in.set_loadings(loading)
    return largest
