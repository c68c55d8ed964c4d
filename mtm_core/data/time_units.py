"""Are the times seconds? Samples and milliseconds give themselves away beside the other clock."""

from __future__ import annotations

import numpy as np

from mtm_core.data.raw import RawSession
from mtm_core.errors import DataError

_FACTOR = 500
"""No recording goes on for so many times as long as its task; sampling rates are larger."""

_EVENT_FIELDS = ("stim_on_s", "go_cue_s", "first_movement_s", "feedback_s")


def check_time_units(raw: RawSession) -> None:
    """Refuse a recording whose spikes and trials are not on the same clock.

    Raises
    ------
    DataError
        If the one lasts some thousand times as long as the other: one of them is in samples or
        milliseconds.
    """
    trials_s = _last_event_s(raw)
    for probe in raw.spikes:
        spikes_s = float(probe.times_s[-1]) if len(probe.times_s) else 0.0
        if not (trials_s > 0 and spikes_s > 0):
            continue
        if spikes_s > _FACTOR * trials_s:
            raise DataError(_sentence(f"the spikes of {probe.probe}", spikes_s, trials_s))
        if trials_s > _FACTOR * spikes_s:
            raise DataError(_sentence("the trials", trials_s, spikes_s))


def _last_event_s(raw: RawSession) -> float:
    known = [raw.trials.column(name) for name in _EVENT_FIELDS if raw.trials.has(name)]
    last = [c.values[c.is_valid].astype(np.float64).max() for c in known if c.is_valid.any()]
    return float(max(last, default=0.0))


def _sentence(what: str, long_s: float, short_s: float) -> str:
    return (
        f"The times of {what} go up to {long_s:.6g}, the others to {short_s:.6g} s: these look "
        "like samples or milliseconds. Divide them by the sampling rate, so that all are seconds."
    )
