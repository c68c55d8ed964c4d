from __future__ import annotations

import functools
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mtm_core.reproduce import claimed as module
from mtm_core.reproduce.claimed import ELSEWHERE, Desk, compute_claimed
from mtm_core.shared_folder import Claim

ROOT = Path(__file__).parents[3]

OTHER = """
import sys
from pathlib import Path
from tests.core.reproduce.test_claimed import run_all
run_all(Path(sys.argv[1]), float(sys.argv[2]))
"""


@dataclass(frozen=True)
class Piece:
    name: str


PIECES = [Piece(f"piece{number}") for number in range(8)]


def file_of(out: Path, cell: Piece) -> Path:
    return out / f"{cell.name}.done"


def failure_of(out: Path, cell: Piece) -> Path:
    return out / f"{cell.name}.failed"


def work(out: Path, seconds: float, cell: Piece) -> str | None:
    with (out / "log").open("a") as log:
        log.write(f"{cell.name} {os.getpid()}\n")
    time.sleep(seconds)
    file_of(out, cell).touch()
    return None


def make_desk(out: Path, seconds: float = 0.0) -> Desk[Piece]:
    return Desk(
        out=out,
        work=functools.partial(work, out, seconds),
        file_of=functools.partial(file_of, out),
        failure_of=functools.partial(failure_of, out),
    )


def run_all(out: Path, seconds: float) -> list[tuple[Piece, str | None]]:
    return list(compute_claimed(make_desk(out, seconds), PIECES, workers=1, threads=1))


def begin(out: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Start another process on the same pieces, and wait until it works."""
    words = [sys.executable, "-c", OTHER, str(out), str(seconds)]
    process = subprocess.Popen(words, cwd=ROOT)
    while not (out / "log").exists():
        assert process.poll() is None
        time.sleep(0.01)
    return process


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)


def test_two_processes_share_the_cells_and_compute_none_twice(tmp_path):
    other = begin(tmp_path, 0.1)
    done = run_all(tmp_path, 0.1)
    assert other.wait() == 0
    assert sorted(cell.name for cell, why in done if why is None) == [p.name for p in PIECES]
    log = [line.split() for line in (tmp_path / "log").read_text().splitlines()]
    assert sorted(name for name, _ in log) == [piece.name for piece in PIECES]
    assert len({who for _, who in log}) == 2


def test_the_cell_of_a_process_that_was_killed_is_computed_by_another(tmp_path):
    other = begin(tmp_path, 60.0)
    other.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    other.wait()
    assert all(why is None for _, why in run_all(tmp_path, 0.0))
    log = [line.split()[0] for line in (tmp_path / "log").read_text().splitlines()]
    assert log.count("piece0") == 2


def test_a_cell_that_another_gives_up_is_told_and_not_tried_again(tmp_path, monkeypatch):
    (tmp_path / "claims").mkdir()
    held = Claim(tmp_path / "claims" / "piece3.lock")
    assert held.take()
    desk = make_desk(tmp_path)
    assert desk.compute(PIECES[3]) == ELSEWHERE
    monkeypatch.setattr(
        module.time, "sleep", lambda _: failure_of(tmp_path, PIECES[3]).write_text("{}")
    )
    done = dict(compute_claimed(desk, PIECES, workers=1, threads=1))
    held.release()
    assert done.pop(PIECES[3]) == "it failed in another process."
    assert set(done.values()) == {None}
    # What failed before this call is tried again.
    assert dict(compute_claimed(desk, PIECES[3:4], workers=1, threads=1)) == {PIECES[3]: None}


def test_without_a_place_for_failures_nothing_failed(tmp_path):
    desk = Desk(out=tmp_path, work=str, file_of=functools.partial(file_of, tmp_path))
    assert desk.failure(PIECES[0]) is None


@pytest.mark.parametrize("when", [0.0, 9e9])
def test_a_failure_of_an_earlier_call_is_tried_again_whatever_the_clock_says(tmp_path, when):
    desk, path = make_desk(tmp_path), failure_of(tmp_path, PIECES[0])
    path.write_text("{}")
    os.utime(path, (when, when))
    assert dict(compute_claimed(desk, PIECES[:1], workers=1, threads=1)) == {PIECES[0]: None}
