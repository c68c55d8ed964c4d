"""The journal of a sweep: which trials there are, who computes them, and how they ended.

It is Optuna's, one line for each thing that happened, in a file that all workers append to. A
trial belongs to the worker that holds the claim on its folder; if that worker is killed, the next
one that looks takes the trial over and goes on with its training runs.

The folder::

    settings.json            what every trial is made with
    journal.jsonl            trials, values, scores
    trials/0007/             claim and training runs of a trial
    table.md, .csv, .json    what came of it, up to now
    best.toml                settings of the best trial, for mtm-core train --preset
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock
from optuna.trial import FrozenTrial, TrialState

from mtm_core.errors import OutputError, TrainingError
from mtm_core.shared_folder import Claim, one_at_a_time, prepare_folder
from mtm_core.sweep.spec import Domain, Range, SweepSpec, Value

State = Literal["finished", "stopped early", "failed", "running"]

_STATES: dict[TrialState, State] = {
    TrialState.COMPLETE: "finished",
    TrialState.PRUNED: "stopped early",
    TrialState.FAIL: "failed",
    TrialState.RUNNING: "running",
    TrialState.WAITING: "running",
}
_VOID = "void"
"""Marks a trial whose worker was killed before it knew what to try."""
_UNPRUNED = 5
"""Trials that run to their end before any is stopped early."""


@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """What the journal says of a trial.

    Parameters
    ----------
    number : int
        Which, from 0.
    values : mapping of str to value
        What it tries.
    state : str
        How it is or ended.
    score : float or None
        Bits per spike on validation trials; None until it has finished.
    seconds : float or None
        How long training and scoring took.
    why : str or None
        What went wrong.
    runs : mapping of str to float
        The score of each of its training runs.
    """

    number: int
    values: dict[str, Value]
    state: State
    score: float | None
    seconds: float | None
    why: str | None
    runs: dict[str, float]


class Journal:
    """The journal of a sweep, as one worker sees it.

    Parameters
    ----------
    folder : Path
        The folder of the sweep; is made if need be.
    spec : SweepSpec
        What is searched.

    Raises
    ------
    TrainingError
        If the folder holds another sweep.
    OutputError
        If it cannot be written.
    """

    def __init__(self, folder: Path, spec: SweepSpec) -> None:
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        prepare_folder(folder, spec.settings(), "trials")
        self.folder, self.spec = folder, spec
        self._gate = folder / "journal.lock"
        path = folder / "journal.jsonl"
        with self.gate():
            self._storage = JournalStorage(_File(path))
            self._study = optuna.create_study(
                storage=self._storage,
                study_name="sweep",
                direction="maximize",
                load_if_exists=True,
                pruner=optuna.pruners.MedianPruner(n_startup_trials=_UNPRUNED),
            )

    def gate(self) -> contextlib.AbstractContextManager[None]:
        """Return a context that one worker at a time is inside of."""
        return one_at_a_time(self._gate)

    def claim(self) -> ClaimedTrial | None:
        """Take a trial that nobody computes, or a new one; None if there is none for us."""
        with self.gate():
            found = next(self._orphans(), None)
            if found is None and len(self._counted()) < self.spec.n_trials:
                found = self._ask()
            return found

    def records(self) -> list[TrialRecord]:
        """Return what is known of all trials, by number."""
        return [_record(frozen) for frozen in self._counted()]

    def _counted(self) -> list[FrozenTrial]:
        trials = self._study.get_trials(deepcopy=False)
        return [trial for trial in trials if _VOID not in trial.user_attrs]

    def _orphans(self) -> Iterator[ClaimedTrial]:
        """Yield claims on trials whose worker has ended."""
        for frozen in self._study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            claim = self._claim_on(frozen.number)
            if not claim.take():
                continue
            if set(frozen.params) == set(self.spec.search):
                yield ClaimedTrial(self, frozen.number, dict(frozen.params), claim)
            self.note(frozen.number, _VOID, value=True)
            self.tell(frozen.number, None, TrialState.FAIL)
            claim.release()

    def _ask(self) -> ClaimedTrial:
        place, spec = len(self._counted()), self.spec
        planned = spec.grid()[place] if spec.sweep.sampler == "grid" else None
        if planned is None and place == 0:
            planned = spec.start()
        if planned is not None:
            self._study.enqueue_trial(planned)
        # Of its own for each trial: else two workers would begin with the same draws.
        self._study.sampler = _sampler(spec.sweep.sampler, spec.sweep.sampler_seed + place)
        trial = self._study.ask({key: _domain(each) for key, each in spec.search.items()})
        claim = self._claim_on(trial.number)
        if not claim.take():
            msg = f"Trial {trial.number} of {self.folder} is held by another process."
            raise TrainingError(msg)
        return ClaimedTrial(self, trial.number, dict(trial.params), claim)

    def _claim_on(self, number: int) -> Claim:
        folder = self.folder_of(number)
        folder.mkdir(parents=True, exist_ok=True)
        return Claim(folder / "trial.lock")

    def folder_of(self, number: int) -> Path:
        """Return the folder of a trial."""
        return self.folder / "trials" / f"{number:04d}"

    def tell(self, number: int, score: float | None, state: TrialState) -> None:
        """Write down how a trial ended."""
        self._study.tell(number, score, state)

    def note(self, number: int, name: str, value: object) -> None:
        """Write something down about a trial."""
        self._storage.set_trial_user_attr(self._id(number), name, value)

    def report(self, number: int, step: int, score: float) -> bool:
        """Write down a score on the way; tell whether the trial lags behind the others."""
        place = self._id(number)
        if step not in self._storage.get_trial(place).intermediate_values:
            self._storage.set_trial_intermediate_value(place, step, score)
        return self._study.pruner.prune(self._study, self._storage.get_trial(place))

    def _id(self, number: int) -> int:
        study = self._storage.get_study_id_from_name("sweep")
        return self._storage.get_trial_id_from_study_id_trial_number(study, number)


class ClaimedTrial:
    """A trial that this process computes, until it says how it ended or lets it go.

    Parameters
    ----------
    journal : Journal
        Where it belongs.
    number : int
        Which.
    values : dict of str to value
        What it tries.
    claim : Claim
        Held.
    """

    def __init__(
        self, journal: Journal, number: int, values: dict[str, Value], claim: Claim
    ) -> None:
        self.number, self.values = number, values
        self.folder = journal.folder_of(number)
        self._journal, self._claim = journal, claim

    def is_behind(self, step: int, score: float) -> bool:
        """Write down a score on the way; tell whether the trial lags behind the others."""
        return self._journal.report(self.number, step, score)

    def note_run(self, name: str, score: float) -> None:
        """Write down the score of one of its training runs."""
        self._journal.note(self.number, f"run {name}", score)

    def finish(self, score: float, seconds: float) -> None:
        """Write down its score."""
        self._end(score, TrialState.COMPLETE, seconds=seconds)

    def stop_early(self, seconds: float) -> None:
        """Write down that it lagged behind the others."""
        self._end(None, TrialState.PRUNED, seconds=seconds)

    def fail(self, why: str) -> None:
        """Write down what went wrong."""
        self._end(None, TrialState.FAIL, why=why)

    def let_go(self) -> None:
        """Leave it to the next worker that looks."""
        self._claim.release()

    def _end(self, score: float | None, state: TrialState, **notes: object) -> None:
        for name, value in notes.items():
            self._journal.note(self.number, name, value)
        self._journal.tell(self.number, score, state)
        self._claim.release()


def _record(frozen: FrozenTrial) -> TrialRecord:
    notes = frozen.user_attrs
    state = _STATES[frozen.state]
    return TrialRecord(
        number=frozen.number,
        values=dict(frozen.params),
        state=state,
        score=frozen.value if state == "finished" else None,
        seconds=notes.get("seconds"),
        why=notes.get("why"),
        runs={n.removeprefix("run "): v for n, v in notes.items() if n.startswith("run ")},
    )


def _domain(domain: Domain) -> BaseDistribution:
    if not isinstance(domain, Range):
        return CategoricalDistribution(domain)
    if domain.is_whole:
        step = int(domain.step or 1)
        return IntDistribution(int(domain.low), int(domain.high), log=domain.log, step=step)
    points = domain.points()  # Optuna wants the last of them as the end
    high = float(points[-1]) if points is not None else domain.high
    return FloatDistribution(domain.low, high, log=domain.log, step=domain.step)


def _sampler(name: str, seed: int) -> optuna.samplers.BaseSampler:
    if name == "tpe":
        return optuna.samplers.TPESampler(seed=seed)
    return optuna.samplers.RandomSampler(seed=seed)


class _File(JournalFileBackend):
    """Optuna's file, with a sentence where it cannot be written."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path), _Lock(path))
        self._path = path

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        """Add lines, all of them or none that counts."""
        try:
            super().append_logs(logs)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            msg = (
                f"Could not write {self._path}: {reason}. Make room there, then call the command "
                "again: it goes on."
            )
            raise OutputError(msg) from error


class _Lock(JournalFileOpenLock):
    """Optuna's lock, held through the system: one that was killed holds up nobody."""

    def __init__(self, path: Path) -> None:
        super().__init__(str(path))
        self._path = path
        self._claim = Claim(path.with_name(f"{path.name}.lock"))

    def acquire(self) -> bool:
        """Wait for it, and leave the file so that a line can be added."""
        self._claim.wait()
        _mend(self._path)
        return True

    def release(self) -> None:
        """Let others have it."""
        self._claim.release()


def _mend(path: Path) -> None:
    """Cut off a line that a killed worker or a full disk left half-written."""
    if not path.exists() or not path.stat().st_size:
        return
    with path.open("rb+") as stream:
        stream.seek(-1, os.SEEK_END)
        if stream.read(1) != b"\n":
            stream.seek(0)
            stream.truncate(stream.read().rfind(b"\n") + 1)
            os.fsync(stream.fileno())
