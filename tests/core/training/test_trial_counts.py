from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from mtm_core.config import RunConfig
from mtm_core.data.store import CountStore, HeldCounts, StoredCounts
from mtm_core.errors import ConfigError
from mtm_core.training import trial_counts
from mtm_core.training.events import RunStarted, StepDone
from mtm_core.training.loop import train
from mtm_core.training.trial_counts import Room, TrialCounts
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, of_kind, tiny_config

ROOT = Path(__file__).parents[3]
HASH = "a" * 64
ROWS = np.array([1, 2, 4])


@pytest.fixture(params=["memory", "mapped"])
def some(request, tmp_path):
    counts = make_counts()
    if request.param == "memory":
        return TrialCounts(HeldCounts(counts), ROWS, "cpu", is_resident=True)
    return TrialCounts(CountStore(tmp_path, 10**9).keep(HASH, 1, counts), ROWS, "cpu")


def make_counts():
    return np.random.default_rng(0).poisson(1.0, (6, 4, 5)).astype(np.uint8)


def test_trials_are_counted_among_those_chosen(some):
    expected = torch.from_numpy(make_counts())
    some.expect(np.array([2, 0]))
    assert len(some) == 3
    assert torch.equal(some.take(np.array([2, 0])), expected[[4, 1]])
    assert torch.equal(some.take(slice(2)), expected[[1, 2]])
    assert torch.equal(some.all(), expected[ROWS].float())


def test_means_are_those_of_the_chosen_trials_to_the_bit(some, monkeypatch):
    expected = torch.from_numpy(make_counts()[ROWS]).float()
    monkeypatch.setattr(
        trial_counts, "pieces", lambda counts: [slice(i, i + 2) for i in range(0, len(counts), 2)]
    )
    assert torch.equal(some.mean(), expected.mean(dim=0))
    assert torch.equal(some.unit_mean(), expected.mean(dim=(0, 1)))


def test_counts_on_a_device_are_sent_there_once(monkeypatch):
    sent = []
    plain = torch.Tensor.to

    def to(tensor, *args, **words):
        if args and args[0] == "elsewhere":
            sent.append(tensor.dtype)
            return tensor
        return plain(tensor, *args, **words)

    monkeypatch.setattr(torch.Tensor, "to", to)
    some = TrialCounts(HeldCounts(make_counts()), ROWS, "elsewhere", is_resident=True)
    assert sent == [torch.uint8]
    expected = torch.from_numpy(make_counts())
    assert torch.equal(some.take(np.array([2, 0])), expected[[4, 1]])
    assert torch.equal(some.take(slice(1, 3)), expected[[2, 4]])
    assert sent == [torch.uint8, torch.int64]  # the numbers of the trials
    some.expect(ROWS)


def kinds(config, sizes, device="cpu"):
    room = Room(config, device)
    counts = [np.zeros((size, 1, 1), dtype=np.uint8) for size in sizes]
    found = [room.place(f"{i:x}" * 64, 1, each) for i, each in enumerate(counts)]
    return [type(source) for source in found], room


def test_auto_keeps_what_fits_into_a_quarter_of_what_is_free(tmp_path, monkeypatch):
    memory = SimpleNamespace(available=4_000)
    monkeypatch.setattr(trial_counts.psutil, "virtual_memory", lambda: memory)
    config = RunConfig(store_dir=str(tmp_path))
    found, room = kinds(config, [600, 500, 400])
    assert found == [HeldCounts, StoredCounts, HeldCounts]
    assert room.n_mapped == 1
    monkeypatch.setattr(trial_counts.torch.cuda, "mem_get_info", lambda _: (400, 10**9))
    assert kinds(config, [600, 100], "cuda:0")[0] == [StoredCounts, HeldCounts]


@pytest.mark.parametrize(("how", "kind"), [("memory", HeldCounts), ("mapped", StoredCounts)])
def test_the_place_can_be_chosen(how, kind, tmp_path):
    found, _ = kinds(RunConfig(store=how, store_dir=str(tmp_path)), [10, 20])
    assert found == [kind, kind]


def test_the_folder_is_bounded_by_a_setting(tmp_path):
    config = RunConfig(store="mapped", store_dir=str(tmp_path), store_gb=0.001)
    with pytest.raises(ConfigError, match=r"more than the 0\.001 GB"):
        kinds(config, [900_000, 900_000])


def test_mapped_counts_train_to_the_same_bits_and_resume_either_way(tmp_path):
    sessions = [make_session(), make_session(n_units=18, seed=1)]
    base = {"model__read_in": "stitched", "model__stitch_width": "12", "data__bin_factor": "2"}
    mapped = tiny_config(**base, run__store="mapped", run__store_dir=str(tmp_path / "counts"))
    held = tiny_config(**base, run__store="memory")
    events = list(train(held, iter(sessions), tmp_path / "held"))
    assert of_kind(events, RunStarted)[0].notes == ()
    events = list(train(mapped, iter(sessions), tmp_path / "mapped"))
    assert "read from mapped files in" in of_kind(events, RunStarted)[0].notes[0]
    assert_same_bits(tmp_path / "held", tmp_path / "mapped")

    begun = train(held, sessions, tmp_path / "both")
    next(event for event in begun if isinstance(event, StepDone) and event.step == 4)
    begun.close()
    list(train(mapped, sessions, tmp_path / "both", resume=True))
    assert_same_bits(tmp_path / "held", tmp_path / "both")


def test_every_step_says_how_long_it_waited_for_its_counts(tmp_path):
    steps = of_kind(list(train(tiny_config(), [make_session()], tmp_path / "run")), StepDone)
    assert all(0 < step.data_seconds < step.seconds for step in steps)


MEMORY = """
import ctypes
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil

from mtm_core.data.table import Column, Table
from mtm_core.training.events import RunFinished
from mtm_core.training.loop import train
from tests.core.sessions import make_session
from tests.core.training.runs import tiny_config

how, n_sessions, folder = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
plain = make_session(n_trials=2500, n_bins=10, n_units=150)

def sessions():
    for place in range(n_sessions):
        rng = np.random.default_rng(place)
        counts = (rng.random(plain.counts.shape, dtype=np.float32) < 0.1).astype(np.uint8)
        ids = Column.full(np.array([f"{place}/{row}" for row in range(150)]))
        units = Table({**plain.units.columns, "unit_id": ids})
        yield replace(plain, session_id=str(place), counts=counts, units=units)

config = tiny_config(
    model__read_in="unit_embedding",
    model__unit_vectors="false",
    optim__steps="2",
    data__val_fraction="0.02",
    run__store=how,
    run__store_dir=str(folder / "counts"),
)
events = train(config, sessions(), folder / f"{how}-{n_sessions}")
while not isinstance(next(events), RunFinished):
    pass
ctypes.CDLL(None).malloc_trim(0)  # what is freed, and kept for later, is not needed
print(psutil.Process().memory_info().rss)
events.close()
"""


def memory_in_training(how, n_sessions, folder):
    words = [sys.executable, "-c", MEMORY, how, str(n_sessions), str(folder)]
    return int(subprocess.run(words, capture_output=True, check=True, cwd=ROOT, text=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in other ways elsewhere")
def test_memory_does_not_grow_with_the_number_of_mapped_sessions(tmp_path):
    few, many = 2, 16
    added = (many - few) * 2500 * 10 * 150
    mapped = [memory_in_training("mapped", n, tmp_path) for n in (few, many)]
    held = memory_in_training("memory", many, tmp_path)
    assert held - mapped[1] > 0.8 * added  # so that the measure is one
    assert mapped[1] - mapped[0] < 0.2 * added
