"""What a frozen model makes of trials that it may look at: features for a decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mtm_core.data.batch import collate
from mtm_core.data.session import Session
from mtm_core.errors import UnknownNameError
from mtm_core.masking.masked_batch import PROMPTS, mask_counts, prompt_index
from mtm_core.models.passes import trials_per_piece
from mtm_core.models.spike_model import SpikeModel


@dataclass(frozen=True, eq=False, kw_only=True)
class Reading:
    """Output and hidden states of a model.

    Parameters
    ----------
    log_rate : ndarray of float32, shape (n_trials, n_bins, n_units)
        Its output: natural log of expected spikes per bin.
    states : ndarray of float32, shape (n_trials, n_bins, n_features), or None
        Its hidden states, which the read-out reads; None for an architecture without.
    """

    log_rate: NDArray[np.float32]
    states: NDArray[np.float32] | None


@torch.inference_mode()
def read_model(
    model: SpikeModel,
    session: Session,
    trials: NDArray[np.int64],
    is_hidden: NDArray[np.bool_],
    prompt: str,
) -> Reading:
    """Run a model over trials of which parts are hidden; return output and hidden states.

    Parameters
    ----------
    model : SpikeModel
        In evaluation mode.
    session : Session
        The recording, as the model sees it.
    trials : ndarray of int64, shape (n_trials,)
        Rows of the session.
    is_hidden : ndarray of bool, shape (n_trials, n_bins, n_units)
        What is withheld from the model; another part in each trial if need be.
    prompt : str
        One of `PROMPTS`; ``causal`` also lets each bin see the past only.

    Raises
    ------
    UnknownNameError
        If there is no such prompt.
    """
    if prompt not in PROMPTS:
        raise UnknownNameError("prompt", prompt, PROMPTS)
    device = next(model.parameters()).device
    size = trials_per_piece(model, session.n_bins, device)
    log_rate, states = [], []
    for start in range(0, len(trials), size):
        counts = collate(session, trials[start : start + size], str(device))
        hidden = torch.tensor(is_hidden[start : start + size], device=device)
        index = torch.full((len(counts),), prompt_index(prompt), device=device)
        is_causal = index == prompt_index("causal")
        batch = mask_counts(counts, hidden, hidden, index, is_causal)
        log_rate.append(model(batch).cpu().numpy())
        if type(model).states is not SpikeModel.states:
            states.append(model.states(batch).cpu().numpy())
    known = np.concatenate(states) if states else None
    return Reading(log_rate=np.concatenate(log_rate), states=known)
