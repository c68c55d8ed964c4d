"""`RawSession`: what a recording is, before trials are cut and bins are counted.

Every reader returns one, whatever the recording lay in; `preparation.prepare` turns it into a
`Session`. Times are seconds on the recording's one clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.table import Table


@dataclass(frozen=True, eq=False, kw_only=True)
class ProbeSpikes:
    """The spikes of one probe, as they lie on disk: nothing is merged or copied.

    Parameters
    ----------
    probe : str
        Label of the probe, for example ``"probe00"``.
    times_s : ndarray of float64, shape (n_spikes,)
        Rising (ties are fine).
    clusters : ndarray of integers, shape (n_spikes,)
        Cluster of each spike: its row in the unit table, counted from `first_unit`.
    first_unit : int
        Row of this probe's cluster 0 in the unit table of the session.
    """

    probe: str
    times_s: NDArray[np.float64]
    clusters: NDArray[np.integer]
    first_unit: int = 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Signal:
    """A behavioural signal, sampled at its own times.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n_samples,)
        Rising.
    values : ndarray of float64, shape (n_samples,)
        NaN where the sample is missing.
    """

    times_s: NDArray[np.float64]
    values: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Origin:
    """Where a recording came from; see `session.Provenance` for the fields of the same name.

    Parameters
    ----------
    session_id : str
        IBL eid, or lab/subject/date/number, or a name plus content hash.
    source, source_id : str
        The data set or layout, and the recording's name within it.
    subject, lab, date, number, eid : str, int or None
        None where not known.
    licence, citation : str
        Terms, and what to cite.
    is_simulated : bool
        True if a program made the spikes.
    notes : tuple of str
        What the reader found and did, one sentence each ("2 units have an unknown atlas id").
    """

    session_id: str
    source: str
    source_id: str
    subject: str | None = None
    lab: str | None = None
    date: str | None = None
    number: int | None = None
    eid: str | None = None
    licence: str = ""
    citation: str = ""
    is_simulated: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class RawSession:
    """One recording: spike times, unit table, trial table, behavioural signals.

    Parameters
    ----------
    origin : Origin
        Where it came from.
    spikes : tuple of ProbeSpikes
        One for each probe.
    units : Table
        One row for every cluster, with or without spikes. Always ``unit_id``, ``region``,
        ``region_beryl``, ``region_cosmos`` (`regions.region_columns`), ``probe``, ``cluster_id``;
        ``label`` (0 to 1), ``is_good``, ``depth_um`` and others where the recording has them.
    trials : Table
        One row for every trial of the recording. Always ``trial_id`` (from 0); where recorded
        ``stim_on_s``, ``go_cue_s``, ``first_movement_s``, ``response_s``, ``feedback_s`` (s),
        ``choice`` (+1 left stimulus chosen, -1 right, 0 no-go), ``contrast_left``,
        ``contrast_right`` (0 to 1; 0 on the side without a stimulus), ``stim_side`` (+1 left,
        -1 right; valid also at contrast 0), ``feedback`` (+1, -1), ``block`` (probability that
        the stimulus is on the left), ``reward_volume_ul``. Absent entries are not valid.
    signals : mapping of str to Signal
        ``wheel_position`` (rad, anti-clockwise positive), ``wheel_velocity`` (rad/s) or
        ``wheel_speed`` where that is all there is, ``whisker_motion_energy`` (a.u.).
    events : mapping of str to ndarray of float64
        Times in s of things that happen, rising: ``licks``.
    """

    origin: Origin
    spikes: tuple[ProbeSpikes, ...]
    units: Table
    trials: Table
    signals: Mapping[str, Signal] = field(default_factory=dict)
    events: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)
