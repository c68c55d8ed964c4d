from __future__ import annotations

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import read_session
from tests.core.data.one_world import FIRST, PLACES, SECOND, WITHOUT_SPIKES
from tests.core.data.stub_alyx import PASSWORD, USER

LOOSE = ("--preset", "paper")


@pytest.fixture
def words(alyx, home, tmp_path, monkeypatch):
    """Return the words by which a command reaches the server of the test."""
    monkeypatch.setenv("MTM_ALYX_USERNAME", USER)
    monkeypatch.setenv("MTM_ALYX_PASSWORD", PASSWORD)
    return ("--url", alyx.url, "--cache", str(tmp_path / "cache"), *LOOSE)


def test_an_eid_is_downloaded_and_prepared(alyx, words, tmp_path, capsys):
    out = tmp_path / "s.h5"
    eid = alyx.eid(FIRST)
    assert main(["prepare", eid, "--out", str(out), *words]) == 0
    said = capsys.readouterr()
    session = read_session(out)
    assert session.provenance.eid == eid
    assert session.session_id == eid
    assert "downloading" in said.err
    assert PASSWORD not in said.err + said.out


def test_what_was_downloaded_once_serves_without_the_server(alyx, words, tmp_path, capsys):
    place = PLACES[FIRST].replace("/Subjects", "")
    assert main(["prepare", place, "--out", str(tmp_path / "a.h5"), *words]) == 0
    again = ["prepare", place, "--out", str(tmp_path / "b.h5"), *words, "--offline"]
    assert main(again) == 0
    a, b = (read_session(tmp_path / name) for name in ("a.h5", "b.h5"))
    assert (a.counts == b.counts).all()


def test_several_sessions_are_downloaded_side_by_side(alyx, words, tmp_path, capsys):
    (tmp_path / "out").mkdir()
    unknown = "00000000-0000-4000-8000-000000000000"
    eids = [alyx.eid(FIRST), alyx.eid(SECOND), alyx.eid(WITHOUT_SPIKES.split("/")[2]), unknown]
    code = main(["prepare", *eids, "--out", str(tmp_path / "out"), "--jobs", "2", *words])
    said = capsys.readouterr()
    assert code == 2
    assert "2 prepared, 2 failed." in said.out
    assert unknown in said.err
    assert sorted(path.stem for path in (tmp_path / "out").iterdir()) == sorted(eids[:2])


def test_a_wrong_password_stops_before_anything_is_done(
    alyx, words, tmp_path, capsys, monkeypatch
):
    monkeypatch.setenv("MTM_ALYX_PASSWORD", "wrong")
    assert main(["prepare", alyx.eid(FIRST), "--out", str(tmp_path / "s.h5"), *words]) == 2
    said = capsys.readouterr().err
    assert "password" in said
    assert len(said.splitlines()) <= 3
    assert not (tmp_path / "s.h5").exists()


def test_a_server_that_drops_every_file_is_one_sentence(alyx, words, tmp_path, capsys):
    alyx.faults.drop_after_bytes = 500
    assert main(["prepare", alyx.eid(FIRST), "--out", str(tmp_path / "s.h5"), *words]) == 2
    assert not (tmp_path / "s.h5").exists()
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("mtm-core: ")
