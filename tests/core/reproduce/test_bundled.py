from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.config import DataConfig, OptimConfig, RunConfig, TrainConfig
from mtm_core.data.session_file import write_session
from mtm_core.errors import OutputError, TrainingError
from mtm_core.masking.tasks import TASKS
from mtm_core.models.baselines_all import BASELINE_NAMES
from mtm_core.reproduce import bundled as module
from mtm_core.reproduce.bundled import Cell, Plan, compute_cell, reproduce
from tests.core.checkpoints import SMALL_MODEL
from tests.core.sessions import make_session

CONFIG = TrainConfig(
    model=SMALL_MODEL,
    optim=OptimConfig(steps=2, batch_size=4),
    run=RunConfig(device="cpu", threads=1, matmul="default", validate_every=2, checkpoint_every=1),
)


@pytest.fixture(scope="module")
def session_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sessions") / "small.h5"
    write_session(make_session(n_trials=30, n_units=15), path)
    return path


@pytest.fixture
def plan(session_file, tmp_path) -> Plan:
    return Plan(
        out=tmp_path / "results",
        sessions=(session_file,),
        seeds=(0, 1),
        splits=("random",),
        config=CONFIG,
    )


def names(plan: Plan) -> set[str]:
    return {path.name for path in (plan.out / "cells").iterdir()}


def test_it_trains_scores_and_writes_the_table(plan):
    steps = list(reproduce(plan))
    assert [step.n_done for step in steps] == [0, 1, 2, 3]
    assert all(step.n_cells == 3 for step in steps)
    assert names(plan) == {f"small.random.{w}.json" for w in ("baselines", "seed0", "seed1")}
    table = json.loads((plan.out / "table.json").read_text())
    assert {summary["task"] for summary in table["summary"]} == set(TASKS)
    forward = next(s for s in table["summary"] if s["task"] == "forward_prediction")
    assert set(forward["baselines"]) == set(BASELINE_NAMES) - {"poisson_regression"}
    assert "| random | co_smoothing |" in (plan.out / "table.md").read_text()
    seeds = [json.loads(plan.file_of(cell).read_text()) for cell in plan.cells()[1:]]
    assert seeds[0]["tasks"] != seeds[1]["tasks"]
    assert all(cell["train_seconds"] > 0 for cell in seeds)


def test_cells_that_are_there_are_not_computed_again(plan, monkeypatch):
    plan = replace(plan, seeds=(0,))
    list(reproduce(plan))
    monkeypatch.setattr(module, "compute_cell", lambda *_: pytest.fail("computed again"))
    assert [step.n_done for step in reproduce(plan)] == [2]


def test_a_stop_anywhere_loses_one_cell_at_most(plan):
    steps = reproduce(plan)
    next(steps)
    next(steps)
    steps.close()
    assert names(plan) == {"small.random.baselines.json"}
    assert (plan.out / "table.md").exists()
    assert [step.n_done for step in reproduce(plan)] == [1, 2, 3]


def test_a_training_run_that_was_cut_short_is_resumed(plan, monkeypatch):
    cell = Cell(path=str(plan.sessions[0]), split="random", seed=0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "load_checkpoint", _stop)
        with pytest.raises(KeyboardInterrupt):
            list(reproduce(replace(plan, seeds=(0,))))
    run = plan.out / "runs" / cell.name
    before = (run / "model.safetensors").read_bytes()
    assert not plan.file_of(cell).exists()
    compute_cell(plan, cell)
    assert (run / "model.safetensors").read_bytes() == before
    assert plan.file_of(cell).exists()


def _stop(*_):
    raise KeyboardInterrupt


def test_a_folder_of_other_settings_is_refused(plan):
    next(reproduce(plan))
    other = replace(plan, config=replace(CONFIG, optim=OptimConfig(steps=3, batch_size=4)))
    with pytest.raises(TrainingError, match="other settings"):
        next(reproduce(other))


def test_more_seeds_can_be_added_later(plan):
    list(reproduce(replace(plan, seeds=(0,))))
    assert [step.n_done for step in reproduce(plan)] == [2, 3]


def test_a_damaged_cell_is_named(plan):
    next(reproduce(plan))
    plan.file_of(plan.cells()[0]).write_text("{")
    with pytest.raises(TrainingError, match="Delete it"):
        next(reproduce(plan))


@pytest.mark.parametrize("name", ["settings.json", "cells/small.random.seed1.json"])
def test_a_file_that_is_a_folder_is_named(plan, name):
    (plan.out / name).mkdir(parents=True)
    with pytest.raises(TrainingError, match="Delete it"):
        next(reproduce(plan))


def test_a_folder_that_cannot_be_made_is_a_sentence(plan):
    plan.out.write_text("in the way")
    with pytest.raises(OutputError, match="Could not make the folder"):
        next(reproduce(plan))


def test_the_split_of_a_cell_is_the_models_own(plan):
    config = replace(CONFIG, data=DataConfig(split_blocks=2, split_gap=1))
    blocked = replace(plan, splits=("blocked",), seeds=(0,), config=config)
    list(reproduce(blocked))
    own, baselines = (json.loads(blocked.file_of(c).read_text()) for c in blocked.cells()[::-1])
    assert own["n_trials"] == baselines["n_trials"]
    assert own["n_trials"]["dropped"] > 0
    for task, scores in own["tasks"].items():
        assert scores["n_spikes"] == baselines["baselines"]["mean_rate"][task]["n_spikes"]


@pytest.mark.slow
def test_workers_compute_the_same_cells(plan):
    plan = replace(plan, seeds=(0,))
    list(reproduce(plan))
    apart = replace(plan, out=plan.out.with_name("apart"), workers=2)
    list(reproduce(apart))
    for cell in plan.cells():
        one, other = (json.loads(p.file_of(cell).read_text()) for p in (plan, apart))
        key = "baselines" if cell.seed is None else "tasks"
        assert one[key] == other[key]


def test_the_error_of_a_worker_arrives_as_its_sentence(plan):
    missing = Cell(path="nowhere.h5", split="random", seed=None)
    assert "nowhere.h5" in module._compute_apart(plan, missing)
    apart = replace(plan, workers=2)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            module, "compute_claimed", lambda *_, **__: [(missing, "nowhere: not there")]
        )
        with pytest.raises(TrainingError, match="nowhere: not there"):
            list(module._compute(apart, [missing]))
