"""Writes one probe of a simulated session: spikes, clusters and channels in ALF names."""

from __future__ import annotations

import csv
import uuid
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.simulated import Simulated, channel_depth_um, region_names
from mtm_core.data.simulated_population import N_CHANNELS, UNKNOWN, UNKNOWN_ATLAS_ID
from mtm_core.resources import table_path

FloatArray = NDArray[np.float64]

SAMPLE_HZ = 30_000.0
_COLUMN_UM = (43, 11, 59, 27)
_OLDER_LACKS = 7
"""An older sorting lacks every seventh spike."""


def write_sites(probe: Path) -> None:
    """Write where the electrodes are, once for all sortings (no regions: the channels have them).

    The lengths fit those of the channels, so that a reader joins the two key by key.
    """
    np.save(probe / "electrodeSites.localCoordinates.npy", _local_coordinates())
    np.save(probe / "electrodeSites.mlapdv.npy", _mlapdv())


def write_sorting(
    simulated: Simulated,
    number: int,
    folder: Path,
    *,
    is_older: bool = False,
    all_datasets: bool = False,
) -> None:
    """Write the spikes, clusters and channels of one probe.

    Parameters
    ----------
    simulated : Simulated
        The session.
    number : int
        Which probe.
    folder : Path
        Where; it must be there.
    is_older : bool
        Write what an older sorter found: fewer spikes, clusters of other names.
    all_datasets : bool
        Write samples, templates and ``passingSpikes`` too.
    """
    spikes = _older(simulated.raw.spikes[number]) if is_older else simulated.raw.spikes[number]
    of_sorting = ("older" if is_older else "newest", number)
    rng = simulated.generator("sorting", *of_sorting)
    mine = simulated.population.probe == number
    channel = simulated.population.channel[mine]
    amplitude = rng.lognormal(np.log(8e-5), 0.4, len(channel))
    _write_clusters(simulated, folder, mine, amplitude, spikes, rng, is_older=is_older)
    _write_channels(simulated, folder, number)
    found = _spike_arrays(spikes, amplitude, channel_depth_um()[channel], rng)
    for name in ("times", "clusters", "amps", "depths"):
        np.save(folder / f"spikes.{name}.npy", found[name])
    if all_datasets:
        _write_the_rest(folder, found, simulated.population.label[mine])


@cache
def atlas_ids() -> dict[str, int]:
    """Return the Allen id of each acronym."""
    with table_path("allen_regions").open(encoding="utf-8", newline="") as stream:
        return {row["acronym"]: int(row["id"]) for row in csv.DictReader(stream)}


def _older(spikes: ProbeSpikes) -> ProbeSpikes:
    kept = np.arange(len(spikes.times_s)) % _OLDER_LACKS != 0
    return ProbeSpikes(
        probe=spikes.probe,
        times_s=spikes.times_s[kept],
        clusters=spikes.clusters[kept],
        first_unit=spikes.first_unit,
    )


def _spike_arrays(
    spikes: ProbeSpikes, amplitude: FloatArray, depth: FloatArray, rng: np.random.Generator
) -> dict[str, NDArray[np.generic]]:
    n = len(spikes.times_s)
    jitter = rng.standard_normal(n, dtype=np.float32)
    return {
        "times": spikes.times_s,
        "clusters": spikes.clusters.astype(np.int32),
        "amps": amplitude[spikes.clusters] * (1.0 + 0.1 * jitter),
        "depths": (depth[spikes.clusters] + 8.0 * jitter[::-1]).astype(np.float32),
    }


def _write_clusters(
    simulated: Simulated,
    folder: Path,
    mine: NDArray[np.bool_],
    amplitude: FloatArray,
    spikes: ProbeSpikes,
    rng: np.random.Generator,
    *,
    is_older: bool,
) -> None:
    import pandas as pd

    population = simulated.population
    names = population.uuid[mine]
    if is_older:
        names = np.array([str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in names])
    channel = population.channel[mine]
    np.save(folder / "clusters.channels.npy", channel)
    np.save(folder / "clusters.depths.npy", channel_depth_um()[channel])
    np.save(folder / "clusters.amps.npy", amplitude)
    np.save(folder / "clusters.peakToTrough.npy", rng.uniform(-0.3, 0.8, len(channel)))
    metrics = _metrics(simulated, population.label[mine], amplitude, spikes, rng)
    pd.DataFrame(metrics).to_parquet(folder / "clusters.metrics.pqt")
    pd.DataFrame({"uuids": names}).to_csv(folder / "clusters.uuids.csv", index=False)


def _metrics(
    simulated: Simulated,
    label: FloatArray,
    amplitude: FloatArray,
    spikes: ProbeSpikes,
    rng: np.random.Generator,
) -> dict[str, NDArray[np.generic]]:
    """Return IBL's quality metrics; counts, rates and presence are those of the spikes."""
    n, duration = len(label), simulated.plan.duration_s
    count = np.bincount(spikes.clusters, minlength=n)
    minute = np.minimum(spikes.times_s // 60.0, np.ceil(duration / 60.0) - 1).astype(np.int64)
    present = np.unique(spikes.clusters.astype(np.int64) * 100_000 + minute) // 100_000
    is_good = label > 1 - 1e-6
    return {
        "cluster_id": np.arange(n),
        "amp_max": amplitude * 1.6,
        "amp_min": amplitude * 0.5,
        "amp_median": amplitude,
        "amp_std_dB": rng.uniform(1.0, 6.0, n),
        "contamination": rng.uniform(0.0, 1.0, n),
        "contamination_alt": rng.uniform(0.0, 1.0, n),
        "drift": rng.uniform(0.0, 1e3, n),
        "missed_spikes_est": rng.uniform(0.0, 0.5, n),
        "noise_cutoff": rng.uniform(0.0, 20.0, n),
        "presence_ratio": np.bincount(present, minlength=n) / np.ceil(duration / 60.0),
        "presence_ratio_std": rng.uniform(0.0, 30.0, n),
        "slidingRP_viol": is_good.astype(np.float64),
        "spike_count": count,
        "firing_rate": count / duration,
        "label": label,
        "ks2_label": np.where(is_good, "good", "mua").astype(object),
    }


def _write_channels(simulated: Simulated, folder: Path, number: int) -> None:
    region = simulated.population.channel_region[number]
    names = region_names(simulated.config, region)
    ids = np.array([atlas_ids()[name] for name in names.tolist()])
    ids = np.where(region == UNKNOWN, UNKNOWN_ATLAS_ID, ids).astype(np.int32)
    np.save(folder / "channels.brainLocationIds_ccf_2017.npy", ids)
    np.save(folder / "channels.localCoordinates.npy", _local_coordinates())
    np.save(folder / "channels.mlapdv.npy", _mlapdv())
    np.save(folder / "channels.rawInd.npy", np.arange(N_CHANNELS))


def _local_coordinates() -> NDArray[np.int64]:
    """Neuropixels 1.0: four columns, two sites to a row."""
    across = np.tile(_COLUMN_UM, N_CHANNELS // len(_COLUMN_UM))
    return np.stack([across, channel_depth_um()], axis=1).astype(np.int64)


def _mlapdv() -> FloatArray:
    """Return a straight track from the surface, in um from bregma."""
    below = channel_depth_um()[-1] - channel_depth_um()
    return np.stack([-2240.0 - 0.26 * below, 0.0 * below - 2000.0, -0.96 * below - 200.0], axis=1)


def _write_the_rest(
    folder: Path, found: dict[str, NDArray[np.generic]], label: FloatArray
) -> None:
    import pandas as pd

    times, clusters = found["times"].astype(np.float64), found["clusters"].astype(np.int64)
    np.save(folder / "spikes.samples.npy", (times * SAMPLE_HZ).astype(np.int64))
    np.save(folder / "spikes.templates.npy", clusters.astype(np.uint32))
    is_passing = label[clusters] > 1 - 1e-6
    passing = {name: values[is_passing] for name, values in found.items()}
    pd.DataFrame(passing).to_parquet(folder / "passingSpikes.table.pqt")
