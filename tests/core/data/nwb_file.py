"""Writes a simulated session as an NWB file, as DANDI 000409 has them, in either generation.

Independent of the reader: the names are those that are published for the two generations, and the
numbers come from the simulation itself, not from what some other writer made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import h5py
import numpy as np

from mtm_core.data.regions import load_regions
from mtm_core.data.simulated import Simulated, region_names
from mtm_core.data.simulated_population import N_CHANNELS
from mtm_core.data.simulated_signals import motion_energy

Generation = Literal["new", "old"]
Columns = Mapping[str, object]

_TEXT = h5py.string_dtype("utf-8")
_TURNS = {1: "clockwise", -1: "counter_clockwise", 0: "none"}


def write_nwb(simulated: Simulated, path: Path, generation: Generation = "new") -> Path:
    """Write the file that DANDI would have of the session, with processed data alone."""
    is_new = generation == "new"
    with h5py.File(path, "w") as file:
        _typed(file, "NWBFile")
        file.attrs["nwb_version"] = "2.8.0"
        _write_facts(simulated, file)
        _write_table(file, "units", _units(simulated, is_new=is_new))
        _write_table(file, "intervals/trials", _trials(simulated, is_new=is_new))
        _write_table(file, "general/extracellular_ephys/electrodes", _electrodes(simulated))
        _write_series(simulated, file, is_new=is_new)
    return path


def _typed(node: h5py.Group, kind: str) -> None:
    node.attrs["namespace"] = "core"
    node.attrs["neurodata_type"] = kind


def _write(file: h5py.File, name: str, values: object) -> None:
    array = np.asarray(values)
    if array.dtype.kind == "U":
        file.create_dataset(name, data=array.astype(object), dtype=_TEXT)
    else:
        file.create_dataset(name, data=array)


def _write_facts(simulated: Simulated, file: h5py.File) -> None:
    origin = simulated.raw.origin
    facts = {
        "identifier": simulated.eid,
        "session_description": "Simulated session: no animal, no recording.",
        "session_start_time": f"{origin.date}T00:00:00+00:00",
        "timestamps_reference_time": f"{origin.date}T00:00:00+00:00",
        "general/session_id": simulated.eid,
        "general/lab": origin.lab,
        "general/subject/subject_id": origin.subject,
    }
    for name, text in facts.items():
        _write(file, name, text)


def _write_table(file: h5py.File, name: str, columns: Columns) -> None:
    for column, values in columns.items():
        _write(file, f"{name}/{column}", values)
    table = file[name]
    _typed(table, "DynamicTable")
    table.attrs["colnames"] = [c for c in columns if c != "id" and not c.endswith("_index")]


def _units(simulated: Simulated, *, is_new: bool) -> Columns:
    population = simulated.population
    times = []
    for probe in simulated.raw.spikes:
        n_units = int((population.probe == int(probe.probe[-2:])).sum())
        order = np.argsort(probe.clusters, kind="stable")
        ends = np.cumsum(np.bincount(probe.clusters, minlength=n_units))
        times += np.split(probe.times_s[order], ends[:-1])
    ends = np.cumsum([len(each) for each in times])
    depth = 20.0 * (population.channel // 2 + 1)
    common = {
        "id": np.arange(population.n_units),
        "spike_times": np.concatenate(times),
        "spike_times_index": ends.astype(np.uint64),
        "cluster_uuid": population.uuid,
    }
    if is_new:
        return common | {
            "probe_name": [f"Probe{number:02d}" for number in population.probe],
            "ibl_quality_score": population.label,
            "distance_from_probe_tip_um": depth,
            "max_electrode": population.probe * N_CHANNELS + population.channel,
        }
    names = region_names(simulated.config, population.region)
    return common | {
        "probe_name": [f"probe{number:02d}" for number in population.probe],
        "label": population.label,
        "mean_relative_depth": depth,
        "maximum_amplitude_channel": population.channel,
        "allen_location": names,
        "beryl_location": [load_regions()[name].beryl for name in names.tolist()],
        "cosmos_location": [load_regions()[name].cosmos for name in names.tolist()],
    }


def _electrodes(simulated: Simulated) -> Columns:
    """Return one row per channel, probe after probe; the location is the region's full name."""
    region = simulated.population.channel_region
    names = np.concatenate([region_names(simulated.config, row) for row in region])
    found = [load_regions()[name] for name in names.tolist()]
    probe = np.repeat(np.arange(len(region)), N_CHANNELS)
    return {
        "id": np.arange(len(names)),
        "location": [each.name for each in found],
        "beryl_location": [each.beryl for each in found],
        "cosmos_location": [each.cosmos for each in found],
        "group_name": [f"NeuropixelsProbe{number:02d}" for number in probe],
        "probe_name": [f"Probe{number:02d}" for number in probe],
    }


def _trials(simulated: Simulated, *, is_new: bool) -> Columns:
    plan = simulated.plan
    is_left, n = plan.side > 0, len(plan.side)
    stim_on = np.where(plan.has_stim_time, plan.stim_on, np.nan)
    common = {
        "id": np.arange(n),
        "start_time": plan.start,
        "stop_time": plan.end,
        "feedback_time": plan.feedback_time,
        "probability_left": plan.probability_left,
    }
    if is_new:
        return common | {
            "gabor_stimulus_onset_time": stim_on,
            "gabor_stimulus_offset_time": plan.stim_off,
            "auditory_cue_time": plan.go_cue,
            "wheel_movement_onset_time": plan.movement,
            "choice_registration_time": plan.response,
            "gabor_stimulus_contrast": 100.0 * plan.contrast,
            "gabor_stimulus_side": np.where(is_left, "left", "right"),
            "mouse_wheel_choice": [_TURNS[int(choice)] for choice in plan.choice],
            "is_mouse_rewarded": plan.feedback > 0,
            "reward_volume_uL": plan.reward_volume_ul,
            "block_index": np.cumsum(np.diff(plan.probability_left, prepend=0.5) != 0),
        }
    return common | {
        "stim_on_time": stim_on,
        "stim_off_time": plan.stim_off,
        "go_cue_time": plan.go_cue,
        "first_movement_time": plan.movement,
        "response_time": plan.response,
        "contrast_left": np.where(is_left, plan.contrast, np.nan),
        "contrast_right": np.where(is_left, np.nan, plan.contrast),
        "choice": plan.choice,
        "feedback_type": plan.feedback,
        "reward_volume": plan.reward_volume_ul,
    }


def _write_series(simulated: Simulated, file: h5py.File, *, is_new: bool) -> None:
    wheel = simulated.raw.signals["wheel_position"]
    left = simulated.raw.signals["whisker_motion_energy"]
    right = motion_energy(simulated.latents, "right", simulated.generator("right camera"))
    position = "WheelPosition" if is_new else "CompassDirection/WheelPositionSeries"
    camera = "motion_energy" if is_new else "camera"
    for name, signal, unit in (
        (f"wheel/{position}", wheel, "radians"),
        (f"{camera}/LeftCameraMotionEnergy", left, "a.u."),
        (f"{camera}/RightCameraMotionEnergy", right, "a.u."),
    ):
        where = f"processing/{name}"
        _write(file, f"{where}/data", signal.values)
        _write(file, f"{where}/timestamps", signal.times_s)
        file[f"{where}/data"].attrs.update(conversion=1.0, offset=0.0, unit=unit)
        _typed(file[where], "TimeSeries")
    licks = "lick_times/EventsLickTimes/timestamps" if is_new else "camera/LickTimes/lick_time"
    _write(file, f"processing/{licks}", simulated.raw.events["licks"])
