"""Hiding one unit at a time where counts are read in by a matrix: a rank-one change for each.

What is read in is linear in the counts, so that hiding one more unit subtracts what it alone had
added. The rest of a model then runs on changed sequences, and reads out one row for each.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from mtm_core.models.session_part import SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN


class ReadIn(Protocol):
    """A read-in that is linear in counts and visibility."""

    def unit_columns(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a unit's count, and its being visible, add: (n_chosen, n_first) each."""


class ReadOut(Protocol):
    """A read-out that has a row for each unit."""

    def rows(self, units: Tensor, prompt: int) -> tuple[Tensor, Tensor]:
        """Return weights (n_chosen, width) and biases (n_chosen,) of chosen units."""


def added_by(
    part: SessionPart,
    read_in: ReadIn,
    counts: Tensor,
    is_hidden: Tensor,
    units: Tensor,
    columns: Tensor | None = None,
) -> Tensor:
    """Return what each chosen unit adds to what is read in of every trial.

    Parameters
    ----------
    part : SessionPart
        Scales the counts.
    read_in : ReadIn
        Maps them.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden anyway: it has added nothing.
    units : Tensor of int64, shape (n_chosen,)
        The units.
    columns : Tensor of int64, shape (n_chosen,), or None
        Their places in the read-in; None means `units`.

    Returns
    -------
    Tensor, shape (n_trials, n_chosen, n_bins, n_first)
    """
    visible = (~is_hidden[:, units]).to(counts.dtype).T  # (chosen, bins)
    by_count, by_visible = read_in.unit_columns(units if columns is None else columns)
    seen = part.standardise(counts)[..., units].transpose(1, 2) * visible
    return seen[..., None] * by_count[:, None] + visible[..., None] * by_visible[:, None]


def read_rows(
    part: SessionPart,
    read_out: ReadOut,
    states: Tensor,
    units: Tensor,
    prompt: int,
    rows: Tensor | None = None,
) -> Tensor:
    """Read each chosen unit out of its own pass.

    Parameters
    ----------
    part : SessionPart
        Holds the offset that the read-out adds to.
    read_out : ReadOut
        Maps states to log-rates.
    states : Tensor, shape (n_trials, n_chosen, n_bins, width)
        What is read out.
    units : Tensor of int64, shape (n_chosen,)
        The units.
    prompt : int
        Index into `PROMPTS`.
    rows : Tensor of int64, shape (n_chosen,), or None
        Their places in the read-out; None means `units`.

    Returns
    -------
    Tensor, shape (n_trials, n_bins, n_chosen)
        Log-rates: a unit that is hidden for the whole trial has no past to correct them by.
    """
    weight, bias = read_out.rows(units if rows is None else rows, prompt)
    product = torch.einsum("rktw,kw->rtk", states, weight)
    return (product + bias).clamp(max=MAX_LOG_GAIN) + part.offset[:, units]
