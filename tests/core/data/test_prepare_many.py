from __future__ import annotations

import os
import time
from collections.abc import Callable

import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data import prepare_many as module
from mtm_core.data.prepare_many import prepare_many
from mtm_core.data.prepare_task import Outcome, Task, Wishes
from tests.core.data.byo_folder import write_long_byo_folder

DEFAULT = Wishes(config=load_preparation())


@pytest.fixture
def tasks(tmp_path):
    (tmp_path / "out").mkdir()
    return [
        Task(
            source=str(write_long_byo_folder(tmp_path / f"mine{i}", seed=i)),
            out=tmp_path / "out" / f"s{i}.h5",
        )
        for i in range(2)
    ]


def die(connection, task, wishes):
    """Stand for a process that is killed in the middle of its work."""
    if task.out.name == "s0.h5":
        os._exit(9)
    module._work(connection, task, wishes)


def dawdle(connection, task, wishes):
    """Stand for a process that is in the middle of writing when it is stopped."""
    from mtm_core import resources

    def endless(path):
        connection.send("flushing")
        time.sleep(60)

    resources._flush_to_disk = endless
    module._work(connection, task, wishes)


def start_with(work: Callable[..., None], monkeypatch) -> None:
    """Let the next processes do something else."""
    monkeypatch.setattr(module, "_TARGET", work)


def test_one_that_fails_and_one_that_works_go_side_by_side(tasks, tmp_path):
    wrong = Task(source=str(tmp_path / "nowhere"), out=tmp_path / "out" / "x.h5")
    told = []
    outcomes = list(
        prepare_many([wrong, *tasks], DEFAULT, jobs=3, report=lambda task, said: told.append(said))
    )
    found = {outcome.source: outcome.status for outcome in outcomes}
    assert found == {wrong.source: "failed", **{t.source: "prepared" for t in tasks}}
    assert {"reading", "counting spikes", "writing"} <= set(told)
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["s0.h5", "s1.h5"]


def test_a_process_that_is_killed_fails_its_own_source_only(tasks, monkeypatch):
    start_with(die, monkeypatch)
    outcomes = {o.out.name: o for o in prepare_many(tasks, DEFAULT, jobs=2)}
    assert outcomes["s0.h5"].status == "failed"
    assert "exit code 9" in outcomes["s0.h5"].problem
    assert outcomes["s1.h5"].status == "prepared"


def test_stopping_in_the_middle_of_a_write_leaves_nothing(tasks, tmp_path, monkeypatch):
    start_with(dawdle, monkeypatch)
    told = []
    outcomes = list(
        prepare_many(
            tasks,
            DEFAULT,
            jobs=1,
            report=lambda task, said: told.append(said),
            should_stop=lambda: "flushing" in told,
        )
    )
    assert [(o.out.name, o.status) for o in outcomes] == [
        ("s0.h5", "stopped"),
        ("s1.h5", "stopped"),
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_what_a_killed_process_was_writing_is_removed(tasks):
    out = tasks[0].out

    class Process:
        pid, exitcode = 4321, -9
        is_killed = False

        def terminate(self): ...

        def join(self, timeout=None): ...

        def is_alive(self):
            return not self.is_killed

        def kill(self):
            self.is_killed = True

    class Ended:
        def close(self): ...

    (out.parent / ".s0-4321-abcd.h5").write_bytes(b"half")
    (out.parent / ".s0-9999-abcd.h5").write_bytes(b"of another process")
    process = Process()
    module._stop({Ended(): module._Running(task=tasks[0], process=process)})
    assert process.is_killed
    assert [p.name for p in out.parent.iterdir()] == [".s0-9999-abcd.h5"]


def test_a_caller_that_looks_away_ends_the_work(tasks):
    outcomes = prepare_many(tasks, DEFAULT, jobs=1)
    first = next(outcomes)
    assert isinstance(first, Outcome)
    outcomes.close()
    assert first.status == "prepared"
