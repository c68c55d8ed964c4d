"""Follow one spike from its file to a pixel, by the ten places that the README names."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from PyQt6.QtCore import QPointF

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.batch import collate
from mtm_core.data.binning import rebin
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.splits import split_trials
from mtm_core.data.units import select_units
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.inference import reconstruct
from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.masking.schemes import neuron
from mtm_core.masking.tasks import inter_region
from mtm_core.models.build import build_model
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.session_part import SessionFacts
from mtm_core.seeding import torch_generator
from mtm_core.training.loop import train
from mtm_viewer.presenters.raster import RasterSettings, raster_image
from mtm_viewer.presenters.raster_drawable import ShownTrials
from mtm_viewer.presenters.raster_scene import raster_scene
from mtm_viewer.views.raster_view import RasterView
from tests.core.sessions import make_session

BIN = 7
UNIT = 20
SETTINGS = apply_overrides(
    load_preset("quick"),
    [("data.bin_factor", "2"), ("optim.steps", "4"), ("model.width", "16")],
)


@pytest.fixture(scope="module")
def file_of_one_spike(tmp_path_factory):
    """Write a session in which one unit of VISp fires once: in one test trial, in one bin."""
    session = make_session(n_trials=40, n_bins=12, n_units=24, regions=("CA1", "DG", "VISp"))
    trial = int(split_trials(session, SETTINGS.data).test[0])
    counts = session.counts.copy()
    counts[:, :, UNIT] = 0
    counts[trial, BIN, UNIT] = 1
    path = tmp_path_factory.mktemp("hops") / "one_spike.h5"
    write_session(replace(session, counts=counts), path)
    return path, trial, str(session.unit_id[UNIT])


@pytest.mark.gui
def test_one_spike_goes_from_its_file_to_a_pixel(file_of_one_spike, tmp_path, qtbot):
    path, trial, unit_id = file_of_one_spike

    # 1 from the file
    session = read_session(path)
    assert session.counts[trial, BIN, UNIT] == 1

    # 2 into the chosen units, where it stands in another column
    session = select_units(session, regions=["CA1", "VISp"])
    unit = int(np.flatnonzero(session.unit_id == unit_id)[0])
    assert unit != UNIT
    assert session.counts[trial, BIN, unit] == 1

    # 3 into a wider bin
    joined = rebin(session, 2)
    time_bin = BIN // 2
    assert joined.counts[trial, :, unit].tolist() == np.eye(6, dtype=int)[time_bin].tolist()

    # 4 among the test trials
    split = split_trials(joined, SETTINGS.data)
    assert trial in split.test
    assert trial not in split.train

    # 5 into a tensor
    counts = collate(joined, split.test)
    row = int(np.flatnonzero(split.test == trial)[0])
    assert counts[row, time_bin, unit] == 1

    # 6 under a mask: gone from the input, kept as the target, counted in the score
    mask = neuron(tuple(counts.shape), torch_generator(3, "hops"), ratio=0.9)
    n_trials = len(counts)
    prompt = torch.full((n_trials,), prompt_index("neuron"))
    batch = mask_counts(counts, *mask, prompt, torch.zeros(n_trials, dtype=torch.bool))
    assert batch.is_hidden[row, time_bin, unit]
    assert batch.is_scored[row, time_bin, unit]
    assert batch.inputs[row, time_bin, unit] == 0
    assert batch.targets[row, time_bin, unit] == 1

    # 7 predicted by a model that cannot see it
    model = build_model(
        SETTINGS.model, SessionFacts(psth=collate(joined, split.train).mean(0))
    ).eval()
    louder = counts.clone()
    louder[row, time_bin, unit] = 9
    log_rate = model(batch)
    assert log_rate.shape == counts.shape
    assert torch.equal(log_rate, model(mask_counts(louder, *mask, prompt, batch.is_causal)))

    # 8 reconstructed by a trained checkpoint, with its whole region hidden
    for _ in train(SETTINGS, [session], tmp_path / "run"):
        pass
    checkpoint = load_checkpoint(tmp_path / "run" / "model.safetensors")
    *_, answer = reconstruct(checkpoint, session, inter_region("VISp"), split.test)
    assert answer.is_final
    assert answer.mask.is_hidden[time_bin, unit]
    assert np.isfinite(answer.log_rate[row, time_bin, unit])

    # 9 as the mean rate of its row
    true_hz = trial_mean_hz(joined.counts[split.test], joined.bin_size_s)
    drawable = raster_image(
        true_hz,
        answer.trial_average_hz(),
        None,
        scene=raster_scene(joined, split.train),
        trials=ShownTrials(n_done=n_trials, n_wanted=n_trials),
        settings=RasterSettings(scale="linear", sigma_s=0.0),
    )
    line = int(np.flatnonzero(drawable.rows.unit_id == unit_id)[0])
    truth = drawable.panels[0]
    assert truth.values[line, time_bin] == pytest.approx(1 / n_trials / joined.bin_size_s)
    assert drawable.panels[1].values[line, time_bin] > 0

    # 10 as a pixel that is brighter than its silent neighbour in the same row
    view = RasterView()
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    view.draw(drawable)
    qtbot.waitExposed(view)
    assert brightness(view, line, time_bin) > brightness(view, line, time_bin - 1)


def brightness(view: RasterView, line: int, time_bin: int) -> int:
    """Return the lightness of the pixel that shows a row and a bin of the first raster."""
    start_ms, step_ms = 0.0, 20.0
    middle = QPointF(start_ms + (time_bin + 0.5) * step_ms, line + 0.5)
    scene_point = view.plots[0].getViewBox().mapViewToScene(middle)
    pixel = view.graphics.mapFromScene(scene_point)
    return view.graphics.grab().toImage().pixelColor(pixel).lightness()
