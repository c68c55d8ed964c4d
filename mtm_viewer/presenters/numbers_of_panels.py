"""What each panel shows, as numbers to save."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation import unit_table
from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.evaluation.region_matrix_report import CSV_HEADER, MatrixReport
from mtm_core.evaluation.unit_facts import UnitFacts
from mtm_core.masking.spec import ResolvedMask
from mtm_viewer.presenters.honesty import HonestyLine
from mtm_viewer.presenters.panel_numbers import NumberColumn, NumberTable, PanelNumbers
from mtm_viewer.presenters.raster_drawable import RasterDrawable, RasterPanel
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.training_curve import TrainingDrawable
from mtm_viewer.presenters.unit_drawable import UnitDrawable

_MS = 1000.0


def raster_numbers(drawable: RasterDrawable) -> PanelNumbers:
    """Return the maps on screen, row by row from the top; hidden and scored entries."""
    rows = drawable.rows
    who = (
        NumberColumn(name="unit_id", values=rows.unit_id),
        NumberColumn(name="region", values=rows.region),
    )
    times = _bin_labels(drawable.bin_start_s, drawable.bin_size_s)
    places = zip(("left", "middle", "right"), drawable.panels, strict=True)
    maps = [(place, panel) for place, panel in places if not panel.message]
    tables = [
        NumberTable(
            name=f"{place}_{panel.name or 'map'}",
            columns=(
                *who,
                NumberColumn(
                    name=panel.name or "value",
                    values=panel.values,
                    unit=panel.unit,
                    labels=times,
                ),
            ),
        )
        for place, panel in maps
    ]
    masks = (("hidden", rows.is_hidden), ("scored", rows.is_scored))
    tables += [
        NumberTable(
            name=name,
            columns=(*who, NumberColumn(name=name, values=mask.astype(np.uint8), labels=times)),
        )
        for name, mask in masks
    ]
    notes = (
        ("trials", drawable.trials.words()),
        ("picture", drawable.note),
        *((f"{place} map", panel.title) for place, panel in maps),
    )
    return PanelNumbers(title="Rasters", tables=tuple(tables), notes=notes)


def score_numbers(lines: Sequence[ScoreLine]) -> PanelNumbers:
    """Return the scores on screen."""
    ends = [line.interval or (None, None) for line in lines]
    bps = "bits/spike"
    columns = (
        NumberColumn(name="prediction", values=np.array([line.name for line in lines])),
        _numbers("beyond_psth", [line.bps_beyond_psth for line in lines], bps),
        _numbers("interval_low", [low for low, _ in ends], bps),
        _numbers("interval_high", [high for _, high in ends], bps),
        _numbers("over_mean_rate_pooled", [line.bps_pooled for line in lines], bps),
        _numbers("over_mean_rate_unit_mean", [line.bps_unit_mean for line in lines], bps),
        NumberColumn(name="n_units", values=np.array([line.n_units for line in lines])),
        NumberColumn(name="n_spikes", values=np.array([line.n_spikes for line in lines])),
    )
    return PanelNumbers(title="Scores", tables=(NumberTable(name="scores", columns=columns),))


def unit_numbers(drawable: UnitDrawable) -> PanelNumbers:
    """Return the PSTHs by condition and the single trials of a unit."""
    times = _bin_labels(drawable.bin_start_s, drawable.bin_size_s)
    tables = [_psths(drawable, times)] if any(plot.lines for plot in drawable.plots) else []
    tables += [
        _trials(panel, name, drawable, times)
        for panel, name in zip(drawable.trials, ("true", "model", "residual"), strict=False)
        if not panel.message
    ]
    notes = tuple(
        (what, text)
        for what, text in (
            ("unit", drawable.subtitle),
            ("score", drawable.score),
            ("picture", drawable.note),
            ("single trials", drawable.trial_order),
        )
        if text
    )
    return PanelNumbers(title=drawable.title, tables=tuple(tables), notes=notes)


def matrix_numbers(report: MatrixReport) -> PanelNumbers:
    """Return a line for each cell of a region-to-region matrix."""
    title = "Region-to-region matrix: predictive, not causal"
    notes = (("done", f"{report.n_done} of {report.n_steps} steps"),)
    table = _of_rows("cells", CSV_HEADER, report.csv_rows())
    return PanelNumbers(title=title, tables=(table,), notes=notes)


def population_numbers(facts: UnitFacts, session: Session, trials: str) -> PanelNumbers:
    """Return a line for each scored unit: its score, and what may explain it."""
    rows = list(unit_table.csv_rows(facts, session, trials))
    table = _of_rows("units", unit_table.CSV_HEADER, rows)
    return PanelNumbers(title="Population", tables=(table,), notes=(("trials", trials),))


def change_numbers(session: Session, change: PairedChange) -> PanelNumbers:
    """Return the change of every scored unit between two predictions."""
    found, bps = change.units, "bits/spike"
    valid, judged = found.is_valid, found.has_interval
    columns = (
        NumberColumn(name="unit_id", values=session.unit_id[found.units]),
        NumberColumn(name="region", values=session.region[found.units]),
        NumberColumn(name="change", values=found.change, unit=bps, is_known=valid),
        NumberColumn(name="low", values=found.low, unit=bps, is_known=judged),
        NumberColumn(name="high", values=found.high, unit=bps, is_known=judged),
        NumberColumn(name="bps", values=found.bps, unit=bps, is_known=valid),
        NumberColumn(name="other_bps", values=found.other_bps, unit=bps, is_known=valid),
        NumberColumn(name="n_spikes", values=found.n_spikes),
    )
    score = change.score
    notes = (
        ("change", f"{score.name} minus {score.other}"),
        ("low and high", "95 % interval over trials drawn with replacement"),
    )
    table = NumberTable(name="units", columns=columns)
    return PanelNumbers(title="Change of each unit", tables=(table,), notes=notes)


def honesty_numbers(lines: Sequence[HonestyLine]) -> PanelNumbers:
    """Return what stands behind a picture, a line for each thing."""
    columns = tuple(
        NumberColumn(name=name, values=np.array([getattr(line, name) for line in lines]))
        for name in ("what", "verdict", "words")
    )
    table = NumberTable(name="lines", columns=columns)
    return PanelNumbers(title="Behind the picture", tables=(table,))


def tree_numbers(
    session: Session, rate_hz: NDArray[np.float64], mask: ResolvedMask | None
) -> PanelNumbers:
    """Return all units in the order of the session, with what the mask does to each."""
    shape = (session.n_bins, session.n_units)
    nothing = np.zeros(shape, dtype=bool)
    hidden, scored = (nothing, nothing) if mask is None else (mask.is_hidden, mask.is_scored)
    columns = [
        NumberColumn(name="unit_id", values=session.unit_id),
        NumberColumn(name="region", values=session.region),
        NumberColumn(name="rate", values=rate_hz, unit="spikes/s"),
        NumberColumn(name="hidden_bins", values=hidden.sum(axis=0)),
        NumberColumn(name="scored_bins", values=scored.sum(axis=0)),
    ]
    if session.units.has("depth_um"):
        depth = session.units.column("depth_um")
        columns.append(
            NumberColumn(name="depth", values=depth.values, unit="um", is_known=depth.is_valid)
        )
    notes = (
        ("rate", "mean over training trials"),
        ("bins", f"{session.n_bins} in each trial"),
    )
    table = NumberTable(name="units", columns=tuple(columns))
    return PanelNumbers(title="Regions and units", tables=(table,), notes=notes)


def training_numbers(drawable: TrainingDrawable) -> PanelNumbers:
    """Return the curves of a run: loss by step, and the validation scores of each scheme."""
    loss = NumberTable(
        name="loss",
        columns=(
            NumberColumn(name="step", values=drawable.step),
            NumberColumn(name="loss", values=drawable.loss),
            NumberColumn(name="running_mean", values=drawable.smooth),
        ),
    )
    validation = tuple(
        NumberTable(
            name=f"validation_{name}",
            columns=(
                NumberColumn(name="step", values=step[np.isfinite(step)]),
                NumberColumn(name=name, values=bps[np.isfinite(step)], unit="bits/spike"),
            ),
        )
        for name, (step, bps) in drawable.validation.items()
    )
    notes = (("steps behind each point of the loss", str(drawable.pooled)),)
    return PanelNumbers(title="Training", tables=(loss, *validation), notes=notes)


def _psths(drawable: UnitDrawable, times: tuple[str, ...]) -> NumberTable:
    lines = [(plot.title, line) for plot in drawable.plots for line in plot.lines]
    n_bins = len(times)
    shown = (
        ("true", [line.true_hz for _, line in lines]),
        ("sem", [line.sem_hz for _, line in lines]),
        ("model", [line.model_hz for _, line in lines]),
        ("model_sem", [line.model_sem_hz for _, line in lines]),
    )
    columns = [
        NumberColumn(name="field", values=np.array([title for title, _ in lines])),
        NumberColumn(name="condition", values=np.array([line.name for _, line in lines])),
        NumberColumn(name="n_trials", values=np.array([line.n_trials for _, line in lines])),
    ]
    for name, curves in shown:
        is_known = np.array([[curve is not None] * n_bins for curve in curves])
        if name.startswith("model"):
            is_known &= _is_predicted(drawable)
        values = np.array([np.zeros(n_bins) if curve is None else curve for curve in curves])
        columns.append(
            NumberColumn(
                name=name, values=values, unit="spikes/s", labels=times, is_known=is_known
            )
        )
    return NumberTable(name="psth", columns=tuple(columns))


def _trials(
    panel: RasterPanel, name: str, drawable: UnitDrawable, times: tuple[str, ...]
) -> NumberTable:
    condition = np.full(len(panel.values), "", dtype="U200")
    for group in drawable.groups:
        condition[group.start : group.stop] = group.name
    is_known = np.broadcast_to(_is_predicted(drawable) | (not panel.is_veiled), panel.values.shape)
    return NumberTable(
        name=f"trials_{name}",
        columns=(
            NumberColumn(name="row", values=np.arange(len(panel.values))),
            NumberColumn(name="condition", values=condition),
            NumberColumn(
                name=name,
                values=panel.values,
                unit=panel.unit,
                labels=times,
                is_known=is_known,
            ),
        ),
    )


def _is_predicted(drawable: UnitDrawable) -> NDArray[np.bool_]:
    """Tell in which bins the model predicts the unit; in others it sees it."""
    if drawable.is_model_shown is None:
        return np.ones(len(drawable.bin_start_s), dtype=bool)
    return drawable.is_model_shown


def _bin_labels(bin_start_s: NDArray[np.float64], bin_size_s: float) -> tuple[str, ...]:
    """Name bins by their middle, in ms from the event."""
    return tuple(f"{_MS * (start + bin_size_s / 2):g} ms" for start in bin_start_s)


def _of_rows(name: str, heads: Sequence[str], rows: Sequence[Sequence[object]]) -> NumberTable:
    columns = (_of_any([row[place] for row in rows], head) for place, head in enumerate(heads))
    return NumberTable(name=name, columns=tuple(columns))


def _numbers(name: str, values: Sequence[float | None], unit: str) -> NumberColumn:
    is_known = np.array([value is not None for value in values], dtype=bool)
    numbers = np.array([0.0 if value is None else value for value in values])
    return NumberColumn(name=name, values=numbers, unit=unit, is_known=is_known)


def _of_any(values: Sequence[object], name: str) -> NumberColumn:
    """Make a column of numbers where all that there is are numbers, else of text."""
    is_known = np.array([value != "" for value in values], dtype=bool)
    there = [value for value in values if value != ""]
    if there and all(isinstance(value, int | float | np.number) for value in there):
        kind = int if all(isinstance(value, int | np.integer) for value in there) else float
        numbers = np.array([0 if value == "" else value for value in values], dtype=kind)
        return NumberColumn(name=name, values=numbers, is_known=is_known)
    return NumberColumn(name=name, values=np.array([str(value) for value in values], dtype=str))
