"""What a person ordered to be trained, kept in the folder of the run."""

from __future__ import annotations

import contextlib
import itertools
import json
import re
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil

from mtm_core.errors import OutputError, TrainingError
from mtm_core.json_text import parse_json
from mtm_core.resources import atomic_write
from mtm_viewer.jobs.prepared_cache import default_cache

FILE = "order.json"
LOG = "process.log"
_SCHEMA, _VERSION = "mtm-viewer-order", 1
_SLACK_S = 2.0
"""Clocks of the system and of processes may differ by so much."""


@dataclass(frozen=True, kw_only=True)
class RunOrder:
    """An order, and what became of its process.

    Parameters
    ----------
    preset : str
        Settings to train by.
    session_paths, session_names : tuple of str
        Session files, and what people call them.
    asked_paths : tuple of str
        Where those files lay when the order was given (see `keep_sessions`).
    created : str
        When it was given: ISO 8601, local time.
    pid : int or None
        Its newest process; None before the first one.
    pid_started_s : float
        When that process was started, seconds since 1970: another one may get its number later.
    stopped : str
        ``"paused"`` or ``"cancelled"`` if a person stopped it; "" otherwise.
    error : str
        Why it failed; "" if it did not.
    folds : int
        Models of a cross-fit; 0 for a single model.
    seed : int
        Of weights, masks and batches.
    split : str
        How trials are divided; "" as the preset says.
    """

    preset: str
    session_paths: tuple[str, ...]
    session_names: tuple[str, ...]
    asked_paths: tuple[str, ...]
    created: str
    pid: int | None = None
    pid_started_s: float = 0.0
    stopped: str = ""
    error: str = ""
    folds: int = 0
    seed: int = 0
    split: str = ""

    @property
    def variant(self) -> str:
        """Name the preset and what was chosen in place of its own settings."""
        folds = f"{self.folds} folds" if self.folds else ""
        seed = f"seed {self.seed}" if self.seed else ""
        split = f"{self.split} split" if self.split else ""
        return ", ".join(filter(None, (self.preset, folds, seed, split)))

    @property
    def title(self) -> str:
        """Name the run: its preset and its sessions."""
        n_more = len(self.session_names) - 1
        comma = "," if "," in self.variant else ""
        first = f"{self.variant}{comma} on {self.session_names[0]}"
        return first + (f" and {n_more} more" * bool(n_more))

    def process(self, folder: Path) -> psutil.Process | None:
        """Return the process that trains into a folder if it is alive.

        It is known by the time of its start, or, where the clock was set since then, by its
        command, which names the folder.
        """
        if self.pid is None:
            return None
        try:
            process = psutil.Process(self.pid)
            is_own = abs(process.create_time() - self.pid_started_s) < _SLACK_S
            is_own = is_own or str(folder) in process.cmdline()
            is_alive = process.status() != psutil.STATUS_ZOMBIE
        except psutil.Error:
            return None
        return process if is_own and is_alive else None

    def began(self, pid: int) -> RunOrder:
        """Return the order with a process that was started now."""
        started_s = datetime.now().timestamp()
        with contextlib.suppress(psutil.Error):
            started_s = psutil.Process(pid).create_time()
        return replace(self, pid=pid, pid_started_s=started_s, stopped="", error="")


def write_order(folder: Path, order: RunOrder) -> None:
    """Write an order into the folder of its run, which is made if need be.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(_cannot_make(folder, (error.strerror or "").lower())) from error
    text = json.dumps({"schema": _SCHEMA, "version": _VERSION, **asdict(order)}, indent=1)
    with atomic_write(folder / FILE) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_order(folder: Path) -> RunOrder:
    """Read the order of a run.

    Raises
    ------
    TrainingError
        If there is none that can be read.
    """
    try:
        values: dict[str, Any] = parse_json((folder / FILE).read_text(encoding="utf-8"))
        if (values.pop("schema"), values.pop("version")) != (_SCHEMA, _VERSION):
            msg = f"{folder / FILE} was written by another version of this program."
            raise TrainingError(msg)
        for name in ("session_paths", "session_names", "asked_paths"):
            values[name] = tuple(map(str, values[name]))
        return RunOrder(**values)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{folder} holds no run of this window: its {FILE} cannot be read."
        raise TrainingError(msg) from error


def keep_sessions(folder: Path, order: RunOrder) -> RunOrder:
    """Give sessions in the cache, which it may drop, a second name in the folder of the run.

    Where the system cannot link files, the order keeps the paths as they are.
    """
    paths = tuple(_kept(folder, Path(path)) for path in order.session_paths)
    return replace(order, session_paths=tuple(map(str, paths)))


def _kept(folder: Path, path: Path) -> Path:
    if not path.is_relative_to(default_cache().folder):
        return path.resolve()
    own = folder / path.name
    try:
        folder.mkdir(parents=True, exist_ok=True)
        own.hardlink_to(path)
    except OSError:
        return path.resolve()
    return own


def make_new_folder(root: Path, session_name: str, variant: str) -> Path:
    """Make a folder for a new run, of a name that no other window has taken; models have it too.

    Raises
    ------
    OutputError
        If it cannot be made.

    Examples
    --------
    >>> import tempfile
    >>> root = Path(tempfile.mkdtemp())
    >>> [make_new_folder(root, "sub-1 (simulated)", "quick, seed 1").name for _ in range(2)]
    ['sub-1-simulated-quick-seed-1', 'sub-1-simulated-quick-seed-1-2']
    """
    preset, _, chosen = variant.partition(", ")
    session, chosen = (
        re.sub(r"[^\w.]+", "-", text)[:60].strip("-.") for text in (session_name, chosen)
    )
    stem = "-".join(filter(None, (session or "session", Path(preset).stem, chosen)))
    for number in itertools.count(1):
        folder = root / (stem if number == 1 else f"{stem}-{number}")
        try:
            root.mkdir(parents=True, exist_ok=True)
            folder.mkdir()
        except FileExistsError:
            if root.is_dir():
                continue
            raise OutputError(_cannot_make(root, "a file is in its place")) from None
        except OSError as error:
            raise OutputError(_cannot_make(folder, (error.strerror or "").lower())) from error
        return folder
    raise AssertionError


def _cannot_make(folder: Path, reason: str) -> str:
    return f"Could not make the folder {folder}: {reason}. Keep runs elsewhere (Model menu)."
