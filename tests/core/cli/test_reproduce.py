from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from mtm_core.cli import reproduce
from mtm_core.cli.__main__ import main
from mtm_core.cli.reproduce import (
    DEVELOPMENT,
    UNTOUCHED,
    choose_sessions,
    make_plan,
    make_table_plan,
)
from mtm_core.data.session_file import write_session
from mtm_core.resources import list_sessions
from tests.core.sessions import make_session


def parse(*words: str) -> argparse.Namespace:
    return parse_table("bundled", "--out", "results", *words)


def parse_table(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    reproduce.add_arguments(parser)
    return parser.parse_args(words)


def test_by_default_all_sessions_three_seeds_two_splits():
    plan = make_plan(parse())
    assert [path.stem for path in plan.sessions] == list_sessions()
    assert (plan.seeds, plan.splits) == ((0, 1, 2), ("random", "blocked"))
    assert len(plan.cells()) == 14 * 2 * 4
    assert plan.config.name == "quick"


def test_development_and_untouched_sessions_are_all_and_share_none():
    assert not set(DEVELOPMENT) & set(UNTOUCHED)
    both = choose_sessions(["untouched", "development"])
    assert sorted(path.stem for path in both) == list_sessions()
    assert len(choose_sessions(["untouched"])) == 8


def test_sessions_by_the_beginning_of_their_names():
    (path,) = choose_sessions(["steinmetz2019_s17"])
    assert path.stem.startswith("steinmetz2019_s17_")


def test_settings_can_be_typed_and_threads_are_shared_out(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    plan = make_plan(parse("--optim.steps", "7", "--workers", "4"))
    assert plan.config.optim.steps == 7
    assert plan.config.run.threads == 2
    assert make_plan(parse("--run.threads", "3")).config.run.threads == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--workers", "0"], "--workers"),
        (["--sessions", "steinmetz2019_s99"], "steinmetz2019_s99"),
        (["--preset", "quik"], "quick"),
        (["--splits", "blokked"], "blocked"),
    ],
)
def test_bad_input_is_a_sentence(words, said, tmp_path, capsys):
    out = tmp_path / "results"
    assert main(["reproduce", "bundled", "--out", str(out), *words]) == 2
    assert said in capsys.readouterr().err
    assert not out.exists()


def test_the_command_prints_its_table(tmp_path, capsys):
    write_session(make_session(n_trials=30, n_units=15), tmp_path / "small.h5")
    words = ["--sessions", str(tmp_path / "small.h5"), "--seeds", "0", "--splits", "random"]
    small = ["--model.width", "16", "--model.heads", "2", "--optim.steps", "1"]
    device = ["--run.device", "cpu", "--run.threads", "1"]
    command = ["reproduce", "bundled", "--out", str(tmp_path / "out"), *words, *small, *device]
    assert main(command) == 0
    said = capsys.readouterr()
    assert "| random | co_smoothing |" in said.out
    assert "2/2" in said.err


def test_a_quick_table_is_two_sessions_and_one_seed():
    plan = make_table_plan(parse_table("masks"))
    assert (plan.budget, plan.out.as_posix()) == ("quick", "reproduced/masks-quick")
    assert (len(plan.sessions), plan.seeds, plan.splits) == (2, (0,), ("random",))
    assert len(plan.cells()) == 2 * (1 + 7)
    assert all(config.optim.steps == 400 for config in plan.configs().values())


def test_a_standard_table_is_made_on_an_untouched_session_of_each_mouse():
    words = ["--budget", "standard", "--workers", "2", "--reuse", "masks"]
    plan = make_table_plan(parse_table("lfads", *words))
    assert set(plan.sessions) < set(choose_sessions(["untouched"]))
    assert len({path.stem.split("_")[2] for path in plan.sessions}) == len(plan.sessions) == 4
    assert (plan.seeds, plan.splits, plan.reuse) == ((0, 1), ("random",), (Path("masks"),))
    presets = make_table_plan(parse_table("presets", "--budget", "standard"))
    assert presets.sessions == choose_sessions(["untouched"])
    few = make_table_plan(parse_table("scaling", "--seeds", "4", "--pool", "untouched"))
    assert (few.seeds, len(few.pool), len(few.sessions)) == ((4,), 8, 3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["masks", "--preset", "quick"], "leave out --preset"),
        (["masks", "--workers", "0"], "--workers"),
        (["masks", "--optim.steps", "none", "--model.controller", "true"], "controller"),
        (["mask"], "masks-ndt2"),
        (["bundled"], "needs --out"),
        (["bundled", "--budget", "quick", "--out", "x"], "--budget"),
        (["bundled", "--out", "x", "--reuse", "y"], "leave out --reuse"),
    ],
)
def test_bad_input_for_a_table_is_a_sentence(words, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["reproduce", *words]) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_table_is_printed_and_a_failed_cell_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_session(make_session(n_trials=30, n_units=15), tmp_path / "small.h5")
    sessions = ["--sessions", "small.h5", "nowhere.h5"]
    small = ["--model.width", "16", "--model.heads", "2", "--optim.steps", "1"]
    device = ["--run.device", "cpu", "--run.threads", "1"]
    assert main(["reproduce", "decoding-prompt", *sessions, *small, *device]) == 2
    (tmp_path / "nowhere.h5").write_text("no session")
    assert main(["reproduce", "decoding-prompt", *sessions, *small, *device]) == 1
    said = capsys.readouterr()
    assert "| neuron | not recorded |" in said.out
    assert "nowhere.random.mtm.seed0" in said.out
    assert "reproduced/decoding-prompt-quick" in said.err
