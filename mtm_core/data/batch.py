"""From a session to the tensor that a model is given."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.session import Session


def collate(
    session: Session,
    trials: NDArray[np.integer[Any]] | NDArray[np.bool_],
    device: torch.device | str = "cpu",
) -> Tensor:
    """Return the counts of the chosen trials as a new tensor.

    Parameters
    ----------
    session : Session
        The recording.
    trials : ndarray of int or bool
        Row numbers of trials, or a mask over them.
    device : torch.device or str
        Where the tensor shall lie.

    Returns
    -------
    Tensor, shape (len(trials), n_bins, n_units), float32
        Spikes per bin.
    """
    return torch.from_numpy(session.counts[trials]).to(device).float()
