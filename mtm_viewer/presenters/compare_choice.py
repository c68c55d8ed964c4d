"""What a person chose to compare: with what, and which two conditions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from weakref import WeakKeyDictionary

from mtm_core.errors import MismatchError
from mtm_core.evaluation.contrast import CONTRASTS, available_contrasts
from mtm_core.evaluation.opponents import (
    MODEL,
    PROMPT,
    Opponent,
    check_comparable,
    opponent_name,
    short_name,
)
from mtm_core.models.baselines_masked import BASELINES
from mtm_viewer.presenters.workspace import LoadedModel, Workspace

NOTHING = ""
"""Key of no opponent, and of no contrast."""
_UNTOLD = Opponent(kind=PROMPT, prompt="none")
Entries = Mapping[str, str]
# Menus ask often. What is kept must not keep a session alive that was closed.
_opponents: WeakKeyDictionary[Workspace, Entries] = WeakKeyDictionary()
_contrasts: WeakKeyDictionary[Workspace, Entries] = WeakKeyDictionary()


@dataclass(frozen=True, kw_only=True)
class CompareChoice:
    """What is compared with the model on screen.

    Parameters
    ----------
    opponent : Opponent or None
        With what.
    checkpoint : str
        Path of the opponent's model, where it is another one.
    contrast : str
        One of `mtm_core.evaluation.contrast.CONTRASTS`; "" for none.
    """

    opponent: Opponent | None = None
    checkpoint: str = ""
    contrast: str = NOTHING

    @property
    def key(self) -> str:
        """The opponent as an entry of `opponent_entries`."""
        if self.opponent is None:
            return NOTHING
        if self.opponent.kind == MODEL:
            return f"{MODEL}:{self.checkpoint}"
        return self.opponent.kind if self.opponent.is_baseline else PROMPT

    def with_opponent(self, key: str) -> CompareChoice:
        """Compare with an entry of `opponent_entries`.

        Examples
        --------
        >>> CompareChoice().with_opponent("drift").key
        'drift'
        """
        if key == NOTHING:
            return replace(self, opponent=None, checkpoint="")
        if key == PROMPT:
            return replace(self, opponent=_UNTOLD, checkpoint="")
        kind, _, path = key.partition(":")
        return replace(self, opponent=Opponent(kind=kind), checkpoint=path)

    def model_in(self, workspace: Workspace) -> LoadedModel | None:
        """Return the opponent's model: another one, or that on screen; None for a baseline."""
        if self.opponent is None or self.opponent.is_baseline:
            return None
        if self.opponent.kind == PROMPT:
            return workspace.model
        paths = {str(model.checkpoint.path): model for model in workspace.models}
        return paths.get(self.checkpoint)

    def name_in(self, workspace: Workspace) -> str:
        """Name the opponent in a few words; "" for none."""
        if self.opponent is None:
            return ""
        model = self.model_in(workspace)
        return opponent_name(self.opponent, "" if model is None else short_name(model.checkpoint))

    def within(self, workspace: Workspace) -> CompareChoice:
        """Return the choice without what this workspace cannot compare."""
        choice = self
        if choice.key not in opponent_entries(workspace):
            choice = choice.with_opponent(NOTHING)
        if choice.contrast not in contrast_entries(workspace):
            choice = replace(choice, contrast=NOTHING)
        return choice


def opponent_entries(workspace: Workspace) -> Entries:
    """Name what the model on screen can be compared with, by key."""
    if workspace not in _opponents:
        _opponents[workspace] = _make_opponents(workspace)
    return _opponents[workspace]


def contrast_entries(workspace: Workspace) -> Entries:
    """Name the contrasts that this session has the fields for."""
    if workspace not in _contrasts:
        known = available_contrasts(workspace.session)
        entries = {NOTHING: "None"} | {name: CONTRASTS[name].capitalize() for name in known}
        _contrasts[workspace] = MappingProxyType(entries)
    return _contrasts[workspace]


def _make_opponents(workspace: Workspace) -> Entries:
    entries = {NOTHING: "Nothing"}
    own = workspace.model
    if own is None:
        return MappingProxyType(entries)
    if not own.is_temporal:
        entries[PROMPT] = "The same model without prompt"
    for model in workspace.models:
        if model is not own and _is_comparable(own, model):
            entries[f"{MODEL}:{model.checkpoint.path}"] = _title(workspace, model)
    return MappingProxyType(entries | dict(BASELINES))


def left_out_words(workspace: Workspace) -> str:
    """Say which open models cannot be compared with the one on screen, and why; "" for none."""
    own = workspace.model
    others = () if own is None else tuple(m for m in workspace.models if m is not own)
    problems = [(model, _problem(own, model)) for model in others if own is not None]
    return " ".join(
        f"{_title(workspace, model)} is not among them. {problem}"
        for model, problem in problems
        if problem
    )


def _title(workspace: Workspace, model: LoadedModel) -> str:
    return workspace.title_of(short_name(model.checkpoint))


def _is_comparable(own: LoadedModel, other: LoadedModel) -> bool:
    return not _problem(own, other)


def _problem(own: LoadedModel, other: LoadedModel) -> str:
    try:
        check_comparable(own.checkpoint.manifest, other.checkpoint.manifest)
    except MismatchError as error:
        return str(error)
    return ""
