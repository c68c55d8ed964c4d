from __future__ import annotations

import gc
import os
import tempfile
import threading
from collections.abc import Iterator

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")  # `make check-gui` sets another
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
# Window state, recent files and logs of the person who runs the tests stay untouched.
_HOME = tempfile.TemporaryDirectory(prefix="mtm-tests-")
for _name in ("XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME", "MTM_CACHE"):
    os.environ[_name] = _HOME.name

# Before any Qt: the other order fails on Windows (pytest-qt imports Qt after this file).
import torch  # noqa: E402

torch.set_num_threads(1)

import pytest  # noqa: E402
import tqdm  # noqa: E402

tqdm.tqdm.monitor_interval = 0

pytest_plugins = ["tests.core.data.one_fixtures"]


@pytest.fixture(scope="session", autouse=True)
def _quick_garbage_collection() -> None:
    """Exempt what the imports made, so that each later collection takes milliseconds."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _leaves_nothing_behind(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread alive or, where it uses Qt, a timer or a window."""
    threads = set(threading.enumerate())
    is_gui = "qapp" in request.fixturenames
    before = _qt_leftovers() if is_gui else {}
    yield
    left = _qt_leftovers() if is_gui else {}
    named = [f"{what}" for key, what in left.items() if key not in before]
    # Python remembers a Qt thread that once logged, as a dummy without an end.
    real = [t for t in threading.enumerate() if not isinstance(t, threading._DummyThread)]
    named += [f"thread {t.name}" for t in real if t not in threads]
    if named:
        pytest.fail(f"The test left behind: {', '.join(sorted(named))}.")


def _qt_leftovers() -> dict[int, str]:
    """Name every top-level widget, active timer and running thread, after deferred deletions."""
    from PyQt6.QtCore import QCoreApplication, QEvent, QThread, QTimer
    from PyQt6.QtWidgets import QApplication

    if QApplication.instance() is None:
        return {}
    gc.collect()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QCoreApplication.processEvents()
    found = {id(w): f"window {type(w).__name__}" for w in QApplication.topLevelWidgets()}
    for thing in gc.get_objects():
        kind = type(thing)
        if not issubclass(kind, QThread | QTimer):
            continue
        try:
            if issubclass(kind, QTimer) and thing.isActive():
                found[id(thing)] = f"timer {kind.__name__} of {type(thing.parent()).__name__}"
            elif issubclass(kind, QThread) and thing.isRunning():
                found[id(thing)] = f"thread {kind.__name__}"
        except RuntimeError:  # the C++ side is gone already
            continue
    return found
