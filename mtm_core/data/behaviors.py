"""The behaviours of a session: wheel, whiskers, licks, each in bins and with validity."""

from __future__ import annotations

from collections.abc import Callable

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
    found: dict[str, Behavior] = {}
    missing: list[tuple[str, str]] = []
    for name, signal in _signals(raw).items():
        if signal is None or not len(signal.times_s):
            missing.append((name, NOT_RECORDED))
            continue
        found[name] = sample_signal(signal, edges, config.sample_at)
    licks = raw.events.get("licks")
    if licks is None or not len(licks):
        missing.append(("licks", NOT_RECORDED))
    else:
        found["licks"] = count_events(licks, edges)
    empty = [name for name, behavior in found.items() if not behavior.is_valid.any()]
    missing += [(name, NEVER_COVERED) for name in empty]
    return {name: b for name, b in found.items() if name not in empty}, tuple(missing)


def missing_trial_fields(trials: Table) -> Missing:
    """Return choice, contrast, reward and block as far as no kept trial has them, and why."""
    return tuple(
        (words, "unknown in every kept trial" if trials.has(name) else NOT_RECORDED)
        for name, words in TRIAL_FIELD_WORDS.items()
        if not (trials.has(name) and trials.column(name).is_valid.any())
    )


def _signals(raw: RawSession) -> dict[str, Signal | None]:
    given = raw.signals
    position = given.get("wheel_position")
    velocity = given.get("wheel_velocity") if position is None else wheel_velocity(position)
    speed = given.get("wheel_speed") if velocity is None else _mapped(velocity, np.abs)
    return {
        "wheel_velocity": velocity,
        "wheel_speed": speed,
        "whisker_motion_energy": given.get("whisker_motion_energy"),
    }


def _mapped(
    signal: Signal, function: Callable[[NDArray[np.float64]], NDArray[np.float64]]
) -> Signal:
    return Signal(times_s=signal.times_s, values=function(signal.values))
