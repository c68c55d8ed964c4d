"""Handing recordings and predictions over to xarray and pynapple.

Both are optional: ``pip install "mtm-viewer[handover]"``.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.api.predictions import Prediction
from mtm_core.data.session import Session
from mtm_core.errors import ConfigError, DataError

_AXES = ("trial", "time", "unit")


def to_xarray(what: Session | Prediction) -> Any:  # noqa: ANN401 - an xarray.Dataset
    """Return a recording, or a prediction of one, as an `xarray.Dataset`.

    Parameters
    ----------
    what : Session or Prediction
        A session gives ``count`` and its behaviours; a prediction gives ``rate_hz`` (spikes/s),
        ``count``, ``is_hidden`` and ``is_scored``.

    Returns
    -------
    xarray.Dataset
        Dimensions ``trial``, ``time`` (middle of the bin, in s from the align event) and
        ``unit``; coordinates ``trial_id``, ``align_s``, ``region``; behaviour is NaN in trials
        that lack it.

    Raises
    ------
    ConfigError
        If xarray is not installed.
    """
    xarray = _import("xarray")
    session, rows = _recording(what)
    arrays: dict[str, Any] = {"count": (_AXES, session.counts[rows], {"units": "spikes"})}
    if isinstance(what, Prediction):
        arrays["rate_hz"] = (_AXES, what.rate_hz, {"units": "spikes/s"})
        arrays["is_hidden"] = (_AXES[1:], what.is_hidden)
        arrays["is_scored"] = (_AXES[1:], what.is_scored)
    else:
        for name, signal in session.behaviors.items():
            values = np.where(signal.is_valid[:, None], signal.values, np.nan)
            arrays[name] = (_AXES[:2], values)
    coordinates = {
        "unit": session.unit_id.astype(object),
        "time": ("time", _middles_s(session), {"units": "s"}),
        "region": ("unit", session.region.astype(object)),
        "trial_id": ("trial", session.trials.values("trial_id")[rows]),
        "align_s": ("trial", session.trials.values("align_s")[rows], {"units": "s"}),
    }
    return xarray.Dataset(arrays, coordinates, _facts(what, session))


def to_pynapple(what: Session | Prediction) -> dict[str, Any]:
    """Return a recording, or a prediction of one, as pynapple's time series.

    Trials follow each other on the recording's own clock; each time series knows the windows of
    the trials as its time support.

    Parameters
    ----------
    what : Session or Prediction
        See `to_xarray`.

    Returns
    -------
    dict of str to pynapple.TsdFrame or pynapple.Tsd
        ``count``, and ``rate_hz`` of a prediction: a column for each unit, with ``unit_id`` and
        ``region`` as metadata. Behaviours of a session: a `Tsd` over the trials that have it.

    Raises
    ------
    ConfigError
        If pynapple is not installed.
    DataError
        If windows of trials overlap: pynapple would join them.
    """
    pynapple = _import("pynapple")
    session, rows = _recording(what)
    rows = rows[np.argsort(session.trials.values("align_s")[rows], kind="stable")]
    windows = _windows(session, rows)
    about = {"unit_id": session.unit_id.astype(object), "region": session.region.astype(object)}

    def frame(values: NDArray[Any]) -> Any:  # noqa: ANN401
        return pynapple.TsdFrame(
            t=_times_s(session, rows),
            d=values.reshape(-1, session.n_units),
            time_support=pynapple.IntervalSet(windows[:, 0], windows[:, 1]),
            metadata=about,
        )

    series = {"count": frame(session.counts[rows])}
    if isinstance(what, Prediction):
        place = {int(row): at for at, row in enumerate(what.trials)}
        series["rate_hz"] = frame(what.rate_hz[[place[int(row)] for row in rows]])
        return series
    for name, signal in session.behaviors.items():
        has = rows[signal.is_valid[rows]]
        bounds = _windows(session, has)
        series[name] = pynapple.Tsd(
            t=_times_s(session, has),
            d=signal.values[has].reshape(-1),
            time_support=pynapple.IntervalSet(bounds[:, 0], bounds[:, 1]),
        )
    return series


def _recording(what: Session | Prediction) -> tuple[Session, NDArray[np.int64]]:
    if isinstance(what, Prediction):
        return what.session, what.trials
    return what, np.arange(what.n_trials)


def _middles_s(session: Session) -> NDArray[np.float64]:
    return session.bin_start_s + session.bin_size_s / 2


def _times_s(session: Session, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    align_s = session.trials.values("align_s").astype(np.float64)[rows]
    return (align_s[:, None] + _middles_s(session)).reshape(-1)


def _windows(session: Session, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return start and end of each trial's window on the recording's clock, (n_trials, 2), s."""
    align_s = session.trials.values("align_s").astype(np.float64)[rows]
    length_s = session.n_bins * session.bin_size_s
    starts = align_s + session.window_start_s
    if len(rows) > 1 and (np.diff(starts) < length_s).any():
        msg = "Windows of trials overlap, and pynapple would join them. Use to_xarray instead."
        raise DataError(msg)
    return np.column_stack([starts, starts + length_s])


def _facts(what: Session | Prediction, session: Session) -> dict[str, Any]:
    source = session.provenance
    facts = {
        "session_id": session.session_id,
        "align_event": source.align_event,
        "bin_size_s": source.bin_size_s,
        "licence": source.licence,
        "citation": source.citation,
        "is_simulated": int(source.is_simulated),
    }
    if isinstance(what, Prediction):
        facts |= {"mask": what.mask.to_json(), "model": what.model.manifest.config.name}
    return facts


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        msg = f"This needs {name}, which is not installed: pip install {name}"
        raise ConfigError(msg) from error
