"""Runs of training that began in this window: what each is, how far it is, what came of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from mtm_core.data.session import Session

RunState = Literal[
    "new", "waiting", "running", "paused", "cancelled", "interrupted", "failed", "finished"
]
STATE_WORDS: dict[RunState, str] = {
    "new": "not begun",
    "waiting": "waiting",
    "running": "training",
    "paused": "paused",
    "cancelled": "cancelled",
    "interrupted": "interrupted",
    "failed": "failed",
    "finished": "finished",
}
RESUMABLE: frozenset[RunState] = frozenset({"new", "paused", "cancelled", "interrupted", "failed"})
COLUMNS = ("Session", "Preset", "State", "bps")
COLUMN_TOOLTIPS = (
    "The recording that the model learns.",
    "The settings that it is trained by.",
    "How far the run is.",
    "Bits per spike on validation trials: hidden entries of fixed masks, pooled over units, over "
    "the mean rate of training trials; mean over the schemes of training.",
)


@dataclass(frozen=True, kw_only=True)
class RunInfo:
    """What is known of a run.

    Parameters
    ----------
    folder : Path
        Its folder.
    preset : str
        Its settings.
    session_names : tuple of str
        What people call its sessions.
    session_ids : tuple of str
        Their ids.
    created : str
        When it was begun: ISO 8601, local time.
    state : str
        One of `STATE_WORDS`.
    error : str
        Why it failed, in a sentence; "" otherwise.
    step, n_steps : int
        How far it is; 0 of 0 before its first checkpoint.
    scores : tuple of (str, float)
        Validation scores of its model: mean, then per scheme; empty without one.
    backend : str
        How it is computed, as the folder of the run records it; "" before it has begun.
    bins : (int, float) or None
        How many bins its model knows, and how long each is, in s; None without one.
    """

    folder: Path
    preset: str
    session_names: tuple[str, ...]
    session_ids: tuple[str, ...]
    created: str
    state: RunState
    error: str = ""
    step: int = 0
    n_steps: int = 0
    scores: tuple[tuple[str, float], ...] = ()
    backend: str = ""
    bins: tuple[int, float] | None = None

    @property
    def title(self) -> str:
        """Name the run: its sessions and its preset."""
        return f"{self.preset} on {self.sessions_words}"

    @property
    def sessions_words(self) -> str:
        """Name its sessions."""
        first = self.session_names[0] if self.session_names else "?"
        n_more = len(self.session_names) - 1
        return f"{first} and {n_more} more" if n_more > 0 else first

    @property
    def model_path(self) -> Path:
        """Where its model lies, once there is one."""
        return self.folder / "model.safetensors"

    @property
    def can_resume(self) -> bool:
        """Whether it can go on."""
        return self.state in RESUMABLE

    @property
    def has_model(self) -> bool:
        """Whether it left a model of trained weights."""
        return bool(self.scores) and self.state != "running"


def models_of(session: Session, runs: Sequence[RunInfo]) -> list[RunInfo]:
    """List the finished runs of a session as it is prepared, the newest first."""
    bins = (session.n_bins, session.bin_size_s)
    own = [
        run
        for run in runs
        if run.state == "finished" and run.bins == bins and session.session_id in run.session_ids
    ]
    return sorted(own, key=lambda run: begun_s(run.created), reverse=True)


def offer_words(run: RunInfo) -> str:
    """Name a run among others of the same session: by its settings and when it was begun."""
    return f"Trained here: {run.preset}, {_when(run.created)}"


@dataclass(frozen=True, kw_only=True)
class RunLine:
    """A row of the table.

    Parameters
    ----------
    info : RunInfo
        The run.
    cells : tuple of str
        Texts, one for each of `COLUMNS`.
    tooltip : str
        More about it.
    """

    info: RunInfo
    cells: tuple[str, ...]
    tooltip: str


def run_lines(runs: Sequence[RunInfo]) -> tuple[RunLine, ...]:
    """Describe runs, the newest first."""
    newest = sorted(runs, key=lambda run: (begun_s(run.created), run.folder.name), reverse=True)
    return tuple(_line(run) for run in newest)


def with_states(runs: Sequence[RunInfo], states: Mapping[Path, RunState]) -> tuple[RunInfo, ...]:
    """Return the runs, some of them in another state."""
    return tuple(replace(run, state=states.get(run.folder, run.state)) for run in runs)


def begun_s(created: str) -> float:
    """Return when a run was ordered, in seconds since 1970; 0 where its text is no time.

    Examples
    --------
    >>> begun_s("2026-10-25T02:30:00+02:00") < begun_s("2026-10-25T02:10:00+01:00")
    True
    """
    try:
        return datetime.fromisoformat(created).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _line(run: RunInfo) -> RunLine:
    score = f"{run.scores[0][1]:.3f}" if run.scores else "\N{EM DASH}"
    cells = (run.sessions_words, run.preset, _state_words(run), score)
    return RunLine(info=run, cells=cells, tooltip=_tooltip(run))


def outcome_words(run: RunInfo) -> str:
    """Say in a line how a run stands."""
    if run.error:
        return run.error
    words = _state_words(run).capitalize()
    if not run.scores:
        return f"{words}."
    return f"{words}; validation {run.scores[0][1]:.3f} bits per spike over the mean rate."


def _state_words(run: RunInfo) -> str:
    words = STATE_WORDS[run.state]
    if run.n_steps and run.state not in ("finished", "running"):
        return f"{words}, {100 * run.step // run.n_steps} %"
    return words


def _tooltip(run: RunInfo) -> str:
    lines = [", ".join(run.session_names), f"Begun {_when(run.created)}"]
    lines += [f"{name}: {bps:.3f} bps" for name, bps in run.scores]
    lines += [f"Computed with {run.backend}"] if run.backend else []
    lines += [run.error] if run.error else []
    return "\n".join([*lines, str(run.folder)])


def _when(created: str) -> str:
    try:
        return f"{datetime.fromisoformat(created):%d %b %Y, %H:%M}"
    except ValueError:
        return ""
