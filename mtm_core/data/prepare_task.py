"""What is to be prepared, where to, how, and what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from mtm_core.config import PreparationConfig
from mtm_core.data.alf_origin import origin_of_path
from mtm_core.data.one_client import OneClient
from mtm_core.data.sources import DEMO
from mtm_core.errors import OutputError

Status = Literal["prepared", "kept", "failed", "stopped"]


@dataclass(frozen=True, kw_only=True)
class Database:
    """How a process of its own reaches the IBL database and its cache; no secrets.

    Parameters
    ----------
    url : str or None
        The database; None for the usual one.
    cache_dir : Path or None
        The cache; None for the usual one.
    is_offline : bool
        Go by the cache alone.
    """

    url: str | None = None
    cache_dir: Path | None = None
    is_offline: bool = False

    def connect(self) -> OneClient:
        """Make a client; the token that ONE kept from the login serves."""
        mode: Literal["local", "auto"] = "local" if self.is_offline else "auto"
        return OneClient.connect(self.url, cache_dir=self.cache_dir, mode=mode)


@dataclass(frozen=True, kw_only=True)
class Task:
    """One source, and the file to make of it.

    Parameters
    ----------
    source : str
        See `sources.kind_of`.
    out : Path
        The session file.
    """

    source: str
    out: Path


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What holds for all sources.

    Parameters
    ----------
    config : PreparationConfig
        The rules.
    typed : tuple of str
        Settings that a person asked for.
    overwrite : bool
        Replace session files that were made otherwise.
    compression : int
        See `write_session`.
    database : Database
        Where eids are looked up.
    """

    config: PreparationConfig
    typed: tuple[str, ...] = ()
    overwrite: bool = False
    compression: int = 6
    database: Database = Database()


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one source.

    Parameters
    ----------
    source : str
        As it was named.
    out : Path
        The session file.
    status : str
        ``"prepared"``, ``"kept"`` (it was there), ``"failed"`` or ``"stopped"``.
    problem : str
        Why it failed; "" otherwise.
    session_id : str
        "" where there is no session.
    n_units, n_trials, n_bins, n_regions : int
        Size of the session.
    units_sentence, trials_sentence : str
        What was kept and why the rest was not.
    share_of_trials_dropped : float
        0 to 1.
    is_simulated : bool
        True if a program made the spikes.
    seconds : float
        How long it took.
    """

    source: str
    out: Path
    status: Status
    problem: str = ""
    session_id: str = ""
    n_units: int = 0
    n_trials: int = 0
    n_bins: int = 0
    n_regions: int = 0
    units_sentence: str = ""
    trials_sentence: str = ""
    share_of_trials_dropped: float = 0.0
    is_simulated: bool = False
    seconds: float = 0.0


def plan_outputs(sources: Sequence[str], out: Path) -> list[Task]:
    """Say which file each source becomes.

    Parameters
    ----------
    sources : sequence of str
        Named once each.
    out : Path
        A folder, or for a single source a file ending in ``.h5``.

    Raises
    ------
    OutputError
        If there is no such folder, or one file would be made of several sources.
    """
    if out.is_dir():
        tasks = [Task(source=source, out=out / f"{output_name(source)}.h5") for source in sources]
        _refuse_clashes(tasks)
        return tasks
    if out.suffix != ".h5":
        msg = (
            f"--out {out} is no folder that exists, nor a file name ending in .h5. "
            "Make the folder first, or name a file."
        )
        raise OutputError(msg)
    if not out.absolute().parent.is_dir():
        msg = f"Could not write {out}: there is no folder {out.parent}. Make it first."
        raise OutputError(msg)
    if len(sources) > 1:
        msg = f"--out {out} is one file, but there are {len(sources)} sources. Name a folder."
        raise OutputError(msg)
    return [Task(source=source, out=out) for source in sources]


def output_name(source: str) -> str:
    """Name the file of a source, without suffix.

    Examples
    --------
    >>> output_name("data/cortexlab/Subjects/KS023/2019-12-10/001")
    'cortexlab_KS023_2019-12-10_001'
    >>> output_name("demo:steinmetz2019_s12"), output_name("sub-x_ses-y.nwb")
    ('steinmetz2019_s12', 'sub-x_ses-y')
    """
    text = source.strip().removeprefix(DEMO)
    path = Path(text)
    if path.is_file():
        return path.stem
    place = origin_of_path(path.resolve() if path.exists() else path).session_id
    if place:
        return place.replace("/", "_")
    name = path.resolve().name if path.exists() else path.name
    return name.removesuffix(".nwb") or "session"


def _refuse_clashes(tasks: Sequence[Task]) -> None:
    seen: dict[Path, str] = {}
    for task in tasks:
        first = seen.setdefault(task.out, task.source)
        if first != task.source:
            msg = (
                f"{first} and {task.source} would both become {task.out}. "
                "Prepare one of them by itself, with a file name of its own."
            )
            raise OutputError(msg)
