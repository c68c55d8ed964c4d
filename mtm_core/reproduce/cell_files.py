"""Files of a folder of results: small JSON files, each written whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mtm_core.errors import OutputError, TrainingError
from mtm_core.resources import atomic_write


def read_json(path: Path) -> Mapping[str, Any] | None:
    """Return what a file holds; None if there is none.

    Raises
    ------
    TrainingError
        If it is damaged.
    """
    try:
        values: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        msg = f"{path} is damaged. Delete it and call the command again."
        raise TrainingError(msg) from error
    return values


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def prepare_folder(out: Path, settings: Mapping[str, Any]) -> None:
    """Make the folder of results, or check that it was made with these settings.

    Raises
    ------
    TrainingError
        If it holds results of other settings.
    OutputError
        If it cannot be made.
    """
    path = out / "settings.json"
    stored = read_json(path)
    if stored is None:
        try:
            (out / "cells").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            reason = (error.strerror or "").lower()
            msg = f"Could not make the folder {out}: {reason}. Choose another --out."
            raise OutputError(msg) from error
        write_json(path, settings)
    elif stored != json.loads(json.dumps(settings)):
        msg = (
            f"{out} holds results of other settings ({path.name} says which). Choose another "
            "--out, or call the command as before."
        )
        raise TrainingError(msg)
