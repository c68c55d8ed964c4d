"""The budgets of the window: with what comes along, and with a large simulated session.

Answers are computed anew for each click: what is kept of them would be shown at once.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import itertools
import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.session_file import write_session
from mtm_core.masking.targets import target_regions
from mtm_core.resources import checkpoint_path, session_path
from mtm_core.training.loop import train
from mtm_viewer.app import build, exempt_imports
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.presenters.computing import Computing
from tests.bench.bench_viewer import REGIONS
from tests.bench.window_clock import PATIENCE_MS, Ticks, busy_cores, first_picture_s
from tests.core.sessions import make_session

SHAPE = {"n_trials": 600, "n_bins": 100, "n_units": 1000}
BUNDLED, LARGE = "bundled", "simulated, 1,000 units x 600 trials x 100 bins"
FILL_MS = 12_000
N_CLICKS = {BUNDLED: 40, LARGE: 6}
"""A click on the large session has thousands of predictions to wait for before the next."""


@dataclass(frozen=True)
class Files:
    """A session and models of it."""

    session: Path
    checkpoints: tuple[Path, ...]

    def request(self) -> OpenRequest:
        """Return what opens them."""
        return OpenRequest(session_path=self.session, checkpoint_paths=self.checkpoints)


@pytest.fixture(scope="module", autouse=True)
def _exempt():
    """Keep the garbage collector from what was imported, as the program does."""
    exempt_imports()
    yield
    gc.unfreeze()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Callable[[str], Files]:
    """Return what gives session and models by their name."""
    return functools.cache(lambda name: make_files(name, tmp_path_factory.mktemp("bench")))


def make_files(name: str, folder: Path) -> Files:
    """Write session and model.

    Two steps of training are enough: what weights hold does not change how long they take.
    """
    if name == BUNDLED:
        models = tuple(checkpoint_path(model) for model in ("demo", "demo-temporal"))
        return Files(session_path("steinmetz2019_s12"), models)
    session = make_session(**SHAPE, regions=REGIONS, mean_count=0.06)
    write_session(session, folder / "large.h5")
    config = apply_overrides(load_preset("quick"), [("optim.steps", "2")])
    for _ in train(config, [session], folder / "run"):
        pass
    return Files(folder / "large.h5", (folder / "run" / "model.safetensors",))


@pytest.fixture(params=[BUNDLED, LARGE])
def name(request) -> str:
    """Return which of them."""
    return request.param


@pytest.fixture
def desktop(monkeypatch, tmp_path, qtbot):
    """Show the window, with nothing open and nothing kept."""
    monkeypatch.setenv("MTM_CACHE", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    desktop = build(LogKeeper(), is_offscreen=True)
    window = desktop.explorer.window
    window.resize(1600, 1000)
    with qtbot.waitExposed(window):
        window.show()
    yield desktop
    window.close()
    window.deleteLater()


@pytest.fixture
def opened(desktop, files, name, qtbot):
    """Open one of them; no answer is kept."""
    open_anew(desktop, files(name), qtbot)
    return desktop


def open_anew(desktop, wanted: Files, qtbot) -> None:
    explorer = desktop.explorer
    explorer.works[1].choose(Computing(memory_bytes=0))
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        explorer.open_files(wanted.request())


def clicks(desktop) -> Iterator[str]:
    """Click region after region without end; every round asks the other question."""
    state = desktop.explorer.state
    regions = target_regions(state.workspace.session.region, 2)
    for recipe in itertools.cycle(("inter_region", "intra_region")):
        if state.mask.recipe != recipe:
            desktop.explorer.state.choose_recipe(recipe)
        for region in regions:
            if region != state.mask.region:
                yield region


def clicked_s(desktop, qtbot, n_clicks: int) -> list[float]:
    """Return how long so many clicks took, each to its first raster."""
    explorer = desktop.explorer
    seconds = []
    for region in itertools.islice(clicks(desktop), n_clicks):
        settle(explorer, qtbot)
        seconds.append(
            first_picture_s(explorer, qtbot, lambda r=region: explorer.state.click_region(r))
        )
    return seconds


def settle(explorer, qtbot) -> None:
    """Wait for what goes on; then for a moment, as a person does between two clicks."""
    qtbot.waitUntil(lambda: not explorer.engine.is_busy, timeout=PATIENCE_MS)
    qtbot.wait(150)


def note(measured, what: str, seconds: list[float], most_s: float | None = 0.05) -> None:
    """Note what 95 of 100 clicks keep, and the median."""
    measured(f"{what}, 95 % of {len(seconds)}", float(np.quantile(seconds, 0.95)), most_s)
    measured(f"{what}, median", statistics.median(seconds))


def bench_clicks(opened, name, qtbot, measured):
    ticks = Ticks()
    clicked_s(opened, qtbot, 1)  # the first one fits the baselines
    with ticks.running():
        seconds = clicked_s(opened, qtbot, N_CLICKS[name])
    note(measured, f"click to its first raster painted ({name})", seconds)
    ticks.note(measured, f"inference ({name})")


@pytest.mark.parametrize("name", [BUNDLED], indirect=True)
def bench_clicks_beside_busy_cores(opened, name, qtbot, measured):
    clicked_s(opened, qtbot, 1)
    with busy_cores():
        seconds = clicked_s(opened, qtbot, N_CLICKS[name])
    note(measured, f"the same with every core kept busy ({name})", seconds)


def bench_loading(desktop, files, name, qtbot, measured):
    """Open it from a window in which another one is on screen."""
    other = files(next(each for each in (BUNDLED, LARGE) if each != name))
    open_anew(desktop, other, qtbot)
    ticks = Ticks()
    for _ in range(3):
        with ticks.running(), qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
            desktop.explorer.open_files(files(name).request())
        open_anew(desktop, other, qtbot)
    ticks.note(measured, f"loading ({name})")


def bench_filling(opened, name, qtbot, measured):
    """Fill the matrix, while a person clicks now and then."""
    opened.explorer.registry.run("matrix.show")
    ticks = Ticks()
    with ticks.running():
        qtbot.wait(FILL_MS)
        seconds = clicked_s(opened, qtbot, 5)
        qtbot.wait(FILL_MS // 4)
    assert opened.matrix.state.answer is not None
    ticks.note(measured, f"filling the matrix ({name})")
    measured(f"click while the matrix is filled ({name}), median", statistics.median(seconds))


def bench_training(opened, name, qtbot, measured, tmp_path):
    """Train from the window, while a person clicks now and then."""
    opened.training.set_root(tmp_path / "runs")
    opened.training.train_quickly()
    queue = opened.training.queue
    with contextlib.suppress(TimeoutError):
        qtbot.waitUntil(lambda: queue.curve.drawable() is not None, timeout=PATIENCE_MS)
    ticks = Ticks()
    with ticks.running():
        qtbot.wait(FILL_MS // 2)
        seconds = clicked_s(opened, qtbot, N_CLICKS[name] // 3)
    assert queue.folder is not None, "it was over too soon"
    opened.training.cancel()
    qtbot.waitUntil(lambda: queue.folder is None, timeout=PATIENCE_MS)
    ticks.note(measured, f"training from the window ({name})")
    measured(f"click while it trains ({name}), median", statistics.median(seconds))
