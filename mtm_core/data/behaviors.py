"""The behaviours of a session: wheel, whiskers, licks, each in bins and with validity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import PreparationConfig
from mtm_core.data.raw import RawSession, Signal
from mtm_core.data.session import Behavior
from mtm_core.data.signal_binning import count_events, sample_signal
from mtm_core.data.table import Table
from mtm_core.data.trial_table import TRIAL_FIELD_WORDS
from mtm_core.data.wheel import wheel_velocity

BEHAVIOR_NAMES = ("wheel_velocity", "wheel_speed", "whisker_motion_energy", "licks")
"""The behaviours that a session can have in bins."""

NOT_RECORDED = "not in this recording"
NEVER_COVERED = "recorded, but it covers none of the kept trials"

_SAMPLED = ("wheel_velocity", "wheel_speed", "whisker_motion_energy")

Missing = tuple[tuple[str, str], ...]


def binned_behaviors(
    raw: RawSession, edges: NDArray[np.float64], config: PreparationConfig
) -> tuple[dict[str, Behavior], Missing]:
    """Bring every behaviour of a recording into the bins of the kept trials.

    Parameters
    ----------
    raw : RawSession
        The recording.
    edges : ndarray of float64, shape (n_trials, n_bins + 1)
        Edges of the bins.
    config : PreparationConfig
        Says where in a bin signals are sampled.

    Returns
    -------
    dict of str to Behavior
        ``wheel_velocity`` (rad/s, anti-clockwise positive), ``wheel_speed`` (rad/s),
        ``whisker_motion_energy`` (a.u.) and ``licks`` (per bin), as far as there are any.
    tuple of (str, str)
        Behaviours that are missing, and why.
    """
    found = {
        name: sample_signal(signal, edges, config.sample_at)
        for name, signal in _signals(raw).items()
    }
    velocity = found.get("wheel_velocity")
    if velocity is not None:
        found["wheel_speed"] = replace(velocity, values=np.abs(velocity.values))
    if len(raw.events.get("licks", ())):
        found["licks"] = count_events(raw.events["licks"], edges)
    usable = {
        name: found[name]
        for name in BEHAVIOR_NAMES
        if name in found and found[name].is_valid.any()
    }
    missing = tuple(
        (name, NEVER_COVERED if name in found else NOT_RECORDED)
        for name in BEHAVIOR_NAMES
        if name not in usable
    )
    return usable, missing


def missing_trial_fields(trials: Table) -> Missing:
    """Return choice, contrast, reward and block as far as no kept trial has them, and why."""
    return tuple(
        (words, "unknown in every kept trial" if trials.has(name) else NOT_RECORDED)
        for name, words in TRIAL_FIELD_WORDS.items()
        if not (trials.has(name) and trials.column(name).is_valid.any())
    )


def _signals(raw: RawSession) -> dict[str, Signal]:
    """Return the signals to sample; the speed only where the direction is not known."""
    given = {name: raw.signals[name] for name in _SAMPLED if name in raw.signals}
    if "wheel_position" in raw.signals:
        given["wheel_velocity"] = wheel_velocity(raw.signals["wheel_position"])
    return given
