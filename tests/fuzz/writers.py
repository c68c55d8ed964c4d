"""Everything that writes what a person would miss: an old content, a new one, and the writer."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from mtm_core.cli.output import write_json
from mtm_core.config import TrainConfig
from mtm_core.data.session_file import write_session
from mtm_core.experiment.files import write_experiment
from mtm_core.figures.picture_file import write_figure
from mtm_core.masking import tasks
from mtm_core.masking.named_masks import NamedMasks, write_named_masks
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.shared_folder import write_json as write_shared
from mtm_core.training.event_log import write_text
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.experiment.test_record_json import EXPERIMENT
from tests.core.sessions import make_session

Write = Callable[[Path, int], object]
"""Writes the content of a number, 0 or 1, to a path."""


@cache
def _sessions():
    return tuple(make_session(n_trials=20, n_bins=5, n_units=12, seed=seed) for seed in (0, 1))


@cache
def _checkpoints() -> tuple[Checkpoint, ...]:
    config = TrainConfig(model=SMALL_MODEL)
    return tuple(make_checkpoint(each, config) for each in _sessions())


def _masks(number: int) -> NamedMasks:
    return NamedMasks().with_mask(f"mask {number}", tasks.intra_region("CA1"))


def _figure(path: Path, number: int) -> None:
    figure, axes = plt.subplots(figsize=(2, 1))
    axes.plot([0, number])
    write_figure(figure, path, title="t", recipe="r", dpi=100)
    plt.close(figure)


WRITERS: dict[str, tuple[str, Write]] = {
    "session": ("s.h5", lambda path, n: write_session(_sessions()[n], path)),
    "checkpoint": ("m.safetensors", lambda path, n: write_checkpoint(path, _checkpoints()[n])),
    "experiment": (
        "e.mtm.json",
        lambda path, n: write_experiment(replace(EXPERIMENT, seed=n), path),
    ),
    "named masks": ("m.json", lambda path, n: write_named_masks(path, _masks(n), "s")),
    "scores": ("o.json", lambda path, n: write_json(path, {"bps": [float(n)] * 500})),
    "shared record": ("r.json", lambda path, n: write_shared(path, {"cell": n})),
    "events": ("events.jsonl", lambda path, n: write_text(path, f"{n}\n" * 2000)),
    "figure": ("f.pdf", _figure),
}


@cache
def contents(name: str) -> tuple[bytes, bytes]:
    """Return what files of that name say when 0 and when 1 was written; see `said_by`."""
    file, write = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path, found = Path(folder) / file, []
        for number in (0, 1):
            write(path, number)
            found.append(said_by(name, path))
    return found[0], found[1]


def said_by(name: str, path: Path) -> bytes:
    """Return what a file says; the text in a checkpoint comes in any order."""
    data = path.read_bytes()
    if name != "checkpoint":
        return data
    end = 8 + int.from_bytes(data[:8], "little")
    return json.dumps(json.loads(data[8:end]), sort_keys=True).encode() + data[end:]


def sizes_to_stop_at(name: str) -> list[int]:
    """Return sizes in bytes, from nothing to all but one, at which a disk may be full."""
    file, write = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / file
        write(path, 1)
        whole = path.stat().st_size
    return sorted({0, 1, whole - 1, *np.linspace(2, max(whole - 2, 2), 4).astype(int).tolist()})
