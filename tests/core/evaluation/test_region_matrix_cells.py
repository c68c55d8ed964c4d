from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mtm_core.evaluation import metrics
from mtm_core.evaluation.region_matrix_cells import Estimate, pairs, read_cells, read_columns
from mtm_core.evaluation.region_matrix_tally import Tally
from tests.core.evaluation.matrices import REGIONS, UNTRAINED, make_plan, make_tally

PLAN = make_plan()
TALLY = make_tally(PLAN)
WEIGHTS = metrics.bootstrap_weights(6, 400, np.random.default_rng(1))
REASONS = {(a, b): UNTRAINED if a == "VISp" else None for a in REGIONS for b in REGIONS}
LN2 = np.log(2)


def cells(tally: Tally = TALLY, null="psth_by_condition"):
    return read_cells(PLAN, tally, WEIGHTS, REASONS, null)


def test_a_score_is_the_summed_gain_over_the_summed_spikes():
    found = cells()["VISp", "LGd"]
    gain, spikes = TALLY.model.cell[0, 2], TALLY.spikes[2]
    assert found.model.score.value == pytest.approx(gain.sum() / spikes.sum() / LN2)
    assert found.n_spikes == spikes.sum()
    by_draw = gain.sum(axis=1) / spikes.sum(axis=1) / LN2
    assert found.model.draw_spread == pytest.approx(by_draw.std(ddof=1))
    low, high = found.model.score.interval
    assert low < found.model.score.value < high


def test_the_interval_is_that_of_resampled_trials():
    found = cells()["CA1", "LGd"].regression.score
    gain, spikes = TALLY.regression.cell[1, 2].sum(axis=0), TALLY.spikes[2].sum(axis=0)
    samples = (WEIGHTS @ gain) / (WEIGHTS @ spikes) / LN2
    assert found.interval == pytest.approx(tuple(np.quantile(samples, [0.025, 0.975])))


def test_the_share_is_of_the_ceiling_and_only_of_one_that_is_there():
    found = cells()["VISp", "CA1"]
    ceiling = TALLY.model.ceiling[1].sum() / TALLY.spikes[1].sum() / LN2
    assert found.model.share == pytest.approx(found.model.score.value / ceiling)
    low = dataclasses.replace(TALLY.model, ceiling=0.01 * (TALLY.model.ceiling - 10))
    assert cells(dataclasses.replace(TALLY, model=low))["VISp", "CA1"].model.share is None


def test_the_asymmetry_is_paired_over_trials():
    found = cells()["VISp", "CA1"].model.asymmetry
    one = (WEIGHTS @ TALLY.model.cell[0, 1].sum(axis=0)) / (WEIGHTS @ TALLY.spikes[1].sum(axis=0))
    other = (WEIGHTS @ TALLY.model.cell[1, 0].sum(axis=0)) / (
        WEIGHTS @ TALLY.spikes[0].sum(axis=0)
    )
    expected = np.quantile((one - other) / LN2, [0.025, 0.975])
    assert found.interval == pytest.approx(tuple(expected))


def test_draws_that_are_not_done_count_nowhere():
    done = np.array([[True, False], [True, True], [True, True]])
    model = dataclasses.replace(TALLY.model, is_cell_done=done)
    found = cells(dataclasses.replace(TALLY, model=model))
    first = TALLY.model.cell[0, 1, 0].sum() / TALLY.spikes[1, 0].sum() / LN2
    assert found["VISp", "CA1"].model.score.value == pytest.approx(first)
    assert found["VISp", "CA1"].model.n_draws == 1
    assert found["VISp", "CA1"].model.draw_spread is None
    back = TALLY.model.cell[1, 0, 0].sum() / TALLY.spikes[0, 0].sum() / LN2
    assert found["CA1", "VISp"].model.asymmetry.value == pytest.approx(back - first)
    both = (TALLY.model.cell[0, 1, 0] - TALLY.regression.cell[0, 1, 0]).sum()
    expected = both / TALLY.spikes[1, 0].sum() / LN2
    assert found["VISp", "CA1"].difference.value == pytest.approx(expected)


def test_nothing_done_is_nothing_known():
    found = cells(make_tally(PLAN, is_done=False))["VISp", "CA1"]
    for source in (found.model, found.regression):
        assert source.score == source.asymmetry == Estimate()
        assert (source.share, source.draw_spread, source.n_draws) == (None, None, 0)
    assert found.difference == Estimate()
    facts = read_columns(PLAN, make_tally(PLAN, is_done=False), WEIGHTS)["CA1"]
    assert facts.ceiling == facts.regression_ceiling == Estimate()
    assert facts.floor.value is not None


def test_silent_units_have_no_score():
    silent = dataclasses.replace(TALLY, spikes=0 * TALLY.spikes)
    found = cells(silent)["VISp", "CA1"]
    assert found.model.score == found.model.asymmetry == Estimate()
    assert found.model.draw_spread is None


def test_over_the_psth_of_all_trials_the_floor_is_taken_off():
    plain, by_condition = cells(null="psth_all_trials"), cells()
    floor = TALLY.floor[2].sum() / TALLY.spikes[2].sum() / LN2
    names = ("VISp", "LGd")
    assert plain[names].model.score.value == pytest.approx(
        by_condition[names].model.score.value - floor
    )
    assert plain[names].difference == by_condition[names].difference
    assert plain[names].model.draw_spread != by_condition[names].model.draw_spread
    assert read_columns(PLAN, TALLY, WEIGHTS)["LGd"].floor.value == pytest.approx(floor)


def test_reasons_belong_to_their_cells():
    found = cells()
    assert found["VISp", "CA1"].untrained_reason == UNTRAINED
    assert found["CA1", "VISp"].untrained_reason is None


@pytest.mark.parametrize(
    ("interval", "above", "spans"),
    [((0.1, 0.2), True, False), ((-0.1, 0.2), False, True), ((-0.2, -0.1), False, False)],
)
def test_an_interval_lies_above_zero_around_it_or_below(interval, above, spans):
    estimate = Estimate(0.0, interval)
    assert (estimate.is_above_zero, estimate.spans_zero) == (above, spans)
    assert (Estimate().is_above_zero, Estimate().spans_zero) == (False, True)


def test_pairs_leave_out_the_diagonal():
    assert list(pairs(3)) == [(0, 1), (0, 2), (1, 0), (1, 2), (2, 0), (2, 1)]
