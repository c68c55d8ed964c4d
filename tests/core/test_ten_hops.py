"""Follow one spike from its file to a pixel, by the ten places that the README names."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PyQt6.QtCore import QPointF

from mtm_core.config_io import apply_overrides, load_preparation, load_preset
from mtm_core.data.alf import read_alf
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.batch import collate
from mtm_core.data.preparation import prepare
from mtm_core.data.spike_binning import bin_edges, count_spikes
from mtm_core.data.splits import split_trials
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
from mtm_viewer.presenters.raster import RasterMaps, raster_image
from mtm_viewer.presenters.raster_drawable import ShownTrials
from mtm_viewer.presenters.raster_scene import raster_scene
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.views.raster_view import RasterView
from tests.core.data.simulations import simulated

BIN = 40
SETTINGS = apply_overrides(load_preset("quick"), [("optim.steps", "4"), ("model.width", "16")])
CONFIG = load_preparation("default")
PROBE = "alf/probe00/pykilosort"


@pytest.fixture(scope="module")
def folder_of_one_spike(tmp_path_factory):
    """Write an ALF folder in which one unit fires once: in one test trial, in one bin."""
    folder = write_alf(simulated("tiny"), tmp_path_factory.mktemp("hops"))
    raw = read_alf(folder)
    session = prepare(raw, CONFIG)
    of_unit = {str(unit): row for row, unit in enumerate(raw.units.values("unit_id"))}
    on_probe = session.units.values("probe") == "probe00"
    unit_id = str(session.unit_id[on_probe][0])
    test = split_trials(session, SETTINGS.data).test
    trial_id = int(session.trials.values("trial_id")[test[0]])
    align_s = float(session.trials.values("align_s")[test[0]])
    times = np.load(folder / PROBE / "spikes.times.npy")
    clusters = np.load(folder / PROBE / "spikes.clusters.npy")
    is_kept = clusters != of_unit[unit_id]
    only = align_s + session.window_start_s + (BIN + 0.5) * session.bin_size_s
    place = int(np.searchsorted(times[is_kept], only))
    np.save(folder / PROBE / "spikes.times.npy", np.insert(times[is_kept], place, only))
    of_spike = np.insert(clusters[is_kept], place, of_unit[unit_id])
    np.save(folder / PROBE / "spikes.clusters.npy", of_spike.astype(clusters.dtype))
    return folder, trial_id, unit_id, only


@pytest.mark.gui
def test_one_spike_goes_from_its_file_to_a_pixel(folder_of_one_spike, tmp_path, qtbot):
    folder, trial_id, unit_id, time_s = folder_of_one_spike

    # 1 from the files of its probe
    raw = read_alf(folder)
    row_of_unit = raw.units.values("unit_id").tolist().index(unit_id)
    spikes = raw.spikes[0]
    assert spikes.times_s[spikes.clusters == row_of_unit].tolist() == [time_s]

    # 2 into a session of chosen units and trials
    session = prepare(raw, CONFIG)
    unit = int(np.flatnonzero(session.unit_id == unit_id)[0])
    trial = int(np.flatnonzero(session.trials.values("trial_id") == trial_id)[0])
    assert session.counts[:, :, unit].sum() == 1

    # 3 counted in its bin
    column_of_unit = np.full(raw.units.n_rows, -1, dtype=np.int64)
    column_of_unit[row_of_unit] = 0
    align_s = session.trials.values("align_s")[[trial]].astype(float)
    edges = bin_edges(align_s + session.window_start_s, session.n_bins, session.bin_size_s)
    counted = count_spikes(raw.spikes, edges, column_of_unit, 1)
    assert counted[0, :, 0].tolist() == np.eye(session.n_bins, dtype=int)[BIN].tolist()
    assert session.counts[trial, BIN, unit] == 1

    # 4 among the test trials
    split = split_trials(session, SETTINGS.data)
    assert trial in split.test
    assert trial not in split.train

    # 5 into a tensor
    counts = collate(session, split.test)
    row = int(np.flatnonzero(split.test == trial)[0])
    assert counts[row, BIN, unit] == 1

    # 6 under a mask: gone from the input, kept as the target, counted in the score
    mask = neuron(tuple(counts.shape), torch_generator(3, "hops"), ratio=0.9)
    n_trials = len(counts)
    prompt = torch.full((n_trials,), prompt_index("neuron"))
    batch = mask_counts(counts, *mask, prompt, torch.zeros(n_trials, dtype=torch.bool))
    assert batch.is_hidden[row, BIN, unit]
    assert batch.is_scored[row, BIN, unit]
    assert batch.inputs[row, BIN, unit] == 0
    assert batch.targets[row, BIN, unit] == 1

    # 7 predicted by a model that cannot see it
    model = build_model(
        SETTINGS.model, SessionFacts(psth=collate(session, split.train).mean(0))
    ).eval()
    louder = counts.clone()
    louder[row, BIN, unit] = 9
    log_rate = model(batch)
    assert log_rate.shape == counts.shape
    assert torch.equal(log_rate, model(mask_counts(louder, *mask, prompt, batch.is_causal)))

    # 8 reconstructed by a trained checkpoint, with its whole region hidden
    for _ in train(SETTINGS, [session], tmp_path / "run"):
        pass
    region = str(session.region[unit])
    checkpoint = load_checkpoint(tmp_path / "run" / "model.safetensors")
    *_, answer = reconstruct(checkpoint, session, inter_region(region), split.test)
    assert answer.is_final
    assert answer.mask.is_hidden[BIN, unit]
    assert np.isfinite(answer.log_rate[row, BIN, unit])

    # 9 as the mean rate of its row
    true_hz = trial_mean_hz(session.counts[split.test], session.bin_size_s)
    drawable = raster_image(
        RasterMaps(true_hz=true_hz, model_hz=answer.trial_average_hz()),
        scene=raster_scene(session, split.train),
        trials=ShownTrials(n_done=n_trials, n_wanted=n_trials),
        settings=RasterSettings(scale="linear", sigma_s=0.0),
    )
    line = int(np.flatnonzero(drawable.rows.unit_id == unit_id)[0])
    truth = drawable.panels[0]
    assert truth.values[line, BIN] == pytest.approx(1 / n_trials / session.bin_size_s)
    assert drawable.panels[1].values[line, BIN] > 0

    # 10 as a pixel that is brighter than its silent neighbour in the same row
    view = RasterView()
    qtbot.addWidget(view)
    view.resize(1200, 700)
    view.show()
    view.draw(drawable)
    qtbot.waitExposed(view)
    assert brightness(view, line, BIN) > brightness(view, line, BIN - 1)


def brightness(view: RasterView, line: int, time_bin: int) -> int:
    """Return the lightness of the pixel that shows a row and a bin of the first raster."""
    start_ms, step_ms = -500.0, 20.0
    middle = QPointF(start_ms + (time_bin + 0.5) * step_ms, line + 0.5)
    scene_point = view.plots[0].getViewBox().mapViewToScene(middle)
    pixel = view.graphics.mapFromScene(scene_point)
    return view.graphics.grab().toImage().pixelColor(pixel).lightness()
