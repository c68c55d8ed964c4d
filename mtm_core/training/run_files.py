"""Where the files of a run lie, and those of them that can be read without torch."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.errors import TrainingError
from mtm_core.json_text import parse_json
from mtm_core.models.older_manifests import OLDEST, run_values
from mtm_core.training.event_log import EventLog

SCHEMA = "mtm-run"
VERSION = 2
_STATE = re.compile(r"state(?:-(\d+))?\.safetensors")
"""Older runs kept one state, without a step in its name."""


class RunFiles:
    """Files of one run; `training.run_folder` says which.

    Parameters
    ----------
    path : Path
        The folder; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.config_path = path / "config.toml"
        self.split_path = path / "split.json"
        self.record_path = path / "run.json"
        self.model_path = path / "model.safetensors"
        self.lock_path = path / "run.lock"
        self.events = EventLog(path / "events.jsonl")

    def holds_run(self) -> bool:
        """Tell whether a run was begun here."""
        return self.can_resume() or self.config_path.exists() or self.model_path.exists()

    def can_resume(self) -> bool:
        """Tell whether a run got as far as its first checkpoint here."""
        return bool(state_paths(self.path))

    def read_config(self) -> TrainConfig:
        """Read the settings of the run.

        Raises
        ------
        ConfigError
            If they cannot be read.
        """
        return config_io.read_toml(self.config_path)

    def read_facts(self) -> dict[str, Any]:
        """Read what the run is bound to, as plain values; see `run_folder.RunRecord`.

        Raises
        ------
        TrainingError
            If this is not the folder of a run.
        """
        try:
            values: dict[str, Any] = parse_json(self.record_path.read_text(encoding="utf-8"))
            found = (values.pop("schema"), values.pop("version"))
            values = run_values(found[1], values)
            values["session_paths"] = tuple(values["session_paths"])
            if not isinstance(values["sessions"], Mapping):
                raise self.unreadable()
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise self.unreadable() from error
        if found[0] != SCHEMA or found[1] not in range(OLDEST, VERSION + 1):
            msg = (
                f"{self.record_path} is of {found[0]} version {found[1]}, and this program reads "
                f"{SCHEMA} versions {OLDEST} to {VERSION}. Update the program, or train anew."
            )
            raise TrainingError(msg)
        return values

    def refuse_older(self) -> None:
        """Raise a `TrainingError` if a run of an older version cannot go on in this one."""
        version = parse_json(self.record_path.read_text(encoding="utf-8"))["version"]
        if version < VERSION:
            msg = (
                f"{self.path} is a run of version {version}, which cannot be resumed in version "
                f"{VERSION}; its model can still be used. Train into another folder."
            )
            raise TrainingError(msg)

    def unreadable(self) -> TrainingError:
        """Return the error that says that this is not the folder of a run."""
        msg = f"{self.path} is not the folder of a run: its run.json cannot be read."
        return TrainingError(msg)


def state_paths(folder: Path) -> list[Path]:
    """List the states of a run, the newest first."""
    found = []
    if folder.is_dir():
        for path in folder.iterdir():
            match = _STATE.fullmatch(path.name)
            if match is not None:
                found.append((int(match[1] or -1), path))
    return [path for _, path in sorted(found, reverse=True)]
