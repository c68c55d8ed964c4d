"""Do the area labels fit the recording? Units of one area share more noise than units of two.

For each unit the most noise-correlated partners are found (trial-to-trial, the mean response to
the stimulus removed), and the share of partners with the same area is compared with what the
same labels give when they are moved along the rows by a few places, and when they are shuffled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.noise_correlation import Partners, noise_partners
from mtm_core.data.regions import UNNAMED_REGIONS
from mtm_core.data.session import Session

Verdict = Literal["fits", "suspect", "undecided"]

SHIFTS = tuple(range(-4, 5))
"""Places by which labels are moved; 0 is the labels as given."""
N_PARTNERS = 5

_MIN_UNITS = 50
_MIN_UNITS_TO_CALL_SHUFFLED = 300
"""Subsets of 200 units of sessions with true labels can look shuffled; of 300 they do not."""
_MIN_TRIALS = 30
_MIN_REGION_UNITS = 5
_ADVICE = "Check how they were joined to the units."
_Z = 3.0
"""How many standard errors count as a difference."""


@dataclass(frozen=True, kw_only=True)
class LabelCheck:
    """What the noise correlations say about the area labels.

    Parameters
    ----------
    agreement : float or None
        Share of partners with the unit's area under the labels as given; None if not computed.
    shifted : dict of int to float
        The same where each unit takes the label of the row so many places further down.
    shuffled : float or None
        The share to be expected of shuffled labels.
    verdict : {"fits", "suspect", "undecided"}
        ``undecided`` where there are too few units, trials or regions to tell.
    sentence : str
        The finding for a person.
    """

    agreement: float | None
    shifted: dict[int, float]
    shuffled: float | None
    verdict: Verdict
    sentence: str


def check_area_labels(session: Session, n_partners: int = N_PARTNERS) -> LabelCheck:
    """Check the area labels of a session against its noise correlations.

    Parameters
    ----------
    session : Session
        The recording.
    n_partners : int
        How many partners of each unit are looked at. One is the plainest measure; five say the
        same with less scatter.

    Returns
    -------
    LabelCheck
        ``suspect`` if labels moved by some rows fit better than the given ones, or if the given
        ones fit no better than shuffled ones.

    References
    ----------
    Noise correlations by area: Cohen & Kohn 2011, Nature Neuroscience 14, 811-819.
    """
    reason = _why_undecided(session)
    if reason:
        return LabelCheck(
            agreement=None, shifted={}, shuffled=None, verdict="undecided", sentence=reason
        )
    return compare_labels(session.region, noise_partners(session, n_partners))


def compare_labels(region: NDArray[np.str_], partners: Partners) -> LabelCheck:
    """Judge labels by partners that are known already.

    Parameters
    ----------
    region : ndarray of str, shape (n_units,)
        The labels.
    partners : Partners
        Of the same units.
    """
    _, label = np.unique(region, return_inverse=True)
    hits = {shift: _hits(label, partners, shift) for shift in SHIFTS}
    mean, error = shuffled_agreement(label[partners.is_active], _active_rows(partners))
    return _judge(hits, mean, error)


def shuffled_agreement(
    label: NDArray[np.int64], partners: NDArray[np.int64]
) -> tuple[float, float]:
    """Return mean and standard deviation of the agreement over all shuffles of the labels.

    Parameters
    ----------
    label : ndarray of int64, shape (n,)
        Numbers of the labels.
    partners : ndarray of int64, shape (n, n_partners)
        Places of the partners.

    References
    ----------
    The closed form: Mantel 1967, Cancer Research 27, 209-220.
    """
    n, n_partners = partners.shape
    weight = np.zeros((n, n))
    weight[np.arange(n)[:, None], partners] = 1 / n_partners
    w0, w1, w2 = _moments(weight)
    others = (np.bincount(label)[label] - 1).astype(float)
    a0, a1, a2 = others.sum(), 2 * others.sum(), 4 * (others**2).sum()
    mean = w0 * a0 / (n * (n - 1))
    variance = (
        w1 * a1 / (2 * n * (n - 1))
        + (w2 - 2 * w1) * (a2 - 2 * a1) / (4 * n * (n - 1) * (n - 2))
        + (w0**2 + w1 - w2) * (a0**2 + a1 - a2) / (n * (n - 1) * (n - 2) * (n - 3))
        - mean**2
    )
    return float(mean / n), math.sqrt(max(variance, 0.0)) / n


def _why_undecided(session: Session) -> str:
    """Return the sentence for a session that is too small to tell, else ""."""
    is_active = np.any(session.counts, axis=(0, 1))
    if not session.region_names():
        return "This session has no area labels to check."
    sizes = [
        int((is_active & (session.region == name)).sum())
        for name in session.region_names()
        if name not in UNNAMED_REGIONS
    ]
    n_regions = sum(size >= _MIN_REGION_UNITS for size in sizes)
    for n, least, what in (
        (int(is_active.sum()), _MIN_UNITS, "units that fire"),
        (session.n_trials, _MIN_TRIALS, "trials"),
        (n_regions, 2, f"named regions of at least {_MIN_REGION_UNITS} units"),
    ):
        if n < least:
            return f"Too little to check the area labels by: {n} {what}, {least} are needed."
    return ""


def _hits(label: NDArray[np.int64], partners: Partners, shift: int) -> NDArray[np.float64]:
    """Share of each active unit's partners with its area, labels taken `shift` rows below.

    The labels are moved in a circle, so that each shift is judged on the same units.
    """
    moved = np.roll(label, -shift)
    same: NDArray[np.float64] = (moved[:, None] == moved[partners.rows]).mean(axis=1)
    return same[partners.is_active]


def _active_rows(partners: Partners) -> NDArray[np.int64]:
    """Return the partners of active units, these numbered from 0."""
    number = np.cumsum(partners.is_active) - 1
    return number[partners.rows[partners.is_active]]


def _moments(weight: NDArray[np.float64]) -> tuple[float, float, float]:
    both = ((weight + weight.T) ** 2).sum() / 2
    margins = ((weight.sum(axis=0) + weight.sum(axis=1)) ** 2).sum()
    return float(weight.sum()), float(both), float(margins)


def _judge(hits: dict[int, NDArray[np.float64]], mean: float, error: float) -> LabelCheck:
    shares = {shift: float(hit.mean()) for shift, hit in hits.items()}
    given = shares.pop(0)
    best = max(shares, key=lambda shift: shares[shift])
    gain = _paired_z(hits[best] - hits[0])
    stands_out = given - mean > _Z * error
    numbers = (
        f"{given:.0%} of the most noise-correlated partners share the area, "
        f"{shares[best]:.0%} would with the labels {_away(best)}, {mean:.0%} if shuffled."
    )
    verdict: Verdict = "fits"
    sentence = f"Area labels fit the noise correlations: {numbers}"
    if gain > _Z:
        verdict = "suspect"
        sentence = f"Area labels look shifted by {_rows(best)}: {numbers} {_ADVICE}"
    elif not stands_out and len(hits[0]) >= _MIN_UNITS_TO_CALL_SHUFFLED:
        verdict = "suspect"
        sentence = f"Area labels look shuffled: {numbers} {_ADVICE}"
    elif not stands_out:
        verdict = "undecided"
        sentence = f"Too few units to tell whether the area labels fit: {numbers}"
    return LabelCheck(
        agreement=given, shifted=shares, shuffled=mean, verdict=verdict, sentence=sentence
    )


def _rows(shift: int) -> str:
    return f"{abs(shift)} row{'s' if abs(shift) > 1 else ''}"


def _away(shift: int) -> str:
    """Say where the labels are taken from instead."""
    return f"of {_rows(shift)} further {'down' if shift > 0 else 'up'}"


def _paired_z(difference: NDArray[Any]) -> float:
    """How many standard errors the summed difference between two labellings lies above 0."""
    scatter = math.sqrt(float((difference**2).sum()))
    return float(difference.sum()) / scatter if scatter else 0.0
