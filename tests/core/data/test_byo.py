from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.byo import is_byo_folder, read_byo
from mtm_core.data.preparation import prepare
from mtm_core.errors import DataError
from tests.core.data.byo_folder import write_byo_folder, write_long_byo_folder

DOCS = Path(__file__).parents[3] / "docs" / "bring_your_own.md"


@pytest.fixture
def raw(tmp_path):
    return read_byo(write_byo_folder(tmp_path / "mine"))


def test_spikes_belong_to_rows_of_the_cluster_table(raw):
    (probe,) = raw.spikes
    assert probe.probe == "probe00"
    assert probe.times_s.tolist() == [0.5, 1.25, 1.5, 4.5, 7.25, 9.0]
    assert probe.clusters.tolist() == [0, 1, 0, 0, 1, 0]


def test_units_carry_region_quality_and_depth(raw):
    units = raw.units
    assert units.values("cluster_id").tolist() == [7, 3, 12]
    assert units.values("region").tolist() == ["CA1", "VISp5", ""]
    assert units.values("region_beryl").tolist()[:2] == ["CA1", "VISp"]
    assert units.column("region").is_valid.tolist() == [True, True, False]
    assert units.values("is_good").tolist() == [True, False, True]
    assert units.column("depth_um").is_valid.tolist() == [True, False, True]
    assert units.values("unit_id")[0] == f"{raw.origin.session_id}/probe00/7"


def test_trials_are_read_by_number_and_by_word(raw):
    trials = raw.trials
    assert trials.values("choice").tolist() == [1, 0, -1]
    assert trials.values("feedback").tolist() == [1, -1, 1]
    assert trials.column("first_movement_s").is_valid.tolist() == [True, False, True]
    assert trials.values("contrast_right").tolist() == [0, 0.25, 0]
    assert trials.values("stim_side").tolist() == [1, -1, -1]
    assert trials.column("stim_side").is_valid.all()  # also at contrast 0
    assert any("trials.csv: not read: odd" in note for note in raw.origin.notes)


def test_without_a_session_file_the_content_names_it(raw, tmp_path):
    assert re.fullmatch(r"mine_[0-9a-f]{8}", raw.origin.session_id)
    assert "Not stated" in raw.origin.licence
    again = read_byo(write_byo_folder(tmp_path / "elsewhere" / "mine"))
    assert again.origin.session_id == raw.origin.session_id
    other = write_byo_folder(tmp_path / "other" / "mine")
    np.save(other / "spikes.times.npy", np.arange(6.0) + 0.5)
    assert read_byo(other).origin.session_id != raw.origin.session_id


def test_the_session_file_says_where_it_came_from_and_names_columns(tmp_path):
    toml = """
lab = "mylab"
subject = "M1"
date = 2024-01-31
number = 2
licence = "CC0"
simulated = true
[trials]
stim_on_s = "tone"
"""
    folder = write_byo_folder(
        tmp_path / "mine", session_toml=toml, trials_csv="tone,choice\n1,left\n2,\n"
    )
    raw = read_byo(folder)
    origin = raw.origin
    assert origin.session_id == "mylab/M1/2024-01-31/002"
    assert (origin.licence, origin.is_simulated, origin.date) == ("CC0", True, "2024-01-31")
    assert raw.trials.values("stim_on_s").tolist() == [1, 2]
    assert raw.trials.column("choice").is_valid.tolist() == [True, False]


def test_samples_become_seconds_where_the_rate_is_given(tmp_path):
    folder = write_byo_folder(tmp_path / "mine", session_toml="sample_rate_hz = 1000\n")
    np.save(folder / "spikes.times.npy", np.array([[500, 1250, 1500, 4500, 7250, 9000]]).T)
    assert read_byo(folder).spikes[0].times_s.tolist() == [0.5, 1.25, 1.5, 4.5, 7.25, 9.0]


def test_a_table_of_spikes_may_stand_for_the_arrays(tmp_path):
    folder = write_byo_folder(tmp_path / "mine")
    for name in ("times", "clusters"):
        (folder / f"spikes.{name}.npy").unlink()
    (folder / "spikes.csv").write_text("time_s,cluster_id\n2.5,7\n0.5,3\n,7\n")
    raw = read_byo(folder)
    assert raw.spikes[0].times_s.tolist() == [0.5, 2.5]
    assert raw.spikes[0].clusters.tolist() == [1, 0]
    assert any("1 of 3 spikes left out" in note for note in raw.origin.notes)
    assert any("put in order" in note for note in raw.origin.notes)


def test_probes_are_told_by_a_column(tmp_path):
    clusters = "cluster_id,region,probe\n7,CA1,b\n3,DG,a\n12,CA1,b\n"
    raw = read_byo(write_byo_folder(tmp_path / "mine", clusters_csv=clusters))
    assert [probe.probe for probe in raw.spikes] == ["a", "b"]
    assert raw.spikes[0].times_s.tolist() == [1.25, 7.25]
    assert raw.spikes[1].first_unit == 1
    assert raw.units.values("cluster_id").tolist() == [3, 7, 12]


def test_probes_are_told_by_a_folder_each(tmp_path):
    folder = tmp_path / "mine"
    write_byo_folder(folder / "left")
    write_byo_folder(folder / "right", clusters_csv="cluster_id,region,is_good\n7,a,yes\n3,b,no\n")
    (folder / "trials.csv").write_text("go_cue_s\n1\n2\n")
    raw = read_byo(folder)
    assert [probe.probe for probe in raw.spikes] == ["left", "right"]
    assert [probe.first_unit for probe in raw.spikes] == [0, 3]
    assert raw.units.n_rows == 5
    assert raw.units.column("label").is_valid.tolist() == [True] * 3 + [False] * 2
    assert raw.units.values("is_good").tolist() == [True, False, True, True, False]
    assert len(set(raw.units.values("unit_id").tolist())) == 5


@pytest.mark.parametrize("suffix", ["npy", "csv"])
def test_signals_and_licks_are_read(tmp_path, suffix):
    folder = write_byo_folder(tmp_path / "mine")
    times, values = np.arange(5.0), np.arange(5.0) ** 2
    if suffix == "npy":
        np.save(folder / "wheel_position.npy", np.c_[times, values])
        np.save(folder / "licks.npy", np.array([2.0, 1.0]))
    else:
        rows = "".join(f"{t},{v}\n" for t, v in zip(times, values, strict=True))
        (folder / "wheel_position.csv").write_text(f"time_s,value\n{rows}")
        (folder / "licks.csv").write_text("time_s\n2\n1\n")
    np.save(folder / "unknown.npy", times)
    raw = read_byo(folder)
    assert raw.signals["wheel_position"].values.tolist() == values.tolist()
    assert raw.events["licks"].tolist() == [1.0, 2.0]
    assert any("unknown.npy" in note for note in raw.origin.notes)


def test_words_of_quality_are_understood(tmp_path):
    clusters = "cluster_id,region,label,uuid\n7,CA1,good,x\n3,DG,MUA,y\n12,DG,,z\n"
    raw = read_byo(write_byo_folder(tmp_path / "mine", clusters_csv=clusters))
    good = raw.units.column("is_good")
    assert good.values.tolist() == [True, False, False]
    assert good.is_valid.tolist() == [True, True, False]
    assert raw.units.values("unit_id").tolist() == ["x", "y", "z"]


def test_a_recording_can_be_prepared_by_the_default_rules(tmp_path):
    session = prepare(read_byo(write_long_byo_folder(tmp_path / "mine")), load_preparation())
    assert session.counts.shape == (30, 100, 12)
    assert session.region_names() == ("CA1", "VISp")


def test_the_example_of_the_documentation_runs_and_can_be_prepared(tmp_path, monkeypatch):
    (code,) = re.findall(r"^```python\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(DOCS), "exec"), {"__name__": "example"})
    raw = read_byo(tmp_path)
    session = prepare(raw, load_preparation("paper"))
    assert session.counts.shape == (100, 100, 6)
    assert "wheel_speed" in session.behaviors
    assert not any("not read" in note for note in raw.origin.notes)


def test_the_session_file_of_the_documentation_is_understood(tmp_path):
    (toml,) = re.findall(r"^```toml\n(.*?)^```", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    folder = write_byo_folder(
        tmp_path / "mine", session_toml=toml, trials_csv="tone_onset,lever\n1,left\n"
    )
    np.save(folder / "spikes.times.npy", np.arange(6) * 30_000)
    raw = read_byo(folder)
    assert raw.origin.session_id == "my lab/M042/2024-01-31/001"
    assert raw.spikes[0].times_s.tolist() == [0, 1, 2, 3, 4, 5]


def _remove(name):
    return lambda folder: (folder / name).unlink()


def _array(name, values):
    return lambda folder: np.save(folder / name, values)


def _text(name, text):
    return lambda folder: (folder / name).write_text(text)


def _pickled(folder):
    np.save(folder / "spikes.times.npy", np.array([object()]), allow_pickle=True)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_remove("trials.csv"), ["has no trials.csv", "stim_on_s"]),
        (_remove("clusters.csv"), ["clusters.csv", "not there"]),
        (_remove("spikes.clusters.npy"), ["spikes.clusters.npy", "not there"]),
        (_array("spikes.clusters.npy", np.arange(3)), ["6 spikes", "has 3"]),
        (_array("spikes.clusters.npy", np.full(6, 8)), ["6 spikes", "clusters.csv", "(8)"]),
        (
            _array("spikes.times.npy", np.arange(6) * 1e7),
            ["spikes.times.npy", "look like samples"],
        ),
        (_array("spikes.times.npy", np.ones((6, 2))), ["shape (6, 2)"]),
        (_array("spikes.times.npy", np.array(["a"] * 6)), ["spikes.times.npy", "one number"]),
        (_pickled, ["pickled"]),
        (_text("clusters.csv", "cluster_id,area\n7,CA1\n"), ["no column region", "area"]),
        (_text("clusters.csv", "cluster_id,region\n"), ["has no rows"]),
        (_text("clusters.csv", "cluster_id,region\n7,a\n7,b\n"), ["names 7 twice"]),
        (_text("clusters.csv", "cluster_id,region\n7,a\nx,b\n"), ["cluster_id, row 3", "'x'"]),
        (_text("clusters.csv", "cluster_id,region\n7,a\n1.5,b\n"), ["row 3", "whole number"]),
        (_text("clusters.csv", "cluster_id,region,label\n7,a,2\n3,b,1\n"), ["label, row 2"]),
        (_text("trials.csv", "tone\n1\n"), ["none of the events", "tone", "session.toml"]),
        (_text("trials.csv", "stim_on_s\n1\nlate\n"), ["stim_on_s, row 3", "'late'"]),
        (_text("trials.csv", "stim_on_s,choice\n1,up\n"), ["choice, row 2", "'up'", "left"]),
        (_text("trials.csv", "stim_on_s,contrast_left\n1,25\n"), ["contrast_left", "0 and 1"]),
        (_text("trials.csv", "stim_on_s\n1e12\n"), ["stim_on_s", "look like samples"]),
        (_text("session.toml", "lab = 3\n"), ["session.toml", "lab is 3"]),
        (_text("session.toml", "labs = 'x'\n"), ["session.toml", "Did you mean 'lab'?"]),
        (_text("session.toml", "[trials]\nstim_on = 'x'\n"), ["Did you mean 'stim_on_s'?"]),
        (_text("session.toml", "[trials]\nstim_on_s = 'x'\n"), ["no column x", "stim_on_s"]),
        (_text("session.toml", "date = 'today'\n"), ["date is 'today'", "2024-01-31"]),
        (_text("session.toml", "lab = \n"), ["not a TOML file"]),
        (_text("session.toml", "sample_rate_hz = -1\n"), ["sample_rate_hz"]),
        (_array("wheel_position.npy", np.ones(5)), ["wheel_position.npy", "(samples, 2)"]),
        (_array("licks.npy", np.array([1e12])), ["licks.npy", "look like samples"]),
    ],
)
def test_what_cannot_be_trusted_is_refused_by_file_and_column(tmp_path, spoil, said):
    folder = write_byo_folder(tmp_path / "mine")
    spoil(folder)
    with pytest.raises(DataError) as caught:
        read_byo(folder)
    for words in said:
        assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_layout_is_told_from_alf(tmp_path):
    assert is_byo_folder(write_byo_folder(tmp_path / "mine"))
    assert not is_byo_folder(tmp_path)
    assert not is_byo_folder(tmp_path / "nowhere")
    (tmp_path / "session" / "alf" / "probe00").mkdir(parents=True)
    np.save(tmp_path / "session" / "alf" / "probe00" / "spikes.times.npy", np.arange(3.0))
    assert not is_byo_folder(tmp_path / "session")
    assert not is_byo_folder(tmp_path / "session" / "alf" / "probe00")
    with pytest.raises(DataError, match="There is no folder"):
        read_byo(tmp_path / "nowhere")
