"""The real IBL excerpt, opened as it lies and prepared; see tests/data/ibl_excerpt."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.alf import read_alf
from mtm_core.data.coverage import silent_stretches
from mtm_core.data.preparation import prepare

EXCERPT = Path(__file__).parents[2] / "data" / "ibl_excerpt"


@pytest.fixture(scope="module")
def raw():
    return read_alf(EXCERPT)


def test_all_units_and_coverage_alone_give_251_units_and_27_trials(raw):
    session = prepare(raw, load_preparation("paper"))
    assert session.counts.shape == (27, 100, 251)
    assert len(session.region_names()) == 21
    assert session.preparation.units_sentence == "251 of 262 units kept: 11 without a spike"
    assert session.preparation.trials_sentence == (
        "27 of 30 trials kept: 3 not covered by the recording"
    )


def test_the_defaults_give_44_units_and_24_trials_before_small_regions_go(raw):
    settings = load_preparation("default", [("prepare.min_region_units", "1")])
    session = prepare(raw, settings)
    assert session.counts.shape == (24, 100, 44)
    assert session.preparation.trials_sentence == (
        "24 of 30 trials kept: 3 fast, 3 not covered by the recording"
    )


def test_the_defaults_keep_the_five_beryl_regions_of_five_units(raw):
    session = prepare(raw, load_preparation())
    names, sizes = np.unique(session.region, return_counts=True)
    assert dict(zip(names.tolist(), sizes.tolist(), strict=True)) == {
        "DG": 7,
        "LP": 12,
        "PoT": 6,
        "SGN": 5,
        "VISa": 7,
    }


def test_the_three_stretches_that_were_cut_out_are_what_is_covered(raw):
    stretches = silent_stretches(raw.spikes)
    covered = np.stack([stretches[:-1, 1], stretches[1:, 0]], axis=1)
    expected = [[60.964, 114.944], [804.543, 888.805], [1117.735, 1166.398]]
    np.testing.assert_allclose(covered, expected, atol=0.001)


def test_counts_are_those_of_a_mask_for_each_trial_and_bin(raw):
    session = prepare(raw, load_preparation("paper"))
    (probe,) = raw.spikes
    row_of_unit = [raw.units.values("unit_id").tolist().index(u) for u in session.unit_id[::50]]
    for trial in (0, 13, 26):
        start = session.trials.values("align_s")[trial] - 0.5
        for k in (0, 25, 99):
            low, high = start + 0.02 * k, start + 0.02 * (k + 1)
            is_in = (probe.times_s >= low) & (probe.times_s < high)
            assert session.counts[trial, k].sum() == is_in.sum()
            for column, row in enumerate(row_of_unit):
                n_spikes = (is_in & (probe.clusters == row)).sum()
                assert session.counts[trial, k, 50 * column] == n_spikes


def test_errors_enough_for_the_brain_wide_map_are_there(raw):
    session = prepare(raw, load_preparation("brain-wide-map"))
    assert session.n_trials == 24
    assert (session.trials.values("feedback") < 0).sum() >= 3
