"""Which difference between conditions survives a mask: true against reconstructed.

The model is never told the condition: whatever difference it shows between, say, trials in which
left and right was chosen, it has read from what the mask leaves visible.

All numbers are made from tables of inner products between trials: a contrast is a weighted sum of
trials, so that leaving each trial out in turn costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import SIDE_NAMES, available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.errors import MissingFieldError
from mtm_core.evaluation.rasters import poisson_error_hz, smooth, trial_mean_hz
from mtm_core.models.answers import Reconstruction

Floats = NDArray[np.floating]
Rows = NDArray[np.int64]

CONTRASTS: Mapping[str, str] = MappingProxyType(
    {
        "choice": "choice (left \N{MINUS SIGN} right)",
        "contrast_side": "stimulus side (left \N{MINUS SIGN} right)",
        "feedback": "outcome (rewarded \N{MINUS SIGN} not)",
        "block": "block (left \N{MINUS SIGN} right)",
    }
)
"""Fields that two conditions can be taken from, with the words for them."""
_PAIRS = {
    "choice": ("left chosen", "right chosen"),
    "contrast_side": SIDE_NAMES[:2],
    "feedback": ("rewarded", "not rewarded"),
}
FEWEST = 5
"""Trials that each condition needs."""
LEAST_CEILING = 0.5
"""With less of it noise-free, the size of a contrast is not compared."""
SMOOTHING_S = 0.03
"""Of the maps that numbers are made from, whatever the screen shows."""
_NOTHING = 1e-12
_MOST = 1 - 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class ConditionPair:
    """Two groups of trials.

    Parameters
    ----------
    field : str
        One of `CONTRASTS`.
    names : (str, str)
        The two conditions; the contrast is the first minus the second.
    first, second : ndarray of int64
        Rows of the session.
    """

    field: str
    names: tuple[str, str]
    first: Rows
    second: Rows

    @property
    def is_enough(self) -> bool:
        """Whether both have enough trials to be compared."""
        return min(len(self.first), len(self.second)) >= FEWEST

    def weight(self, without: int | None = None) -> NDArray[np.float64]:
        """Return the weight of each trial, first and second in a row, in the contrast.

        Parameters
        ----------
        without : int, optional
            A trial to leave out, by its place.
        """
        counted = np.ones(len(self.first) + len(self.second))
        if without is not None:
            counted[without] = 0
        n = len(self.first)
        parts = counted[:n] / counted[:n].sum(), -counted[n:] / counted[n:].sum()
        return np.concatenate(parts)

    def words(self) -> str:
        """Say what is compared, and how many trials there are."""
        one, other = self.names
        return f"{one} \N{MINUS SIGN} {other} ({len(self.first)} and {len(self.second)} trials)"


@dataclass(frozen=True, kw_only=True)
class ContrastScore:
    """How much of the true contrast a reconstruction shows, over scored units and bins.

    Parameters
    ----------
    field : str
        One of `CONTRASTS`.
    names : (str, str)
        The two conditions.
    n_first, n_second : int
        Trials of each.
    n_units : int
        Scored units.
    correlation : float or None
        Of true and reconstructed contrast; None where either has none.
    interval : (float, float) or None
        Its 95 % interval over trials: by leaving out each trial of either condition in turn, on
        Fisher's scale. (Samples with replacement would repeat the noise of trials and lie low.)
    ceiling : float
        Correlation of a noise-free contrast with the true one, which holds the noise of single
        trials; 0 where the true contrast is not larger than its noise.
    share : float or None
        Size of the reconstructed contrast: its regression on the true one, whose noise is taken
        off; None where the ceiling is below `LEAST_CEILING`, and most of it is noise.
    """

    field: str
    names: tuple[str, str]
    n_first: int
    n_second: int
    n_units: int
    correlation: float | None
    interval: tuple[float, float] | None
    ceiling: float
    share: float | None


def available_contrasts(session: Session) -> tuple[str, ...]:
    """Return those of `CONTRASTS` whose field this session has."""
    known = available_conditions(session)
    return tuple(name for name in CONTRASTS if name in known)


def condition_pair(session: Session, field: str, trials: Rows) -> ConditionPair:
    """Find the trials of two conditions among some.

    Parameters
    ----------
    session : Session
        The recording.
    field : str
        One of `CONTRASTS`.
    trials : ndarray of int64
        Rows to choose from.

    Raises
    ------
    MissingFieldError
        If the session lacks the field, or has only one condition of it.
    """
    found = trial_conditions(session, (field,))
    names = _PAIRS.get(field) or (found.names[-1], found.names[0])
    if len(found.names) < 2 or any(name not in found.names for name in names):
        msg = f"This session has not two conditions of '{field}' to compare."
        raise MissingFieldError(msg)
    rows = np.sort(trials)
    is_known = found.is_valid[rows]
    one, other = (rows[is_known & (found.label[rows] == found.names.index(n))] for n in names)
    return ConditionPair(field=field, names=(names[0], names[1]), first=one, second=other)


def contrast_in_errors(
    maps: tuple[Floats, Floats], expected: tuple[Floats, Floats], pair: ConditionPair, **how: float
) -> NDArray[np.float64]:
    """Return a contrast in units of its expected Poisson error.

    Parameters
    ----------
    maps : (ndarray, ndarray), each (n_bins, n_units)
        Trial averages of the two conditions in spikes/s, not smoothed.
    expected : (ndarray, ndarray), each (n_bins, n_units)
        Rates that the error is expected from: the same for true and reconstructed contrast, so
        that both have one scale.
    pair : ConditionPair
        How many trials each average has.
    **how : float
        ``bin_size_s`` and ``sigma_bins``, the smoothing.

    Returns
    -------
    ndarray, shape (n_bins, n_units)
    """
    bin_size_s, sigma_bins = how["bin_size_s"], how["sigma_bins"]
    variance = sum(
        poisson_error_hz(rate, len(rows), bin_size_s, sigma_bins) ** 2
        for rate, rows in zip(expected, (pair.first, pair.second), strict=True)
    )
    difference: NDArray[np.float64] = smooth(maps[0] - maps[1], sigma_bins)
    return difference / np.sqrt(variance)


def condition_means_hz(
    session: Session, answer: Reconstruction, pair: ConditionPair
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Return true and reconstructed trial averages of both conditions, each (n_bins, n_units)."""
    place = {int(trial): row for row, trial in enumerate(answer.trials)}
    true, model = [], []
    for rows in (pair.first, pair.second):
        true.append(trial_mean_hz(session.counts[rows], session.bin_size_s))
        rates = np.exp(answer.log_rate[[place[int(row)] for row in rows]])
        model.append(trial_mean_hz(rates, session.bin_size_s))
    return (true[0], true[1]), (model[0], model[1])


def score_contrast(session: Session, answer: Reconstruction, field: str) -> ContrastScore | None:
    """Compare the reconstructed with the true contrast on the scored entries.

    Parameters
    ----------
    session : Session
        The recording, in the units and bins of the model.
    answer : Reconstruction
        Its answer.
    field : str
        One of `CONTRASTS`.

    Returns
    -------
    ContrastScore or None
        None where either condition has fewer than `FEWEST` trials that are answered.

    Raises
    ------
    MissingFieldError
        If the session lacks the field.
    """
    pair = condition_pair(session, field, answer.trials[answer.is_done])
    if not pair.is_enough:
        return None
    products = _products(session, answer, pair)
    correlation = products.correlation(pair.weight())
    size, noise, cross = products.sizes(pair)
    ceiling = float(np.sqrt((size - noise) / size)) if size - noise > _NOTHING else 0.0
    return ContrastScore(
        field=field,
        names=pair.names,
        n_first=len(pair.first),
        n_second=len(pair.second),
        n_units=len(answer.mask.scored_units),
        correlation=correlation,
        interval=_interval(products, pair, correlation),
        ceiling=ceiling,
        share=cross / (size - noise) if ceiling >= LEAST_CEILING else None,
    )


def _interval(
    products: _Products, pair: ConditionPair, correlation: float | None
) -> tuple[float, float] | None:
    """Leave out every trial in turn; the spread of what comes out makes the interval."""
    if correlation is None:
        return None
    variance = 0.0
    n = len(pair.first)
    for group in (range(n), range(n, n + len(pair.second))):
        left_out = [products.correlation(pair.weight(without=row)) for row in group]
        z = np.arctanh([value for value in left_out if value is not None])
        variance += (len(z) - 1) / len(z) * float(np.square(z - z.mean()).sum()) if len(z) else 0
    reach = 1.96 * np.sqrt(variance)
    centre = np.arctanh(correlation)
    return float(np.tanh(centre - reach)), float(np.tanh(centre + reach))


@dataclass(frozen=True, eq=False)
class _Products:
    """Inner products of trials over scored entries: true x true, model x model, true x model.

    `mean_true` and `mean_model` are each trial's mean over the entries; products are means too.
    """

    true: NDArray[np.float64]
    model: NDArray[np.float64]
    cross: NDArray[np.float64]
    mean_true: NDArray[np.float64]
    mean_model: NDArray[np.float64]

    def correlation(self, weight: NDArray[np.float64]) -> float | None:
        """Return the correlation of the two contrasts; None where either has no size."""
        t, m = weight @ self.mean_true, weight @ self.mean_model
        true = float(weight @ self.true @ weight - t**2)
        model = float(weight @ self.model @ weight - m**2)
        cross = float(weight @ self.cross @ weight - t * m)
        if min(true, model) < _NOTHING:
            return None
        return float(np.clip(cross / np.sqrt(true * model), -_MOST, _MOST))

    def sizes(self, pair: ConditionPair) -> tuple[float, float, float]:
        """Return mean squares: of the true contrast, of the noise in it, and with the model's."""
        n, noise = len(pair.first), 0.0
        for block in (self.true[:n, :n], self.true[n:, n:]):
            k = len(block)
            noise += float(np.trace(block) - block.sum() / k) / (k * (k - 1))
        weight = pair.weight()
        return float(weight @ self.true @ weight), noise, float(weight @ self.cross @ weight)


def _products(session: Session, answer: Reconstruction, pair: ConditionPair) -> _Products:
    """Multiply smoothed trials, each entry divided by the error that its contrast would have."""
    units = answer.mask.scored_units
    is_scored = answer.mask.is_scored[:, units]
    sigma_bins = SMOOTHING_S / session.bin_size_s
    rows = np.concatenate([pair.first, pair.second])
    place = {int(trial): row for row, trial in enumerate(answer.trials)}
    counts = session.counts[rows].take(units, axis=2) / session.bin_size_s
    places = [place[int(row)] for row in rows]
    rates = np.exp(answer.log_rate.take(units, axis=2)[places], dtype=np.float64)
    rates /= session.bin_size_s
    n = len(pair.first)
    error = np.sqrt(
        sum(
            poisson_error_hz(part.mean(axis=0), len(part), session.bin_size_s, sigma_bins) ** 2
            for part in (rates[:n], rates[n:])
        )
    )
    true, model = (
        (smooth(values, sigma_bins) / error)[:, is_scored] for values in (counts, rates)
    )
    n_entries = true.shape[1]
    return _Products(
        true=true @ true.T / n_entries,
        model=model @ model.T / n_entries,
        cross=true @ model.T / n_entries,
        mean_true=true.mean(axis=1),
        mean_model=model.mean(axis=1),
    )


def contrast_words(score: ContrastScore) -> str:
    """Say in one or two sentences what of the contrast survives the mask."""
    one, other = score.names
    what = (
        f"Under this mask, {one} against {other} ({score.n_first} and {score.n_second} trials, "
        f"{score.n_units} scored units)"
    )
    if score.ceiling == 0:
        return f"{what}: the true activity shows no such difference beyond its noise."
    if score.correlation is None:
        return f"{what}: the reconstruction shows no such difference."
    interval = ""
    if score.interval is not None:
        low, high = score.interval
        interval = f" [{_number(low)}, {_number(high)}]"
    words = (
        f"{what}: the reconstructed difference correlates {_number(score.correlation)}{interval} "
        f"with the true one (noise keeps even a perfect one at about {score.ceiling:.2f})"
    )
    if score.share is None:
        words += "; the true one is mostly noise, so that sizes cannot be compared."
    else:
        size = f"{100 * score.share:.0f} %".replace("-", "\N{MINUS SIGN}")
        words += f" and has about {size} of its size, noise taken off."
    if score.interval is not None and score.interval[0] <= 0:
        words += " It is not shown to survive: the interval holds 0."
    return words


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "\N{MINUS SIGN}")
