from __future__ import annotations

import statistics
import time

import numpy as np
import pytest

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.session_file import write_session
from mtm_core.training.loop import train
from mtm_viewer.app import build
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.presenters.mask_edits import Stroke
from tests.bench.window_clock import PATIENCE_MS, Ticks, first_picture_s
from tests.core.sessions import make_session

REGIONS = ("CA1", "CA3", "DG", "LP", "MOs", "PL", "SUB", "VISp", "VISam")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Write a session of 300 trials x 40 bins x 900 units, and a model of the preset `quick`.

    Two steps of training are enough: what weights hold does not change how long they take.
    """
    folder = tmp_path_factory.mktemp("bench")
    session = make_session(n_trials=300, n_bins=40, n_units=900, regions=REGIONS, mean_count=0.06)
    write_session(session, folder / "large.h5")
    config = apply_overrides(load_preset("quick"), [("optim.steps", "2")])
    for _ in train(config, [session], folder / "run"):
        pass
    return folder / "large.h5", folder / "run" / "model.safetensors"


@pytest.fixture
def explorer(files, qtbot):
    """Open the window on them and wait for its first picture."""
    desktop = build(LogKeeper(), is_offscreen=True)
    explorer = desktop.explorer
    explorer.window.resize(1600, 1000)
    explorer.window.show()
    session, checkpoint = files
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        explorer.open_files(OpenRequest(session_path=session, checkpoint_paths=(checkpoint,)))
    yield explorer
    explorer.window.close()
    explorer.window.deleteLater()


@pytest.mark.parametrize("recipe", ["inter_region", "intra_region"])
def bench_click(recipe, explorer, qtbot, measured):
    if explorer.state.mask.recipe != recipe:
        first_picture_s(explorer, qtbot, lambda: explorer.state.choose_recipe(recipe))
    ticks = Ticks()
    others = [region for region in REGIONS if region != explorer.state.mask.region]
    with ticks.running():
        seconds = [
            first_picture_s(explorer, qtbot, lambda r=region: explorer.state.click_region(r))
            for region in others
        ]
    name = recipe.replace("_", "-")
    measured(
        f"click on a region ({name}) to its first raster, median", statistics.median(seconds), 0.15
    )
    measured(f"click on a region ({name}) to its first raster, slowest of 8", max(seconds), 0.15)
    ticks.note(measured, f"meanwhile ({name})")


def bench_answer_from_memory(explorer, qtbot, measured):
    here = explorer.state.mask.region
    there = next(region for region in REGIONS if region != here)
    first_picture_s(explorer, qtbot, lambda: explorer.state.click_region(there))
    seconds = first_picture_s(explorer, qtbot, lambda: explorer.state.click_region(here))
    measured("click on a region seen before to its picture", seconds, 0.1)


def bench_stroke(explorer, qtbot, measured):
    """Brush strokes and clicks in turn, so that both meet the same load of the machine."""
    rows = explorer.picture.raster.rows
    clicks, strokes, edits = [], [], []
    for place, region in enumerate(REGIONS[:6]):
        explorer.state.choose_recipe("inter_region")
        if explorer.state.mask.region != region:
            clicks.append(
                first_picture_s(explorer, qtbot, lambda r=region: explorer.state.click_region(r))
            )
        inside = np.zeros((len(rows.unit_id), 40), dtype=bool)
        y, x = np.ogrid[: len(rows.unit_id), :40]
        inside[((y - 120 * (place + 1)) / 90) ** 2 + ((x - 20) / 12) ** 2 <= 1] = True
        stroke = Stroke(unit_id=rows.unit_id, is_inside=inside)
        start = time.perf_counter()

        def paint(stroke: Stroke = stroke, start: float = start) -> None:
            explorer.state.paint(stroke)
            edits.append(time.perf_counter() - start)

        strokes.append(first_picture_s(explorer, qtbot, paint))
    click, stroke_s = statistics.median(clicks), statistics.median(strokes)
    measured("click on a region to its first raster, in turn with strokes", click, 0.15)
    measured("round brush stroke over 180 units to its first raster", stroke_s, 0.15)
    measured("work of the window for such a stroke, median", statistics.median(edits), 0.05)
