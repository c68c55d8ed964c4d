"""An experiment: session, model, mask, trials, view, and the numbers that came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from mtm_core.evaluation import metrics
from mtm_core.evaluation.contrast import ContrastScore
from mtm_core.evaluation.mask_scores import N_SAMPLES, PredictorScore, SingleUnitScore
from mtm_core.evaluation.opponents import Opponent
from mtm_core.evaluation.paired_change import ChangeScore
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.backend import Backend

CHOICES: Mapping[str, str] = MappingProxyType(
    {
        "unit": "bits per spike",
        "null of bps_beyond_psth and interval": "each unit's PSTH in training trials of the same "
        "condition (stimulus side, outcome)",
        "null of bps_pooled and bps_unit_mean": "each unit's mean rate in training trials",
        "pooling of bps_beyond_psth, interval and bps_pooled": "gains summed over all scored "
        "units and trials, divided by all scored spikes; silent units count",
        "pooling of bps_unit_mean": "unweighted mean over units with at least "
        f"{metrics.MIN_SPIKES} scored spikes",
        "interval": f"95 %, percentiles over {N_SAMPLES} samples of trials drawn with replacement",
        "change": "model minus opponent, bits per spike on the same trials; the null cancels",
        "contrast": "correlation over scored units and bins of the difference between two "
        "conditions, true and reconstructed; interval by leaving out each trial in turn",
    }
)
"""The choices behind the numbers of every experiment."""


@dataclass(frozen=True, kw_only=True)
class SessionRef:
    """Which recording.

    Parameters
    ----------
    session_id, content_hash : str
        Its id, and the SHA-256 of all that it holds.
    path : str
        Where it was read from; ``~`` stands for the person's home folder.
    source : str
        What it was prepared from, where that is not the file itself; else "".
    is_simulated : bool
        Whether a program made it up.
    """

    session_id: str
    content_hash: str
    path: str
    source: str = ""
    is_simulated: bool = False


@dataclass(frozen=True, kw_only=True)
class ModelRef:
    """Which checkpoint.

    Parameters
    ----------
    name : str
        What people call it, for example ``"MtM (demo)"``.
    digest : str
        SHA-256 of weights, units and split, see `mtm_core.experiment.digest`.
    path : str
        Where it was read from.
    """

    name: str
    digest: str
    path: str


@dataclass(frozen=True, kw_only=True)
class OpponentRef:
    """What the model was compared with.

    Parameters
    ----------
    opponent : Opponent
        What it is.
    model : ModelRef or None
        The other checkpoint, where it is one.
    """

    opponent: Opponent
    model: ModelRef | None = None


@dataclass(frozen=True, kw_only=True)
class TrialsRef:
    """Which trials.

    Parameters
    ----------
    rows : tuple of int
        Rows of the session, sorted.
    split : str
        The part of the model's split that they were chosen from: test, val, train, all.
    kind : str
        What they are, for example ``"rewarded test"``.
    """

    rows: tuple[int, ...]
    split: str = "test"
    kind: str = "test"


@dataclass(frozen=True, kw_only=True)
class UnitNumbers:
    """The numbers of the unit that was looked at closely."""

    unit_id: str
    score: SingleUnitScore


@dataclass(frozen=True, kw_only=True)
class Numbers:
    """The numbers that were shown; see `CHOICES` for what they mean.

    Parameters
    ----------
    predictors : tuple of PredictorScore
        The model first.
    unit : UnitNumbers or None
        Those of the selected unit, if it was scored.
    change : ChangeScore or None
        Model against opponent, where there is one.
    contrast : ContrastScore or None
        The contrast of two conditions, where one was asked for and there are trials enough.
    """

    predictors: tuple[PredictorScore, ...] = ()
    unit: UnitNumbers | None = None
    change: ChangeScore | None = None
    contrast: ContrastScore | None = None

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self.predictors)


@dataclass(frozen=True, eq=False, kw_only=True)
class Experiment:
    """All that it takes to come to the same screen and the same numbers again.

    Parameters
    ----------
    session : SessionRef
        The recording.
    model, baseline : ModelRef or None
        The model on screen, and the temporal baseline beside it.
    mask : MaskSpec or None
        The mask with its prompt; None hides nothing.
    trials : TrialsRef
        The trials that are averaged and scored.
    view : mapping
        How it was shown; only the window knows what it means.
    seed : int
        Of the order of trials, the shuffle control and the samples for intervals.
    backend : Backend
        How the machine computed.
    versions : mapping of str to str
        Software that made it.
    numbers : Numbers
        What came out; empty where it was saved before everything was computed.
    title : str
        What it is, in words.
    opponent : OpponentRef or None
        What the model is compared with, besides the temporal baseline.
    contrast : str
        One of `mtm_core.evaluation.contrast.CONTRASTS`, or "" for none.
    """

    session: SessionRef
    model: ModelRef | None
    baseline: ModelRef | None
    mask: MaskSpec | None
    trials: TrialsRef
    backend: Backend
    versions: Mapping[str, str]
    numbers: Numbers = field(default_factory=Numbers)
    view: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    title: str = ""
    opponent: OpponentRef | None = None
    contrast: str = ""
