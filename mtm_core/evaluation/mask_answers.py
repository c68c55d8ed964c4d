"""What the answers to one mask are made from: order of trials, donors, the mask of each model.

The window and `mtm-core replay` both ask here, so that both get the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import SEED
from mtm_core.inference import shuffle_donors
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines import CONDITIONS
from mtm_core.seeding import numpy_generator

Rows = NDArray[np.int64]

_TEMPORAL = ("temporal",)


def is_temporal(schemes: Sequence[str]) -> bool:
    """Tell the temporal baseline by its training schemes."""
    return tuple(schemes) == _TEMPORAL


def kind_words(schemes: Sequence[str]) -> str:
    """Say what a model is by its training schemes, in a word or two.

    Examples
    --------
    >>> kind_words(["neuron", "causal"]), kind_words(["temporal"]), kind_words(["neuron"])
    ('MtM', 'Temporal baseline', 'neuron masking')
    """
    if is_temporal(schemes):
        return "Temporal baseline"
    return "MtM" if len(schemes) > 1 else f"{schemes[0].replace('_', '-')} masking"


def mask_for(schemes: Sequence[str], spec: MaskSpec) -> MaskSpec:
    """Return a mask as a model takes it: the temporal baseline is scored without a prompt."""
    return spec.with_prompt("none") if is_temporal(schemes) else spec


def mixed_order(session_id: str, trials: Rows, seed: int = SEED) -> Rows:
    """Take trials from all over the session at once: early pictures are not of early trials."""
    rng = numpy_generator(seed, "order of trials", session_id)
    return rng.permutation(trials)


def control_donors(session: Session, shown: Rows, order: Rows, seed: int = SEED) -> Rows:
    """Choose for each trial another one of the same condition among those that are shown.

    Parameters
    ----------
    session : Session
        The recording.
    shown : ndarray of int64
        Rows of the trials that are shown, sorted.
    order : ndarray of int64
        The same in the order in which donors are wanted.
    seed : int
        Of the draw.

    Raises
    ------
    DataError
        If there are fewer than two trials.
    """
    fields = tuple(field for field in CONDITIONS if field in available_conditions(session))
    rng = numpy_generator(seed, "shuffle control", session.session_id)
    donor_of = shuffle_donors(trial_conditions(session, fields), shown, rng)
    donors: Rows = donor_of[np.searchsorted(shown, order)]
    return donors


def in_units_of(answer: Reconstruction, own: Session, wanted: Session) -> Reconstruction:
    """Bring an answer into the order of units of another session with the same units.

    Parameters
    ----------
    answer : Reconstruction
        With the units of `own`.
    own, wanted : Session
        As one model sees the recording, and as the other does.
    """
    if np.array_equal(own.unit_id, wanted.unit_id):
        return answer
    place = {str(unit): column for column, unit in enumerate(own.unit_id)}
    columns = np.array([place[str(unit)] for unit in wanted.unit_id])
    return replace(answer, log_rate=answer.log_rate[..., columns])
