"""The experiment of a comparison that was made without a window."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mtm_core.data.session import Session
from mtm_core.evaluation.opponents import Opponent, short_name
from mtm_core.experiment.computation import Bound, OnTrials, Outcome, bind_parts, compute
from mtm_core.experiment.making import Doing, make_experiment
from mtm_core.experiment.record import Experiment, TrialsRef
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.checkpoint import Checkpoint


@dataclass(frozen=True, eq=False, kw_only=True)
class ComparisonRequest:
    """What is compared.

    Parameters
    ----------
    own : Reconstructor
        The model.
    recording : (Session, Path)
        The session as it was read, and its file.
    mask : MaskSpec
        What is hidden.
    trials : TrialsRef
        What is scored.
    opponent : Opponent or None
        What the model is compared with; None for the contrast alone.
    rival : Checkpoint or None
        The opponent's model, where it is another one.
    contrast : str
        The contrast of conditions; "" for none.
    device : str
        Where models compute.
    """

    own: Reconstructor
    recording: tuple[Session, Path]
    mask: MaskSpec
    trials: TrialsRef
    opponent: Opponent | None = None
    rival: Checkpoint | None = None
    contrast: str = ""
    device: str = "cpu"


def bind_comparison(request: ComparisonRequest) -> Bound:
    """Bring together what is compared; `run_comparison` computes it.

    Raises
    ------
    MismatchError
        If the two models cannot be compared.
    """
    own, rival = request.own, request.rival
    rates = own.train_rate_hz() if request.mask.needs_rates else None
    title = request.mask.describe(own.session, rates)
    empty = make_experiment(
        Doing(
            recording=request.recording[0],
            path=request.recording[1],
            model=own.checkpoint,
            baseline=None,
            names=(short_name(own.checkpoint), ""),
            mask=request.mask,
            trials=request.trials,
            title=title[:1].upper() + title[1:],
            device=request.device,
            opponent=request.opponent,
            rival=None if rival is None else (rival, short_name(rival)),
            contrast=request.contrast,
        )
    )
    return bind_parts(
        empty,
        recording=request.recording[0],
        model=own,
        opponent=own.checkpoint if rival is None else rival,
        device=request.device,
    )


def run_comparison(bound: Bound, on_trials: OnTrials | None = None) -> tuple[Experiment, Outcome]:
    """Compute a comparison.

    Returns
    -------
    Experiment
        With its numbers, ready to be written.
    Outcome
        The same with answers and changes unit by unit.
    """
    outcome = compute(bound, on_trials)
    return replace(bound.experiment, numbers=outcome.numbers), outcome


def trials_ref(rows: np.ndarray, split: str) -> TrialsRef:
    """Name trials by their rows, in growing order."""
    return TrialsRef(rows=tuple(int(row) for row in np.sort(rows)), split=split, kind=split)
