from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtm_core.config import RunConfig
from mtm_core.config_io import load_preset
from mtm_core.data.batch import collate
from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.models.backend import probe_run, use_backend
from mtm_core.models.family import Family
from mtm_core.models.losses import poisson_loss
from mtm_core.models.session_part import SessionFacts
from mtm_core.training.optim import make_optimizer
from tests.bench.conftest import side_by_side
from tests.bench.plain_twin import PlainNdt1
from tests.bench.shapes import ibl_session

N_UNITS, N_BINS, BATCH = 668, 100, 16
FP32 = probe_run(RunConfig(device="cpu", threads=1))
BF16 = replace(FP32, precision="bf16")
SHAPES = ((1632, 512, 1024), (1632, 512, 1536), (2048, 2048, 2048))
"""Products whose speed is taken for the peak: two of the step itself, and a large square one."""


def bench_training_step_at_the_papers_shape(table):
    """Forward, backward and AdamW of H = 512, N = 668, T = 100, B = 16, against a plain twin."""
    config = load_preset("paper-ndt1-mtm")
    session = ibl_session(BATCH, N_BINS, N_UNITS)
    counts = collate(session, np.arange(BATCH))
    family = Family(config.model, {"s": SessionFacts(psth=counts.mean(0))})
    model = family.member("s")
    hidden = (torch.arange(N_UNITS) % 10 < 3).expand_as(counts)
    index = torch.full((BATCH,), prompt_index("neuron"))
    batch = mask_counts(counts, hidden, hidden, index, torch.zeros(BATCH, dtype=torch.bool), "s")
    twin = PlainNdt1(model)
    agree(model, twin, batch)
    family.train()
    twin.train()
    ours = make_optimizer(family, config.optim)
    theirs = torch.optim.AdamW(twin.parameters(), lr=config.optim.lr)

    def plain() -> None:
        loss = poisson_loss(twin(batch.inputs, int(index[0])), batch, "sum")
        loss.backward()
        theirs.step()
        theirs.zero_grad()

    def step() -> None:
        poisson_loss(family(batch), batch, "sum").backward()
        ours.step()
        ours.zero_grad()

    def within(backend):
        def run() -> None:
            with use_backend(backend):
                step()

        return run

    works = {"plain": plain, "fp32": within(FP32), "bf16": within(BF16), **products()}
    seconds = side_by_side(works, rounds=4)
    with FlopCounterMode(display=False) as counter:
        step()
    report(table, seconds, counter.get_total_flops())


def agree(model, twin, batch) -> None:
    """Check that both compute the same, forwards and backwards, before they are timed."""
    model.eval()
    twin.eval()
    for each, output in ((model, model(batch)), (twin, twin(batch.inputs, int(batch.prompt[0])))):
        each.zero_grad()
        poisson_loss(output, batch, "sum").backward()
    with torch.no_grad():
        own, other = model(batch), twin(batch.inputs, int(batch.prompt[0]))
    assert (own - other).abs().max() < 1e-5
    gradient, expected = model.part.read_in.counts_in.weight.grad, twin.first.weight.grad
    assert (gradient - expected).abs().max() < 1e-4 * expected.abs().max()


def products() -> dict[str, object]:
    """Return the products whose speed is the peak, by precision and shape."""
    works = {}
    for backend, shape in itertools.product((FP32, BF16), SHAPES):
        dtype = torch.bfloat16 if backend is BF16 else torch.float32
        left, right = torch.randn(shape[:2]).to(dtype), torch.randn(shape[1:]).to(dtype)

        def multiply(left=left, right=right) -> None:
            with use_backend(FP32):
                for _ in range(5):
                    torch.mm(left, right)

        works[(backend.precision, shape)] = multiply
    return works


def report(table, seconds, flops) -> None:
    what = "training step, paper's shape (13 M weights, B = 16): plain PyTorch twin over ours"
    for precision, least, share in (("fp32", 1.6, 0.55), ("bf16", 2.5, 0.50)):
        peak = max(
            5 * 2 * rows * inner * columns / seconds[(precision, (rows, inner, columns))]
            for rows, inner, columns in SHAPES
        )
        table.ratio(f"{what}, {precision}", seconds["plain"] / seconds[precision], least)
        reached = flops / seconds[precision] / peak
        words = f"  share of the {precision} product peak of the same minute"
        table.share(f"{words} ({peak / 1e9:.0f} GFLOP/s)", reached, least=share)
    table.seconds("  our step, fp32", seconds["fp32"])
