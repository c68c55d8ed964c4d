from __future__ import annotations

import json
import math
import os
import signal
from pathlib import Path

import numpy as np
import pytest

from mtm_core.evaluation.report import evaluate
from mtm_core.evaluation.sharing import gather, own_rows
from mtm_core.models.baselines_all import BASELINE_NAMES
from tests.core.checkpoints import make_checkpoint
from tests.core.training.rank_nursery import SESSIONS, ask, open_nursery

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def nursery():
    with open_nursery() as process:
        yield process


def assert_same(one, other, place=""):
    """Compare two reports: everything equal, numbers but for rounding."""
    if isinstance(one, dict):
        assert one.keys() == other.keys(), place
        for key in one:
            assert_same(one[key], other[key], f"{place}/{key}")
    elif isinstance(one, list):
        assert len(one) == len(other), place
        for number, pair in enumerate(zip(one, other, strict=True)):
            assert_same(*pair, f"{place}/{number}")
    elif isinstance(one, float):
        assert math.isclose(one, other, rel_tol=1e-5, abs_tol=1e-5), place
    else:
        assert one == other, place


@pytest.mark.parametrize("size", [2, 3])
def test_processes_together_report_what_one_does(nursery, tmp_path, size):
    session = SESSIONS["one"]()[0]
    split = "val"  # of four trials: three processes get unequal shares
    alone = evaluate(make_checkpoint(session), session, split=split, baselines=True).to_dict()
    codes, said = ask(
        nursery, work="evaluate", size=size, run_dir=str(tmp_path / "both"), split=split
    )
    assert (codes, said) == ([0] * size, [""] * size)
    for rank in range(size):
        told = json.loads(Path(f"{tmp_path / 'both'}.report-{rank}").read_text())
        assert_same(json.loads(json.dumps(alone)), told["report"])
        # However much is its own, each process tells of the work of all, to the end.
        last = {what: (done, total) for what, done, total in told["said"]}
        assert list(last) == ["Model", "Shuffle control", "Baselines"]
        assert all(done == total for done, total in last.values())


def test_more_processes_than_trials_or_baselines_do_not_hang(nursery, tmp_path):
    size = len(BASELINE_NAMES) + 1
    codes, said = ask(
        nursery, work="evaluate", size=size, run_dir=str(tmp_path / "many"), split="val"
    )
    assert (codes, said) == ([0] * size, [""] * size)


@pytest.mark.parametrize("during", ["Model", "Baselines"])
def test_if_one_is_killed_the_other_ends_with_a_sentence(nursery, tmp_path, during):
    job = {"work": "evaluate", "size": 2, "kill": 1, "during": during, "split": "test"}
    codes, said = ask(nursery, run_dir=str(tmp_path / "killed"), **job)
    assert codes == [2, -signal.SIGKILL]
    assert said[0] == (
        "Another process of this run has ended or cannot be reached (seen by process 0 of 2). "
        "Start the same command again."
    )


class Crew:
    """Two processes of which only one is here: the other found ones."""

    rank, size = 1, 2

    def add_up(self, values):
        return values + (values == 0)


def test_rows_of_others_are_added_to_ones_own():
    assert own_rows(5, Crew()).tolist() == [1, 3]
    found = gather(np.full((2, 3), 7, dtype=np.float32), own_rows(5, Crew()), 5, Crew())
    assert found[:, 0].tolist() == [1, 7, 1, 7, 1]
