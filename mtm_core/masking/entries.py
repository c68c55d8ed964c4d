"""From entries (bins x units) back to blocks, and masks joined, met and turned inside out."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.choice import Block, Rates, UnitChoice
from mtm_core.masking.spec import MaskSpec

Entries = NDArray[np.bool_]
Combination = Literal["union", "intersection", "difference"]

COMBINATIONS: tuple[Combination, ...] = ("union", "intersection", "difference")
"""How two masks can be combined: either hides, both hide, the first but not the second hides."""


def cover(is_hidden: Entries, session: Session) -> tuple[Block, ...]:
    """Write entries as blocks: by region where a whole region is meant, else by unit ids.

    Parameters
    ----------
    is_hidden : ndarray of bool, shape (n_bins, n_units)
        What the blocks shall hold.
    session : Session
        Whose units and regions these are.

    Returns
    -------
    tuple of Block
        Their union holds exactly these entries; ranges of bins in rising order, whole trials
        first.
    """
    blocks: list[Block] = []
    regions = _Regions(session)
    for (first, stop), units in _ranges(is_hidden).items():
        bins = None if (first, stop) == (0, len(is_hidden)) else (first, stop)
        blocks += [Block(choice, bins=bins) for choice in regions.choose(units)]
    return tuple(blocks)


class _Regions:
    """Names chosen units: all of them, whole regions by name, and the others by id."""

    def __init__(self, session: Session) -> None:
        names, self._code = np.unique(session.region, return_inverse=True)
        self._names = names.tolist()
        self._size = np.bincount(self._code)
        known = set(session.region_names())
        self._is_named = np.array([name in known for name in self._names])
        self._unit_id = session.unit_id

    def choose(self, is_chosen: Entries) -> list[UnitChoice]:
        if is_chosen.all():
            return [UnitChoice.every()]
        n_chosen = np.bincount(self._code[is_chosen], minlength=len(self._names))
        is_whole = (n_chosen == self._size) & self._is_named
        choices = [UnitChoice.of_region(self._names[k]) for k in np.flatnonzero(is_whole)]
        loose = is_chosen & ~is_whole[self._code]
        if loose.any():
            choices.append(UnitChoice.these(self._unit_id[loose].tolist()))
        return choices


def combine(
    kind: str, first: MaskSpec, second: MaskSpec, session: Session, rate_hz: Rates | None = None
) -> MaskSpec:
    """Combine what two masks hide; units hidden in turn count as hidden.

    Parameters
    ----------
    kind : {"union", "intersection", "difference"}
        What is hidden in the end: what either hides, what both hide, or what the first hides and
        the second does not.
    first, second : MaskSpec
        The masks; the prompt is that of the first.
    session : Session
        The recording they are applied to.
    rate_hz : ndarray of float, shape (n_units,), optional
        Mean rates over training trials, for rules that look at them.

    Raises
    ------
    UnknownNameError
        If there is no such combination.
    MaskError
        If nothing would be hidden, or a mask does not fit the session.
    """
    if kind not in COMBINATIONS:
        raise UnknownNameError("combination of masks", kind, COMBINATIONS)
    if kind == "union" and _is_plain(first) and _is_plain(second):
        blocks = tuple(dict.fromkeys((*first.blocks, *second.blocks)))
        return MaskSpec(blocks=blocks, prompt=first.prompt)
    one, other = (spec.hidden_entries(session, rate_hz) for spec in (first, second))
    joint = {"union": one | other, "intersection": one & other, "difference": one & ~other}[kind]
    if not joint.any():
        msg = {
            "intersection": "The two masks hide nothing in common.",
            "difference": "The second mask hides all that the first one hides: nothing is left.",
        }.get(kind, "Neither mask hides anything.")
        raise MaskError(msg)
    return MaskSpec(blocks=cover(joint, session), prompt=first.prompt)


def complement(spec: MaskSpec, session: Session, rate_hz: Rates | None = None) -> MaskSpec:
    """Hide what a mask shows, and show what it hides.

    Raises
    ------
    MaskError
        If the mask hides everything, so that nothing would be hidden.
    """
    rest = ~spec.hidden_entries(session, rate_hz)
    if not rest.any():
        msg = "This mask hides everything: turned inside out it would hide nothing."
        raise MaskError(msg)
    return MaskSpec(blocks=cover(rest, session), prompt=spec.prompt)


def _is_plain(spec: MaskSpec) -> bool:
    return spec.scored is None and not spec.one_at_a_time


def _ranges(is_hidden: Entries) -> dict[tuple[int, int], Entries]:
    """Gather the units that are hidden in the same run of bins, by first bin and stop."""
    n_bins, n_units = is_hidden.shape
    edges = np.diff(is_hidden.astype(np.int8), axis=0, prepend=0, append=0).T
    unit, first = np.nonzero(edges == 1)
    stop = np.nonzero(edges == -1)[1]
    key = first * (n_bins + 1) - stop  # earlier first, and of these longer first
    ranges: dict[tuple[int, int], Entries] = {}
    for value in np.unique(key):
        runs = np.flatnonzero(key == value)
        units = np.zeros(n_units, dtype=bool)
        units[unit[runs]] = True
        ranges[int(first[runs[0]]), int(stop[runs[0]])] = units
    return ranges
