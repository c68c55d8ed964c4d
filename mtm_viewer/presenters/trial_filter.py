"""Which trials are shown: by split and by condition, with counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.errors import DataError, UnknownNameError
from mtm_viewer.presenters.condition_words import FIELD_TITLES, level_words
from mtm_viewer.presenters.workspace import Workspace

Rows = NDArray[np.int64]
SplitName = Literal["test", "val", "train", "all"]

SPLITS: Mapping[SplitName, str] = MappingProxyType(
    {"test": "test", "val": "validation", "train": "training", "all": "recorded"}
)
"""Parts of the session, as they are called before the word trials."""
_MINUS = "\N{MINUS SIGN}"
SEEN = "The model was trained or tuned on these trials: how well it does here is no test of it."


@dataclass(frozen=True, kw_only=True)
class TrialFilter:
    """A choice of trials.

    Parameters
    ----------
    split : str
        One of `SPLITS`.
    levels : tuple of (str, str)
        Fields and the level that each must have, for example ``("feedback", "rewarded")``.
    """

    split: SplitName = "test"
    levels: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if self.split not in get_args(SplitName):
            raise UnknownNameError("part of the session", self.split, get_args(SplitName))

    def level(self, field: str) -> str:
        """Return the level that a field must have; "" for any."""
        return dict(self.levels).get(field, "")

    def with_level(self, field: str, level: str) -> TrialFilter:
        """Ask for a level of a field; "" asks for none in particular.

        Examples
        --------
        >>> TrialFilter().with_level("feedback", "rewarded").levels
        (('feedback', 'rewarded'),)
        """
        levels = {name: value for name, value in self.levels if name != field}
        if level:
            levels[field] = level
        ordered = tuple((name, levels[name]) for name in FIELD_TITLES if name in levels)
        return replace(self, levels=ordered)

    @property
    def is_seen(self) -> bool:
        """Whether trials are among them that the model was trained or tuned on."""
        return self.split != "test"

    @property
    def kind(self) -> str:
        """What stands before the word trials, for example ``"rewarded test"``."""
        return " ".join(
            [*(level.replace("-", _MINUS) for _, level in self.levels), SPLITS[self.split]]
        )


@dataclass(frozen=True, kw_only=True)
class FilterOption:
    """One entry of a list to choose from.

    Parameters
    ----------
    value : str
        A split, or a level of a field; "" for any.
    text : str
        What it is called, with the number of trials.
    n_trials : int
        Trials that would be shown.
    """

    value: str
    text: str
    n_trials: int


@dataclass(frozen=True, kw_only=True)
class FilterDrawable:
    """What the choice of trials shows.

    Parameters
    ----------
    chosen : TrialFilter
        What is chosen.
    summary : str
        How many trials are shown, of how many, in words.
    splits : tuple of FilterOption
        Parts of the session.
    fields : tuple of (str, tuple of FilterOption)
        For each field that the session has its levels; the first is any.
    """

    chosen: TrialFilter
    summary: str
    splits: tuple[FilterOption, ...]
    fields: tuple[tuple[str, tuple[FilterOption, ...]], ...]


def filter_trials(workspace: Workspace, wanted: TrialFilter) -> Workspace:
    """Return a workspace that shows the chosen trials; everything else stays as it is.

    Raises
    ------
    DataError
        If no trial fits.
    """
    if wanted == TrialFilter():
        return workspace
    rows = _rows(workspace, wanted)
    if not len(rows):
        msg = f"There are no {wanted.kind} trials in this session. Choose others."
        raise DataError(msg)
    return replace(workspace, test=rows, trial_kind=wanted.kind)


def filter_panel(workspace: Workspace, chosen: TrialFilter) -> FilterDrawable:
    """List what can be chosen, and how many trials each choice would show."""
    n_shown, n_all = len(_rows(workspace, chosen)), len(_part(workspace, chosen.split))
    fields = tuple(
        (field, _levels(workspace, chosen, field))
        for field in FIELD_TITLES
        if field in available_conditions(workspace.session)
    )
    return FilterDrawable(
        chosen=chosen,
        summary=f"{_of(n_shown, n_all)} {SPLITS[chosen.split]} trials",
        splits=tuple(
            _option(name, SPLITS[name], len(_rows(workspace, replace(chosen, split=name))))
            for name in SPLITS
        ),
        fields=fields,
    )


def _of(n_shown: int, n_all: int) -> str:
    return str(n_all) if n_shown == n_all else f"{n_shown} of {n_all}"


def _levels(workspace: Workspace, chosen: TrialFilter, field: str) -> tuple[FilterOption, ...]:
    names = trial_conditions(workspace.session, (field,)).names
    choices = [("", "any"), *((name, level_words(name)) for name in names)]
    return tuple(
        _option(value, text, len(_rows(workspace, chosen.with_level(field, value))))
        for value, text in choices
    )


def _option(value: str, name: str, n_trials: int) -> FilterOption:
    return FilterOption(value=value, text=f"{name} ({n_trials})", n_trials=n_trials)


def _part(workspace: Workspace, split: SplitName) -> Rows:
    if split == "all":
        return np.arange(workspace.session.n_trials)
    rows: Rows = {"test": workspace.test, "val": workspace.val, "train": workspace.train}[split]
    return rows


def _rows(workspace: Workspace, wanted: TrialFilter) -> Rows:
    rows = _part(workspace, wanted.split)
    for field, level in wanted.levels:
        rows = rows[_has_level(workspace.session, field, level)[rows]]
    return np.sort(rows)


def _has_level(session: Session, field: str, level: str) -> NDArray[np.bool_]:
    """Tell which trials have this level; none where the session lacks the field."""
    if field not in available_conditions(session):
        return np.zeros(session.n_trials, dtype=bool)
    conditions = trial_conditions(session, (field,))
    if level not in conditions.names:
        return np.zeros(session.n_trials, dtype=bool)
    is_level = conditions.label == conditions.names.index(level)
    return np.asarray(conditions.is_valid & is_level)
