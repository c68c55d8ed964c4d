"""A person's mask: what to hide and what to score, apart from any one session's arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import SchemeName
from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import resemblance, wording
from mtm_core.masking.choice import Block, Rates
from mtm_core.masking.masked_batch import PROMPTS, scheme_prompt


@dataclass(frozen=True, eq=False)
class ResolvedMask:
    """A mask in the arrays of one session.

    Parameters
    ----------
    is_hidden, is_scored : ndarray of bool, shape (n_bins, n_units)
        Entries withheld from the model, and entries whose prediction counts. Read-only.
    one_at_a_time : bool
        Each unit with scored entries is predicted in a pass of its own, in which it is hidden
        for the whole trial in addition to `is_hidden`.
    prompt : str
        One of `PROMPTS`.
    past_only : bool or None
        Whether a bin may attend to itself and earlier bins only; None: if the prompt is
        ``causal``.
    """

    is_hidden: NDArray[np.bool_]
    is_scored: NDArray[np.bool_]
    one_at_a_time: bool
    prompt: str
    past_only: bool | None = None

    def __post_init__(self) -> None:
        for name in ("is_hidden", "is_scored"):
            array = np.array(getattr(self, name))
            array.flags.writeable = False
            object.__setattr__(self, name, array)

    @property
    def is_causal(self) -> bool:
        """True if a bin may attend to itself and earlier bins only."""
        return self.prompt == "causal" if self.past_only is None else self.past_only

    def under_prompt(self, prompt: str) -> ResolvedMask:
        """Return the mask under another prompt, what a bin may attend to left as it is."""
        return dataclasses.replace(self, prompt=prompt, past_only=self.is_causal)

    @property
    def scored_units(self) -> NDArray[np.int64]:
        """Rows of the units that have scored entries."""
        return np.flatnonzero(self.is_scored.any(axis=0))


@dataclass(frozen=True)
class MaskSpec:
    """A mask that a person asks for: immutable, hashable, and the same for every session.

    Parameters
    ----------
    blocks : tuple of Block
        What is hidden: the union of these.
    scored : tuple of Block or None
        What is scored: the union of these, as far as it is hidden. None means all that is
        hidden. With `one_at_a_time` every entry of the union counts, since each scored unit is
        hidden when its turn comes.
    one_at_a_time : bool
        Predict each scored unit in a pass of its own, in which it is hidden too.
    prompt : str
        One of `PROMPTS`; ``causal`` also lets each bin see the past only.

    Raises
    ------
    UnknownNameError
        If there is no such prompt.

    Examples
    --------
    >>> from mtm_core.masking.choice import UnitChoice
    >>> spec = MaskSpec(blocks=(Block(UnitChoice.of_region("CA1")),), prompt="inter_region")
    >>> MaskSpec.from_json(spec.to_json()) == spec
    True
    """

    blocks: tuple[Block, ...] = ()
    scored: tuple[Block, ...] | None = None
    one_at_a_time: bool = False
    prompt: str = "neuron"

    def __post_init__(self) -> None:
        if self.prompt not in PROMPTS:
            raise UnknownNameError("prompt", self.prompt, PROMPTS)

    @property
    def needs_rates(self) -> bool:
        """True if a rule in it looks at the rates of training trials."""
        return any(block.units.needs_rates for block in (*self.blocks, *(self.scored or ())))

    def with_prompt(self, prompt: str) -> MaskSpec:
        """Return the same mask under another prompt."""
        return dataclasses.replace(self, prompt=prompt)

    def resolve(self, session: Session, rate_hz: Rates | None = None) -> ResolvedMask:
        """Apply the mask to a session.

        Parameters
        ----------
        session : Session
            The recording.
        rate_hz : ndarray of float, shape (n_units,), optional
            Mean rates over *training* trials; only rules that look at ``rate_hz`` need them.

        Returns
        -------
        ResolvedMask

        Raises
        ------
        MaskError
            If the mask hides everything or nothing, scores nothing, or does not fit the session.
        MissingFieldError
            If a rule needs a field that the session lacks.
        """
        is_hidden = _union(self.blocks, session, rate_hz)
        is_scored = is_hidden if self.scored is None else _union(self.scored, session, rate_hz)
        if not self.one_at_a_time:
            is_scored = is_scored & is_hidden
        _check(is_hidden, is_scored, one_at_a_time=self.one_at_a_time)
        return ResolvedMask(is_hidden, is_scored, self.one_at_a_time, self.prompt)

    def hidden_entries(self, session: Session, rate_hz: Rates | None = None) -> NDArray[np.bool_]:
        """Say which entries are withheld from their own prediction, bool (n_bins, n_units).

        Those that the blocks hide and, with `one_at_a_time`, those that are scored. A mask that
        hides nothing, or everything, is no error here.
        """
        is_hidden = _union(self.blocks, session, rate_hz)
        if self.one_at_a_time:
            is_hidden = is_hidden | _union(self.scored or (), session, rate_hz)
        return is_hidden

    def describe(self, session: Session, rate_hz: Rates | None = None) -> str:
        """Say in words what is hidden, and by which prompt.

        For example ``"CA1 hidden: 46 of 812 units, inter-region prompt"``.
        """
        return wording.describe(self, self.resolve(session, rate_hz), session)

    def untrained_reason(
        self, session: Session, schemes: Sequence[SchemeName], rate_hz: Rates | None = None
    ) -> str | None:
        """Say why a model trained on these schemes was not trained for this mask.

        Returns
        -------
        str or None
            A phrase that begins with "not trained for this"; None if it was trained for it.
        """
        mask = self.resolve(session, rate_hz)
        return resemblance.untrained_reason(mask, session.region, schemes)

    def is_trained_for(
        self, schemes: Sequence[SchemeName], session: Session, rate_hz: Rates | None = None
    ) -> bool:
        """Tell whether a model trained on these schemes has met masks like this one."""
        return self.untrained_reason(session, schemes, rate_hz) is None

    def to_json(self) -> str:
        """Return the mask as one line of JSON."""
        from mtm_core.masking import mask_json

        return mask_json.to_json(self)

    @classmethod
    def from_json(cls, text: str) -> MaskSpec:
        """Read a mask from JSON.

        Raises
        ------
        MaskError
            If the text is not a mask that this version knows.
        """
        from mtm_core.masking import mask_json

        return mask_json.from_json(text)


def best_prompt(
    spec: MaskSpec,
    session: Session,
    schemes: Sequence[SchemeName],
    rate_hz: Rates | None = None,
) -> str:
    """Return the prompt under which a model trained on these schemes serves a mask best.

    The scheme that the mask resembles most, else ``neuron`` if that was trained, else the first.
    """
    alike = resemblance.schemes_alike(spec.resolve(session, rate_hz), session.region)
    preferred: tuple[SchemeName, ...] = (*alike, "neuron")
    return scheme_prompt(next((name for name in preferred if name in schemes), schemes[0]))


def _union(
    blocks: tuple[Block, ...], session: Session, rate_hz: Rates | None
) -> NDArray[np.bool_]:
    held = np.zeros((session.n_bins, session.n_units), dtype=bool)
    for block in blocks:
        held |= block.fill(session, rate_hz)
    return held


def _check(
    is_hidden: NDArray[np.bool_], is_scored: NDArray[np.bool_], *, one_at_a_time: bool
) -> None:
    """Refuse masks that leave nothing to predict, or nothing to predict it from."""
    if not is_hidden.any() and not one_at_a_time:
        msg = "The mask hides nothing: there is nothing to reconstruct. Hide some units or bins."
        raise MaskError(msg)
    if not is_scored.any():
        msg = "Nothing that is scored is hidden. Score some of the hidden units and bins."
        raise MaskError(msg)
    n_visible = (~is_hidden).sum(axis=0)
    n_left: NDArray[Any] = n_visible.sum() - n_visible * one_at_a_time
    if (n_left[is_scored.any(axis=0)] == 0).any():
        msg = (
            "The mask hides everything: the model would have nothing to read. "
            "Leave other units or bins visible."
        )
        raise MaskError(msg)
