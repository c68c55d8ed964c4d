"""Units along their probes: depth upwards, regions as bands, the score to the right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.unit_labels import region_colour
from mtm_core.masking.region_level import LevelName, level_labels
from mtm_viewer.presenters.population import (
    SCORE,
    PopulationAnswer,
    marks,
    score_limits,
)
from mtm_viewer.presenters.population_drawable import MARK_WORDS, Band, Mark, PointCloud
from mtm_viewer.presenters.raster_scene import colours_of

NO_DEPTH = (
    "Depth: not in this session. It comes with recordings that hold depth_um for their units, as "
    "those of IBL do."
)
_GUTTER, _FIRST, _WIDTH = 0.04, 0.12, 0.83
"""In a probe's lane, which is 1 wide: where unscored units stand, and the axis of scores."""
_ROOM = 0.03
_UNNAMED = "probe"


def probe_depth(
    session: Session, answer: PopulationAnswer | None, level: LevelName = "given"
) -> PointCloud:
    """Draw all units of known depth; those that are scored stand right by their score.

    Parameters
    ----------
    session : Session
        The recording.
    answer : PopulationAnswer or None
        Scores, if there are any.
    level : {"given", "beryl", "cosmos"}
        How finely the brain is divided.
    """
    depth = session.units.columns.get("depth_um")
    if depth is None or not depth.is_valid.any():
        return PointCloud.empty(NO_DEPTH)
    units = np.flatnonzero(depth.is_valid)
    depth_um = depth.values[units].astype(np.float64)
    probe = _probes(session)[units]
    names, which = np.unique(probe, return_inverse=True)
    lane = np.ravel(which).astype(np.float64)
    place, has_place, mark, ends = _scores(session, answer)
    labels = level_labels(session, level)[units]
    low, high = float(depth_um.min()), float(depth_um.max())
    room = _ROOM * max(high - low, 1.0)
    return PointCloud(
        x=lane + np.where(has_place, _FIRST + _WIDTH * place, _GUTTER)[units],
        y=depth_um,
        units=units.astype(np.int64),
        unit_id=session.unit_id[units],
        colour=colours_of(labels),
        mark=mark[units],
        x_range=(0.0, float(len(names))),
        y_range=(low - room, high + room),
        x_ticks=tuple((k + 0.5, str(name)) for k, name in enumerate(names.tolist())),
        x_label=_axis_words(ends),
        y_label="probe depth (\N{MICRO SIGN}m)",
        zeros=_zero_lines(ends, len(names), (low - room, high + room)),
        bands=_bands(labels, depth_um, lane, len(names), (low - room, high + room)),
        note=_note(session, len(units), mark[units]),
    )


def _probes(session: Session) -> NDArray[np.str_]:
    column = session.units.columns.get("probe")
    if column is None:
        return np.full(session.n_units, _UNNAMED)
    return np.where(column.is_valid, column.values, _UNNAMED).astype(np.str_)


def _scores(
    session: Session, answer: PopulationAnswer | None
) -> tuple[NDArray[np.float64], NDArray[np.bool_], NDArray[np.int8], tuple[float, float] | None]:
    """Return each unit's place on the axis of scores, which have one, marks, and the ends."""
    place, has_place = np.zeros(session.n_units), np.zeros(session.n_units, dtype=bool)
    mark = np.full(session.n_units, Mark.UNSCORED, dtype=np.int8)
    if answer is None:
        return place, has_place, mark, None
    facts = answer.facts
    low, high = score_limits(facts)
    is_valid = facts.bps.is_valid
    scored = facts.units[is_valid]
    place[scored] = (np.clip(facts.bps.values[is_valid], low, high) - low) / (high - low)
    has_place[scored] = True
    mark[scored] = marks(facts)[is_valid]
    return place, has_place, mark, (low, high)


def _axis_words(ends: tuple[float, float] | None) -> str:
    if ends is None:
        return "nothing is scored"
    low, high = (f"{end:.2f}".replace("-", "\N{MINUS SIGN}") for end in ends)
    return f"{low} to {high} {SCORE}"


def _zero_lines(
    ends: tuple[float, float] | None, n_probes: int, heights: tuple[float, float]
) -> tuple[tuple[float, float, float, float], ...]:
    if ends is None:
        return ()
    zero = _FIRST + _WIDTH * (0 - ends[0]) / (ends[1] - ends[0])
    return tuple((k + zero, heights[0], k + zero, heights[1]) for k in range(n_probes))


def _bands(
    labels: NDArray[np.str_],
    depth_um: NDArray[np.float64],
    lane: NDArray[np.float64],
    n_probes: int,
    heights: tuple[float, float],
) -> tuple[Band, ...]:
    """Divide each probe where the region of its units changes, half-way between them."""
    bands = []
    for k in range(n_probes):
        mine = np.flatnonzero(lane == k)
        mine = mine[np.argsort(depth_um[mine], kind="stable")]
        names, depths = labels[mine], depth_um[mine]
        cuts = np.flatnonzero(names[1:] != names[:-1]) + 1
        edges = [heights[0], *((depths[cuts - 1] + depths[cuts]) / 2).tolist(), heights[1]]
        for first, low, high in zip([0, *cuts.tolist()], edges[:-1], edges[1:], strict=True):
            name = str(names[first])
            bands.append(
                Band(
                    name=name,
                    colour=region_colour(name),
                    left=float(k),
                    right=float(k + 1),
                    low=float(low),
                    high=float(high),
                )
            )
    return tuple(bands)


def _note(session: Session, n_drawn: int, mark: NDArray[np.int8]) -> str:
    parts = [f"{n_drawn} of {session.n_units} units"]
    if n_drawn < session.n_units:
        parts.append(f"{session.n_units - n_drawn} of unknown depth left out")
    seen = [MARK_WORDS[Mark(kind)] for kind in np.unique(mark).tolist() if kind != Mark.USUAL]
    bands = "in each probe scores grow to the right; bands: regions of neighbouring units"
    return "; ".join([*parts, bands, *seen])
