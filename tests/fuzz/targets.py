"""Everything that reads what a stranger may have written: good files, ways to spoil, readers."""

from __future__ import annotations

import io
import json
import random
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.alf import read_alf
from mtm_core.data.byo import read_byo
from mtm_core.data.nwb import read_nwb
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.steinmetz import convert_steinmetz2019
from mtm_core.experiment.files import attachment_of, read_experiment, write_experiment
from mtm_core.figures.attachment import attach
from mtm_core.masking import mask_json, named_masks, tasks
from mtm_core.masking.named_masks import NamedMasks
from mtm_core.masking.rules import parse_rule
from mtm_core.models.checkpoint import load_checkpoint, save_checkpoint
from mtm_core.models.family import Family
from mtm_core.models.session_part import SessionFacts
from mtm_core.sweep.spec import read_spec
from mtm_core.training.events import StepDone
from mtm_core.training.events import from_json as event_from_json
from mtm_core.training.events import to_json as event_to_json
from mtm_viewer.presenters.journal_entry import JournalEntry, checksum, newest_entry, write_line
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.data import alf_folder
from tests.core.data.byo_folder import write_long_byo_folder
from tests.core.data.small_nwb import write_small_nwb
from tests.core.data.steinmetz_file import write_steinmetz_file
from tests.core.experiment.test_record_json import EXPERIMENT
from tests.core.sessions import make_session
from tests.fuzz.mutations import spoil_bytes, spoil_hdf5, spoil_json, spoil_text

Spoil = Callable[[bytes, random.Random], bytes]
"""From the bytes of a good file to those of a bad one."""


@dataclass(frozen=True, kw_only=True)
class Target:
    """One kind of file and its reader.

    Parameters
    ----------
    seeds : callable
        Makes good files: their names and contents.
    spoil : callable
        Makes a bad one of a good one.
    read : callable
        Reads a file of that content in an empty folder; may raise `MtmError`, and nothing else.
    """

    seeds: Callable[[], dict[str, bytes]]
    spoil: Spoil
    read: Callable[[str, bytes, Path], object]


@cache
def _small_session():
    return make_session(n_trials=12, n_bins=4, n_units=9)


def _written(write: Callable[[Path], object], name: str) -> dict[str, bytes]:
    """Return what a function writes into a file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write(path)
        return {name: path.read_bytes()}


def _folder_files(write: Callable[[Path], object]) -> dict[str, bytes]:
    """Return what a function writes into a folder, by path within it."""
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(files)}


def _of_file(read: Callable[[Path], object]) -> Callable[[str, bytes, Path], object]:
    def run(name: str, data: bytes, folder: Path) -> object:
        path = folder / name
        path.write_bytes(data)
        return read(path)

    return run


def _of_text(read: Callable[[str], object]) -> Callable[[str, bytes, Path], object]:
    def run(_name: str, data: bytes, _folder: Path) -> object:
        return read(data.decode("utf-8", "surrogateescape"))

    return run


def _hdf5_or_bytes(data: bytes, rng: random.Random) -> bytes:
    return spoil_bytes(data, rng) if rng.random() < 0.4 else spoil_hdf5(data, rng)


def _json(data: bytes, rng: random.Random) -> bytes:
    return spoil_json(data.decode("utf-8"), rng)


def _text(data: bytes, rng: random.Random) -> bytes:
    return spoil_text(data.decode("utf-8"), rng).encode("utf-8", "surrogatepass")


@cache
def _checkpoint() -> dict[str, bytes]:
    session = _small_session()
    made = make_checkpoint(session, TrainConfig(model=SMALL_MODEL))
    family = Family(
        SMALL_MODEL,
        {
            session.session_id: SessionFacts(
                psth=torch.from_numpy(session.counts).float().mean(dim=0)
            )
        },
    )
    return _written(
        lambda path: save_checkpoint(path, family.state_dict(), made.manifest), "m.safetensors"
    )


def _spoil_checkpoint(data: bytes, rng: random.Random) -> bytes:
    """Spoil the header, or the manifest in it, and write its length as it is now."""
    if rng.random() < 0.3:
        return spoil_bytes(data, rng)
    (length,) = struct.unpack("<Q", data[:8])
    header, tensors = json.loads(data[8 : 8 + length]), data[8 + length :]
    if rng.random() < 0.7:
        manifest = spoil_json(header["__metadata__"]["manifest"], rng)
        header["__metadata__"]["manifest"] = manifest.decode("utf-8", "replace")
        header["__metadata__"].pop("checksum", None)
        text = json.dumps(header).encode("utf-8", "surrogatepass")
    else:
        text = spoil_json(json.dumps(header), rng)
    return struct.pack("<Q", len(text)) + text + tensors


@cache
def _figures() -> dict[str, bytes]:
    files = {}
    for suffix in (".png", ".svg", ".pdf"):
        figure, axes = plt.subplots(figsize=(1, 1))
        axes.plot([0, 1])
        image = io.BytesIO()
        figure.savefig(image, format=suffix[1:])
        plt.close(figure)
        files[f"f{suffix}"] = attach(image.getvalue(), suffix, attachment_of(EXPERIMENT))
    return files


def _journal() -> dict[str, bytes]:
    entry = JournalEntry(
        saved_at=datetime(2026, 1, 2, 3, 4, 5),
        name="s12",
        experiment=EXPERIMENT,
        models=("a.safetensors",),
    )
    line = write_line(entry)
    return {"j.jsonl": line + line}


def _spoil_journal(data: bytes, rng: random.Random) -> bytes:
    """Spoil the lines, or what a line says under a checksum that fits."""
    if rng.random() < 0.4:
        return spoil_bytes(data, rng)
    _, _, text = data.splitlines()[0].partition(b" ")
    spoilt = spoil_json(text.decode(), rng).replace(b"\n", b" ")
    return checksum(spoilt) + b" " + spoilt + b"\n"


def _read_alf(name: str, data: bytes, folder: Path) -> object:
    session = alf_folder.write(folder)
    (session / name).write_bytes(data)
    return read_alf(session)


def _read_byo(name: str, data: bytes, folder: Path) -> object:
    write_long_byo_folder(folder / "r", n_trials=5)
    (folder / "r" / name).write_bytes(data)
    return read_byo(folder / "r")


def _spoil_array(data: bytes, rng: random.Random) -> bytes:
    """Spoil an .npy, .pqt or .csv file; mostly near its head, where its shape stands."""
    if rng.random() < 0.5:
        head = spoil_bytes(data[:128], rng)
        return head + data[128:]
    if data[:6] == b"\x93NUMPY" and rng.random() < 0.5:
        return _other_array(data, rng)
    return spoil_bytes(data, rng)


def _other_array(data: bytes, rng: random.Random) -> bytes:
    old, out = np.load(io.BytesIO(data)), io.BytesIO()
    choices = (
        lambda: old.astype(complex),
        lambda: old[:0],
        lambda: old[:-1],
        lambda: np.full(old.shape, np.nan),
        lambda: np.full(old.shape, -(2**40)),
        lambda: old[..., None],
        lambda: old.astype("U8"),
        lambda: np.array(old.astype(object)),
        lambda: old[::-1],
        lambda: np.zeros((), old.dtype),
        lambda: np.zeros(old.shape, [("a", "i4")]),
        lambda: np.full(old.shape, 2**62),
        lambda: np.zeros(old.shape, "M8[s]"),
    )
    np.save(out, rng.choice(choices)(), allow_pickle=True)
    return out.getvalue()


def _preset_seeds() -> dict[str, bytes]:
    presets = Path(config_io.__file__).parents[1] / "resources" / "presets"
    return {"p.toml": (presets / "recommended.toml").read_bytes()}


def _sweep_seeds() -> dict[str, bytes]:
    sweeps = Path(config_io.__file__).parents[1] / "resources" / "sweeps"
    return {"s.toml": (sweeps / "example.toml").read_bytes()}


def _try_rule(text: str) -> object:
    units = _small_session().units
    return parse_rule(text).select(units, np.arange(9.0))


RULES = (
    'region in ("CA1", "DG") and rate_hz > 2 and not region == "VISp"',
    'region == "VIS*" or (region != "DG" and 5 < rate_hz <= 100)',
    'not (unit_id == "*1" or region in ("CA1",)) and rate_hz >= 1e-3',
)
EVENT = StepDone(
    step=3, n_steps=9, loss=0.25, lr=1e-3, grad_norm=2.0, seconds=1.5, seconds_left=3.0
)


def _named_masks() -> dict[str, bytes]:
    masks = NamedMasks().with_mask("hippocampus", tasks.intra_region("CA1"))
    return {"m.json": named_masks.named_masks_to_json(masks, "s").encode()}


TARGETS: dict[str, Target] = {
    "session": Target(
        seeds=lambda: _written(lambda path: write_session(_small_session(), path), "s.h5"),
        spoil=_hdf5_or_bytes,
        read=_of_file(read_session),
    ),
    "checkpoint": Target(
        seeds=_checkpoint, spoil=_spoil_checkpoint, read=_of_file(load_checkpoint)
    ),
    "experiment": Target(
        seeds=lambda: _written(lambda path: write_experiment(EXPERIMENT, path), "e.mtm.json"),
        spoil=_json,
        read=_of_file(read_experiment),
    ),
    "figure": Target(seeds=_figures, spoil=spoil_bytes, read=_of_file(read_experiment)),
    "alf": Target(
        seeds=lambda: {
            name.removeprefix(alf_folder.SESSION + "/"): data
            for name, data in _folder_files(alf_folder.write).items()
        },
        spoil=_spoil_array,
        read=_read_alf,
    ),
    "byo": Target(
        seeds=lambda: _folder_files(lambda folder: write_long_byo_folder(folder, n_trials=5)),
        spoil=_spoil_array,
        read=_read_byo,
    ),
    "nwb": Target(
        seeds=lambda: _written(write_small_nwb, "n.nwb"),
        spoil=_hdf5_or_bytes,
        read=_of_file(read_nwb),
    ),
    "steinmetz": Target(
        seeds=lambda: _written(write_steinmetz_file, "t.h5"),
        spoil=_hdf5_or_bytes,
        read=_of_file(convert_steinmetz2019),
    ),
    "preset": Target(seeds=_preset_seeds, spoil=_text, read=_of_file(config_io.read_toml)),
    "sweep": Target(seeds=_sweep_seeds, spoil=_text, read=_of_file(read_spec)),
    "rule": Target(
        seeds=lambda: {f"{i}": rule.encode() for i, rule in enumerate(RULES)},
        spoil=_text,
        read=_of_text(_try_rule),
    ),
    "journal": Target(
        seeds=_journal, spoil=_spoil_journal, read=lambda _name, data, _folder: newest_entry(data)
    ),
    "mask": Target(
        seeds=lambda: {"m": mask_json.to_json(tasks.intra_region("CA1")).encode()},
        spoil=_json,
        read=_of_text(mask_json.from_json),
    ),
    "named_masks": Target(
        seeds=_named_masks,
        spoil=_json,
        read=_of_file(lambda path: named_masks.read_named_masks(path, "s")),
    ),
    "event": Target(
        seeds=lambda: {"e": event_to_json(EVENT).encode()},
        spoil=_json,
        read=_of_text(event_from_json),
    ),
}
