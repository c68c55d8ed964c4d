from __future__ import annotations

import csv
import json

import pytest

from mtm_core.cli import region_matrix
from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import write_session
from mtm_core.evaluation.region_matrix import RegionMatrix
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

FEW = ["--min-units", "4", "--units", "5", "--draws", "2"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("matrix")
    session = make_session(n_trials=40, n_units=18)
    write_session(session, folder / "s.h5")
    write_checkpoint(folder / "m.safetensors", make_checkpoint(session, noise=0.05))
    return str(folder / "m.safetensors"), str(folder / "s.h5")


def test_matrices_numbers_table_and_figure(files, tmp_path, capsys):
    flags = {"--json": "m.json", "--csv": "m.csv", "--figure": "m.png"}
    paths = [tmp_path / name for name in flags.values()]
    outputs = [word for flag, name in flags.items() for word in (flag, str(tmp_path / name))]
    words = [*FEW, "--cache", str(tmp_path), *outputs]
    assert main(["region-matrix", *files, *words]) == 0
    said = capsys.readouterr().out
    assert "Caution   Predictive, not causal" in said
    assert "5 of every region, 2 draws" in said
    assert "Warning   6 of 6 cells: not trained for this: it is a mask of region-subset" in said
    assert "Poisson regression on the row's components" in said
    for path in paths:
        assert f"Wrote {path}" in said
    values = json.loads(paths[0].read_text())
    assert len(values["cells"]) == 6
    assert len(list(csv.reader(paths[1].read_text().splitlines()))) == 7
    assert paths[2].read_bytes().startswith(b"\x89PNG")
    score = values["cells"][0]["model"]["score"]["value"]
    assert f"{score: .3f}" in said


def test_a_stopped_command_goes_on(files, tmp_path, capsys, monkeypatch):
    words = ["region-matrix", *files, *FEW, "--cache", str(tmp_path), "--json", "-"]
    whole = RegionMatrix.fill

    def interrupted(matrix, should_stop=None):
        for number, done in enumerate(whole(matrix, should_stop)):
            if number == 3:
                raise KeyboardInterrupt
            yield done

    monkeypatch.setattr(RegionMatrix, "fill", interrupted)
    assert main(words) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    monkeypatch.setattr(RegionMatrix, "fill", whole)
    assert main(words) == 0
    first = capsys.readouterr()
    assert "4 of 18 steps were done before" in first.err
    assert main(words) == 0
    second = capsys.readouterr()
    assert "18 of 18 steps were done before" in second.err
    assert first.out == second.out
    assert main([*words, "--fresh"]) == 0
    third = capsys.readouterr()
    assert "were done before" not in third.err
    assert json.loads(third.out)["cells"] == json.loads(first.out)["cells"]


def test_without_the_regression_nothing_is_said_of_it(files, tmp_path, capsys):
    words = [*FEW, "--no-regression", "--level", "cosmos", "--null", "psth_all_trials"]
    assert main(["region-matrix", *files, *words, "--cache", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Poisson regression" not in said
    assert "against regression" not in said
    assert "Cosmos regions" in said
    assert "psth_all_trials: each unit's training PSTH over all trials" in said


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--draws", "0"], "--draws is 0"),
        (["--min-units", "40"], "A matrix needs two regions of at least 40 units"),
        (["--level", "berly"], "Did you mean 'beryl'"),
        (["--figure", "m.txt"], "written as .png, .svg or .pdf"),
        (["--csv", "nowhere/m.csv"], "there is no folder nowhere"),
        (["--truth", "."], "only simulated sessions have a known truth"),
    ],
)
def test_bad_input_is_a_sentence(files, words, said, capsys, tmp_path):
    assert main(["region-matrix", *files, *words, "--cache", str(tmp_path)]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) <= 3


def test_times_are_said_in_words():
    assert [region_matrix.duration(s) for s in (0.2, 99, 101)] == ["1 s", "99 s", "2 min"]
