"""Everything a person can get wrong: one clear sentence, exit code 2, nothing half-written."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest

from mtm_core.cli.__main__ import main
from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.session_file import write_session
from mtm_core.data.table import Column, Table
from mtm_core.training.loop import train
from tests.core.sessions import make_session

TINY = ["--optim.steps", "2", "--model.width", "8", "--model.heads", "2"]


@pytest.fixture(scope="module")
def shelf(tmp_path_factory) -> Path:
    """Fill a folder with a session, a model of it, and everything that is wrong with others."""
    folder = tmp_path_factory.mktemp("shelf")
    session = make_session(n_trials=40, n_bins=10, n_units=24)
    write_session(session, folder / "good.h5")
    settings = [(TINY[i], TINY[i + 1]) for i in range(0, len(TINY), 2)]
    config = apply_overrides(load_preset("quick"), settings)
    for _ in train(config, [session], folder / "run"):
        pass
    (folder / "model.safetensors").write_bytes((folder / "run/model.safetensors").read_bytes())
    _spoil_sessions(folder, session)
    _spoil_checkpoints(folder)
    return folder


def _spoil_sessions(folder: Path, session) -> None:
    good = (folder / "good.h5").read_bytes()
    (folder / "truncated.h5").write_bytes(good[: len(good) // 2])
    (folder / "text.h5").write_text("not HDF5 at all")
    with h5py.File(folder / "foreign.h5", "w") as file:
        file["counts"] = np.zeros((2, 3, 4))
    (folder / "future.h5").write_bytes(good)
    with h5py.File(folder / "future.h5", "r+") as file:
        file.attrs["schema_version"] = 99
    (folder / "changed.h5").write_bytes(good)
    with h5py.File(folder / "changed.h5", "r+") as file:
        file["counts"][0, 0, 0] += 1
    with h5py.File(folder / "nan.h5", "w") as file:
        file["spike_counts"] = np.full((2, 3, 40), np.nan)
    write_session(make_session(n_trials=3), folder / "three_trials.h5")
    write_session(make_session(regions=()), folder / "no_regions.h5")
    write_session(make_session(seed=7, session_id="another"), folder / "another.h5")
    wide = replace(session, provenance=replace(session.provenance, bin_size_s=0.02))
    write_session(wide, folder / "wide_bins.h5")
    late = replace(session, provenance=replace(session.provenance, window_start_s=-0.5))
    write_session(late, folder / "other_window.h5")
    lonely = {**session.units.columns, "region": Column.full(np.array(["CA1"] * 23 + ["DG"]))}
    write_session(replace(session, units=Table(lonely)), folder / "lonely_region.h5")


def _spoil_checkpoints(folder: Path) -> None:
    good = (folder / "model.safetensors").read_bytes()
    (folder / "truncated.safetensors").write_bytes(good[: len(good) // 2])
    (folder / "text.safetensors").write_text("not a checkpoint")


def file_times(folder: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


TRAIN = ["train", "--session", "good.h5", "--out", "new", *TINY]
EVALUATE = ["evaluate", "model.safetensors", "good.h5"]
RECONSTRUCT = ["reconstruct", "model.safetensors", "good.h5", "--out", "new.h5", "--hide"]
FIGURE = ["figure", "raster", "model.safetensors", "good.h5", "--out", "new.png", "--region"]

CASES = {
    "unknown command": (["tarin"], "no command 'tarin'. Did you mean 'train'"),
    "no such file": (["info", "nowhere.h5"], "no file or folder nowhere.h5"),
    "truncated session": (["info", "truncated.h5"], "truncated.h5"),
    "text as a session": (["info", "text.h5"], "text.h5"),
    "foreign HDF5": (["info", "foreign.h5"], "foreign.h5"),
    "schema of the future": (["info", "future.h5"], "99"),
    "changed after writing": (["info", "changed.h5"], "changed.h5"),
    "truncated checkpoint": (["info", "truncated.safetensors"], "truncated.safetensors"),
    "text as a checkpoint": (["info", "text.safetensors"], "text.safetensors"),
    "a folder that is no run": (["info", "."], "."),
    "unknown origin": (["convert", "steinmetz", "nan.h5", "--out", "new.h5"], "steinmetz2019"),
    "NaN": (["convert", "steinmetz2019", "nan.h5", "--out", "new.h5"], "nan.h5"),
    "convert a foreign file": (
        ["convert", "steinmetz2019", "foreign.h5", "--out", "new.h5"],
        "foreign.h5",
    ),
    "unknown preset": ([*TRAIN, "--preset", "quik"], "Did you mean 'quick'"),
    "unknown setting": ([*TRAIN, "--model.widht", "3"], "Did you mean '--model.width'"),
    "impossible setting": ([*TRAIN, "--model.width", "-3"], "--model.width"),
    "a word for a number": ([*TRAIN, "--optim.lr", "fast"], "--optim.lr"),
    "unknown split": ([*TRAIN, "--data.split", "randm"], "Did you mean 'random'"),
    "unknown device": ([*TRAIN, "--run.device", "cuda:99"], "cuda:99"),
    "zero test trials": (
        ["train", "--session", "three_trials.h5", "--out", "new", *TINY],
        "zero",
    ),
    "regions are needed": (
        ["train", "--session", "no_regions.h5", "--out", "new", *TINY],
        "region",
    ),
    "unwritable run": ([*TRAIN, "--out", "good.h5/run"], "good.h5"),
    "a run is there already": ([*TRAIN, "--out", "run"], "--resume"),
    "nothing to resume from": (["train", "--resume", "--out", "new"], "--session is needed"),
    "checkpoint for other units": (["evaluate", "model.safetensors", "another.h5"], "unit"),
    "checkpoint for other bins": (["evaluate", "model.safetensors", "wide_bins.h5"], "bin"),
    "checkpoint for another window": (
        ["evaluate", "model.safetensors", "other_window.h5"],
        "window",
    ),
    "evaluate a truncated checkpoint": (
        ["evaluate", "truncated.safetensors", "good.h5"],
        "truncated.safetensors",
    ),
    "unknown task": ([*EVALUATE, "--tasks", "co_smothing"], "co_smoothing"),
    "unwritable scores": ([*EVALUATE, "--json", "good.h5/scores.json"], "good.h5/scores.json"),
    "code for a rule": ([*RECONSTRUCT, "import os"], "import os"),
    "half a rule": ([*RECONSTRUCT, "region =="], "region =="),
    "unknown region in a rule": ([*RECONSTRUCT, 'region == "CA9"'], "CA1"),
    "unknown field in a rule": ([*RECONSTRUCT, "deptj_um > 3"], "depth_um"),
    "hides everything": ([*RECONSTRUCT, "depth_um >= 0"], "everything"),
    "hides nothing": ([*RECONSTRUCT, "depth_um < 0"], "No unit"),
    "unwritable rates": (
        [*RECONSTRUCT, 'region == "CA1"', "--out", "absent/rates.h5"],
        "absent",
    ),
    "unknown region": ([*FIGURE, "CA9"], "CA1"),
    "unknown kind of picture": ([*FIGURE, "CA1", "--out", "new.xyz"], "xyz"),
    "unwritable picture": ([*FIGURE, "CA1", "--out", "absent/new.png"], "absent"),
}


@pytest.mark.parametrize(("words", "said"), CASES.values(), ids=CASES.keys())
def test_what_is_wrong_is_said_in_a_sentence_and_nothing_is_written(
    words, said, shelf, monkeypatch, capsys
):
    monkeypatch.chdir(shelf)
    before = file_times(shelf)
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert said in captured.err
    assert 1 <= len(captured.err.splitlines()) <= 3
    assert captured.err.startswith("mtm-core: ")
    assert "Unexpected" not in captured.err
    assert "Traceback" not in captured.err
    assert file_times(shelf) == before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no RLIMIT_FSIZE")
@pytest.mark.parametrize(
    "words",
    [
        [*TRAIN, "--out", "full"],
        [*RECONSTRUCT, 'region == "CA1"', "--out", "full.h5"],
        [*EVALUATE, "--json", "full.json"],
        [*FIGURE, "CA1", "--out", "full.png"],
    ],
    ids=lambda words: words[0],
)
def test_a_disk_that_fills_in_the_middle_of_a_write_leaves_nothing_half_written(words, shelf):
    import resource

    def limit_file_size() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (700, 700))

    done = subprocess.run(
        [sys.executable, "-m", "mtm_core", *words],
        cwd=shelf,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=limit_file_size,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    said = [line for line in done.stderr.splitlines() if line.startswith("mtm-core: ")]
    assert len(said) == 1
    assert "Could not write" in said[0]
    assert "Traceback" not in done.stderr
    assert not (shelf / words[-1]).is_file()
    assert not [path for path in shelf.rglob(".*") if path.is_file()]
