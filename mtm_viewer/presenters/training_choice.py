"""What a person chooses to train: sessions and a preset, and how long that takes in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from mtm_core.config_io import load_preset
from mtm_viewer.presenters.session_list import SessionRow
from mtm_viewer.presenters.training_plan import Shape, Speed, estimate_s, estimate_words
from mtm_viewer.presenters.workspace import Workspace

SPLITS: Mapping[str, str] = MappingProxyType(
    {
        "": "as the preset says",
        "random": "at random",
        "interleaved": "in turn",
        "blocked": "in blocks, with gaps",
    }
)
"""Ways to divide trials, with the words for them."""
VARIANT_WORDS = (
    "Another seed: the same test trials, so that Compare says what is chance in training. In "
    "blocks: slow drift of the recording no longer helps; other test trials, so that scores stand "
    "beside each other and are not subtracted."
)


@dataclass(frozen=True, kw_only=True)
class SessionChoice:
    """A session that can be trained on.

    Parameters
    ----------
    path, name : str
        Its file, and what people call it.
    shape : Shape or None
        Its size, where known.
    """

    path: str
    name: str
    shape: Shape | None


@dataclass(frozen=True, kw_only=True)
class TrainingChoice:
    """What a person chose to train.

    Parameters
    ----------
    preset : str
        Settings to train by.
    sessions : tuple of SessionChoice
        What to train on.
    folds : int
        Models of a cross-fit, so that each trial is predicted by one that never saw it; 0 for
        a single model.
    seed : int
        Of weights, masks and batches.
    split : str
        How trials are divided, one of `SPLITS`; "" as the preset says.
    """

    preset: str
    sessions: tuple[SessionChoice, ...]
    folds: int = 0
    seed: int = 0
    split: str = ""


def session_choices(
    workspace: Workspace | None, rows: Iterable[SessionRow]
) -> tuple[SessionChoice, ...]:
    """Return the sessions that can be trained on, the open one first; none if none is open.

    Parameters
    ----------
    workspace : Workspace or None
        What is open.
    rows : iterable of SessionRow
        Other session files; they are taken to have the bins of the open one.
    """
    if workspace is None:
        return ()
    open_now = Shape.of(workspace.recording)
    own = SessionChoice(path=str(workspace.path.resolve()), name=workspace.name, shape=open_now)
    others = (
        SessionChoice(path=row.source, name=row.name, shape=_shape(row, open_now.n_bins))
        for row in rows
        if not row.problem and str(Path(row.source).resolve()) != own.path
    )
    return (own, *others)


def time_words(choice: TrainingChoice, speed: Speed) -> str:
    """Say how long a choice takes, and where the estimate comes from."""
    known = [session.shape for session in choice.sessions if session.shape is not None]
    seconds = None
    if len(known) == len(choice.sessions):
        seconds = _estimate_s(choice, known, speed)
    words = estimate_words(seconds)
    source = "" if seconds is None else f", estimated {speed.words}"
    return f"{words[:1].upper()}{words[1:]}{source}."


def _estimate_s(choice: TrainingChoice, shapes: list[Shape], speed: Speed) -> float | None:
    """Estimate all models of a choice: those of a cross-fit are trained one after another."""
    config = load_preset(choice.preset)
    if not choice.folds:
        return estimate_s(config, shapes, speed)
    one = estimate_s(replace(config, data=replace(config.data, folds=choice.folds)), shapes, speed)
    return None if one is None else choice.folds * one


def _shape(row: SessionRow, n_bins: int) -> Shape | None:
    if row.n_trials is None or row.n_units is None:
        return None
    return Shape(n_trials=row.n_trials, n_bins=n_bins, n_units=row.n_units)
