"""Models of several sessions that learn one trunk together: what a run trains and a file holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Self

from torch import Tensor, nn

from mtm_core.config_model import ModelConfig
from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.build import build_model
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.spike_model import SpikeModel, decay_groups


class Family(nn.Module):
    """One model for each session, over one trunk; a batch goes to the model of its session.

    Parameters
    ----------
    config : ModelConfig
        The architecture and its sizes.
    facts : mapping of str to SessionFacts
        The sessions by id: each has layers of its own, whatever number of units it has.
    """

    def __init__(self, config: ModelConfig, facts: Mapping[str, SessionFacts]) -> None:
        super().__init__()
        self.config = config
        self._members: dict[str, SpikeModel] = {}
        trunk: nn.Module | None = None
        for session_id, known in facts.items():
            member = build_model(config, known, trunk)
            trunk = member.trunk
            self._members[session_id] = member
        if trunk is None:
            msg = "a family needs at least one session"
            raise ValueError(msg)
        self.trunk = trunk
        self.parts = nn.ModuleDict({part_key(i): m.part for i, m in self._members.items()})

    @property
    def session_ids(self) -> tuple[str, ...]:
        """The sessions, in the order in which they were given."""
        return tuple(self._members)

    def member(self, session_id: str = "") -> SpikeModel:
        """Return the model of a session; of the only one, if no id is given.

        Raises
        ------
        KeyError
            If there is no such session.
        """
        if not session_id and len(self._members) == 1:
            return next(iter(self._members.values()))
        return self._members[session_id]

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch: log-rate, (n_trials, n_bins, n_units)."""
        log_rate: Tensor = self.member(batch.session_id)(batch)
        return log_rate

    def training_output(self, batch: MaskedBatch, share: Tensor) -> tuple[Tensor, Tensor]:
        """Predict a batch and say what is added to its loss; see `SpikeModel`."""
        return self.member(batch.session_id).training_output(batch, share)

    def train(self, mode: bool = True) -> Self:
        """Set training or evaluation mode, in the members too."""
        for member in self._members.values():
            member.train(mode)
        return super().train(mode)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Split parameters into matrices, which decay, and everything else, which does not."""
        return decay_groups(self, weight_decay)


def part_key(session_id: str) -> str:
    """Return the name under which a session's part is stored.

    Examples
    --------
    >>> part_key("s1") == part_key("s1"), part_key("s1") == part_key("s2")
    (True, False)
    """
    return "s" + hashlib.blake2b(session_id.encode(), digest_size=8).hexdigest()


def member_state(state: Mapping[str, Tensor], session_id: str) -> dict[str, Tensor]:
    """Pick the state of one session's model out of a family's."""
    start = f"parts.{part_key(session_id)}."
    part = {f"part.{n.removeprefix(start)}": t for n, t in state.items() if n.startswith(start)}
    return part | {name: tensor for name, tensor in state.items() if name.startswith("trunk.")}


def family_state(model: SpikeModel, session_id: str) -> dict[str, Tensor]:
    """Return the state of a family of one: the other way round from `member_state`."""
    start = f"parts.{part_key(session_id)}."
    state = model.state_dict()
    return {
        f"{start}{name.removeprefix('part.')}" if name.startswith("part.") else name: tensor
        for name, tensor in state.items()
    }
