"""A model's answers under a mask, in pieces that are short and fit into memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.data.batch import collate
from mtm_core.data.session import Session
from mtm_core.errors import MemoryLimitError
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models import passes
from mtm_core.models.smaller_pieces import SmallerPieces
from mtm_core.models.spike_model import SpikeModel

PREVIEW_FOLDS = 20
"""Passes per trial of a preview of one-at-a-time masks."""
PREVIEW_MIN_UNITS = 500
"""With fewer units the exact answer comes almost as soon as a preview would."""

Rows = NDArray[np.int64]
Rates = NDArray[np.float32]
ShouldStop = Callable[[], bool]


class Piecework:
    """Computes answers for some trials of a session.

    Parameters
    ----------
    model : SpikeModel
        In evaluation mode.
    session : Session
        As the model sees it.
    """

    def __init__(self, model: SpikeModel, session: Session) -> None:
        self.model, self.session = model, session
        self.device = next(model.parameters()).device
        self._trials_at_once, self._units_at_once = SmallerPieces(), SmallerPieces()

    def cut(self, mask: ResolvedMask, rows: Rows, first: int) -> Iterator[Rows]:
        """Cut rows into pieces for `answer` that grow up to a bounded amount of work."""
        most = passes.trials_per_piece(self.model, self.session.n_bins, self.device)
        if mask.one_at_a_time:
            most = max(self._turns_per_piece(mask) // len(mask.scored_units), 1)
        size = min(first, most)
        while len(rows):
            yield rows[:size]
            rows, size = rows[size:], min(2 * size, most)

    def answer(self, mask: ResolvedMask, rows: Rows, should_stop: ShouldStop) -> Rates | None:
        """Return exact log-rates of some rows, (n_rows, n_bins, n_units); None if stopped.

        Raises
        ------
        MemoryLimitError
            If memory does not suffice for a single pass.
        """
        counts = collate(self.session, rows, str(self.device))
        if mask.one_at_a_time and len(mask.scored_units) == self.session.n_units:
            log_rate = np.empty(counts.shape, dtype=np.float32)  # all of it will be filled in
        else:
            whole = self._trials_at_once.run(
                lambda some: passes.predict_masked(self.model, some, mask), counts
            )
            log_rate = _to_numpy(whole)
        if mask.one_at_a_time:
            for part in self._trials_at_once.cut(len(rows)):
                if not self._take_turns(mask, counts[part], log_rate[part], should_stop):
                    return None
        return log_rate

    def is_preview_worth(self, mask: ResolvedMask) -> bool:
        """Tell whether an exact answer takes long: many units, each through the layers."""
        if not mask.one_at_a_time or len(mask.scored_units) < PREVIEW_MIN_UNITS:
            return False
        return self.model.turns_run_layers(prompt_index(mask.prompt))

    def cut_preview(self, mask: ResolvedMask, rows: Rows) -> Iterator[Rows]:
        """Cut rows into pieces for `preview`, short ones."""
        size = max(self._turns_per_piece(mask) // PREVIEW_FOLDS, 1)
        yield from (rows[start : start + size] for start in range(0, len(rows), size))

    def preview(self, mask: ResolvedMask, rows: Rows) -> Rates:
        """Answer in folds of units, a few passes per trial: (n_rows, n_bins, n_units)."""
        counts = collate(self.session, rows, str(self.device))
        folds = self._trials_at_once.run(
            lambda some: passes.predict_folds(self.model, some, mask, PREVIEW_FOLDS), counts
        )
        return _to_numpy(folds)

    def _turns_per_piece(self, mask: ResolvedMask) -> int:
        return passes.turns_per_piece(self.model, self.session.n_bins, mask, self.device)

    def _take_turns(
        self, mask: ResolvedMask, counts: Tensor, log_rate: Rates, should_stop: ShouldStop
    ) -> bool:
        """Fill in what scored units are each from a pass of its own; False if asked to stop."""
        try:
            return self._take_turns_of_all(mask, counts, log_rate, should_stop)
        except MemoryLimitError:
            if len(counts) == 1:
                raise
        half = self._trials_at_once.limit = len(counts) // 2
        return all(
            self._take_turns(mask, counts[part], log_rate[part], should_stop)
            for part in (slice(0, half), slice(half, None))
        )

    def _take_turns_of_all(
        self, mask: ResolvedMask, counts: Tensor, log_rate: Rates, should_stop: ShouldStop
    ) -> bool:
        size = max(self._turns_per_piece(mask) // len(counts), 1)
        in_turn = passes.units_in_turn(self.model, counts, mask)
        for units in passes.unit_chunks(mask, size, self.device):
            if should_stop():
                return False
            alone = self._units_at_once.run(in_turn, units, dim=-1)
            log_rate[..., units.cpu().numpy()] = _to_numpy(alone)
        return True


def _to_numpy(values: Tensor) -> Rates:
    array: Rates = values.cpu().numpy()
    return array
