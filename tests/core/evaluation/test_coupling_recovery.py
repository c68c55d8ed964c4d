from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from scipy.stats import spearmanr

from mtm_core.errors import DataError
from mtm_core.evaluation.coupling_recovery import coupling_between, recover_coupling
from tests.core.data.simulations import simulated

TRUTH = simulated(trials="12").truth
NAMES = ("VISa5", "CA1", "LP", "MOs5", "CP")
STRENGTH = np.abs(TRUTH.coupling.strength)


def test_coupling_is_found_by_the_names_of_every_level():
    assert TRUTH.regions == NAMES
    assert np.array_equal(coupling_between(NAMES, TRUTH, "given"), STRENGTH)
    beryl = ("VISa", "CA1", "LP", "MOs", "CP")
    assert np.array_equal(coupling_between(beryl, TRUTH, "beryl"), STRENGTH)
    assert np.array_equal(coupling_between(beryl, TRUTH, "given"), STRENGTH)
    turned = coupling_between(beryl[::-1], TRUTH, "beryl")
    assert np.array_equal(turned, STRENGTH[::-1, ::-1])


def test_regions_of_one_system_add_up():
    names = ("Isocortex", "HPF", "TH", "CNU")
    found = coupling_between(names, TRUTH, "cosmos")
    assert found[0, 1] == pytest.approx(STRENGTH[0, 1] + STRENGTH[3, 1])
    assert found[2, 0] == pytest.approx(STRENGTH[2, 0] + STRENGTH[2, 3])
    assert (np.diag(found) == 0).all()


def test_a_region_that_was_left_out_is_left_out():
    found = coupling_between(NAMES[:4], TRUTH, "given")
    assert np.array_equal(found, STRENGTH[:4, :4])


def test_another_recordings_truth_is_refused():
    with pytest.raises(DataError, match="knows no region DG"):
        coupling_between(("CA1", "DG"), TRUTH, "given")


def test_the_truth_itself_is_recovered():
    noise = 1e-6 * np.random.default_rng(0).normal(size=(5, 5))
    found = recover_coupling(STRENGTH + noise, NAMES, TRUTH, "given")
    for each in (found.pairs, found.cells, found.asymmetry):
        assert each.rho > 0.8
        assert each.rho <= each.best + 1e-9
        assert each.p < 0.05
    assert (found.pairs.n, found.cells.n, found.asymmetry.n) == (10, 20, 10)


def test_the_correlation_is_spearmans():
    values = np.random.default_rng(1).normal(size=(5, 5))
    found = recover_coupling(values, NAMES, TRUTH, "given")
    off = ~np.eye(5, dtype=bool)
    assert found.cells.rho == pytest.approx(spearmanr(values[off], STRENGTH[off]).statistic)
    upper = np.triu_indices(5, 1)
    both = [(m + m.T)[upper] for m in (values, STRENGTH)]
    assert found.pairs.rho == pytest.approx(spearmanr(*both).statistic)


def test_noise_is_not_significant_most_of_the_time():
    rng = np.random.default_rng(2)
    p = [
        recover_coupling(rng.normal(size=(5, 5)), NAMES, TRUTH, "given").pairs.p for _ in range(12)
    ]
    assert 0.2 < np.mean(p) < 0.8


def test_a_transposed_matrix_turns_the_asymmetry_only():
    values = np.random.default_rng(3).normal(size=(5, 5))
    one, other = (recover_coupling(m, NAMES, TRUTH, "given") for m in (values, values.T))
    assert one.pairs == other.pairs
    assert one.asymmetry.rho == pytest.approx(-other.asymmetry.rho)


def test_a_flat_matrix_has_no_correlation():
    found = recover_coupling(np.zeros((5, 5)), NAMES, TRUTH, "given")
    assert (found.cells.rho, found.cells.p) == (None, None)


def test_three_regions_are_too_few():
    with pytest.raises(DataError, match="3 regions are too few"):
        recover_coupling(np.zeros((3, 3)), NAMES[:3], TRUTH, "given")


def test_uncoupled_regions_give_no_correlation():
    coupling = dataclasses.replace(TRUTH.coupling, delay=0 * TRUTH.coupling.delay)
    alone = dataclasses.replace(TRUTH, coupling=coupling)
    assert recover_coupling(np.eye(5), NAMES, alone, "given").pairs.rho is None
