from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mtm_core import __version__, resources
from mtm_core.cli import doctor, qt_libraries
from mtm_core.cli.__main__ import main

SCRIPT = Path(__file__).parents[3] / "packaging" / "system_packages.sh"


def test_the_report_names_versions_devices_backend_and_resources(capsys):
    assert main(["doctor", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["version"] == __version__
    assert {"torch", "numpy", "PyQt6", "pyqtgraph"} <= set(report["packages"])
    assert "cpu" in report["machine"]["devices"]
    assert report["machine"]["threads"] == 1
    assert report["machine"]["backend"].startswith(report["machine"]["devices"][0])
    assert report["resources"]["presets"] == resources.list_presets()
    assert report["qt"]["works"]


def test_what_is_chosen_by_measuring_can_be_measured_again(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv(resources.ENV_CACHE, str(tmp_path))
    assert main(["doctor", "--json", "--probe"]) == 0
    machine = json.loads(capsys.readouterr().out)["machine"]
    assert machine["cache"] == str(tmp_path)
    assert "GFLOP/s" in machine["matrix_speed"]
    assert list(tmp_path.glob("host-speed-*.json"))


def test_the_report_for_people_ends_with_what_is_missing(capsys):
    assert main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["version", __version__]
    assert any(line.startswith("  torch ") for line in lines)
    assert lines[-1] == "Nothing is missing." or "apt-get install" in lines[-1]


@pytest.mark.parametrize(
    ("requirement", "version"),
    [("nonesuch>=1", "absent"), ("numpy<1", None), ("NumPy>=1; python_version < '2'", "skipped")],
)
def test_a_package_that_is_absent_or_unfit_is_missing(monkeypatch, requirement, version):
    monkeypatch.setattr(doctor.importlib.metadata, "requires", lambda _: [requirement])
    versions, missing = doctor.check_packages()
    if version == "skipped":
        assert (versions, missing) == ({}, [])
        return
    name = requirement.partition("<")[0].partition(">")[0]
    assert [each.what for each in missing] == [name]
    assert f"pip install '{requirement}'" in missing[0].how
    if version is not None:
        assert versions == {name: version}


def test_a_library_that_cannot_be_opened_is_named_by_its_debian_package(monkeypatch):
    monkeypatch.setattr(qt_libraries, "X11", {"libxcb-nonesuch.so.9": "libxcb-nonesuch9"})
    _, missing = doctor.check_qt()
    assert "apt-get install libxcb-nonesuch9" in [each.how for each in missing]


def test_a_qt_that_does_not_start_is_missing_and_says_its_last_words(monkeypatch):
    monkeypatch.setattr(qt_libraries, "try_qt", lambda: (False, "no platform plugin"))
    monkeypatch.setattr(qt_libraries, "missing_packages", lambda _: [])
    found, missing = doctor.check_qt()
    assert not found["works"]
    assert "no platform plugin" in missing[0].what
    assert "pip install" in missing[0].how


def test_a_qt_that_crashes_is_told_from_one_that_starts(monkeypatch):
    assert qt_libraries.try_qt()[0]
    monkeypatch.setattr(qt_libraries, "_TRY_QT", "raise SystemExit('libEGL.so.1: not found')")
    assert qt_libraries.try_qt() == (False, "libEGL.so.1: not found")


def test_missing_resources_are_an_error_exit(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(resources, "_CANDIDATES", (tmp_path / "none",))
    assert main(["doctor"]) == 1
    assert "Install mtm-viewer again" in capsys.readouterr().out


def test_nothing_is_missing_where_wheels_bring_all():
    assert qt_libraries.missing_packages({"libnone.so.1": "libnone1"}, platform="darwin") == []


def test_the_installer_and_the_doctor_know_the_same_packages():
    listed = subprocess.run(["sh", SCRIPT, "list"], capture_output=True, text=True, check=True)
    words = {line.split(":")[0]: line.split(":")[1].split() for line in listed.stdout.splitlines()}
    assert set(words["offscreen"]) == {*qt_libraries.OFFSCREEN.values(), "fonts-dejavu-core"}
    assert set(words["x11"]) == set(qt_libraries.X11.values())
