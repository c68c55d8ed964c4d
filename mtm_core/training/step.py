"""One optimiser step: a batch, its masks and its gradient, in as many parts as memory asks for.

A batch may be computed part by part, each some of its trials: the gradients add up to that of the
whole batch but for rounding. Masks are drawn for the whole batch; dropout is drawn part by part.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.losses import poisson_loss
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.training.optim import clip_gradients, learning_rate
from mtm_core.training.randomness import mask_generator, seeded
from mtm_core.training.setup import Workbench


class StepMade(NamedTuple):
    """What came of a step.

    Parameters
    ----------
    loss : float
        Of the whole batch.
    lr : float
        Learning rate.
    grad_norm : float
        Norm of the gradient before clipping.
    data_seconds : float
        How long it waited until its counts (uint8) lay on the device.
    """

    loss: float
    lr: float
    grad_norm: float
    data_seconds: float

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient are numbers; if not, the weights are those before."""
        return math.isfinite(self.loss) and math.isfinite(self.grad_norm)


def make_step(bench: Workbench, step: int, n_parts: int) -> StepMade | None:
    """Make one optimiser step.

    Parameters
    ----------
    bench : Workbench
        Model, data, optimiser; its weights are changed.
    step : int
        Number of the step, from 0.
    n_parts : int
        Parts to compute the batch in.

    Returns
    -------
    StepMade or None
        None if the device ran out of memory: nothing was changed, try with more parts.
    """
    config = bench.config.optim
    started = time.perf_counter()
    session, counts = bench.take_batch(step)
    data_seconds = time.perf_counter() - started
    batch = session.sampler.draw(counts.float(), mask_generator(bench.config.run.seed, step))
    loss = bench.team.combine(bench.parameters, add_gradients(bench, step, batch, n_parts))
    if loss is None:
        bench.optimizer.zero_grad()
        return None
    lr = learning_rate(step, bench.n_steps, config)
    for group in bench.optimizer.param_groups:
        group["lr"] = lr
    norm = clip_gradients(bench.parameters, config.clip_norm)
    loss_value, norm_value = torch.stack([loss, norm]).tolist()
    made = StepMade(loss_value, lr, norm_value, data_seconds)
    if made.is_finite:
        bench.optimizer.step()
    bench.optimizer.zero_grad()
    if made.is_finite:
        bench.average.update(step + 1)
    return made


def add_gradients(bench: Workbench, step: int, batch: MaskedBatch, n_parts: int) -> Tensor | None:
    """Add the gradient of each part that is ours to the parameters.

    Parameters
    ----------
    bench : Workbench
        Model and optimiser.
    step : int
        Number of the step, from 0.
    batch : MaskedBatch
        The whole batch.
    n_parts : int
        Parts that it is cut into, of all processes together.

    Returns
    -------
    Tensor or None
        Our share of the loss; None if memory ran out.
    """
    seed, total = bench.config.run.seed, batch.inputs.new_zeros(())
    try:
        for place, part in _parts(batch, n_parts):
            if place % bench.team.size != bench.team.rank:
                continue
            names = ("dropout", step) if n_parts == 1 else ("dropout", step, place)
            with seeded(bench.backend.device, seed, *names):
                loss = _loss(bench, step, batch, part)
                torch.autograd.backward(loss)
            total += loss.detach()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        return None
    return total


def _loss(bench: Workbench, step: int, batch: MaskedBatch, part: MaskedBatch) -> Tensor:
    """Return what a part contributes to the loss of its batch."""
    reduction = bench.config.optim.loss
    log_rate, penalty = bench.model.training_output(part, step / bench.n_steps)
    loss = poisson_loss(log_rate, part, reduction)
    if part is batch:
        # A penalty comes per scored entry, like the mean.
        return loss + (penalty * part.is_scored.sum() if reduction == "sum" else penalty)
    n_scored = part.is_scored.sum().clamp(min=1)
    if reduction == "sum":
        return loss + penalty * n_scored
    share = n_scored / batch.is_scored.sum().clamp(min=1)
    return loss * (len(part.inputs) / len(batch.inputs)) + penalty * share


def _parts(batch: MaskedBatch, n_parts: int) -> Iterator[tuple[int, MaskedBatch]]:
    """Cut a batch into parts of nearly equal size; those that would be empty are left out."""
    if n_parts == 1:
        yield 0, batch
        return
    n_trials = len(batch.inputs)
    for place in range(n_parts):
        rows = slice(place * n_trials // n_parts, (place + 1) * n_trials // n_parts)
        if rows.start < rows.stop:
            yield place, batch.take_trials(rows)
