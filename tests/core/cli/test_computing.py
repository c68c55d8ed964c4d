from __future__ import annotations

import argparse
import json

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.cli.computing import add_compute_arguments, chosen_backend
from mtm_core.data.session_file import write_session
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session


def parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_compute_arguments(parser)
    return parser.parse_args(words)


def test_every_choice_can_be_forced():
    words = ["--device", "cpu", "--threads", "2", "--matmul", "default", "--attention", "fused"]
    found = chosen_backend(parse(*words, "--precision", "bf16"))
    said = found.describe()
    assert said.startswith("cpu, 2 threads, fused attention, bf16 layers (")


def test_by_default_precision_is_fp32():
    assert chosen_backend(parse("--device", "cpu")).precision == "fp32"


@pytest.mark.parametrize("word", ["0", "-1", "many", "1.5"])
def test_threads_are_a_whole_number(word, capsys):
    with pytest.raises(SystemExit):
        parse("--threads", word)
    assert "is no number of threads: give 1 or more" in capsys.readouterr().err


def test_a_report_says_how_it_was_computed(tmp_path, capsys):
    session = make_session(n_trials=40, n_units=18)
    write_session(session, tmp_path / "s.h5")
    write_checkpoint(tmp_path / "m.safetensors", make_checkpoint(session, noise=0.05))
    files = [str(tmp_path / "m.safetensors"), str(tmp_path / "s.h5")]
    words = ["--tasks", "inter_region", "--no-shuffle", "--threads", "1", "--matmul", "default"]
    assert main(["evaluate", *files, *words, "--json", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["backend"].startswith("cpu, 1 thread, ")
    assert main(["evaluate", *files, *words, "--precision", "bf16"]) == 0
    said = capsys.readouterr().out
    assert "Computed  on cpu, 1 thread, " in said
    assert "bf16 layers" in said
