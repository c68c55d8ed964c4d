"""`mtm-core compare` says which tells more, writes it all down, and replay comes to the same."""

from __future__ import annotations

import csv
import json

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import write_session
from mtm_core.experiment.files import read_experiment
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.experiment.experiments import TEMPORAL
from tests.core.sessions import make_session

MASK = ("--hide", 'region == "CA1"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("compare")
    session = make_session(n_trials=120)
    write_session(session, path / "s.h5")
    write_checkpoint(path / "m.safetensors", make_checkpoint(session))
    write_checkpoint(path / "n.safetensors", make_checkpoint(session, seed=4))
    write_checkpoint(path / "temporal.safetensors", make_checkpoint(session, TEMPORAL))
    other = make_session(n_trials=120, n_units=30, seed=2, session_id=session.session_id)
    write_checkpoint(path / "other.safetensors", make_checkpoint(other))
    return path


def compare(folder, *words):
    return main(["compare", str(folder / "m.safetensors"), str(folder / "s.h5"), *words])


@pytest.mark.parametrize(
    ("rival", "name"),
    [
        ("n.safetensors", "MtM (n)"),
        ("temporal.safetensors", "Temporal baseline (temporal)"),
        ("no-prompt", "MtM (m) without prompt"),
        ("prompt:causal", "MtM (m) told causal"),
        ("poisson_regression", "Poisson regression"),
        ("psth_condition", "PSTH by condition"),
    ],
)
def test_each_opponent_is_compared_and_replayed(folder, capsys, tmp_path, rival, name):
    what = str(folder / rival) if rival.endswith("tensors") else rival
    out = tmp_path / "it.mtm.json"
    assert compare(folder, *MASK, "--with", what, "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "CA1" in said
    assert name in said
    assert "no independent samples" in said
    assert read_experiment(out).numbers.change.other == name
    words = ["replay", str(out), "--out", str(tmp_path), "--figure", "none", "--tolerance", "0"]
    assert main(words) == 0
    said = capsys.readouterr().out
    # Three predictions of seven numbers, and eleven of the comparison.
    assert "All 32 saved numbers came out again, exactly." in said
    assert f"{name}: " in said or f"{name} are not shown to differ: " in said


def test_the_table_of_units_holds_what_the_sentence_says(folder, capsys, tmp_path):
    files = {flag: tmp_path / name for flag, name in (("csv", "u.csv"), ("json", "u.json"))}
    words = [word for flag, path in files.items() for word in (f"--{flag}", str(path))]
    assert compare(folder, *MASK, "--with", "psth", *words) == 0
    with files["csv"].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    values = json.loads(files["json"].read_text())
    change = values["numbers"]["change"]
    assert len(rows) == len(values["units"]) == change["n_units"] == 8
    spikes = [int(row["n_spikes"]) for row in rows]
    assert sum(spikes) == change["n_spikes"]
    pooled = sum(n * float(row["change"]) for n, row in zip(spikes, rows, strict=True))
    assert pooled / sum(spikes) == pytest.approx(change["change"])
    assert values["units"][0]["interval_low"] == float(rows[0]["interval_low"])
    assert values["opponent"] == {"kind": "psth", "prompt": "", "model": None}
    assert f"Wrote {files['csv']}" in capsys.readouterr().out


def test_json_can_go_to_stdout_alone(folder, capsys):
    assert compare(folder, *MASK, "--with", "mean_rate", "--json", "-") == 0
    assert json.loads(capsys.readouterr().out)["title"].startswith("Units where region")


def test_a_contrast_needs_no_opponent_and_replays(folder, capsys, tmp_path):
    out = tmp_path / "it.mtm.json"
    assert compare(folder, *MASK, "--contrast", "contrast_side", "--out", str(out)) == 0
    said = capsys.readouterr().out
    assert "left > right" in said
    assert read_experiment(out).numbers.contrast.field == "contrast_side"
    words = ["replay", str(out), "--out", str(tmp_path), "--figure", "none", "--tolerance", "0"]
    assert main(words) == 0


def test_too_few_trials_of_a_condition_are_said(capsys, tmp_path):
    session = make_session(n_trials=40)  # four of them are for validation
    write_session(session, tmp_path / "s.h5")
    write_checkpoint(tmp_path / "m.safetensors", make_checkpoint(session))
    assert compare(tmp_path, *MASK, "--contrast", "contrast_side", "--split", "val") == 0
    said = capsys.readouterr()
    assert "Too few trials of one of the two conditions" in said.out
    assert "tuned on such trials" in said.err


def test_the_figure_shows_the_opponent_and_carries_the_experiment(folder, tmp_path):
    path = tmp_path / "it.svg"
    assert compare(folder, *MASK, "--with", "no-prompt", "--figure", str(path)) == 0
    assert "MtM (m) without prompt" in path.read_text(encoding="utf-8")
    assert read_experiment(path).opponent.opponent.prompt == "none"


def test_a_model_that_moved_is_named(folder, tmp_path, capsys):
    out = tmp_path / "it.mtm.json"
    assert compare(folder, *MASK, "--with", str(folder / "n.safetensors"), "--out", str(out)) == 0
    value = json.loads(out.read_text())
    value["opponent"]["model"]["path"] = "gone.safetensors"
    out.write_text(json.dumps(value))
    words = ["replay", str(out), "--out", str(tmp_path), "--figure", "none"]
    assert main(words) == 2
    assert "name it (--with CKPT)" in capsys.readouterr().err
    assert main([*words, "--with", str(folder / "n.safetensors")]) == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "Compare with what?"),
        (("--contrast", "block"), "It has: choice, contrast_side, feedback."),
        (("--with", "regresion"), "regresion"),
        (("--with", "prompt:whisper"), "prompt"),
        (("--with", "other.safetensors"), "do not know the same units"),
        (("--contrast", "choice", "--csv", "u.csv"), "needs --with"),
    ],
)
def test_what_cannot_be_compared_is_told_in_a_sentence(folder, capsys, monkeypatch, words, told):
    monkeypatch.chdir(folder)
    assert compare(folder, *MASK, *words) == 2
    assert told in capsys.readouterr().err
