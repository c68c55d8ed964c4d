"""Units ordered by Rastermap: by the library where it is installed, by its interface else."""

from __future__ import annotations

import logging
import sys
import types

import numpy as np
import pytest

from mtm_core.errors import ConfigError
from mtm_core.evaluation import rastermap_order as module
from mtm_core.evaluation.rastermap_order import (
    has_rastermap,
    pooled_activity,
    rastermap_order,
)
from mtm_core.evaluation.row_order import order_rows

N_UNITS = 60


def driven(n_units=N_UNITS, n_groups=3, seed=0):
    """Units in groups, each driven by a course of its own that changes from trial to trial."""
    rng = np.random.default_rng(seed)
    group = rng.permutation(np.arange(n_units) % n_groups)
    courses = np.exp(1.2 * np.cumsum(0.5 * rng.normal(size=(40, 20, n_groups)), axis=1) - 1.0)
    courses = np.minimum(courses, 8.0)
    return rng.poisson(courses[:, :, group]).astype(np.uint8), group


@pytest.fixture
def stand_in(monkeypatch):
    """A library of the same interface that sorts units by their mean."""
    asked = []

    class Rastermap:
        def __init__(self, **settings):
            asked.append(settings)
            logging.basicConfig(handlers=[logging.StreamHandler(sys.stdout)])

        def fit(self, data):
            asked.append(data)
            self.isort = data.mean(axis=1).argsort()
            return self

    library = types.ModuleType("rastermap")
    library.Rastermap = Rastermap
    library.__spec__ = types.SimpleNamespace(name="rastermap")
    monkeypatch.setitem(sys.modules, "rastermap", library)
    return asked


def test_units_that_are_active_together_become_neighbours():
    pytest.importorskip("rastermap")
    counts, group = driven()
    order = rastermap_order(counts)
    assert sorted(order.tolist()) == list(range(N_UNITS))
    changes = np.count_nonzero(np.diff(group[order]))
    by_chance = np.count_nonzero(np.diff(np.random.default_rng(1).permutation(group)))
    assert changes < by_chance / 3
    assert np.array_equal(rastermap_order(counts), order)


def test_without_it_the_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr(module, "has_rastermap", lambda: False)
    counts, _ = driven()
    region = np.array(["CA1"] * N_UNITS)
    with pytest.raises(ConfigError, match=r'pip install "mtm-viewer\[rastermap\]"'):
        order_rows(counts, region, bin_size_s=0.01, within="rastermap")


def test_it_is_asked_for_alive_units_alone_and_leaves_the_log_as_it_was(stand_in):
    counts, _ = driven()
    counts[:, :, [3, 50]] = 0
    handlers = list(logging.getLogger().handlers)
    assert has_rastermap()
    order = rastermap_order(counts)
    settings, data = stand_in
    assert settings["n_clusters"] == (N_UNITS - 2) // 3
    assert data.shape == (N_UNITS - 2, 40 * 20)
    assert order[-2:].tolist() == [3, 50]
    means = counts.mean(axis=(0, 1))[order[:-2]]
    assert np.array_equal(means, np.sort(means))
    assert logging.getLogger().handlers == handlers


def test_regions_are_ordered_apart_and_small_ones_by_their_dendrogram(stand_in):
    counts, _ = driven()
    region = np.array(["CA1"] * 45 + ["DG"] * 15)
    order = order_rows(counts, region, bin_size_s=0.01, within="rastermap")
    assert [(band.region, band.n_units) for band in order.bands] == [("CA1", 45), ("DG", 15)]
    assert [data.shape[0] for data in stand_in[1::2]] == [45]
    assert "Rastermap" in order.words
    assert sorted(order.rows.tolist()) == list(range(N_UNITS))
    whole = order_rows(counts, region, bin_size_s=0.01, within="rastermap", is_by_region=False)
    assert stand_in[-1].shape[0] == N_UNITS
    assert np.array_equal(whole.rows, counts.mean(axis=(0, 1)).argsort())


def test_too_few_units_with_a_spike_keep_their_order(stand_in):
    counts, _ = driven()
    counts[:, :, 10:] = 0
    assert rastermap_order(counts).tolist() == list(range(N_UNITS))
    assert stand_in == []


def test_long_recordings_are_pooled_within_trials(monkeypatch):
    counts = np.arange(24, dtype=np.uint8).reshape(2, 6, 2)
    assert pooled_activity(counts).shape == (2, 12)
    monkeypatch.setattr(module, "MOST_COLUMNS", 4)
    pooled = pooled_activity(counts)
    by_hand = [[0 + 2 + 4, 6 + 8 + 10, 12 + 14 + 16, 18 + 20 + 22], [9, 27, 45, 63]]
    assert pooled.tolist() == by_hand
    monkeypatch.setattr(module, "MOST_COLUMNS", 1)
    assert pooled_activity(counts).shape == (2, 2)
