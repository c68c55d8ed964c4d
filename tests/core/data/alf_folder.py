"""A small ALF session, written as IBL lays them out, whose every file a test may change."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SESSION = "testlab/Subjects/TEST_001/2024-01-02/001"
PROBE = "alf/probe00/pykilosort"
CLUSTERS = {"alf/probe00/pykilosort": 5, "alf/probe01/iblsorter": 3}
N_CHANNELS = 4
ATLAS_IDS = np.array([382, 382, 33, 0])  # CA1, CA1, VISp6a, void
N_TRIALS = 6
LAST_S = 60.0


def probe_datasets(collection: str, n_clusters: int, seed: int = 0) -> dict[str, Any]:
    """Return the files of a sorter folder; the last cluster but one has no spikes."""
    rng = np.random.default_rng(seed + n_clusters)
    n_spikes = 40 * n_clusters
    clusters = rng.integers(0, n_clusters, n_spikes, dtype=np.int32)
    clusters[clusters == n_clusters - 2] = 0
    label = np.resize([1.0, 2 / 3, 1.0, 0.0, np.nan], n_clusters)
    uuids = [str(rng.bytes(4).hex()) + f"-0000-4000-8000-{k:012d}" for k in range(n_clusters)]
    named = {
        "spikes.times.npy": np.sort(rng.uniform(0.0, LAST_S, n_spikes)),
        "spikes.clusters.npy": clusters,
        "clusters.channels.npy": np.arange(n_clusters) % N_CHANNELS,
        "clusters.depths.npy": np.arange(n_clusters, dtype=np.float32) * 100,
        "clusters.metrics.pqt": pd.DataFrame(
            {
                "cluster_id": np.arange(n_clusters),
                "label": label,
                "firing_rate": np.linspace(1.0, 5.0, n_clusters),
            }
        ),
        "clusters.uuids.csv": pd.DataFrame({"uuids": uuids}),
        "channels.localCoordinates.npy": np.c_[
            np.full(N_CHANNELS, 43), np.arange(N_CHANNELS) * 20
        ],
        "channels.mlapdv.npy": np.arange(N_CHANNELS * 3).reshape(N_CHANNELS, 3),
        "channels.brainLocationIds_ccf_2017.npy": ATLAS_IDS,
    }
    return {f"{collection}/{name}": values for name, values in named.items()}


def trial_table() -> pd.DataFrame:
    """Return trials with a left, a right, a 0 % left and right, a no-go and an unknown one."""
    start = np.arange(N_TRIALS) * 9.0 + 2.0
    nan = np.nan
    return pd.DataFrame(
        {
            "intervals_0": start,
            "intervals_1": start + 5,
            "stimOn_times": start + 0.5,
            "goCue_times": start + 0.51,
            "firstMovement_times": np.where(np.arange(N_TRIALS) == 4, nan, start + 0.8),
            "response_times": start + 1.0,
            "feedback_times": start + 1.01,
            "choice": [1.0, -1.0, 1.0, 1.0, 0.0, -1.0],
            "contrastLeft": [1.0, nan, 0.0, nan, 0.25, nan],
            "contrastRight": [nan, 0.5, nan, 0.0, nan, nan],
            "probabilityLeft": [0.5, 0.5, 0.8, 0.8, 0.2, nan],
            "feedbackType": [1.0, 1.0, 1.0, -1.0, -1.0, -1.0],
            "rewardVolume": [1.5, 1.5, 1.5, 0.0, 0.0, 0.0],
        }
    )


def behavior_datasets(collection: str = "alf") -> dict[str, Any]:
    """Return wheel, cameras and licks."""
    wheel = np.arange(0.0, LAST_S, 0.25)
    named: dict[str, Any] = {
        "_ibl_wheel.timestamps.npy": wheel,
        "_ibl_wheel.position.npy": -0.1 * wheel,
        "licks.times.npy": np.array([3.0, 1.0, 2.0]),
    }
    for camera, rate in (("left", 2.0), ("right", 4.0)):
        times = np.arange(0.5, LAST_S, 1 / rate)
        named[f"_ibl_{camera}Camera.times.npy"] = times
        named[f"{camera}Camera.ROIMotionEnergy.npy"] = times + rate
    return {f"{collection}/{name}": values for name, values in named.items()}


def datasets() -> dict[str, Any]:
    """Return every file of the session by its path below the session folder."""
    found: dict[str, Any] = {"alf/_ibl_trials.table.pqt": trial_table(), **behavior_datasets()}
    for collection, n_clusters in CLUSTERS.items():
        found |= probe_datasets(collection, n_clusters)
    return found


def one_probe() -> dict[str, Any]:
    """Return the same without the second probe."""
    return {path: v for path, v in datasets().items() if not path.startswith("alf/probe01")}


def write(
    root: Path,
    files: Mapping[str, Any] | None = None,
    *,
    session: str = SESSION,
    without: Collection[str] = (),
) -> Path:
    """Write files (all of them by default) below a session folder and return that folder."""
    folder = root / session
    for path, values in (datasets() if files is None else files).items():
        if path not in without:
            write_one(folder / path, values)
    return folder


def write_one(path: Path, values: Any) -> None:
    """Write one file in the format that its name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(values, bytes):
        path.write_bytes(values)
    elif path.suffix == ".pqt":
        values.to_parquet(path)
    elif path.suffix == ".csv":
        values.to_csv(path, index=False)
    elif path.suffix == ".json":
        path.write_text(values, encoding="utf-8")
    else:
        np.save(path, values)
