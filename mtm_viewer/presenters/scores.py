"""The score of what is on screen: one headline in words, the rest in a table and on hover."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from mtm_core.evaluation.mask_scores import PredictorScore

COLUMNS = (
    "bits per spike",
    "beyond PSTH",
    "95 % interval",
    "over mean rate",
    "same, unit mean",
    "units",
    "spikes",
)
COLUMN_TOOLTIPS = (
    "What made the prediction, or in which trials the model did; scores are in bits per spike.",
    "Bits per spike over each unit's PSTH of the training trials of the same condition, pooled: "
    "the sum of gains over all units divided by all spikes. 0 means no better than the mean "
    "response.",
    "95 % interval of the column before: bootstrap over trials.",
    "Bits per spike over each unit's mean rate in the training trials, pooled over units.",
    "Bits per spike over each unit's mean rate as well, but as the unweighted mean over units "
    "with at least 30 scored spikes.",
    "Scored units.",
    "Scored spikes.",
)
_NOTHING = "\N{EM DASH}"
PREDICTIONS = ""
"""Name of the grouping in which a row is a prediction; others are fields of trials."""
NO_GROUPS: Mapping[str, str] = MappingProxyType({PREDICTIONS: "Predictions"})


@dataclass(frozen=True, kw_only=True)
class ScoreLine(PredictorScore):
    """What one predictor reached, or the model in some trials; see `PredictorScore`.

    Parameters
    ----------
    explanation : str
        What it is, for the tooltip.
    """

    explanation: str = ""


@dataclass(frozen=True, kw_only=True)
class ScoreContext:
    """The choices that the numbers depend on.

    Parameters
    ----------
    task : str
        Name of the recipe, for example ``"inter-region"``.
    trials : str
        Which trials and how many, for example ``"66 test trials"``.
    checkpoint : str
        Name of the model.
    is_final : bool
        False while trials are still being added.
    """

    task: str
    trials: str
    checkpoint: str
    is_final: bool = True


@dataclass(frozen=True, kw_only=True)
class ScoreRow:
    """A row of the table.

    Parameters
    ----------
    cells : tuple of str
        One text per column of `COLUMNS`.
    tooltip : str
        What the predictor is.
    """

    cells: tuple[str, ...]
    tooltip: str


@dataclass(frozen=True, kw_only=True)
class ScoreDrawable:
    """Everything that the score panel draws.

    Parameters
    ----------
    headline : str
        The number that counts, for example ``"0.21 bits/spike beyond PSTH"``.
    interval : str
        Its interval in words; "" without one.
    verdict : str
        What it means, in a few words.
    role : {"good", "warning", "bad", "muted"}
        Colour of the verdict.
    tooltip : str
        All choices behind the number.
    columns, column_tooltips : tuple of str
        Heads of the table.
    rows : tuple of ScoreRow
        One per predictor.
    can_shuffle : bool
        Whether the shuffle control can be asked for.
    command : str
        What a person can type to go on where there is nothing to score; "" for nothing.
    is_shuffled : bool
        Whether the shuffle control is on.
    groupings : mapping of str to str
        What rows can stand for, by name.
    grouping : str
        Which of them they stand for.
    """

    headline: str
    interval: str
    verdict: str
    role: str
    tooltip: str
    columns: tuple[str, ...]
    column_tooltips: tuple[str, ...]
    rows: tuple[ScoreRow, ...]
    can_shuffle: bool
    command: str = ""
    is_shuffled: bool = False
    groupings: Mapping[str, str] = field(default_factory=lambda: NO_GROUPS)
    grouping: str = PREDICTIONS


def score_panel(
    lines: Sequence[ScoreLine],
    context: ScoreContext | None,
    *,
    can_shuffle: bool = False,
    groups: Sequence[ScoreLine] = (),
    is_coming: bool = False,
) -> ScoreDrawable:
    """Lay out scores; the first line is the model on screen.

    Parameters
    ----------
    lines : sequence of ScoreLine
        The model, then whatever it is compared with.
    groups : sequence of ScoreLine
        The model by groups of trials, shown in place of what it is compared with.
    context : ScoreContext or None
        The choices behind the numbers; None while nothing is scored.
    can_shuffle : bool
        Whether the shuffle control can be asked for.
    is_coming : bool
        Whether scores will follow where there are no lines: something is hidden.
    """
    headline, interval = _headline(lines, is_coming=is_coming)
    verdict, role = _verdict(lines, context, is_coming=is_coming)
    return ScoreDrawable(
        headline=headline,
        interval=interval,
        verdict=verdict,
        role=role,
        tooltip=_tooltip(context),
        columns=COLUMNS,
        column_tooltips=COLUMN_TOOLTIPS,
        rows=tuple(
            ScoreRow(cells=_cells(line), tooltip=line.explanation) for line in groups or lines
        ),
        can_shuffle=can_shuffle and bool(lines),
    )


def _headline(lines: Sequence[ScoreLine], *, is_coming: bool) -> tuple[str, str]:
    if not lines:
        return f"beyond PSTH: {'to come' if is_coming else 'nothing scored'}", ""
    line = lines[0]
    if line.bps_beyond_psth is None:
        return "beyond PSTH: no spikes to score", ""
    return f"{_signed(line.bps_beyond_psth)} bits/spike beyond PSTH", _interval_words(line)


def _interval_words(line: ScoreLine) -> str:
    if line.interval is None:
        return ""
    low, high = line.interval
    return f"95 % interval {_signed(low)} to {_signed(high)}"


def _verdict(
    lines: Sequence[ScoreLine], context: ScoreContext | None, *, is_coming: bool
) -> tuple[str, str]:
    if is_coming and not lines:
        return "fitting what the score is compared with, once for this session", "muted"
    if not lines or context is None:
        return "hide a region or units to see what the rest tells about them", "muted"
    line, *rivals = lines
    if line.bps_beyond_psth is None:
        return "the scored entries hold no spike", "warning"
    if not context.is_final:
        return "still counting: more trials to come", "muted"
    if line.interval is None:
        return "too few trials for an interval", "warning"
    low, high = line.interval
    if low > 0:
        return _beside_rivals(low, rivals)
    if high < 0:
        return "worse than the mean response to the stimulus", "bad"
    return "not shown to beat the mean response: the interval holds 0", "warning"


def _beside_rivals(low: float, rivals: Sequence[ScoreLine]) -> tuple[str, str]:
    """Judge a score above that of the mean response by the best of the others."""
    words = "tells more than the mean response"
    reached = {each.bps_beyond_psth or 0.0: each.name for each in rivals}
    best = max(reached, default=0.0)
    if best <= 0:
        return f"{words} to the stimulus", "good"
    name = reached[best]
    if low > best:
        return f"{words} and than {name} ({_signed(best)})", "good"
    return (
        f"{words}, but its interval holds what {name} alone reaches ({_signed(best)})",
        "warning",
    )


def _tooltip(context: ScoreContext | None) -> str:
    if context is None:
        return "Nothing is scored yet."
    return (
        f"Task: {context.task}. Trials: {context.trials}. Model: {context.checkpoint}. "
        "Null: each unit's PSTH of the training trials of the same condition. Pooled: sum of "
        "gains over all scored units divided by all scored spikes; silent units add no spikes "
        "but their log-likelihood counts. Interval: bootstrap over trials."
    )


def _cells(line: ScoreLine) -> tuple[str, ...]:
    interval = _NOTHING
    if line.interval is not None:
        interval = f"{_signed(line.interval[0])} to {_signed(line.interval[1])}"
    return (
        line.name,
        _number(line.bps_beyond_psth),
        interval,
        _number(line.bps_pooled),
        _number(line.bps_unit_mean),
        f"{line.n_units:,}",
        f"{line.n_spikes:,}",
    )


def _number(value: float | None) -> str:
    return _NOTHING if value is None else _signed(value)


def _signed(value: float) -> str:
    """Write three decimals with a true minus sign.

    Examples
    --------
    >>> _signed(0.2104), _signed(-0.05)
    ('0.210', '−0.050')
    """  # noqa: RUF002
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
