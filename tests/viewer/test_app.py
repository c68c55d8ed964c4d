"""The program from the outside: arguments, what is missing, drawing without a display."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from mtm_core import __version__
from mtm_viewer import app
from tests.core.sessions import make_session
from tests.viewer.workspaces import write_files


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"), make_session(n_trials=60))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--offscren"], "Did you mean '--offscreen'"),
        (["--screenshot", "a.png"], "--screenshot belongs to --offscreen"),
        (["--offscreen"], "--offscreen needs something to draw"),
        (["--demo", "s.h5"], "--demo brings its own session"),
        (["--theme", "drak", "--demo"], "Did you mean 'dark'"),
        (["nowhere.h5"], "There is no file nowhere.h5"),
    ],
)
def test_wrong_words_are_told_in_a_sentence(words, said, capsys):
    assert app.main(words) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.splitlines()) <= 3
    assert "Traceback" not in error


@pytest.mark.parametrize(("word", "said"), [("--help", "--demo"), ("--version", __version__)])
def test_help_and_version_need_no_window(word, said, capsys):
    assert app.main([word]) == 0
    assert said in capsys.readouterr().out


def test_without_a_display_it_says_what_to_do(files, monkeypatch, capsys):
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(app.sys, "platform", "linux")
    assert app.main([str(files[0])]) == 2
    assert "There is no display to open a window on" in capsys.readouterr().err


def test_a_display_that_does_not_answer_is_no_display(files, monkeypatch, capsys):
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", ":9876")
    monkeypatch.setattr(app.sys, "platform", "linux")
    monkeypatch.setattr(app, "missing_packages", lambda _: [])
    assert app.main([str(files[0])]) == 2
    assert "There is no display to open a window on" in capsys.readouterr().err


def test_missing_libraries_are_named_with_their_packages(files, monkeypatch, capsys):
    monkeypatch.setattr(app, "missing_packages", lambda _: ["libegl1", "libgl1"])
    assert app.main([str(files[0]), "--offscreen"]) == 2
    assert "apt-get install libegl1 libgl1" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["", "nonsense", ":", "localhost:x"])
def test_an_address_that_is_none_has_no_display(name):
    assert not app.display_answers(name)


def test_a_display_is_found_by_its_socket(monkeypatch):
    asked: list[object] = []

    class Link:
        def __init__(self, *_: object) -> None: ...
        def __enter__(self):
            return self

        def __exit__(self, *_: object) -> None: ...
        def connect(self, place: object) -> None:
            asked.append(place)

    monkeypatch.setattr(socket, "socket", Link)
    assert app.display_answers(":7.0")
    assert asked == ["/tmp/.X11-unix/X7"]


@pytest.mark.slow
def test_the_window_is_drawn_without_a_display_and_its_scores_are_printed(files, tmp_path):
    session, mtm, temporal = map(str, files)
    picture = tmp_path / "window.png"
    words = [session, "--model", mtm, temporal, "--offscreen", "--screenshot", str(picture)]
    done = _run(words)
    assert done.returncode == 0, done.stderr
    assert picture.read_bytes().startswith(b"\x89PNG")
    for said in ("Inter-region", "Co-smoothing", "Temporal baseline", "95 % interval"):
        assert said in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_what_cannot_be_drawn_ends_with_a_sentence_and_a_code(files, tmp_path):
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(b"no session")
    done = _run([str(foreign), "--offscreen"])
    assert done.returncode == 2
    assert "foreign.h5" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_a_picture_that_cannot_be_written_is_told(files, tmp_path):
    below_a_file = files[0] / "window.png"
    done = _run([str(files[0]), "--offscreen", "--screenshot", str(below_a_file)])
    assert done.returncode == 2
    assert "Could not write" in done.stderr


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "mtm_viewer.app", *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
