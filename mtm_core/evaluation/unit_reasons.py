"""Why a unit scores well or badly: rules with numbers, each of them a sentence.

The rules describe; they prove no cause. Where none applies, that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.metrics import MIN_SPIKES
from mtm_core.evaluation.unit_facts import UnitFacts
from mtm_core.evaluation.unit_labels import unit_label

Effect = Literal["noise", "worse", "better"]

LARGE_Z = 3.0
"""Standard errors over trials that make a change of rate one."""
LARGE_RATIO = 1.3
"""Smaller changes of rate are not worth a sentence, however sure they are."""
COSTLY_BPS = 0.02
"""Bits per spike lost by a wrong mean rate that are worth a sentence."""
SURE_LEVEL = 2.0
"""Standard errors of the true mean rate by which the model's must be off."""
TWIN_R = 0.25
"""Correlation in the same bin of spikes that may be of one neuron."""
CLOSE_R = 0.4
"""Correlation of spikes per trial with what visible units share that is called close."""
FEW_VISIBLE = 20
"""With fewer visible units there is little to predict from."""
STRONG_PSTH_BPS = 0.3
"""Bits per spike of a PSTH over the mean rate that leave little to gain beyond it."""
QUIET_FANO, LOUD_FANO = 1.15, 2.0
"""Variance over mean of a trial's spikes that is close to chance, and far above it."""
TOP_SHARE = 0.5
"""Share of a score that a single trial may be before it is named."""
LEAST_TOP_BPS = 0.03
FAR = 3.0
"""Robust standard deviations from the median unit that make an outlier."""
_SD_OF_MAD = 1.4826
NO_REASON = "None of the rules explains this score."


@dataclass(frozen=True, kw_only=True)
class Reason:
    """A rule that applies to a unit.

    Parameters
    ----------
    name : str
        The rule, for example ``"few spikes"``.
    effect : str
        ``"noise"``: the score says little; ``"worse"`` or ``"better"``: what it does to it.
    text : str
        A sentence with numbers.
    brief : str
        The same in a few words, for example ``"drift 15 to 9.8 spikes/s"``.
    """

    name: str
    effect: Effect
    text: str
    brief: str


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a unit's score stands among those of the other scored units.

    Parameters
    ----------
    n_units : int
        Units with enough scored spikes.
    n_below : int
        Of these, units with a lower score.
    distance : float
        Robust standard deviations above the median of these units; negative below.
    """

    n_units: int
    n_below: int
    distance: float

    @property
    def is_outlier(self) -> bool:
        """Whether it is far from the others."""
        return abs(self.distance) >= FAR


def outlier_distances(facts: UnitFacts) -> NDArray[np.float64]:
    """Return how far each unit's score is from the median, in robust standard deviations.

    The median and its absolute deviation, times 1.4826, are those of units with enough scored
    spikes. Units without a score, or where all scores are equal, have 0. Shape (n_scored,).
    """
    counted = facts.bps.values[facts.is_counted]
    if not len(counted):
        return np.zeros(len(facts.units))
    middle = float(np.median(counted))
    spread = _SD_OF_MAD * float(np.median(np.abs(counted - middle)))
    if spread <= 0:
        return np.zeros(len(facts.units))
    return np.where(facts.bps.is_valid, (facts.bps.values - middle) / spread, 0.0)


def outliers(facts: UnitFacts) -> NDArray[np.int8]:
    """Tell which units, of those with enough scored spikes, stand out: 1 well, -1 badly, or 0."""
    distance = np.where(facts.is_counted, outlier_distances(facts), 0.0)
    return np.select([distance >= FAR, distance <= -FAR], [1, -1], 0).astype(np.int8)


def standing(facts: UnitFacts, place: int) -> Standing:
    """Compare a unit's score with those of all units that have enough scored spikes."""
    counted = facts.bps.values[facts.is_counted]
    return Standing(
        n_units=len(counted),
        n_below=int((counted < facts.bps.values[place]).sum()),
        distance=float(outlier_distances(facts)[place]),
    )


def unit_reasons(facts: UnitFacts, place: int, session: Session) -> tuple[Reason, ...]:
    """Return the rules that apply to a unit.

    What makes a score doubtful comes first, then what fits where the score stands: what makes it
    better for a unit above the median of the others, what makes it worse for one below.

    Parameters
    ----------
    facts : UnitFacts
        Of all scored units.
    place : int
        Where the unit stands in them.
    session : Session
        To name units and trials by.
    """
    case = _Case(facts, place, session)
    found = [reason for rule in _RULES for reason in rule(case)]
    is_low = outlier_distances(facts)[place] < 0
    order: dict[Effect, int] = {"noise": 0, "worse": 2 - is_low, "better": 1 + is_low}
    return tuple(sorted(found, key=lambda reason: order[reason.effect]))


@dataclass(frozen=True)
class _Case:
    facts: UnitFacts
    place: int
    session: Session

    @property
    def has_spikes(self) -> bool:
        return bool(self.facts.n_spikes[self.place] >= MIN_SPIKES)

    def of(self, values: NDArray[np.floating] | NDArray[np.integer]) -> float:
        return float(values[self.place])


_Found = Iterator[Reason]


def _few_spikes(case: _Case) -> _Found:
    n_spikes = int(case.of(case.facts.n_spikes))
    if not n_spikes:
        text = "Not one spike in the scored entries: there is nothing to score."
        yield Reason(name="few spikes", effect="noise", text=text, brief="no spike")
    elif n_spikes < MIN_SPIKES:
        text = f"{n_spikes} scored spikes, fewer than {MIN_SPIKES}: the score is mostly noise."
        yield Reason(name="few spikes", effect="noise", text=text, brief=f"{n_spikes} spikes")


def _few_to_learn_from(case: _Case) -> _Found:
    n_spikes = int(case.of(case.facts.n_train_spikes))
    if n_spikes < MIN_SPIKES:
        text = f"Only {n_spikes} spikes in {case.facts.n_train} training trials to learn from."
        brief = f"{n_spikes} training spikes"
        yield Reason(name="few training spikes", effect="worse", text=text, brief=brief)


def _one_trial(case: _Case) -> _Found:
    facts = case.facts
    bps, moved = case.of(facts.bps.values), case.of(facts.top_gain)
    if abs(moved) >= max(LEAST_TOP_BPS, TOP_SHARE * abs(bps)):
        trial = _trial_name(case.session, int(case.of(facts.top_trial)))
        text = (
            f"Without trial {trial} the score would be "
            f"{_bps(bps - moved)} in place of {_bps(bps)} bits/spike."
        )
        brief = f"trial {trial}: {_bps(moved, '+')}"
        yield Reason(name="one trial", effect="noise", text=text, brief=brief)


def _changed_rate(case: _Case) -> _Found:
    facts = case.facts
    before, after, z = (
        case.of(values) for values in (facts.train_hz, facts.shown_hz, facts.change_z)
    )
    if abs(z) >= LARGE_Z and _ratio(before, after) >= LARGE_RATIO:
        helps = (
            "the PSTH, learnt there, is off by as much; a model that sees the others need not be"
        )
        text = (
            f"It fires {after:.2g} spikes/s in these trials and {before:.2g} in training trials "
            f"({abs(z):.1f} standard errors): {helps}."
        )
        effect: Effect = "better" if case.of(facts.bps.values) > 0 else "worse"
        brief = f"rate {before:.2g} to {after:.2g} spikes/s"
        yield Reason(name="changed rate", effect=effect, text=text, brief=brief)


def _drift(case: _Case) -> _Found:
    facts = case.facts
    early, late, z = (case.of(values) for values in (facts.early_hz, facts.late_hz, facts.drift_z))
    if abs(z) >= LARGE_Z and _ratio(early, late) >= LARGE_RATIO:
        text = (
            f"Its rate drifts: {early:.2g} spikes/s in the first third of the trials, {late:.2g} "
            f"in the last ({abs(z):.1f} standard errors), which no PSTH follows."
        )
        effect: Effect = "better" if case.of(facts.bps.values) > 0 else "worse"
        brief = f"drift {early:.2g} to {late:.2g} spikes/s"
        yield Reason(name="drift", effect=effect, text=text, brief=brief)


def _wrong_level(case: _Case) -> _Found:
    facts = case.facts
    true_hz, model_hz = case.of(facts.shown_hz), case.of(facts.model_hz)
    cost = level_cost_bps(true_hz, model_hz)
    chance = np.sqrt(max(1.0, case.of(facts.fano.values)) / max(1.0, case.of(facts.n_spikes)))
    if cost >= COSTLY_BPS and abs(model_hz - true_hz) >= SURE_LEVEL * chance * true_hz:
        text = (
            f"The model expects {model_hz:.2g} spikes/s where it fires {true_hz:.2g}: that alone "
            f"costs {cost:.2f} bits/spike."
        )
        brief = f"expects {model_hz:.2g} for {true_hz:.2g} spikes/s"
        yield Reason(name="wrong level", effect="worse", text=text, brief=brief)


def _few_visible(case: _Case) -> _Found:
    n_visible = case.facts.n_visible
    if n_visible < FEW_VISIBLE:
        text = f"The model sees only {n_visible} units in every bin."
        brief = f"{n_visible} visible units"
        yield Reason(name="few visible units", effect="worse", text=text, brief=brief)


def _strong_psth(case: _Case) -> _Found:
    bps = case.of(case.facts.psth_bps.values)
    if bps >= STRONG_PSTH_BPS:
        text = (
            f"Its PSTH alone gains {bps:.2f} bits/spike over its mean rate: much of what can be "
            "known of it is in the null already."
        )
        brief = f"PSTH alone {bps:.2f}"
        yield Reason(name="strong PSTH", effect="worse", text=text, brief=brief)


def _quiet(case: _Case) -> _Found:
    fano = case.facts.fano
    value = case.of(fano.values)
    if case.has_spikes and fano.is_valid[case.place] and value <= QUIET_FANO:
        text = (
            f"Around the mean of its condition its spikes per trial vary {value:.2g} times as "
            "much as by chance (Poisson): there is little beyond the PSTH to know."
        )
        brief = f"Fano {value:.2g}"
        yield Reason(name="varies by chance", effect="worse", text=text, brief=brief)


def _loud(case: _Case) -> _Found:
    fano = case.facts.fano
    value = case.of(fano.values)
    if case.has_spikes and fano.is_valid[case.place] and value >= LOUD_FANO:
        text = (
            f"Around the mean of its condition its spikes per trial vary {value:.2g} times as "
            "much as by chance (Poisson): there is much beyond the PSTH to know."
        )
        brief = f"Fano {value:.2g}"
        yield Reason(name="varies much", effect="better", text=text, brief=brief)


def _crowd(case: _Case) -> _Found:
    crowd, r = case.facts.crowd, case.of(case.facts.crowd.values)
    if crowd.is_valid[case.place] and r >= CLOSE_R:
        text = (
            f"Its spikes per trial go with what the visible units share most (correlation {r:.2f} "
            f"over {case.facts.n_trials} trials, around the mean of the condition)."
        )
        brief = f"shared r {r:.2f}"
        yield Reason(name="goes with the others", effect="better", text=text, brief=brief)


def _twin(case: _Case) -> _Found:
    facts, session = case.facts, case.session
    twin, r = int(case.of(facts.twin)), case.of(facts.twin_r)
    if twin >= 0 and r >= TWIN_R:
        name = unit_label(str(session.unit_id[twin]), str(session.region[twin]))
        text = (
            f"Its spikes fall into the same bins as those of visible {name} (correlation {r:.2f} "
            "around the PSTHs of training trials): a close pair, or one neuron sorted twice."
        )
        brief = f"twin {name.removeprefix('unit ')} r {r:.2f}"
        yield Reason(name="twin", effect="better", text=text, brief=brief)


_RULES: tuple[Callable[[_Case], _Found], ...] = (
    *(_few_spikes, _few_to_learn_from, _one_trial, _changed_rate, _drift, _wrong_level),
    *(_few_visible, _strong_psth, _quiet, _twin, _crowd, _loud),
)


def level_cost_bps(true_hz: float, expected_hz: float) -> float:
    """Return the bits per spike lost by expecting another mean rate than the true one.

    What a prediction would gain if all its rates were multiplied so that their mean were right.

    Examples
    --------
    >>> level_cost_bps(2.0, 2.0), round(level_cost_bps(1.0, 2.0), 3)
    (0.0, 0.443)
    """
    if true_hz <= 0 or expected_hz <= 0:
        return 0.0
    ratio = expected_hz / true_hz
    return float((ratio - 1 - np.log(ratio)) / np.log(2))


def _ratio(one: float, other: float) -> float:
    low, high = sorted((one, other))
    return high / low if low > 0 else np.inf if high > 0 else 1.0


def _bps(value: float, sign: str = "-") -> str:
    return f"{value:{sign}.2f}".replace("-", "\N{MINUS SIGN}")


def _trial_name(session: Session, trial: int) -> str:
    return str(int(session.trials.columns["trial_id"].values[trial]))
