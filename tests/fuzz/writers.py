"""Everything that writes what a person would miss: an old content, a new one, and the writer."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from mtm_core.cli.output import write_json
from mtm_core.config import TrainConfig
from mtm_core.data.session_file import write_session
from mtm_core.data.store import CountStore
from mtm_core.data.truth_file import write_truth
from mtm_core.experiment.files import write_experiment
from mtm_core.figures.picture_file import write_figure
from mtm_core.masking import tasks
from mtm_core.masking.named_masks import NamedMasks, write_named_masks
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.shared_folder import write_json as write_shared
from mtm_core.training.event_log import write_text
from mtm_viewer.jobs.journal_job import LAST, JournalJob, LeftBehind, Note
from mtm_viewer.jobs.numbers_file import write_numbers
from mtm_viewer.jobs.run_order import write_order
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.panel_numbers import NumberColumn, NumberTable, PanelNumbers
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.data.simulations import simulated
from tests.core.experiment.test_record_json import EXPERIMENT
from tests.core.sessions import make_session
from tests.viewer.jobs.fake_training import make_order
from tests.viewer.workspaces import make_small_workspace

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


def _order(path: Path, number: int) -> None:
    write_order(path.parent, replace(make_order(), error=str(number)))


def _counts(path: Path, number: int) -> None:
    counts = np.full((50, 20, 30), number, dtype=np.uint8)
    CountStore(path.parent, 10**9).keep(_HASH, 1, counts)


def _numbers(path: Path, number: int) -> None:
    column = NumberColumn(name="n", values=np.arange(500) + number)
    table = NumberTable(name="counts", columns=(column,))
    write_numbers(PanelNumbers(title="t", tables=(table,)), path)


def _truth(path: Path, number: int) -> None:
    write_truth(simulated(trials="10", seed=number).truth, path)


@cache
def _workspace():
    return make_small_workspace(n_trials=60)


def _journal(path: Path, number: int) -> None:
    """Note down what is on screen in a window, and close it."""
    _workspace()
    view = View(mask=MaskChoice())
    job = JournalJob(path.parent)
    try:
        job.note(Note(workspace=_workspace(), view=view, title=f"t{number}", device="cpu"))
    finally:
        job.close()


def _said_by_journals(path: Path) -> bytes:
    """Return what the next window can bring back: what was left behind, else the last screen."""
    job = JournalJob(path.parent)
    left = [each for each in job("look", lambda: False) if isinstance(each, LeftBehind)]
    entry = left[0].entry if left else job.last()
    job.close()
    return b"" if entry is None else str(entry.experiment.title).encode()


def _said_by_checkpoint(path: Path) -> bytes:
    """Return what a checkpoint says: its text comes in any order."""
    data = path.read_bytes()
    end = 8 + int.from_bytes(data[:8], "little")
    return json.dumps(json.loads(data[8:end]), sort_keys=True).encode() + data[end:]


@dataclass(frozen=True, kw_only=True)
class Writer:
    """A writer: the name of its file, what writes it, what reads it.

    `beside` may lie beside the file; `n_idle` bytes at its end say nothing.
    """

    file: str
    write: Write
    says: Callable[[Path], bytes] = Path.read_bytes
    beside: tuple[str, ...] = ()
    n_idle: int = 0


_HASH = "0" * 64
WRITERS: dict[str, Writer] = {
    "session": Writer(file="s.h5", write=lambda path, n: write_session(_sessions()[n], path)),
    "checkpoint": Writer(
        file="m.safetensors",
        write=lambda path, n: write_checkpoint(path, _checkpoints()[n]),
        says=_said_by_checkpoint,
    ),
    "experiment": Writer(
        file="e.mtm.json",
        write=lambda path, n: write_experiment(replace(EXPERIMENT, seed=n), path),
    ),
    "named masks": Writer(
        file="m.json", write=lambda path, n: write_named_masks(path, _masks(n), "s")
    ),
    "scores": Writer(
        file="o.json", write=lambda path, n: write_json(path, {"bps": [float(n)] * 500})
    ),
    "shared record": Writer(file="r.json", write=lambda path, n: write_shared(path, {"cell": n})),
    "events": Writer(file="events.jsonl", write=lambda path, n: write_text(path, f"{n}\n" * 2000)),
    "figure": Writer(file="f.pdf", write=_figure),
    "order of a run": Writer(file="order.json", write=_order),
    "mapped counts": Writer(file=f"{_HASH}-x1.npy", write=_counts, beside=("store.lock",)),
    "numbers as CSV": Writer(file="n.csv", write=_numbers),
    "numbers as NPZ": Writer(file="n.npz", write=_numbers),
    "numbers as HDF5": Writer(file="n.h5", write=_numbers),
    "true rates": Writer(file="_mtm_truth.h5", write=_truth),
    "journal of the window": Writer(
        file=LAST, write=_journal, says=_said_by_journals, n_idle=len("\n")
    ),
}


@cache
def contents(name: str) -> tuple[bytes, bytes]:
    """Return what files of that name say when 0 and when 1 was written; see `said_by`."""
    writer = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path, found = Path(folder) / writer.file, []
        for number in (0, 1):
            writer.write(path, number)
            found.append(said_by(name, path))
    return found[0], found[1]


def said_by(name: str, path: Path) -> bytes:
    """Return what a file says."""
    return WRITERS[name].says(path)


def leftovers(name: str, path: Path) -> list[Path]:
    """Return what lies beside a file and should not."""
    allowed = {path.name, *WRITERS[name].beside}
    return [other for other in path.parent.iterdir() if other.name not in allowed]


def sizes_to_stop_at(name: str) -> list[int]:
    """Return sizes in bytes, from nothing to all but one, at which a disk may be full."""
    writer = WRITERS[name]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / writer.file
        writer.write(path, 1)
        whole = path.stat().st_size - writer.n_idle
    return sorted({0, 1, whole - 1, *np.linspace(2, max(whole - 2, 2), 4).astype(int).tolist()})
