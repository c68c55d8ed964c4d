from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.data.session_file import write_session
from mtm_core.errors import ConfigError
from mtm_core.reproduce import table_run
from mtm_core.reproduce.reuse import take_cells
from mtm_core.reproduce.table_plan import TablePlan
from mtm_core.reproduce.table_run import make_table
from tests.core.reproduce.test_table_run import TYPED, plan_of
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sessions") / "s0.h5"
    write_session(make_session(n_trials=30, n_units=15, seed=0), path)
    return path


@pytest.fixture(scope="module")
def masks(file, tmp_path_factory) -> TablePlan:
    """Return the plan of a table that was made: MtM and its temporal baseline."""
    out = tmp_path_factory.mktemp("made") / "masks"
    plan = plan_of("masks", out, [file], rows=("temporal", "mtm"))
    assert [step.why for step in make_table(plan)] == [None] * 4
    return plan


@pytest.fixture
def lfads(masks) -> TablePlan:
    return replace(
        masks,
        table="lfads",
        out=masks.out.with_name("lfads"),
        rows=("ndt1-temporal", "ndt1-mtm"),
        reuse=(masks.out,),
    )


def test_what_another_table_holds_is_not_computed_again(masks, lfads, tmp_path, monkeypatch):
    plan = replace(lfads, out=tmp_path / "deep" / "lfads")
    monkeypatch.setattr(table_run, "try_cell", lambda *_: pytest.fail("computed again"))
    assert [step.n_done for step in make_table(plan)] == [3]
    cells = {cell.variant: json.loads(plan.file_of(cell).read_text()) for cell in plan.cells()}
    theirs = {c.variant: json.loads(masks.file_of(c).read_text()) for c in masks.cells()}
    assert cells[None] == theirs[None]
    assert cells["ndt1-mtm"]["variant"] == "ndt1-mtm"
    assert cells["ndt1-mtm"]["tasks"] == theirs["mtm"]["tasks"]
    assert cells["ndt1-temporal"]["tasks"] == theirs["temporal"]["tasks"]
    run = plan.out / cells["ndt1-mtm"]["run"]
    assert run.resolve() == (masks.out / theirs["mtm"]["run"]).resolve()
    assert (run / "config.toml").is_file()
    assert cells["ndt1-mtm"]["run"] in (plan.out / "table.md").read_text()


def test_a_run_on_another_drive_is_named_by_its_whole_path(masks, lfads, tmp_path, monkeypatch):
    plan = replace(lfads, out=tmp_path / "lfads")
    (plan.out / "cells").mkdir(parents=True)

    def another_drive(*_):
        raise ValueError

    monkeypatch.setattr("os.path.relpath", another_drive)
    take_cells(plan)
    runs = [json.loads(plan.file_of(c).read_text())["run"] for c in plan.cells() if c.variant]
    assert runs == [
        str((masks.out / "runs" / f"s0.random.{n}.seed0").resolve()) for n in ("temporal", "mtm")
    ]


def test_what_is_there_stays(masks, lfads, tmp_path):
    plan = replace(lfads, out=tmp_path / "lfads")
    (plan.out / "cells").mkdir(parents=True)
    assert len(take_cells(plan)) == 3
    assert take_cells(plan) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"seeds": (1,)},
        {"typed": [*TYPED, ("optim.lr", "0.5")]},
        {"splits": ("blocked",)},
        {"table": "decoding-prompt", "rows": ()},
    ],
)
def test_a_cell_of_anything_else_is_not_taken(masks, lfads, tmp_path, changes):
    plan = replace(lfads, out=tmp_path / "lfads", **changes)
    (plan.out / "cells").mkdir(parents=True)
    taken = take_cells(plan)
    assert not [name for name in taken if "baselines" not in name]
    assert bool(taken) == (set(changes) <= {"seeds", "typed"})  # baselines know neither


def test_a_session_of_the_same_name_that_is_another_is_not_taken(masks, lfads, tmp_path):
    path = tmp_path / "s0.h5"
    session = make_session(n_trials=30, n_units=15, seed=1)
    write_session(replace(session, session_id="another"), path)
    plan = replace(lfads, out=tmp_path / "lfads", sessions=(path,))
    (plan.out / "cells").mkdir(parents=True)
    assert take_cells(plan) == []


def test_a_row_that_depends_on_the_speed_of_the_machine_is_computed_here(file, tmp_path):
    plan = plan_of(
        "presets",
        tmp_path / "presets",
        [file],
        rows=("recommended", "quick-as-long"),
        typed=[pair for pair in TYPED if pair[0] != "run.validate_every"],
    )
    list(make_table(plan))
    again = replace(plan, out=tmp_path / "again", reuse=(plan.out,))
    (again.out / "cells").mkdir(parents=True)
    assert [name.split(".")[2] for name in take_cells(again)] == ["baselines", "recommended"]


def test_a_folder_without_a_table_and_one_of_other_versions_are_told(masks, lfads, tmp_path):
    plan = replace(lfads, out=tmp_path / "lfads", reuse=(tmp_path,))
    with pytest.raises(ConfigError, match="holds no table of mtm-core reproduce"):
        take_cells(plan)
    settings = json.loads((masks.out / "settings.json").read_text())
    settings["versions"] = {"torch": "0.4"}
    (tmp_path / "settings.json").write_text(json.dumps(settings))
    with pytest.raises(ConfigError, match="other versions"):
        take_cells(plan)
