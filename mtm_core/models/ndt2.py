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
from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.rank_one import added_by, read_rows
from mtm_core.models.session_part import SessionFacts, SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN, SpikeModel, causal_trials
from mtm_core.models.token_trunk import TokenTrunk

MAX_TOKENS = 65_536
"""Most tokens in one pass of `predict_one_at_a_time`."""


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
        read = self.part.from_patches(self.trunk.read_out(tokens, batch.prompt))
        log_rate = read.clamp(max=MAX_LOG_GAIN) + self.part.offset
        self.part.add_history(log_rate, batch.inputs, is_hidden)
        return log_rate

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return each bin's tokens side by side: (n_trials, n_bins, n_patches * width)."""
        return self._tokens(batch).flatten(-2)

    def _tokens(self, batch: MaskedBatch) -> Tensor:
        """Return what is read out: (n_trials, n_bins, n_patches, width)."""
        first = self._first(batch.inputs, batch.is_hidden)
        return self._body(self._second(first), batch.prompt, batch.is_causal)

    def _first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, n_patches, n_first)."""
        visible = (~is_hidden).to(counts.dtype)
        standard = self.part.to_patches(self.part.standardise(counts) * visible)
        not_flagged = 1 - self.part.to_patches(1 - visible)
        return self.trunk.read_in.first(standard, not_flagged)

    def _second(self, first: Tensor) -> Tensor:
        """Make tokens of what was read in."""
        nothing = torch.zeros(0, dtype=torch.long, device=first.device)
        return self.trunk.read_in.tokens(first, nothing, nothing)[0]

    def _body(self, tokens: Tensor, prompt: Tensor, is_causal: Tensor) -> Tensor:
        part, trunk = self.part, self.trunk
        region = part.region_patches() if self.config.region_embedding else part.order
        places = trunk.patch_embedding(region, part.is_real)
        out: Tensor = trunk(tokens, places, part.session_token, prompt, is_causal)
        return out

    @torch.inference_mode()
    def predict_one_at_a_time(
        self,
        counts: Tensor,
        is_hidden: Tensor,
        units: Tensor,
        prompt: int,
        *,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Predict each chosen unit from a pass in which it, too, is hidden; see `SpikeModel`.

        Only the unit's own patch is read in anew, by a rank-one change; several units share a
        pass. Equal to `forward` on masks built one at a time.
        """
        base = self._first(counts, is_hidden.expand_as(counts))
        n_trials, n_bins, n_patches, _ = base.shape
        size = max(MAX_TOKENS // (n_trials * n_bins * n_patches), 1)
        tokens = self._second(base)
        alone = [
            self._one_at_a_time(base, tokens, counts, is_hidden, chosen, prompt, is_causal)
            for chosen in torch.split(units, size)
        ]
        return torch.cat(alone, dim=-1)

    def _one_at_a_time(
        self,
        base: Tensor,
        tokens: Tensor,
        counts: Tensor,
        is_hidden: Tensor,
        units: Tensor,
        prompt: int,
        is_causal: bool | None,
    ) -> Tensor:
        """Predict some units, one pass for each, all in one batch."""
        part, (_, n_bins, n_patches, width) = self.part, tokens.shape
        slots = part.slots()[units]
        patch, column = slots // part.token_units, slots % part.token_units
        each = torch.arange(len(units), device=units.device)
        added = added_by(part, self.trunk.read_in, counts, is_hidden, units, column)
        changed = self._second(base[:, :, patch].transpose(1, 2) - added)  # (trials, chosen, ...)
        turns = tokens[:, None].repeat(1, len(units), 1, 1, 1)
        turns[:, each, :, patch] = changed.transpose(0, 1)
        flat = turns.view(-1, n_bins, n_patches, width)
        index = torch.full((len(flat),), prompt, device=counts.device)
        states = self._body(flat, index, causal_trials(index, is_causal)).view_as(turns)
        own = states[:, each, :, patch].transpose(0, 1)
        return read_rows(part, self.trunk.read_out, own, units, prompt, column)


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
