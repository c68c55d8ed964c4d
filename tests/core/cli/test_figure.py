from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from mtm_core.cli.__main__ import main
from mtm_core.cli.figure import ORDERS, TASKS, sibling
from mtm_core.config import DataConfig, MaskingConfig, TrainConfig
from mtm_core.data.session_file import write_session
from mtm_core.errors import ExperimentError
from mtm_core.evaluation import row_order
from mtm_core.experiment.files import read_experiment
from mtm_core.masking import tasks
from mtm_core.models.checkpoint import Checkpoint
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_bins=10, n_units=24)
TEMPORAL = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=("temporal",)))


def save(checkpoint: Checkpoint, path: Path) -> None:
    path.parent.mkdir(exist_ok=True)
    write_checkpoint(path, checkpoint)


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figure")
    write_session(SESSION, path / "s.h5")
    save(make_checkpoint(SESSION), path / "alone.safetensors")
    save(make_checkpoint(SESSION), path / "m.safetensors")
    save(make_checkpoint(SESSION, TEMPORAL), path / "m-temporal.safetensors")
    seen = TrainConfig(model=SMALL_MODEL, masking=TEMPORAL.masking, data=DataConfig(split_seed=9))
    save(make_checkpoint(SESSION), path / "x.safetensors")
    save(make_checkpoint(SESSION, seen), path / "x-temporal.safetensors")
    return path


@pytest.fixture
def folder(shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for file in shelf.iterdir():
        shutil.copy(file, tmp_path / file.name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _draw(*words: str, checkpoint: str = "m.safetensors", region: str = "DG") -> int:
    return main(["figure", "raster", checkpoint, "s.h5", "--region", region, *words])


def test_it_writes_the_figure_and_says_the_scores(folder, capsys):
    assert _draw("--out", "f.png") == 0
    said = capsys.readouterr().out
    assert "MtM: " in said
    assert "Temporal baseline: " in said
    assert said.rstrip().endswith("Wrote f.png")
    assert (folder / "f.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("task", ["inter_region", "forward_prediction"])
def test_the_figure_carries_an_experiment_that_replays_to_its_numbers(folder, capsys, task):
    assert _draw("--out", "f.png", "--task", task) == 0
    said = capsys.readouterr().out
    score = read_experiment(folder / "f.png").numbers.predictors[0]
    assert f"MtM: {score.bps_beyond_psth:.3f} bits/spike" in said
    assert score.n_units == 8
    words = ["replay", "f.png", "--out", "replayed", "--figure", "none", "--tolerance", "0"]
    assert main(words) == 0
    assert "All 28 saved numbers came out again, exactly." in capsys.readouterr().out


def test_a_figure_of_several_masks_carries_none(folder):
    words = ["figure", "raster", "m.safetensors", "s.h5", "--region", "DG", "CA1"]
    assert main([*words, "--out", "f.png"]) == 0
    with pytest.raises(ExperimentError, match="carries no experiment"):
        read_experiment(folder / "f.png")


def test_the_temporal_model_beside_the_checkpoint_is_taken(folder):
    _draw("--out", "f.svg")
    assert "m-temporal.safetensors" in (folder / "f.svg").read_text()


def test_without_one_the_null_takes_its_place_by_name(folder, capsys):
    assert _draw("--out", "f.svg", checkpoint="alone.safetensors") == 0
    assert "PSTH null" in (folder / "f.svg").read_text()
    assert "Temporal baseline" not in capsys.readouterr().out


def test_one_that_does_not_fit_is_left_out_with_a_word(folder, capsys):
    assert _draw("--out", "f.svg", checkpoint="x.safetensors") == 0
    assert "x-temporal.safetensors is not used" in capsys.readouterr().err
    assert "PSTH null" in (folder / "f.svg").read_text()


def test_one_that_was_named_and_does_not_fit_is_an_error(folder, capsys):
    assert _draw("--baseline", "x-temporal.safetensors", "--out", "f.svg") == 2
    assert "trained on" in capsys.readouterr().err
    assert not (folder / "f.svg").exists()


def test_several_regions_stand_in_one_figure(folder):
    words = ["figure", "raster", "m.safetensors", "s.h5", "--region", "DG", "CA1"]
    assert main([*words, "--task", "co_smoothing", "--out", "f.svg", "--smooth-ms", "0"]) == 0
    text = (folder / "f.svg").read_text()
    assert "CA1 and DG" in text
    assert "not smoothed" in text


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--out", "f.gif"], "'.gif', but a figure is written as .png, .svg or .pdf"),
        (["--out", "none/f.png"], "There is no folder none"),
        (["--out", "f.png", "--task", "inter_regio"], "Did you mean 'inter_region'"),
        (["--out", "f.png", "--order", "peek"], "Did you mean 'peak'"),
        (["--out", "f.png", "--smooth-ms", "-1"], "--smooth-ms must lie between 0 and 1000"),
        (["--out", "f.png", "--smooth-ms", "nan"], "--smooth-ms must lie between 0 and 1000"),
        (["--out", "f.png", "--baseline", "no.safetensors"], "no.safetensors"),
        (["--out", "s.h5/f.png"], "s.h5"),
        ([], "--out"),
    ],
)
def test_bad_input_is_answered_in_a_sentence_and_writes_nothing(folder, capsys, words, sentence):
    before = sorted(folder.iterdir())
    assert _draw(*words) == 2
    error = capsys.readouterr().err.strip().splitlines()
    assert len(error) <= 3
    assert sentence in " ".join(error)
    assert sorted(folder.iterdir()) == before


def test_an_unknown_region_names_the_nearest(folder, capsys):
    assert _draw("--out", "f.png", region="CA2") == 2
    assert "Did you mean 'CA1'" in capsys.readouterr().err


def test_another_kind_of_figure_names_the_one_there_is(folder, capsys):
    words = ["figure", "rastr", "m.safetensors", "s.h5", "--region", "DG", "--out", "f.png"]
    assert main(words) == 2
    assert "Did you mean 'raster'" in capsys.readouterr().err


def test_orders_and_tasks_of_the_command_are_those_of_the_library():
    assert ORDERS == row_order.ORDERS
    assert sorted(TASKS) == sorted(tasks.TASKS)


def test_the_temporal_run_beside_a_run_is_found(tmp_path):
    for run in ("run", "run-temporal"):
        (tmp_path / run).mkdir()
        (tmp_path / run / "model.safetensors").write_bytes(b"")
    found = sibling(tmp_path / "run" / "model.safetensors")
    assert found == tmp_path / "run-temporal" / "model.safetensors"
    assert sibling(found) is None


def test_a_session_that_lacks_units_is_refused(folder, capsys):
    write_session(SESSION.take_units(np.arange(20)), folder / "s.h5")
    assert _draw("--out", "f.png") == 2
    assert "are not in the session" in capsys.readouterr().err
