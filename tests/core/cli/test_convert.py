from __future__ import annotations

import numpy as np
import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import read_session
from tests.core.data.steinmetz_file import write_steinmetz_file


@pytest.fixture
def source(tmp_path):
    return write_steinmetz_file(tmp_path / "raw.h5")


def test_a_recording_becomes_a_session_file(source, tmp_path, capsys):
    out = tmp_path / "s.h5"
    assert main(["convert", "steinmetz2019", str(source), "--out", str(out)]) == 0
    session = read_session(out)
    said = capsys.readouterr()
    assert session.session_id in said.out
    assert "6 trials x 4 bins x 5 units, 5 regions" in said.out
    assert said.err == ""


def test_the_compression_can_be_chosen(source, tmp_path):
    out = tmp_path / "s.h5"
    words = ["convert", "steinmetz2019", str(source), "--out", str(out), "--compression"]
    assert main([*words, "9"]) == 0
    best = out.read_bytes()
    assert main([*words, "1"]) == 0
    assert out.read_bytes() != best
    assert read_session(out).n_trials == 6


def test_labels_that_look_shuffled_are_warned_of(tmp_path, capsys):
    rng = np.random.default_rng(0)
    common = np.repeat(rng.gamma(1.0, 1.0, (40, 4, 4)), 80, axis=1).reshape(40, 320, 4)
    n = 40
    source = write_steinmetz_file(
        tmp_path / "raw.h5",
        changed={
            "spike_counts": rng.poisson(common).clip(0, 255).astype(np.uint8),
            "brain_area": rng.permutation(np.repeat(["CA1", "DG", "VISp", "MOs"], 80)).tolist(),
            "contrast_left": np.zeros(n, np.float32),
            "contrast_right": np.zeros(n, np.float32),
            "feedback_type": np.ones(n, np.int8),
            "stim_onset_time": np.arange(n, dtype=float),
            "source_part": np.zeros(n, np.uint8),
        },
    )
    out = tmp_path / "s.h5"
    assert main(["convert", "steinmetz2019", str(source), "--out", str(out)]) == 0
    assert "Warning: Area labels look shuffled" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["steinmets2019", "raw.h5", "--out", "s.h5"], "Did you mean 'steinmetz2019'?"),
        (["steinmetz2019", "raw.h5"], "--out"),
        (["steinmetz2019", "absent.h5", "--out", "s.h5"], "There is no file"),
        (["steinmetz2019", "raw.h5", "--out", "raw.h5"], "is the recording itself"),
        (["steinmetz2019", "raw.h5", "--out", "raw.h5/s.h5"], "Could not write"),
        (["steinmetz2019", "raw.h5", "--out", "nowhere/s.h5"], "Make it first"),
        (["steinmetz2019", "raw.h5", "--out", "s.h5", "--compression", "12"], "--compression"),
    ],
)
def test_what_cannot_be_converted_is_one_sentence(source, monkeypatch, capsys, words, sentence):
    monkeypatch.chdir(source.parent)
    before = source.read_bytes()
    assert main(["convert", *words]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
    assert len(said.err.splitlines()) <= 3
    assert source.read_bytes() == before
    assert [path.name for path in source.parent.iterdir()] == ["raw.h5"]
