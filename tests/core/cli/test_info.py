from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mtm_core.cli import info
from mtm_core.cli.__main__ import main
from mtm_core.data.regions import region_columns
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.table import Table
from mtm_core.resources import session_path
from tests.core.data.byo_folder import write_byo_folder
from tests.core.data.small_nwb import write_small_nwb
from tests.core.sessions import make_session

NAME = "steinmetz2019_s17_Lederberg_2017-12-10"


def _json(capsys, path) -> dict:
    assert main(["info", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_json_gives_sizes_and_regions_at_the_top(capsys):
    said = _json(capsys, session_path(NAME))
    assert (said["n_trials"], said["n_bins"], said["n_units"]) == (224, 40, 565)
    assert said["kind"] == "session"
    assert said["n_spikes"] == 147_545
    assert said["bin_size_s"] == 0.01
    assert sum(said["regions"].values()) == 565
    assert set(said["regions"]) == {"LD", "MEA", "RT", "VPL", "VPM", "root", "void"}
    assert said["rate_hz"] == pytest.approx(2.915, abs=0.001)
    assert sum(said["conditions"].values()) == 224
    assert said["trial_fields"]["choice"] < said["trial_fields"]["feedback"] == 224
    assert said["label_check"]["verdict"] == "fits"
    assert said["provenance"]["subject"] == "Lederberg"
    assert said["warnings"] == []
    table = {row["region"]: row for row in said["region_table"]}
    assert table["VPM"]["cosmos"] == "TH"
    assert table["VPM"]["n_units"] == said["regions"]["VPM"]


def test_a_person_reads_regions_rates_conditions_terms_and_the_check(capsys):
    choice = read_session(session_path(NAME)).trials.column("choice")
    assert main(["info", NAME[:17]]) == 0
    said = capsys.readouterr()
    for text in (
        "224, aligned to visual stimulus onset",
        "40 of 10 ms, 0 to 400 ms",
        "Ventral posteromedial nucleus of the thalamus",
        "left > right, rewarded",
        f"choice ({choice.is_valid.sum()})",
        "none in this session",
        "Area labels fit the noise correlations",
        "not checked against the figshare page",
    ):
        assert " ".join(text.split()) in " ".join(said.out.split())
    assert said.err == ""


def test_shifted_labels_are_warned_of(tmp_path, capsys):
    session = read_session(session_path(NAME))
    moved = region_columns(np.roll(session.region, 1).tolist())
    wrong = replace(session, units=Table({**session.units.columns, **moved}))
    write_session(wrong, tmp_path / "wrong.h5")
    assert main(["info", str(tmp_path / "wrong.h5"), "--json"]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("Warning: Area labels look shifted by 1 row")
    assert json.loads(said.out)["warnings"][0] in said.err


def test_a_session_with_little_in_it_is_described(tmp_path, capsys):
    bare = make_session(regions=())
    own = {name: bare.trials.column(name) for name in ("trial_id", "align_s")}
    write_session(replace(bare, trials=Table(own)), tmp_path / "bare.h5")
    said = _json(capsys, tmp_path / "bare.h5")
    assert said["regions"] == {}
    assert said["conditions"] == {}
    assert said["label_check"]["verdict"] == "undecided"
    assert main(["info", str(tmp_path / "bare.h5")]) == 0
    text = capsys.readouterr().out
    assert "says nothing about where its units are" in text
    assert "(SIMULATED, no recording)" in text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("absent.h5", "There is no file or folder absent.h5"),
        ("steinmetz2019_s03", "Did you mean the bundled session steinmetz2019_s"),
        ("note.txt", "neither a session, a checkpoint nor a run"),
        ("cut.h5", "cut.h5 is truncated"),
        ("foreign.safetensors", "foreign.safetensors"),
        (".", "is a folder without a run"),
    ],
)
def test_what_is_not_ours_is_one_sentence(tmp_path, monkeypatch, capsys, name, sentence):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "note.txt").write_text("no")
    (tmp_path / "foreign.safetensors").write_bytes(b"\0" * 40)
    (tmp_path / "cut.h5").write_bytes(session_path(NAME).read_bytes()[:5000])
    assert main(["info", name]) == 2
    said = capsys.readouterr()
    assert sentence in said.err
    assert said.out == ""
    assert len(said.err.splitlines()) <= 3


def test_a_bundled_checkpoint_is_found_by_its_name() -> None:
    assert info.find("demo").name == "demo.safetensors"


@pytest.mark.parametrize("kind", ["byo", "nwb"])
def test_a_recording_that_was_not_prepared_is_described(tmp_path, capsys, kind):
    if kind == "byo":
        path = write_byo_folder(tmp_path / "mine", session_toml="simulated = true\n")
    else:
        path = write_small_nwb(tmp_path / "s.nwb")
    assert main(["info", str(path)]) == 0
    text = capsys.readouterr().out
    assert "probe00: " in text
    assert "SIMULATED" in text if kind == "byo" else "recorded, testlab, SYN_001" in text
    assert f"mtm-core prepare {path} --out S.h5" in text
    assert main(["info", str(path), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["kind"] == "recording"
    assert facts["n_units"] == (3 if kind == "byo" else 4)
    assert facts["n_good"] == 2
    assert facts["regions"]["CA1"] == 1
