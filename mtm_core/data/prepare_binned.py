"""What can still be prepared of a recording that came already binned: its units and regions."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from mtm_core import config_io
from mtm_core.config import PreparationConfig
from mtm_core.config_fields import settings_of
from mtm_core.data.behaviors import BEHAVIOR_NAMES, NOT_RECORDED, missing_trial_fields
from mtm_core.data.binning import rebin
from mtm_core.data.dropping import choose, merge_tallies
from mtm_core.data.preparation_report import PreparationReport
from mtm_core.data.preset_words import preset_sentence
from mtm_core.data.session import Session
from mtm_core.data.trial_rules import EVENT_WORDS
from mtm_core.data.unit_rules import (
    at_region_level,
    check_units_left,
    choose_by_counts,
    unit_reasons,
    unit_rules,
)
from mtm_core.errors import DataError

UNIT_SETTINGS = (
    "units",
    "min_rate_hz",
    "regions",
    "region_level",
    "named_regions_only",
    "min_region_units",
)
"""Settings that still mean something once spikes are counted (and bins can be joined)."""

_AS_IT_CAME = "Trials, window and behaviour: as they came, already binned."
_NO_QUALITY = "Units: quality is not recorded, so none was left out for it."


def prepare_session(
    session: Session, config: PreparationConfig, typed: Collection[str] = ()
) -> Session:
    """Apply the rules about units and regions to a recording that is already binned.

    The rules about events, windows and trials need the recording itself. Those that nobody asked
    for are passed over; one that was asked for, and is not what the session has, is refused.

    Parameters
    ----------
    session : Session
        Left as it is.
    config : PreparationConfig
        The rules.
    typed : collection of str
        Settings that a person asked for, with or without the section: ``"prepare.align"``.

    Returns
    -------
    Session
        With a report of its own; what an earlier preparation left out stays in it.

    Raises
    ------
    DataError
        If a setting was asked for that cannot be had any more, or nothing is left.
    MissingFieldError
        If good units were asked for and the session says nothing about quality.
    """
    asked = {name.rpartition(".")[2] for name in typed} - {"preset"}
    for name in sorted(asked - {*UNIT_SETTINGS, "bin_size_s"}):
        _check_as_asked(session, config, name)
    if "bin_size_s" in asked:
        session = _rebinned(session, config.bin_size_s)
    passes_quality = config.units == "all" or session.units.has("is_good") or "units" in asked
    rules = config if passes_quality else replace(config, units="all")
    units = at_region_level(session.units, config.region_level)
    first = choose(session.n_units, unit_reasons(units, rules))
    check_units_left(first)
    rate_hz = session.counts[:, :, first.is_kept].mean(axis=(0, 1), dtype=np.float64)
    second = choose_by_counts(units.take(first.is_kept), rate_hz / session.bin_size_s, rules)
    check_units_left(second)
    rows = np.flatnonzero(first.is_kept)[second.is_kept]
    kept = replace(session, units=units).take_units(rows)
    words = unit_rules(rules) if passes_quality else (_NO_QUALITY, *unit_rules(rules)[1:])
    report = _report(session, config, (*first.dropped, *second.dropped), words)
    return replace(kept, preparation=replace(report, n_units_kept=len(rows)))


def _check_as_asked(session: Session, config: PreparationConfig, name: str) -> None:
    """Refuse a setting that only the recording itself could give."""
    wanted = getattr(config, name)
    if name == "align":
        is_so = EVENT_WORDS[wanted] in session.provenance.align_event
    elif name in ("window_start_s", "window_end_s"):
        is_so = bool(np.isclose(wanted, _window(session)[name], rtol=0, atol=1e-9))
    else:
        is_so = (
            session.preparation is not None and session.preparation.settings.get(name) == wanted
        )
    if is_so:
        return
    start, end = (1000 * time for time in _window(session).values())
    flag = settings_of(PreparationConfig)[name].flag
    msg = (
        f"{flag} {wanted} cannot be had from {session.session_id}: its spikes are already "
        f"counted in bins, {start:g} to {end:g} ms from {session.provenance.align_event}. Leave "
        "it out, or prepare the recording itself (its folder, NWB file or eid)."
    )
    raise DataError(msg)


def _rebinned(session: Session, bin_size_s: float) -> Session:
    factor = round(bin_size_s / session.bin_size_s)
    if factor < 1 or not np.isclose(factor * session.bin_size_s, bin_size_s, rtol=1e-6, atol=0):
        msg = (
            f"--prepare.bin_size_s {bin_size_s:g} cannot be had from {session.session_id}: its "
            f"bins of {session.bin_size_s:g} s can only be joined by whole numbers. The nearest "
            f"valid value is {max(factor, 1) * session.bin_size_s:g}."
        )
        raise DataError(msg)
    return rebin(session, factor)


def _window(session: Session) -> dict[str, float]:
    start = session.window_start_s
    end = start + session.n_bins * session.bin_size_s
    return {"window_start_s": start, "window_end_s": end}


def _report(
    session: Session,
    config: PreparationConfig,
    dropped: Collection[tuple[str, int]],
    rules: tuple[str, ...],
) -> PreparationReport:
    before = session.preparation
    plain = config_io.preparation_to_dict(config)
    settings = {name: plain[name] for name in ("preset", *UNIT_SETTINGS)}
    settings |= {**_window(session), "bin_size_s": session.bin_size_s}
    missing = [name for name in BEHAVIOR_NAMES if name not in session.behaviors]
    fresh = PreparationReport(
        rules=(preset_sentence(config), _AS_IT_CAME, *rules),
        settings=settings,
        n_units_given=session.n_units,
        n_units_kept=session.n_units,
        units_dropped=merge_tallies(tuple(dropped)),
        n_trials_given=session.n_trials,
        n_trials_kept=session.n_trials,
        trials_dropped=(),
        behaviors_missing=(
            *((name, NOT_RECORDED) for name in missing),
            *missing_trial_fields(session.trials),
        ),
    )
    if before is None:
        return fresh
    return replace(
        fresh,
        rules=(*fresh.rules, *(f"Before: {rule}" for rule in before.rules)),
        settings={**before.settings, **settings},
        n_units_given=before.n_units_given,
        units_dropped=merge_tallies(before.units_dropped, fresh.units_dropped),
        n_trials_given=before.n_trials_given,
        trials_dropped=before.trials_dropped,
        behaviors_missing=before.behaviors_missing,
    )
