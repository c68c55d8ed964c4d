"""The program from the outside: arguments, what is missing, drawing without a display."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PyQt6.QtCore import QEventLoop, QTimer, QtMsgType, qInstallMessageHandler
from PyQt6.QtWidgets import QApplication, QMessageBox

from mtm_core import __version__
from mtm_viewer import app
from mtm_viewer.main_window import MainWindow
from tests.core.sessions import make_session
from tests.viewer.workspaces import write_files

PICTURE = Path(__file__).parents[2] / "docs" / "window.png"


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
        (["nowhere.h5"], "There is no file or folder nowhere.h5"),
        (["--model", "nowhere.safetensors"], "There is no file nowhere.safetensors"),
        ([str(PICTURE), "--offscreen"], "for an experiment use: mtm-core replay FILE"),
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


@pytest.fixture
def _puts_back(monkeypatch):
    """Leave the process as it was: threads of torch, the hook, Qt's message handler."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    qInstallMessageHandler(None)


@pytest.mark.gui
@pytest.mark.usefixtures("_puts_back", "qapp")
def test_the_window_is_drawn_and_its_scores_are_printed(files, tmp_path, capsys):
    session, mtm, temporal = map(str, files)
    picture = tmp_path / "window.png"
    hook = sys.excepthook
    words = [session, "--model", mtm, temporal, "--offscreen", "--screenshot", str(picture)]
    assert app.main([*words, "--theme", "dark"]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    for part in ("Inter-region", "Co-smoothing", "Temporal baseline", "95 % interval"):
        assert part in said
    assert sys.excepthook is hook


@pytest.mark.gui
@pytest.mark.usefixtures("_puts_back", "qapp")
def test_what_was_imported_is_kept_from_the_garbage_collector(files, tmp_path):
    words = ["--offscreen", str(files[0]), "--screenshot", str(tmp_path / "w.png")]
    code = (
        "import gc, sys\n"
        "from mtm_viewer.app import main\n"
        f"assert main({words!r}) == 0\n"
        "n_left = len(gc.get_objects())\n"
        "assert gc.get_freeze_count() > n_left, (gc.get_freeze_count(), n_left)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, timeout=60)


def test_the_window_runs_until_it_is_closed(files, monkeypatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    # Once an application's own loop has ended, no other loop of this process runs any more.
    loop = QEventLoop()
    monkeypatch.setattr(QApplication, "exec", lambda _: loop.exec())
    seen: list[str] = []

    def close_when_opened() -> None:
        for window in QApplication.topLevelWidgets():
            if isinstance(window, MainWindow) and window.status.session.text().startswith("simu"):
                seen.append(window.windowTitle())
                window.close()
                loop.quit()

    clock = QTimer()
    clock.timeout.connect(close_when_opened)
    clock.start(50)
    assert app.main([str(files[0])]) == 0
    clock.stop()
    assert seen == ["small (simulated) \N{EM DASH} MtM Viewer"]


@pytest.mark.gui
def test_a_fault_of_the_program_is_told_and_logged_not_thrown(desktop, qtbot, caplog):
    with app._last_resort(desktop), qtbot.waitSignal(desktop.explorer.told) as told:
        sys.excepthook(ValueError, ValueError("broken"), None)
    assert "a fault of its own (ValueError: broken)" in told.args[0]
    assert "A fault of the program." in caplog.text
    for box in desktop.explorer.window.findChildren(QMessageBox):
        box.close()


@pytest.mark.gui
def test_ctrl_c_closes_the_window(desktop):
    with app._last_resort(desktop):
        sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert not desktop.explorer.window.isVisible()


def test_messages_of_qt_go_to_the_log(caplog):
    app._log_qt(QtMsgType.QtWarningMsg, None, "a warning of Qt")
    assert ("qt", logging.WARNING, "a warning of Qt") in caplog.record_tuples


@pytest.mark.slow
def test_the_program_runs_by_itself_and_ends_with_a_code(files, tmp_path):
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(b"no session")
    done = subprocess.run(
        [sys.executable, "-m", "mtm_viewer.app", str(foreign), "--offscreen"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 2
    assert "foreign.h5" in done.stderr
    assert "Traceback" not in done.stderr
