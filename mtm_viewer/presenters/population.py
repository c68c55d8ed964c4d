"""All scored units at once: as points, as bars by region, along their probe; and one in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import unit_score
from mtm_core.evaluation.metrics import MIN_SPIKES
from mtm_core.evaluation.trial_surprise import TrialSurprise
from mtm_core.evaluation.unit_facts import UnitFacts
from mtm_core.evaluation.unit_labels import region_colour, unit_label
from mtm_core.evaluation.unit_reasons import NO_REASON, outliers, standing, unit_reasons
from mtm_core.evaluation.unit_table import NO_REGION, RegionScore
from mtm_core.masking.region_level import LevelName, level_labels
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.population_drawable import (
    MARK_WORDS,
    Mark,
    PointCloud,
    RegionBar,
    RegionBars,
    UnitWords,
)
from mtm_viewer.presenters.raster_scene import colours_of

AxisName = Literal["rate", "spikes", "depth", "region", "r2", "psth_r2"]
AXES: Mapping[AxisName, str] = MappingProxyType(
    {
        "rate": "training rate (spikes/s)",
        "spikes": "scored spikes",
        "depth": "probe depth (\N{MICRO SIGN}m)",
        "region": "region",
        "r2": "single-trial R\N{SUPERSCRIPT TWO}",
        "psth_r2": "PSTH R\N{SUPERSCRIPT TWO}",
    }
)
"""What the score can be drawn against."""
SCORE = "bits/spike beyond PSTH"
NOTHING_SCORED = "Nothing is scored yet: hide a region or units first."
NOT_IN_SESSION = "not in this session"
_GLYPHS = {
    "noise": "\N{ALMOST EQUAL TO}",
    "better": "\N{BLACK UP-POINTING TRIANGLE}",
    "worse": "\N{BLACK DOWN-POINTING TRIANGLE}",
}
_DECADES = (0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000)
_LEAST_RATE_HZ = 0.01
_EDGE = 0.02
"""Points beyond the axis stand so far inside its ends, as a share of it."""
_MOST_IN_A_LINE = 5
_SPREAD = 0.32
"""Points of one region stand so far left and right of its name."""
_GOLDEN = 0.618034


@dataclass(frozen=True, kw_only=True)
class PopulationChoice:
    """How units are shown.

    Parameters
    ----------
    axis : str
        What the score is drawn against, one of `AXES`.
    level : str
        How finely the brain is divided.
    """

    axis: AxisName = "rate"
    level: LevelName = "given"


@dataclass(frozen=True, eq=False, kw_only=True)
class PopulationAnswer:
    """What is known of the units and trials of a picture.

    Parameters
    ----------
    picture : Picture
        What it is of.
    facts : UnitFacts
        Of its scored units.
    surprise : TrialSurprise
        Of its trials.
    regions : mapping of str to tuple of RegionScore
        The scores of regions, by level.
    """

    picture: Picture
    facts: UnitFacts
    surprise: TrialSurprise
    regions: Mapping[LevelName, tuple[RegionScore, ...]]

    @property
    def session(self) -> Session:
        """The recording, in the units of the model."""
        return self.picture.workspace.session

    @cached_property
    def outlying(self) -> NDArray[np.int8]:
        """1 for units that score far better than the others, -1 for far worse, else 0."""
        return outliers(self.facts)


def trials_words(picture: Picture) -> str:
    """Say which trials a picture is made from, exact or not, simulated or not."""
    words = picture.raster.trials.words()
    state = "exact" if picture.is_exact else "preview"
    is_simulated = picture.workspace.recording.provenance.is_simulated
    return f"{words}, {state}{', simulated' if is_simulated else ''}"


def score_limits(facts: UnitFacts) -> tuple[float, float]:
    """Return the ends of the axis of scores: those of units with enough spikes, and 0."""
    values = facts.bps.values[facts.is_counted]
    if not len(values):
        values = facts.bps.values[facts.bps.is_valid]
    low, high = float(values.min(initial=0.0)), float(values.max(initial=0.0))
    room = 0.08 * max(high - low, 0.05)
    return low - room, high + room


def marks(facts: UnitFacts) -> NDArray[np.int8]:
    """Return how each scored unit is drawn, values of `Mark`."""
    out = outliers(facts)
    conditions = [~facts.is_counted, out > 0, out < 0]
    return np.select(conditions, [Mark.FEW, Mark.WELL, Mark.BADLY], Mark.USUAL).astype(np.int8)


def scatter(answer: PopulationAnswer | None, choice: PopulationChoice) -> PointCloud:
    """Draw the score of each scored unit against something else that is known of it."""
    if answer is None:
        return PointCloud.empty(NOTHING_SCORED)
    session, facts = answer.session, answer.facts
    x, is_known, ticks = _axis(answer, choice)
    title = AXES[choice.axis]
    if not is_known.any():
        name = title.partition(" (")[0].capitalize()
        return PointCloud.empty(f"{name}: {NOT_IN_SESSION}.")
    is_drawn = is_known & facts.bps.is_valid
    if not is_drawn.any():
        return PointCloud.empty("No scored unit has a spike.")
    low, high = score_limits(facts)
    units, y = facts.units[is_drawn], facts.bps.values[is_drawn]
    x = x[is_drawn]
    room, edge = 0.04 * max(float(np.ptp(x)), 1e-6), _EDGE * (high - low)
    x_range = (float(x.min()) - room, float(x.max()) + room)
    mark = marks(facts)[is_drawn]
    return PointCloud(
        x=x,
        y=np.clip(y, low + edge, high - edge),
        units=units,
        unit_id=session.unit_id[units],
        colour=colours_of(level_labels(session, choice.level)[units]),
        mark=mark,
        x_range=x_range,
        y_range=(low, high),
        x_ticks=None if ticks is None else _inside(ticks, x_range),
        x_label=title if choice.axis != "region" else "",
        y_label=SCORE,
        zeros=((x_range[0], 0.0, x_range[1], 0.0),),
        note=_note(facts, is_drawn, is_known, (y < low) | (y > high), mark),
    )


def region_bars(answer: PopulationAnswer | None, level: LevelName) -> RegionBars:
    """Draw the score of each region, pooled over its scored units."""
    if answer is None:
        return RegionBars(message=NOTHING_SCORED)
    scores = answer.regions[level]
    bars = tuple(_bar(score) for score in scores if score.bps is not None)
    if not bars:
        return RegionBars(message="No scored unit has a spike.")
    ends = [end for bar in bars for end in (bar.bps, *(bar.interval or ()), 0.0)]
    room = 0.05 * max(max(ends) - min(ends), 0.02)
    silent = [score.name for score in scores if score.bps is None]
    left_out = f" Without a scored spike: {', '.join(silent)}." if silent else ""
    return RegionBars(
        bars=bars,
        limits=(min(ends) - (room if min(ends) < 0 else 0.0), max(ends) + room),
        label=f"{SCORE}, pooled over units",
        note=f"Lines: 95 % interval, bootstrap over trials.{left_out}",
    )


def unit_words(answer: PopulationAnswer, unit: int) -> UnitWords | None:
    """Say of a unit, given by its column, how it scores and what may explain it.

    Returns
    -------
    UnitWords or None
        None where the unit is not scored.
    """
    facts, session = answer.facts, answer.session
    place = facts.place(unit)
    if place is None:
        return None
    reasons = unit_reasons(facts, place, session)
    texts = [f"{_GLYPHS[reason.effect]} {reason.text}" for reason in reasons]
    briefs = [_held(f"{_GLYPHS[reason.effect]} {reason.brief}") for reason in reasons]
    return UnitWords(
        head=unit_label(str(session.unit_id[unit]), str(session.region[unit])),
        numbers=_numbers(answer, unit, place),
        brief=" \N{MIDDLE DOT} ".join(briefs) if briefs else NO_REASON,
        full="\n".join(texts) if texts else NO_REASON,
    )


def next_unit(facts: UnitFacts, unit: int | None, step: int) -> int | None:
    """Return the unit with the next better (step 1) or worse (-1) score, by its column.

    From a unit that is not counted among those with enough spikes: the best, or the worst. At
    either end the walk stays; without such units there is None.
    """
    places = np.flatnonzero(facts.is_counted)
    if not len(places):
        return None
    order = places[np.argsort(facts.bps.values[places], kind="stable")]
    found = np.flatnonzero(facts.units[order] == (-1 if unit is None else unit))
    if not len(found):
        return int(facts.units[order[-1 if step > 0 else 0]])
    return int(facts.units[order[int(np.clip(found[0] + step, 0, len(order) - 1))]])


def outlying_units(answer: PopulationAnswer, sign: int) -> tuple[str, ...]:
    """Return the ids of units that score far better (1) or far worse (-1) than the others."""
    units = answer.facts.units[answer.outlying == sign]
    return tuple(answer.session.unit_id[units].tolist())


def _held(text: str) -> str:
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def _axis(
    answer: PopulationAnswer, choice: PopulationChoice
) -> tuple[NDArray[np.float64], NDArray[np.bool_], tuple[tuple[float, str], ...] | None]:
    """Return places of units on the x axis, which are known, and ticks where it has its own."""
    facts = answer.facts
    every = np.ones(len(facts.units), dtype=bool)
    if choice.axis == "rate":
        return np.log10(np.maximum(facts.train_hz, _LEAST_RATE_HZ)), every, _log_ticks()
    if choice.axis == "spikes":
        return np.log10(np.maximum(facts.n_spikes, 1.0)), every, _log_ticks()
    if choice.axis == "region":
        return _region_axis(answer, choice.level)
    if choice.axis == "depth":
        column = answer.session.units.columns.get("depth_um")
        if column is None:
            return np.zeros(len(every)), ~every, None
        return column.values[facts.units].astype(np.float64), column.is_valid[facts.units], None
    found = facts.r2 if choice.axis == "r2" else facts.psth_r2
    return found.values, found.is_valid, None


def _region_axis(
    answer: PopulationAnswer, level: LevelName
) -> tuple[NDArray[np.float64], NDArray[np.bool_], tuple[tuple[float, str], ...]]:
    """Put units in columns, one for each region in the order of the atlas."""
    names = [score.name for score in answer.regions[level]]
    labels = level_labels(answer.session, level)[answer.facts.units]
    labels = np.where(labels == "", NO_REGION, labels)
    place = np.array([names.index(name) for name in labels.tolist()], dtype=np.float64)
    aside = np.zeros(len(place))
    for column in range(len(names)):
        mine = np.flatnonzero(place == column)
        aside[mine] = 2 * ((np.arange(len(mine)) * _GOLDEN) % 1.0) - 1
    # Names that would run into each other stand in two lines by turns.
    drop = "\n" if len(names) > _MOST_IN_A_LINE else ""
    ticks = tuple((float(k), f"{drop * (k % 2)}{name}") for k, name in enumerate(names))
    return place + _SPREAD * aside, np.ones(len(place), dtype=bool), ticks


def _log_ticks() -> tuple[tuple[float, str], ...]:
    return tuple((float(np.log10(value)), f"{value:,g}") for value in _DECADES)


def _inside(
    ticks: tuple[tuple[float, str], ...], ends: tuple[float, float]
) -> tuple[tuple[float, str], ...]:
    return tuple(tick for tick in ticks if ends[0] <= tick[0] <= ends[1])


def _note(
    facts: UnitFacts,
    is_drawn: NDArray[np.bool_],
    is_known: NDArray[np.bool_],
    is_beyond: NDArray[np.bool_],
    mark: NDArray[np.int8],
) -> str:
    parts = [f"{int(is_drawn.sum())} of {len(facts.units)} scored units"]
    n_silent, n_unknown = int((~facts.bps.is_valid).sum()), int((~is_known).sum())
    if n_silent:
        parts.append(f"{n_silent} without a scored spike left out")
    if n_unknown:
        parts.append(f"{n_unknown} of unknown place left out")
    if is_beyond.any():
        parts.append(f"{int(is_beyond.sum())} with few spikes drawn at the edge, beyond it")
    seen = [MARK_WORDS[Mark(kind)] for kind in np.unique(mark).tolist() if kind != Mark.USUAL]
    return "; ".join([*parts, *seen])


def _bar(score: RegionScore) -> RegionBar:
    bps = score.bps or 0.0
    interval = ""
    if score.interval is not None:
        interval = f", 95 % interval {_signed(score.interval[0])} to {_signed(score.interval[1])}"
    units = f"{score.n_units} unit{'s' if score.n_units != 1 else ''}"
    return RegionBar(
        name=score.name,
        colour=region_colour(score.name),
        bps=bps,
        interval=score.interval,
        text=units,
        sentence=f"{score.name}: {_signed(bps)} {SCORE}{interval}; {units}, "
        f"{score.n_spikes:,} scored spikes",
    )


def _numbers(answer: PopulationAnswer, unit: int, place: int) -> str:
    facts, gains = answer.facts, answer.picture.gains
    score = None if gains is None else unit_score(gains, unit)
    n_spikes = int(facts.n_spikes[place])
    parts = [f"{n_spikes:,} scored spikes", f"{facts.train_hz[place]:.2g} spikes/s in training"]
    if score is not None and score.bps_beyond_psth is not None:
        interval = ""
        if score.interval is not None:
            interval = f" [{_signed(score.interval[0])}, {_signed(score.interval[1])}]"
        parts.insert(0, f"{_signed(score.bps_beyond_psth)} {SCORE}{interval}")
    if facts.r2.is_valid[place]:
        parts.append(f"R\N{SUPERSCRIPT TWO} {_signed(float(facts.r2.values[place]))}")
    if facts.is_counted[place]:
        rank = standing(facts, place)
        parts.append(
            f"better than {rank.n_below} of the {rank.n_units - 1} other units with at least "
            f"{MIN_SPIKES} spikes"
        )
    return " \N{MIDDLE DOT} ".join(parts)


def _signed(value: float) -> str:
    """Write three decimals with a true minus sign, and none before a zero.

    Examples
    --------
    >>> _signed(-0.0004), _signed(-0.05)
    ('0.000', '−0.050')
    """  # noqa: RUF002
    return f"{round(value, 3) + 0.0:.3f}".replace("-", "\N{MINUS SIGN}")
