"""The comparison panel says which tells more, how sure that is, and shows every unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation.paired_change import CAUTION
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.comparison_panel import comparison_panel, comparison_points
from mtm_viewer.presenters.mask_choice import recipe_choice
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=160)
MASK = recipe_choice("inter_region", "CA1", WORKSPACE.session)
CHOICE = CompareChoice(contrast="contrast_side").with_opponent("psth_condition")
UNIT = str(WORKSPACE.session.unit_id[2])


@pytest.fixture(scope="module")
def compared():
    request = ReconstructionRequest(workspace=WORKSPACE, spec=MASK.spec, compare=CHOICE)
    *_, picture = ReconstructionJob()(request, lambda: False)
    return picture.compared


def with_score(compared, **changes):
    change = replace(compared.change, score=replace(compared.change.score, **changes))
    return replace(compared, change=change)


def draw(compared, choice=CHOICE, unit=UNIT, workspace=WORKSPACE):
    return comparison_panel(workspace, choice, compared, unit)


def test_everything_is_said(compared):
    drawable = draw(compared)
    score = compared.change.score
    assert f"{score.change:+.3f}".replace("-", "\N{MINUS SIGN}") in drawable.headline
    assert "PSTH by condition" in drawable.sentence
    assert drawable.units.startswith("Unit by unit")
    assert drawable.unit.startswith("unit CA1 #2: ")
    assert drawable.contrast.startswith("Under this mask, left > right")
    assert drawable.caution == CAUTION
    assert drawable.can_blink
    assert drawable.axes == ("PSTH by condition, bits/spike", "MtM (mtm), bits/spike")


@pytest.mark.parametrize(
    ("changes", "role"),
    [
        ({"change": 0.2, "interval": (0.1, 0.3)}, "good"),
        ({"change": -0.2, "interval": (-0.3, -0.1)}, "bad"),
        ({"change": 0.0, "interval": (-0.1, 0.1)}, "warning"),
        ({"change": 0.2, "interval": None}, "warning"),
        ({"change": None}, "warning"),
    ],
)
def test_the_colour_follows_the_interval(compared, changes, role):
    assert draw(with_score(compared, **changes)).role == role


def test_what_is_still_counting_claims_nothing(compared):
    drawable = draw(replace(compared, is_exact=False, contrast=None))
    assert drawable.role == "muted"
    assert drawable.headline.endswith("so far")
    assert drawable.contrast.startswith("comparing conditions")


def test_nothing_is_compared_before_it_is_chosen_and_computed(compared):
    assert "Choose what" in draw(compared, CompareChoice()).headline
    assert draw(None).headline.startswith("comparing")
    assert draw(None).contrast.startswith("comparing conditions")
    # What was computed for another choice is not shown as that of this one.
    other = replace(CHOICE, contrast="choice")
    assert draw(compared, other).headline.startswith("comparing")
    assert "needs a model" in draw(None, workspace=None).headline
    bare = make_small_workspace(has_models=False)
    assert "needs a model" in draw(None, workspace=bare).headline


def test_a_problem_is_told_in_place_of_a_number(compared):
    told = draw(replace(compared, change=None, problem="It cannot be."))
    assert (told.headline, told.role) == ("It cannot be.", "warning")
    few = draw(replace(compared, contrast=None))
    assert (
        few.contrast == "One of the two conditions has fewer than 5 of the trials that are shown."
    )
    assert draw(compared, replace(CHOICE, contrast="")).contrast == ""


def test_points_are_the_units_with_spikes_within_the_limits(compared):
    points = comparison_points(WORKSPACE, compared.change)
    assert points.unit_id.tolist() == WORKSPACE.session.unit_id[:8].tolist()
    low, high = points.limits
    assert low <= min(0, points.own.min(), points.other.min())
    assert max(0, points.own.max(), points.other.max()) <= high
    inside = (compared.change.units.bps > low) & (compared.change.units.bps < high)
    assert np.allclose(points.own[inside], compared.change.units.bps[inside])
    assert points.row_of(UNIT) == 2
    assert points.row_of("nobody") is None
    assert points.words[2].startswith("unit CA1 #2: ")
    assert comparison_points(WORKSPACE, compared.change) is points


def test_units_without_spikes_or_intervals_say_so(compared):
    none = np.zeros(8, dtype=bool)
    units = replace(compared.change.units, is_valid=none, has_interval=none)
    silent = replace(compared.change, units=units)
    points = comparison_points(WORKSPACE, silent)
    assert points.limits == (-0.1, 0.1)
    assert points.colour.shape == (0, 3)
    assert draw(replace(compared, change=silent)).unit == "unit CA1 #2: no scored spike"
    few = replace(compared.change.units, has_interval=none)
    text = draw(replace(compared, change=replace(compared.change, units=few))).unit
    assert "too few spikes for an interval" in text
    assert draw(compared, unit="").unit == ""
    other = str(WORKSPACE.session.unit_id[-1])
    assert draw(compared, unit=other).unit == "The selected unit is not scored."


def test_limits_of_equal_units_are_not_a_point(compared):
    flat = np.zeros(8)
    units = replace(compared.change.units, bps=flat, other_bps=flat)
    points = comparison_points(WORKSPACE, replace(compared.change, units=units))
    assert points.limits == (-0.1, 0.1)
