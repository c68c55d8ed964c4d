from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from mtm_core.config import RunConfig
from mtm_core.config_io import load_preset
from mtm_core.data.batch import collate
from mtm_core.data.session_file import read_session, write_session
from mtm_core.inference import AnswerMemory, Reconstructor
from mtm_core.masking.mixture import MaskSampler
from mtm_core.masking.tasks import co_smoothing, inter_region
from mtm_core.models.backend import probe_run, use_backend
from mtm_core.models.losses import poisson_loss
from mtm_core.seeding import torch_generator
from tests.bench.conftest import side_by_side
from tests.bench.shapes import ibl_session, linear_config
from tests.core.checkpoints import make_checkpoint

BASE = {"n_trials": 60, "n_bins": 100, "n_units": 600}
SWEEPS = {"n_units": (200, 600, 2000), "n_bins": (40, 100, 400), "n_trials": (60, 240, 960)}
BACKEND = probe_run(RunConfig(device="cpu", threads=1))


@pytest.mark.parametrize("axis", SWEEPS)
def bench_scaling(axis, table, tmp_path):
    """How the time of each kind of work grows with a session, one axis at a time."""
    works = {}
    for size in SWEEPS[axis]:
        session = ibl_session(**BASE | {axis: size})
        write_session(session, tmp_path / f"{size}.h5")
        path = tmp_path / f"{size}.h5"
        works[("open the session", size)] = lambda path=path: read_session(path)
        if axis == "n_trials":  # the others take batches of trials, however many there are
            continue
        step, exact, region = tasks(session)
        works[("training step, linear `quick`, B = 16", size)] = step
        works[("exact co-smoothing of a trial", size)] = exact
        works[("reconstruct 4 trials without a region", size)] = region
    with use_backend(BACKEND):
        seconds = side_by_side(works, rounds=2)
    smallest = SWEEPS[axis][0]
    for (what, size), value in seconds.items():
        growth = value / seconds[(what, smallest)]
        words = f"{what}, {size} {axis.removeprefix('n_')}"
        if size != smallest:
            words += f" ({growth:.1f} x for {size / smallest:.1f} x)"
        table.seconds(words, value)


def tasks(session):
    """Return a training step, an exact answer and a click, ready to be timed."""
    config = linear_config()
    bound = Reconstructor(
        make_checkpoint(session, config, noise=0.05), session, memory=AnswerMemory(max_bytes=0)
    )
    training = make_checkpoint(session, config, noise=0.05).model.train()
    sampler, counts = MaskSampler(config.masking, session.region), collate(session, np.arange(16))
    generator = torch_generator(0, "bench")

    def step() -> None:
        batch = sampler.draw(counts, generator)
        poisson_loss(training(batch), batch).backward()

    def exact() -> None:
        bound.complete(co_smoothing(), np.arange(1))

    def region() -> None:
        bound.complete(inter_region("LP"), np.arange(4))

    return step, exact, region


def bench_memory_of_answers(table):
    """What answers take: the growing answer and what is remembered, and no more."""
    session = ibl_session(60, 100, 600)
    checkpoint = make_checkpoint(session, load_preset("quick"), noise=0.05)
    bound = Reconstructor(checkpoint, session)
    bound.complete(inter_region("LP"), np.arange(1))
    tracemalloc.start()
    answer = bound.complete(co_smoothing(), np.arange(60))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    whole = answer.log_rate.nbytes
    table.number("peak memory of answering 60 trials, over the answer's own", peak / whole, "x")
