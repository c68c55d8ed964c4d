"""Answers of a model under a mask: growing while they are computed, remembered afterwards."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import DataError
from mtm_core.masking.spec import ResolvedMask

MEMORY_BYTES = 512 * 2**20
"""Answers that are remembered by default."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Reconstruction:
    """What a model makes of some trials under a mask; perhaps not of all of them yet.

    Parameters
    ----------
    trials : ndarray of int64, shape (n_trials,)
        Rows of the session.
    log_rate : ndarray of float32, shape (n_trials, n_bins, n_units)
        Natural log of expected spikes per bin. Hidden entries, and with one-at-a-time masks the
        scored units, are predictions from what was visible; other entries are the model's output
        with their own counts in view. Rows that are not done hold zeros. Read-only.
    is_done : ndarray of bool, shape (n_trials,)
        Trials that have an answer.
    is_exact : ndarray of bool, shape (n_trials,)
        Trials whose answer is final; False where it is missing or a preview in folds.
    mask : ResolvedMask
        What was hidden and what is scored.
    bin_size_s : float
        Width of a bin.
    """

    trials: NDArray[np.int64]
    log_rate: NDArray[np.float32]
    is_done: NDArray[np.bool_]
    is_exact: NDArray[np.bool_]
    mask: ResolvedMask
    bin_size_s: float

    @property
    def n_done(self) -> int:
        """Number of trials that have an answer."""
        return int(self.is_done.sum())

    @property
    def is_final(self) -> bool:
        """True once every trial has its exact answer."""
        return bool(self.is_exact.all())

    def rate_hz(self) -> NDArray[np.float32]:
        """Return the rates of the trials that are done, (n_done, n_bins, n_units), spikes/s."""
        rate = self.log_rate[self.is_done]  # a copy, in which the rest is done
        np.exp(rate, out=rate)
        rate /= np.float32(self.bin_size_s)
        return rate

    def trial_average_hz(self) -> NDArray[np.float32]:
        """Return the mean rate over the trials that are done, (n_bins, n_units), spikes/s.

        Raises
        ------
        DataError
            If no trial is done.
        """
        if not self.n_done:
            msg = "No trial is done yet, so that there is nothing to average."
            raise DataError(msg)
        average: NDArray[np.float32] = self.rate_hz().mean(axis=0)
        return average


class AnswerMemory:
    """Remembers answers per trial; the least recently used go first when it is full.

    Parameters
    ----------
    max_bytes : int
        Size of all answers together.
    """

    def __init__(self, max_bytes: int = MEMORY_BYTES) -> None:
        self.max_bytes = max_bytes
        self.n_bytes = 0
        self._answers: OrderedDict[tuple[str, int, int], NDArray[np.float32]] = OrderedDict()

    def recall(self, request: str, trial: int, donor: int) -> NDArray[np.float32] | None:
        """Return the answer for a trial whose visible activity is that of `donor`, if known."""
        answer = self._answers.get((request, trial, donor))
        if answer is not None:
            self._answers.move_to_end((request, trial, donor))
        return answer

    def remember(self, request: str, trial: int, donor: int, answer: NDArray[np.float32]) -> None:
        """Keep an answer, and forget old ones if there is no more room."""
        key = (request, trial, donor)
        if key in self._answers or answer.nbytes > self.max_bytes:
            return
        self._answers[key] = answer.copy()
        self.n_bytes += answer.nbytes
        while self.n_bytes > self.max_bytes:
            _, old = self._answers.popitem(last=False)
            self.n_bytes -= old.nbytes


class GrowingAnswer:
    """An answer that grows; `look` shows it as it is now.

    Parameters
    ----------
    trials : ndarray of int64, shape (n_trials,)
        Rows of the session.
    mask : ResolvedMask
        What is hidden and what is scored.
    bin_size_s : float
        Width of a bin.
    """

    def __init__(self, trials: NDArray[np.int64], mask: ResolvedMask, bin_size_s: float) -> None:
        self.is_done = np.zeros(len(trials), dtype=bool)
        self.is_exact = np.zeros(len(trials), dtype=bool)
        self._trials = trials
        self._mask = mask
        self._log_rate = np.zeros((len(trials), *mask.is_hidden.shape), dtype=np.float32)
        self._bin_size_s = bin_size_s

    def put(self, rows: NDArray[np.int64], values: NDArray[np.float32], *, is_exact: bool) -> None:
        """Fill in the answers (len(rows), n_bins, n_units) for some rows."""
        self._log_rate[rows] = values
        self.is_done[rows] = True
        self.is_exact[rows] = is_exact

    def look(self) -> Reconstruction:
        """Return what is known by now; later pieces leave exact answers as they are."""
        shared = self._log_rate.view()
        shared.flags.writeable = False
        return Reconstruction(
            trials=self._trials,
            log_rate=shared,
            is_done=self.is_done.copy(),
            is_exact=self.is_exact.copy(),
            mask=self._mask,
            bin_size_s=self._bin_size_s,
        )
