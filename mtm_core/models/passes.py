"""Running a trained model under a person's mask: whole passes, one unit at a time, or in folds."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.spike_model import InTurn, SpikeModel, causal_trials

CPU_WORK = 5e8
"""Floating-point operations in one piece of work on a CPU: some tens of milliseconds."""
GPU_WORK = 3e11
"""The same on an accelerator, where small pieces waste it."""
MAX_PIECE = 256
"""Most sequences in one piece."""
MAX_TURNS = 4096
"""Most pairs of trial and unit in one piece, where a turn takes no pass of its own."""


@torch.inference_mode()
def predict_masked(model: SpikeModel, counts: Tensor, mask: ResolvedMask) -> Tensor:
    """Predict every entry from one pass in which the mask's entries are hidden.

    Parameters
    ----------
    model : SpikeModel
        In evaluation mode.
    counts : Tensor, shape (n_trials, n_bins, n_units), float32
        True counts.
    mask : ResolvedMask
        What is hidden; `one_at_a_time` is not looked at.

    Returns
    -------
    Tensor, same shape
        Log-rate per bin.
    """
    is_hidden = _to_tensor(mask, counts)
    return _predict(model, counts, is_hidden, mask)


@torch.inference_mode()
def predict_folds(model: SpikeModel, counts: Tensor, mask: ResolvedMask, n_folds: int) -> Tensor:
    """Predict the scored units a fold at a time: a preview of hiding each in its own pass.

    Units of a fold are hidden together, which leaves the model slightly less to read than the
    exact way does. Other arguments and the result are those of `predict_masked`.
    """
    is_hidden = _to_tensor(mask, counts)
    has_others = len(mask.scored_units) < counts.shape[-1]
    log_rate = _predict(model, counts, is_hidden, mask) if has_others else counts.clone()
    scored = torch.from_numpy(mask.scored_units).to(counts.device)
    prompt = prompt_index(mask.prompt)
    in_folds = model.in_folds(counts, is_hidden, prompt, is_causal=mask.is_causal)
    folds = [scored[start::n_folds] for start in range(min(n_folds, len(scored)))]
    log_rate[..., torch.cat(folds)] = in_folds(folds)
    return log_rate


def units_in_turn(model: SpikeModel, counts: Tensor, mask: ResolvedMask) -> InTurn:
    """Get ready to predict units each from a pass in which it is hidden too.

    Other arguments are those of `predict_masked`; see `SpikeModel.in_turn` for the result.
    """
    is_hidden, prompt = _to_tensor(mask, counts), prompt_index(mask.prompt)
    with torch.inference_mode():
        return model.in_turn(counts, is_hidden, prompt, is_causal=mask.is_causal)


def unit_chunks(mask: ResolvedMask, size: int, device: torch.device) -> Iterator[Tensor]:
    """Cut the scored units of a mask into chunks of at most `size`."""
    units = mask.scored_units
    for part in np.array_split(units, -(-len(units) // size)):
        yield torch.from_numpy(part).to(device)


def trials_per_piece(model: SpikeModel, n_bins: int, device: torch.device) -> int:
    """Say how many trials a piece of whole passes may hold to stay short.

    The answer depends on the model's size alone, never on a clock: pieces of another size round
    differently in the last bit, and the same request must give the same answer.
    """
    n_weights = sum(parameter.numel() for parameter in model.parameters())
    return _piece(n_weights, n_bins * model.tokens_per_bin, device)


def turns_per_piece(
    model: SpikeModel, n_bins: int, mask: ResolvedMask, device: torch.device
) -> int:
    """Say how many pairs of trial and unit a piece of one-at-a-time passes may hold."""
    work = model.turn_work(n_bins, prompt_index(mask.prompt))
    return int(min(max(_work(device) / work, 8), MAX_TURNS))


def on_device(model: SpikeModel, device: str | None) -> SpikeModel:
    """Return a model on a device: itself if it is there, else a copy; None leaves it."""
    here = next(model.parameters()).device
    if device is None or torch.device(device) == here:
        return model
    return copy.deepcopy(model).to(device)


def digest(model: SpikeModel) -> str:
    """Return a hash of a model's settings and weights: two models of one hash answer alike."""
    found = hashlib.blake2b(repr(model.config).encode(), digest_size=16)
    for name, value in model.state_dict().items():
        found.update(name.encode())
        found.update(np.ascontiguousarray(value.cpu().numpy()).tobytes())
    return found.hexdigest()


def _piece(n_weights: int, n_tokens: int, device: torch.device) -> int:
    return int(min(max(_work(device) / (2 * max(n_weights, 1) * n_tokens), 1), MAX_PIECE))


def _work(device: torch.device) -> float:
    return CPU_WORK if device.type == "cpu" else GPU_WORK


def _predict(model: SpikeModel, counts: Tensor, is_hidden: Tensor, mask: ResolvedMask) -> Tensor:
    full = is_hidden.expand_as(counts)
    index = torch.full((len(counts),), prompt_index(mask.prompt), device=counts.device)
    past_only = causal_trials(index, mask.is_causal)
    log_rate: Tensor = model(mask_counts(counts, full, full, index, past_only))
    return log_rate


def _to_tensor(mask: ResolvedMask, counts: Tensor) -> Tensor:
    return torch.tensor(mask.is_hidden, device=counts.device)
