"""A replay comes to the same numbers, and tells when anything was changed."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.experiment.files import read_experiment, write_experiment
from mtm_core.masking import tasks
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.experiment.experiments import make_small_experiment, write_parts
from tests.core.sessions import make_session

NAME = "versuch mäuse 实验.mtm.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("ordner ü 实验")
    write_parts(path)
    write_experiment(make_small_experiment(path), path / NAME)
    return path


def replay(folder: Path, *words: str, name: str = NAME) -> int:
    return main(["replay", str(folder / name), "--out", str(folder / "out"), *words])


def edited(folder: Path, name: str, change) -> str:
    value = json.loads((folder / NAME).read_text())
    change(value)
    (folder / name).write_text(json.dumps(value))
    return name


def test_every_number_comes_out_exactly(folder, capsys):
    assert replay(folder, "--figure", "none", "--tolerance", "0") == 0
    said = capsys.readouterr()
    # Five predictions but the control, seven numbers each; the unit has four.
    assert "All 32 saved numbers came out again, exactly." in said.out
    numbers = json.loads((folder / "out" / "numbers.json").read_text())
    assert numbers["is_reproduced"] is True
    assert numbers["tolerance"] == 0
    assert all(pair["saved"] == pair["replayed"] for pair in numbers["compared"])


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_the_figure_replays_as_well_as_the_file(folder, capsys, kind):
    assert replay(folder, "--figure", kind) == 0
    picture = folder / "out" / f"raster.{kind}"
    assert read_experiment(picture).numbers == read_experiment(folder / NAME).numbers
    capsys.readouterr()
    words = ["replay", str(picture), "--out", str(folder / "again"), "--figure", "none"]
    assert main(words) == 0
    assert "All 32 saved numbers" in capsys.readouterr().out
    caption = (folder / "out" / "raster.caption.txt").read_text(encoding="utf-8")
    assert "simulated" in caption
    assert "bootstrap over trials" in caption


def test_a_number_that_was_changed_is_told(folder, capsys):
    def change(value):
        value["numbers"]["predictors"][0]["bps_pooled"] += 1e-9

    name = edited(folder, "changed.json", change)
    assert replay(folder, "--figure", "none", "--tolerance", "0", name=name) == 1
    said = capsys.readouterr().out
    assert "1 of 32 saved numbers did not come out again exactly:" in said
    assert "bps_pooled" in said
    assert json.loads((folder / "out" / "numbers.json").read_text())["is_reproduced"] is False
    assert replay(folder, "--figure", "none", name=name) == 0
    assert "came out again, within 1e-06." in capsys.readouterr().out


def test_another_machine_is_told_and_allowed_a_little(folder, capsys):
    def change(value):
        value["backend"]["processor"] = "abacus"
        value["numbers"]["predictors"][0]["bps_pooled"] += 1e-6

    assert replay(folder, "--figure", "none", name=edited(folder, "other.json", change)) == 0
    said = capsys.readouterr()
    assert "in place of abacus" in said.err
    assert "within 0.0001" in said.out


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v["session"].update(content_hash="0" * 64), "small.h5 has changed: its hash"),
        (lambda v: v["model"].update(digest="0" * 64), "mtm.safetensors has changed: its hash"),
        (lambda v: v["baseline"].update(path="nowhere.safetensors"), "name it (--baseline CKPT)"),
        (lambda v: v["session"].update(path="/gone/away.h5"), "Nothing is found at /gone/away.h5"),
        (lambda v: v["trials"]["rows"].append(5000), "shows trial 5000"),
        (lambda v: v.update(mask=None), "there is nothing to compute"),
        (lambda v: v.update(version=2), "version 2, and this program knows version 1"),
    ],
    ids=["session", "model", "baseline", "gone", "rows", "no mask", "version"],
)
def test_what_does_not_fit_is_told_in_a_sentence(folder, capsys, change, told):
    assert replay(folder, name=edited(folder, "bad.json", change)) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.strip().splitlines()) <= 3


def test_files_that_moved_are_found_beside_it_or_named(folder, tmp_path, capsys):
    def change(value):
        for name in ("session", "model", "baseline"):
            value[name]["path"] = "C:\\Users\\me\\" + Path(value[name]["path"]).name

    edited(folder, "moved.json", change)
    assert replay(folder, "--figure", "none", name="moved.json") == 0
    alone = tmp_path / "moved.json"
    alone.write_bytes((folder / "moved.json").read_bytes())
    words = ["replay", str(alone), "--out", str(tmp_path), "--figure", "none"]
    named = {
        "--session": "small.h5",
        "--model": "mtm.safetensors",
        "--baseline": "temporal.safetensors",
    }
    assert main(words) == 2
    words += [word for flag, name in named.items() for word in (flag, str(folder / name))]
    assert main(words) == 0
    capsys.readouterr()
    other = tmp_path / "other.safetensors"
    write_checkpoint(other, make_checkpoint(make_session(n_trials=120), seed=1))
    assert main([*words, "--model", str(other)]) == 2
    assert "other.safetensors has changed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "mask", [tasks.intra_region("DG"), tasks.forward_prediction(10)], ids=["in turn", "bins"]
)
def test_other_masks_replay_with_a_figure(tmp_path, mask, capsys):
    write_parts(tmp_path, n_trials=60)
    experiment = make_small_experiment(tmp_path, mask, with_baseline=False)
    write_experiment(replace(experiment, title="Another mask"), tmp_path / NAME)
    assert replay(tmp_path) == 0
    assert (tmp_path / "out" / "raster.png").stat().st_size > 10_000


def test_without_saved_numbers_there_is_nothing_to_compare(folder, capsys):
    def change(value):
        value["numbers"] = {"predictors": []}

    assert replay(folder, "--figure", "none", name=edited(folder, "bare.json", change)) == 0
    assert "holds no numbers to compare with" in capsys.readouterr().out


def test_a_tolerance_must_be_a_number(folder, capsys):
    assert replay(folder, "--tolerance", "-1") == 2
    assert "is no tolerance" in capsys.readouterr().err
