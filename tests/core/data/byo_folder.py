"""A small recording in the 'bring your own' layout, with files to be changed by a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np

CLUSTERS = """cluster_id,region,label,depth_um
7,CA1,1,100
3,VISp5,0.5,
12,,1,300
"""
TRIALS = """stim_on_s,first_movement_s,feedback_s,choice,contrast_left,contrast_right,feedback,odd
1.0,1.5,2.0,1,0.5,,1,a
4.0,,5.0,0,,0.25,-1,b
7.0,7.5,8.0,right,,0,true,c
"""
TIMES = (0.5, 1.25, 1.5, 4.5, 7.25, 9.0)
OWNERS = (7, 3, 7, 7, 3, 7)


def write_byo_folder(folder: Path, **texts: str) -> Path:
    """Write the folder; a keyword such as ``trials_csv`` replaces the text of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "spikes.times.npy", np.array(TIMES))
    np.save(folder / "spikes.clusters.npy", np.array(OWNERS))
    files = {"clusters_csv": CLUSTERS, "trials_csv": TRIALS, **texts}
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text)
    return folder


def write_long_byo_folder(folder: Path, *, n_trials: int = 30, seed: int = 0) -> Path:
    """Write a recording that can be prepared: 12 units of two regions, all events."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    n_spikes = 400 * n_trials
    np.save(folder / "spikes.times.npy", np.sort(rng.uniform(0, 4 * n_trials + 4, n_spikes)))
    np.save(folder / "spikes.clusters.npy", rng.integers(0, 12, n_spikes))
    regions = ["CA1"] * 6 + ["VISp"] * 6
    rows = "".join(f"{i},{region},1\n" for i, region in enumerate(regions))
    (folder / "clusters.csv").write_text(f"cluster_id,region,label\n{rows}")
    header = (
        "stim_on_s,go_cue_s,first_movement_s,feedback_s,choice,contrast_left,contrast_right,"
        "feedback,block\n"
    )
    rows = "".join(
        f"{4 * i + 2},{4 * i + 2},{4 * i + 2.3},{4 * i + 2.6},{1 - 2 * (i % 2)},"
        f"{'0.5' if i % 2 == 0 else ''},{'0.5' if i % 2 else ''},{1 if i % 5 else -1},0.5\n"
        for i in range(n_trials)
    )
    (folder / "trials.csv").write_text(header + rows)
    return folder
