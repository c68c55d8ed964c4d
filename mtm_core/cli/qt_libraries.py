"""The system libraries that Qt opens on Linux, and the Debian packages that bring them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections.abc import Mapping

OFFSCREEN = {
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
}
"""Needed to draw at all, even without a display. Fonts come with ``fonts-dejavu-core``."""

X11 = {
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
}
"""Needed besides for a window on an X server."""

_TRY_QT = (
    "import os; os.environ['QT_QPA_PLATFORM'] = 'offscreen'\n"
    "from PyQt6.QtCore import qVersion\n"
    "from PyQt6.QtWidgets import QApplication\n"
    "application = QApplication([]); print(qVersion())\n"
)


def missing_packages(libraries: Mapping[str, str], platform: str = sys.platform) -> list[str]:
    """Return the Debian packages of those libraries that cannot be opened.

    Wheels bring everything on macOS and Windows, so nothing is ever missing there.

    Examples
    --------
    >>> missing_packages({"libnone.so.7": "libnone7"}, platform="linux")
    ['libnone7']
    """
    if not platform.startswith("linux"):
        return []
    return [package for library, package in libraries.items() if not _opens(library)]


def try_qt() -> tuple[bool, str]:
    """Start Qt without a display, in a process of its own.

    Returns
    -------
    works : bool
        Whether it started.
    said : str
        Its version, or the last thing it said.
    """
    command = [sys.executable, "-c", _TRY_QT]
    done = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 0:
        return True, done.stdout.strip()
    return False, (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]


def _opens(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True
