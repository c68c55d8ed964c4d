"""Which trials of a session a model learnt from, and which it is judged by."""

from __future__ import annotations

import numpy as np

from mtm_core.config import DataConfig
from mtm_core.data.session import Session
from mtm_core.data.splits import Split, split_trials
from mtm_core.errors import ConfigError
from mtm_core.models.checkpoint import Checkpoint, split_part
from mtm_core.models.manifest import Manifest, PartName


def split_for(session: Session, manifest: Manifest | None) -> tuple[Split, str]:
    """Split a session as a model did; without a model of it, as one would.

    Parameters
    ----------
    session : Session
        The recording.
    manifest : Manifest or None
        Of the model.

    Returns
    -------
    Split
        A session too short to be split has all trials in every part.
    str
        What the trials to judge by are, for example ``"test"``.

    Raises
    ------
    MismatchError
        If the session lacks all trials of a part.
    """
    nothing = np.zeros(0, dtype=np.int64)
    if manifest is not None and manifest.session_id == session.session_id:
        parts: tuple[PartName, ...] = ("train", "val", "test")
        train, val, test = (split_part(manifest, session, part) for part in parts)
        return Split(train=train, val=val, test=test, dropped=nothing), "test"
    try:
        return split_trials(session, DataConfig()), "test"
    except ConfigError:
        every = np.arange(session.n_trials)
        return Split(train=every, val=every, test=every, dropped=nothing), "(all)"


def folds_of(session: Session, checkpoint: Checkpoint) -> tuple[Split, ...]:
    """Return the split of each fold of a cross-fitted model; nothing for an ordinary one.

    Null models and baselines are fitted for each fold on its training trials, and judge its test
    trials: like the model they never saw the trial that they predict.
    """
    return tuple(split_for(session, fold.manifest)[0] for fold in checkpoint.folds)
