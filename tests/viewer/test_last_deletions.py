"""The program ends without a fault: what Python owns of Qt is deleted before PyQt looks for it."""

from __future__ import annotations

import os
import subprocess
import sys

PROGRAM = """
import atexit, gc, os, sys
os.environ["QT_QPA_PLATFORM"] = "offscreen"
from PyQt6 import sip
from PyQt6.QtCore import QObject, QThread
from mtm_viewer import app
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.last_deletions import is_owned


def owned():
    found = [each for each in gc.get_objects() if issubclass(type(each), QObject)]
    return list(filter(is_owned, found))


@atexit.register
def tell():
    gc.unfreeze()
    print(len(owned()), sip.isdeleted(application), sip.isdeleted(elsewhere))


application = app._make_app()
desktop = app.build(LogKeeper(), is_offscreen=True)
desktop.explorer.window.show()
application.processEvents()
desktop.explorer.window.close()
elsewhere, thread = QObject(), QThread()
elsewhere.moveToThread(thread)
print(len(owned()) > 0)
gc.freeze()
"""


def test_nothing_is_left_to_delete_when_pyqt_looks_for_it():
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["True", "0 False False"]
