"""Scored units as a table, and the same by region: what the population panel shows and saves."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import sort_regions
from mtm_core.data.session import Session
from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import FEWEST_TRIALS, SEED, UnitGains, trial_samples
from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.unit_facts import UnitFacts
from mtm_core.evaluation.unit_reasons import outliers, unit_reasons
from mtm_core.masking.region_level import LevelName, level_labels
from mtm_core.resources import atomic_write

NO_REGION = "no region"
SCORE_WORDS = "bits per spike beyond the training PSTH of the trial's condition"
CSV_HEADER = (
    *("unit_id", "region", "region_beryl", "region_cosmos", "depth_um", "probe"),
    *("bps_beyond_psth", "n_scored_spikes", "is_counted", "outlier", "psth_bps"),
    *("train_hz", "shown_hz", "model_hz", "r2", "psth_r2", "fano"),
    *("change_z", "drift_z", "shared_r", "twin", "twin_r", "n_trials", "trials", "reasons"),
)
"""Columns of `csv_rows`; an unknown number is an empty field."""


@dataclass(frozen=True, kw_only=True)
class RegionScore:
    """The score of the scored units of one region.

    Parameters
    ----------
    name : str
        Acronym, or `NO_REGION`.
    bps : float or None
        Pooled bits per spike beyond the training PSTH; None without a scored spike.
    interval : (float, float) or None
        95 %, from samples of trials.
    n_units, n_spikes : int
        What was scored.
    """

    name: str
    bps: float | None
    interval: tuple[float, float] | None
    n_units: int
    n_spikes: int


def region_scores(
    session: Session, gains: UnitGains, level: LevelName = "given", seed: int = SEED
) -> tuple[RegionScore, ...]:
    """Score the units of each region together, regions in the order of the atlas.

    Parameters
    ----------
    session : Session
        The recording.
    gains : UnitGains
        The parts of the score.
    level : {"given", "beryl", "cosmos"}
        How finely the brain is divided.
    seed : int
        Of the samples of trials; they are those of the score of all units together.
    """
    labels = level_labels(session, level)[gains.units]
    labels = np.where(labels == "", NO_REGION, labels)
    names = [*sort_regions(set(labels.tolist()) - {NO_REGION}), NO_REGION]
    return tuple(
        _region(name, session.session_id, gains, labels == name, seed)
        for name in names
        if (labels == name).any()
    )


def _region(
    name: str, session_id: str, gains: UnitGains, is_mine: NDArray[np.bool_], seed: int
) -> RegionScore:
    gain, spikes = gains.gain[:, is_mine], gains.spikes[:, is_mine]
    interval = None
    if len(gain) >= FEWEST_TRIALS:
        samples = trial_samples(session_id, len(gain), seed)
        interval = metrics.pooled_interval(gain, spikes, samples)
    return RegionScore(
        name=name,
        bps=metrics.pooled_bps(gain, spikes),
        interval=interval,
        n_units=int(is_mine.sum()),
        n_spikes=int(spikes.sum()),
    )


def csv_rows(facts: UnitFacts, session: Session, trials: str) -> Iterator[tuple[object, ...]]:
    """Yield a row for each scored unit, as `CSV_HEADER` names them.

    Parameters
    ----------
    facts : UnitFacts
        Of the scored units.
    session : Session
        The recording.
    trials : str
        Which trials these are, for example ``"68 test trials, exact"``.
    """
    is_out, is_counted = outliers(facts), facts.is_counted
    levels = [level_labels(session, level) for level in ("given", "beryl", "cosmos")]
    for place, unit in enumerate(facts.units.tolist()):
        reasons = unit_reasons(facts, place, session)
        twin = int(facts.twin[place])
        yield (
            str(session.unit_id[unit]),
            *(str(labels[unit]) for labels in levels),
            *(_unit_field(session, name, unit) for name in ("depth_um", "probe")),
            *(_known(facts.bps, place), int(facts.n_spikes[place]), bool(is_counted[place])),
            *(int(is_out[place]), _known(facts.psth_bps, place)),
            *(float(a[place]) for a in (facts.train_hz, facts.shown_hz, facts.model_hz)),
            *(_known(values, place) for values in (facts.r2, facts.psth_r2, facts.fano)),
            *(float(a[place]) for a in (facts.change_z, facts.drift_z)),
            *(_known(facts.crowd, place), "" if twin < 0 else str(session.unit_id[twin])),
            *(float(facts.twin_r[place]), facts.n_trials, trials),
            " ".join(reason.text for reason in reasons),
        )


def write_unit_table(path: Path, facts: UnitFacts, session: Session, trials: str) -> None:
    """Write `csv_rows` to a CSV file, all of it or nothing."""
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(CSV_HEADER)
        writer.writerows(csv_rows(facts, session, trials))


def _known(values: UnitValues, place: int) -> float | str:
    return float(values.values[place]) if values.is_valid[place] else ""


def _unit_field(session: Session, name: str, unit: int) -> object:
    column = session.units.columns.get(name)
    return "" if column is None or not column.is_valid[unit] else column.values[unit]
