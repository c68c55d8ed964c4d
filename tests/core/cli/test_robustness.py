from __future__ import annotations

import json

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import write_session
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

FEW = ["--dropped", "0.5", "--added", "0.5", "--thinned", "--draws", "2", "--units", "5"]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("robustness")
    session = make_session(n_trials=40, n_units=18)
    write_session(session, folder / "s.h5")
    write_checkpoint(folder / "m.safetensors", make_checkpoint(session, noise=0.05))
    return str(folder / "m.safetensors"), str(folder / "s.h5")


def test_tables_numbers_and_figure(files, tmp_path, capsys):
    out, picture = tmp_path / "r.json", tmp_path / "r.png"
    words = [*FEW, "--json", str(out), "--figure", str(picture)]
    assert main(["robustness", *files, *words]) == 0
    said = " ".join(capsys.readouterr().out.split())
    assert "co_smoothing: a random sample of 5 of 18 units" in said
    assert "inter_region: 18 units" in said
    assert "PSTH alone" in said
    assert "Thinned" not in said
    assert f"Wrote {out} Wrote {picture}" in said
    assert list(json.loads(out.read_text())["damages"]) == ["dropped", "added"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_json_alone_can_be_piped(files, capsys):
    words = ["--tasks", "inter_region", *FEW, "--json", "-"]
    assert main(["robustness", *files, *words]) == 0
    assert set(json.loads(capsys.readouterr().out)["tasks"]) == {"inter_region"}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dropped", "--added", "--thinned"], "Nothing is left to try"),
        (["--draws", "0"], "--draws is 0"),
        (["--dropped", "1"], "--dropped must be above 0"),
        (["--figure", "curves.txt"], "written as .png, .svg or .pdf"),
        (["--tasks", "co_smothing"], "co_smoothing"),
    ],
)
def test_bad_input_is_a_sentence_before_any_work(files, words, said, capsys):
    assert main(["robustness", *files, *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) <= 3
