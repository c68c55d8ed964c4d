"""Spikes of a simulated session, step by step, since regions listen to each other's spikes.

In step t the expected number of spikes of unit i is ``step_s * exp(b_i + L_i z(t) + U_i c(t))``,
bounded by the highest rate: z are the latents, and c has one entry for each pair of regions that
are coupled. A region sends a weighted sum of its own spikes (weights: the loadings of its units
on its first private latent), summed with a short memory, standardised, bounded by tanh; the
receiver hears it ``delay`` steps later. Given all earlier spikes the rate is therefore known
exactly, and it is what `Drive` holds: the conditional intensity that made the spikes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.simulated_latents import Latents, private_name
from mtm_core.data.simulated_population import SILENT_LOG_RATE, Coupling, Population

_CHUNK_STEPS = 2000
_SAMPLE_STEPS = 8000


@dataclass(frozen=True, eq=False, kw_only=True)
class Drive:
    """The true rates of all units in factors: ``exp(min(log_base + factors @ loadings.T, max))``.

    Parameters
    ----------
    factors : ndarray of float32, shape (n_steps, n_factors)
        Latents, then the signals received by way of each coupled pair of regions.
    loadings : ndarray of float32, shape (n_units, n_factors)
        Their effects on log-rates.
    log_base : ndarray of float32, shape (n_units,)
        Log of the rate in Hz with all factors at 0.
    max_log_rate : float
        Log of the highest rate in Hz.
    """

    factors: NDArray[np.float32]
    loadings: NDArray[np.float32]
    log_base: NDArray[np.float32]
    max_log_rate: float

    def rate_hz(
        self, steps: slice | NDArray[np.int64], units: slice | NDArray[np.int64]
    ) -> NDArray[np.float32]:
        """Return true rates, shape (n_steps, n_units)."""
        log_rate = self.factors[steps] @ self.loadings[units].T + self.log_base[units]
        rate: NDArray[np.float32] = np.exp(np.minimum(log_rate, np.float32(self.max_log_rate)))
        return rate


@dataclass(frozen=True, eq=False)
class _Sender:
    """How the spikes of a step become the signals that regions send."""

    weights: NDArray[np.float32]
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]
    keep: float


@dataclass(frozen=True, eq=False)
class _Receiver:
    """How what was sent becomes log-rates."""

    source: NDArray[np.int64]
    delay: NDArray[np.int64]
    loadings: NDArray[np.float32]


def draw_spikes(
    config: SimulationConfig,
    population: Population,
    coupling: Coupling,
    latents: Latents,
    rng: np.random.Generator,
) -> tuple[tuple[ProbeSpikes, ...], Drive]:
    """Draw the spikes of every probe, and keep the rates that made them."""
    receiver = _receivers(population, coupling, rng)
    log_base = _log_base(config, population, latents, receiver)
    max_log_rate = float(np.log(config.max_rate_hz))
    sender = _senders(config, population, latents, log_base)
    own = Drive(
        factors=latents.values,
        loadings=population.loadings,
        log_base=log_base,
        max_log_rate=max_log_rate,
    )
    received = np.zeros((len(latents.values), len(receiver.source)), dtype=np.float32)
    sent = _SentSignals(sender, len(latents.values), int(coupling.delay.max(initial=1)))
    collector = _Collector(population, config.step_s, rng.spawn(1)[0])
    # No signal is heard sooner than after the shortest delay: so many steps go at once.
    n_at_once = int(receiver.delay.min()) if len(receiver.delay) else _CHUNK_STEPS
    log_step = float(np.log(config.step_s))
    for first in range(0, len(latents.values), _CHUNK_STEPS):
        chunk = slice(first, min(first + _CHUNK_STEPS, len(latents.values)))
        drive = own.factors[chunk] @ own.loadings.T + own.log_base
        counts = np.empty(drive.shape, dtype=np.uint8)
        for at in range(0, len(drive), n_at_once):
            part = slice(at, min(at + n_at_once, len(drive)))
            steps = np.arange(first + part.start, first + part.stop)
            heard = sent.heard(steps, receiver)
            received[steps] = heard
            log_rate = np.minimum(drive[part] + heard @ receiver.loadings.T, max_log_rate)
            counts[part] = np.minimum(rng.poisson(np.exp(log_rate + log_step)), 255)
            sent.send(steps, counts[part])
        collector.add(first, counts)
    drive_in_full = Drive(
        factors=np.concatenate([latents.values, received], axis=1),
        loadings=np.concatenate([population.loadings, receiver.loadings], axis=1),
        log_base=log_base,
        max_log_rate=max_log_rate,
    )
    return collector.probes(), drive_in_full


class _SentSignals:
    """The signals that regions have sent so far."""

    def __init__(self, sender: _Sender, n_steps: int, max_delay: int) -> None:
        self._sender = sender
        self._n_before = max_delay
        n_regions = sender.weights.shape[1]
        self._values = np.zeros((n_steps + max_delay, n_regions), dtype=np.float32)
        self._summed = sender.mean.copy()

    def heard(self, steps: NDArray[np.int64], receiver: _Receiver) -> NDArray[np.float32]:
        """Return what arrives in these steps by way of each pair, shape (n_steps, n_pairs)."""
        rows = steps[:, None] - receiver.delay + self._n_before
        heard: NDArray[np.float32] = self._values[rows, receiver.source]
        return heard

    def send(self, steps: NDArray[np.int64], counts: NDArray[np.uint8]) -> None:
        """Sum the spikes of these steps, with memory of those before."""
        sender = self._sender
        added = (1.0 - sender.keep) * (counts.astype(np.float32) @ sender.weights)
        for step, entry in zip(steps, added, strict=True):
            self._summed = sender.keep * self._summed + entry
            standard = (self._summed - sender.mean) / sender.spread
            self._values[step + self._n_before] = np.tanh(standard)


class _Collector:
    """Turns counts into spike times, probe by probe."""

    def __init__(self, population: Population, step_s: float, rng: np.random.Generator) -> None:
        self._step_s = step_s
        self._rng = rng
        self._first_unit = np.searchsorted(
            population.probe, np.arange(int(population.probe.max()) + 2)
        )
        n_probes = len(self._first_unit) - 1
        self._times: list[list[NDArray[np.float64]]] = [[] for _ in range(n_probes)]
        self._clusters: list[list[NDArray[np.int32]]] = [[] for _ in range(n_probes)]

    def add(self, first_step: int, counts: NDArray[np.uint8]) -> None:
        """Place the spikes of some steps evenly at random within each step."""
        for probe in range(len(self._times)):
            begin, end = self._first_unit[probe : probe + 2]
            mine = counts[:, begin:end]
            step, cluster = np.nonzero(mine)
            n_spikes = mine[step, cluster]
            step, cluster = np.repeat(step, n_spikes), np.repeat(cluster, n_spikes)
            times = (first_step + step + self._rng.random(len(step))) * self._step_s
            order = np.argsort(times, kind="stable")
            self._times[probe].append(times[order])
            self._clusters[probe].append(cluster[order].astype(np.int32))

    def probes(self) -> tuple[ProbeSpikes, ...]:
        """Return all spikes."""
        found = []
        for probe, (times, clusters) in enumerate(zip(self._times, self._clusters, strict=True)):
            found.append(
                ProbeSpikes(
                    probe=f"probe{probe:02d}",
                    times_s=np.concatenate(times),
                    clusters=np.concatenate(clusters),
                    first_unit=int(self._first_unit[probe]),
                )
            )
        return tuple(found)


def _receivers(population: Population, coupling: Coupling, rng: np.random.Generator) -> _Receiver:
    """Give each unit of a receiving region its own response; three in four are excited."""
    edges = coupling.edges
    loadings = np.zeros((population.n_units, len(edges)), dtype=np.float32)
    for column, (sender, receiver) in enumerate(edges):
        rows = np.flatnonzero((population.region == receiver) & ~population.is_silent)
        sign = np.where(rng.random(len(rows)) < 0.75, 1.0, -1.0)
        size = np.minimum(np.abs(rng.normal(1.0, 0.5, len(rows))), 2.5)
        loadings[rows, column] = coupling.strength[sender, receiver] * sign * size
    return _Receiver(
        np.array([a for a, _ in edges], dtype=np.int64),
        np.array([coupling.delay[edge] for edge in edges], dtype=np.int64),
        loadings,
    )


def _log_base(
    config: SimulationConfig, population: Population, latents: Latents, receiver: _Receiver
) -> NDArray[np.float32]:
    """Choose base rates such that mean rates are about those drawn.

    The mean effect of the latents is taken from a sample of steps; that of the received signals,
    which are not known yet, from their usual variance (about 0.4).
    """
    stride = max(len(latents.values) // _SAMPLE_STEPS, 1)
    gain = np.exp(latents.values[::stride] @ population.loadings.T).mean(axis=0, dtype=np.float64)
    heard = np.exp(0.2 * (receiver.loadings.astype(np.float64) ** 2).sum(axis=1))
    rate = np.maximum(population.rate_hz, np.finfo(np.float64).tiny)
    log_base = np.log(rate) - np.log(gain * heard)
    return np.where(population.is_silent, SILENT_LOG_RATE, log_base).astype(np.float32)


def _senders(
    config: SimulationConfig,
    population: Population,
    latents: Latents,
    log_base: NDArray[np.float32],
) -> _Sender:
    """Weigh each region's spikes, and find what its signal is without any coupling."""
    weights = np.zeros((population.n_units, len(config.regions)), dtype=np.float32)
    for column, region in enumerate(config.regions):
        rows = population.region == column
        latent = latents.names.index(private_name(region, 1))
        weights[rows, column] = population.loadings[rows, latent]
    keep = float(np.exp(-config.step_s / config.memory_s))
    sample = latents.values[:_SAMPLE_STEPS] @ population.loadings.T + log_base
    expected = np.exp(np.minimum(sample, np.log(config.max_rate_hz))) * config.step_s
    signal = expected @ weights
    noise = (expected @ weights**2).mean(axis=0) * (1.0 - keep) / (1.0 + keep)
    spread = np.sqrt(_smooth(signal, keep).var(axis=0) + noise)
    return _Sender(weights, signal.mean(axis=0), np.maximum(spread, 1e-6), keep)


def _smooth(signal: NDArray[np.float32], keep: float) -> NDArray[np.float64]:
    smoothed: NDArray[np.float64] = lfilter([1.0 - keep], [1.0, -keep], signal, axis=0)
    return smoothed[len(smoothed) // 50 :]
