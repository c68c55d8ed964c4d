"""The table of units: what a rule chooses, how fast each fires, what a model makes of it."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.units import unit_rate_hz
from mtm_core.evaluation.report import evaluate
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.resources import checkpoint_path, session_path
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("units") / "s.h5"
    write_session(make_session(n_trials=30), path)
    return path


def units_json(capsys, *words) -> dict:
    assert main(["units", *map(str, words), "--json", "-"]) == 0
    return json.loads(capsys.readouterr().out)


def test_every_unit_is_listed_with_its_rate_and_spikes(path, capsys):
    session, found = read_session(path), units_json(capsys, path)
    assert [unit["unit_id"] for unit in found["units"]] == session.unit_id.tolist()
    rates = unit_rate_hz(session, np.arange(session.n_trials))
    assert [unit["rate_hz"] for unit in found["units"]] == pytest.approx(rates.tolist())
    assert sum(unit["n_spikes"] for unit in found["units"]) == session.counts.sum(dtype=int)
    assert found["units"][3]["depth_um"] == session.units.values("depth_um")[3]
    assert found["rates_over"] == "all 30 trials"
    assert found["is_simulated"]
    assert "bps" not in found["units"][0]


def test_a_rule_chooses_and_is_said_in_words(path, capsys):
    session = read_session(path)
    found = units_json(capsys, path, "--rule", 'region == "DG" and depth_um < 2000')
    chosen = (session.region == "DG") & (session.units.values("depth_um") < 2000)
    wanted = session.unit_id[chosen].tolist()
    assert 0 < len(wanted) < 24
    assert [unit["unit_id"] for unit in found["units"]] == wanted
    assert main(["units", str(path), "--rule", 'region == "DG"']) == 0
    text = capsys.readouterr().out
    assert "8 of 24 units of simulated-0 (simulated), region is DG" in text
    assert text.count("simulated-0/") == 8


def test_a_rule_that_chooses_nothing_says_so(path, capsys):
    assert main(["units", str(path), "--rule", "rate_hz > 1e6"]) == 0
    assert capsys.readouterr().out.startswith("0 of 24 units")


def test_a_file_holds_every_field(path, capsys, tmp_path):
    assert main(["units", str(path), "--csv", str(tmp_path / "units.csv")]) == 0
    assert "Wrote" in capsys.readouterr().out
    with (tmp_path / "units.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    session = read_session(path)
    assert set(rows[0]) == set(session.units.columns) | {"rate_hz", "n_spikes"}
    assert [row["region"] for row in rows] == session.region.tolist()
    out = tmp_path / "units.json"
    assert main(["units", str(path), "--rule", "rate_hz > 1e6", "--json", str(out)]) == 0
    assert json.loads(out.read_text())["units"] == []
    empty = tmp_path / "none.csv"
    assert main(["units", str(path), "--rule", "rate_hz > 1e6", "--csv", str(empty)]) == 0
    assert empty.read_text() == "unit_id,region,rate_hz,n_spikes\n"


def test_with_a_checkpoint_scores_are_those_of_an_evaluation(capsys):
    name = "steinmetz2019_s12"
    rule = 'region == "MOs"'
    found = units_json(capsys, name, "--checkpoint", "demo", "--rule", rule, "--split", "val")
    session = read_session(session_path(name))
    report = evaluate(
        load_checkpoint(checkpoint_path("demo"), "cpu", session.session_id),
        session,
        ["co_smoothing"],
        "val",
        shuffle=False,
    )
    units = report.tasks["co_smoothing"].units
    place = {unit_id: at for at, unit_id in enumerate(units.unit_id.tolist())}
    assert len(found["units"]) == (session.region == "MOs").sum()
    for unit in found["units"]:
        at = place[unit["unit_id"]]
        assert unit["n_scored_spikes"] == units.n_spikes[at]
        if units.bps.is_valid[at]:
            assert unit["bps"] == pytest.approx(units.bps.values[at], abs=1e-5)
        else:
            assert unit["bps"] is None
    assert found["rates_over"] == "238 training trials"
    words = ["units", name, "--checkpoint", "demo", "--rule", rule, "--split", "val"]
    assert main(words) == 0
    assert "in val trials; '-' where spikes are too few" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--rule", "rate >"], "rule"),
        (["--rule", "nonsense > 3"], "Units have no field 'nonsense'"),
        (["--csv", "no/such/folder/units.csv"], "there is no folder"),
        (["--checkpoint", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_is_a_sentence(path, capsys, words, sentence):
    assert main(["units", str(path), *words]) == 2
    assert sentence in capsys.readouterr().err
