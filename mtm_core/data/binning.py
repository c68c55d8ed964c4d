"""Spike counts: what may be one, and joining bins by whole factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Behavior, Session
from mtm_core.errors import DataError

MAX_COUNT = 255
"""Largest number of spikes in a bin that a session can hold (uint8)."""


def as_counts(values: NDArray[Any], what: str = "The counts") -> NDArray[np.uint8]:
    """Return numbers as spike counts, or say why they are none.

    Parameters
    ----------
    values : ndarray, any shape, integers or floats
        Whole numbers from 0 to `MAX_COUNT`.
    what : str
        How to call them in an error.

    Raises
    ------
    DataError
        If a value is missing (NaN), infinite, negative, broken, or too large.

    Examples
    --------
    >>> as_counts(np.array([0.0, 2.0]))
    array([0, 2], dtype=uint8)
    """
    if values.dtype == np.uint8:
        return values
    if values.dtype.kind not in "biuf":
        msg = f"{what} must be numbers, not {values.dtype}."
        raise DataError(msg)
    for is_bad, fault in (
        (~np.isfinite(values), "is not a number"),
        (values < 0, "is negative"),
        (values > MAX_COUNT, f"is above {MAX_COUNT}, the most that a session holds in a bin"),
        (values != np.floor(values), "is not a whole number"),
    ):
        if is_bad.any():
            where = tuple(int(i) for i in np.argwhere(is_bad)[0])
            msg = f"{what} cannot be used: {values[where]} at {where} {fault}."
            raise DataError(msg)
    return values.astype(np.uint8)


def rebin(session: Session, factor: int) -> Session:
    """Join each `factor` neighbouring bins into one.

    Counts are summed, behaviours averaged. Nothing is dropped: a factor that does not divide the
    number of bins is refused.

    Parameters
    ----------
    session : Session
        Left as it is.
    factor : int
        How many bins become one; 1 returns the session itself.

    Returns
    -------
    Session
        Same trials and units, ``n_bins / factor`` bins of ``bin_size_s * factor``.

    Raises
    ------
    DataError
        If the factor is not a whole divisor of the number of bins, or a sum exceeds 255.
    """
    if factor == 1:
        return session
    if factor < 1 or session.n_bins % factor:
        good = ", ".join(str(n) for n in range(1, session.n_bins + 1) if session.n_bins % n == 0)
        msg = (
            f"{session.n_bins} bins cannot be joined by {factor}: some would be left over. "
            f"Choose one of {good}."
        )
        raise DataError(msg)
    return replace(
        session,
        counts=_sum_bins(session, factor),
        behaviors={name: _average_bins(b, factor) for name, b in session.behaviors.items()},
        provenance=replace(
            session.provenance,
            bin_size_s=session.bin_size_s * factor,
            notes=(*session.provenance.notes, f"Bins were joined {factor} by {factor}."),
        ),
    )


def _sum_bins(session: Session, factor: int) -> NDArray[np.uint8]:
    shape = (session.n_trials, session.n_bins // factor, factor, session.n_units)
    sums = session.counts.reshape(shape).sum(axis=2, dtype=np.uint32)
    return as_counts(sums, f"The counts joined {factor} by {factor}")


def _average_bins(behavior: Behavior, factor: int) -> Behavior:
    n_trials, n_bins = behavior.values.shape
    means = behavior.values.reshape(n_trials, n_bins // factor, factor).mean(axis=2)
    return Behavior(values=means.astype(np.float32), is_valid=behavior.is_valid)
