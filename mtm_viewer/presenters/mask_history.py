"""The steps of the mask by name, as plain values, so that a journal can bring them back."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mtm_core.errors import MtmError
from mtm_core.masking import mask_json
from mtm_viewer.presenters.experiment_view import choice_to_dict, read_choice
from mtm_viewer.presenters.mask_choice import MaskChoice

MOST_STEPS = 100
"""Older steps are not kept."""
MOST_LETTERS = 400_000
"""Of all masks together: painted ones can be long. Steps that do not fit are not kept."""
_LONGEST_NAME = 300


@dataclass(frozen=True, kw_only=True)
class HistoryStep:
    """A step from one mask to another.

    Parameters
    ----------
    text : str
        What the history calls it.
    before, after : MaskChoice
        The masks.
    """

    text: str
    before: MaskChoice
    after: MaskChoice


@dataclass(frozen=True, kw_only=True)
class MaskHistory:
    """Steps in their order.

    Parameters
    ----------
    steps : tuple of HistoryStep
        The oldest first; those after `n_done` were undone and can be done again.
    n_done : int
        How many of them are done.
    """

    steps: tuple[HistoryStep, ...] = ()
    n_done: int = 0

    @property
    def mask(self) -> MaskChoice | None:
        """The mask on screen; None where there are no steps."""
        if not self.steps:
            return None
        return self.steps[self.n_done - 1].after if self.n_done else self.steps[0].before


def history_to_dict(history: MaskHistory) -> dict[str, Any]:
    """Return a history as plain values, each mask once; what is too much of it is left out."""
    masks: dict[MaskChoice, int] = {}
    written: list[dict[str, Any]] = []
    rows: list[list[Any]] = []
    n_left = MOST_LETTERS
    for step in reversed(history.steps[-MOST_STEPS:]):
        for mask in (step.after, step.before):
            if mask not in masks:
                masks[mask] = len(written)
                written.append(_mask_to_dict(mask))
                n_left -= len(json.dumps(written[-1]))
        if n_left < 0:
            break
        rows.insert(0, [step.text[:_LONGEST_NAME], masks[step.before], masks[step.after]])
    n_done = history.n_done - (len(history.steps) - len(rows))
    if n_done < 0 or not rows:  # so much was undone that what is on screen is not among them
        return {"masks": [], "steps": [], "n_done": 0}
    n_used = 1 + max(max(row[1:]) for row in rows)
    return {"masks": written[:n_used], "steps": rows, "n_done": n_done}


def read_history(value: object) -> MaskHistory:
    """Read a history; one that makes no sense is none."""
    try:
        return _history(value)
    except (MtmError, ValueError, TypeError, LookupError):
        return MaskHistory()


def history_words(history: MaskHistory) -> str:
    """Say how many steps can be undone and done again; "" for none.

    Examples
    --------
    >>> history_words(MaskHistory())
    ''
    """
    n_undone = len(history.steps) - history.n_done
    words = [_counted(history.n_done, "undone")] if history.n_done else []
    words += [_counted(n_undone, "done again")] if n_undone else []
    return f"{' and '.join(words)}." if words else ""


def _counted(n_steps: int, what: str) -> str:
    return f"{n_steps} step{'' if n_steps == 1 else 's'} can be {what}"


def _mask_to_dict(choice: MaskChoice) -> dict[str, Any]:
    spec = None if choice.spec is None else mask_json.to_dict(choice.spec)
    return choice_to_dict(choice) | {"spec": spec}


def _history(value: object) -> MaskHistory:
    if not isinstance(value, dict):
        return MaskHistory()
    rows, n_done = value["steps"], value["n_done"]
    if not isinstance(rows, list) or len(rows) > MOST_STEPS:
        return MaskHistory()
    if type(n_done) is not int or not 0 <= n_done <= len(rows):
        return MaskHistory()
    masks = [_mask(each) for each in value["masks"]]
    steps = tuple(_step(row, masks) for row in rows)
    return MaskHistory(steps=steps, n_done=n_done)


def _mask(values: Mapping[str, Any]) -> MaskChoice:
    spec = values["spec"]
    return read_choice(values, None if spec is None else mask_json.from_dict(spec))


def _step(row: list[Any], masks: list[MaskChoice]) -> HistoryStep:
    text, before, after = row
    if not isinstance(text, str) or len(text) > _LONGEST_NAME or min(before, after) < 0:
        msg = "A step has a name and two masks."
        raise ValueError(msg)
    return HistoryStep(text=text, before=masks[before], after=masks[after])
