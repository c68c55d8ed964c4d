"""Reading and writing experiments: files of their own, and figures that carry one."""

from __future__ import annotations

from pathlib import Path

from mtm_core.errors import ExperimentError
from mtm_core.experiment.json_fields import refusal
from mtm_core.experiment.record import Experiment
from mtm_core.experiment.record_json import MAX_BYTES, from_json, to_json
from mtm_core.figures.attachment import CARRIERS, read_attachment
from mtm_core.resources import atomic_write

SUFFIX = ".mtm.json"
"""Ending of an experiment's own file."""


def write_experiment(experiment: Experiment, path: Path) -> None:
    """Write an experiment into a file of its own, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(to_json(experiment) + "\n", encoding="ascii")


def read_experiment(path: Path) -> Experiment:
    """Read an experiment from its own file, or out of a figure that carries one.

    Raises
    ------
    ExperimentError
        If there is none that this version knows; the text says what is wrong.
    """
    try:
        text = _text_of(path)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        msg = f"The experiment {path} cannot be read: {reason}."
        raise ExperimentError(msg) from error
    try:
        return from_json(text)
    except ExperimentError as error:
        msg = f"{path}: {error}"
        raise ExperimentError(msg) from error


def attachment_of(experiment: Experiment) -> str:
    """Return an experiment as the text that a figure carries."""
    return to_json(experiment, indent=None)


def may_hold_experiment(path: Path) -> bool:
    """Tell by its name whether a file may be an experiment, or a figure that carries one.

    Examples
    --------
    >>> [may_hold_experiment(Path(n)) for n in ("a.mtm.json", "a.PNG", "a.h5")]
    [True, True, False]
    """
    return path.suffix.lower() in (".json", *CARRIERS)


def _text_of(path: Path) -> str:
    if path.suffix.lower() in CARRIERS:
        found = read_attachment(path)
        if found is None:
            msg = (
                f"{path} carries no experiment. Take a figure that was saved by mtm-viewer or "
                f"mtm-core, or an experiment file ({SUFFIX})."
            )
            raise ExperimentError(msg)
        return found
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise refusal(f"{path} holds {size} bytes, more than the {MAX_BYTES} that may be")
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise refusal(f"{path} is no text") from error
