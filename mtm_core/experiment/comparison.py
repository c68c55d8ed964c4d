"""Numbers as they were saved against numbers computed anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mtm_core.evaluation.contrast import ContrastScore
from mtm_core.evaluation.mask_scores import PredictorScore, SingleUnitScore
from mtm_core.evaluation.paired_change import ChangeScore
from mtm_core.experiment.record import Numbers

_OF_PREDICTOR = ("bps_beyond_psth", "bps_pooled", "bps_unit_mean", "n_units", "n_spikes")
_OF_UNIT = ("bps_beyond_psth", "n_spikes")
_OF_CHANGE = (
    *("bps", "other_bps", "change", "n_units", "n_spikes", "n_trials"),
    *("n_judged", "n_above", "n_below"),
)
_OF_CONTRAST = ("correlation", "ceiling", "share", "n_first", "n_second", "n_units")
_Score = PredictorScore | SingleUnitScore | ChangeScore | ContrastScore


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One number, twice.

    Parameters
    ----------
    who : str
        The predictor, or the unit.
    what : str
        Which of its numbers, for example ``"interval, low"``.
    saved, replayed : float or None
        The number; None where there is none.
    """

    who: str
    what: str
    saved: float | None
    replayed: float | None

    @property
    def difference(self) -> float | None:
        """Replayed minus saved; None unless there are both."""
        if self.saved is None or self.replayed is None:
            return None
        return self.replayed - self.saved

    def is_within(self, tolerance: float) -> bool:
        """Tell whether both are the same up to a tolerance; two that are None are the same.

        Examples
        --------
        >>> pair = Comparison(who="MtM", what="n_units", saved=3, replayed=None)
        >>> pair.is_within(1.0)
        False
        """
        if self.difference is None:
            return self.saved is None and self.replayed is None
        return abs(self.difference) <= tolerance


def compare(saved: Numbers, replayed: Numbers) -> list[Comparison]:
    """Put every saved number beside the one that was computed anew.

    Numbers that were not saved are not compared.
    """
    anew = {score.name: score for score in replayed.predictors}
    pairs = [pair for s in saved.predictors for pair in _of_predictor(s, anew.get(s.name))]
    if saved.unit is not None:
        other = None if replayed.unit is None else replayed.unit.score
        pairs += _of_unit(saved.unit.unit_id, saved.unit.score, other)
    if saved.change is not None:
        who = f"{saved.change.name} against {saved.change.other}"
        pairs += _pairs(who, saved.change, replayed.change, _OF_CHANGE)
    if saved.contrast is not None:
        who = " against ".join(saved.contrast.names)
        pairs += _pairs(who, saved.contrast, replayed.contrast, _OF_CONTRAST)
    return pairs


def _of_predictor(saved: PredictorScore, anew: PredictorScore | None) -> Iterator[Comparison]:
    yield from _pairs(saved.name, saved, anew, _OF_PREDICTOR)


def _of_unit(
    unit_id: str, saved: SingleUnitScore, anew: SingleUnitScore | None
) -> Iterator[Comparison]:
    yield from _pairs(f"unit {unit_id}", saved, anew, _OF_UNIT)


def _pairs(
    who: str,
    saved: _Score,
    anew: _Score | None,
    names: Sequence[str],
) -> Iterator[Comparison]:
    for name in names:
        yield Comparison(
            who=who, what=name, saved=getattr(saved, name), replayed=getattr(anew, name, None)
        )
    for place, end in enumerate(("low", "high")):
        ends = (saved.interval, None if anew is None else anew.interval)
        one, other = (None if pair is None else pair[place] for pair in ends)
        yield Comparison(who=who, what=f"interval, {end}", saved=one, replayed=other)
