"""What Qt showed is deleted in an order of our own when the program ends.

At the interpreter's end PyQt deletes what Python still owns while it walks over its own table of
those objects; now and then it reads one that is gone by then, and the program ends with a
segmentation fault after all was done and saved.
"""

from __future__ import annotations

import atexit
import gc

from PyQt6 import sip
from PyQt6.QtCore import QCoreApplication, QObject, QThread


def delete_at_exit() -> None:
    """Have `delete_owned` called at the interpreter's end, before PyQt looks for the same."""
    atexit.unregister(delete_owned)
    atexit.register(delete_owned)


def delete_owned() -> None:
    """Delete each object of Qt that Python owns and this thread may delete.

    The application stays: it has to outlive all others.
    """
    gc.unfreeze()  # otherwise the collector does not tell of what was made at import
    found = [each for each in gc.get_objects() if issubclass(type(each), QObject)]
    for each in found:  # the list keeps all wrappers alive until the last one is deleted
        if is_owned(each):
            sip.delete(each)


def is_owned(each: QObject) -> bool:
    """Tell whether an object is there, Python's own, of this thread, and not the application."""
    return (
        not sip.isdeleted(each)
        and sip.ispyowned(each)
        and each.thread() is QThread.currentThread()
        and each is not QCoreApplication.instance()
    )
