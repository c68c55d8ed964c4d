"""What a GPU makes of it; not measured where there is none."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from mtm_core.config_io import apply_overrides, load_preset
from mtm_core.data.batch import collate
from mtm_core.data.session_file import read_session
from mtm_core.inference import AnswerMemory, Reconstructor
from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.masking.tasks import co_smoothing, intra_region
from mtm_core.models.backend import probe_backend, use_backend
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.losses import poisson_loss
from mtm_core.models.passes import on_device
from mtm_core.models.piecework import Piecework
from mtm_core.resources import checkpoint_path, session_path
from mtm_core.training.setup import prepare
from mtm_core.training.step import add_gradients, make_step
from tests.bench.plain_twin import PlainNdt1
from tests.bench.shapes import ibl_session, paper_checkpoint

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA GPU")
SHAPES = ((1632, 512, 1024), (1632, 512, 1536), (8192, 8192, 8192))
"""Products whose speed is taken for the peak: two of the step itself, and a large square one."""
N_STEPS, N_BATCHES = 20, 40
N_UNITS, N_TRIALS = 600, 8


def in_turn(works: Mapping[object, Callable[[], object]], rounds: int = 5) -> dict[object, float]:
    """Time works in turn, round by round, until the GPU is done: medians in s."""
    seconds: dict[object, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()
    for _, (name, work) in itertools.product(range(rounds), works.items()):
        torch.cuda.synchronize()
        started = time.perf_counter()
        work()
        torch.cuda.synchronize()
        seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(each) for name, each in seconds.items()}


def steps_of(preset: str, session, **changes: str):
    """Return what makes some training steps, and their workbench."""
    typed = [(name.replace("__", "."), value) for name, value in changes.items()]
    config = apply_overrides(load_preset(preset), [("run.device", "cuda"), *typed])
    backend = probe_backend("cuda", precision=config.run.precision)
    bench, number = prepare(config, [session], backend), itertools.count()
    waits: list[float] = []

    def work() -> None:
        with use_backend(backend):
            for _ in range(N_STEPS):
                waits.append(make_step(bench, next(number) % N_BATCHES, 1).data_seconds)

    return work, bench, waits


def plain_steps():
    """Return the same number of steps of the plain twin, with PyTorch's own optimiser."""
    session = ibl_session(128, 100, 668)
    twin = PlainNdt1(paper_checkpoint(session).model).cuda().train()
    twin.mask, twin.offset = twin.mask.cuda(), twin.offset.cuda()
    optimizer = torch.optim.AdamW(twin.parameters(), lr=1e-4)
    counts = collate(session, np.arange(16), "cuda")
    hidden = (torch.arange(668, device="cuda") % 10 < 3).expand_as(counts)
    index = torch.full((16,), prompt_index("neuron"), device="cuda")
    batch = mask_counts(counts, hidden, hidden, index, index == prompt_index("causal"), "s")

    def work() -> None:
        for _ in range(N_STEPS):
            loss = poisson_loss(twin(batch.inputs, prompt_index("neuron")), batch, "sum")
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()

    return work


def bench_training_step_at_the_papers_shape(table):
    session = ibl_session(128, 100, 668)
    works: dict[object, Callable[[], object]] = {"plain": plain_steps()}
    for precision, graphs in itertools.product(("fp32", "bf16"), ("off", "auto")):
        work, bench, waits = steps_of(
            "paper-ndt1-mtm", session, run__precision=precision, run__cuda_graphs=graphs
        )
        works[(precision, graphs)] = work
        if (precision, graphs) == ("fp32", "auto"):
            measured = bench, waits
    for dtype, shape in itertools.product((torch.float32, torch.bfloat16), SHAPES):
        left, right = (
            torch.randn(pair, device="cuda").to(dtype) for pair in (shape[:2], shape[1:])
        )
        works[(dtype, shape)] = lambda left=left, right=right: [left @ right for _ in range(20)]
    seconds = in_turn(works)
    bench, waits = measured
    batch = bench.batches.take(0)
    graphs_off = replace(bench, graphs=None)
    with FlopCounterMode(display=False) as counter:
        add_gradients(graphs_off, 0, batch, 1)
    flops = counter.get_total_flops()
    what = "GPU: training step, paper's shape (B = 16): plain PyTorch twin over ours"
    for precision, dtype in (("fp32", torch.float32), ("bf16", torch.bfloat16)):
        ours = seconds[(precision, "auto")] / N_STEPS
        table.ratio(f"{what}, {precision}", seconds["plain"] / seconds[(precision, "auto")])
        table.ratio(
            f"  captured steps ({precision}): not captured over captured",
            seconds[(precision, "off")] / seconds[(precision, "auto")],
        )
        for shape in SHAPES[1:]:
            rate = 20 * 2 * np.prod(shape, dtype=float) / seconds[(dtype, shape)]
            words = f"  share of the rate of a {shape} {precision} product"
            table.share(f"{words} ({rate / 1e12:.0f} TFLOP/s)", flops / ours / rate)
        table.seconds(f"  our step, {precision}", ours)
    wait = sum(waits) / len(waits) / (seconds[("fp32", "auto")] / N_STEPS)
    table.share("  share of a step in which the GPU waits for data, fp32", wait, most=0.01)


@pytest.mark.parametrize(
    ("preset", "session"),
    [
        ("quick", "steinmetz2019_s12"),
        ("recommended", "steinmetz2019_s12"),
        ("lfads-quick", "steinmetz2019_s12"),
        ("paper-ndt2-mtm", None),
    ],
)
def bench_captured_steps(table, preset, session):
    recording = (
        ibl_session(64, 100, 668) if session is None else read_session(session_path(session))
    )
    works = {
        graphs: steps_of(preset, recording, run__cuda_graphs=graphs)[0]
        for graphs in ("off", "auto")
    }
    seconds = in_turn(works, rounds=3)
    table.ratio(
        f"GPU: training step of `{preset}`: not captured over captured",
        seconds["off"] / seconds["auto"],
    )
    table.seconds("  captured", seconds["auto"] / N_STEPS)


def bench_exact_co_smoothing(table):
    """All units one at a time, at the paper's shape, and the preview of it."""
    session = ibl_session(60, 100, N_UNITS)
    checkpoint = paper_checkpoint(session)
    there = Reconstructor(checkpoint, session, device="cuda", memory=AnswerMemory(max_bytes=0))
    twin = PlainNdt1(checkpoint.model).cuda().eval()
    twin.mask, twin.offset = twin.mask.cuda(), twin.offset.cuda()
    rows = np.arange(N_TRIALS)
    counts = collate(session, rows, "cuda")
    sample = range(0, N_UNITS, 20)

    @torch.no_grad()
    def plain() -> None:
        for unit in sample:
            visible = counts.clone()
            visible[:, :, unit] = 0
            twin(visible, prompt_index("neuron"))[..., unit].cpu()

    mask = there.resolve(co_smoothing())
    work = Piecework(on_device(checkpoint.model, "cuda"), session)

    def preview() -> None:
        for some in work.cut_preview(mask, rows):
            work.preview(mask, some)

    def ours(precision: str) -> Callable[[], object]:
        backend = probe_backend("cuda", precision=precision)

        def run() -> None:
            with use_backend(backend):
                there.complete(co_smoothing(), rows)

        return run

    works = {"plain": plain, "fp32": ours("fp32"), "bf16": ours("bf16"), "preview": preview}
    seconds = in_turn(works, rounds=3)
    loop = seconds["plain"] * N_UNITS / len(sample)
    what = f"GPU: exact co-smoothing of {N_UNITS} units, paper's shape: plain loop over ours"
    table.ratio(f"{what}, fp32", loop / seconds["fp32"])
    table.ratio(f"{what}, bf16", loop / seconds["bf16"])
    table.ratio("GPU: exact over preview in 20 folds, fp32", seconds["fp32"] / seconds["preview"])
    table.seconds(f"  ours for {N_TRIALS} trials, fp32", seconds["fp32"])


def bench_bundled_model(table):
    """One picture's answer of the bundled model: the GPU beside one thread of the CPU."""
    session = read_session(session_path("steinmetz2019_s12"))
    checkpoint = load_checkpoint(checkpoint_path("demo"), "cpu", session.session_id)
    works = {}
    for device in ("cpu", "cuda"):
        bound = Reconstructor(checkpoint, session, device=device, memory=AnswerMemory(max_bytes=0))
        region = str(bound.session.region[0])
        for name, spec in (("co_smoothing", co_smoothing()), ("intra", intra_region(region))):
            works[(device, name)] = lambda bound=bound, spec=spec: bound.complete(
                spec, np.arange(40)
            )
    seconds = in_turn(works, rounds=3)
    for name in ("co_smoothing", "intra"):
        what = f"GPU: bundled model, {name} of 40 trials: a CPU thread over the GPU"
        table.ratio(what, seconds[("cpu", name)] / seconds[("cuda", name)])
        table.seconds("  on the GPU", seconds[("cuda", name)])
