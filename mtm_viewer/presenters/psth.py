"""One unit, looked at closely: its PSTH by condition and its single trials, true against model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import Conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.errors import MissingFieldError
from mtm_core.evaluation.colour_scale import Levels, quantise, scale_ticks, shared_levels
from mtm_core.evaluation.mask_scores import SingleUnitScore
from mtm_core.evaluation.rasters import (
    DIFFERENCE_LIMIT,
    DIFFERENCE_UNIT,
    difference_in_errors,
    smooth,
)
from mtm_core.evaluation.unit_labels import unit_label
from mtm_viewer.presenters.condition_words import FIELD_TITLES, level_words
from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.presenters.raster_scene import EventLine
from mtm_viewer.presenters.rectangles import rectangles
from mtm_viewer.presenters.trial_order import TrialValues
from mtm_viewer.presenters.unit_drawable import (
    ConditionLine,
    ConditionPlot,
    TrialGroup,
    UnitDrawable,
)
from mtm_viewer.presenters.unit_settings import SHOWN_AT_FIRST
from mtm_viewer.theme import DIFFERENCE

NOT_IN_SESSION = "not in this session"
FEW_SPIKES = 30
"""Below so many scored spikes a unit's score says little."""
_ROLES = {
    "left > right": "left",
    "right > left": "right",
    "left chosen": "left",
    "right chosen": "right",
    "rewarded": "reward",
    "not rewarded": "no reward",
    "equal": "neither",
    "no choice": "neither",
}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth")


def unit_panel(
    session: Session,
    unit: int,
    trials: NDArray[np.int64],
    model_hz: NDArray[np.floating] | None,
    *,
    score: SingleUnitScore | None = None,
    fields: Sequence[str] = SHOWN_AT_FIRST,
    sort_by: TrialValues | None = None,
    sigma_s: float = 0.02,
    colour_map: str = "magma",
    trial_kind: str = "test",
    seen: str = "",
    is_exact: bool = True,
    is_scored: NDArray[np.bool_] | None = None,
) -> UnitDrawable:
    """Show one unit.

    Parameters
    ----------
    session : Session
        The recording.
    unit : int
        Column of the unit in `session.counts`.
    trials : ndarray of int64, shape (n_trials,)
        Rows of the trials to show.
    model_hz : ndarray, shape (n_trials, n_bins), or None
        The model's rate of this unit in those trials; None means: not yet.
    score : SingleUnitScore, optional
        The unit's score, once known.
    fields : sequence of str
        Fields to split trials by, out of `mtm_core.data.conditions.CONDITION_FIELDS`.
    sort_by : TrialValues, optional
        Numbers to sort the single trials by, shape (n_trials,); by default they stand grouped by
        the first field that the session has.
    sigma_s : float
        Standard deviation of the smoothing, the same for true and model.
    colour_map : str
        Map of the single-trial rates.
    trial_kind : str
        Which trials these are, for example ``"test"``.
    seen : str
        What the model sees of the unit, in a word or two; "" without a mask.
    is_exact : bool
        False while trials are missing or answered by a preview only.
    is_scored : ndarray of bool, shape (n_bins,), optional
        Bins that are predicted. In others the model sees the unit, and what it says there is no
        prediction: where some bins are scored, its PSTHs are drawn in these alone.
    """
    shown = is_scored if is_scored is not None and is_scored.any() else None
    look = _UnitLook(session, unit, trials, model_hz, sigma_s, shown)
    found = [look.condition_plot(field) for field in fields]
    plots = tuple(sorted(found, key=lambda plot: not plot.lines))  # what is not there comes last
    order, groups = look.trial_groups(fields) if sort_by is None else (sort_by.order(), ())
    title = unit_label(str(session.unit_id[unit]), str(session.region[unit]))
    return UnitDrawable(
        title=f"{title} (simulated)" if session.provenance.is_simulated else title,
        subtitle=", ".join(filter(None, (_subtitle(session, unit, trials, trial_kind), seen))),
        score=_score_words(score),
        score_tooltip=_score_tooltip(score),
        plots=plots,
        top_hz=_top_hz(plots, shown),
        trials=look.trial_panels(order, colour_map),
        groups=groups,
        bin_start_s=session.bin_start_s,
        bin_size_s=session.bin_size_s,
        events=(EventLine(time_s=0.0, name=session.provenance.align_event),),
        note=_note(len(trials), trial_kind, sigma_s, is_exact=is_exact) + _part_words(shown),
        trial_order=_order_words(groups, sort_by),
        is_model_shown=shown,
        veil=() if shown is None else rectangles(np.tile(~shown, (len(trials), 1))),
    )


class _UnitLook:
    """The unit's smoothed single trials, from which everything here is made."""

    def __init__(
        self,
        session: Session,
        unit: int,
        trials: NDArray[np.int64],
        model_hz: NDArray[np.floating] | None,
        sigma_s: float,
        is_shown: NDArray[np.bool_] | None = None,
    ) -> None:
        self.session = session
        self.trials = trials
        self.sigma_bins = sigma_s / session.bin_size_s
        # Trials stand where maps have units, so that the functions for maps serve them too.
        self.raw_hz = session.counts[trials, :, unit].T / session.bin_size_s
        self.raw_model_hz = None if model_hz is None else np.asarray(model_hz, np.float64).T
        self.true_hz = smooth(self.raw_hz, self.sigma_bins)
        self.model_hz = (
            None
            if self.raw_model_hz is None
            else _smooth_within(self.raw_model_hz, self.sigma_bins, is_shown)
        )

    def condition_plot(self, field: str) -> ConditionPlot:
        title = FIELD_TITLES.get(field, field)
        conditions = self._conditions(field)
        if conditions is None:
            return ConditionPlot(title=title, lines=(), message=NOT_IN_SESSION)
        label, is_valid = conditions.label[self.trials], conditions.is_valid[self.trials]
        lines = tuple(
            self._line(name, _role(name, level), is_valid & (label == level))
            for level, name in enumerate(conditions.names)
            if np.any(is_valid & (label == level))
        )
        n_known, n_trials = int(is_valid.sum()), len(self.trials)
        note = "" if n_known == n_trials else f"known in {n_known} of {n_trials} trials"
        message = "" if lines else "known in none of these trials"
        return ConditionPlot(title=title, lines=lines, message=message, note=note)

    def trial_groups(
        self, fields: Sequence[str]
    ) -> tuple[NDArray[np.int64], tuple[TrialGroup, ...]]:
        """Sort trials by the first field that the session has."""
        for field in fields:
            conditions = self._conditions(field)
            if conditions is not None:
                return self._grouped(conditions)
        return np.arange(len(self.trials)), ()

    def trial_panels(self, order: NDArray[np.int64], colour_map: str) -> tuple[RasterPanel, ...]:
        levels = shared_levels(self.true_hz, "sqrt")
        true = _trial_panel("True", self.true_hz[:, order], colour_map, levels)
        if self.model_hz is None or self.raw_model_hz is None:
            return (true,)
        residual = difference_in_errors(
            self.raw_hz, self.raw_model_hz, 1, self.session.bin_size_s, self.sigma_bins
        )
        model = _trial_panel("Model", self.model_hz[:, order], colour_map, levels)
        return true, replace(model, is_veiled=True), _residual_panel(residual[:, order])

    def _conditions(self, field: str) -> Conditions | None:
        try:
            return trial_conditions(self.session, (field,))
        except MissingFieldError:
            return None

    def _line(self, name: str, role: str, is_member: NDArray[np.bool_]) -> ConditionLine:
        members = self.true_hz[:, is_member]
        model = None if self.model_hz is None else self.model_hz[:, is_member]
        return ConditionLine(
            name=level_words(name),
            role=role,
            n_trials=members.shape[1],
            true_hz=members.mean(axis=1),
            sem_hz=_sem(members),
            model_hz=None if model is None else model.mean(axis=1),
            model_sem_hz=None if model is None else _sem(model),
        )

    def _grouped(self, conditions: Conditions) -> tuple[NDArray[np.int64], tuple[TrialGroup, ...]]:
        names = (*conditions.names, "unknown")
        is_valid = conditions.is_valid[self.trials]
        label = np.where(is_valid, conditions.label[self.trials], len(conditions.names))
        order = np.argsort(label, kind="stable").astype(np.int64)
        edges = np.searchsorted(label[order], np.arange(len(names) + 1)).tolist()
        groups = tuple(
            TrialGroup(name=level_words(name), role=_role(name, level), start=start, stop=stop)
            for level, (name, start, stop) in enumerate(
                zip(names, edges[:-1], edges[1:], strict=True)
            )
            if stop > start
        )
        return order, groups


def _smooth_within(
    rates: NDArray[np.float64], sigma_bins: float, is_shown: NDArray[np.bool_] | None
) -> NDArray[np.float64]:
    """Smooth (n_bins, n_trials) from some of the bins alone; others keep what smoothing gives."""
    smoothed = smooth(rates, sigma_bins)
    if is_shown is None or is_shown.all():
        return smoothed
    weight = is_shown.astype(np.float64)[:, None]
    inside = smooth(rates * weight, sigma_bins)[is_shown] / smooth(weight, sigma_bins)[is_shown]
    result = smoothed.copy()
    result[is_shown] = inside
    return result


def _sem(values: NDArray[np.float64]) -> NDArray[np.float64] | None:
    """Return the standard error over trials, (n_bins,); None for a single trial."""
    n_trials = values.shape[1]
    if n_trials < 2:
        return None
    return np.asarray(values.std(axis=1, ddof=1) / np.sqrt(n_trials))


def _trial_panel(
    title: str, values: NDArray[np.float64], colour_map: str, levels: Levels
) -> RasterPanel:
    rows = np.ascontiguousarray(values.T, dtype=np.float32)
    return RasterPanel(
        title=title,
        image=quantise(rows, levels, "sqrt"),
        values=rows,
        lut=colour_map,
        levels=levels,
        ticks=scale_ticks(levels, "sqrt"),
        unit="spikes/s",
    )


def _residual_panel(values: NDArray[np.float64]) -> RasterPanel:
    rows = np.ascontiguousarray(values.T, dtype=np.float32)
    levels = Levels(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT)
    return RasterPanel(
        title="Residual",
        image=quantise(rows, levels, "zscore"),
        values=rows,
        lut=DIFFERENCE,
        levels=levels,
        ticks=scale_ticks(levels, "zscore"),
        unit=DIFFERENCE_UNIT,
        centre=128,
        is_veiled=True,
    )


def _role(name: str, level: int) -> str:
    return _ROLES.get(name, _ORDINALS[level % len(_ORDINALS)])


def _top_hz(plots: tuple[ConditionPlot, ...], is_shown: NDArray[np.bool_] | None) -> float:
    model = slice(None) if is_shown is None else is_shown
    tops = [
        float(np.max((mean if sem is None else mean + sem)[bins]))
        for plot in plots
        for line in plot.lines
        for mean, sem, bins in (
            (line.true_hz, line.sem_hz, slice(None)),
            (line.model_hz, line.model_sem_hz, model),
        )
        if mean is not None
    ]
    return 1.05 * max(tops, default=0.0) or 1.0


def _subtitle(session: Session, unit: int, trials: NDArray[np.int64], trial_kind: str) -> str:
    counts = session.counts[trials, :, unit]
    n_spikes = int(counts.sum())
    duration_s = max(1, len(trials)) * session.n_bins * session.bin_size_s
    parts = []
    depth = session.units.columns.get("depth_um")
    if depth is not None and depth.is_valid[unit]:
        parts.append(f"depth {float(depth.values[unit]):.0f} µm")
    parts.append(f"{n_spikes / duration_s:.1f} spikes/s")
    parts.append(f"{n_spikes:,} spikes in {len(trials)} {trial_kind} trials")
    return ", ".join(parts)


def _score_words(score: SingleUnitScore | None) -> str:
    if score is None:
        return "not scored under this mask"
    if score.bps_beyond_psth is None:
        return "no score: no spikes in the scored entries"
    text = f"beyond PSTH {score.bps_beyond_psth:+.3f} bits/spike"
    if score.interval is not None:
        # Held together, so that a narrow panel breaks the line before it.
        text += f" [{score.interval[0]:+.3f},\N{NO-BREAK SPACE}{score.interval[1]:+.3f}]"
    text = text.replace("-", "\N{MINUS SIGN}")
    return f"{text}, few spikes" if score.n_spikes < FEW_SPIKES else text


def _score_tooltip(score: SingleUnitScore | None) -> str:
    if score is None:
        return "The unit is scored when it is hidden from the model and all trials are done."
    text = (
        "How much better the model predicts this unit's spikes than its mean response in the "
        f"training trials does, in bits per spike, from {score.n_spikes:,} scored spikes. "
        "Brackets: 95 % interval, bootstrap over trials."
    )
    if score.n_spikes < FEW_SPIKES:
        text += f" Under {FEW_SPIKES} spikes the score is mostly noise."
    return text


def _note(n_trials: int, trial_kind: str, sigma_s: float, *, is_exact: bool) -> str:
    smoothing = f"smoothed with {sigma_s * 1000:g} ms" if sigma_s > 0 else "not smoothed"
    preview = "" if is_exact else "preview, more to come: "
    return (
        f"{preview}{n_trials} {trial_kind} trials, true and model {smoothing}; thick and pale: "
        "true mean with its standard error; dashed: model with its own, hatched"
    )


def _part_words(is_shown: NDArray[np.bool_] | None) -> str:
    if is_shown is None or is_shown.all():
        return ""
    return (
        "; the model is drawn in hidden bins only, since it sees the others: in single trials "
        "these are grey"
    )


def _order_words(groups: tuple[TrialGroup, ...], sort_by: TrialValues | None) -> str:
    """Say how single trials stand, top to bottom."""
    if sort_by is None:
        return "by condition" if groups else "in order of recording"
    n_known = int(sort_by.is_valid.sum())
    if not n_known:
        return f"{sort_by.words}: {NOT_IN_SESSION}"
    ends = [float(f(sort_by.values[sort_by.is_valid])) for f in (np.min, np.max)]
    low, high = (f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in ends)
    left = len(sort_by.values) - n_known
    unknown = f"; the last {left}: unknown" if left else ""
    return f"by {sort_by.words}, {low} to {high} {sort_by.unit}{unknown}"
