"""Start an NDT1 from ridge-penalised Poisson regressions, one for each prompt.

Minibatch training of a small model on one session spends most of its steps on what a convex fit
finds at once: which population patterns each unit follows. So a model with a component read-in
starts there. Its components are the leading principal components of the training population; its
read-out is, prompt by prompt, the Poisson regression of each unit on the scores that this prompt's
mask leaves visible. The layers are then trained with masks to correct the scores.

Temporal kernel and ridge penalty are chosen on validation trials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.masking.masked_batch import PROMPTS, prompt_index
from mtm_core.masking.targets import target_regions
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import ComponentReadIn
from mtm_core.models.read_out import PromptReadOut
from mtm_core.models.ridge_poisson import Penalties, Problem, fit_ridge_poisson

SMOOTHING_BINS = 2.0
"""Gaussian width of the smoothing before the principal components are taken."""
MIN_REGION_UNITS = 5
HORIZON_SHARE = 0.1
"""Share of the bins that the causal regression looks ahead."""
KERNELS = {
    "neuron": ((1, 3), (2, 3)),
    "intra_region": ((1, 3), (2, 3)),
    "inter_region": ((1, 3), (2, 3)),
    "causal": ((1, 3), (2, 3), (2, 2)),
}
"""Fast and slow temporal kernels among which validation trials choose, by prompt; see
`ComponentReadIn`."""
CHOICE_STRIDE, CHOICE_PENALTY = 3, 300.0
"""Kernels are chosen by fits to one training trial in so many, with this ridge penalty."""


@dataclass(frozen=True, eq=False)
class Trials:
    """Training trials followed by validation trials.

    Parameters
    ----------
    counts : Tensor, shape (n_trials, n_bins, n_units), float32
    n_train : int
        How many of them are for training.
    """

    counts: Tensor
    n_train: int

    def full(self, is_hidden: Tensor) -> Tensor:
        """Give every trial the same mask (n_bins, n_units)."""
        return is_hidden.expand(self.counts.shape)


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
    trials = Trials(torch.cat([train, val]), len(train))
    strength = _fit_components(model, train)
    read_in, read_out = _parts(model)
    everyone = prompt_index("neuron")
    chosen = {}
    for number, name in enumerate(KERNELS):
        report(2 * number, 2 * len(KERNELS))
        chosen[name] = _choose_kernel(model, trials, region, name, strength)
        report(2 * number + 1, 2 * len(KERNELS))
        for units, problem in _problems(model, trials, region, name, chosen[name]):
            solution = fit_ridge_poisson(problem, Penalties(strength))
            read_out.weight[prompt_index(name), units] = solution.weight
            read_out.bias[prompt_index(name), units] = solution.bias
        if name == "neuron":  # where a prompt has no regression of its own, this one serves
            read_out.weight[:] = read_out.weight[everyone].clone()
            read_out.bias[:] = read_out.bias[everyone].clone()
    read_in.set_kernels([chosen.get(name, chosen["neuron"]) for name in PROMPTS])
    report(2 * len(KERNELS), 2 * len(KERNELS))


def _choose_kernel(
    model: Ndt1, trials: Trials, region: NDArray[np.str_], name: str, strength: float
) -> tuple[int, int]:
    """Choose a prompt's temporal kernels on validation trials, by fits to some of the others."""
    chosen = trials.counts[: trials.n_train : CHOICE_STRIDE]
    few = Trials(torch.cat([chosen, trials.counts[trials.n_train :]]), len(chosen))
    penalties = Penalties(strength, (CHOICE_PENALTY / CHOICE_STRIDE,))
    scores = {
        kernels: sum(
            fit_ridge_poisson(problem, penalties).val_log_likelihood
            for _, problem in _problems(model, few, region, name, kernels)
        )
        for kernels in KERNELS[name]
    }
    return max(scores, key=lambda kernels: scores[kernels])


def _parts(model: Ndt1) -> tuple[ComponentReadIn, PromptReadOut]:
    if not isinstance(model.read_in, ComponentReadIn) or not isinstance(
        model.read_out, PromptReadOut
    ):
        msg = "warm_start needs a model with read_in='components'"
        raise TypeError(msg)
    return model.read_in, model.read_out


def _fit_components(model: Ndt1, train: Tensor) -> float:
    """Set scale and loadings from training trials; return the largest component's variance."""
    bins = torch.arange(train.shape[1], device=train.device)
    window = torch.exp(-0.5 * ((bins[:, None] - bins) / SMOOTHING_BINS) ** 2)
    window = window / window.sum(dim=1, keepdim=True)
    smooth = window @ (train - model.mean)
    model.scale.copy_(1 / smooth.std(dim=(0, 1)).clamp(min=1e-3))
    flat = (smooth * model.scale).flatten(0, 1)
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


def _problems(
    model: Ndt1, trials: Trials, region: NDArray[np.str_], name: str, kernels: tuple[int, int]
) -> Iterator[tuple[Tensor, Problem]]:
    """Set up the regressions of one prompt; each with the units that it is of."""
    read_in, _ = _parts(model)
    read_in.set_kernels([kernels] * len(PROMPTS))
    n_bins, n_units = trials.counts.shape[1:]
    device = trials.counts.device
    everyone = torch.arange(n_units, device=device)
    if name == "causal":
        yield everyone, _causal_problem(model, trials)
        return
    if name == "neuron":
        nothing = torch.zeros(n_bins, n_units, dtype=torch.bool, device=device)
        yield everyone, _problem(model, trials, nothing, everyone, name, without_self=True)
        return
    for member in target_regions(region, MIN_REGION_UNITS):
        inside = torch.from_numpy(region == member).to(device)
        is_inter = name == "inter_region"
        is_hidden = (inside if is_inter else ~inside).expand(n_bins, -1)
        units = inside.nonzero()[:, 0]
        yield units, _problem(model, trials, is_hidden, units, name, without_self=not is_inter)


def _scores(model: Ndt1, trials: Trials, is_hidden: Tensor, name: str) -> Tensor:
    read_in, _ = _parts(model)
    first = model.first(trials.counts, trials.full(is_hidden))
    prompt = torch.full((len(first),), prompt_index(name), device=first.device)
    return read_in.tokens(first, prompt, prompt == prompt_index("causal"))[1]


def _problem(
    model: Ndt1,
    trials: Trials,
    is_hidden: Tensor,
    units: Tensor,
    name: str,
    *,
    without_self: bool,
) -> Problem:
    """Set up the regressions of `units` under one mask.

    Where a unit is itself visible, what it adds to the scores is taken out of them again: its own
    smoothed count times its loading, divided by the visible share, as in the scores.
    """
    counts = trials.counts[..., units]
    offset = model.offset[:, units].expand_as(counts)
    scores = _scores(model, trials, is_hidden, name)
    if not without_self:
        return Problem(scores, counts, offset, trials.n_train)
    read_in, _ = _parts(model)
    prompt = prompt_index(name)
    visible = (~is_hidden[0]).to(counts.dtype)
    softening = read_in.log_softening[prompt].exp()
    factor = (1 + softening) / (read_in.share @ visible + softening)
    loading = read_in.loading.T[units] * factor
    alone = model.standardise(trials.counts)[..., units]
    own, own_loading = [], []
    for group, index in zip(read_in.groups(), read_in.start_kernel[prompt].tolist(), strict=True):
        kernel = read_in.kernel[index]
        own.append((kernel / kernel.sum(dim=1, keepdim=True)) @ alone)
        own_loading.append(torch.zeros_like(loading))
        own_loading[-1][:, group] = loading[:, group]
    return Problem(scores, counts, offset, trials.n_train, tuple(own), tuple(own_loading))


def _causal_problem(model: Ndt1, trials: Trials) -> Problem:
    """Set up regressions on the past: every stretch of bins is predicted from those before it."""
    counts = trials.counts
    n_bins = counts.shape[1]
    ahead = max(1, round(HORIZON_SHARE * n_bins))
    scores, offsets, targets = [], [], []
    for start in range(n_bins - ahead, 0, -ahead):
        is_hidden = torch.zeros(counts.shape[1:], dtype=torch.bool, device=counts.device)
        is_hidden[start:] = True
        stretch = slice(start, start + ahead)
        offset = model.offset.expand_as(counts).clone()
        if model.history is not None:
            full = trials.full(is_hidden)
            model.history.eval()
            model.history.correct(offset, counts * ~full, full, model.offset.exp())
            model.history.train()
        scores.append(_scores(model, trials, is_hidden, "causal")[:, stretch])
        offsets.append(offset[:, stretch])
        targets.append(counts[:, stretch])
    return Problem(
        torch.cat(scores, dim=1),
        torch.cat(targets, dim=1),
        torch.cat(offsets, dim=1),
        trials.n_train,
    )
