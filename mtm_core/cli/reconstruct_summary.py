"""What `mtm-core reconstruct` says about an answer: what was hidden, and how well it came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.cli.output import table_text
from mtm_core.data.regions import sort_regions
from mtm_core.errors import MismatchError
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import mean_count, psth
from mtm_core.models.checkpoint import split_part

_HEADER = ("region", "units", "spikes", "true Hz", "model Hz", "over mean", "beyond PSTH")


Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitSums:
    """Sums over the scored entries of each scored unit.

    Parameters
    ----------
    region : ndarray of str, shape (n_scored,)
        Region of each scored unit.
    n_entries, spikes, expected : ndarray, shape (n_scored,)
        Scored (trial, bin) entries, true spikes, and spikes that the model expects.
    over_mean, over_psth : ndarray, shape (n_scored,), or None
        Log-likelihood gained over the unit's mean rate and over its PSTH in training trials, in
        nats; None where the session holds no training trials of the model.
    """

    region: NDArray[np.str_]
    n_entries: Floats
    spikes: Floats
    expected: Floats
    over_mean: Floats | None
    over_psth: Floats | None


def summarise(bound: Reconstructor, answer: Reconstruction, *, words: str, split: str) -> str:
    """Return the text: session, mask, model, scores pooled over units, and a table of regions.

    Parameters
    ----------
    bound : Reconstructor
        Model and session.
    answer : Reconstruction
        Final.
    words : str
        The mask in words.
    split : str
        Which trials.
    """
    manifest, session = bound.checkpoint.manifest, bound.session
    sums = sum_units(bound, answer)
    n_units = len(sums.region)
    which = "trials, those trained on among them" if split == "all" else f"{split} trials"
    head = [
        f"Session   {session.session_id}, {len(answer.trials)} {which}",
        f"Mask      {words}",
        f"Model     {manifest.config.name}, step {manifest.step}, seed "
        f"{manifest.config.run.seed} ({bound.checkpoint.path})",
        f"Scored    {n_units} units, {sums.spikes.sum():.0f} spikes",
        f"Score     {_score_text(sums)}",
    ]
    return "\n".join(head) + "\n\n" + table_text(_HEADER, _rows(sums, session.bin_size_s))


def sum_units(bound: Reconstructor, answer: Reconstruction) -> UnitSums:
    """Add up, for each scored unit, what scores are made of."""
    session, units = bound.session, answer.mask.scored_units
    weight = answer.mask.is_scored[:, units].astype(np.float64)
    counts = session.counts[answer.trials][..., units] * weight
    log_rate = answer.log_rate[..., units].astype(np.float64)
    own = _likelihood(counts, log_rate, weight)
    by_mean, by_psth = _nulls(bound)
    return UnitSums(
        region=session.region[units],
        n_entries=weight.sum(axis=0) * len(counts),
        spikes=counts.sum(axis=(0, 1)),
        expected=(np.exp(log_rate) * weight).sum(axis=(0, 1)),
        over_mean=None
        if by_mean is None
        else own - _likelihood(counts, by_mean[:, units], weight),
        over_psth=None
        if by_psth is None
        else own - _likelihood(counts, by_psth[:, units], weight),
    )


def _nulls(bound: Reconstructor) -> tuple[Floats, Floats] | tuple[None, None]:
    """Return the log of the mean rate and of the PSTH in training trials, (n_bins, n_units)."""
    session = bound.session
    try:
        train = split_part(bound.checkpoint.manifest, session, "train")
    except MismatchError:
        return None, None
    data = BaselineData(
        counts=session.counts,
        region=session.region,
        condition=np.full(session.n_trials, -1),
        train=train,
        val=train,
        bin_size_s=session.bin_size_s,
    )
    by_mean = np.tile(np.log(mean_count(session.counts[train])), (session.n_bins, 1))
    return by_mean, np.log(psth(data))


def _likelihood(counts: Floats, log_rate: Floats, weight: Floats) -> Floats:
    """Return the Poisson log-likelihood per unit, without its constant term."""
    total: Floats = (counts * log_rate - np.exp(log_rate) * weight).sum(axis=(0, 1))
    return total


def _score_text(sums: UnitSums) -> str:
    over_mean = _pooled(sums.over_mean, sums.spikes)
    over_psth = _pooled(sums.over_psth, sums.spikes)
    if over_mean is None or over_psth is None:
        return "not available: no scored spike, or none of the model's training trials here"
    return (
        f"{over_mean:.3f} bits/spike over the training-mean rate, {over_psth:.3f} beyond the "
        "training PSTH (pooled over units)"
    )


def _rows(sums: UnitSums, bin_size_s: float) -> list[list[object]]:
    regions = sort_regions(set(sums.region.tolist()))
    rows = [_row(name or "none given", sums.region == name, sums, bin_size_s) for name in regions]
    every = np.ones(len(sums.region), dtype=bool)
    return rows if len(rows) == 1 else [*rows, _row("all", every, sums, bin_size_s)]


def _row(name: str, is_in: NDArray[np.bool_], sums: UnitSums, bin_size_s: float) -> list[object]:
    seconds = float(sums.n_entries[is_in].sum()) * bin_size_s
    spikes = sums.spikes[is_in]
    gains = [None if g is None else g[is_in] for g in (sums.over_mean, sums.over_psth)]
    return [
        name,
        int(is_in.sum()),
        int(spikes.sum()),
        float(spikes.sum()) / seconds,
        float(sums.expected[is_in].sum()) / seconds,
        *(_pooled(gain, spikes) for gain in gains),
    ]


def _pooled(gain: Floats | None, spikes: Floats) -> float | None:
    """Return bits per spike pooled over units; None where there is no null or no spike."""
    if gain is None or not spikes.sum():
        return None
    return float(gain.sum() / (spikes.sum() * np.log(2)))
