"""Clusters of a simulated session: where they lie, how fast they fire, and what drives them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.simulated_latents import N_DRIFT, TASK_LATENTS, private_name

N_CHANNELS = 384
STRAY_CHANNELS = 12
"""Channels at the tip that lie in root and, above them, at an id that no atlas knows."""
UNKNOWN_ATLAS_ID = 999_999_999
"""An atlas id that no atlas knows; readers must call it ``void`` and count it."""
ROOT, UNKNOWN = -1, -2
"""Regions of stray clusters, where others have a row of ``config.regions``."""
SILENT_LOG_RATE = -30.0
_MAX_LOADING = 1.5


@dataclass(frozen=True, eq=False, kw_only=True)
class Population:
    """The clusters of all probes, probe by probe, from the tip to the surface.

    Parameters
    ----------
    probe, channel, cluster_id : ndarray of int64, shape (n_units,)
        Number of the probe, channel of the largest amplitude, id within the probe.
    region : ndarray of int64, shape (n_units,)
        Row of ``config.regions``, or `ROOT` or `UNKNOWN`.
    channel_region : ndarray of int64, shape (n_probes, 384)
        The same for each channel.
    label : ndarray of float64, shape (n_units,)
        Share of the quality criteria that a cluster passes: thirds, 1 is good.
    is_silent : ndarray of bool, shape (n_units,)
        True for clusters without a spike.
    rate_hz : ndarray of float64, shape (n_units,)
        Mean rate that each cluster is meant to have, about.
    loadings : ndarray of float32, shape (n_units, n_latents)
        Effect of each latent on the log-rate.
    uuid : ndarray of str, shape (n_units,)
        The cluster's name in the world.
    """

    probe: NDArray[np.int64]
    channel: NDArray[np.int64]
    cluster_id: NDArray[np.int64]
    region: NDArray[np.int64]
    channel_region: NDArray[np.int64]
    label: NDArray[np.float64]
    is_silent: NDArray[np.bool_]
    rate_hz: NDArray[np.float64]
    loadings: NDArray[np.float32]
    uuid: NDArray[np.str_]

    @property
    def n_units(self) -> int:
        """Number of clusters."""
        return len(self.probe)


@dataclass(frozen=True, eq=False, kw_only=True)
class Coupling:
    """Who sends to whom: ``strength[a, b]`` is what region a sends to region b.

    Parameters
    ----------
    strength : ndarray of float64, shape (n_regions, n_regions)
        Scale of the effect of a sender's signal (between -1 and 1) on the receiver's log-rates;
        0 where nothing is sent. No two regions send to each other.
    delay : ndarray of int64, shape (n_regions, n_regions)
        Steps from a sender's spikes to their first effect; 0 where nothing is sent.
    """

    strength: NDArray[np.float64]
    delay: NDArray[np.int64]

    @property
    def edges(self) -> list[tuple[int, int]]:
        """Pairs (sender, receiver), in the order of the matrix."""
        return [(int(a), int(b)) for a, b in np.argwhere(self.delay > 0)]


def draw_population(
    config: SimulationConfig, latent_names: tuple[str, ...], rng: np.random.Generator
) -> Population:
    """Place clusters on the probes and draw their rates, labels and loadings."""
    region, label, is_silent = _draw_kinds(config, rng)
    region_probe = _probe_of_regions(config)
    channel_region = _bands(config, region_probe)
    stray_probe = np.arange(len(region)) % config.probes
    probe = np.where(region >= 0, region_probe[np.maximum(region, 0)], stray_probe)
    channel = np.array(
        [
            rng.choice(np.flatnonzero(channel_region[p] == r))
            for p, r in zip(probe, region, strict=True)
        ]
    )
    order = np.lexsort((channel, probe))
    probe, channel, region = probe[order], channel[order], region[order]
    label, is_silent = label[order], is_silent[order]
    n = len(order)
    rate = config.median_rate_hz * np.exp(rng.normal(0.0, config.rate_spread, n))
    rate = np.clip(rate, 0.02, config.max_rate_hz / 3.0)
    loadings = _draw_loadings(config, latent_names, region, label, rng)
    return Population(
        probe=probe,
        channel=channel,
        cluster_id=np.concatenate([np.arange(k) for k in np.bincount(probe)]),
        region=region,
        channel_region=channel_region,
        label=label,
        is_silent=is_silent,
        rate_hz=np.where(is_silent, 0.0, rate),
        loadings=np.where(is_silent[:, None], 0.0, loadings).astype(np.float32),
        uuid=np.array([str(uuid.UUID(bytes=rng.bytes(16), version=4)) for _ in range(n)]),
    )


def draw_coupling(config: SimulationConfig, rng: np.random.Generator) -> Coupling:
    """Draw who sends to whom, how strongly and how late."""
    n = len(config.regions)
    strength = np.zeros((n, n))
    delay = np.zeros((n, n), dtype=np.int64)
    pairs = [(a, b) for a in range(n) for b in range(n) if a != b]
    for pair in rng.permutation(len(pairs)):
        a, b = pairs[pair]
        if delay[b, a] or np.count_nonzero(delay[:, b]) >= config.inputs_per_region:
            continue
        strength[a, b] = config.coupling_gain * rng.uniform(0.7, 1.3)
        delay[a, b] = rng.integers(config.min_delay, config.max_delay + 1)
    return Coupling(strength=strength, delay=delay)


def _draw_kinds(config: SimulationConfig, rng: np.random.Generator) -> tuple[Any, Any, Any]:
    """Return region, label and silence of each cluster, in no order yet."""
    n_regions = len(config.regions)
    share = rng.dirichlet(np.full(n_regions, 8.0))
    good = _at_least_one_each(config.good_units, share)
    other = rng.choice(n_regions, config.other_units, p=share)
    silent = rng.choice(n_regions, config.silent_clusters, p=share)
    stray = np.where(np.arange(config.stray_units) % 2, ROOT, UNKNOWN)
    region = np.concatenate([good, other, silent, stray]).astype(np.int64)
    failed = rng.choice([0.0, 1 / 3, 2 / 3], config.other_units + config.silent_clusters)
    stray_label = rng.choice([1 / 3, 1.0], config.stray_units)
    label = np.concatenate([np.ones(len(good)), failed, stray_label])
    is_silent = np.zeros(len(region), dtype=bool)
    begin = len(good) + len(other)
    is_silent[begin : begin + len(silent)] = True
    return region, label, is_silent


def _at_least_one_each(n: int, share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Divide `n` units among regions by their shares, the rounding to the largest remainders."""
    exact = share * (n - len(share))
    size = 1 + np.floor(exact).astype(np.int64)
    left = n - int(size.sum())
    size[np.argsort(np.floor(exact) - exact, kind="stable")[:left]] += 1
    return np.repeat(np.arange(len(share)), size)


def _probe_of_regions(config: SimulationConfig) -> NDArray[np.int64]:
    parts = np.array_split(np.arange(len(config.regions)), config.probes)
    return np.repeat(np.arange(config.probes), [len(part) for part in parts])


def _bands(config: SimulationConfig, region_probe: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give each channel a region: the first region of a probe lies at the surface."""
    bands = np.full((config.probes, N_CHANNELS), ROOT, dtype=np.int64)
    bands[:, STRAY_CHANNELS : 2 * STRAY_CHANNELS] = UNKNOWN
    for probe in range(config.probes):
        regions = np.flatnonzero(region_probe == probe)[::-1]
        channels = np.array_split(np.arange(2 * STRAY_CHANNELS, N_CHANNELS), len(regions))
        for region, part in zip(regions, channels, strict=True):
            bands[probe, part] = region
    return bands


def _draw_loadings(
    config: SimulationConfig,
    latent_names: tuple[str, ...],
    region: NDArray[np.int64],
    label: NDArray[np.float64],
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Each region follows some task latents strongly and others hardly; each unit in its way."""
    n_regions, n_task = len(config.regions), len(TASK_LATENTS)
    interest = rng.gamma(0.7, 1 / 0.7, (n_regions, n_task))
    interest = np.concatenate([interest, np.zeros((2, n_task))])  # rows UNKNOWN and ROOT
    scale = np.empty((len(region), len(latent_names)))
    scale[:, :n_task] = config.task_gain * np.sqrt(interest[region])
    shared = slice(n_task, n_task + config.shared_latents)
    scale[:, shared] = config.shared_gain
    scale[:, shared.stop : -N_DRIFT] = 0.0
    for row, name in enumerate(config.regions):
        for number in range(1, config.private_latents + 1):
            column = latent_names.index(private_name(name, number))
            scale[region == row, column] = config.private_gain
    scale[:, -N_DRIFT:] = config.drift_gain
    scale[label < 1] *= 0.7
    drawn = scale * rng.normal(0.0, 1.0, scale.shape)
    return np.clip(drawn, -_MAX_LOADING, _MAX_LOADING)
