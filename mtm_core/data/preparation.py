"""From a recording to a session: `prepare` cuts trials, chooses units, counts spikes.

`prepare_session` does what can still be done to a recording that came already binned.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core import config_io
from mtm_core.config import PreparationConfig
from mtm_core.data.behaviors import binned_behaviors, missing_trial_fields
from mtm_core.data.coverage import silent_stretches
from mtm_core.data.dropping import Choice, choose, merge_tallies
from mtm_core.data.preparation_report import PreparationReport
from mtm_core.data.prepare_binned import prepare_session
from mtm_core.data.preset_words import preset_sentence
from mtm_core.data.raw import Origin, RawSession
from mtm_core.data.session import Provenance, Session
from mtm_core.data.spike_binning import bin_edges, count_spikes, has_spikes
from mtm_core.data.table import Table
from mtm_core.data.time_units import check_time_units
from mtm_core.data.trial_rules import EVENT_WORDS, choose_trials, fields_needed
from mtm_core.data.trial_table import session_trials
from mtm_core.data.unit_rules import (
    at_region_level,
    check_units_left,
    choose_by_counts,
    unit_reasons,
    unit_rules,
)
from mtm_core.errors import MissingFieldError

__all__ = ["prepare", "prepare_session"]


def prepare(raw: RawSession, config: PreparationConfig) -> Session:
    """Turn a recording into a session by the rules of the settings.

    Units without a spike in the whole recording are left out under every setting.

    Parameters
    ----------
    raw : RawSession
        What a reader returned; left as it is.
    config : PreparationConfig
        The rules; see `config_io.load_preparation`.

    Returns
    -------
    Session
        Its ``preparation`` says which rules were followed and what they left out.

    Raises
    ------
    MissingFieldError
        If a rule needs what the recording does not have; the text names the way out.
    UnknownNameError
        If a region that is asked for does not occur.
    DataError
        If spikes cannot be used (not rising, not finite, of unknown clusters, not in seconds),
        or nothing is left.
    """
    _check_rules_apply(raw, config)
    check_time_units(raw)
    silence = silent_stretches(raw.spikes)
    chosen = choose_trials(raw.trials, config, silence)
    start_s = chosen.align_s + config.window_start_s
    edges = bin_edges(start_s, config.n_bins, config.bin_size_s)
    units = _choose_units(raw, edges, config)
    trials = session_trials(raw.trials, chosen)
    behaviors, missing = binned_behaviors(raw, edges, config)
    return Session(
        session_id=raw.origin.session_id,
        counts=units.counts,
        units=units.table,
        trials=trials,
        behaviors=behaviors,
        provenance=_provenance(raw.origin, config, units),
        preparation=PreparationReport(
            rules=(preset_sentence(config), *chosen.rules, *unit_rules(config)),
            settings=config_io.preparation_to_dict(config),
            n_units_given=raw.units.n_rows,
            n_units_kept=units.table.n_rows,
            units_dropped=units.dropped,
            n_trials_given=raw.trials.n_rows,
            n_trials_kept=len(chosen.rows),
            trials_dropped=chosen.choice.dropped,
            behaviors_missing=(*missing, *missing_trial_fields(trials)),
        ),
    )


@dataclass(frozen=True, eq=False, kw_only=True)
class _Units:
    """The kept units, their counts, and how many each reason took."""

    table: Table
    counts: NDArray[np.uint8]
    dropped: tuple[tuple[str, int], ...]

    @property
    def n_silent(self) -> int:
        """Number of kept units without a spike in the kept trials."""
        return int((~self.counts.any(axis=(0, 1))).sum())


def _check_rules_apply(raw: RawSession, config: PreparationConfig) -> None:
    """Say at once everything that the rules need and the recording lacks."""
    lacking: dict[str, list[str]] = {}
    for name, flag in fields_needed(config).items():
        if not raw.trials.has(name):
            lacking.setdefault(flag, []).append(f"trials have no {name}")
    if config.units == "good" and not raw.units.has("is_good"):
        lacking["--prepare.units good"] = ["units have no quality label"]
    if not lacking:
        return
    faults = "; ".join(f"{flag}: {', '.join(what)}" for flag, what in lacking.items())
    events = [event for event in EVENT_WORDS if raw.trials.has(f"{event}_s")]
    has_align = config.align in events
    way_out = (
        "The preset paper takes all units and all trials with the event "
        "(--prepare.units all --prepare.trials event)."
        if has_align
        else f"Align to one of: {', '.join(events) or 'no known event is recorded'}."
    )
    msg = f"This recording lacks what these rules need: {faults}. {way_out}"
    raise MissingFieldError(msg)


def _choose_units(
    raw: RawSession, edges: NDArray[np.float64], config: PreparationConfig
) -> _Units:
    table = at_region_level(raw.units, config.region_level)
    silent = ~has_spikes(raw.spikes, table.n_rows)
    first = choose(table.n_rows, [("without a spike", silent), *unit_reasons(table, config)])
    check_units_left(first, "clusters")
    counts = count_spikes(raw.spikes, edges, _columns(first), int(first.is_kept.sum()))
    table = table.take(first.is_kept)
    rate_hz = counts.mean(axis=(0, 1), dtype=np.float64) / config.bin_size_s
    second = choose_by_counts(table, rate_hz, config)
    check_units_left(second)
    if not second.is_kept.all():
        table, counts = table.take(second.is_kept), counts[:, :, second.is_kept]
    dropped = merge_tallies(first.dropped, second.dropped)
    return _Units(table=table, counts=counts, dropped=dropped)


def _columns(choice: Choice) -> NDArray[np.int64]:
    """Return the column of each kept row, -1 for the others."""
    return np.where(choice.is_kept, np.cumsum(choice.is_kept) - 1, -1).astype(np.int64)


def _provenance(origin: Origin, config: PreparationConfig, units: _Units) -> Provenance:
    silent = f"{units.n_silent} of the units have no spike in the kept trials."
    return Provenance(
        source=origin.source,
        source_id=origin.source_id,
        subject=origin.subject,
        lab=origin.lab,
        date=origin.date,
        number=origin.number,
        eid=origin.eid,
        licence=origin.licence,
        citation=origin.citation,
        align_event=EVENT_WORDS[config.align],
        window_start_s=config.window_start_s,
        bin_size_s=config.bin_size_s,
        is_simulated=origin.is_simulated,
        notes=(*origin.notes, *([silent] if units.n_silent else [])),
    )
