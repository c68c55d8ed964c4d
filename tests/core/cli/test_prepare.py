from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from mtm_core.cli import prepare
from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import read_session, write_session
from tests.core.data.byo_folder import write_long_byo_folder
from tests.core.data.nwb_file import write_nwb
from tests.core.data.simulations import simulated
from tests.core.data.small_nwb import EID, write_small_nwb
from tests.core.sessions import make_session


@pytest.fixture
def folder(tmp_path):
    return write_long_byo_folder(tmp_path / "mine")


def start(*words: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "mtm_core", "prepare", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )


def test_a_recording_becomes_a_session_and_the_report_is_told(folder, tmp_path, capsys):
    out = tmp_path / "s.h5"
    assert main(["prepare", str(folder), "--out", str(out)]) == 0
    said = capsys.readouterr()
    session = read_session(out)
    assert f"Wrote {out}: session {session.session_id}" in said.out
    assert "30 trials x 100 bins x 12 units, 2 regions" in said.out
    assert "30 of 30 trials kept." in said.out
    assert "12 of 12 units kept." in said.out
    assert [line.rpartition(": ")[2] for line in said.err.splitlines()] == [
        "reading",
        "counting spikes",
        "writing",
    ]


def test_the_same_again_is_kept_and_said(folder, tmp_path, capsys):
    words = ["prepare", str(folder), "--out", str(tmp_path / "s.h5")]
    assert main(words) == 0
    assert main(words) == 0
    assert "Kept (same source, same settings)" in capsys.readouterr().out
    assert main([*words, "--prepare.align", "feedback"]) == 2
    assert "align stim_on, not feedback" in capsys.readouterr().err
    assert main([*words, "--prepare.align", "feedback", "--overwrite"]) == 0
    assert read_session(tmp_path / "s.h5").provenance.align_event == "feedback"


def test_presets_and_flags_are_followed(folder, tmp_path):
    out = tmp_path / "s.h5"
    words = ["prepare", str(folder), "--out", str(out), "--preset", "paper"]
    assert main([*words, "--prepare.bin_size_s", "0.1", "--prepare.regions", "CA1"]) == 0
    session = read_session(out)
    assert session.counts.shape == (30, 20, 6)
    assert session.preparation.settings["preset"] == "paper"


def test_a_bundled_recording_takes_the_rules_about_units(tmp_path, capsys):
    out = tmp_path / "s.h5"
    words = ["prepare", "demo:steinmetz2019_s12", "--out", str(out)]
    assert main([*words, "--prepare.bin_size_s", "0.02"]) == 0
    assert read_session(out).n_bins == 20
    assert main([*words, "--prepare.align", "feedback", "--overwrite"]) == 2
    assert "already counted in bins" in capsys.readouterr().err


@pytest.mark.parametrize("generation", ["new", "old"])
def test_an_nwb_file_is_prepared_and_known_as_simulated(tmp_path, capsys, generation):
    path = write_nwb(simulated(), tmp_path / "session.nwb", generation)
    out = tmp_path / "s.h5"
    assert main(["prepare", str(path), "--out", str(out), "--preset", "paper"]) == 0
    assert "simulated session" in capsys.readouterr().out
    session = read_session(out)
    assert session.provenance.subject == simulated().raw.origin.subject
    assert {"wheel_speed", "whisker_motion_energy", "licks"} <= set(session.behaviors)


def test_many_sources_end_in_a_table_and_one_that_fails_does_not_stop_them(
    folder, tmp_path, capsys
):
    (tmp_path / "out").mkdir()
    bad = write_small_nwb(tmp_path / "bad.nwb")
    bad.write_bytes(bad.read_bytes()[:3000])
    words = ["prepare", str(bad), str(folder), "demo:steinmetz2019_s12", "--jobs", "2"]
    assert main([*words, "--out", str(tmp_path / "out")]) == 2
    said = capsys.readouterr()
    assert said.out.splitlines()[0].split()[:3] == ["source", "result", "units"]
    assert "2 prepared, 1 failed." in said.out
    assert "bad.nwb is truncated" in said.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == [
        "mine.h5",
        "steinmetz2019_s12.h5",
    ]


def test_the_outcome_can_be_had_as_json(folder, tmp_path, capsys):
    words = ["prepare", str(folder), "--out", str(tmp_path / "s.h5"), "--json"]
    assert main(words) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["n_failed"] == 0
    assert said["outcomes"][0]["status"] == "prepared"
    assert said["outcomes"][0]["n_trials"] == 30


def test_a_list_of_sources_is_read_from_a_text_file(folder, tmp_path, capsys):
    names = tmp_path / "names.txt"
    names.write_text(f"# mine\n{folder}   # the first\n\n{folder}\n")
    assert main(["prepare", "--from", str(names), "--out", str(tmp_path / "s.h5")]) == 0
    assert "Wrote" in capsys.readouterr().out


def test_a_pick_list_names_its_eids(tmp_path, capsys):
    (tmp_path / "out").mkdir()
    (tmp_path / "cache").mkdir()
    words = ["prepare", "--from", "paper-heldout", "--out", str(tmp_path / "out"), "--offline"]
    assert main([*words, "--cache", str(tmp_path / "cache"), "--jobs", "5"]) == 2
    said = capsys.readouterr()
    assert "5 failed." in said.out
    assert "5dcee0eb-b34d-4652-acc3-d10afc6eae68" in said.out


def test_a_folder_of_many_sessions_stands_for_all_of_them(tmp_path):
    for number in ("001", "002"):
        probe = tmp_path / "KS001" / "2024-01-01" / number / "alf" / "probe00"
        probe.mkdir(parents=True)
        np.save(probe / "spikes.times.npy", np.arange(3.0))
    found = prepare._sessions_in(str(tmp_path))
    assert [Path(each).name for each in found] == ["001", "002"]
    single = str(tmp_path / "KS001" / "2024-01-01" / "001")
    assert prepare._sessions_in(single) == [single]


def test_losing_many_trials_is_warned_of(folder, tmp_path, capsys):
    text = (folder / "trials.csv").read_text()
    header, *rows = text.splitlines()
    rows[:10] = [row.replace(".3,", ".0,") for row in rows[:10]]
    (folder / "trials.csv").write_text("\n".join([header, *rows]))
    assert main(["prepare", str(folder), "--out", str(tmp_path / "s.h5")]) == 0
    said = capsys.readouterr()
    assert "20 of 30 trials kept: 10 fast." in said.out
    assert "Warning:" in said.err
    assert "33% of the trials were left out" in said.err


def test_a_simulated_recording_says_so(folder, tmp_path, capsys):
    (folder / "session.toml").write_text("simulated = true\n")
    out = tmp_path / "s.h5"
    assert main(["prepare", str(folder), "--out", str(out)]) == 0
    assert "simulated session" in capsys.readouterr().out
    assert main(["info", str(out)]) == 0
    text = capsys.readouterr().out
    assert "SIMULATED, no recording" in text
    assert "30 of 30 trials kept." in text
    assert "Preset default" in text
    assert "Missing (not in this recording): wheel" in " ".join(text.split())
    assert main(["info", str(out), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["is_simulated"] is True
    assert facts["preparation"]["n_trials_kept"] == 30
    assert facts["health"]["n_units"] == 12


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "There is nothing to prepare"),
        (["mine", "--jobs", "0"], "--jobs must be at least 1"),
        (["mine", "--preset", "papper"], "Did you mean 'paper'?"),
        (["mine", "--prepare.aling", "feedback"], "Did you mean '--prepare.align'?"),
        (["mine", "--prepare.align", "feedbak"], "Did you mean 'feedback'?"),
        (["--from", "paper-4"], "Did you mean 'paper-40'?"),
        (["--from", "empty.txt"], "names no source"),
        (["--from", "binary.txt"], "is no text file"),
        (["nowhere"], "There is no file or folder nowhere"),
        (["mine", "demo:steinmetz2019_s12"], "there are 2 sources"),
    ],
)
def test_what_cannot_be_prepared_is_one_sentence(folder, monkeypatch, capsys, words, said):
    monkeypatch.chdir(folder.parent)
    Path("empty.txt").write_text("# nothing\n")
    Path("binary.txt").write_bytes(b"\xff\xfe\x00")
    assert main(["prepare", *words, "--out", "s.h5"]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.out == ""
    assert not Path("s.h5").exists()


@pytest.mark.parametrize("out", ["nowhere", "nowhere/s.h5"])
def test_an_output_folder_that_is_not_there_is_one_sentence(folder, tmp_path, capsys, out):
    assert main(["prepare", str(folder), "--out", str(tmp_path / out)]) == 2
    assert "Make" in capsys.readouterr().err


def test_an_unreachable_database_leaves_the_cache(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    words = ["prepare", EID, "--url", "http://127.0.0.1:9", "--cache", str(tmp_path)]
    assert main([*words, "--out", str(tmp_path / "s.h5")]) == 2
    said = capsys.readouterr().err
    assert "Going by the cache folder alone" in said
    assert EID in said


def test_two_processes_that_prepare_the_same_do_the_work_once(folder, tmp_path):
    both = [start(folder, "--out", tmp_path / "s.h5") for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert sorted(text.split()[0] for text in said) == ["Kept", "Wrote"]
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine", "s.h5"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals are another matter there")
def test_ctrl_c_leaves_whole_files_only_and_the_same_command_goes_on(tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    sources = [write_long_byo_folder(tmp_path / f"mine{i}", seed=i) for i in range(4)]
    process = start(*sources, "--out", out)
    while not any(out.glob("[!.]*.h5")):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    text, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert "not done" in text
    assert "goes on from here" in errors
    left = sorted(p.name for p in out.iterdir())
    assert 1 <= len(left) < 4
    assert all(read_session(out / name).n_units == 12 for name in left)
    again = start(*sources, "--out", out, "--jobs", "2")
    text, errors = again.communicate(timeout=90)
    assert again.returncode == 0, errors
    assert f"{4 - len(left)} prepared, {len(left)} kept." in text


def test_a_session_file_can_be_prepared_further(tmp_path):
    write_session(make_session(n_units=30), tmp_path / "s.h5")
    words = ["prepare", str(tmp_path / "s.h5"), "--out", str(tmp_path / "t.h5")]
    assert main([*words, "--prepare.regions", "CA1"]) == 0
    assert read_session(tmp_path / "t.h5").region_names() == ("CA1",)
