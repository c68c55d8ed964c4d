from __future__ import annotations

import h5py
import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.raw import RawSession
from mtm_core.data.session import Session
from mtm_core.data.session_file import write_session
from mtm_core.data.sources import kind_of, open_source, prepare_source
from mtm_core.errors import DataError, UnknownNameError
from tests.core.data.byo_folder import write_byo_folder, write_long_byo_folder
from tests.core.data.small_nwb import EID, write_small_nwb
from tests.core.sessions import make_session


class FakeClient:
    """Stands for the client of a database; knows one session."""

    def __init__(self, raw):
        self.raw = raw

    def read(self, ref, *, progress=None, should_stop=None):
        progress(f"reading {ref}")
        return None if should_stop() else self.raw


@pytest.fixture
def alf(tmp_path):
    probe = tmp_path / "KS001" / "2024-01-01" / "001" / "alf" / "probe00"
    probe.mkdir(parents=True)
    np.save(probe / "spikes.times.npy", np.arange(3.0))
    return probe.parents[1]


def test_every_kind_of_source_is_recognised(tmp_path, alf):
    write_session(make_session(), tmp_path / "s.h5")
    sources = {
        alf: "alf",
        write_byo_folder(tmp_path / "mine"): "byo",
        write_small_nwb(tmp_path / "s.nwb"): "nwb",
        write_small_nwb(tmp_path / "nwb_of_another_suffix.h5"): "nwb",
        tmp_path / "s.h5": "session_file",
        EID: "eid",
        EID.upper(): "eid",
        "KS001/2024-01-01/001": "eid",
        "demo:steinmetz2019_s12": "bundled",
        "steinmetz2019_s12": "bundled",
    }
    assert {str(source): kind_of(source) for source in sources} == {
        str(source): kind for source, kind in sources.items()
    }


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: folder / "nowhere", ["no file or folder", "demo:NAME"]),
        (lambda folder: "steinmetz2019_s99", ["Did you mean demo:steinmetz2019_s"]),
        (lambda folder: folder / "empty", ["is no recording", "spikes.times.npy", "clusters.csv"]),
        (lambda folder: folder / "run", ["training run"]),
        (lambda folder: folder / "model.safetensors", ["is a checkpoint"]),
        (lambda folder: folder / "lone.npy", ["one file of a recording", "folder"]),
        (lambda folder: folder / "other.h5", ["neither a session file nor NWB"]),
        (lambda folder: folder / "notes.pdf", ["neither a session file nor NWB"]),
    ],
)
def test_what_is_no_source_says_what_would_be_one(tmp_path, make, said):
    folder = tmp_path / "x" / "y"
    (folder / "run").mkdir(parents=True)
    (folder / "empty").mkdir()
    (folder / "run" / "config.toml").write_text("")
    for name in ("model.safetensors", "notes.pdf"):
        (folder / name).write_bytes(b"x")
    np.save(folder / "lone.npy", np.arange(2))
    with h5py.File(folder / "other.h5", "w") as other:
        other["x"] = 1
    with pytest.raises(DataError) as caught:
        kind_of(make(folder))
    for words in said:
        assert words in str(caught.value)


def test_an_unknown_bundled_session_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match="There is no session"):
        kind_of("demo:steinmetz")


def test_folders_and_files_open_as_recordings(tmp_path):
    for source in (write_byo_folder(tmp_path / "mine"), write_small_nwb(tmp_path / "s.nwb")):
        assert isinstance(open_source(source), RawSession)


def test_what_lies_binned_opens_as_a_session(tmp_path):
    write_session(make_session(), tmp_path / "s.h5")
    assert isinstance(open_source(tmp_path / "s.h5"), Session)
    assert isinstance(open_source("demo:steinmetz2019_s12"), Session)


def test_an_eid_is_asked_of_the_client(tmp_path):
    raw = open_source(write_byo_folder(tmp_path / "mine"))
    told = []
    opened = open_source(EID, one=FakeClient(raw), progress=told.append, should_stop=lambda: False)
    assert opened is raw
    assert told == [f"reading {EID}"]


def test_a_stopped_download_is_no_error(tmp_path):
    client, config = FakeClient(None), load_preparation()
    assert prepare_source(EID, config, one=client, should_stop=lambda: True) is None


def test_a_source_is_prepared_and_says_how_far_it_is(tmp_path):
    told = []
    folder = write_long_byo_folder(tmp_path / "mine")
    session = prepare_source(folder, load_preparation(), progress=told.append)
    assert session.n_units == 12
    assert session.preparation.n_trials_kept == 30
    assert told == ["reading", "counting spikes"]


def test_a_binned_source_takes_the_rules_about_units_only(tmp_path):
    config = load_preparation("default", [("prepare.min_region_units", "80")])
    session = prepare_source("demo:steinmetz2019_s12", config)
    assert session.bin_size_s == 0.01
    assert 0 < session.n_units < 698
    changed = load_preparation("default", [("prepare.align", "feedback")])
    with pytest.raises(DataError, match="cannot be had"):
        prepare_source("demo:steinmetz2019_s12", changed, ("prepare.align",))


def test_no_good_unit_is_a_sentence(tmp_path):
    folder = write_long_byo_folder(tmp_path / "mine")
    rows = "".join(f"{i},CA1,0\n" for i in range(12))
    (folder / "clusters.csv").write_text(f"cluster_id,region,label\n{rows}")
    with pytest.raises(DataError, match="12 not good"):
        prepare_source(folder, load_preparation())


def test_no_trial_left_is_a_sentence(tmp_path):
    folder = write_long_byo_folder(tmp_path / "mine")
    text = (folder / "trials.csv").read_text().replace(",1,0.5,", ",0,0.5,")
    (folder / "trials.csv").write_text(text.replace(",-1,,0.5,", ",0,,0.5,"))
    with pytest.raises(DataError, match="30 no-go"):
        prepare_source(folder, load_preparation())
