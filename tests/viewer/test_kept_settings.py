from __future__ import annotations

import os
from pathlib import Path

from PyQt6.QtCore import QSettings

from mtm_viewer.kept_settings import are_kept, unkept_settings


def test_settings_that_are_not_kept_leave_the_null_device_as_it_is():
    before = Path(os.devnull).stat()
    settings = unkept_settings()
    settings.setValue("theme", "dark")
    settings.sync()
    after = Path(os.devnull).stat()
    assert (before.st_mode, before.st_ino) == (after.st_mode, after.st_ino)
    assert not Path(settings.fileName()).exists()
    assert unkept_settings().value("theme") is None


def test_settings_of_a_file_are_kept(tmp_path):
    assert are_kept(QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat))
    assert not are_kept(unkept_settings())
