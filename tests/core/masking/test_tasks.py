from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.tasks import TASKS, forward_prediction, plan_task
from tests.core.sessions import make_session

SESSION = make_session(
    n_trials=8, n_bins=10, n_units=60, regions=("CA1", "DG", "root", "void")
)  # 15 units each


def test_co_smoothing_scores_each_unit_in_its_own_pass() -> None:
    plan = plan_task("co_smoothing", SESSION)
    [spec] = plan.specs
    mask = spec.resolve(SESSION)
    assert mask.one_at_a_time
    assert mask.prompt == "neuron"
    assert not mask.is_hidden.any()
    assert plan.is_scored.all()
    assert plan.groups == (None,)
    assert not plan.skipped


@pytest.mark.parametrize(("n_bins", "first"), [(100, 90), (40, 36), (20, 18), (5, 4), (2, 1)])
def test_forward_prediction_hides_the_last_tenth_of_the_bins(n_bins: int, first: int) -> None:
    session = make_session(n_trials=3, n_bins=n_bins, n_units=4)
    [spec] = plan_task("forward_prediction", session).specs
    mask = spec.resolve(session)
    assert mask.is_causal
    assert not mask.one_at_a_time
    assert np.flatnonzero(mask.is_hidden.all(axis=1)).tolist() == list(range(first, n_bins))
    assert np.array_equal(mask.is_hidden, mask.is_scored)
    assert mask.is_hidden.sum() == (n_bins - first) * 4


def test_the_horizon_is_a_setting() -> None:
    [spec] = plan_task("forward_prediction", SESSION, fraction=0.5).specs
    assert spec.blocks[0].bins == (5, 10)


@pytest.mark.parametrize(("n_bins", "fraction"), [(1, 0.1), (10, 0.0), (10, 1.0), (10, 0.99)])
def test_a_horizon_that_leaves_no_bin_is_refused(n_bins: int, fraction: float) -> None:
    with pytest.raises(MaskError, match="leaves none to see"):
        forward_prediction(n_bins, fraction)


def test_intra_region_hides_the_outside_and_one_unit_inside_at_a_time() -> None:
    plan = plan_task("intra_region", SESSION)
    assert plan.groups == ("CA1", "DG")
    for region, spec in zip(plan.groups, plan.specs, strict=True):
        mask, is_inside = spec.resolve(SESSION), SESSION.region == region
        assert mask.one_at_a_time
        assert mask.prompt == "intra_region"
        assert np.array_equal(mask.is_hidden, np.tile(~is_inside, (10, 1)))
        assert np.array_equal(mask.is_scored, np.tile(is_inside, (10, 1)))


def test_inter_region_hides_and_scores_a_whole_region() -> None:
    plan = plan_task("inter_region", SESSION)
    assert plan.groups == ("CA1", "DG")
    for region, spec in zip(plan.groups, plan.specs, strict=True):
        mask = spec.resolve(SESSION)
        assert not mask.one_at_a_time
        assert mask.prompt == "inter_region"
        assert np.array_equal(mask.is_hidden, np.tile(SESSION.region == region, (10, 1)))
        assert np.array_equal(mask.is_hidden, mask.is_scored)


@pytest.mark.parametrize("name", ["intra_region", "inter_region"])
def test_unnamed_regions_are_no_targets_unless_asked_for(name: str) -> None:
    plan = plan_task(name, SESSION)
    assert plan.skipped == {"root": "not a named region", "void": "not a named region"}
    assert plan.is_scored[0].sum() == 30
    asked = plan_task(name, SESSION, target_regions=["void"])
    assert asked.groups == ("void",)
    assert not asked.skipped


@pytest.mark.parametrize("name", ["intra_region", "inter_region"])
def test_small_regions_are_skipped_with_the_reason(name: str) -> None:
    session = make_session(n_units=16, regions=("CA1", "CA1", "CA1", "DG"))
    plan = plan_task(name, session)
    assert plan.groups == ("CA1",)
    assert plan.skipped == {"DG": "4 units, fewer than 5"}
    assert plan_task(name, session, min_region_units=4).groups == ("CA1", "DG")
    assert plan_task(name, session, target_regions=["DG"]).skipped == plan.skipped


def test_a_region_of_one_unit_is_never_scored_intra_region() -> None:
    session = make_session(n_units=3)
    plan = plan_task("intra_region", session, min_region_units=1)
    assert set(plan.skipped.values()) == {"1 units, fewer than 2"}
    assert plan_task("inter_region", session, min_region_units=1).groups == ("CA1", "DG", "VISp")


def test_the_only_region_cannot_be_hidden_whole() -> None:
    session = make_session(n_units=8, regions=("CA1",))
    assert plan_task("inter_region", session).skipped == {"CA1": "no unit outside it"}
    assert plan_task("intra_region", session).groups == ("CA1",)


def test_a_session_without_regions_has_an_empty_plan() -> None:
    plan = plan_task("inter_region", make_session(regions=()))
    assert plan.specs == ()
    assert not plan.is_scored.any()


def test_an_unknown_target_or_task_is_answered_with_the_nearest() -> None:
    with pytest.raises(MaskError, match=r"no region 'CA'\. Did you mean 'CA1'"):
        plan_task("intra_region", SESSION, target_regions=["CA"])
    with pytest.raises(
        UnknownNameError, match=r"no task 'co-smoothing'\. Did you mean 'co_smooth"
    ):
        plan_task("co-smoothing", SESSION)


def test_the_four_tasks_have_their_names() -> None:
    assert TASKS == ("co_smoothing", "forward_prediction", "intra_region", "inter_region")
