from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mtm_core.cli.together import ending_with, n_here, n_ranks, own_rank, together
from mtm_core.data.session_file import write_session
from mtm_core.errors import TrainingError
from tests.core.sessions import make_session
from tests.core.training.rank_nursery import free_port
from tests.core.training.runs import TINY

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM is no signal elsewhere")
def test_being_asked_to_stop_is_said_as_a_sentence():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(TrainingError, match=r"asked to stop.*Call it again\."):  # noqa: SIM117
        with ending_with("Call it again."):
            signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is before


def test_one_process_alone_and_other_threads_change_no_signal(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    before, seen = signal.getsignal(signal.SIGTERM), []

    def look():
        with ending_with(""):
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    with together("cpu", "") as team:
        seen.append(signal.getsignal(signal.SIGTERM))
        assert team.size == 1
    assert seen == [before, before]


def test_ranks_are_those_of_torchrun(monkeypatch):
    for name in ("RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert (own_rank(), n_ranks(), n_here()) == (0, 1, 1)
    monkeypatch.setenv("RANK", "5")
    monkeypatch.setenv("WORLD_SIZE", "8")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "4")
    assert (own_rank(), n_ranks(), n_here()) == (5, 8, 4)


@pytest.mark.slow
def test_torchrun_shares_out_the_cells_of_a_table_and_one_process_speaks(tmp_path):
    write_session(make_session(n_trials=30, n_units=15), tmp_path / "small.h5")
    words = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    words += ["--master-addr", "127.0.0.1", "--master-port", str(free_port()), "-m", "mtm_core"]
    words += [
        "reproduce",
        "bundled",
        "--sessions",
        str(tmp_path / "small.h5"),
        "--seeds",
        "0",
        "1",
    ]
    words += ["--splits", "random", "--out", str(tmp_path / "out")]
    words += [word for key, value in TINY.items() for word in (f"--{key}", value)]
    more = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    done = subprocess.run(
        words, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("| random | co_smoothing |") == 1
    found = {path.stem for path in (tmp_path / "out" / "cells").iterdir()}
    assert found == {f"small.random.{what}" for what in ("baselines", "seed0", "seed1")}
