"""Files are found where they were, beside the experiment, or among what came along."""

from __future__ import annotations

from pathlib import Path

import pytest

from mtm_core import resources
from mtm_core.experiment.places import (
    bundled_sessions_like,
    checkpoint_places,
    portable,
    session_places,
)


@pytest.fixture
def home(tmp_path, monkeypatch):
    folder = tmp_path / "home" / "alice"
    folder.mkdir(parents=True)
    monkeypatch.setattr(Path, "home", lambda: folder)
    return folder


def test_the_home_folder_is_not_told_and_found_again(home, tmp_path):
    file = home / "S ü.h5"
    file.write_bytes(b"")
    assert portable(file) == "~/S ü.h5"
    assert list(session_places("~/S ü.h5", None)) == [file]
    assert portable(tmp_path / "x.h5") == str(tmp_path / "x.h5")


@pytest.mark.parametrize("written", ["/gone/S.h5", "C:\\data\\S.h5", "S.h5"])
def test_a_file_beside_the_experiment_serves(tmp_path, written):
    (tmp_path / "S.h5").write_bytes(b"")
    assert tmp_path / "S.h5" in list(session_places(written, tmp_path))


@pytest.mark.parametrize("written", ["//server/share/S.h5", "\\\\server\\share\\S.h5"])
def test_no_server_is_called(written, monkeypatch):
    asked = []
    monkeypatch.setattr(Path, "is_file", lambda path: asked.append(path) or False)
    assert list(session_places(written, None)) == []
    assert asked == []


@pytest.mark.parametrize("written", ["", "..", "a\0b", "x" * 5000])
def test_what_is_no_path_is_no_place(tmp_path, written):
    assert list(session_places(written, tmp_path)) == []


def test_what_came_along_is_found_by_its_name():
    name = resources.list_sessions()[0]
    assert list(session_places(f"C:\\elsewhere\\{name}.h5", None)) == [
        resources.session_path(name)
    ]
    assert list(checkpoint_places("/elsewhere/demo.safetensors", None)) == [
        resources.checkpoint_path("demo")
    ]
    assert resources.session_path(name) in list(bundled_sessions_like(f"{name}_0123abcd"))
