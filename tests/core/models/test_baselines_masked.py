"""Baselines under any mask: those of a task where the mask is its own, fair where it is not."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.baselines_forward import PastRegression
from mtm_core.models.baselines_masked import BASELINES, REGRESSION, MaskedBaselines
from mtm_core.models.baselines_regression import PoissonRegression
from tests.core.models.baseline_data import make_bench, with_counts


@pytest.fixture(scope="module")
def bench():
    return make_bench(n_trials=90, n_units=30)


@pytest.fixture(scope="module")
def baselines(bench):
    return MaskedBaselines(bench.data)


def units(bench, *rows, bins=None):
    return Block(UnitChoice.these(bench.session.unit_id[list(rows)]), bins)


@pytest.mark.parametrize(
    ("task", "spec"),
    [
        ("co_smoothing", tasks.co_smoothing()),
        ("intra_region", tasks.intra_region("DG")),
        ("inter_region", tasks.inter_region("DG")),
    ],
    ids=["co-smoothing", "intra-region", "inter-region"],
)
def test_the_regression_is_that_of_the_task_where_the_mask_is_the_tasks(
    bench, baselines, task, spec
):
    mask = spec.resolve(bench.session)
    own = baselines.predict(REGRESSION, mask, bench.test)
    rival = PoissonRegression(bench.data).predict(bench.plan(task), bench.test)
    scored = mask.is_scored
    # The same features and penalties; regions choose their settings by themselves in a task.
    assert np.corrcoef(own[:, scored].ravel(), rival[:, scored].ravel())[0, 1] > 0.98


def test_a_mask_of_the_last_bins_is_regressed_on_the_past(bench, baselines):
    spec = tasks.forward_prediction(bench.session.n_bins)
    mask = spec.resolve(bench.session)
    own = baselines.predict(REGRESSION, mask, bench.test)
    rival = PastRegression(bench.data).predict(bench.plan("forward_prediction"), bench.test)
    assert np.array_equal(own[:, mask.is_scored], rival[:, mask.is_scored])


@pytest.mark.parametrize("in_turn", [False, True])
def test_what_a_mask_hides_never_enters_the_prediction(bench, in_turn):
    """Units 0 to 4 are hidden, unit 5 in some bins only; 6 and 7 are predicted in turn."""
    hidden = (units(bench, 0, 1, 2, 3, 4), units(bench, 5, bins=(2, 4)))
    scored = (units(bench, 0, 6, 7),) if in_turn else None
    mask = MaskSpec(blocks=hidden, scored=scored, one_at_a_time=in_turn).resolve(bench.session)
    before = MaskedBaselines(bench.data).predict(REGRESSION, mask, bench.test)
    for unit in mask.scored_units:
        counts = bench.data.counts.copy()
        secret = [0, 1, 2, 3, 4, 5, unit]
        counts[np.ix_(bench.test, np.arange(bench.data.n_bins), secret)] = 9
        changed = MaskedBaselines(with_counts(bench.data, counts))
        after = changed.predict(REGRESSION, mask, bench.test)
        assert np.allclose(before[:, :, unit], after[:, :, unit], atol=1e-5)
    assert np.abs(before[:, :, 0].std(axis=0)).max() > 0


@pytest.mark.parametrize("name", [name for name in BASELINES if name != REGRESSION])
def test_the_others_do_not_look_at_the_mask(bench, baselines, name):
    one, other = (tasks.inter_region(r).resolve(bench.session) for r in ("CA1", "DG"))
    found = baselines.predict(name, one, bench.test)
    assert found.shape == (len(bench.test), bench.data.n_bins, bench.data.n_units)
    assert found is baselines.predict(name, other, bench.test)


def test_a_fit_can_be_stopped_and_is_not_kept(bench):
    baselines = MaskedBaselines(bench.data)
    for spec in (tasks.inter_region("CA1"), tasks.forward_prediction(bench.session.n_bins)):
        mask = spec.resolve(bench.session)
        assert baselines.predict(REGRESSION, mask, bench.test, lambda: True) is None
    mask = tasks.inter_region("CA1").resolve(bench.session)
    assert baselines.predict(REGRESSION, mask, bench.test) is not None


def test_only_the_last_few_are_kept(bench):
    baselines = MaskedBaselines(bench.data)
    mask = tasks.inter_region("CA1").resolve(bench.session)
    first = baselines.predict("psth", mask, bench.test)
    for n_left_out in range(1, 5):
        baselines.predict("psth", mask, bench.test[n_left_out:])
    again = baselines.predict("psth", mask, bench.test)
    assert again is not first
    assert np.array_equal(again, first)


def test_what_cannot_be_predicted_is_told(bench, baselines):
    every = UnitChoice.every()
    middle = MaskSpec(blocks=(Block(every, (4, 6)),)).resolve(bench.session)
    with pytest.raises(MaskError, match="leaves too few"):
        baselines.predict(REGRESSION, middle, bench.test)
    late = MaskSpec(blocks=(Block(every, (3, 10)),)).resolve(bench.session)
    with pytest.raises(MaskError, match="needs 5 visible bins, and this mask leaves 3"):
        baselines.predict(REGRESSION, late, bench.test)
    with pytest.raises(UnknownNameError, match="oracle"):
        baselines.predict("oracle", middle, bench.test)
