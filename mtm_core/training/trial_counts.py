"""The counts that a run learns from: in memory, on the device, or in mapped files.

Where they lie changes no bit of what is computed from them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.config import RunConfig
from mtm_core.data.store import (
    Counts,
    CountSource,
    CountStore,
    HeldCounts,
    Rows,
    default_folder,
    pieces,
)

SHARE_OF_FREE = 0.25
"""How much of the free memory counts may take before the rest is mapped."""


class TrialCounts:
    """Counts of some trials of a session: of its training or validation trials.

    Parameters
    ----------
    source : CountSource
        The session's counts.
    rows : ndarray of int64
        Which of its trials.
    device : str
        Where batches are wanted.
    is_resident : bool
        Keep all of them on that device. On the CPU they are where they are.

    Examples
    --------
    >>> counts = np.arange(6, dtype=np.uint8).reshape(3, 1, 2)
    >>> some = TrialCounts(HeldCounts(counts), np.array([0, 2]), "cpu")
    >>> len(some), some.take(np.array([1])).tolist(), some.mean().tolist()
    (2, [[[4, 5]]], [[2.0, 3.0]])
    """

    def __init__(
        self, source: CountSource, rows: Rows, device: str, *, is_resident: bool = False
    ) -> None:
        self._source, self._rows, self._device = source, rows, device
        self._resident: Tensor | None = None
        if is_resident and device != "cpu":
            self._resident = torch.from_numpy(source.take(rows)).to(device)

    def __len__(self) -> int:
        return len(self._rows)

    def take(self, places: NDArray[Any] | slice) -> Tensor:
        """Return a copy of the counts of some of these trials, on the device.

        Parameters
        ----------
        places : ndarray of int64 or slice
            Which, counted among these trials.

        Returns
        -------
        Tensor, shape (len(places), n_bins, n_units), uint8
        """
        if self._resident is not None:
            if isinstance(places, slice):
                return self._resident[places].clone()
            return self._resident[torch.from_numpy(places).to(self._device)]
        return torch.from_numpy(self._source.take(self._rows[places])).to(self._device)

    def all(self) -> Tensor:
        """Return all of them as float32, on the device."""
        return self.take(slice(None)).float()

    def expect(self, places: Rows) -> None:
        """Say which are taken next, so that a disk can fetch them meanwhile."""
        if self._resident is None:
            self._source.expect(self._rows[places])

    def mean(self) -> Tensor:
        """Return the mean count of each bin and unit.

        Returns
        -------
        Tensor, shape (n_bins, n_units), float32
            On the CPU.
        """
        return torch.from_numpy(self._total()).float() / len(self)

    def unit_mean(self) -> Tensor:
        """Return the mean count per bin of each unit.

        Returns
        -------
        Tensor, shape (n_units,), float32
            On the device.
        """
        total = self._total()
        n_entries = len(self) * len(total)
        return (torch.from_numpy(total.sum(axis=0)).float() / n_entries).to(self._device)

    def _total(self) -> NDArray[np.int64]:
        """Add up the trials; sums are whole numbers, so that the pieces leave no trace."""
        total = np.zeros(self._source.array.shape[1:], dtype=np.int64)
        for piece in pieces(self._source.array):
            rows = self._rows[(self._rows >= piece.start) & (self._rows < piece.stop)]
            total += self._source.take(rows).sum(axis=0, dtype=np.int64)
        return total


class Room:
    """Decides where the counts of each session of a run lie, as they come.

    Parameters
    ----------
    config : RunConfig
        Says how.
    device : str
        Where the run computes.
    """

    def __init__(self, config: RunConfig, device: str) -> None:
        folder = default_folder() if config.store_dir is None else Path(config.store_dir)
        self.store = CountStore(folder.absolute(), int(config.store_gb * 1e9))
        self.n_mapped = 0
        self._how = config.store
        self._free = SHARE_OF_FREE * _free_bytes(device) if config.store == "auto" else 0.0

    def place(self, content_hash: str, factor: int, counts: Counts) -> CountSource:
        """Return the counts of a session at their place; see `CountStore.keep`."""
        if self._how == "memory" or (self._how == "auto" and counts.nbytes <= self._free):
            self._free -= counts.nbytes
            return HeldCounts(counts)
        self.n_mapped += 1
        return self.store.keep(content_hash, factor, counts)


def _free_bytes(device: str) -> int:
    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[0])
    return int(psutil.virtual_memory().available)
