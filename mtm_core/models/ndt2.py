"""NDT2: a transformer over tokens of one bin and one patch of units, shared by all sessions.

References
----------
Ye, Collinger, Wehbe & Gaunt (2023), Neural Data Transformer 2; Zhang et al. (2024), MtM, arXiv
2407.14668.
"""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt2Config
from mtm_core.data.regions import load_regions
from mtm_core.errors import ConfigError
from mtm_core.masking.masked_batch import MaskedBatch, prompt_index
from mtm_core.models.backend import layer_precision
from mtm_core.models.ndt2_turns import Ndt2Turns
from mtm_core.models.session_part import SessionFacts, SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN, InTurn, SpikeModel
from mtm_core.models.token_trunk import TokenTrunk


class Ndt2Part(SessionPart):
    """A session's statistics and its way from units to slots of patches; no map of its own.

    Parameters
    ----------
    config : Ndt2Config
        Sizes and switches.
    facts : SessionFacts
        The session.

    Raises
    ------
    ConfigError
        If it needs more patches than the settings allow.
    """

    order: Tensor
    region: Tensor

    def __init__(self, config: Ndt2Config, facts: SessionFacts) -> None:
        super().__init__(config, facts)
        self.n_units, self.token_units = facts.n_units, config.token_units
        self.n_patches = -(-facts.n_units // config.token_units)
        if self.n_patches > config.max_patches:
            msg = (
                f"--model.max_patches is {config.max_patches}, but {facts.n_units} units fill "
                f"{self.n_patches} patches of {config.token_units}. The nearest valid value is "
                f"{self.n_patches}."
            )
            raise ConfigError(msg)
        self.register_buffer("order", unit_order(config.unit_order, facts))
        if config.region_embedding:
            self.register_buffer("region", region_rows(facts))
        self.session_token = nn.Parameter(0.1 * torch.randn(config.width))

    @property
    def is_real(self) -> Tensor:
        """Which slots hold a unit: bool (n_patches, token_units)."""
        slots = torch.arange(self.n_patches * self.token_units, device=self.order.device)
        return (slots < self.n_units).view(self.n_patches, -1)

    def slots(self) -> Tensor:
        """Return the slot of each unit: int64 (n_units,)."""
        return self.order.argsort()

    def to_patches(self, values: Tensor) -> Tensor:
        """Map (..., n_units) to (..., n_patches, token_units); padded slots hold zeros."""
        n_padded = self.n_patches * self.token_units - self.n_units
        padded = nn.functional.pad(values.index_select(-1, self.order), (0, n_padded))
        return padded.view(*values.shape[:-1], self.n_patches, self.token_units)

    def from_patches(self, values: Tensor) -> Tensor:
        """Map (..., n_patches, token_units) to (..., n_units); what padded slots hold is lost."""
        return values.flatten(-2).index_select(-1, self.slots())

    def region_patches(self) -> Tensor:
        """Return the rows of the units' regions: int64 (n_patches, token_units)."""
        return self.to_patches(self.region)


class Ndt2(SpikeModel):
    """A token for every bin of every patch; each patch reads its own units out.

    Parameters
    ----------
    config : Ndt2Config
        Sizes and switches.
    facts : SessionFacts
        The session.
    trunk : TokenTrunk or None
        Shared with other sessions; None makes one.

    Notes
    -----
    Tokens are time-major. Under a causal mask a token sees all patches of its own and of earlier
    bins. Padded slots of the last patch are zeros on the way in, are never flagged as hidden, and
    are cut off on the way out.
    """

    config: Ndt2Config
    part: Ndt2Part
    trunk: TokenTrunk

    def __init__(
        self, config: Ndt2Config, facts: SessionFacts, trunk: TokenTrunk | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.part = Ndt2Part(config, facts)
        self.trunk = TokenTrunk(config, facts.n_bins) if trunk is None else trunk

    @property
    def tokens_per_bin(self) -> int:
        """Number of patches."""
        return self.part.n_patches

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch: log-rate, (n_trials, n_bins, n_units)."""
        is_hidden = self.drop_units(batch.is_hidden)
        tokens = self._tokens(replace(batch, is_hidden=is_hidden))
        with layer_precision(tokens.device):
            read = self.trunk.read_out(tokens, batch.prompt).to(tokens.dtype)
        log_rate = self.part.from_patches(read).clamp(max=MAX_LOG_GAIN) + self.part.offset
        self.part.add_history(log_rate, batch.inputs, is_hidden)
        return log_rate

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return each bin's tokens side by side: (n_trials, n_bins, n_patches * width)."""
        return self._tokens(batch).flatten(-2)

    def _tokens(self, batch: MaskedBatch) -> Tensor:
        """Return what is read out: (n_trials, n_bins, n_patches, width)."""
        tokens = self.to_tokens(self.first(batch.inputs, batch.is_hidden))
        out: Tensor = self.trunk(
            tokens, self.places(), self.part.session_token, batch.prompt, batch.is_causal
        )
        return out

    def first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, n_patches, n_first)."""
        visible = (~is_hidden).to(counts.dtype)
        standard = self.part.to_patches(self.part.standardise(counts) * visible)
        not_flagged = 1 - self.part.to_patches(1 - visible)
        with layer_precision(counts.device):
            first = self.trunk.read_in.first(standard, not_flagged)
        return first.to(counts.dtype)

    def to_tokens(self, first: Tensor) -> Tensor:
        """Make tokens (..., width) of what was read in, each by itself."""
        nothing = torch.zeros(0, dtype=torch.long, device=first.device)
        with layer_precision(first.device):
            return self.trunk.read_in.tokens(first, nothing, nothing)[0].to(first.dtype)

    def places(self) -> Tensor:
        """Return what is added to the tokens of each patch: (n_patches, width)."""
        region = self.part.region_patches() if self.config.region_embedding else self.part.order
        return self.trunk.patch_embedding(region, self.part.is_real)

    def in_turn(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InTurn:
        """Get ready to predict units each from a pass in which it, too, is hidden.

        See `SpikeModel`. Only tokens of the unit's own patch are read in anew, by a rank-one
        change, and read out.
        """
        causal = prompt == prompt_index("causal") if is_causal is None else is_causal
        return Ndt2Turns(self, counts, is_hidden, prompt, is_causal=causal)


def unit_order(by: str, facts: SessionFacts) -> Tensor:
    """Return the units in the order in which they fill the patches.

    Parameters
    ----------
    by : {"given", "region", "rate"}
        As given; by the region's acronym and in it by falling rate; by falling rate.
    facts : SessionFacts
        Regions and mean rates.

    Examples
    --------
    >>> facts = SessionFacts(psth=torch.tensor([[1.0, 3.0, 2.0]]), region=("DG", "CA1", "DG"))
    >>> [unit_order(by, facts).tolist() for by in ("given", "region", "rate")]
    [[0, 1, 2], [1, 2, 0], [1, 2, 0]]
    """
    by_rate = facts.psth.mean(dim=0).sort(descending=True, stable=True).indices
    if by == "given":
        return torch.arange(facts.n_units)
    if by == "rate" or not facts.region:
        return by_rate
    place = {name: row for row, name in enumerate(sorted(set(facts.region)))}
    code = torch.tensor([place[name] for name in facts.region])
    return by_rate[code[by_rate].sort(stable=True).indices]


def region_rows(facts: SessionFacts) -> Tensor:
    """Return the row of each unit's region in the atlas's table; an unknown one is ``void``."""
    row = {acronym: place for place, acronym in enumerate(load_regions())}
    known = facts.region or ("void",) * facts.n_units
    return torch.tensor([row.get(acronym, row["void"]) for acronym in known])
