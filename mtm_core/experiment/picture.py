"""The raster figure of an experiment: recorded, reconstructed, rival, difference."""

from __future__ import annotations

import re
import textwrap

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_answers import kind_words
from mtm_core.evaluation.mask_scores import TEMPORAL, PredictorScore, fit_rivals
from mtm_core.evaluation.paired_change import change_words
from mtm_core.evaluation.rastermap_order import has_rastermap
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.row_order import (
    ORDERS,
    RowOrder,
    WithinName,
    keep_rows,
    order_session,
)
from mtm_core.experiment.caption import recording_name
from mtm_core.experiment.computation import Bound, Outcome
from mtm_core.figures.raster_content import MapScore, PredictedMap, RasterContent
from mtm_core.models.answers import Reconstruction
from mtm_core.models.manifest import software_versions

_HASH = 12
_TITLE = 22


def picture_of(bound: Bound, outcome: Outcome) -> RasterContent:
    """Gather what the figure of an experiment shows: the scored units and bins.

    Parameters
    ----------
    bound : Bound
        The experiment.
    outcome : Outcome
        What was computed.
    """
    session, shown = bound.session, bound.trials.shown
    order, scored = _order(bound, outcome), outcome.model.mask.is_scored
    bins = np.flatnonzero(scored.any(axis=1))
    first, stop = int(bins[0]), int(bins[-1]) + 1
    gains = metrics.unit_bps(outcome.gains.gain, outcome.gains.spikes)
    places = np.searchsorted(outcome.gains.units, order.rows)
    return RasterContent(
        title=bound.experiment.title or "Experiment",
        subtitle=_subtitle(bound, len(order.rows)),
        order=order,
        unit_id=session.unit_id[order.rows],
        true_hz=trial_mean_hz(session.counts[shown], session.bin_size_s)[:, order.rows],
        model=PredictedMap(
            title=outcome.numbers.predictors[0].name,
            rate_hz=_mean_hz(outcome.model, slice(first, stop), order.rows),
            score=_map_score(outcome.numbers.predictors[0]),
        ),
        rival=_rival(bound, outcome, slice(first, stop), order.rows),
        unit_bps=gains.values[places],
        unit_spikes=outcome.gains.spikes.sum(axis=0).astype(np.int64)[places],
        first_bin=first,
        stop_bin=stop,
        bin_start_s=session.bin_start_s,
        bin_size_s=session.bin_size_s,
        event=session.provenance.align_event,
        n_trials=len(shown),
        recipe=_recipe(bound, outcome, order),
        trial_kind=bound.experiment.trials.kind,
    )


def sigma_of(bound: Bound, otherwise_s: float) -> float:
    """Return the smoothing of the window, in s, where the view names one that can be."""
    raster = bound.experiment.view.get("raster")
    value = raster.get("sigma_s") if isinstance(raster, dict) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return otherwise_s
    return float(value) if 0 <= value <= 1 else otherwise_s


def _order(bound: Bound, outcome: Outcome) -> RowOrder:
    """Order the scored units as in the window, from training trials."""
    view, session = bound.experiment.view, bound.session
    wanted = view.get("within")
    within: WithinName = next((name for name in ORDERS if name == wanted), "auto")
    if within == "depth" and not _has_depths(bound):
        within = "auto"
    if within == "rastermap" and not has_rastermap():
        within = "similarity"
    order = order_session(session, bound.trials.train, within)
    keep = np.zeros(session.n_units, dtype=bool)
    keep[outcome.gains.units] = True
    return keep_rows(order, keep, session.region)


def _has_depths(bound: Bound) -> bool:
    depth = bound.session.units.columns.get("depth_um")
    return depth is not None and bool(depth.is_valid.all())


def _mean_hz(answer: Reconstruction, bins: slice, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    rates = np.exp(answer.log_rate[:, bins][..., rows])
    return trial_mean_hz(rates, answer.bin_size_s)


def _rival(bound: Bound, outcome: Outcome, bins: slice, rows: NDArray[np.int64]) -> PredictedMap:
    change = outcome.numbers.change
    if outcome.opponent is not None and change is not None:
        return PredictedMap(
            title=_short(change.other),
            rate_hz=_mean_hz(outcome.opponent, bins, rows),
            score=MapScore(bps=change.other_bps, interval=None),
        )
    if outcome.baseline is not None:
        scores = {score.name: score for score in outcome.numbers.predictors}
        return PredictedMap(
            title=TEMPORAL,
            rate_hz=_mean_hz(outcome.baseline, bins, rows),
            score=_map_score(scores[TEMPORAL]),
        )
    null = np.exp(fit_rivals(bound.trials).condition_psth[:, bins][..., rows])
    rate_hz = trial_mean_hz(null, bound.session.bin_size_s)
    return PredictedMap(title="PSTH null", rate_hz=rate_hz, score=None)


def _short(name: str) -> str:
    """Fit a name over a map: without its brackets, and cut, where it is long."""
    if len(name) > _TITLE:
        name = re.sub(r" \([^)]*\)", "", name)
    return textwrap.shorten(name, _TITLE, placeholder="\N{HORIZONTAL ELLIPSIS}")


def _map_score(score: PredictorScore) -> MapScore:
    return MapScore(bps=score.bps_beyond_psth, interval=score.interval)


def _subtitle(bound: Bound, n_rows: int) -> str:
    trials = bound.experiment.trials
    session = bound.session
    return (
        f"{recording_name(session)}; the {n_rows} scored of {session.n_units} units; "
        f"{len(trials.rows)} {trials.kind} trials"
    )


def _recipe(bound: Bound, outcome: Outcome, order: RowOrder) -> tuple[str, ...]:
    experiment, manifest = bound.experiment, bound.model.checkpoint.manifest
    digest = "" if experiment.model is None else experiment.model.digest[:_HASH]
    kind = kind_words(manifest.config.masking.schemes)
    rival, change = experiment.baseline, outcome.numbers.change
    compared = (
        f"Compared with {rival.name}, weights {rival.digest[:_HASH]}, under the same mask, "
        "without a prompt."
        if rival is not None
        else "Compared with the PSTH null: no temporal model that fits was there."
    )
    if change is not None:
        compared = f"On the same mask and trials: {change_words(change)}"
    return (
        f"mtm-core {software_versions()['mtm_core']} replay.",
        f"Session {bound.session.session_id}, content {experiment.session.content_hash[:_HASH]}.",
        f"Model {kind}, preset {manifest.config.name}, {manifest.step} steps, weights {digest}.",
        compared,
        f"Rows: {order.words}; the same in every panel; units and bins that are scored.",
        "Bits/spike beyond PSTH: gain over each unit's PSTH in training trials of the same "
        "condition (stimulus side, outcome), pooled over units; brackets: 95 % interval, "
        "bootstrap over trials.",
    )
