"""Workers of a sweep as jobs of a Slurm cluster, through submitit."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import submitit

from mtm_core.errors import ConfigError
from mtm_core.sweep.spec import SweepSpec
from mtm_core.sweep.worker import sweep

DEFAULTS = {"timeout_min": 240, "cpus_per_task": 4, "mem_gb": 16}
"""What is asked of the cluster for each worker unless ``[slurm]`` says otherwise."""


@dataclass(frozen=True)
class Job:
    """The work of one job: a worker, begun again by the cluster when its time runs out.

    Parameters
    ----------
    spec : SweepSpec
        What is searched.
    folder : Path
        Of the sweep, on a disk that all nodes see.
    paths : tuple of Path
        Session files, on such a disk too.
    threads : int
        Threads of the worker.
    """

    spec: SweepSpec
    folder: Path
    paths: tuple[Path, ...]
    threads: int

    def __call__(self) -> int:
        """Work until no trial is left; return how many have ended."""
        n_done = 0
        for progress in sweep(self.spec, self.folder, self.paths, self.threads):
            n_done = progress.n_done
        return n_done

    def checkpoint(self) -> submitit.helpers.DelayedSubmission:
        """Return what goes on when the time of the job is up: the same, from the last states."""
        return submitit.helpers.DelayedSubmission(self)


def require_slurm() -> None:
    """Refuse to begin where there is no cluster.

    Raises
    ------
    ConfigError
        If Slurm is not here.
    """
    if shutil.which("sbatch") is None:
        msg = (
            "sbatch was not found: Slurm is not on this machine. Call this on a login node of the "
            "cluster, or choose --launcher local."
        )
        raise ConfigError(msg)


def submit(
    spec: SweepSpec,
    folder: Path,
    paths: Sequence[Path],
    workers: int,
    cluster: str = "slurm",
) -> list[submitit.Job[int]]:
    """Submit workers as jobs; they share the journal in the folder.

    Parameters
    ----------
    spec : SweepSpec
        What is searched, and what is asked of the cluster.
    folder : Path
        Of the sweep.
    paths : sequence of Path
        Session files.
    workers : int
        How many jobs.
    cluster : str
        ``"slurm"``, or submitit's ``"local"``: processes of this machine in its place.

    Raises
    ------
    ConfigError
        If Slurm is not here, or does not know what ``[slurm]`` asks for.
    """
    if cluster == "slurm":
        require_slurm()
    asked: dict[str, Any] = {**DEFAULTS, "name": f"mtm-{spec.sweep.name}", **spec.slurm}
    executor = submitit.AutoExecutor(folder / "jobs", cluster=cluster)
    try:
        executor.update_parameters(**asked)
    except (NameError, AssertionError, ValueError, TypeError) as error:
        msg = f"[slurm] asks for something that submitit does not know: {_first_line(error)}"
        raise ConfigError(msg) from error
    job = Job(spec, folder.resolve(), tuple(map(Path.resolve, paths)), asked["cpus_per_task"])
    with executor.batch():
        return [executor.submit(job) for _ in range(workers)]


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
