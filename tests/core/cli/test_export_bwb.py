from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from mtm_core.cli import export_bwb
from mtm_core.cli.__main__ import main
from mtm_core.cli.parser import Parser
from mtm_core.data.session_file import write_session
from mtm_core.evaluation.decoding_features import FEATURES
from mtm_core.export import bwb_scores
from mtm_core.export.bwb_tasks import TASKS
from tests.core.checkpoints import write_checkpoint
from tests.core.evaluation.behaving import with_trials
from tests.core.export.bwb_exports import CHECKPOINT, SESSION, need_evaluator

DOCS = Path(__file__).parents[3] / "docs" / "export_bwb.md"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> list[str]:
    folder = tmp_path_factory.mktemp("export")
    write_session(with_trials(SESSION, choice=None), folder / "s.h5")
    write_checkpoint(folder / "m.safetensors", CHECKPOINT)
    return [str(folder / "m.safetensors"), str(folder / "s.h5")]


def said(capsys) -> str:
    return " ".join(capsys.readouterr().out.split())


def test_the_text_says_whose_split_the_numbers_are_of(files, tmp_path, capsys):
    assert main(["export-bwb", *files, "--out", str(tmp_path / "bwb")]) == 0
    text = said(capsys)
    for words in (
        "BWB format, own split: these are not scores of BrainWideBench",
        "Scores (BWB format, own split)",
        "behaving (SIMULATED), 24 test trials (random split, seed 0)",
        "quick-own-split, step 0, seed 0",
        "rate_hz > 1 and good",
        "Left out ts1-choice: This session has no choice",
        "until end; decoder: logistic",
        "Wrote 5 tasks to",
        "ibl_bwb_eval.scoring.aggregation --pred_dir",
    ):
        assert words in text
    assert re.search(r"ts2-co_smoothing 24 20 2 Poisson D2 -?\d\.\d{3} ts2-co_smoothing", text)
    assert re.search(r"ts1-wheel_speed 24 20 - R2 -?\d\.\d{3}", text)


def test_chosen_tasks_label_and_units(files, tmp_path, capsys):
    words = ["--out", str(tmp_path / "bwb"), "--tasks", "co_smoothing", "--label", "mine"]
    assert main(["export-bwb", *files, *words, "--units", 'region == "DG"', "--json", "-"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["label"] == "mine-own-split"
    assert values["units"] == 'region == "DG"'
    assert [entry["task"] for entry in values["tasks"]] == ["ts2-co_smoothing"]


def test_json_goes_to_a_file_beside_the_table(files, tmp_path, capsys):
    out = tmp_path / "scores.json"
    words = ["--tasks", "reward", "--features", "counts", "--json", str(out)]
    assert main(["export-bwb", *files, "--out", str(tmp_path / "bwb"), *words]) == 0
    (entry,) = json.loads(out.read_text())["tasks"]
    assert entry["choices"]["decoded_from"].startswith("counts, ")
    assert Path(entry["predictions"]).exists()
    assert f"Wrote {out}" in capsys.readouterr().out


def test_the_benchmarks_package_stands_beside_ours(files, tmp_path, capsys):
    need_evaluator()
    words = ["--out", str(tmp_path / "bwb"), "--tasks", "co_smoothing", "reward", "--score"]
    assert main(["export-bwb", *files, *words]) == 0
    text = said(capsys)
    assert "score mtm-core ibl-bwb-eval" in text
    assert "average precision - " in text


def test_a_package_that_is_not_there_is_asked_for_before_anything_is_done(
    files, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr(bwb_scores, "evaluator_version", lambda: None)
    assert main(["export-bwb", *files, "--out", str(tmp_path / "bwb"), "--score"]) == 2
    assert "pip install --no-deps ibl-bwb-eval" in capsys.readouterr().err
    assert not (tmp_path / "bwb").exists()


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--tasks", "forecast"], "Did you mean 'forecasting'"),
        (["--label", "a/b"], "--label is 'a/b'"),
        (["--units", "rate_hz >"], "This is not a rule"),
        (["--tasks", "choice"], "has no choice"),
    ],
)
def test_bad_input_is_told_in_a_sentence(files, tmp_path, capsys, words, why):
    assert main(["export-bwb", *files, "--out", str(tmp_path / "bwb"), *words]) == 2
    assert why in capsys.readouterr().err


def test_the_words_of_the_flags_are_those_of_the_package():
    assert tuple(task.name for task in TASKS) == export_bwb.TASKS
    assert FEATURES == export_bwb.FEATURES


def test_every_command_of_the_page_is_understood():
    lines = re.findall(r"^(?: {4})?(mtm-core .*)$", DOCS.read_text(), flags=re.MULTILINE)
    assert len(lines) >= 3
    for line in lines:
        name, *words = shlex.split(line, comments=True)[1:]
        if name == "export-bwb":
            parser = Parser("mtm-core export-bwb")
            export_bwb.add_arguments(parser)
            parser.parse_args(words)
