from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.alf import read_alf
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.coverage import silent_stretches
from mtm_core.data.preparation import prepare
from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.session_file import write_session
from mtm_core.data.simulated import simulate
from mtm_core.data.spike_binning import bin_edges, count_spikes, has_spikes
from mtm_core.simulation_presets import load_simulation

N_SPIKES = 30_000_000
N_UNITS = 800
N_TRIALS = 600
N_BINS = 100
BIN_SIZE_S = 0.02
LENGTH_S = 4_500.0
LOOP_TRIALS = 6
"""The plain loop is timed on so many trials, and its time scaled to all of them."""
SMALLER = 4


def spikes_of(n_spikes: int) -> ProbeSpikes:
    """Make spikes of units whose rates differ as those of real ones do."""
    rng = np.random.default_rng(0)
    share = rng.lognormal(0.0, 1.0, N_UNITS)
    clusters = rng.choice(N_UNITS, n_spikes, p=share / share.sum()).astype(np.uint32)
    times = np.sort(rng.uniform(0.0, LENGTH_S, n_spikes))
    return ProbeSpikes(probe="probe00", times_s=times, clusters=clusters)


@pytest.fixture(scope="module")
def probe():
    return spikes_of(N_SPIKES)


@pytest.fixture(scope="module")
def starts():
    rng = np.random.default_rng(1)
    return np.sort(rng.uniform(5.0, LENGTH_S - 5.0, N_TRIALS))


def bin_all(probe: ProbeSpikes, starts: np.ndarray) -> np.ndarray:
    edges = bin_edges(starts, N_BINS, BIN_SIZE_S)
    return count_spikes([probe], edges, np.arange(N_UNITS), N_UNITS)


def plain_loop(probe: ProbeSpikes, starts: np.ndarray) -> np.ndarray:
    """Count as one would at first: a boolean mask over all spikes for each trial."""
    counts = np.zeros((len(starts), N_BINS, N_UNITS), dtype=np.uint8)
    for trial, edges in enumerate(bin_edges(starts, N_BINS, BIN_SIZE_S)):
        is_in = (probe.times_s >= edges[0]) & (probe.times_s < edges[-1])
        k = np.searchsorted(edges, probe.times_s[is_in], side="right") - 1
        np.add.at(counts[trial], (k, probe.clusters[is_in]), 1)
    return counts


def bench_binning_against_a_plain_loop(measured, median_s, probe, starts):
    some = starts[:: N_TRIALS // LOOP_TRIALS][:LOOP_TRIALS]
    assert np.array_equal(bin_all(probe, some), plain_loop(probe, some))
    ours_s = median_s(lambda: bin_all(probe, starts), runs=3)
    start = time.perf_counter()
    plain_loop(probe, some)
    loop_s = (time.perf_counter() - start) * N_TRIALS / LOOP_TRIALS
    what = f"bin {N_SPIKES // 10**6} million spikes x {N_TRIALS} trials x {N_UNITS} units"
    measured(what, ours_s, loop_s / 20)
    measured(f"  a boolean mask per trial (timed on {LOOP_TRIALS} trials, scaled)", loop_s)
    assert loop_s / ours_s >= 20, f"only {loop_s / ours_s:.1f} times faster"


def bench_binning_is_linear_in_spikes(measured, median_s, probe, starts):
    # Ever more spikes, the same trials: twice as many may take twice as long, and no longer.
    smaller = spikes_of(N_SPIKES // SMALLER)
    few_s = median_s(lambda: bin_all(smaller, starts), runs=3)
    many_s = median_s(lambda: bin_all(probe, starts), runs=3)
    measured(f"  the same with a {SMALLER}th of the spikes", few_s)
    assert many_s <= 1.3 * SMALLER * few_s, f"{many_s / few_s:.1f} times the time"


def bench_memory_of_binning(measured, probe, starts):
    own = probe.times_s.nbytes + probe.clusters.nbytes
    start = time.perf_counter()
    tracemalloc.start()
    silent_stretches([probe])
    has_spikes([probe], N_UNITS)
    counts = bin_all(probe, starts)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    share = (own + peak) / own
    result = counts.nbytes / own
    what = f"  peak memory: {share:.2f} x the spikes (themselves 1, result {result:.2f})"
    measured(what, time.perf_counter() - start)
    assert share < 2


def bench_checks_around_binning(measured, median_s, probe):
    measured("  find silent stretches", median_s(lambda: silent_stretches([probe]), runs=3))
    measured("  find units with spikes", median_s(lambda: has_spikes([probe], N_UNITS), runs=3))


def bench_a_folder_from_the_disk_to_a_session_file(measured, median_s, tmp_path):
    """Read a simulated ALF folder that lies in memory already, prepare it, write it."""
    folder = write_alf(simulate(load_simulation("ibl-small"), 0), tmp_path)
    raw, config = read_alf(folder), load_preparation()
    session = prepare(raw, config)
    n_spikes = sum(len(probe.times_s) for probe in raw.spikes)
    reading = median_s(lambda: read_alf(folder), runs=3)
    measured(f"read a warm ALF folder of {n_spikes / 1e6:.1f} million spikes", reading)
    preparing = median_s(lambda: prepare(raw, config), runs=3)
    measured("  prepare it: units, trials, bins, wheel, whiskers, licks", preparing)
    path = tmp_path / "session.h5"
    measured("  write the session file", median_s(lambda: write_session(session, path), runs=3))
