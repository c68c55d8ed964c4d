"""What Qt writes: settings, and pictures of panels. A full disk leaves the old, and is told."""

from __future__ import annotations

import sys

import pytest
from PyQt6.QtCore import QSettings
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QLabel

from mtm_core.errors import OutputError
from mtm_viewer.presenters.preferences import Preferences, write_preferences
from mtm_viewer.views.export import save_picture, write_image
from tests.fuzz.stopping import WROTE, files_end_at, in_a_process, limit_files

pytestmark = [
    pytest.mark.gui,
    pytest.mark.skipif(sys.platform != "linux", reason="limits sizes of files"),
]


def image(grey: int) -> QImage:
    made = QImage(60, 40, QImage.Format.Format_ARGB32)
    for x in range(60):
        for y in range(40):
            made.setPixelColor(x, y, QColor((x * 37 + y * 91 + grey) % 256, grey, y))
    return made


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
@pytest.mark.parametrize("attachment", [None, "{}"])
def test_a_full_disk_leaves_the_old_picture(kind, attachment, qtbot, tmp_path):
    label = QLabel("a region is hidden")
    qtbot.addWidget(label)
    path = tmp_path / f"panel.{kind}"
    save_picture([label], path, attachment)  # the first one gives the label its size
    save_picture([label], path, attachment)
    old, whole = path.read_bytes(), path.stat().st_size
    for size in (0, 1, whole // 2, whole - 1):
        with files_end_at(size), pytest.raises(OutputError, match="file too large"):
            save_picture([label], path, attachment)
        assert path.read_bytes() == old
        assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_leaves_the_old_image(qapp, tmp_path):
    path = tmp_path / "window.png"
    write_image(image(0), path)
    old = path.read_bytes()
    for size in (0, len(old) // 2, len(old) - 1):
        with files_end_at(size), pytest.raises(OutputError):
            write_image(image(9), path)
        assert path.read_bytes() == old


@pytest.mark.parametrize("is_killed", [True, False])
@pytest.mark.filterwarnings("ignore")
def test_settings_stay_whole_on_a_full_disk(is_killed, tmp_path):
    path = tmp_path / "settings.ini"

    def keep(theme: str) -> None:
        settings = QSettings(str(path), QSettings.Format.IniFormat)
        settings.setValue("preferences", write_preferences(Preferences(theme=theme)))
        settings.setValue("recent", [f"{number} {theme}" for number in range(50)])
        settings.sync()

    assert in_a_process(lambda: None, lambda: keep("light")) == WROTE
    old = path.read_bytes()
    assert in_a_process(lambda: None, lambda: keep("dark")) == WROTE
    new = path.read_bytes()
    assert len({old, new}) == 2
    for size in (0, 1, len(new) // 2, len(new) - 1):
        path.write_bytes(old)
        full = limit_files(size, is_killed=is_killed)
        in_a_process(full, lambda: keep("dark"))
        assert path.read_bytes() == old, f"{size} bytes"
        # Here not even Qt's lock was written whole; Qt waits half a minute for such a one.
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
