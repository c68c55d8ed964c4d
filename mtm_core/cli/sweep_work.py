"""How `mtm-core sweep` works here, with helpers, submits jobs, and tells how far a sweep is."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

from mtm_core.cli import output
from mtm_core.cli.stop_request import StopRequest
from mtm_core.shared_folder import prepare_folder
from mtm_core.sweep.journal import Journal
from mtm_core.sweep.spec import SweepSpec
from mtm_core.sweep.table import BEST, TABLE, write_results
from mtm_core.sweep.worker import SweepProgress, sweep

if TYPE_CHECKING:
    from tqdm import tqdm

_SAID = "Stopping: saving a checkpoint. The same line goes on. Press Ctrl-C again to stop at once."


def work(
    spec: SweepSpec,
    out: Path,
    paths: Sequence[Path],
    threads: int,
    words: Sequence[str],
    *,
    n_helpers: int,
    helper_of: int | None,
) -> int:
    """Compute trials here until none is left, beside helpers that do the same.

    Parameters
    ----------
    spec : SweepSpec
        What is searched.
    out : Path
        Folder of the sweep.
    paths : sequence of Path
        Session files.
    threads : int
        Threads of each worker.
    words : sequence of str
        What a helper is called with.
    n_helpers : int
        Processes to begin beside this one.
    helper_of : int or None
        The process that began this one as a helper: without it a helper stops, too.

    Returns
    -------
    int
        0; 1 if every trial failed; 130 or 143 if asked to stop.
    """
    is_helper = helper_of is not None
    stop = StopRequest("" if is_helper else _SAID)

    def must_stop() -> bool:
        return stop.is_asked or (helper_of is not None and not psutil.pid_exists(helper_of))

    prepare_folder(out, spec.settings(), "trials")  # said once, not by every helper
    bar = output.progress(spec.n_trials, "Trials", "trial")
    bar.bar_format = "{desc}: {n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"
    with stop, _helpers(out, words, n_helpers) as helpers, bar:
        while True:
            found = _compute(sweep(spec, out, paths, threads), bar, must_stop)
            if must_stop() or not _wait(helpers, must_stop):
                break  # else look again: a helper may have been killed over a trial
    if must_stop():
        return stop.exit_code
    if not is_helper:
        tell(out, found)
    return 1 if found.n_failed == found.n_done else 0


def tell(out: Path, found: SweepProgress) -> None:
    """Print the table, and what to do with the best trial."""
    output.show((out / TABLE).read_text(encoding="utf-8").rstrip())
    if found.best is None:
        output.note(f"No trial could be finished: {out / TABLE} says why.")
        return
    output.note(f"Best: trial {found.best.number}, {found.best.score:.4f}. Train with it by:")
    output.note(f"  mtm-core train --preset {out / BEST} --session S.h5 --out RUN")


def submit_jobs(spec: SweepSpec, out: Path, paths: Sequence[Path], workers: int) -> int:
    """Submit workers to a cluster, and say how to follow them."""
    from mtm_core.sweep.slurm import require_slurm, submit

    require_slurm()
    write_results(Journal(out, spec))  # what is wrong is said here, not in a job's log
    jobs = submit(spec, out, paths, workers)
    output.show(f"Submitted {len(jobs)} jobs: {', '.join(job.job_id for job in jobs)}")
    output.show(f"Their logs are in {out / 'jobs'}. The same line with --status prints the table;")
    output.show("the same line submits more workers, also after all have ended.")
    return 0


def _compute(
    steps: Generator[SweepProgress, None, None], bar: tqdm[Any], must_stop: Callable[[], bool]
) -> SweepProgress:
    """Compute trials until none is left for us, or somebody wants to stop."""
    shown = 0.0
    with closing(steps):  # closing saves a checkpoint
        for found in steps:
            is_new = found.n_done != bar.n
            bar.total, bar.n = found.n_trials, found.n_done
            bar.set_postfix_str(_words(found), refresh=False)
            if is_new or time.perf_counter() - shown >= bar.mininterval:
                bar.refresh()
                shown = time.perf_counter()
            if must_stop():
                break
    last: SweepProgress = found
    return last


def _words(found: SweepProgress) -> str:
    best = "" if found.best is None else f"best {found.best.score:.4f}, "
    left = "" if found.seconds_left is None else f", about {_duration(found.seconds_left)} left"
    return f"{best}{found.at}{left}"


def _wait(helpers: list[subprocess.Popen[bytes]], must_stop: Callable[[], bool]) -> bool:
    """Wait until a helper has ended; tell whether there was one to wait for."""
    if not helpers:
        return False
    while not must_stop():
        for helper in helpers:
            if helper.poll() is not None:
                helpers.remove(helper)
                return True
        time.sleep(0.2)
    return False


@contextmanager
def _helpers(
    out: Path, words: Sequence[str], n_helpers: int
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Begin helpers; leaving the block asks those that are left to stop, and waits for them."""
    command = [sys.executable, "-m", "mtm_core", "sweep", *words, "--helper-of", str(os.getpid())]
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        for place in range(1, n_helpers + 1):
            with (out / f"worker-{place}.log").open("ab") as log:
                helpers.append(
                    subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=log)  # noqa: S603
                )
        yield helpers
    finally:
        for helper in helpers:
            helper.terminate()
        for helper in helpers:
            helper.wait()


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
