from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig
from mtm_core.config_io import load_preset
from mtm_core.data.batch import collate
from mtm_core.data.session_file import read_session, write_session
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.build import build_model
from mtm_core.models.losses import poisson_loss
from mtm_core.models.session_part import SessionFacts
from mtm_core.seeding import torch_generator
from tests.core.sessions import make_session

WITHOUT_TORCH = ("--help", "--version", "info steinmetz2019_s12", "info demo", "sessions list")
"""Commands that need no torch, and the time that a person notices."""


@pytest.mark.parametrize("words", WITHOUT_TORCH)
def bench_start_of_a_command(words, measured, median_s):
    program = [sys.executable, "-m", "mtm_core", *words.split()]
    seconds = median_s(lambda: subprocess.run(program, capture_output=True, check=True), runs=3)
    measured(f"mtm-core {words}", seconds, 0.5)


def bench_start_of_a_command_with_torch(table, measured, median_s):
    program = [sys.executable, "-m", "mtm_core", "evaluate", "demo", "steinmetz2019_s12"]
    program += ["--tasks", "forward_prediction", "--no-shuffle", "--threads", "1"]
    seconds = median_s(lambda: subprocess.run(program, capture_output=True, check=True), runs=1)
    measured("mtm-core evaluate demo steinmetz2019_s12, one task, from start to end", seconds)
    table.number("  most memory of any command so far", peak_of_children_mb(), "MB")


def bench_start_of_the_viewer(measured, median_s, tmp_path):
    program = [sys.executable, "-m", "mtm_viewer.app", "--demo", "--offscreen"]
    program += ["--screenshot", str(tmp_path / "window.png")]
    seconds = median_s(lambda: subprocess.run(program, capture_output=True, check=True), runs=1)
    measured("mtm-viewer --demo --offscreen, from start to its picture and end", seconds)


def peak_of_children_mb() -> float:
    """Return the most memory that a program started here has taken, in MB."""
    resource = pytest.importorskip("resource")  # not on Windows
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


def bench_opening_a_session(measured, median_s, tmp_path):
    session = make_session(n_trials=300, n_bins=40, n_units=900, mean_count=0.06)
    write_session(session, tmp_path / "large.h5")
    seconds = median_s(lambda: read_session(tmp_path / "large.h5"))
    measured("open a session of 300 trials x 40 bins x 900 units", seconds, 1.0)


def bench_drawing_masks(measured, median_s):
    counts = torch.ones(32, 40, 1000)
    region = np.repeat([f"R{i}" for i in range(10)], 100)
    sampler = MaskSampler(MaskingConfig(), region)
    generator = torch_generator(0, "bench")
    seconds = median_s(lambda: sampler.draw(counts, generator), runs=50)
    measured("draw the masks of a batch of 32 x 40 x 1000", seconds, 0.0015)


def bench_training_step(measured, median_s):
    session = make_session(n_trials=32, n_bins=40, n_units=1000, mean_count=0.06)
    counts = collate(session, np.arange(32))
    config = load_preset("quick")
    model = build_model(config.model, SessionFacts(psth=counts.mean(0)))
    sampler = MaskSampler(config.masking, session.region)
    generator = torch_generator(0, "bench")

    def step() -> None:
        batch = sampler.draw(counts, generator)
        poisson_loss(model(batch), batch).backward()

    measured("mask, forward and backward of the preset quick, 32 x 40 x 1000", median_s(step, 20))
