"""What every architecture can do, whatever it is made of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mtm_core.config_model import ModelConfig
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models.session_part import SessionPart

MAX_LOG_GAIN = 3.0
"""No more than this (a factor of 20) is added to a unit's log PSTH: rare units stay finite."""

InTurn = Callable[[Tensor], Tensor]
"""From units to the log-rate of each where it, too, is hidden; see `SpikeModel.in_turn`."""
InFolds = Callable[[Sequence[Tensor]], Tensor]
"""From folds of units to the log-rates of all; see `SpikeModel.in_folds`."""

_CAUSAL = prompt_index("causal")


class SpikeModel(nn.Module, ABC):
    """A model bound to one session: the session's own part, and a trunk that sessions may share.

    Two models of one architecture that are given the same trunk learn it together (see
    `mtm_core.models.family`).

    Attributes
    ----------
    config : ModelConfig
        Sizes and switches.
    part : SessionPart
        What belongs to the session.
    trunk : nn.Module
        What sessions share.
    """

    config: ModelConfig
    part: SessionPart
    trunk: nn.Module

    @abstractmethod
    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch: log-rate, (n_trials, n_bins, n_units)."""

    def training_output(self, batch: MaskedBatch, share: Tensor) -> tuple[Tensor, Tensor]:
        """Predict a batch and say what is added to its loss.

        Parameters
        ----------
        batch : MaskedBatch
            The batch.
        share : Tensor, scalar
            Share of the run's steps that are done, 0 to 1.

        Returns
        -------
        log_rate : Tensor, shape (n_trials, n_bins, n_units)
        penalty : Tensor, shape ()
            In nats per scored entry; 0 for most architectures.
        """
        del share
        return self(batch), batch.inputs.new_zeros(())

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return the hidden states, which the read-out reads: (n_trials, n_bins, n_features).

        Raises
        ------
        NotImplementedError
            If the architecture has nothing of the kind.
        """
        raise NotImplementedError

    def drop_units(self, is_hidden: Tensor) -> Tensor:
        """Hide more units at random, in training only; see ``config.unit_dropout``."""
        if not self.training or self.config.unit_dropout == 0:
            return is_hidden
        n_trials, _, n_units = is_hidden.shape
        draw = torch.rand(n_trials, 1, n_units, device=is_hidden.device)
        return is_hidden | (draw < self.config.unit_dropout)

    def in_turn(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InTurn:
        """Get ready to predict units each from a pass in which it, too, is hidden.

        Parameters
        ----------
        counts : Tensor, shape (n_trials, n_bins, n_units), float32
            True counts.
        is_hidden : Tensor of bool, shape (n_bins, n_units)
            What is hidden in every pass.
        prompt : int
            Index into `PROMPTS`.
        is_causal : bool or None
            Whether a bin sees itself and earlier bins only; None: if the prompt is ``causal``.

        Returns
        -------
        callable
            From units to hide (whole trial) and predict in turn, int64 (n_chosen,), to the
            log-rate of each, (n_trials, n_bins, n_chosen). What all passes have in common is
            computed once.

        Notes
        -----
        Here it is a forward pass for each unit; architectures know shortcuts that equal it.
        """
        index = torch.full((len(counts),), prompt, device=counts.device)
        past_only = causal_trials(index, is_causal)

        @torch.inference_mode()
        def one_by_one(units: Tensor) -> Tensor:
            alone = []
            for unit in units.tolist():
                hidden_too = is_hidden.clone()
                hidden_too[:, unit] = True
                full = hidden_too.expand_as(counts)
                batch = mask_counts(counts, full, full, index, past_only)
                alone.append(self(batch)[..., unit])
            return torch.stack(alone, dim=-1)

        return one_by_one

    def in_folds(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InFolds:
        """Get ready to predict units fold by fold, those of a fold hidden together.

        Arguments are those of `in_turn`; the result maps folds, each int64 (n_in_fold,), to the
        log-rates of their units one after another, (n_trials, n_bins, n_chosen).
        """
        index = torch.full((len(counts),), prompt, device=counts.device)
        past_only = causal_trials(index, is_causal)

        @torch.inference_mode()
        def fold_by_fold(folds: Sequence[Tensor]) -> Tensor:
            answers = []
            for units in folds:
                hidden_too = is_hidden.clone()
                hidden_too[:, units] = True
                full = hidden_too.expand_as(counts)
                answers.append(self(mask_counts(counts, full, full, index, past_only))[..., units])
            return torch.cat(answers, dim=-1)

        return fold_by_fold

    def turns_run_layers(self, prompt: int) -> bool:
        """Tell whether a pass of `in_turn` has to run the trunk's layers under a prompt."""
        del prompt
        return True

    def predict_one_at_a_time(
        self,
        counts: Tensor,
        is_hidden: Tensor,
        units: Tensor,
        prompt: int,
        *,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Predict units each from a pass in which it, too, is hidden; see `in_turn`."""
        return self.in_turn(counts, is_hidden, prompt, is_causal=is_causal)(units)

    def turn_work(self, n_bins: int, prompt: int) -> float:
        """Return about how many floating-point operations one pass of `in_turn` takes."""
        del prompt
        n_weights = sum(parameter.numel() for parameter in self.trunk.parameters())
        return 2.0 * n_weights * n_bins * self.tokens_per_bin

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Split parameters into matrices, which decay, and everything else, which does not."""
        return decay_groups(self, weight_decay)

    @property
    def tokens_per_bin(self) -> int:
        """How often a pass uses the trunk's weights for each bin: what makes a pass long."""
        return 1

    @property
    def can_bypass(self) -> bool:
        """Whether there is a way past the layers that can be better than through them."""
        return False

    def bypass_layers(self, prompt: int) -> None:
        """Let what passes by the layers speak alone under a prompt; in place.

        Raises
        ------
        NotImplementedError
            If nothing passes by them.
        """
        raise NotImplementedError


def causal_trials(prompt: Tensor, is_causal: bool | None = None) -> Tensor:
    """Mark the trials in which a bin sees the past only: as told, or by their prompts.

    Examples
    --------
    >>> prompt = torch.tensor([prompt_index("neuron"), prompt_index("causal")])
    >>> causal_trials(prompt).tolist(), causal_trials(prompt, is_causal=False).tolist()
    ([False, True], [False, False])
    """
    if is_causal is None:
        return prompt == _CAUSAL
    return torch.full_like(prompt, is_causal, dtype=torch.bool)


NEVER_DECAYED = (
    "position",
    "session_token",
    "prompt.weight",
    "regions.weight",
    "gru.bias",
    "history.gain",
    "output_gain",
    "read_in.mix",
    "read_in.log_softening",
)
"""Ends of names of matrices that are no maps from one space to another."""


def decay_groups(model: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Split a model's parameters into matrices, which decay, and everything else."""
    named = list(model.named_parameters())
    decays = [p for name, p in named if p.ndim >= 2 and not name.endswith(NEVER_DECAYED)]
    others = [p for name, p in named if p.ndim < 2 or name.endswith(NEVER_DECAYED)]
    return [
        {"params": decays, "weight_decay": weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
