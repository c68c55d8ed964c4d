"""What a region-to-region matrix is made of: which regions, which of their units, which settings.

A cell says how well the *column* region is predicted from the *row* region alone. Regions differ
in their numbers of units, and more units tell more and are told better; so every region is
represented by equally many units, drawn anew several times. In a draw the same units of a region
are shown where it is a row and scored where it is a column, so that a cell and its transpose ask
about the same units.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import sort_regions
from mtm_core.data.session import Session
from mtm_core.errors import ConfigError, DataError, UnknownNameError
from mtm_core.masking.region_level import LEVEL_WORDS, LEVELS, LevelName, level_labels
from mtm_core.masking.targets import region_sizes, target_regions
from mtm_core.models.manifest import PartName
from mtm_core.seeding import numpy_generator

FEWEST_UNITS = 2
"""Units without which no region is a row or a column."""


@dataclass(frozen=True, kw_only=True)
class MatrixSettings:
    """How a matrix is made.

    Parameters
    ----------
    level : {"given", "beryl", "cosmos"}
        Where the names of regions come from.
    min_units : int
        Smaller regions are left out.
    n_units : int
        Units that represent every region; 0: as many as the smallest of those kept has.
    n_draws : int
        Draws of these units; scores are pooled over them.
    split : {"test", "val", "train"}
        Which of the checkpoint's trials are scored.
    with_regression : bool
        Fit the rival as well.
    seed : int
        Of the draws and of the intervals.

    Raises
    ------
    ConfigError
        If a number is out of its range.
    """

    level: LevelName = "given"
    min_units: int = 10
    n_units: int = 0
    n_draws: int = 10
    split: PartName = "test"
    with_regression: bool = True
    seed: int = 0

    def __post_init__(self) -> None:
        if self.level not in LEVELS:
            raise UnknownNameError("level of regions", self.level, LEVELS)
        ranges = {"min_units": FEWEST_UNITS, "n_draws": 1}
        flags = {"min_units": "--min-units", "n_draws": "--draws"}
        for name, least in ranges.items():
            if not least <= getattr(self, name) <= 1000:
                msg = (
                    f"{flags[name]} is {getattr(self, name)}, but must lie between {least} "
                    "and 1000."
                )
                raise ConfigError(msg)
        if self.n_units and not FEWEST_UNITS <= self.n_units <= 100_000:
            msg = (
                f"--units is {self.n_units}, but must be 0 (as many as the smallest region has) "
                f"or at least {FEWEST_UNITS}."
            )
            raise ConfigError(msg)


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixPlan:
    """The regions of a matrix, and the units that stand for them.

    Parameters
    ----------
    settings : MatrixSettings
        What was asked for.
    labels : ndarray of str, shape (n_units,)
        Region of every unit of the session at the level.
    regions : tuple of str
        Rows and columns, in the atlas's order.
    sizes : mapping of str to int
        Units that each of them has.
    chosen : ndarray of int64, shape (n_regions, n_draws, n_matched)
        Rows of the session's units that stand for each region, in each draw; each sorted.
    left_out : mapping of str to str
        Other regions, and why they are left out.
    """

    settings: MatrixSettings
    labels: NDArray[np.str_]
    regions: tuple[str, ...]
    sizes: Mapping[str, int]
    chosen: NDArray[np.int64]
    left_out: Mapping[str, str]

    @property
    def n_regions(self) -> int:
        """Number of rows, which is that of columns."""
        return len(self.regions)

    @property
    def n_matched(self) -> int:
        """Units that stand for every region."""
        return int(self.chosen.shape[2])

    def members(self, region: str) -> NDArray[np.bool_]:
        """Say which units lie in a region, bool (n_units,)."""
        return np.asarray(self.labels == region)


def plan_matrix(
    session: Session, settings: MatrixSettings, is_missing: NDArray[np.bool_] | None = None
) -> MatrixPlan:
    """Choose the regions of a session's matrix, and draw the units that stand for them.

    Parameters
    ----------
    session : Session
        The recording, as the model sees it.
    settings : MatrixSettings
        What is asked for.
    is_missing : ndarray of bool, shape (n_units,), optional
        Units that the recording lacks: they stand for nothing.

    Raises
    ------
    DataError
        If fewer than two regions are large enough.
    """
    labels = level_labels(session, settings.level)
    if is_missing is not None:
        labels = np.where(is_missing, "", labels)
    sizes = region_sizes(labels)
    least = max(settings.min_units, settings.n_units)
    regions = tuple(sort_regions(target_regions(labels, least)))
    if len(regions) < 2:
        raise DataError(_too_few(regions, settings, least))
    n_matched = settings.n_units or min(sizes[name] for name in regions)
    return MatrixPlan(
        settings=settings,
        labels=labels,
        regions=regions,
        sizes={name: sizes[name] for name in regions},
        chosen=_draw(labels, regions, n_matched, settings, session.session_id),
        left_out=_left_out(sizes, regions, least),
    )


def _draw(
    labels: NDArray[np.str_],
    regions: tuple[str, ...],
    n_matched: int,
    settings: MatrixSettings,
    session_id: str,
) -> NDArray[np.int64]:
    chosen = np.empty((len(regions), settings.n_draws, n_matched), dtype=np.int64)
    for place, name in enumerate(regions):
        members = np.flatnonzero(labels == name)
        rng = numpy_generator(settings.seed, "region matrix", settings.level, name, session_id)
        for draw in range(settings.n_draws):
            chosen[place, draw] = np.sort(rng.choice(members, n_matched, replace=False))
    return chosen


def _left_out(sizes: Mapping[str, int], regions: tuple[str, ...], least: int) -> dict[str, str]:
    named = target_regions(np.array(list(sizes)), 1)
    return {
        name: f"{size} units, fewer than {least}" if name in named else "not a named region"
        for name, size in sizes.items()
        if name and name not in regions
    }


def _too_few(regions: tuple[str, ...], settings: MatrixSettings, least: int) -> str:
    found = f"only {regions[0]}" if regions else "none"
    flag = "--units" if settings.n_units > settings.min_units else "--min-units"
    return (
        f"A matrix needs two regions of at least {least} units, and of the "
        f"{LEVEL_WORDS[settings.level]} {found} has as many. Lower {flag}, or choose another "
        "--level."
    )
