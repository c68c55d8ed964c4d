"""The region-to-region matrix is filled behind the window: what that costs its person."""

from __future__ import annotations

import statistics
import time

import numpy as np
import pytest
from PyQt6.QtCore import QTimer

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.session_file import write_session
from mtm_core.training.loop import train
from mtm_viewer.app import build
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.jobs.open_job import OpenRequest
from tests.bench.bench_viewer import REGIONS
from tests.bench.window_clock import PATIENCE_MS, first_picture_s
from tests.core.sessions import make_session

N_TURNS = 5
WAIT_MS = 1500
"""Between two clicks, so that the matrix gets on."""


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write a session of 300 trials x 40 bins x 900 units, and a model of the preset `quick`."""
    folder = tmp_path_factory.mktemp("bench")
    session = make_session(n_trials=300, n_bins=40, n_units=900, regions=REGIONS, mean_count=0.06)
    write_session(session, folder / "large.h5")
    config = apply_overrides(load_preset("quick"), [("optim.steps", "2")])
    for _ in train(config, [session], folder / "run"):
        pass
    return folder / "large.h5", folder / "run" / "model.safetensors"


@pytest.fixture
def desktop(files, qtbot, monkeypatch, tmp_path):
    """Open the window on them, the panel shown and paused."""
    monkeypatch.setenv("MTM_CACHE", str(tmp_path))
    desktop = build(LogKeeper(), is_offscreen=True)
    window, (session, checkpoint) = desktop.explorer.window, files
    window.resize(1600, 1000)
    window.show()
    desktop.matrix.state.set_paused(is_paused=True)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.explorer.open_files(
            OpenRequest(session_path=session, checkpoint_paths=(checkpoint,))
        )
    desktop.explorer.registry.run("matrix.show")
    yield desktop
    window.close()
    window.deleteLater()


def bench_filling(desktop, qtbot, measured):
    """Click regions in turn with the matrix at rest and with it being filled."""
    seconds: dict[bool, list[float]] = {False: [], True: []}
    gaps: dict[bool, list[float]] = {False: [], True: []}
    is_filling, last = False, time.perf_counter()

    def tick() -> None:
        nonlocal last
        now = time.perf_counter()
        gaps[is_filling].append(now - last)
        last = now

    clock = QTimer()
    clock.timeout.connect(tick)
    clock.start(5)
    explorer = desktop.explorer
    regions = [name for name in REGIONS if name != explorer.state.mask.region]
    for turn in range(2 * N_TURNS):
        is_filling = turn % 2 == 1
        desktop.matrix.state.set_paused(is_paused=not is_filling)
        qtbot.wait(WAIT_MS)
        region = regions[turn % len(regions)]
        seconds[is_filling].append(
            first_picture_s(explorer, qtbot, lambda r=region: explorer.state.click_region(r))
        )
        desktop.matrix.state.set_paused(is_paused=True)
    clock.stop()
    answer = desktop.matrix.state.answer
    assert answer is not None
    assert answer.share_done > 0
    rest, busy = (statistics.median(seconds[key]) for key in (False, True))
    measured("click to its first raster, matrix at rest, median", rest, 0.15)
    measured("click to its first raster while the matrix is filled, median", busy, 0.15)
    at_rest, filling = (float(np.quantile(gaps[key], 0.99)) for key in (False, True))
    measured("gap between ticks of the window, matrix at rest, 99 %", at_rest, 0.05)
    measured("gap between ticks of the window while it is filled, 99 %", filling, 0.05)
    measured("gap between ticks of the window while it is filled, longest", max(gaps[True]))
