"""Hiding one unit at a time where counts are read in by a matrix: a rank-one change for each.

What is read in is linear in the counts, so that hiding one more unit subtracts what it alone had
added. Where it had added nothing, as a unit without a spike whose silence a model does not tell
from being hidden, the pass without it is the pass with it. The rest of a model runs on changed
sequences only, and reads out one row for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
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


@dataclass(frozen=True, eq=False)
class Removal:
    """What hiding single units takes away from what is read in of every trial.

    Parameters
    ----------
    seen : Tensor, shape (n_trials, n_chosen, n_bins)
        Their standardised counts, 0 where they are hidden anyway.
    visible : Tensor, shape (n_chosen, n_bins)
        1 where they are visible.
    by_count, by_visible : Tensor, shape (n_chosen, n_first)
        What a count of one, and being visible, add in a bin.
    """

    seen: Tensor
    visible: Tensor
    by_count: Tensor
    by_visible: Tensor

    @classmethod
    def of(
        cls,
        part: SessionPart,
        read_in: ReadIn,
        counts: Tensor,
        is_hidden: Tensor,
        units: Tensor,
        columns: Tensor | None = None,
    ) -> Removal:
        """Work it out.

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
        """
        visible = (~is_hidden[:, units]).to(counts.dtype).T
        seen = part.standardise(counts, units).transpose(1, 2) * visible
        by_count, by_visible = read_in.unit_columns(units if columns is None else columns)
        return cls(seen, visible, by_count, by_visible)

    def is_changed(self) -> Tensor:
        """Return where there is anything to take away: bool (n_trials, n_chosen, n_bins)."""
        is_told = self.by_visible.any(dim=1)  # a flag, or a share, says that the unit is visible
        return (self.seen != 0) | ((self.visible != 0) & is_told[:, None])

    def sequences(self, trial: Tensor, unit: Tensor) -> Tensor:
        """Return what is taken away in pairs of trial and unit: (n_pairs, n_bins, n_first)."""
        out = self.seen[trial, unit][..., None] * self.by_count[unit][:, None]
        return out.add_(self.visible[unit][..., None] * self.by_visible[unit][:, None])

    def together(self, sizes: list[int]) -> Tensor:
        """Return what hiding so many at once takes away: (n_folds, n_trials, n_bins, n_first)."""
        each = (
            torch.split(values, sizes, dim)
            for values, dim in (
                (self.seen, 1),
                (self.by_count, 0),
                (self.visible, 0),
                (self.by_visible, 0),
            )
        )
        lost = [
            seen.mT @ by_count + shown.T @ told
            for seen, by_count, shown, told in zip(*each, strict=True)
        ]
        return torch.stack(lost)

    def tokens(self, trial: Tensor, unit: Tensor, at_bin: Tensor) -> Tensor:
        """Return what is taken away in some bins of some pairs: (n_tokens, n_first)."""
        out = self.seen[trial, unit, at_bin][:, None] * self.by_count[unit]
        return out.add_(self.visible[unit, at_bin][:, None] * self.by_visible[unit])


@dataclass(frozen=True, eq=False, kw_only=True)
class Pairs:
    """Pairs of a trial and a unit that is hidden in it.

    Parameters
    ----------
    units : Tensor of int64, shape (n_chosen,)
        The units that are asked for.
    removal : Removal
        What hiding each of them takes away.
    trial, unit : Tensor of int64, shape (n_pairs,)
        The pairs: rows of the counts, and places in `units`.
    is_changed : Tensor of bool, shape (n_pairs, n_bins)
        Bins from which anything is taken away.
    """

    units: Tensor
    removal: Removal
    trial: Tensor
    unit: Tensor
    is_changed: Tensor

    def sequences(self) -> Tensor:
        """Return what is taken away: (n_pairs, n_bins, n_first)."""
        return self.removal.sequences(self.trial, self.unit)

    def changed_bins(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the changed bins one by one.

        Returns
        -------
        pair, at_bin : Tensor of int64, shape (n_tokens,)
            Where they are.
        taken : Tensor, shape (n_tokens, n_first)
            What is taken away there.
        """
        pair, at_bin = self.is_changed.nonzero(as_tuple=True)
        return pair, at_bin, self.removal.tokens(self.trial[pair], self.unit[pair], at_bin)

    def split(self, size: int) -> list[Pairs]:
        """Cut them into pieces of no more than so many pairs."""
        each = (torch.split(of, size) for of in (self.trial, self.unit, self.is_changed))
        return [
            replace(self, trial=trial, unit=unit, is_changed=is_changed)
            for trial, unit, is_changed in zip(*each, strict=True)
        ]


class Turns(ABC):
    """Trials under one mask, ready to answer what a unit would be if it, too, were hidden.

    Parameters
    ----------
    part : SessionPart
        Holds the offset that the read-out adds to.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden in every pass.
    prompt : int
        Index into `PROMPTS`: which rows are read out.
    """

    def __init__(self, part: SessionPart, counts: Tensor, is_hidden: Tensor, prompt: int) -> None:
        self.part, self.counts, self.is_hidden, self.prompt = part, counts, is_hidden, prompt

    @torch.inference_mode()
    def __call__(self, units: Tensor) -> Tensor:
        """Predict units (n_chosen,), each hidden in its turn: (n_trials, n_bins, n_chosen).

        These are log-rates: a unit that is hidden for the whole trial has no past to correct them
        by.
        """
        removal = self.remove(units)
        is_changed = removal.is_changed()
        is_turn = is_changed.any(dim=-1)
        answers = self.counts.new_empty(*self.counts.shape[:2], len(units))
        weight, bias = self.rows(units)
        for is_new, find in ((is_turn, self.changed_states), (~is_turn, self.unchanged_states)):
            trial, unit = is_new.nonzero(as_tuple=True)
            if len(trial):
                pairs = Pairs(
                    units=units,
                    removal=removal,
                    trial=trial,
                    unit=unit,
                    is_changed=is_changed[trial, unit],
                )
                product = (find(pairs) @ weight[unit][..., None])[..., 0] + bias[unit][:, None]
                answers[trial, :, unit] = product
        return answers.clamp_(max=MAX_LOG_GAIN).add_(self.part.offset[:, units])

    @abstractmethod
    def remove(self, units: Tensor) -> Removal:
        """Return what hiding each unit takes away."""

    @abstractmethod
    def rows(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights (n_chosen, width) and biases (n_chosen,) that read units out."""

    @abstractmethod
    def changed_states(self, pairs: Pairs) -> Tensor:
        """Return what is read out in pairs from which something is taken away.

        Returns
        -------
        Tensor, shape (n_pairs, n_bins, width)
        """

    @abstractmethod
    def unchanged_states(self, pairs: Pairs) -> Tensor:
        """Return what is read out in pairs from which nothing is: the pass without any turn."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Folds:
    """Trials under one mask, ready to answer what units would be if hidden fold by fold.

    Parameters
    ----------
    part : SessionPart
        Scales the counts, and holds the offset that the read-out adds to.
    read_in, read_out : ReadIn, ReadOut
        Of the units.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden in every pass.
    prompt : int
        Index into `PROMPTS`: which rows are read out.
    first : Tensor, shape (n_trials, n_bins, n_first)
        What is read in of them under the mask.
    body : callable
        From what is read in, (n_sequences, n_bins, n_first), to what is read out.
    """

    part: SessionPart
    read_in: ReadIn
    read_out: ReadOut
    counts: Tensor
    is_hidden: Tensor
    prompt: int
    first: Tensor
    body: Callable[[Tensor], Tensor]

    @torch.inference_mode()
    def __call__(self, folds: Sequence[Tensor]) -> Tensor:
        """Predict units, those of a fold hidden together: log-rate (n_trials, n_bins, n_chosen).

        All folds make one batch; their units follow each other in the answer.
        """
        units, sizes = torch.cat(list(folds)), [len(fold) for fold in folds]
        removal = Removal.of(self.part, self.read_in, self.counts, self.is_hidden, units)
        lost = removal.together(sizes)
        states = self.body((self.first - lost).flatten(0, 1)).view(*lost.shape[:3], -1)
        weight, bias = self.read_out.rows(units, self.prompt)
        each = zip(states, torch.split(weight, sizes), strict=True)
        read = torch.cat([own @ rows.T for own, rows in each], dim=-1) + bias
        return read.clamp_(max=MAX_LOG_GAIN).add_(self.part.offset[:, units])
