from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.config_io import load_preparation
from mtm_core.data.preparation import prepare
from mtm_core.data.session_file import write_session
from mtm_core.data.truth_file import write_truth
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.data.simulations import simulated
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("evaluate")
    session = make_session(n_trials=40, n_units=18)
    checkpoint = make_checkpoint(session, noise=0.05)
    write_session(session, folder / "s.h5")
    model = folder / "m.safetensors"
    write_checkpoint(model, checkpoint)
    return str(model), str(folder / "s.h5")


def test_the_tables_say_what_the_numbers_are(files, capsys):
    assert main(["evaluate", *files, "--baselines"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for word in (
        "train_mean: each unit's mean rate in training trials",
        "silent units included",
        "8 test trials (random split, seed 0)",
        "Horizon 10 ms",
        "model - best baseline",
        "inter_region by region:",
    ):
        assert word in said
    for name in ("co_smoothing", "forward_prediction", "poisson_regression", "past_regression"):
        assert name in said


def test_json_goes_to_a_file_beside_the_table(files, tmp_path, capsys):
    out = tmp_path / "scores.json"
    words = ["--tasks", "inter_region", "forward_prediction", "--json", str(out), "--no-shuffle"]
    assert main(["evaluate", *files, *words]) == 0
    values = json.loads(out.read_text())
    assert list(values["tasks"]) == ["inter_region", "forward_prediction"]
    assert values["checkpoint"] == files[0]
    assert f"Wrote {out}" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["scores.json"]


def test_json_alone_can_be_piped(files, capsys):
    assert main(["evaluate", *files, "--tasks", "co_smoothing", "--json", "-"]) == 0
    said = capsys.readouterr()
    assert set(json.loads(said.out)["tasks"]) == {"co_smoothing"}
    assert "100%" in said.err


def test_the_wrong_prompt_can_be_tried_and_the_table_says_so(files, capsys):
    words = ["--tasks", "forward_prediction", "--no-shuffle", "--prompt"]
    assert main(["evaluate", *files, *words, "neuron"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "Prompt neuron in every task; what a bin may attend to follows the task" in said
    assert main(["evaluate", *files, *words, "neurn"]) == 2
    assert "Did you mean 'neuron'" in capsys.readouterr().err


def test_another_null_and_split_can_be_asked_for(files, capsys):
    words = ["--split", "val", "--null", "test_mean", "--tasks", "forward_prediction"]
    assert main(["evaluate", *files, *words, "--json", "-", "--no-shuffle"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["split"] == "val"
    assert values["tasks"]["forward_prediction"]["null"] == "test_mean"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tasks", "co_smothing"], "co_smoothing"),
        (["--split", "tset"], "Did you mean 'test'"),
        (["--json", "no/such/folder/out.json"], "there is no folder"),
        (["--json", "."], "it is a folder"),
        (["--device", "abacus"], "abacus"),
    ],
)
def test_bad_input_is_a_sentence_before_any_work(files, words, said, capsys, monkeypatch):
    monkeypatch.chdir(Path(files[0]).parent)
    assert main(["evaluate", *files, *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) <= 3
    assert "Model" not in error


def write_files(folder: Path, **how) -> list[str]:
    session = make_session(n_trials=40, **how)
    checkpoint = make_checkpoint(session)
    write_session(session, folder / "s.h5")
    model = folder / "m.safetensors"
    write_checkpoint(model, checkpoint)
    return [str(model), str(folder / "s.h5")]


def test_regions_left_out_are_named(tmp_path, capsys):
    files = write_files(tmp_path, n_units=12, regions=("CA1", "CA1", "DG", "void"))
    assert main(["evaluate", *files, "--tasks", "inter_region", "--no-shuffle"]) == 0
    said = capsys.readouterr().out
    assert "inter_region: DG (3 units, fewer than 5), void (not a named region)" in said
    assert "Horizon" not in said


def test_a_silent_test_has_no_scores(tmp_path, capsys):
    files = write_files(tmp_path, n_units=8, mean_count=1e-9)
    words = ["--tasks", "co_smoothing", "--baselines"]
    assert main(["evaluate", *files, *words]) == 0
    row = next(r for r in capsys.readouterr().out.splitlines() if r.startswith("co_smoothing"))
    assert row.split()[1:3] == ["-", "-"]


def test_a_session_without_regions_says_what_is_left_out(tmp_path, capsys):
    files = write_files(tmp_path, n_units=8, regions=())
    assert main(["evaluate", *files, "--no-shuffle"]) == 0
    said = capsys.readouterr().out
    assert "Left out  intra_region: no region of at least 5 units" in said
    assert "by region" not in said


def test_the_true_rates_of_a_simulation_stand_beside_the_scores(tmp_path, capsys):
    made = simulated()
    session = prepare(made.raw, load_preparation())
    checkpoint = make_checkpoint(session, noise=0.05)
    write_session(session, tmp_path / "s.h5")
    write_checkpoint(tmp_path / "m.safetensors", checkpoint)
    write_truth(made.truth, tmp_path / "_mtm_truth.h5")
    files = [str(tmp_path / "m.safetensors"), str(tmp_path / "s.h5")]
    words = ["--tasks", "co_smoothing", "--no-shuffle", "--truth", str(tmp_path)]
    assert main(["evaluate", *files, *words]) == 0
    said = capsys.readouterr().out
    assert "true_rate_ceiling" in said
    assert re.search(r"model / true_rate_ceiling +-?\d+ %", said)
    assert "informed_observer" not in said
    assert main(["evaluate", *files, *words, "--observer"]) == 0
    said = capsys.readouterr().out
    assert re.search(r"model / informed_observer +-?\d+ %", said)
    assert "infers from the visible spikes" in said
    assert main(["evaluate", *files, "--observer"]) == 2
    assert "give its folder as --truth" in capsys.readouterr().err
    assert main(["evaluate", *files, "--truth", str(tmp_path / "nowhere")]) == 2
    assert "only simulated sessions" in capsys.readouterr().err
