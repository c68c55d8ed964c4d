from __future__ import annotations

import csv
import json
from dataclasses import replace

import pytest

from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import ConfigError, DataError, TrainingError, UnknownNameError
from mtm_core.masking.tasks import TASKS
from mtm_core.reproduce import table_run
from mtm_core.reproduce.table_plan import TablePlan
from mtm_core.reproduce.table_run import make_table
from mtm_core.reproduce.table_training import choose_pool, for_as_long
from mtm_core.reproduce.tables import find_table
from mtm_core.training.run_folder import RunFolder
from tests.core.evaluation.behaving import make_behaving_session
from tests.core.sessions import make_session

TYPED = [
    ("model.width", "8"),
    ("model.heads", "2"),
    ("model.layers", "1"),
    ("model.mlp_width", "8"),
    ("optim.steps", "2"),
    ("optim.batch_size", "4"),
    ("run.device", "cpu"),
    ("run.matmul", "default"),
    ("run.validate_every", "2"),
    ("masking.min_region_units", "2"),
]


def plan_of(table: str, out, sessions, **others) -> TablePlan:
    """Plan a table of tiny models: by default one seed and the random split."""
    usual = {"budget": "quick", "seeds": (0,), "splits": ("random",), "typed": TYPED}
    return TablePlan(table=table, out=out, sessions=tuple(sessions), **usual | others)


def write(session: Session, folder, name: str, subject: str | None = None):
    provenance = replace(session.provenance, subject=subject)
    path = folder / f"{name}.h5"
    write_session(replace(session, provenance=provenance), path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sessions")
    return [
        write(make_session(n_trials=30, n_units=15, seed=seed), folder, f"s{seed}", f"mouse{seed}")
        for seed in range(3)
    ]


@pytest.fixture
def plan(files, tmp_path) -> TablePlan:
    return plan_of("mask-ratio", tmp_path / "results", files[:1], seeds=(0, 1), pool=tuple(files))


@pytest.fixture(scope="module")
def made(files, tmp_path_factory) -> TablePlan:
    """Return the plan of a table that was made; leave it as it is."""
    out = tmp_path_factory.mktemp("made") / "results"
    plan = plan_of("mask-ratio", out, files[:1], seeds=(0, 1))
    steps = list(make_table(plan))
    assert [step.n_done for step in steps] == [0, 1, 2, 3, 4, 5, 6, 7]
    assert all(step.why is None for step in steps)
    return plan


def test_the_table_tells_mean_and_spread_and_what_made_them(made):
    table = json.loads((made.out / "table.json").read_text())
    rows = [row for row in table["rows"] if row["kind"] == "model"]
    assert {row["measure"] for row in rows} == {"bps_pooled", "bps_unit_mean"}
    for row in rows:
        assert set(row["values"]) == set(TASKS)
        assert all(value["sd"] >= 0 for value in row["values"].values())
        assert all((made.out / run / "config.toml").is_file() for run in row["runs"])
        assert len(row["runs"]) == 2
    cells = [json.loads(made.file_of(c).read_text()) for c in made.cells() if c.variant]
    pooled = [c["tasks"]["co_smoothing"]["bps_pooled"] for c in cells if c["seed"] == 0]
    assert len(set(pooled)) > 1  # the best weights may be the untrained ones in some
    assert table["published"]["other_data"]
    assert table["not_recorded"]["whisker_motion_energy"]


def test_classical_baselines_and_published_numbers_stand_in_the_same_table(made):
    text = (made.out / "table.md").read_text()
    assert "| mean rate |" in text
    assert "| ratio 0.1, MtM prompted: published, *other data* | 1.31 | 0.79 |" in text
    assert "not recorded" in text
    assert "Runs that made these numbers" in text
    with (made.out / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["kind"] for row in rows} == {"model", "classical", "published"}
    columns = [name for name in rows[0] if name in TASKS or name == "choice"]
    assert columns == [*TASKS, "choice"]
    assert all("other data" in row["note"] for row in rows if row["kind"] == "published")
    assert all(row["whisker_motion_energy"] == "not recorded" for row in rows[:3])


def test_the_headline_is_drawn_against_the_baseline(made):
    names = {path.name for path in (made.out / "figures").iterdir()}
    assert names == {"sessions.png", "classical.png", "regions.png", "units.png"}


def test_cells_that_are_there_are_not_computed_again(made, monkeypatch):
    monkeypatch.setattr(table_run, "try_cell", lambda *_: pytest.fail("computed again"))
    assert [step.n_done for step in make_table(made)] == [7]


def test_a_folder_of_another_table_is_refused(made):
    with pytest.raises(TrainingError, match="other settings"):
        next(make_table(replace(made, table="positions")))


def test_a_failing_cell_stops_nothing_and_is_told_and_tried_again(plan, monkeypatch):
    plan = replace(plan, table="positions", seeds=(0,))
    from mtm_core.reproduce import table_training

    def train(config, *rest, **more):
        if config.model.positions == "rotary":
            raise MemoryError("too large")
        return real(config, *rest, **more)

    real = table_training.train
    with monkeypatch.context() as patch:
        patch.setattr(table_training, "train", train)
        steps = list(make_table(plan))
    assert (steps[-1].n_done, steps[-1].n_failed) == (3, 1)
    text = (plan.out / "table.md").read_text()
    assert "could not be computed" in text
    assert "s0.random.rotary.seed0: MemoryError: too large" in text
    steps = list(make_table(plan))
    assert [step.n_done for step in steps] == [3, 4]
    assert "could not be computed" not in (plan.out / "table.md").read_text()


def test_a_table_of_which_nothing_can_be_computed_is_an_error(plan, tmp_path):
    plan = replace(plan, sessions=(tmp_path / "nowhere.h5",), seeds=(0,))
    with pytest.raises(TrainingError, match=r"table\.md says why"):
        list(make_table(plan))
    assert "nowhere.h5" in (plan.out / "table.md").read_text()


def test_a_stop_loses_one_cell_at_most(plan):
    steps = make_table(plan)
    next(steps)
    next(steps)
    steps.close()
    assert next(make_table(plan)).n_done == 1


def test_choice_is_a_column_where_it_was_recorded(plan, tmp_path):
    session = make_behaving_session(("choice",))
    file = write(session, tmp_path, "behaving")
    plan = replace(plan, sessions=(file,), seeds=(0,), table="positions")
    list(make_table(plan))
    table = json.loads((plan.out / "table.json").read_text())
    assert "choice" not in table["not_recorded"]
    row = next(row for row in table["rows"] if row["kind"] == "model")
    assert 0 <= row["values"]["choice"]["mean"] <= 1
    assert any(row["name"] == "raw_counts" for row in table["rows"])


@pytest.mark.parametrize(("name", "said"), [("decoding-prompt", "intra-region"), ("chance", "p")])
def test_tables_of_behaviour(plan, tmp_path, name, said, monkeypatch):
    monkeypatch.setattr("mtm_core.reproduce.table_behavior.N_CHANCE", 25)
    file = write(make_behaving_session(("choice",)), tmp_path, "behaving")
    plan = replace(plan, table=name, sessions=(file,), seeds=(0,))
    assert [step.n_done for step in make_table(plan)] == [0, 1]
    text = (plan.out / "table.md").read_text()
    assert said in text
    with (plan.out / "table.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert "choice" in {row["target"] for row in rows if row["value"]}
    if name == "chance":
        assert any(row["chance"] for row in rows)
    else:
        assert {row["prompt"] for row in rows} >= {"neuron", "causal", "inter_region"}


def test_scaling_trains_on_other_animals_and_then_fine_tunes(plan, files):
    plan = replace(plan, table="scaling", seeds=(0,))
    steps = list(make_table(plan))
    # One other session or two; five and ten are not there, which is told.
    assert (steps[-1].n_done, steps[-1].n_failed) == (4, 2)
    found = {
        cell.variant: json.loads(plan.file_of(cell).read_text())
        for cell in plan.cells()
        if cell.variant and plan.file_of(cell).exists()
    }
    assert found["sessions-2"]["pretrained_on"] == ["s1", "s2"]
    assert found["sessions-0"]["pretrained_on"] == []
    assert found["sessions-2"]["n_steps"] == 2 * 2 + 2
    assert "Name more with --pool" in (plan.out / "table.md").read_text()
    assert (plan.out / "figures" / "scaling.png").exists()


def test_sessions_of_the_same_animal_are_never_trained_on(files, tmp_path):
    own = make_session(n_trials=30, n_units=15, seed=9)
    twin = replace(own, provenance=replace(own.provenance, subject="mouse1"))
    assert choose_pool(files, twin, 2) == [files[0], files[2]]
    with pytest.raises(DataError, match="Only 2"):
        choose_pool(files, twin, 3)


@pytest.fixture(scope="module")
def new_animals(files, tmp_path_factory) -> TablePlan:
    """Return the plan of a table of new animals that was made, on two seeds of one session."""
    plan = plan_of(
        "new-animals",
        tmp_path_factory.mktemp("new") / "results",
        files[:1],
        rows=("from-scratch", "zero-shot", "pretrained"),
        typed=[*TYPED, ("model.unit_width", "8")],
        pool=tuple(files),
    )
    assert [step.why for step in make_table(plan)] == [None] * 5
    return plan


def test_rows_that_train_on_the_same_animals_share_that_run(new_animals):
    cells = {
        c.variant: json.loads(new_animals.file_of(c).read_text()) for c in new_animals.cells()
    }
    assert cells["from-scratch"]["pretrained_on"] == []
    for name in ("zero-shot", "pretrained"):
        assert cells[name]["pretrained_on"] == ["s1", "s2"]  # never the session's own animal
    folders = {path.name for path in (new_animals.out / "runs").iterdir() if path.is_dir()}
    assert len([name for name in folders if name.startswith("pretrain-")]) == 1
    assert cells["zero-shot"]["n_steps"] == 2  # of the shared run; none on the session itself
    assert cells["pretrained"]["n_steps"] == 4


@pytest.mark.slow
def test_workers_compute_cells_and_fail_alone(plan, tmp_path):
    sessions = (tmp_path / "nowhere.h5", *plan.sessions)
    plan = replace(plan, table="decoding-prompt", sessions=sessions, seeds=(0,), workers=2)
    steps = list(make_table(plan))
    assert (steps[-1].n_done, steps[-1].n_failed) == (1, 1)
    assert "nowhere.h5" in (plan.out / "table.md").read_text()


@pytest.fixture(scope="module")
def presets(files, tmp_path_factory) -> TablePlan:
    """Return the plan of a table that was made; two of its rows take as long as the first."""
    plan = plan_of(
        "presets",
        tmp_path_factory.mktemp("presets") / "results",
        files[:1],
        rows=("recommended", "quick-as-long", "paper-as-long"),
        typed=[pair for pair in TYPED if pair[0] != "run.validate_every"],
    )
    assert [step.why for step in make_table(plan)] == [None] * 5
    return plan


def test_a_row_gets_the_time_of_another_in_steps_of_its_own(presets):
    cells = {c.variant: json.loads(presets.file_of(c).read_text()) for c in presets.cells()}
    assert cells["recommended"]["n_steps"] == 2
    assert cells["quick-as-long"]["preset"] == "quick"
    for name in ("quick-as-long", "paper-as-long"):
        run = RunFolder(presets.out / cells[name]["run"])
        assert cells[name]["n_steps"] == run.read_config().optim.steps >= 1
    assert not list((presets.out / "runs").glob("*.probe"))


def test_a_row_is_compared_trial_by_trial(presets):
    table = json.loads((presets.out / "table.json").read_text())
    (row,) = [
        row
        for row in table["rows"]
        if (row["name"], row["measure"]) == ("recommended", "bps_pooled")
    ]
    found = row["minus_baseline"]["co_smoothing"]
    rivals = [r for r in table["rows"] if r["name"] == "quick-as-long"]
    (rival,) = [r for r in rivals if r["measure"] == "bps_pooled"]
    gain = row["values"]["co_smoothing"]["mean"] - rival["values"]["co_smoothing"]["mean"]
    assert found["over_sessions"]["mean"] == pytest.approx(gain, abs=1e-4)
    assert found["by_trials"][0] < found["by_trials"][1]


def test_a_run_that_was_begun_keeps_its_steps(presets, files):
    (cell,) = [c for c in presets.cells() if c.variant == "quick-as-long"]
    folder = RunFolder(presets.run_of(cell))
    config = presets.config_of(cell)
    again = for_as_long(config, read_session(files[0]), folder, seconds=1e6)
    assert again.optim.steps == folder.read_config().optim.steps


def test_a_row_that_takes_its_time_from_a_missing_one_is_refused():
    with pytest.raises(ConfigError, match="trained as long as recommended"):
        find_table("presets", ["quick-as-long"])


def test_rows_of_a_table_can_be_chosen():
    table = find_table("masks", ["mtm", "neuron"])
    assert [variant.name for variant in table.variants] == ["neuron", "mtm"]
    assert (table.baseline, table.headline) == ("", "mtm")
    with pytest.raises(UnknownNameError, match="neuron"):
        find_table("masks", ["neurons"])


def test_a_model_is_compared_with_the_best_classical_baseline_of_each_task(presets):
    table = json.loads((presets.out / "table.json").read_text())
    pooled = [row for row in table["rows"] if row["measure"] == "bps_pooled"]
    classical = {row["name"]: row for row in pooled if row["kind"] == "classical"}
    (row,) = [row for row in pooled if row["name"] == "recommended"]
    for task in TASKS:
        scores = {
            name: rival["values"][task]["mean"]
            for name, rival in classical.items()
            if task in rival["values"]
        }
        best = max(scores, key=lambda name: scores[name])
        assert row["classical"][task] == best
        found = row["minus_classical"][task]["over_sessions"]["mean"]
        assert found == pytest.approx(row["values"][task]["mean"] - scores[best], abs=1e-4)
    text = (presets.out / "table.md").read_text()
    assert "Minus the best classical baseline of each task:" in text
