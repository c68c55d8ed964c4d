"""The panel of a comparison: one number, its sentences, and a point for every unit."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.contrast import FEWEST, contrast_words
from mtm_core.evaluation.paired_change import CAUTION, PairedChange, change_words, unit_words
from mtm_core.evaluation.unit_labels import unit_label
from mtm_viewer.presenters.compare_choice import CompareChoice, left_out_words
from mtm_viewer.presenters.compared import Compared
from mtm_viewer.presenters.raster_scene import colours_of
from mtm_viewer.presenters.workspace import Workspace

_SPREAD = 99.0
"""Percentile that the axes span, of the units with an interval; those beyond stand at the edge."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparisonPoints:
    """A point for every unit that has a scored spike.

    Parameters
    ----------
    unit_id : ndarray of str, shape (n_points,)
        The units.
    own, other : ndarray, shape (n_points,)
        Bits per spike beyond the PSTH of the model and of the opponent, within the limits.
    colour : ndarray of uint8, shape (n_points, 3)
        The atlas's colour of the region.
    is_clear : ndarray of bool, shape (n_points,)
        Whether the interval of the change leaves out 0.
    is_judged : ndarray of bool, shape (n_points,)
        Whether it has an interval.
    words : tuple of str
        What stands under the pointer.
    limits : (float, float)
        Of both axes.
    """

    unit_id: NDArray[np.str_]
    own: NDArray[np.float64]
    other: NDArray[np.float64]
    colour: NDArray[np.uint8]
    is_clear: NDArray[np.bool_]
    is_judged: NDArray[np.bool_]
    words: tuple[str, ...]
    limits: tuple[float, float]

    def row_of(self, unit_id: str) -> int | None:
        """Return the place of a unit; None where it has no point."""
        rows = np.flatnonzero(self.unit_id == unit_id)
        return int(rows[0]) if len(rows) else None


_points: WeakKeyDictionary[PairedChange, ComparisonPoints] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparisonDrawable:
    """Everything that the panel draws.

    Parameters
    ----------
    headline : str
        The change with its interval, or why there is none.
    role : {"good", "warning", "bad", "muted"}
        Colour of the headline.
    sentence, units, caution : str
        Which tells more; for how many units that is more than chance; what to mind.
    unit : str
        The selected unit's change.
    contrast : str
        What of the contrast survives the mask; "" where none was asked for.
    points : ComparisonPoints or None
        Unit by unit.
    axes : (str, str)
        Names of the horizontal and the vertical axis.
    can_blink : bool
        Whether there is something to blink to.
    """

    headline: str
    role: str
    sentence: str = ""
    units: str = ""
    unit: str = ""
    contrast: str = ""
    caution: str = ""
    points: ComparisonPoints | None = None
    axes: tuple[str, str] = ("", "")
    can_blink: bool = False


def comparison_panel(
    workspace: Workspace | None, choice: CompareChoice, compared: Compared | None, unit_id: str
) -> ComparisonDrawable:
    """Lay out a comparison.

    Parameters
    ----------
    workspace : Workspace or None
        What is open.
    choice : CompareChoice
        What is compared.
    compared : Compared or None
        What came out of it; None before anything did.
    unit_id : str
        The selected unit; "" for none.
    """
    if compared is not None and compared.choice != choice:
        compared = None
    contrast = _contrast_text(choice, compared)
    if workspace is None or workspace.model is None:
        text = "A comparison needs a model of this session: train one, then open it."
        return ComparisonDrawable(headline=text, role="muted")
    if choice.opponent is None:
        text = "Choose what to compare the model on screen with."
        left_out = left_out_words(workspace)
        return ComparisonDrawable(headline=text, role="muted", contrast=contrast, caution=left_out)
    if compared is None or compared.change is None:
        text, role = "comparing\N{HORIZONTAL ELLIPSIS}", "muted"
        if compared is not None and compared.problem:
            text, role = compared.problem, "warning"
        return ComparisonDrawable(headline=text, role=role, contrast=contrast)
    headline, role = _headline(compared)
    change = compared.change
    return ComparisonDrawable(
        headline=headline,
        role=role,
        sentence=change_words(change.score),
        units=unit_words(change.score),
        unit=_unit_text(workspace, change, unit_id),
        contrast=contrast,
        caution=CAUTION,
        points=comparison_points(workspace, change),
        axes=(f"{change.score.other}, bits/spike", f"{change.score.name}, bits/spike"),
        can_blink=True,
    )


def comparison_points(workspace: Workspace, change: PairedChange) -> ComparisonPoints:
    """Return a point for every unit that has a scored spike; kept for as long as the change is."""
    if change not in _points:
        _points[change] = _make_points(workspace, change)
    return _points[change]


def _make_points(workspace: Workspace, change: PairedChange) -> ComparisonPoints:
    found = change.units
    shown = np.flatnonzero(found.is_valid)
    units = found.units[shown]
    session = workspace.session
    own, other = found.bps[shown], found.other_bps[shown]
    judged = found.has_interval[shown] if found.n_judged else np.ones(len(shown), dtype=bool)
    low, high = _limits(np.concatenate([own[judged], other[judged]]))
    is_clear = found.has_interval & ((found.low > 0) | (found.high < 0))
    return ComparisonPoints(
        unit_id=session.unit_id[units],
        own=np.clip(own, low, high),
        other=np.clip(other, low, high),
        colour=colours_of(session.region[units]) if len(units) else np.zeros((0, 3), np.uint8),
        is_clear=is_clear[shown],
        is_judged=found.has_interval[shown],
        words=tuple(_unit_words(workspace, change, int(row)) for row in shown),
        limits=(low, high),
    )


def _headline(compared: Compared) -> tuple[str, str]:
    score = None if compared.change is None else compared.change.score
    if score is None or score.change is None:
        return "no spike is scored", "warning"
    text = f"{_signed(score.change)} bits/spike"
    if not compared.is_exact:
        return f"{text} so far", "muted"
    if score.interval is None:
        return text, "warning"
    low, high = score.interval
    role = "good" if low > 0 else "bad" if high < 0 else "warning"
    return f"{text}  [{_signed(low)}, {_signed(high)}]", role


def _contrast_text(choice: CompareChoice, compared: Compared | None) -> str:
    if not choice.contrast:
        return ""
    if compared is None or (compared.contrast is None and not compared.is_exact):
        return "comparing conditions\N{HORIZONTAL ELLIPSIS}"
    if compared.contrast is None:
        return f"One of the two conditions has fewer than {FEWEST} of the trials that are shown."
    return contrast_words(compared.contrast)


def _limits(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return limits that hold most values, 0 among them."""
    if not len(values):
        return -0.1, 0.1
    low, high = np.percentile(values, [100 - _SPREAD, _SPREAD])
    low, high = min(float(low), 0.0), max(float(high), 0.0)
    room = 0.05 * (high - low) or 0.1
    return low - room, high + room


def _unit_text(workspace: Workspace, change: PairedChange, unit_id: str) -> str:
    columns = np.flatnonzero(workspace.session.unit_id[change.units.units] == unit_id)
    if not len(columns):
        return "The selected unit is not scored." if unit_id else ""
    return _unit_words(workspace, change, int(columns[0]))


def _unit_words(workspace: Workspace, change: PairedChange, row: int) -> str:
    found, session = change.units, workspace.session
    unit = found.units[row]
    name = unit_label(str(session.unit_id[unit]), str(session.region[unit]))
    n = int(found.n_spikes[row])
    if not found.is_valid[row]:
        return f"{name}: no scored spike"
    interval = "too few spikes for an interval"
    if found.has_interval[row]:
        interval = f"[{_signed(found.low[row])}, {_signed(found.high[row])}]"
    return (
        f"{name}: {_signed(found.change[row])} bits/spike {interval}, "
        f"{_plain(found.bps[row])} against {_plain(found.other_bps[row])}, {n} spikes"
    )


def _signed(value: float) -> str:
    return f"{value:+.3f}".replace("-", "\N{MINUS SIGN}")


def _plain(value: float) -> str:
    return f"{value:.3f}".replace("-", "\N{MINUS SIGN}")
