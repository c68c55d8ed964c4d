"""A worker of a sweep: takes trials until there are none left; any number work side by side."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from mtm_core.errors import MtmError, OutputError
from mtm_core.sweep.journal import ClaimedTrial, Journal, TrialRecord
from mtm_core.sweep.spec import SweepSpec
from mtm_core.sweep.table import best_of, write_results
from mtm_core.sweep.trial import compute_trial

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SweepProgress:
    """How far a sweep is, all its workers together.

    Parameters
    ----------
    n_done, n_failed, n_trials : int
        Trials that ended, those of them that failed, and how many there will be.
    seconds_left : float or None
        About how long is to come; None while no trial has ended.
    best : TrialRecord or None
        The best so far.
    at : str
        What this worker does, for example ``"trial 3, 40 %"``.
    """

    n_done: int
    n_failed: int
    n_trials: int
    seconds_left: float | None
    best: TrialRecord | None
    at: str


def sweep(
    spec: SweepSpec, folder: Path, paths: Sequence[Path], threads: int
) -> Generator[SweepProgress, None, None]:
    """Compute trials until none is left; iterate over the result to make it happen.

    Parameters
    ----------
    spec : SweepSpec
        What is searched.
    folder : Path
        Where the journal and the results go; other workers may fill it at the same time.
    paths : sequence of Path
        Session files.
    threads : int
        Threads of this worker.

    Yields
    ------
    SweepProgress
        At first, after every step and after every trial; the tables are up to date after a trial.

    Raises
    ------
    TrainingError
        If the folder holds another sweep.
    OutputError
        If it cannot be written.
    """
    journal = Journal(folder, spec)
    write_results(journal)
    watch = _Watch(journal)
    yield watch.look("begun")
    while (trial := journal.claim()) is not None:
        with closing(_follow(trial, watch, spec, paths, threads)) as steps:
            yield from steps
        write_results(journal)
        yield watch.look(f"trial {trial.number}, done")


def _follow(
    trial: ClaimedTrial, watch: _Watch, spec: SweepSpec, paths: Sequence[Path], threads: int
) -> Generator[SweepProgress, None, None]:
    """Compute a trial; whatever is wrong with it, memory included, must not cost the others."""
    try:
        with closing(compute_trial(trial, spec, paths, threads)) as steps:
            for step in steps:
                yield watch.glance(f"trial {step.number}, {step.share:.0%}")
    except OutputError:
        raise
    except MtmError as error:
        trial.fail(str(error))
    except Exception as error:
        logger.debug("trial %d", trial.number, exc_info=True)
        trial.fail(f"{type(error).__name__}: {error}")
    finally:
        trial.let_go()


class _Watch:
    """Reads the journal now and then, to say how far all workers are."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._started = time.perf_counter()
        self._records = journal.records()
        self._n_before = sum(record.state != "running" for record in self._records)
        self._looked = self._started

    def glance(self, at: str) -> SweepProgress:
        """Say how far the sweep is, by what was read within the last seconds."""
        if time.perf_counter() - self._looked > 5.0:
            return self.look(at)
        return self._progress(at)

    def look(self, at: str) -> SweepProgress:
        """Read the journal, and say how far the sweep is."""
        self._records, self._looked = self._journal.records(), time.perf_counter()
        return self._progress(at)

    def _progress(self, at: str) -> SweepProgress:
        n_trials = max(self._journal.spec.n_trials, len(self._records))
        ended = [record for record in self._records if record.state != "running"]
        return SweepProgress(
            n_done=len(ended),
            n_failed=sum(record.state == "failed" for record in ended),
            n_trials=n_trials,
            seconds_left=self._left(len(ended) - self._n_before, n_trials - len(ended)),
            best=best_of(self._records),
            at=at,
        )

    def _left(self, n_ended: int, n_left: int) -> float | None:
        """Reckon by how fast trials ended since this worker began, whoever computed them."""
        if n_ended == 0:
            return None if n_left else 0.0
        return (time.perf_counter() - self._started) / n_ended * n_left
