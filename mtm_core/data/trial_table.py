"""The trial table of a session: the kept rows, event times relative to the align event."""

from __future__ import annotations

import numpy as np

from mtm_core.data.table import Column, Table
from mtm_core.data.trial_rules import TrialChoice, reaction_time_s

EVENT_FIELDS = (
    "stim_on_s",
    "stim_off_s",
    "go_cue_s",
    "first_movement_s",
    "response_s",
    "feedback_s",
    "start_s",
    "end_s",
)
"""Times on the recording's clock; a session holds them relative to ``align_s``."""

TRIAL_FIELD_WORDS = {
    "choice": "choice",
    "contrast_left": "contrast",
    "feedback": "reward",
    "block": "block",
}
"""Fields that describe behaviour trial by trial, and what a person calls them."""


def session_trials(trials: Table, chosen: TrialChoice) -> Table:
    """Return the trial table of a session.

    Every field of the recording is taken over. The fields of `EVENT_FIELDS` become seconds
    after the align event, whose own time on the recording's clock is ``align_s``;
    ``reaction_time_s`` is the first movement after the stimulus.

    Parameters
    ----------
    trials : Table
        Every trial of the recording.
    chosen : TrialChoice
        Which to keep.
    """
    kept = trials.take(chosen.rows)
    columns = dict(kept.columns)
    for name in EVENT_FIELDS:
        if name in columns:
            columns[name] = _relative(columns[name], chosen)
    reaction = reaction_time_s(kept)
    if reaction is not None:
        columns["reaction_time_s"] = Column(*reaction)
    columns["align_s"] = Column.full(chosen.align_s)
    return Table(columns)


def _relative(column: Column, chosen: TrialChoice) -> Column:
    seconds = column.values.astype(np.float64) - chosen.align_s
    return Column(np.where(column.is_valid, seconds, 0.0), column.is_valid)
