"""`Session`: what a model eats. It checks itself once, at birth; after that code trusts it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.content_hash import hash_content
from mtm_core.data.preparation_report import PreparationReport
from mtm_core.data.session_checks import (
    check_behavior,
    check_counts,
    check_table,
    check_unique,
)
from mtm_core.data.table import Table
from mtm_core.errors import DataError

REQUIRED_UNIT_FIELDS = {"unit_id": "U", "region": "U", "region_beryl": "U", "region_cosmos": "U"}
"""Fields of every unit table, with the kinds of numpy type that they may have: text."""
REQUIRED_TRIAL_FIELDS = {"trial_id": "iu", "align_s": "f"}
"""Fields of every trial table: a whole number, and seconds."""

Rows = NDArray[np.integer[Any]] | NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """Where a session came from and how its bins lie in time.

    Parameters
    ----------
    source : str
        The data set, for example ``"steinmetz2019"``.
    source_id : str
        Name of the recording within the data set.
    subject, lab, date : str or None
        The animal, the laboratory, and the day (ISO 8601); None where not known.
    number : int or None
        Number of the session within the day; None where not known.
    eid : str or None
        IBL's id of the session; None for other data.
    licence : str
        The terms of the data, with every caveat.
    citation : str
        What to cite.
    align_event : str
        The event that trials are aligned to.
    window_start_s : float
        Start of the first bin relative to the event.
    bin_size_s : float
        Width of a bin.
    is_simulated : bool
        True if the spikes were made by a program.
    notes : tuple of str
        What was done to the data on the way here, one sentence each.
    """

    source: str
    source_id: str
    subject: str | None
    lab: str | None
    date: str | None
    number: int | None
    eid: str | None
    licence: str
    citation: str
    align_event: str
    window_start_s: float
    bin_size_s: float
    is_simulated: bool
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bin_size_s) and self.bin_size_s > 0):
            msg = f"The bin size must be a positive number of seconds, not {self.bin_size_s}."
            raise DataError(msg)
        if not math.isfinite(self.window_start_s):
            msg = f"The window must start at a finite time, not {self.window_start_s}."
            raise DataError(msg)


@dataclass(frozen=True, eq=False, kw_only=True)
class Behavior:
    """A behavioural signal in the bins of each trial.

    Parameters
    ----------
    values : ndarray of float32, shape (n_trials, n_bins)
        The signal; 0 in trials where it is absent.
    is_valid : ndarray of bool, shape (n_trials,)
        False in trials where the signal is absent.
    """

    values: NDArray[np.float32]
    is_valid: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class Session:
    """One recording, binned per trial.

    Parameters
    ----------
    session_id : str
        IBL eid, or lab/subject/date/number, or a name plus content hash.
    counts : ndarray of uint8, shape (n_trials, n_bins, n_units)
        Spikes per bin. Kept as a read-only view.
    units : Table
        One row per unit; has `REQUIRED_UNIT_FIELDS`.
    trials : Table
        One row per trial; has `REQUIRED_TRIAL_FIELDS`.
    behaviors : mapping of str to Behavior
        Signals by name; a signal that was not recorded is not there.
    provenance : Provenance
        Where it came from.
    preparation : PreparationReport or None
        By which rules it was prepared, and what they left out; None for a recording that came
        already binned.

    Raises
    ------
    DataError
        If the parts do not fit together; the text says which and why.
    """

    session_id: str
    counts: NDArray[np.uint8]
    units: Table
    trials: Table
    behaviors: Mapping[str, Behavior] = field(default_factory=dict)
    provenance: Provenance
    preparation: PreparationReport | None = None

    def __post_init__(self) -> None:
        if not self.session_id:
            msg = "A session needs an id; this one is empty."
            raise DataError(msg)
        check_counts(self.counts)
        check_table("unit", self.units, self.n_units, REQUIRED_UNIT_FIELDS)
        check_table("trial", self.trials, self.n_trials, REQUIRED_TRIAL_FIELDS)
        check_unique("unit_id", self.units.column("unit_id"))
        check_unique("trial_id", self.trials.column("trial_id"))
        for name, behavior in self.behaviors.items():
            check_behavior(name, behavior, (self.n_trials, self.n_bins))
        counts = np.ascontiguousarray(self.counts).view()
        counts.flags.writeable = False
        object.__setattr__(self, "counts", counts)
        object.__setattr__(self, "behaviors", MappingProxyType(dict(self.behaviors)))

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process needs (a read-only mapping cannot be sent)."""
        return {**self.__dict__, "behaviors": dict(self.behaviors)}

    @property
    def n_trials(self) -> int:
        """Number of trials."""
        return int(self.counts.shape[0])

    @property
    def n_bins(self) -> int:
        """Number of bins of a trial."""
        return int(self.counts.shape[1])

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.counts.shape[2])

    @property
    def bin_size_s(self) -> float:
        """Width of a bin in seconds."""
        return self.provenance.bin_size_s

    @property
    def window_start_s(self) -> float:
        """Start of the first bin relative to the align event, in seconds."""
        return self.provenance.window_start_s

    @property
    def bin_start_s(self) -> NDArray[np.float64]:
        """Start of each bin relative to the align event, in seconds, shape (n_bins,)."""
        return self.window_start_s + self.bin_size_s * np.arange(self.n_bins, dtype=np.float64)

    @cached_property
    def unit_id(self) -> NDArray[np.str_]:
        """Id of each unit, shape (n_units,), read-only."""
        return _text_of(self.units, "unit_id")

    @cached_property
    def region(self) -> NDArray[np.str_]:
        """Acronym of each unit, shape (n_units,), read-only; "" where none was given.

        As given, or at the level that the preparation was asked for (its report says which).
        """
        return _text_of(self.units, "region")

    def region_names(self) -> tuple[str, ...]:
        """Return the acronyms that occur, sorted; empty for a session without regions."""
        return self._region_names

    @cached_property
    def _region_names(self) -> tuple[str, ...]:
        column = self.units.column("region")
        return tuple(sorted({str(name) for name in column.values[column.is_valid]}))

    @cached_property
    def content_hash(self) -> str:
        """SHA-256 (hex) over everything that the session holds."""
        return hash_content(self)

    def take_trials(self, rows: Rows) -> Session:
        """Return a new session of the chosen trials (row numbers or a mask)."""
        behaviors = {
            name: Behavior(values=b.values[rows], is_valid=b.is_valid[rows])
            for name, b in self.behaviors.items()
        }
        counts = self.counts[rows]
        return replace(self, counts=counts, trials=self.trials.take(rows), behaviors=behaviors)

    def take_units(self, rows: Rows) -> Session:
        """Return a new session of the chosen units (row numbers or a mask)."""
        return replace(self, counts=self.counts[:, :, rows], units=self.units.take(rows))


def _text_of(table: Table, name: str) -> NDArray[np.str_]:
    """Return a field of text as an array that nobody changes."""
    text = table.values(name).astype(np.str_)
    text.setflags(write=False)
    return text
