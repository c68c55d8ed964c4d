"""The folder of a run: settings, split, events, the best checkpoint, and the state to resume.

::

    config.toml          every setting, as resolved
    split.json           ids of the trials of each part, session by session
    run.json             sessions, backend, threads, seeds, versions
    events.jsonl         one event per line
    model.safetensors    the best averaged weights by validation: what everything else reads
    state-STEP.safetensors  the newest states of training: weights, their average, AdamW's moments
    run.lock             held by the process that trains into the folder

Each file but the events is written beside its place and moved there whole, so that a run killed
at any moment is left as it was at its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import json
import logging
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, Timeout
from torch import Tensor

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.errors import CheckpointError, OutputError, TrainingError
from mtm_core.models.backend import Backend
from mtm_core.models.checkpoint import read_checkpoint, save_checkpoint
from mtm_core.models.manifest import Manifest, software_versions
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training.event_log import write_text
from mtm_core.training.run_files import SCHEMA, VERSION, RunFiles
from mtm_core.training.state_files import StateFiles

logger = logging.getLogger(__name__)
FREE_ON_RESUME = frozenset({"run.store", "run.store_dir", "run.store_gb", "run.keep_checkpoints"})
"""Settings that may differ when a run is resumed: the result is the same."""
_LEFT_BEHIND = re.compile(r"\.(config|split|run|events|model|state(?:-\d+)?)-\d+-[0-9a-f]{8}\.\w+")


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunRecord:
    """What a run is bound to, beside its settings.

    Parameters
    ----------
    sessions : mapping of str to str
        The sessions by id, each with the hash of its content.
    session_paths : tuple of str
        Where they were read from; empty if they were never files.
    backend : Backend
        How the machine computes; resuming computes alike.
    versions : mapping of str to str
        Software that began the run.
    pretrained : mapping or None
        The checkpoint that it started from, and what of it is frozen; None for drawn weights.
    processes : int
        How many trained together when it began.
    """

    sessions: Mapping[str, str]
    session_paths: tuple[str, ...]
    backend: Backend
    versions: Mapping[str, str] = dataclasses.field(default_factory=software_versions)
    pretrained: Mapping[str, Any] | None = None
    processes: int = 1


class RunFolder(RunFiles):
    """Files of one run, and what may be done with them.

    Parameters
    ----------
    path : Path
        The folder; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.states = StateFiles(path)
        self._lock: BaseFileLock | None = None

    def hold(self) -> None:
        """Keep other processes from training into this folder, until `release` or the end.

        The system frees the folder of a process that was killed.

        Raises
        ------
        TrainingError
            If another process trains into it.
        OutputError
            If the folder cannot be written.
        """
        lock = FileLock(self.lock_path, thread_local=False)  # whoever stops it may free it
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            msg = (
                f"Another process is training into {self.path} now. Wait until it has ended, stop "
                "it, or choose another --out."
            )
            raise TrainingError(msg) from error
        except NotImplementedError:  # a file system without locks
            logger.warning("%s cannot be locked: train into it by one process only.", self.path)
            return
        except OSError as error:
            raise OutputError(_why_unwritable(self.path, error)) from error
        self._lock = lock

    def release(self) -> None:
        """Let other processes train into this folder."""
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def create(self, config: TrainConfig, manifest: Manifest, record: RunRecord) -> None:
        """Make the folder, hold it, and write what is known before the first step.

        Raises
        ------
        OutputError
            If the folder cannot be made or written.
        TrainingError
            If it holds a run, or another process begins one there.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.hold()
            self.refuse_to_begin()
            self.sweep()
        except OSError as error:
            raise OutputError(_why_unwritable(self.path, error)) from error
        split = {record.session_id: record.split for record in manifest.sessions}
        write_text(self.split_path, json.dumps(split, indent=1))
        plain = {"schema": SCHEMA, "version": VERSION, **dataclasses.asdict(record)}
        write_text(self.record_path, json.dumps(plain, indent=1, ensure_ascii=False))
        self.events.forget_after(-1)
        write_text(self.config_path, config_io.to_toml(config))

    def refuse_to_begin(self) -> None:
        """Raise a `TrainingError` if a run was begun here."""
        if self.holds_run():
            msg = (
                f"{self.path} already holds a run. Add --resume to go on with it, or choose "
                "another --out."
            )
            raise TrainingError(msg)

    def read_record(self) -> RunRecord:
        """Read what the run is bound to.

        Raises
        ------
        TrainingError
            If this is not the folder of a run.
        """
        values = self.read_facts()
        try:
            values["backend"] = Backend(**values["backend"])
            return RunRecord(**values)
        except (KeyError, TypeError) as error:
            raise self.unreadable() from error

    def save_best(
        self, tensors: Mapping[str, Tensor], manifest: Manifest, *, check: bool = False
    ) -> None:
        """Write the best weights so far, unless the file has them already.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            The state of the family of models.
        manifest : Manifest
            What to say about it.
        check : bool
            Read the weights in the file too: they may have been damaged.

        Raises
        ------
        OutputError
            If they cannot be written; those before stay.
        """
        if self._best_step(check=check) != manifest.step:
            save_checkpoint(self.model_path, tensors, manifest)

    def _best_step(self, *, check: bool) -> int | None:
        try:
            if check:
                return read_checkpoint(self.model_path)[0].step
            return read_manifest(self.model_path).step
        except CheckpointError:
            return None

    def sweep(self) -> None:
        """Remove what a killed process left half-written."""
        for path in self.path.iterdir():
            if _LEFT_BEHIND.fullmatch(path.name):
                path.unlink(missing_ok=True)


def _why_unwritable(path: Path, error: OSError) -> str:
    reason = (error.strerror or "").lower()
    return f"Could not make the run folder {path}: {reason}. Choose another --out."


def find_checkpoint(path: Path) -> Path:
    """Return the checkpoint of a run folder, or the path itself if it is no folder.

    Raises
    ------
    CheckpointError
        If it is a folder without a run.
    """
    if not path.is_dir():
        return path
    folder = RunFolder(path)
    if not folder.model_path.exists():
        msg = f"{path} is a folder without a run: it has no model.safetensors."
        raise CheckpointError(msg)
    return folder.model_path


def first_difference(stored: TrainConfig, given: TrainConfig) -> tuple[str, Any, Any] | None:
    """Return the key, the stored and the given value of the first setting that differs.

    Settings that change no number of a run (`FREE_ON_RESUME`) may differ.
    """
    before, after = config_io.to_dict(stored), config_io.to_dict(given)
    for key in before:
        if isinstance(before[key], dict):
            for name in before[key]:
                was, now = before[key][name], after[key].get(name)
                if was != now and f"{key}.{name}" not in FREE_ON_RESUME:
                    return f"{key}.{name}", was, now
    return None
