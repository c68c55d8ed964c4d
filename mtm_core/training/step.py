"""One optimiser step: its batches, their masks and gradient, in as many parts as memory asks for.

A step has a batch of one session, or one of each of several. A batch may be computed part by part,
each some of its trials: the gradients add up to that of the whole batch but for rounding. Masks
are drawn for the whole batch; dropout is drawn part by part.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import torch
from torch import Tensor

from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.losses import poisson_loss
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.training.distributed import Team
from mtm_core.training.optim import clip_gradients, learning_rate
from mtm_core.training.randomness import seeded
from mtm_core.training.workbench import Workbench


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


def parts_for_all(bench: Workbench, n_parts: int) -> int:
    """Return in how many parts to compute each batch, so that all processes have equally many.

    Parameters
    ----------
    bench : Workbench
        Says how many processes and sessions there are.
    n_parts : int
        As many at least.
    """
    size = bench.team.size
    return n_parts + -n_parts % (size // math.gcd(bench.config.optim.sessions_per_step, size))


def make_step(bench: Workbench, step: int, n_parts: int) -> StepMade | None:
    """Make one optimiser step.

    Parameters
    ----------
    bench : Workbench
        Model, data, optimiser; its weights are changed.
    step : int
        Number of the step, from 0.
    n_parts : int
        Parts to compute each batch in; see `parts_for_all`.

    Returns
    -------
    StepMade or None
        None if the device ran out of memory: nothing was changed, try with more parts.
    """
    config = bench.config.optim
    waited = bench.batches.seconds
    several = config.sessions_per_step > 1
    given = (_of_several_sessions if several else _of_one_session)(bench, step, n_parts)
    loss = bench.team.combine(bench.parameters, given)
    if loss is None:
        bench.optimizer.zero_grad()
        return None
    if several:
        loss = _weigh(bench, loss)
    lr = learning_rate(step, bench.n_steps, config)
    for group in bench.optimizer.param_groups:
        group["lr"] = lr
    norm = clip_gradients(bench.parameters, config.clip_norm)
    waited = bench.batches.seconds - waited
    if step + 1 < bench.n_steps:
        bench.batches.prepare(step + 1)
    loss_value, norm_value = torch.stack([loss, norm]).tolist()
    made = StepMade(loss_value, lr, norm_value, waited)
    if made.is_finite:
        bench.optimizer.step()
    bench.optimizer.zero_grad()
    if made.is_finite:
        bench.average.update(step + 1)
    return made


def _of_one_session(bench: Workbench, step: int, n_parts: int) -> Tensor | None:
    """Add the gradients of our parts of a batch; return our share of its loss."""
    own = _own_parts(0, 1, n_parts, bench.team)
    return add_gradients(bench, step, bench.batches.take(step), n_parts, own)


def _of_several_sessions(bench: Workbench, step: int, n_parts: int) -> Tensor | None:
    """Add the gradients of our parts of several batches, each times what it scores.

    Returns
    -------
    Tensor or None, shape (2,)
        Our share of the loss, times what is scored, and of what is scored.
    """
    config, team = bench.config.optim, bench.team
    total = torch.zeros(2, device=bench.backend.device)
    for place in range(config.sessions_per_step):
        own = _own_parts(place, config.sessions_per_step, n_parts, team)
        if not own:
            continue
        batch = bench.batches.take(step, place)
        weight = batch.is_scored.sum().float() if config.loss == "mean" else total.new_ones(())
        loss = add_gradients(bench, step, batch, n_parts, own, place=place, weight=weight)
        if loss is None:
            return None
        total += torch.stack([loss, weight if own.start == 0 else weight * 0])
    return total


def _own_parts(place: int, n_sessions: int, n_parts: int, team: Team) -> range:
    """Return which parts of a batch of a step are ours: those of few sessions, side by side."""
    n_all = n_sessions * n_parts
    first, last = (n_all * rank // team.size for rank in (team.rank, team.rank + 1))
    before = place * n_parts
    return range(max(first - before, 0), min(max(last - before, 0), n_parts))


def _weigh(bench: Workbench, total: Tensor) -> Tensor:
    """Return the loss of several sessions, and make their gradients those of it."""
    if bench.config.optim.loss == "sum":
        return total[0]
    share = 1 / total[1].clamp(min=1)
    torch._foreach_mul_([p.grad for p in bench.parameters if p.grad is not None], share)
    return total[0] * share


def add_gradients(
    bench: Workbench,
    step: int,
    batch: MaskedBatch,
    n_parts: int,
    own: range | None = None,
    *,
    place: int = 0,
    weight: Tensor | None = None,
) -> Tensor | None:
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
    own : range or None
        Those that are ours; None for all.
    place : int
        Which of the batches of the step it is.
    weight : Tensor or None
        What loss and gradient are multiplied by; None for 1.

    Returns
    -------
    Tensor or None
        Our share of the loss; None if memory ran out.
    """
    seed, total = bench.config.run.seed, batch.inputs.new_zeros(())
    own = range(n_parts) if own is None else own
    share = batch.inputs.new_tensor(step / bench.n_steps)
    try:
        if n_parts == 1 and bench.graphs is not None:
            loss_of = partial(_whole_loss, bench)
            return bench.graphs.add_gradients(loss_of, batch, share, seed, "dropout", step)
        for part_place, part in _parts(batch, n_parts):
            if part_place not in own:
                continue
            names = ("dropout", step) if n_parts == 1 else ("dropout", step, part_place)
            if place:
                names = (*names, f"session {place}")
            with seeded(bench.backend.device, seed, *names):
                loss = _loss(bench, share, batch, part)
                loss = loss if weight is None else loss * weight
                torch.autograd.backward(loss)
            total += loss.detach()
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise
        if bench.graphs is not None:
            bench.graphs.clear()
        return None
    return total


def _whole_loss(bench: Workbench, batch: MaskedBatch, share: Tensor) -> Tensor:
    return _loss(bench, share, batch, batch)


def _loss(bench: Workbench, share: Tensor, batch: MaskedBatch, part: MaskedBatch) -> Tensor:
    """Return what a part contributes to the loss of its batch; `share` of the run is done."""
    reduction = bench.config.optim.loss
    log_rate, penalty = bench.model.training_output(part, share)
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
