"""What `mtm-core reconstruct` says about an answer: what was hidden, and how well it came back."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.cli.output import table_text
from mtm_core.data.regions import sort_regions
from mtm_core.errors import MismatchError
from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import (
    ScoredTrials,
    UnitGains,
    fit_rivals,
    gains_over_psth,
    score_gains,
)
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import Reconstruction
from mtm_core.models.checkpoint import split_part

_HEADER = ("region", "units", "spikes", "true Hz", "model Hz", "bps", "beyond PSTH")


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitSums:
    """Sums over the scored bins of each scored unit.

    Parameters
    ----------
    region : ndarray of str, shape (n_scored,)
        Region of each scored unit.
    seconds : float array, shape (n_scored,)
        Time that was scored, over all trials.
    spikes, expected : ndarray, shape (n_trials, n_scored)
        True spikes, and those that the model expects.
    gains : UnitGains or None
        What the model gains over mean rates and PSTHs; None where the session holds no training
        trials of the model.
    """

    region: NDArray[np.str_]
    seconds: NDArray[np.float64]
    spikes: NDArray[np.float64]
    expected: NDArray[np.float64]
    gains: UnitGains | None


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
    which = "trials, those trained on among them" if split == "all" else f"{split} trials"
    made = " (simulated)" if session.provenance.is_simulated else ""
    head = [
        f"Session   {session.session_id}{made}, {len(answer.trials)} {which}",
        f"Mask      {words}",
        f"Model     {manifest.config.name}, step {manifest.step}, seed "
        f"{manifest.config.run.seed} ({bound.checkpoint.path})",
        f"Scored    {len(sums.region)} units, {sums.spikes.sum():.0f} spikes",
        *_score_lines(sums, session.session_id),
    ]
    return "\n".join(head) + "\n\n" + table_text(_HEADER, _rows(sums))


def sum_units(bound: Reconstructor, answer: Reconstruction) -> UnitSums:
    """Add up, for each scored unit and trial, what scores are made of."""
    session, units = bound.session, answer.mask.scored_units
    weight = answer.mask.is_scored[:, units].astype(np.float64)
    counts = session.counts[answer.trials][..., units]
    rate = np.exp(answer.log_rate[..., units], dtype=np.float64)
    return UnitSums(
        region=session.region[units],
        seconds=weight.sum(axis=0) * len(counts) * session.bin_size_s,
        spikes=(counts * weight).sum(axis=1),
        expected=(rate * weight).sum(axis=1),
        gains=_gains(bound, answer),
    )


def _gains(bound: Reconstructor, answer: Reconstruction) -> UnitGains | None:
    session = bound.session
    try:
        train = split_part(bound.checkpoint.manifest, session, "train")
    except MismatchError:
        return None
    trials = ScoredTrials(session=session, train=train, val=train, shown=np.sort(answer.trials))
    return gains_over_psth(trials, answer.mask, fit_rivals(trials), answer, answer.trials)


def _score_lines(sums: UnitSums, session_id: str) -> list[str]:
    if sums.gains is None:
        return ["Score     not available: the session holds none of the model's training trials"]
    score = score_gains("", sums.gains, session_id)
    if score.bps_beyond_psth is None or score.bps_pooled is None:
        return ["Score     not available: no spike is scored"]
    low_high = "" if score.interval is None else " [{:.3f}, {:.3f}]".format(*score.interval)
    return [
        f"Score     {score.bps_beyond_psth:.3f}{low_high} bits/spike beyond the training PSTH by "
        "condition,",
        f"          {score.bps_pooled:.3f} over the training-mean rate; pooled over units, 95 % "
        "interval over trials",
    ]


def _rows(sums: UnitSums) -> list[list[object]]:
    regions = sort_regions(set(sums.region.tolist()))
    rows = [_row(name or "none given", sums.region == name, sums) for name in regions]
    every = np.ones(len(sums.region), dtype=bool)
    return rows if len(rows) == 1 else [*rows, _row("all", every, sums)]


def _row(name: str, is_in: NDArray[np.bool_], sums: UnitSums) -> list[object]:
    seconds, spikes = float(sums.seconds[is_in].sum()), sums.spikes[:, is_in]
    gains = () if sums.gains is None else (sums.gains.over_mean, sums.gains.gain)
    return [
        name,
        int(is_in.sum()),
        int(spikes.sum()),
        float(spikes.sum()) / seconds,
        float(sums.expected[:, is_in].sum()) / seconds,
        *([metrics.pooled_bps(gain[:, is_in], spikes) for gain in gains] or (None, None)),
    ]
