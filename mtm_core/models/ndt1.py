"""NDT1: a transformer over time bins that predicts the log-rate of every unit.

References
----------
Ye & Pandarinath (2021), Neural Data Transformer; Zhang et al. (2024), MtM, arXiv 2407.14668.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import PROMPTS, MaskedBatch
from mtm_core.models.backend import layer_precision
from mtm_core.models.component_turns import ComponentTurns
from mtm_core.models.ndt1_turns import Ndt1Turns
from mtm_core.models.rank_one import Folds
from mtm_core.models.read_in import STITCH_GAIN, ComponentReadIn, LinearReadIn
from mtm_core.models.read_out import PromptReadOut, SharedReadOut
from mtm_core.models.session_part import SessionFacts, SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN, InFolds, InTurn, SpikeModel, causal_trials
from mtm_core.models.trunk import TimeTrunk
from mtm_core.models.unit_embedding import (
    EmbeddedHistory,
    EmbeddedReadIn,
    EmbeddedReadOut,
    UnitEmbedding,
    UnitMaps,
)

SCORE_WORK = 50.0
"""Operations for one score of a turn on components, as slow ones as they are."""
_UNTOLD = PROMPTS.index("none")


class Ndt1Part(SessionPart):
    """A session's own layers: the stitching from its units to tokens, and back.

    Parameters
    ----------
    config : Ndt1Config
        Sizes and switches.
    facts : SessionFacts
        The session.

    Notes
    -----
    Where units are embedded, its layers work once `connect` has told them the shared maps.
    """

    session_token: Tensor

    def __init__(self, config: Ndt1Config, facts: SessionFacts) -> None:
        is_components = config.read_in == "components"
        super().__init__(config, facts, keep_psth=is_components)
        width, n_units = config.width, facts.n_units
        self.read_in: ComponentReadIn | LinearReadIn | EmbeddedReadIn
        self.read_out: PromptReadOut | SharedReadOut | EmbeddedReadOut
        self.units: UnitEmbedding | None = None
        if config.read_in == "unit_embedding":
            self.units = UnitEmbedding(config, n_units, facts.units)
        elif is_components:
            self.read_in = ComponentReadIn(
                facts.n_bins,
                n_units,
                width,
                len(PROMPTS),
                config.component_copies,
                fitted_softening=config.component_softening == "fitted",
            )
            self.read_out = PromptReadOut(width, n_units, len(PROMPTS))
        else:
            is_stitched = config.read_in == "stitched"
            self.read_in = LinearReadIn(
                n_units,
                config.stitch_width if is_stitched else width,
                mask_flag=config.mask_flag,
                two_layer=config.read_in == "two_layer",
                gain=STITCH_GAIN if is_stitched else 1.0,
            )
            self.read_out = SharedReadOut(width, n_units)
        if config.read_in == "unit_embedding" and not config.unit_vectors:
            self.register_buffer("session_token", torch.zeros(width))
        else:
            self.session_token = nn.Parameter(0.1 * torch.randn(width))

    def connect(self, maps: UnitMaps | None) -> None:
        """Read embedded units through maps that sessions share; without such units, do nothing."""
        if self.units is None or maps is None:
            return
        self.read_in = EmbeddedReadIn(self.units, maps)
        self.read_out = EmbeddedReadOut(self.units, maps)
        if self.history is not None:
            self.history = EmbeddedHistory(self.offset.shape[0], self.units, maps)


class Ndt1(SpikeModel):
    """One token per time bin; counts of all units in, log-rates of all units out.

    Parameters
    ----------
    config : Ndt1Config
        Sizes and switches.
    facts : SessionFacts
        The session.
    trunk : TimeTrunk or None
        Shared with other sessions; None makes one.

    Notes
    -----
    A hidden entry never reaches the network: its standardised value is 0, and the read-in is told
    that it was hidden rather than silent.
    """

    config: Ndt1Config
    part: Ndt1Part
    trunk: TimeTrunk

    def __init__(
        self, config: Ndt1Config, facts: SessionFacts, trunk: TimeTrunk | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.part = Ndt1Part(config, facts)
        self.trunk = TimeTrunk(config, facts.n_bins) if trunk is None else trunk
        self.part.connect(self.trunk.units)

    @property
    def can_bypass(self) -> bool:
        """Whether scores pass by the layers."""
        return isinstance(self.part.read_in, ComponentReadIn)

    @torch.no_grad()
    def bypass_layers(self, prompt: int) -> None:
        """Let the scores alone speak under a prompt, as at a warm start; in place."""
        if isinstance(self.part.read_in, ComponentReadIn):
            row = self._row(prompt)
            self.part.read_in.reset(row)
            self.trunk.output_gain[row] = 0.0

    def _row(self, prompt: int) -> int:
        """Return the row of what prompts choose; without prompts one row serves them all."""
        return _UNTOLD if self.config.prompt == "none" else prompt

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch.

        Parameters
        ----------
        batch : MaskedBatch
            Inputs and what is hidden of them; targets are not looked at.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, n_units)
            Log-rate: natural log of expected spikes per bin.
        """
        is_hidden = self.drop_units(batch.is_hidden)
        states = self.states(replace(batch, is_hidden=is_hidden))
        told = self._told(batch.prompt)
        with self._map_precision(states.device):
            read = self.part.read_out(states, told)
        log_rate: Tensor = read.to(states.dtype).clamp(max=MAX_LOG_GAIN)
        log_rate += self.part.offset
        self.part.add_history(log_rate, batch.inputs, is_hidden)
        return log_rate

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return the tokens that are read out: (n_trials, n_bins, width)."""
        first = self.first(batch.inputs, batch.is_hidden)
        return self.body(first, self._told(batch.prompt), batch.is_causal)

    def _told(self, prompt: Tensor) -> Tensor:
        """Return the prompts as the model is told them: all alike if it is told none."""
        return torch.full_like(prompt, _UNTOLD) if self.config.prompt == "none" else prompt

    def first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, n_first). Hidden counts do not matter."""
        visible = (~is_hidden).to(counts.dtype)
        with self._map_precision(counts.device):
            first = self.part.read_in.first(self.part.standardise(counts) * visible, visible)
        return first.to(counts.dtype)

    def to_tokens(self, first: Tensor) -> Tensor:
        """Make tokens (..., width) of what was read in, each by itself; not of components."""
        nothing = torch.zeros(0, dtype=torch.long, device=first.device)
        with self._map_precision(first.device):
            return self.part.read_in.tokens(first, nothing, nothing)[0].to(first.dtype)

    def _map_precision(self, device: torch.device) -> AbstractContextManager[object]:
        """Return a block for the maps to and from tokens: fitted ones always stay fp32."""
        return nullcontext() if self.can_bypass else layer_precision(device)

    def body(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> Tensor:
        """Turn what was read in (n_trials, n_bins, n_first) into what is read out."""
        if not self.can_bypass:
            tokens = self.to_tokens(first)
            return self.after_layers(tokens, tokens.new_zeros(()), prompt, is_causal)
        tokens, scores = self.part.read_in.tokens(first, prompt, is_causal)
        return self.after_layers(tokens, scores, prompt, is_causal)

    def after_layers(
        self, tokens: Tensor, scores: Tensor, prompt: Tensor, is_causal: Tensor
    ) -> Tensor:
        """Add what the layers make of tokens to the scores that pass by them.

        In inference layers that would add nothing under these prompts do not run.
        """
        if self.can_bypass and self.trunk.adds_nothing(prompt):
            return scores
        change: Tensor = self.trunk(tokens, self.part.session_token, prompt, is_causal)
        return scores + change

    def in_turn(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InTurn:
        """Get ready to predict units each from a pass in which it, too, is hidden.

        See `SpikeModel`. What is read in is linear in the counts, so hiding one more unit is a
        rank-one change of it; one read-out row suffices; tokens that do not change are not made
        anew, and trials that do not change at all need no pass of their own.
        """
        causal = prompt == PROMPTS.index("causal") if is_causal is None else is_causal
        kind = ComponentTurns if isinstance(self.part.read_in, ComponentReadIn) else Ndt1Turns
        return kind(self, counts, is_hidden, self._row(prompt), is_causal=causal)

    def in_folds(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InFolds:
        """Get ready to predict units fold by fold, those of a fold hidden together."""
        row = self._row(prompt)
        causal = prompt == PROMPTS.index("causal") if is_causal is None else is_causal

        def body(first: Tensor) -> Tensor:
            index = torch.full((len(first),), row, device=first.device)
            return self.body(first, index, causal_trials(index, causal))

        return Folds(
            part=self.part,
            read_in=self.part.read_in,
            read_out=self.part.read_out,
            counts=counts,
            is_hidden=is_hidden,
            prompt=row,
            first=self.first(counts, is_hidden.expand_as(counts)),
            body=body,
        )

    @torch.no_grad()
    def turns_run_layers(self, prompt: int) -> bool:
        """Tell whether a pass of `in_turn` has to run the trunk's layers under a prompt."""
        told = torch.tensor([self._row(prompt)], device=self.trunk.output_gain.device)
        return not (self.can_bypass and self.trunk.adds_nothing(told))

    def turn_work(self, n_bins: int, prompt: int) -> float:
        """Return about how many floating-point operations one pass of `in_turn` takes."""
        if not self.can_bypass:
            return super().turn_work(n_bins, prompt)
        scores = SCORE_WORK * n_bins * self.config.width
        layers = super().turn_work(n_bins, prompt) if self.turns_run_layers(prompt) else 0.0
        return scores + layers
