"""What `mtm-core prepare` says: how far it is on stderr, what became of each source on stdout."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

from mtm_core.cli import output
from mtm_core.data.one_records import DownloadProgress
from mtm_core.data.prepare_task import Outcome, Task

if TYPE_CHECKING:
    from tqdm import tqdm

MUCH = 0.2
"""Losing a larger share of the trials than this is worth a warning."""
_PAUSE_S = 2.0
_PROGRAM = "mtm-core"


class PrepareReport:
    """Follows sources until all are done; use it as a context manager.

    Parameters
    ----------
    tasks : sequence of Task
        What is prepared.
    as_json : bool
        Say the result as JSON.
    """

    def __init__(self, tasks: Sequence[Task], *, as_json: bool) -> None:
        self._tasks = tasks
        self._as_json = as_json
        self._outcomes: dict[str, Outcome] = {}
        self._bar: tqdm[Any] | None = None
        self._said, self._said_at, self._was_download = "", 0.0, False

    @property
    def n_failed(self) -> int:
        """Number of sources that failed."""
        return sum(outcome.status == "failed" for outcome in self._outcomes.values())

    def __enter__(self) -> PrepareReport:
        """Open the progress bar, where there are several sources."""
        if len(self._tasks) > 1:
            self._bar = output.progress(len(self._tasks), "Preparing", "session")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the progress bar."""
        if self._bar is not None:
            self._bar.close()

    def advance(self, task: Task, said: object) -> None:
        """Take a word on how far a source is."""
        words = _download_words(said) if isinstance(said, DownloadProgress) else str(said)
        if self._bar is not None:
            self._bar.set_postfix_str(f"{task.out.stem}: {words}", refresh=False)
        elif self._is_news(said, words):
            output.note(f"{task.source}: {words}")

    def take(self, outcome: Outcome) -> None:
        """Take what became of a source."""
        self._outcomes[outcome.source] = outcome
        if self._bar is None:
            return
        if outcome.status == "failed":
            self._bar.write(f"{outcome.source}: {outcome.problem}", file=self._bar.fp)
        if outcome.status != "stopped":
            self._bar.update()

    def summarise(self) -> None:
        """Say what became of each source, and what to mind."""
        outcomes = [self._outcomes[t.source] for t in self._tasks if t.source in self._outcomes]
        if self._as_json:
            output.show_json({"outcomes": outcomes, "n_failed": self.n_failed})
        elif len(self._tasks) > 1:
            output.show_table(_HEADER, [_row(outcome) for outcome in outcomes])
            output.show(_count(outcomes))
        for outcome in outcomes:
            if len(self._tasks) == 1:
                _tell_one(outcome, as_json=self._as_json)
            if outcome.share_of_trials_dropped > MUCH:
                output.note(
                    f"Warning: {outcome.source}: {outcome.share_of_trials_dropped:.0%} of the "
                    f"trials were left out ({outcome.trials_sentence})."
                )
        if any(outcome.status == "stopped" for outcome in outcomes):
            output.note("Stopped. The same command goes on from here.")

    def _is_news(self, said: object, words: str) -> bool:
        """Tell whether to say it: nothing twice, a download every two seconds."""
        now = time.monotonic()
        is_download = isinstance(said, DownloadProgress) and said.stage == "downloading"
        is_soon = is_download and self._was_download and now - self._said_at < _PAUSE_S
        if words == self._said or is_soon:
            return False
        self._said, self._said_at, self._was_download = words, now, is_download
        return True


_HEADER = ("source", "result", "units", "regions", "trials", "bins", "seconds", "file")


def _row(outcome: Outcome) -> list[object]:
    has_session = bool(outcome.session_id)
    sizes = (outcome.n_units, outcome.n_regions, outcome.n_trials, outcome.n_bins)
    result = outcome.status + (" (simulated)" if outcome.is_simulated else "")
    return [
        _short(outcome.source),
        result,
        *(size if has_session else None for size in sizes),
        round(outcome.seconds),
        str(outcome.out) if has_session else "-",
    ]


def _short(source: str) -> str:
    return source if len(source) <= 48 else f"...{source[-45:]}"


def _count(outcomes: Sequence[Outcome]) -> str:
    words = {"prepared": "prepared", "kept": "kept", "failed": "failed", "stopped": "not done"}
    counts = {s: sum(outcome.status == s for outcome in outcomes) for s in words}
    return ", ".join(f"{n} {words[status]}" for status, n in counts.items() if n) + "."


def _tell_one(outcome: Outcome, *, as_json: bool) -> None:
    if outcome.status == "failed":
        output.fail(_PROGRAM, outcome.problem)
    if as_json or not outcome.session_id:
        return
    did = "Wrote" if outcome.status == "prepared" else "Kept (same source, same settings)"
    kind = "simulated session" if outcome.is_simulated else "session"
    output.show(
        f"{did} {outcome.out}: {kind} {outcome.session_id}, {outcome.n_trials} trials x "
        f"{outcome.n_bins} bins x {outcome.n_units} units, {outcome.n_regions} regions."
    )
    for sentence in (outcome.trials_sentence, outcome.units_sentence):
        if sentence:
            output.show(f"{sentence}.")


def _download_words(progress: DownloadProgress) -> str:
    if progress.stage != "downloading":
        return {"looking up": "looking it up", "waiting": "waiting for another download"}.get(
            progress.stage, "downloaded"
        )
    done, total = (n / 1e6 for n in (progress.n_bytes, progress.n_bytes_total))
    left = "" if progress.seconds_left is None else f", about {progress.seconds_left:.0f} s left"
    return f"downloading {done:.0f} of {total:.0f} MB{left}"
