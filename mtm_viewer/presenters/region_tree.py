"""Units as a tree: Cosmos group > Beryl region > area as given > unit, and which are hidden."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import load_regions, sort_regions
from mtm_core.data.session import Session
from mtm_core.evaluation.unit_labels import region_colour, unit_number
from mtm_core.masking.spec import ResolvedMask

NO_REGION = "no region given"
"""Heading of units that the recording gives no region."""
_UNNAMED = {"root": "in the brain, no finer region known", "void": "region unknown"}

Rows = NDArray[np.int64]


class Visibility(IntEnum):
    """What a mask does to a unit."""

    VISIBLE = 0
    """The model sees all of it."""
    PARTLY = 1
    """Hidden in some bins."""
    HIDDEN = 2
    """Hidden in every bin."""
    IN_TURN = 3
    """Hidden while it is predicted itself, visible while others are."""
    MIXED = 4
    """Of a heading: its units differ."""


WORDS = {
    Visibility.VISIBLE: "visible",
    Visibility.PARTLY: "hidden in some bins",
    Visibility.HIDDEN: "hidden",
    Visibility.IN_TURN: "each unit hidden in turn",
    Visibility.MIXED: "partly hidden",
}
"""What each state is called."""


class Level(IntEnum):
    """What a row of the tree stands for."""

    GROUP = 0
    """A Cosmos group."""
    BERYL = 1
    """A Beryl region whose units were given finer areas."""
    REGION = 2
    """An area as given with the recording: what masks call a region."""
    UNIT = 3


@dataclass(frozen=True, eq=False, kw_only=True)
class RegionNode:
    """A heading of the tree.

    Parameters
    ----------
    level : Level
        Group, Beryl region or area.
    acronym, name, colour : str
        As the atlas has them; a region that it does not know has its acronym for a name.
    rows : ndarray of int64
        Rows of its units in the session.
    children : tuple of RegionNode
        Headings below it; none below an area, where its units stand.
    """

    level: Level
    acronym: str
    name: str
    colour: str
    rows: Rows
    children: tuple[RegionNode, ...] = ()

    @property
    def regions(self) -> tuple[str, ...]:
        """The areas below it that masks know by name."""
        if self.level is Level.REGION:
            return () if self.acronym == NO_REGION else (self.acronym,)
        return tuple(name for child in self.children for name in child.regions)


@dataclass(frozen=True, eq=False, kw_only=True)
class RegionTree:
    """What the tree shows.

    Parameters
    ----------
    groups : tuple of RegionNode
        In the order of the atlas; groups without a named region come last.
    unit_id : ndarray of str, shape (n_units,)
        Full ids, of all units of the session.
    unit_label : ndarray of str, shape (n_units,)
        Short names to read.
    rate_hz : ndarray of float, shape (n_units,)
        Mean rates, spikes/s.
    """

    groups: tuple[RegionNode, ...]
    unit_id: NDArray[np.str_]
    unit_label: NDArray[np.str_]
    rate_hz: NDArray[np.float64]

    @property
    def n_shown(self) -> int:
        """Number of units in the tree."""
        return sum(len(group.rows) for group in self.groups)


def region_tree(session: Session, rate_hz: NDArray[np.floating]) -> RegionTree:
    """Arrange the units of a session by region, regions in the order of the atlas."""
    maker = _Maker(session)
    names = _last_unnamed(sort_regions(set(maker.cosmos.tolist())))
    groups = tuple(maker.group(name) for name in names)
    return RegionTree(
        groups=groups,
        unit_id=session.unit_id,
        unit_label=np.array([f"unit #{unit_number(uid)}" for uid in session.unit_id.tolist()]),
        rate_hz=rate_hz.astype(np.float64),
    )


def filter_tree(tree: RegionTree, query: str) -> RegionTree:
    """Keep what matches a search: a group or region by acronym or name, or units by their id.

    Examples
    --------
    >>> tree = RegionTree(groups=(), unit_id=np.array([""]), unit_label=np.array([""]),
    ...     rate_hz=np.zeros(1))
    >>> filter_tree(tree, " ") is tree
    True
    """
    word = query.strip().lower()
    if not word:
        return tree
    is_match = np.char.find(np.char.lower(tree.unit_id), word) >= 0
    kept = [_filter(group, word, is_match) for group in tree.groups]
    return replace(tree, groups=tuple(group for group in kept if len(group.rows)))


def unit_visibility(mask: ResolvedMask | None, n_units: int) -> NDArray[np.int8]:
    """Say what a mask does to each unit, shape (n_units,), values of `Visibility`."""
    if mask is None:
        return np.full(n_units, Visibility.VISIBLE, dtype=np.int8)
    is_all, is_any = mask.is_hidden.all(axis=0), mask.is_hidden.any(axis=0)
    is_in_turn = mask.is_scored.any(axis=0) if mask.one_at_a_time else np.zeros_like(is_any)
    states = [Visibility.HIDDEN, Visibility.IN_TURN, Visibility.PARTLY]
    return np.select([is_all, is_in_turn, is_any], states, Visibility.VISIBLE).astype(np.int8)


def joint_visibility(visibility: NDArray[np.int8]) -> Visibility:
    """Say in one word what holds for all units under a heading.

    Examples
    --------
    >>> joint_visibility(np.array([2, 2], np.int8)).name, joint_visibility(np.array([0, 2])).name
    ('HIDDEN', 'MIXED')
    """
    first = visibility[0] if len(visibility) else Visibility.VISIBLE
    return Visibility(int(first)) if (visibility == first).all() else Visibility.MIXED


def _text(session: Session, field: str) -> NDArray[np.str_]:
    column = session.units.column(field)
    return np.where(column.is_valid, column.values, NO_REGION).astype(np.str_)


def _last_unnamed(names: list[str]) -> list[str]:
    return sorted(names, key=lambda name: name in (*_UNNAMED, NO_REGION))


class _Maker:
    """Makes headings from the columns of a session."""

    def __init__(self, session: Session) -> None:
        fields = ("region", "region_beryl", "region_cosmos")
        self.region, self.beryl, self.cosmos = (_text(session, field) for field in fields)

    def group(self, name: str) -> RegionNode:
        inside = self.cosmos == name
        names = sort_regions(set(self.beryl[inside].tolist()))
        children = tuple(self._beryl(beryl, inside) for beryl in names)
        return _node(Level.GROUP, name, np.flatnonzero(inside), children)

    def _beryl(self, name: str, is_above: NDArray[np.bool_]) -> RegionNode:
        """Make a heading with the areas as given below it; one alone of its name needs none."""
        inside = is_above & (self.beryl == name)
        names = sort_regions(set(self.region[inside].tolist()))
        areas = tuple(
            _node(Level.REGION, area, np.flatnonzero(inside & (self.region == area)))
            for area in names
        )
        if names == [name]:
            return areas[0]
        return _node(Level.BERYL, name, np.flatnonzero(inside), areas)


def _node(
    level: Level, acronym: str, rows: Rows, children: tuple[RegionNode, ...] = ()
) -> RegionNode:
    name, colour = _look_up(acronym)
    return RegionNode(
        level=level, acronym=acronym, name=name, colour=colour, rows=rows, children=children
    )


def _look_up(acronym: str) -> tuple[str, str]:
    info = load_regions().get(acronym)
    if acronym in _UNNAMED:
        return _UNNAMED[acronym], region_colour(acronym)
    return (acronym if info is None else info.name), region_colour(acronym)


def _filter(node: RegionNode, word: str, is_match: NDArray[np.bool_]) -> RegionNode:
    if word in node.acronym.lower() or word in node.name.lower():
        return node
    if node.level is Level.REGION:
        return replace(node, rows=node.rows[is_match[node.rows]])
    below = [_filter(child, word, is_match) for child in node.children]
    kept = tuple(child for child in below if len(child.rows))
    nothing = np.zeros(0, dtype=np.int64)
    rows = np.concatenate([nothing, *(child.rows for child in kept)])
    return replace(node, rows=rows, children=kept)
