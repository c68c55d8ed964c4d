"""What a frozen model makes of trials that it may look at: features for a decoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.batch import collate
from mtm_core.data.session import Session
from mtm_core.errors import UnknownNameError
from mtm_core.masking.masked_batch import PROMPTS, mask_counts, prompt_index
from mtm_core.models.passes import trials_per_piece
from mtm_core.models.smaller_pieces import SmallerPieces
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
    has_states = type(model).states is not SpikeModel.states

    def read(rows: Tensor) -> Tensor:
        chosen = rows.numpy()
        counts = collate(session, trials[chosen], str(device))
        hidden = torch.tensor(is_hidden[chosen], device=device)
        index = torch.full((len(counts),), prompt_index(prompt), device=device)
        batch = mask_counts(counts, hidden, hidden, index, index == prompt_index("causal"))
        found = [model(batch), model.states(batch)] if has_states else [model(batch)]
        return torch.cat(found, dim=-1).cpu()

    pieces = SmallerPieces()
    parts = [pieces.run(read, rows) for rows in torch.split(torch.arange(len(trials)), size)]
    both = torch.cat(parts).numpy()
    log_rate, states = both[..., : session.n_units], both[..., session.n_units :]
    return Reading(log_rate=log_rate, states=states if has_states else None)
