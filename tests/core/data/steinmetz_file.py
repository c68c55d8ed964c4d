"""A small file in the layout of the prepared Steinmetz 2019 recordings, for tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

N_TRIALS, N_UNITS, N_BINS = 6, 5, 4

ATTRIBUTES: Mapping[str, Any] = {
    "session_id": "s99_Nemo_2020-01-02",
    "mouse_name": "Nemo",
    "date": "2020-01-02",
    "bin_width_s": 0.01,
    "window_start_s": 0.0,
    "align_event": "visual stimulus onset",
}


def datasets() -> dict[str, Any]:
    """Return what such a file holds, by data set."""
    rng = np.random.default_rng(3)
    return {
        "spike_counts": rng.poisson(1.0, (N_TRIALS, N_UNITS, N_BINS)).astype(np.uint8),
        "brain_area": ["VISp", "CA1", "TH", "root", "void"],
        "contrast_left": np.array([1.0, 0.0, 0.0, 0.5, 1.0, 0.25], np.float32),
        "contrast_right": np.array([0.5, 1.0, 0.0, 0.5, 0.0, 1.0], np.float32),
        "feedback_type": np.array([1, 1, 1, 1, -1, -1], np.int8),
        "stim_onset_time": np.arange(N_TRIALS) * 5.0 + 3.25,
        "bin_centers": np.arange(N_BINS) * 0.01 + 0.005,
        "source_part": np.zeros(N_TRIALS, np.uint8),
    }


def write_steinmetz_file(
    path: Path,
    *,
    changed: Mapping[str, Any] | None = None,
    without: tuple[str, ...] = (),
    attributes: Mapping[str, Any] | None = None,
) -> Path:
    """Write such a file; `changed` replaces data sets, `without` leaves some out."""
    with h5py.File(path, "w") as file:
        for name, values in {**datasets(), **(changed or {})}.items():
            if name not in without:
                file[name] = values
        for name, value in {**ATTRIBUTES, **(attributes or {})}.items():
            if name not in without:
                file.attrs[name] = value
    return path
