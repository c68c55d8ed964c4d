"""Edits of a custom mask that work on entries: paint, erase, grow, turn inside out, thin out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.entries import cover
from mtm_core.masking.spec import MaskSpec
from mtm_core.seeding import numpy_generator
from mtm_viewer.presenters.mask_choice import HiddenParts, Rates, parts_from_entries

Entries = NDArray[np.bool_]
Extent = Literal["entries", "units", "bins"]
RandomScope = Literal["all", "region", "hidden"]

EXTENTS: Mapping[Extent, str] = MappingProxyType(
    {"entries": "units x bins", "units": "whole units", "bins": "time range"}
)
"""What a stroke hides of the rows and bins that it crosses."""
RANDOM_SCOPES: Mapping[RandomScope, str] = MappingProxyType(
    {"all": "of all units", "region": "of each region", "hidden": "of the hidden units"}
)
"""Where random units are drawn from."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Stroke:
    """What a person painted over a raster.

    Parameters
    ----------
    unit_id : ndarray of str, shape (n_rows,)
        The unit of each row of the raster: masks know units by their ids, never by rows.
    is_inside : ndarray of bool, shape (n_rows, n_bins)
        Entries that the stroke covers.
    is_erasing : bool
        Show them again, in place of hiding them.
    extent : str
        One of `EXTENTS`.
    """

    unit_id: NDArray[np.str_]
    is_inside: NDArray[np.bool_]
    is_erasing: bool = False
    extent: Extent = "entries"

    def entries(self, session: Session) -> Entries:
        """Return what the stroke means in a session, bool (n_bins, n_units).

        Raises
        ------
        MaskError
            If a painted unit is not in the session, or its bins are others.
        """
        if self.extent not in EXTENTS:
            raise UnknownNameError("extent of a stroke", self.extent, EXTENTS)
        place = {name: row for row, name in enumerate(session.unit_id.tolist())}
        columns = [place.get(name, -1) for name in self.unit_id.tolist()]
        if -1 in columns or self.is_inside.shape[1] != session.n_bins:
            msg = "What was painted does not belong to this session. Paint it again."
            raise MaskError(msg)
        inside = np.zeros((session.n_bins, session.n_units), dtype=bool)
        inside[:, columns] = self.is_inside.T
        if self.extent == "units":
            inside |= np.any(inside, axis=0, keepdims=True)
        elif self.extent == "bins":
            inside |= np.any(inside, axis=1, keepdims=True)
        return inside


def paint(parts: HiddenParts, stroke: Stroke, session: Session, rates: Rates) -> HiddenParts:
    """Hide what a stroke covers, or show it again.

    What was hidden by region, id or rule stays so while a stroke only adds to it; erasing turns
    a rule into the units that it chose.
    """
    inside = stroke.entries(session)
    before = parts.hidden_entries(session, rates)
    if stroke.is_erasing:
        return parts_from_entries(before & ~inside, session)
    if not parts.rule:
        return parts_from_entries(before | inside, session)
    painted = MaskSpec(blocks=parts.painted).hidden_entries(session, rates)
    return replace(parts, painted=cover(painted | (inside & ~before), session))


def stroke_words(before: Entries, after: Entries) -> str:
    """Name a stroke for the history by what it changed.

    Parameters
    ----------
    before, after : ndarray of bool, shape (n_bins, n_units)
        What was hidden before and after it.

    Examples
    --------
    >>> stroke_words(np.zeros((4, 3), bool), np.eye(4, 3, dtype=bool))
    'paint 3 entries of 3 units'
    >>> stroke_words(np.ones((4, 1), bool), np.zeros((4, 1), bool))
    'erase 1 unit'
    """
    changed = before != after
    verb = "erase" if after.sum() < before.sum() else "paint"
    n_units, n_entries = int(changed.any(axis=0).sum()), int(changed.sum())
    units = f"{n_units} unit{'' if n_units == 1 else 's'}"
    if changed[:, changed.any(axis=0)].all():
        return f"{verb} {units}"
    return f"{verb} {n_entries} {'entry' if n_entries == 1 else 'entries'} of {units}"


def grow_to_regions(parts: HiddenParts, session: Session, rates: Rates) -> HiddenParts:
    """Hide of every region with hidden units the same bins for all of its units.

    Raises
    ------
    MaskError
        If no unit with a region is hidden.
    """
    is_hidden = parts.hidden_entries(session, rates)
    grown = is_hidden.copy()
    for name in session.region_names():
        members = np.flatnonzero(session.region == name)
        grown[:, members] |= is_hidden[:, members].any(axis=1, keepdims=True)
    if not grown.any():
        msg = "Nothing is hidden that could grow to its region. Hide a unit, or brush some."
        raise MaskError(msg)
    return parts_from_entries(grown, session)


def invert(parts: HiddenParts, session: Session, rates: Rates) -> HiddenParts:
    """Hide what is visible, and show what is hidden."""
    return parts_from_entries(~parts.hidden_entries(session, rates), session)


def only_units(wanted: NDArray[np.bool_], session: Session) -> HiddenParts:
    """Hide some units, bool (n_units,), and nothing else."""
    return parts_from_entries(np.tile(wanted, (session.n_bins, 1)), session)


def random_units(
    parts: HiddenParts, scope: str, percent: float, seed: int, session: Session, rates: Rates
) -> HiddenParts:
    """Hide a random share of units, in place of what is hidden.

    Parameters
    ----------
    parts : HiddenParts
        The mask so far.
    scope : str
        One of `RANDOM_SCOPES`: draw from all units, from the units of each region apart, or from
        the hidden ones (which thins them out).
    percent : float
        Share of the units to hide, above 0 and up to 100; at least one unit is.
    seed : int
        Same seed, same units: of a larger share, the smaller share is a part.
    session : Session
        The recording.
    rates : ndarray, shape (n_units,)
        Mean rates of training trials, for rules.

    Raises
    ------
    MaskError
        If there is no unit to draw from.
    """
    if scope not in RANDOM_SCOPES:
        raise UnknownNameError("choice of units to draw from", scope, RANDOM_SCOPES)
    rng = numpy_generator(seed, "random units", session.session_id)
    draw = rng.random(session.n_units)
    pools = [np.ones(session.n_units, dtype=bool)]
    if scope == "region":
        pools = [session.region == name for name in sorted(set(session.region.tolist()))]
    elif scope == "hidden":
        pools = [parts.hidden_units(session, rates)]
    wanted = np.zeros(session.n_units, dtype=bool)
    for pool in pools:
        members = np.flatnonzero(pool)
        n_drawn = max(1, round(percent / 100 * len(members)))
        wanted[members[np.argsort(draw[members])[:n_drawn]]] = True
    if not wanted.any():
        msg = "No unit is hidden to draw from. Hide some first, or draw from all units."
        raise MaskError(msg)
    return only_units(wanted, session)
