"""Random generators from one seed: the only source of randomness in the project."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch


def derive_seed(seed: int, *names: str | int) -> int:
    """Derive an independent seed for a named purpose.

    Parameters
    ----------
    seed : int
        The run's seed.
    *names : str or int
        What the seed is for, for example ``("split", session_id)``.

    Returns
    -------
    int
        A seed in ``[0, 2**63)``, the same on every machine.

    Examples
    --------
    >>> derive_seed(1, "split") == derive_seed(1, "split")
    True
    >>> derive_seed(1, "split") == derive_seed(1, "masks")
    False
    """
    text = "/".join([str(seed), *map(str, names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1


def numpy_generator(seed: int, *names: str | int) -> np.random.Generator:
    """Make a numpy generator for a named purpose."""
    return np.random.default_rng(derive_seed(seed, *names))


def torch_generator(seed: int, *names: str | int) -> torch.Generator:
    """Make a CPU torch generator for a named purpose."""
    import torch  # late: much that draws by numpy alone starts without torch

    return torch.Generator().manual_seed(derive_seed(seed, *names))
