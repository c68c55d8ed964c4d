"""What a GPU computes is what the CPU computes: scores of real recordings, trained models."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.session_file import read_session
from mtm_core.evaluation.tasks import predict_task, set_exam
from mtm_core.inference import AnswerMemory, Reconstructor
from mtm_core.masking.tasks import co_smoothing
from mtm_core.models.backend import probe_backend, use_backend
from mtm_core.models.checkpoint import load_checkpoint, split_part
from mtm_core.resources import checkpoint_path, session_path
from mtm_core.training.events import RunFinished
from mtm_core.training.loop import train
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU"),
]
N_TRIALS = 12


def task_scores(device, checkpoint_name, session_name, n_trials=N_TRIALS):
    """Score some test trials of the four tasks: pooled bits per spike by task."""
    session = read_session(session_path(session_name))
    checkpoint = load_checkpoint(checkpoint_path(checkpoint_name), "cpu", session.session_id)
    bound = Reconstructor(checkpoint, session, device=device, memory=AnswerMemory(max_bytes=0))
    train_part, val, test = (
        split_part(checkpoint.manifest, bound.session, part) for part in ("train", "val", "test")
    )
    exam = set_exam(bound.session, train=train_part, val=val, trials=test[:n_trials])
    scores = {}
    with use_backend(probe_backend(device)):
        for name, plan in exam.plans.items():
            answer = predict_task(bound, plan, exam.trials)
            scores[name] = exam.truths[name].score(answer).overall.bps_pooled
    return scores


@pytest.mark.parametrize(
    ("checkpoint", "session"), [("demo", "steinmetz2019_s12"), ("multi", "steinmetz2019_s17")]
)
def test_bundled_models_score_alike_on_real_sessions(checkpoint, session):
    there = task_scores("cuda", checkpoint, session)
    here = task_scores("cpu", checkpoint, session)
    assert there.keys() == here.keys()
    for name, score in there.items():
        assert score == pytest.approx(here[name], abs=1e-3), name


@pytest.mark.parametrize("preset", ["quick", "recommended"])
def test_training_on_a_real_session_ends_alike(preset, tmp_path):
    session = read_session(session_path("steinmetz2019_s12"))
    ends = {}
    for device in ("cuda", "cpu"):
        config = apply_overrides(
            load_preset(preset),
            [("run.device", device), ("optim.steps", "10"), ("run.validate_every", "10")],
        )
        *_, last = train(config, [session], tmp_path / device)
        assert isinstance(last, RunFinished)
        ends[device] = last.bps
    assert ends["cuda"] == pytest.approx(ends["cpu"], abs=5e-3)


def test_where_memory_is_short_the_answer_comes_in_smaller_pieces(caplog):
    session = make_session(n_trials=30, n_bins=100, n_units=400)
    config = apply_overrides(
        load_preset("paper-ndt1-mtm"), [("model.width", "256"), ("model.layers", "2")]
    )
    checkpoint = make_checkpoint(session, config, noise=0.01)
    trials = np.arange(4)

    def answer():
        bound = Reconstructor(checkpoint, session, device="cuda", memory=AnswerMemory(max_bytes=0))
        return bound.complete(co_smoothing(), trials).log_rate

    gc.collect()
    torch.cuda.empty_cache()
    others = torch.cuda.memory_reserved()
    torch.cuda.reset_peak_memory_stats()
    enough = answer()
    used = torch.cuda.max_memory_reserved() - others
    gc.collect()
    torch.cuda.empty_cache()
    total = torch.cuda.get_device_properties(0).total_memory
    try:
        torch.cuda.set_per_process_memory_fraction((others + 0.6 * used) / total)
        with caplog.at_level("WARNING"):
            short = answer()
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    assert "memory ran out" in caplog.text
    np.testing.assert_allclose(short, enough, atol=1e-4)
