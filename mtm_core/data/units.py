"""Choosing units by plain criteria, and their firing rates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import UNNAMED_REGIONS
from mtm_core.data.session import Session
from mtm_core.errors import DataError, UnknownNameError


def select_units(
    session: Session,
    *,
    regions: Collection[str] | None = None,
    min_region_units: int = 1,
    named_only: bool = False,
    good_only: bool = False,
) -> Session:
    """Return a session of the units that meet every criterion; its notes say what went.

    Parameters
    ----------
    session : Session
        Left as it is.
    regions : collection of str or None
        Keep these regions (acronyms as given) only.
    min_region_units : int
        Leave out regions with fewer units than this (counted after the other criteria).
    named_only : bool
        Leave out ``root``, ``void`` and units without a region.
    good_only : bool
        Keep units whose ``is_good`` is true only.

    Raises
    ------
    UnknownNameError
        If a region does not occur in the session.
    MissingFieldError
        If ``good_only`` is asked and the session has no ``is_good``.
    DataError
        If no unit is left.
    """
    region = session.region
    is_kept = np.ones(session.n_units, dtype=bool)
    if regions is not None:
        for name in regions:
            if name not in session.region_names():
                raise UnknownNameError("region in this session", name, session.region_names())
        is_kept &= np.isin(region, list(regions))
    if named_only:
        is_kept &= ~np.isin(region, ["", *UNNAMED_REGIONS])
    if good_only:
        good = session.units.column("is_good")
        is_kept &= good.is_valid & good.values.astype(bool)
    is_kept &= _region_size(region, is_kept) >= min_region_units
    if not is_kept.any():
        msg = f"None of the {session.n_units} units meets these criteria; loosen one of them."
        raise DataError(msg)
    return session if is_kept.all() else _keep(session, is_kept)


def unit_rate_hz(
    session: Session, trials: NDArray[np.integer[Any]] | NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Return each unit's mean rate in spikes/s over the chosen trials, shape (n_units,).

    Give it training trials where the rates choose what is shown or scored.
    """
    per_bin: NDArray[np.float64] = session.counts[trials].mean(axis=(0, 1), dtype=np.float64)
    return per_bin / session.bin_size_s


def _region_size(region: NDArray[np.str_], is_kept: NDArray[np.bool_]) -> NDArray[np.int64]:
    _, which = np.unique(region, return_inverse=True)
    sizes: NDArray[np.int64] = np.bincount(which, weights=is_kept).astype(np.int64)[which]
    return sizes


def _keep(session: Session, is_kept: NDArray[np.bool_]) -> Session:
    note = f"{int(is_kept.sum())} of {session.n_units} units were kept."
    notes = (*session.provenance.notes, note)
    provenance = replace(session.provenance, notes=notes)
    return replace(session.take_units(is_kept), provenance=provenance)
