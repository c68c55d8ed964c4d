"""Every draw of a run as a function of its seed and the step, so that nothing need be stored.

A run that is stopped and resumed repeats its batches, masks and dropout because each step derives
them anew. Dropout reads torch's global generators: they are set for the step and put back after,
so that training neither disturbs other code nor is disturbed by it.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from mtm_core.seeding import derive_seed, numpy_generator, torch_generator


def trials_of_step(
    seed: int, session_id: str, n_trials: int, batch_size: int, step: int
) -> NDArray[np.int64]:
    """Return the trials of a batch: the next ones of a stream of shuffled passes.

    Every trial is used once per pass and none is dropped to fill a batch; a batch may end one
    pass and begin the next.

    Parameters
    ----------
    seed : int
        The run's seed.
    session_id : str
        Sessions are shuffled independently.
    n_trials, batch_size : int
        Number of trials to choose from, and in the batch.
    step : int
        Number of the step, from 0.

    Returns
    -------
    ndarray of int64, shape (batch_size,)
        Indices below `n_trials`.

    Examples
    --------
    >>> two = [trials_of_step(0, "s", 4, 2, step) for step in range(2)]
    >>> sorted(int(i) for batch in two for i in batch)
    [0, 1, 2, 3]
    """
    first, last = step * batch_size, (step + 1) * batch_size - 1
    passes = range(first // n_trials, last // n_trials + 1)
    orders = [_order_of_pass(seed, session_id, n_trials, number) for number in passes]
    start = first - passes[0] * n_trials
    return np.concatenate(orders)[start : start + batch_size]


@functools.lru_cache(maxsize=1024)
def _order_of_pass(seed: int, session_id: str, n_trials: int, number: int) -> NDArray[np.int64]:
    """Return the order of trials in a pass; drawn once, as a pass lasts for many steps."""
    order = numpy_generator(seed, "order", session_id, number).permutation(n_trials)
    order.flags.writeable = False
    return order


def mask_generator(seed: int, step: int, place: int = 0) -> torch.Generator:
    """Return the generator of the masks of a step, of the session at this place in it.

    It is the CPU's, so that all devices see the same masks.
    """
    return torch_generator(seed, "masks", step, *((place,) if place else ()))


@contextlib.contextmanager
def seeded(device: str, seed: int, *names: str | int) -> Iterator[None]:
    """Set torch's global generators inside the block, and put them back after it.

    Parameters
    ----------
    device : str
        Where the block computes.
    seed : int
        The run's seed.
    *names : str or int
        What the draws are for.
    """
    with contextlib.ExitStack() as stack:
        stack.callback(torch.set_rng_state, torch.get_rng_state())
        torch.set_rng_state(torch_generator(seed, *names).get_state())
        kind, _, index = device.partition(":")
        if kind == "cuda":
            number = int(index or 0)
            stack.callback(torch.cuda.set_rng_state, torch.cuda.get_rng_state(number), number)
            torch.cuda.default_generators[number].manual_seed(derive_seed(seed, *names))
        elif kind == "mps":
            stack.callback(torch.mps.set_rng_state, torch.mps.get_rng_state())
            torch.mps.manual_seed(derive_seed(seed, *names))
        yield
