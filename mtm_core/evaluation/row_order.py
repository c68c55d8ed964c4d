"""In which order units stand in a raster: decided by training trials, never by what is shown.

Ordering rows by the test truth invents structure: noise peaks line up into a diagonal that any
map would show. So the order comes from the training trials, and every panel uses the same one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage, optimal_leaf_ordering
from scipy.spatial.distance import pdist

from mtm_core.data.session import Session
from mtm_core.errors import MissingFieldError, UnknownNameError
from mtm_core.evaluation.rastermap_order import FEWEST_UNITS, rastermap_order
from mtm_core.evaluation.rasters import ZScore, smooth, trial_mean_hz
from mtm_core.evaluation.unit_labels import region_ranks

WithinName = Literal["auto", "depth", "peak", "similarity", "rastermap", "bps", "rate", "given"]

ORDERS: tuple[WithinName, ...] = get_args(WithinName)
"""Orders within a region; `auto` is depth where the session has it, else peak time."""
ORDER_WORDS = {
    "depth": "depth, most superficial first",
    "peak": "time of peak in training trials",
    "similarity": "similarity in training trials",
    "rastermap": "similarity in single training trials (Rastermap)",
    "bps": "bits per spike of the PSTH across halves of the training trials, highest first",
    "rate": "rate in training trials, fastest first",
    "given": "the order of the file",
}
"""What each order means, in words for a caption."""
SIGMA_BINS = 2.0
"""Smoothing of the training map before peaks and similarities are read from it."""
MOST_LEAVES = 600
"""Above so many units a dendrogram keeps the order in which it was built: to find the best one
grows with the square and more, and would hold up everything else."""


@dataclass(frozen=True)
class RegionBand:
    """Rows of one region that stand together.

    Parameters
    ----------
    region : str
        Acronym.
    start, stop : int
        First row, and the row after the last.
    """

    region: str
    start: int
    stop: int

    @property
    def n_units(self) -> int:
        """Number of rows."""
        return self.stop - self.start


@dataclass(frozen=True, eq=False, kw_only=True)
class RowOrder:
    """Units in the order of the rows of a raster, top to bottom.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_rows,)
        Unit index of each row.
    bands : tuple of RegionBand
        Regions from top to bottom.
    words : str
        How the order was made, for a caption.
    is_by_region : bool
        Whether units of a region stand together; otherwise there are no bands.
    """

    rows: NDArray[np.int64]
    bands: tuple[RegionBand, ...]
    words: str
    is_by_region: bool = True


def order_rows(
    train_counts: NDArray[np.generic],
    region: NDArray[np.str_],
    *,
    within: WithinName = "auto",
    bin_size_s: float,
    region_rank: Mapping[str, float] | None = None,
    depth_um: NDArray[np.floating] | None = None,
    is_by_region: bool = True,
) -> RowOrder:
    """Order units by region, then by what their training trials say.

    Parameters
    ----------
    train_counts : ndarray, shape (n_trials, n_bins, n_units)
        Counts of the training trials only.
    region : ndarray of str, shape (n_units,)
        Acronym of each unit.
    within : str
        Order within a region, one of `ORDERS`.
    bin_size_s : float
        Duration of a bin.
    region_rank : mapping of str to float, optional
        Place of each region in the atlas; regions without one come last, by name.
    depth_um : ndarray, shape (n_units,), optional
        Distance from the tip of the probe.
    is_by_region : bool
        Keep the units of a region together; otherwise all units are ordered as one.

    Raises
    ------
    UnknownNameError
        If `within` is not an order.
    MissingFieldError
        If `within` is "depth" and the session has no depths.
    ConfigError
        If `within` is "rastermap" and that is not installed.
    """
    chosen = _choose(within, depth_um)
    keys = (
        (-np.asarray(depth_um, dtype=np.float64),)
        if chosen == "depth"
        else _training_keys(
            train_counts, chosen, region if is_by_region else np.zeros_like(region), bin_size_s
        )
    )
    if not is_by_region:
        rows = np.lexsort(keys[::-1]).astype(np.int64)
        words = f"units of all regions by {ORDER_WORDS[chosen]}"
        return RowOrder(rows=rows, bands=(), words=words, is_by_region=False)
    rank = np.array([(region_rank or {}).get(str(name), np.inf) for name in region])
    rows = np.lexsort((*keys[::-1], region, rank)).astype(np.int64)
    return RowOrder(
        rows=rows,
        bands=region_bands(region[rows]),
        words=f"units by region in atlas order, then by {ORDER_WORDS[chosen]}",
    )


def order_session(
    session: Session,
    train_trials: NDArray[np.int64],
    within: WithinName = "auto",
    *,
    is_by_region: bool = True,
) -> RowOrder:
    """Order the units of a recording by region, then by depth or by the training trials.

    Parameters
    ----------
    session : Session
        The recording.
    train_trials : ndarray of int64
        Rows of the training trials.
    within : str
        Order within a region, one of `ORDERS`.
    is_by_region : bool
        Keep the units of a region together; otherwise all units are ordered as one.

    Raises
    ------
    UnknownNameError
        If `within` is not an order.
    MissingFieldError
        If `within` is "depth" and a unit has no depth.
    """
    depth = session.units.columns.get("depth_um")
    has_depth = depth is not None and bool(depth.is_valid.all())
    return order_rows(
        session.counts[train_trials],
        session.region,
        within=within,
        bin_size_s=session.bin_size_s,
        region_rank=region_ranks(session.region_names()),
        depth_um=depth.values.astype(np.float64) if depth is not None and has_depth else None,
        is_by_region=is_by_region,
    )


def keep_rows(order: RowOrder, keep: NDArray[np.bool_], region: NDArray[np.str_]) -> RowOrder:
    """Return the same order with fewer units.

    Parameters
    ----------
    order : RowOrder
        Order of all units.
    keep : ndarray of bool, shape (n_units,)
        Units that stay.
    region : ndarray of str, shape (n_units,)
        Acronym of each unit.
    """
    rows = order.rows[keep[order.rows]]
    bands = region_bands(region[rows]) if order.is_by_region else ()
    return replace(order, rows=rows, bands=bands)


def region_bands(region_of_row: NDArray[np.str_]) -> tuple[RegionBand, ...]:
    """Join neighbouring rows of the same region.

    Examples
    --------
    >>> region_bands(np.array(["CA1", "CA1", "DG"]))
    (RegionBand(region='CA1', start=0, stop=2), RegionBand(region='DG', start=2, stop=3))
    """
    if len(region_of_row) == 0:
        return ()
    starts = [0, *(np.flatnonzero(region_of_row[1:] != region_of_row[:-1]) + 1).tolist()]
    stops = [*starts[1:], len(region_of_row)]
    return tuple(
        RegionBand(str(region_of_row[start]), start, stop)
        for start, stop in zip(starts, stops, strict=True)
    )


def _choose(within: str, depth_um: NDArray[np.floating] | None) -> str:
    if within not in ORDERS:
        raise UnknownNameError("order of rows", within, ORDERS)
    if within == "auto":
        return "peak" if depth_um is None else "depth"
    if within == "depth" and depth_um is None:
        msg = "This session has no depths to order units by. Choose peak, similarity or rate."
        raise MissingFieldError(msg)
    return within


def _training_keys(
    train_counts: NDArray[np.generic], chosen: str, region: NDArray[np.str_], bin_size_s: float
) -> tuple[NDArray[np.float64], ...]:
    n_units = len(region)
    if chosen == "given" or len(train_counts) == 0:
        return (np.arange(n_units, dtype=np.float64),)
    train_hz = trial_mean_hz(train_counts, bin_size_s)
    rate = train_hz.mean(axis=0)
    if chosen == "rate":
        return (-rate,)
    if chosen == "bps":
        return (-_psth_bps(train_counts), -rate)
    scored = ZScore.from_training(train_hz, len(train_counts), bin_size_s, SIGMA_BINS)
    z_map = scored.apply(smooth(train_hz, SIGMA_BINS))
    if chosen == "similarity":
        return (_similarity_key(z_map, region),)
    if chosen == "rastermap":
        return (_rastermap_key(train_counts, z_map, region),)
    peak = np.where(rate > 0, z_map.argmax(axis=0), train_hz.shape[0])
    return (peak.astype(np.float64), -rate)


def _psth_bps(counts: NDArray[np.generic]) -> NDArray[np.float64]:
    """Return each unit's gain of its PSTH over its mean rate, in bits per spike, (n_units,).

    The PSTH of every other trial is scored on the trials between, and the other way round, so
    that noise in it earns nothing.
    """
    halves = [counts[0::2], counts[1::2]]
    gain = np.zeros(counts.shape[2])
    for seen, scored in (halves, halves[::-1]):
        if not len(seen) or not len(scored):
            continue
        floor = 0.5 / (len(seen) * counts.shape[1])
        by_bin = smooth(seen.mean(axis=0, dtype=np.float64), SIGMA_BINS) + floor
        flat = by_bin.mean(axis=0)
        spikes = scored.sum(axis=0, dtype=np.float64)
        gain += (spikes * np.log(by_bin / flat)).sum(axis=0)  # both expect as many spikes
    total = counts.sum(axis=(0, 1), dtype=np.float64)
    bps: NDArray[np.float64] = gain / np.maximum(total, 1.0) / np.log(2)
    return bps


def _similarity_key(z_map: NDArray[np.float64], region: NDArray[np.str_]) -> NDArray[np.float64]:
    """Rank units of each region so that neighbours are alike.

    The leaves of a dendrogram (average linkage of correlation distances) are turned so that the
    distances between neighbours add up to the least (scipy's optimal leaf ordering).

    References
    ----------
    Bar-Joseph, Gifford, Jaakkola 2001, Bioinformatics 17, S22-S29.
    """
    key = np.zeros(z_map.shape[1])
    for name in np.unique(region):
        members = np.flatnonzero(region == name)
        if len(members) > 2:
            key[members[_leaf_order(z_map[:, members].T)]] = np.arange(len(members))
    return key


def _rastermap_key(
    counts: NDArray[np.generic], z_map: NDArray[np.float64], region: NDArray[np.str_]
) -> NDArray[np.float64]:
    """Rank units of each region by Rastermap; regions with few units by their dendrogram."""
    key = _similarity_key(z_map, region)
    for name in np.unique(region):
        members = np.flatnonzero(region == name)
        if len(members) >= FEWEST_UNITS:
            key[members[rastermap_order(counts[:, :, members])]] = np.arange(len(members))
    return key


def _leaf_order(courses: NDArray[np.float64]) -> NDArray[np.int64]:
    """Order time courses, (n_units, n_bins), by likeness; those that peak early come first."""
    spread = courses - courses.mean(axis=1, keepdims=True)
    length = np.linalg.norm(spread, axis=1, keepdims=True)
    # A course without any spread is like no other; a constant would have no correlation at all.
    unit = np.where(length > 0, spread / np.where(length > 0, length, 1.0), 0.0)
    distance = pdist(unit, "sqeuclidean") / 2
    tree = linkage(distance, "average")
    if len(courses) <= MOST_LEAVES:
        tree = optimal_leaf_ordering(tree, distance)
    order = np.asarray(leaves_list(tree), dtype=np.int64)
    peak = courses.argmax(axis=1)[order]
    half = len(order) // 2
    return order[::-1] if peak[:half].mean() > peak[half:].mean() else order
