"""What `mtm-core reconstruct` says about an answer: what was hidden, and how well it came back.

Scores follow the rules of `mtm_core.evaluation.scores`; unlike a task, a person's mask may score
different bins of different units.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.cli.output import table_text
from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.regions import sort_regions
from mtm_core.errors import MismatchError
from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import FEWEST_TRIALS, trial_samples
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import mean_count, trial_psth
from mtm_core.models.checkpoint import split_part

Floats = NDArray[np.float64]

CONDITION_FIELDS = ("contrast_side", "feedback")
"""The PSTH goes by these fields, as far as the session has them."""
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
    over_mean, over_psth : ndarray, shape (n_trials, n_scored), or None
        Log-likelihood gained over the unit's mean rate and over its PSTH in training trials, in
        nats; None where the session holds no training trials of the model.
    """

    region: NDArray[np.str_]
    seconds: Floats
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
    counts = session.counts[answer.trials][..., units] * weight
    log_rate = answer.log_rate[..., units].astype(np.float64)
    own = _likelihood(counts, log_rate, weight)
    nulls = _nulls(bound, answer.trials, units)
    gains = {name: own - _likelihood(counts, null, weight) for name, null in nulls.items()}
    return UnitSums(
        region=session.region[units],
        seconds=weight.sum(axis=0) * len(counts) * session.bin_size_s,
        spikes=counts.sum(axis=1),
        expected=(np.exp(log_rate) * weight).sum(axis=1),
        over_mean=gains.get("mean"),
        over_psth=gains.get("psth"),
    )


def _nulls(
    bound: Reconstructor, trials: NDArray[np.int64], units: NDArray[np.int64]
) -> dict[str, Floats]:
    """Return log rates of the null models, (1 or n_trials, n_bins, n_scored); perhaps none."""
    session = bound.session
    try:
        train = split_part(bound.checkpoint.manifest, session, "train")
    except MismatchError:
        return {}
    by = tuple(name for name in CONDITION_FIELDS if name in available_conditions(session))
    conditions = trial_conditions(session, by)
    data = BaselineData(
        counts=session.counts[..., units],
        region=session.region[units],
        condition=np.where(conditions.is_valid, conditions.label, -1),
        train=train,
        val=train,
        bin_size_s=session.bin_size_s,
    )
    mean = np.tile(np.log(mean_count(data.counts[train])), (1, session.n_bins, 1))
    return {"mean": mean, "psth": np.log(trial_psth(data, trials))}


def _likelihood(counts: Floats, log_rate: Floats, weight: Floats) -> Floats:
    """Return the Poisson log-likelihood of scored bins, (n_trials, n_scored)."""
    total: Floats = (counts * log_rate - np.exp(log_rate) * weight).sum(axis=1)
    return total


def _score_lines(sums: UnitSums, session_id: str) -> list[str]:
    if sums.over_mean is None or sums.over_psth is None:
        return ["Score     not available: the session holds none of the model's training trials"]
    over_psth = metrics.pooled_bps(sums.over_psth, sums.spikes)
    over_mean = metrics.pooled_bps(sums.over_mean, sums.spikes)
    if over_psth is None:
        return ["Score     not available: no spike is scored"]
    shown = ""
    if len(sums.spikes) >= FEWEST_TRIALS:  # the same samples as in the window
        samples = trial_samples(session_id, len(sums.spikes))
        interval = metrics.pooled_interval(sums.over_psth, sums.spikes, samples)
        shown = "" if interval is None else f" [{interval[0]:.3f}, {interval[1]:.3f}]"
    return [
        f"Score     {over_psth:.3f}{shown} bits/spike beyond the training PSTH by condition,",
        f"          {over_mean:.3f} over the training-mean rate; pooled over units, 95 % interval "
        "over trials",
    ]


def _rows(sums: UnitSums) -> list[list[object]]:
    regions = sort_regions(set(sums.region.tolist()))
    rows = [_row(name or "none given", sums.region == name, sums) for name in regions]
    every = np.ones(len(sums.region), dtype=bool)
    return rows if len(rows) == 1 else [*rows, _row("all", every, sums)]


def _row(name: str, is_in: NDArray[np.bool_], sums: UnitSums) -> list[object]:
    seconds, spikes = float(sums.seconds[is_in].sum()), sums.spikes[:, is_in]
    return [
        name,
        int(is_in.sum()),
        int(spikes.sum()),
        float(spikes.sum()) / seconds,
        float(sums.expected[:, is_in].sum()) / seconds,
        *(
            None if gain is None else metrics.pooled_bps(gain[:, is_in], spikes)
            for gain in (sums.over_mean, sums.over_psth)
        ),
    ]
