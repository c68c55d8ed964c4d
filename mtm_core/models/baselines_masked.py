"""Classical baselines under any mask, not only those of the four tasks.

The Poisson regression reads the units that are visible throughout the trial; a unit that is hidden
in some bins only is not read at all. Where all units are hidden from some bin to the end of the
trial, it is the regression on the past (see `baselines_forward`).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.splits import Split
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.baselines import BaselineData, IntArray, Predictor
from mtm_core.models.baselines_forward import PastRegression
from mtm_core.models.baselines_rates import ConditionPsth, Drift, MeanRate, Psth
from mtm_core.models.baselines_regression import UNITS_THAT_CHOOSE
from mtm_core.models.group_regression import (
    Entries,
    Group,
    Projection,
    Regression,
    Search,
    SearchStoppedError,
    log_psth,
    with_components,
)
from mtm_core.one_blas_thread import on_one_blas_thread
from mtm_core.seeding import numpy_generator

Float32 = NDArray[np.float32]
ShouldStop = Callable[[], bool]

REGRESSION = "poisson_regression"
BASELINES: Mapping[str, str] = MappingProxyType(
    {
        REGRESSION: "Poisson regression",
        ConditionPsth.name: "PSTH by condition",
        Psth.name: "PSTH, all trials",
        Drift.name: "Drift",
        MeanRate.name: "Mean rate",
    }
)
"""Baselines that can predict under any mask, with their names in words."""
FEWEST_PAST_BINS = 5
"""Visible bins that the regression on the past needs."""
_KEPT = 4


@dataclass(frozen=True, eq=False)
class _Pass:
    """What the regressions need of a mask; stands for a task where one is asked for."""

    is_scored: NDArray[np.bool_]
    name: str = "forward_prediction"
    groups: tuple[str | None, ...] = (None,)


class MaskedBaselines:
    """The baselines of a session; what was fitted for the last few masks is kept.

    Parameters
    ----------
    data : BaselineData
        The recording and its training and validation trials.
    """

    def __init__(self, data: BaselineData) -> None:
        self.data = data
        self._past = PastRegression(data)
        self._known: OrderedDict[tuple[str, bytes, bytes], Float32] = OrderedDict()

    def predict(
        self,
        name: str,
        mask: ResolvedMask,
        trials: IntArray,
        should_stop: ShouldStop = lambda: False,
    ) -> Float32 | None:
        """Predict trials under a mask.

        Parameters
        ----------
        name : str
            One of `BASELINES`.
        mask : ResolvedMask
            What is hidden and scored.
        trials : ndarray of int64
            Rows to predict.
        should_stop : callable
            Asked again and again.

        Returns
        -------
        ndarray of float32, shape (n_trials, n_bins, n_units), or None
            Log-rate; entries that are not scored hold a PSTH or the like. None if asked to stop.

        Raises
        ------
        UnknownNameError
            If there is no such baseline.
        MaskError
            If the mask leaves the regression nothing to read.
        """
        if name not in BASELINES:
            raise UnknownNameError("baseline", name, BASELINES)
        key = (name, _key(mask) if name == REGRESSION else b"", trials.tobytes())
        if key not in self._known:
            found = self._predict(name, mask, trials, should_stop)
            if found is None:
                return None
            self._known[key] = found
            while len(self._known) > _KEPT:
                self._known.popitem(last=False)
        return self._known[key]

    @on_one_blas_thread
    def _predict(
        self, name: str, mask: ResolvedMask, trials: IntArray, should_stop: ShouldStop
    ) -> Float32 | None:
        if name != REGRESSION:
            return self._rates(name).predict(_Pass(mask.is_scored), trials)
        if _is_future(mask):
            return self._forward(_Pass(mask.is_hidden), trials, should_stop)
        log_rate = np.tile(log_psth(self.data), (len(trials), 1))
        for group in _groups(mask):
            gain = _regress(self.data, group, trials, should_stop)
            if gain is None:
                return None
            log_rate[:, group.targets] += gain
        return log_rate.reshape(len(trials), self.data.n_bins, self.data.n_units)

    def _forward(self, plan: _Pass, trials: IntArray, should_stop: ShouldStop) -> Float32 | None:
        try:
            self._past.model(plan, should_stop)
        except SearchStoppedError:
            return None
        return self._past.predict(plan, trials)

    def _rates(self, name: str) -> Predictor:
        known: dict[str, Callable[[BaselineData], Predictor]] = {
            ConditionPsth.name: ConditionPsth,
            Psth.name: Psth,
            Drift.name: Drift.fit,
            MeanRate.name: MeanRate,
        }
        return known[name](self.data)


class FoldedBaselines:
    """The same for a cross-fitted model: each trial is predicted by fits that never saw it.

    Parameters
    ----------
    parts : sequence of (MaskedBaselines, ndarray of int64)
        The baselines of each fold, and the trials that it tests.
    """

    def __init__(self, parts: Sequence[tuple[MaskedBaselines, IntArray]]) -> None:
        self._parts = tuple(parts)

    def predict(
        self,
        name: str,
        mask: ResolvedMask,
        trials: IntArray,
        should_stop: ShouldStop = lambda: False,
    ) -> Float32 | None:
        """Predict trials under a mask; see `MaskedBaselines.predict`."""
        log_rate = np.zeros((len(trials), *mask.is_hidden.shape), dtype=np.float32)
        for baselines, tested in self._parts:
            mine = np.isin(trials, tested)
            if mine.any():
                found = baselines.predict(name, mask, trials[mine], should_stop)
                if found is None:
                    return None
                log_rate[mine] = found
        return log_rate


def baselines_of(
    session: Session, split: Split, folds: Sequence[Split] = ()
) -> MaskedBaselines | FoldedBaselines:
    """Return the baselines of a session, fitted anew for each fold where there are folds."""
    if not folds:
        return MaskedBaselines(BaselineData.from_session(session, split.train, split.val))
    return FoldedBaselines([(baselines_of(session, fold), fold.test) for fold in folds])  # type: ignore[misc]


def _key(mask: ResolvedMask) -> bytes:
    turns = b"1" if mask.one_at_a_time else b"0"
    return turns + np.packbits(mask.is_hidden).tobytes() + np.packbits(mask.is_scored).tobytes()


def _is_future(mask: ResolvedMask) -> bool:
    """Tell whether a mask hides all units from some bin to the end, and nothing else.

    Raises
    ------
    MaskError
        If too few bins are left before it.
    """
    hidden_units = mask.is_hidden.sum(axis=1)
    n_bins, n_units = mask.is_hidden.shape
    n_hidden = int((hidden_units == n_units).sum())
    origin = n_bins - n_hidden
    is_rest_visible = not hidden_units[:origin].any()
    if mask.one_at_a_time or not n_hidden or not is_rest_visible:
        return False
    if origin < FEWEST_PAST_BINS:
        msg = (
            f"The regression on the past needs {FEWEST_PAST_BINS} visible bins, and this mask "
            f"leaves {origin}. Hide fewer bins, or compare with a PSTH."
        )
        raise MaskError(msg)
    return True


def _groups(mask: ResolvedMask) -> list[Group]:
    """Say who is predicted from whom: units hidden in turn are read for the others.

    Raises
    ------
    MaskError
        If no unit is visible throughout the trial.
    """
    sources = np.flatnonzero(~mask.is_hidden.any(axis=0))
    targets = mask.scored_units
    is_read = np.isin(targets, sources) if mask.one_at_a_time else np.zeros(len(targets), bool)
    if len(sources) < 1 + bool(is_read.any()):
        msg = (
            "The Poisson regression reads units that are visible throughout the trial, and this "
            "mask leaves too few. Hide fewer units, or compare with a PSTH."
        )
        raise MaskError(msg)
    parts = ((targets[is_read], True), (targets[~is_read], False))
    return [Group(part, sources, is_within) for part, is_within in parts if len(part)]


def _regress(
    data: BaselineData, group: Group, trials: IntArray, should_stop: ShouldStop
) -> Float32 | None:
    """Return what a regression adds to the log PSTH, (n_samples, n_targets)."""
    few = group.sample(UNITS_THAT_CHOOSE, numpy_generator(0, "units that choose", "mask"))
    try:
        (choice,) = Search(data, [few], should_stop).choose()
    except SearchStoppedError:
        return None
    train = Entries.of(data, data.train, choice.width_s)
    ((_, components),) = with_components([group], train.features, choice.n_components)
    projection = Projection.fit(group, components, choice.n_components)
    fitted = Regression.fit(choice, projection, train)
    shown = Entries.of(data, trials, choice.width_s)
    return fitted.log_gain(projection.design(shown.features))
