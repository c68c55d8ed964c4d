from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import RunConfig
from mtm_core.data.batch import collate
from mtm_core.data.session_file import read_session
from mtm_core.evaluation.tasks import Exam, predict_task, set_exam
from mtm_core.inference import AnswerMemory, Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.tasks import co_smoothing, forward_prediction, inter_region, intra_region
from mtm_core.models import passes
from mtm_core.models.backend import Backend, probe_run, use_backend
from mtm_core.models.checkpoint import load_checkpoint, split_part
from mtm_core.models.piecework import Piecework
from mtm_core.models.spike_model import SpikeModel
from mtm_core.resources import checkpoint_path, session_path
from tests.bench.conftest import side_by_side
from tests.bench.plain_twin import PlainNdt1
from tests.bench.shapes import REGIONS, ibl_session, linear_config, paper_checkpoint
from tests.core.checkpoints import make_checkpoint

N_UNITS, N_BINS, N_TRIALS = 600, 100, 8
SAMPLE = 16
"""Units that stand for all 600, evenly chosen: two pieces of work for each trial."""
EVALUATED_TRIALS = 60
FP32 = probe_run(RunConfig(device="cpu", threads=1))
BF16 = replace(FP32, precision="bf16")
TRIALS = np.arange(N_TRIALS)


@pytest.fixture(scope="module")
def paper():
    """Bind a model of the paper's size to a session of the paper's size."""
    session = ibl_session(60, N_BINS, N_UNITS)
    bound = Reconstructor(paper_checkpoint(session), session, memory=AnswerMemory(max_bytes=0))
    return bound, PlainNdt1(bound.checkpoint.model).eval()


def sampled(spec: MaskSpec, bound: Reconstructor) -> MaskSpec:
    """Score some of the units that a mask scores in turn."""
    scored = bound.resolve(spec).scored_units
    chosen = scored[np.linspace(0, len(scored) - 1, SAMPLE).astype(int)]
    return replace(spec, scored=(Block(UnitChoice.these(bound.session.unit_id[chosen])),))


def plain(bound: Reconstructor, twin: PlainNdt1, spec: MaskSpec) -> np.ndarray:
    """Answer as published: the plain twin, a pass of all trials for each unit, all rows read."""
    mask = bound.resolve(spec)
    prompt, counts = prompt_index(mask.prompt), collate(bound.session, TRIALS)
    answers = np.zeros(counts.shape, dtype=np.float32)
    turns = mask.scored_units if mask.one_at_a_time else [None]
    with torch.no_grad():
        for unit in turns:
            is_hidden = torch.tensor(mask.is_hidden)
            if unit is not None:
                is_hidden[:, unit] = True
            chosen = slice(None) if unit is None else unit
            log_rate = twin(counts * ~is_hidden, prompt, is_causal=mask.is_causal)
            answers[..., chosen] = log_rate[..., chosen].numpy()
    return answers


def ours(bound: Reconstructor, spec: MaskSpec, backend: Backend) -> np.ndarray:
    """Answer as `Piecework` does where all units are scored, but the sampled ones alone."""
    mask, model = bound.resolve(spec), bound.checkpoint.model
    work = Piecework(model, bound.session)
    with use_backend(backend):
        if not mask.one_at_a_time:
            return np.concatenate(
                [work.answer(mask, rows, lambda: False) for rows in work.cut(mask, TRIALS, 4)]
            )
        size = passes.turns_per_piece(model, N_BINS, mask, work.device)
        answers = np.zeros((N_TRIALS, N_BINS, bound.session.n_units), dtype=np.float32)
        for trial in TRIALS:
            in_turn = passes.units_in_turn(model, collate(bound.session, np.array([trial])), mask)
            for units in passes.unit_chunks(mask, size, work.device):
                answers[trial][:, units] = in_turn(units)[0].numpy()
        return answers


def agree(bound: Reconstructor, twin: PlainNdt1, spec: MaskSpec) -> None:
    """Check the shortcuts against the plain twin, to 1e-5 in log-rate."""
    scored = bound.resolve(spec).is_scored
    error = np.abs(ours(bound, spec, FP32) - plain(bound, twin, spec))[:, scored]
    assert error.max() < 1e-5, f"{error.max():.1e}"


def bench_exact_co_smoothing(table, paper):
    bound, twin = paper
    spec = sampled(co_smoothing(), bound)
    agree(bound, twin, spec)
    seconds = side_by_side(
        {
            "plain": lambda: plain(bound, twin, spec),
            "fp32": lambda: ours(bound, spec, FP32),
            "bf16": lambda: ours(bound, spec, BF16),
        },
        rounds=2,
    )
    silent = (bound.session.counts[TRIALS].sum(axis=1) == 0).mean()
    what = f"exact co-smoothing of {N_UNITS} units, paper's shape: plain loop over ours"
    table.ratio(f"{what}, fp32", seconds["plain"] / seconds["fp32"], least=2.0)
    table.ratio(f"{what}, bf16", seconds["plain"] / seconds["bf16"], least=3.5)
    table.share("  pairs of trial and unit without a spike there", silent)
    scale = N_UNITS / SAMPLE
    what = f"  ours for {N_TRIALS} trials, fp32 (from {SAMPLE} units)"
    table.seconds(what, scale * seconds["fp32"])


def bench_four_tasks(table, paper):
    """All four tasks of a session of 60 trials, from samples of trials, units and regions."""
    bound, twin = paper
    parts = {
        sampled(co_smoothing(), bound): N_UNITS / SAMPLE,
        sampled(intra_region("LP"), bound): N_UNITS / SAMPLE,
        inter_region("LP"): len(REGIONS),
        forward_prediction(N_BINS): 1,
    }
    works: dict[object, Callable[[], object]] = {}
    for spec in parts:
        agree(bound, twin, spec)
        works[("plain", spec)] = lambda spec=spec: plain(bound, twin, spec)
        works[("fp32", spec)] = lambda spec=spec: ours(bound, spec, FP32)
        works[("bf16", spec)] = lambda spec=spec: ours(bound, spec, BF16)
    seconds = side_by_side(works, rounds=1)
    total = {
        way: sum(scale * seconds[(way, spec)] for spec, scale in parts.items())
        * (EVALUATED_TRIALS / N_TRIALS)
        for way in ("plain", "fp32", "bf16")
    }
    size = f"{EVALUATED_TRIALS} trials, {N_UNITS} units, paper's shape"
    what = f"four tasks, {size}: as published over ours"
    table.ratio(f"{what}, fp32", total["plain"] / total["fp32"], least=3.0)
    table.ratio(f"{what}, bf16", total["plain"] / total["bf16"], least=3.0)
    table.seconds("  ours, fp32 (from the samples)", total["fp32"])


def demo_exam() -> tuple[Reconstructor, Exam]:
    """Bind the bundled model to its session, and set all tasks on its test trials."""
    session = read_session(session_path("steinmetz2019_s12"))
    checkpoint = load_checkpoint(checkpoint_path("demo"), "cpu", session.session_id)
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    train, val, test = (
        split_part(checkpoint.manifest, bound.session, part) for part in ("train", "val", "test")
    )
    return bound, set_exam(bound.session, train=train, val=val, trials=test)


def bench_four_tasks_of_the_demo(table):
    """The bundled model on the test trials of its session: whole, nothing sampled."""
    session = read_session(session_path("steinmetz2019_s12"))
    checkpoint = load_checkpoint(checkpoint_path("demo"), "cpu", session.session_id)
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    parts = {
        p: split_part(checkpoint.manifest, bound.session, p) for p in ("train", "val", "test")
    }
    exam = set_exam(bound.session, train=parts["train"], val=parts["val"], trials=parts["test"])

    def all_tasks(backend: Backend) -> None:
        with use_backend(backend):
            for plan in exam.plans.values():
                predict_task(bound, plan, exam.trials)

    chosen = np.arange(0, bound.session.n_units, 50)
    counts = collate(bound.session, exam.trials)

    def loop() -> None:
        model, nothing = bound.checkpoint.model, torch.zeros(counts.shape[1:], dtype=torch.bool)
        SpikeModel.in_turn(model, counts, nothing, prompt_index("neuron"))(
            torch.from_numpy(chosen)
        )

    seconds = side_by_side({"loop": loop, "ours": lambda: all_tasks(FP32)}, rounds=2)
    intra = exam.plans["intra_region"].is_scored[0].sum()
    passes = bound.session.n_units + intra
    estimate = seconds["loop"] * passes / len(chosen)
    what = f"four tasks, bundled model, {len(exam.trials)} trials, {bound.session.n_units} units"
    table.ratio(f"{what}: a pass per unit over ours", estimate / seconds["ours"], least=3.0)
    table.seconds("  ours", seconds["ours"])


def bench_preview(table, paper):
    """The preview in 20 folds against exact answers, at the paper's shape and at `quick`'s."""
    session = ibl_session(60, 40, 698)
    small = make_checkpoint(session, linear_config(), noise=0.05)
    quick = Reconstructor(small, session, memory=AnswerMemory(max_bytes=0))
    sample = sampled(co_smoothing(), paper[0])
    preview_against(
        table, "paper's shape", paper[0], lambda: ours(paper[0], sample, FP32), N_UNITS / SAMPLE
    )
    preview_against(
        table, "`quick`, linear", quick, lambda: quick.complete(co_smoothing(), TRIALS), 1.0
    )


def preview_against(
    table, name: str, bound: Reconstructor, exact: Callable[[], object], scale: float
) -> None:
    work, mask = Piecework(bound.checkpoint.model, bound.session), bound.resolve(co_smoothing())
    assert work.is_preview_worth(mask)

    def preview() -> None:
        for rows in work.cut_preview(mask, TRIALS):
            work.preview(mask, rows)

    with use_backend(FP32):
        seconds = side_by_side({"exact": exact, "preview": preview}, rounds=2)
    what = f"preview in 20 folds, {bound.session.n_units} units, {name}: exact over preview"
    table.ratio(what, scale * seconds["exact"] / seconds["preview"], least=20.0)


def bench_preview_agrees(table):
    """The bundled model and session: do units rank alike? Its exact answers need no preview."""
    bound, exam = demo_exam()
    truth, plan = exam.truths["co_smoothing"], exam.plans["co_smoothing"]
    work, mask = Piecework(bound.checkpoint.model, bound.session), bound.resolve(co_smoothing())
    with use_backend(FP32):
        exact = truth.score(predict_task(bound, plan, exam.trials)).units.bps
        pieces = [work.preview(mask, rows) for rows in work.cut_preview(mask, exam.trials)]
        folds = truth.score(np.concatenate(pieces)).units.bps
    valid = exact.is_valid & folds.is_valid
    r = np.corrcoef(exact.values[valid], folds.values[valid])[0, 1]
    what = f"preview: correlation over {valid.sum()} units with exact bits per spike (session 12)"
    table.number(what, r, "", least=0.995)
