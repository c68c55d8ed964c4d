"""Which units, and which bins of them: the building blocks of a person's mask."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.rule_nodes import printable
from mtm_core.masking.rules import parse_rule

Rates = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class UnitChoice:
    """Some units of a session: by id, by region, by rule, or all of them.

    Make one with `every`, `these`, `of_region` or `by_rule`. At most one field is set; none
    means every unit.

    Parameters
    ----------
    ids : tuple of str or None
        Unit ids; kept sorted and unique.
    region : str or None
        Acronym as given with the recording.
    rule : str or None
        A rule (see `mtm_core.masking.rules`).

    Raises
    ------
    MaskError
        If more than one field is set, no id is listed, or the rule is not a rule.
    """

    ids: tuple[str, ...] | None = None
    region: str | None = None
    rule: str | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.ids, self.region, self.rule)) > 1:
            msg = "Choose units by id, by region or by rule, not by several of these at once."
            raise MaskError(msg)
        if self.ids is not None:
            if not self.ids:
                msg = "A choice of units by id lists no id."
                raise MaskError(msg)
            object.__setattr__(self, "ids", tuple(sorted(set(self.ids))))
        if self.rule is not None:
            object.__setattr__(self, "rule", parse_rule(self.rule).text)

    @classmethod
    def every(cls) -> UnitChoice:
        """Choose all units."""
        return cls()

    @classmethod
    def these(cls, ids: Iterable[str]) -> UnitChoice:
        """Choose units by their ids."""
        return cls(ids=tuple(map(str, ids)))

    @classmethod
    def of_region(cls, region: str) -> UnitChoice:
        """Choose the units of a region."""
        return cls(region=region)

    @classmethod
    def by_rule(cls, rule: str) -> UnitChoice:
        """Choose the units for which a rule is true."""
        return cls(rule=rule)

    @property
    def needs_rates(self) -> bool:
        """True if a rule looks at the rates of training trials."""
        return self.rule is not None and parse_rule(self.rule).needs_rates

    def select(self, session: Session, rate_hz: Rates | None = None) -> NDArray[np.bool_]:
        """Say which units of a session are chosen, bool (n_units,).

        Parameters
        ----------
        session : Session
            The recording.
        rate_hz : ndarray of float, shape (n_units,), optional
            Mean rates over training trials, for rules that look at them.

        Raises
        ------
        MaskError
            If the region or an id is not in this session, or the rule does not apply.
        """
        if self.rule is not None:
            return parse_rule(self.rule).select(session.units, rate_hz)
        if self.region is not None:
            return self._select_region(session, self.region)
        if self.ids is not None:
            return self._select_ids(session, self.ids)
        return np.ones(session.n_units, dtype=bool)

    @staticmethod
    def _select_region(session: Session, region: str) -> NDArray[np.bool_]:
        known = session.region_names()
        if region not in known:
            raise MaskError(unknown_region(region, known))
        is_chosen: NDArray[np.bool_] = session.region == region
        return is_chosen

    @staticmethod
    def _select_ids(session: Session, ids: tuple[str, ...]) -> NDArray[np.bool_]:
        is_chosen: NDArray[np.bool_] = np.isin(session.unit_id, np.array(ids))
        if is_chosen.sum() < len(ids):
            missing = sorted(set(ids) - set(session.unit_id.tolist()))
            shown = ", ".join(missing[:3]) + (", ..." if len(missing) > 3 else "")
            msg = f"{len(missing)} of {len(ids)} chosen units are not in this session: {shown}."
            raise MaskError(msg)
        return is_chosen


@dataclass(frozen=True)
class Block:
    """Chosen units in a range of bins.

    Parameters
    ----------
    units : UnitChoice
        Which units; by default every one.
    bins : tuple of int or None
        First bin, and the bin after the last one; None means all bins.
    invert : bool
        Take the units that are *not* chosen (in the same bins).

    Raises
    ------
    MaskError
        If the range of bins is empty or begins before 0.

    Examples
    --------
    >>> Block(units=UnitChoice.of_region("CA1"), bins=(36, 40))  # doctest: +ELLIPSIS
    Block(units=UnitChoice(...region='CA1'...), bins=(36, 40), invert=False)
    """

    units: UnitChoice = field(default_factory=UnitChoice)
    bins: tuple[int, int] | None = None
    invert: bool = False

    def __post_init__(self) -> None:
        if self.bins is not None and not 0 <= self.bins[0] < self.bins[1]:
            first, stop = self.bins
            msg = f"Bins {first}:{stop} are no range; write FIRST:STOP, such as 36:40."
            raise MaskError(msg)

    def select_units(self, session: Session, rate_hz: Rates | None = None) -> NDArray[np.bool_]:
        """Say which units the block holds, bool (n_units,); see `UnitChoice.select`."""
        is_chosen = self.units.select(session, rate_hz)
        return ~is_chosen if self.invert else is_chosen

    def fill(self, session: Session, rate_hz: Rates | None = None) -> NDArray[np.bool_]:
        """Say which entries the block holds, bool (n_bins, n_units).

        Raises
        ------
        MaskError
            If a bin lies behind the last one, or a rule chooses no unit.
        """
        is_unit = self.units.select(session, rate_hz)
        if not is_unit.any():
            msg = f"No unit of this session fits the rule '{self.units.rule}'. Loosen it."
            raise MaskError(msg)
        first, stop = self.bins or (0, session.n_bins)
        if stop > session.n_bins:
            msg = f"Bins {first}:{stop} reach behind the last of the {session.n_bins} bins."
            raise MaskError(msg)
        is_held = np.zeros((session.n_bins, session.n_units), dtype=bool)
        is_held[first:stop] = is_unit != self.invert
        return is_held


def unknown_region(region: str, known: Iterable[str]) -> str:
    """Return a sentence about a region that a session lacks, with the nearest one it has."""
    names = list(known)
    if not names:
        return f"There is no region '{printable(region)}': this session has no regions at all."
    return str(UnknownNameError("region", printable(region), names)).replace(
        "There is no region", "This session has no region"
    )
