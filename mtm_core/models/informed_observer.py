"""What an observer who knows all parameters of a simulation can tell from the visible spikes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.simulated_truth import GroundTruth, binned_factors, units_of
from mtm_core.models.baselines import ALL_TASKS, IntArray, Plan
from mtm_core.models.factor_inference import FactorPrior, Floats, infer_factors
from mtm_core.seeding import numpy_generator

GROUPS, GROUP_UNITS = 20, 8
"""Groups of units that are hidden together where a task hides one unit at a time: so many, or
fewer of about so many units where there are few."""
_LEAST = 1e-9
"""Expected spikes in a bin of a cluster that never fires: its logarithm must be finite."""
_Hidden = tuple[NDArray[np.bool_], NDArray[np.bool_]]


class InformedObserver:
    """Infers the factors of a simulation from visible spikes, and predicts hidden ones by them.

    It knows every loading and base rate, and the moments of all factors (latents, received
    signals, drift) over the training trials: mean course, covariance, and how a bin leads to the
    next. It does not know the factors themselves, which the `true_rate_ceiling` is told. What it
    scores is therefore about what the recording lets any model know, but no strict bound: the
    factors are not normal, and bins are taken for steps. Where a task hides one unit at a time it
    hides a twentieth of them, which costs it a little.

    Parameters
    ----------
    truth : GroundTruth
        What made the recording.
    session : Session
        The recording as it is scored.
    train : ndarray of int64
        Training trials, over which the factors' moments are taken.

    Raises
    ------
    DataError
        If truth and session do not belong together.
    """

    name = "informed_observer"
    tasks = ALL_TASKS

    def __init__(self, truth: GroundTruth, session: Session, train: IntArray) -> None:
        units = units_of(truth, session)
        self._counts, self._region = session.counts, session.region
        self._prior = FactorPrior.of(binned_factors(truth, session)[train])
        self._loadings: Floats = truth.drive.loadings[units].astype(np.float64)
        base = truth.drive.log_base[units] + np.log(session.bin_size_s)
        self._base: Floats = base + self._prior.mean @ self._loadings.T
        self._most = truth.drive.max_log_rate + np.log(session.bin_size_s)
        self.on_turn: Callable[[int], None] = lambda _: None

    def n_turns(self, plans: Iterable[Plan]) -> int:
        """Return how often the factors are inferred for some tasks; `on_turn` is told of each."""
        return sum(1 for plan in plans for _ in self._turns(plan))

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return `log_rate`, shape (n_trials, n_bins, n_units), of the entries that are scored."""
        counts = self._counts[trials].astype(np.float64)
        log_rate = np.zeros(counts.shape, dtype=np.float32)
        for is_visible, is_scored in self._turns(plan):
            known = infer_factors(self._prior, counts, is_visible, self._base, self._loadings)
            units = np.flatnonzero(is_scored.any(axis=0))
            found = known.log_rate(self._base[:, units], self._loadings[units])
            found = np.clip(found, np.log(_LEAST), self._most).astype(np.float32)
            log_rate[:, :, units] = np.where(is_scored[:, units], found, log_rate[:, :, units])
            self.on_turn(1)
        return log_rate

    def _turns(self, plan: Plan) -> Iterator[_Hidden]:
        """Yield what is visible, and what is scored by it, until all that is scored has been."""
        everything = np.ones_like(plan.is_scored)
        if plan.name == "forward_prediction":
            yield ~plan.is_scored, plan.is_scored
            return
        for region in plan.groups:
            inside = np.ones(len(self._region), bool) if region is None else self._region == region
            if plan.name == "inter_region":
                yield everything & ~inside, plan.is_scored & inside
                continue
            for group in _groups(np.flatnonzero(inside)):
                hidden = np.zeros(len(self._region), dtype=bool)
                hidden[group] = True
                yield everything & inside & ~hidden, plan.is_scored & hidden


def _groups(units: IntArray) -> list[IntArray]:
    """Divide units at random."""
    mixed = numpy_generator(0, "groups of an observer").permutation(units)
    n_groups = min(GROUPS, max(len(mixed) // GROUP_UNITS, 2), len(mixed))
    return np.array_split(mixed, n_groups)
