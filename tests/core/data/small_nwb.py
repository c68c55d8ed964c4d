"""A small NWB file by hand, of either generation of names, with parts to be changed by a test."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import h5py
import numpy as np

EID = "89d75e77-cc6b-4091-a655-15de77a4da09"
SPIKES = ([0.5, 1.5, 2.5, 9.0], [1.0, 1.25], [], [0.1, 3.0, 8.0])
"""Spike times of units 0 to 3; units 0 and 2 are of probe01, the others of probe00."""
PROBES = ("Probe01", "Probe00", "Probe01", "Probe00")
CLUSTERS = (0, 1, 1, 0)
LABELS = (1.0, 2 / 3, 0.0, 1.0)
N_TRIALS = 12

TEXT = h5py.string_dtype("utf-8")


def write_small_nwb(
    path: Path, generation: str = "new", change: Callable[[h5py.File], None] | None = None
) -> Path:
    """Write the file; `change` may spoil it before it is closed."""
    with h5py.File(path, "w") as file:
        file.attrs["nwb_version"] = "2.7.0"
        _facts(file)
        _units(file, generation)
        _trials(file, generation)
        _series(file, generation)
        if change is not None:
            change(file)
    return path


def replace(file: h5py.File, name: str, values: object) -> None:
    """Put other values in the place of a data set."""
    if name in file:
        del file[name]
    _put(file, name, values)


def sides() -> np.ndarray:
    """Return the side of the stimulus of each trial: left is True."""
    return np.arange(N_TRIALS) % 3 != 1


def choices() -> np.ndarray:
    """Return IBL's choice of each trial: right answers but for two, one of them a no-go."""
    choice = np.where(sides(), 1, -1)
    choice[3] = -choice[3]
    choice[5] = 0
    return choice


def contrasts() -> np.ndarray:
    """Return the contrast of each trial, 0 in the first and the last."""
    contrast = np.resize([0.0625, 0.125, 0.25, 1.0], N_TRIALS)
    contrast[[0, -1]] = 0.0
    return contrast


def _put(file: h5py.File, name: str, values: object) -> None:
    array = np.asarray(values)
    if array.dtype.kind == "U":
        file.create_dataset(name, data=array.astype(object), dtype=TEXT)
    else:
        file.create_dataset(name, data=array)


def _put_all(file: h5py.File, top: str, columns: Mapping[str, object]) -> None:
    for name, values in columns.items():
        _put(file, f"{top}/{name}", values)


def _facts(file: h5py.File) -> None:
    facts = {
        "identifier": "x",
        "session_description": "A session.",
        "session_start_time": "2024-01-02T10:11:12+00:00",
        "general/session_id": f"{EID}:2024-05-06",
        "general/lab": "testlab",
        "general/subject/subject_id": "SYN_001",
    }
    _put_all(file, "/", facts)


def _units(file: h5py.File, generation: str) -> None:
    ends = np.cumsum([len(times) for times in SPIKES])
    common = {
        "id": np.arange(4),
        "spike_times": np.concatenate([np.asarray(times, float) for times in SPIKES]),
        "spike_times_index": ends.astype(np.uint64),
        "cluster_uuid": [f"uuid-{row}" for row in range(4)],
    }
    if generation == "new":
        own = {
            "probe_name": list(PROBES),
            "unit_name": [f"{p.lower()}_{c}" for p, c in zip(PROBES, CLUSTERS, strict=True)],
            "ibl_quality_score": list(LABELS),
            "distance_from_probe_tip_um": [100.0, 200.0, 300.0, 400.0],
            "max_electrode": [0, 1, 2, 3],
        }
        electrodes = {
            "id": np.arange(3),
            "location": ["Field CA1", "Primary visual area, layer 6a", "unknown"],
        }
        _put_all(file, "general/extracellular_ephys/electrodes", electrodes)
    else:
        own = {
            "probe_name": [name.lower() for name in PROBES],
            "cluster_id": list(CLUSTERS),
            "label": list(LABELS),
            "mean_relative_depth": [100.0, 200.0, 300.0, 400.0],
            "allen_location": ["CA1", "VISp6a", "", ""],
            "beryl_location": ["CA1", "VISp", "", ""],
        }
    _put_all(file, "units", common | own)


def _trials(file: h5py.File, generation: str) -> None:
    start = 10.0 * np.arange(N_TRIALS)
    left, contrast, choice = sides(), contrasts(), choices()
    feedback = np.where(choice == np.where(left, 1, -1), 1, -1)
    moved = np.where(choice == 0, np.nan, start + 0.9)
    common = {"id": np.arange(N_TRIALS), "start_time": start, "stop_time": start + 5}
    if generation == "new":
        words = {1: "clockwise", -1: "counter_clockwise", 0: "none"}
        own = {
            "gabor_stimulus_onset_time": start + 0.6,
            "auditory_cue_time": start + 0.61,
            "wheel_movement_onset_time": moved,
            "choice_registration_time": start + 1.2,
            "feedback_time": start + 1.25,
            "gabor_stimulus_contrast": 100 * contrast,
            "gabor_stimulus_side": np.where(left, "left", "right"),
            "mouse_wheel_choice": [words[int(c)] for c in choice],
            "is_mouse_rewarded": feedback == 1,
            "reward_volume_uL": np.where(feedback == 1, 1.5, 0.0),
            "probability_left": np.full(N_TRIALS, 0.8),
        }
    else:
        own = {
            "stim_on_time": start + 0.6,
            "go_cue_time": start + 0.61,
            "first_movement_time": moved,
            "response_time": start + 1.2,
            "feedback_time": start + 1.25,
            "contrast_left": np.where(left, contrast, np.nan),
            "contrast_right": np.where(left, np.nan, contrast),
            "choice": choice.astype(float),
            "feedback_type": feedback.astype(float),
            "reward_volume": np.where(feedback == 1, 1.5, 0.0),
            "probability_left": np.full(N_TRIALS, 0.8),
        }
    _put_all(file, "intervals/trials", common | own)


def _series(file: h5py.File, generation: str) -> None:
    wheel = "WheelPosition" if generation == "new" else "CompassDirection/WheelPositionSeries"
    camera = "motion_energy" if generation == "new" else "camera"
    times = np.arange(0.0, 130.0, 0.5)
    _put(file, f"processing/wheel/{wheel}/data", 2 * np.sin(times))
    _put(file, f"processing/wheel/{wheel}/timestamps", times)
    file[f"processing/wheel/{wheel}/data"].attrs.update(conversion=0.5, unit="radians")
    for side, factor in (("Left", 1.0), ("Right", 100.0)):
        where = f"processing/{camera}/{side}CameraMotionEnergy"
        _put(file, f"{where}/data", factor * np.arange(260.0))
        _put(file, f"{where}/starting_time", 1.0)
        file[f"{where}/starting_time"].attrs["rate"] = 2.0
    licks = (
        "lick_times/EventsLickTimes/timestamps"
        if generation == "new"
        else ("camera/LickTimes/lick_time")
    )
    _put(file, f"processing/{licks}", [3.0, 1.0, np.nan])
