"""Settings that are kept between starts, and those of a window that keeps nothing."""

from __future__ import annotations

import os
import uuid
from pathlib import Path

from PyQt6.QtCore import QSettings

_NOWHERE = Path(os.devnull)
"""No folder: nothing can lie in it. The null device as a file will not do: Qt writes beside its
target and moves that there, which, for one who may, puts a file in the device's place."""


def unkept_settings() -> QSettings:
    """Return settings that are neither read from anywhere nor written."""
    path = _NOWHERE / f"{uuid.uuid4().hex}.ini"  # Qt shares what goes by one name
    return QSettings(str(path), QSettings.Format.IniFormat)


def are_kept(settings: QSettings) -> bool:
    """Tell whether settings have a file of their own."""
    return Path(settings.fileName()).parent != _NOWHERE
