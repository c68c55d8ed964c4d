from __future__ import annotations

import re
import shlex

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.alf import read_alf
from mtm_core.data.truth_file import read_truth

TINY = ["simulate", "--preset", "tiny", "--simulate.trials", "12"]


@pytest.fixture
def said(tmp_path, capsys):
    folder = tmp_path / "my sessions"
    assert main([*TINY, "--out", str(folder), "--seed", "7"]) == 0
    return folder, capsys.readouterr().out


def test_it_writes_a_session_that_can_be_read_and_its_truth(said):
    folder, text = said
    written = folder / "simulated/Subjects/tiny-7/2000-01-01/001"
    assert f"Wrote {written}" in text
    raw = read_alf(written)
    assert raw.origin.is_simulated
    assert raw.trials.n_rows == 12
    assert read_truth(written).seed == 7
    assert re.search(r"Simulated, not recorded: 12 trials, 2 probes, 63 clusters \(\d+ good", text)


def test_it_says_what_to_type_next(said):
    folder, text = said
    commands = [shlex.split(line) for line in text.splitlines() if line.startswith("  mtm-core")]
    assert [words[1] for words in commands] == ["prepare", "train", "evaluate"]
    written = str(folder / "simulated/Subjects/tiny-7/2000-01-01/001")
    assert commands[0][2] == written
    assert commands[2][-2:] == ["--truth", written]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--preset", "tni"], "Did you mean 'tiny'"),
        (["--simulate.trials", "many"], "--simulate.trials must be a whole number"),
        (["--sorter", "a/b"], "cannot name a sorter folder"),
        (["--simulate.trial", "3"], "Did you mean '--simulate.trials'"),
    ],
)
def test_a_wrong_word_is_one_sentence(tmp_path, capsys, words, what):
    assert main([*TINY, "--out", str(tmp_path), *words]) == 2
    said = capsys.readouterr().err
    assert what in said
    assert list(tmp_path.iterdir()) == []


def test_a_session_that_is_there_is_refused_before_the_work(said, capsys):
    folder, _ = said
    assert main([*TINY, "--out", str(folder), "--seed", "7"]) == 2
    error = capsys.readouterr().err
    assert "is there already" in error
    assert "Simulating" not in error
