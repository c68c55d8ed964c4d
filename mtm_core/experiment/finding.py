"""Finding the session and the checkpoints that an experiment was made with, by their content."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.errors import ExperimentError, MtmError
from mtm_core.experiment import places
from mtm_core.experiment.digest import checkpoint_digest
from mtm_core.experiment.record import Experiment, ModelRef
from mtm_core.models.checkpoint import Checkpoint, load_folds

T = TypeVar("T")
_SHOWN = 12
"""Digits of a hash that people are shown."""


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where to look besides what the experiment says.

    Parameters
    ----------
    session, model, baseline, opponent : Path or None
        What a person named: nothing else is tried.
    beside : Path or None
        The folder that the experiment lies in.
    others : tuple of Path
        Files that are at hand, such as those that are open.
    has_flags : bool
        Whether a person can name files by flags, or else open them in a window.
    """

    session: Path | None = None
    model: Path | None = None
    baseline: Path | None = None
    opponent: Path | None = None
    beside: Path | None = None
    others: tuple[Path, ...] = ()
    has_flags: bool = True


def find_session(experiment: Experiment, where: Places) -> tuple[Session, Path]:
    """Find the session of an experiment by its content.

    Raises
    ------
    ExperimentError
        If it is not there, or what is there holds other data.
    """
    ref = experiment.session
    tried: Iterable[Path] = [] if where.session is None else [where.session]
    if where.session is None:
        tried = [
            *places.session_places(ref.path, where.beside),
            *(path for path in where.others if path.suffix == ".h5"),
            *places.bundled_sessions_like(ref.session_id),
        ]
    found, problems = _first(tried, read_session, lambda s: s.content_hash, ref.content_hash)
    if found is None:
        source = f" (prepared from {ref.source})" if ref.source else ""
        name = f"session {ref.session_id}{source}"
        raise ExperimentError(_missing(name, ref.path, problems, where, "--session S.h5"))
    return found


def find_checkpoint(
    ref: ModelRef,
    session_id: str,
    where: Places,
    given: Path | None = None,
    *,
    device: str = "cpu",
    flag: str = "--model CKPT",
) -> Checkpoint:
    """Find a checkpoint of an experiment by its weights.

    Parameters
    ----------
    ref : ModelRef
        What the experiment says about it.
    session_id : str
        The session whose model it is.
    where : Places
        Where to look.
    given : Path or None
        What a person named in its place.
    device : str
        Where the model shall lie.
    flag : str
        How a person names it.

    Raises
    ------
    ExperimentError
        If it is not there, or what is there has other weights.
    """
    tried: Sequence[Path] = [] if given is None else [given]
    if given is None:
        near = [path for path in where.others if path.suffix == ".safetensors"]
        tried = [*places.checkpoint_places(ref.path, where.beside), *near]

    def load(path: Path) -> Checkpoint:
        return load_folds(path, device, session_id)

    found, problems = _first(tried, load, checkpoint_digest, ref.digest)
    if found is None:
        raise ExperimentError(_missing(f"model {ref.name}", ref.path, problems, where, flag))
    return found[0]


def _first(
    tried: Iterable[Path], read: Callable[[Path], T], digest: Callable[[T], str], wanted: str
) -> tuple[tuple[T, Path] | None, list[str]]:
    """Return the first file with the wanted content, or why none of them has it."""
    problems = []
    for path in dict.fromkeys(tried):
        try:
            value = read(path)
        except MtmError as error:
            problems.append(str(error))
            continue
        own = digest(value)
        if own == wanted:
            return (value, path), []
        problems.append(
            f"{path} has changed: its hash is {own[:_SHOWN]}, and the experiment was made with "
            f"{wanted[:_SHOWN]}."
        )
    return None, problems


def _missing(name: str, written: str, problems: list[str], where: Places, flag: str) -> str:
    why = problems[0] if problems else f"Nothing is found at {written or 'no place'}."
    return (
        f"The {name} of this experiment is not here. {why} Put it there or beside the "
        f"experiment, or {f'name it ({flag})' if where.has_flags else 'open it here first'}."
    )
