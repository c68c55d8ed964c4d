from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import ConfigError, DataError, UnknownNameError
from mtm_core.evaluation.region_matrix_plan import MatrixSettings, plan_matrix
from tests.core.sessions import make_session

REGIONS = ("CA1", "CA1", "DG", "VISp", "root")
SESSION = make_session(n_units=40, regions=REGIONS)


def plan(**settings):
    return plan_matrix(SESSION, MatrixSettings(**{"min_units": 4, **settings}))


def test_every_region_is_represented_by_as_many_units_as_the_smallest_has():
    found = plan(n_draws=3)
    assert found.regions == ("VISp", "CA1", "DG")
    assert found.sizes == {"VISp": 8, "CA1": 16, "DG": 8}
    assert found.chosen.shape == (3, 3, 8)
    for place, name in enumerate(found.regions):
        for units in found.chosen[place]:
            assert len(set(units.tolist())) == 8
            assert (SESSION.region[units] == name).all()


def test_draws_differ_where_there_is_a_choice_and_are_the_same_again():
    chosen = plan(n_draws=4).chosen
    assert len({tuple(units) for units in chosen[1].tolist()}) == 4
    assert len({tuple(units) for units in chosen[0].tolist()}) == 1
    assert np.array_equal(chosen, plan(n_draws=4).chosen)
    assert not np.array_equal(chosen, plan(n_draws=4, seed=1).chosen)


def test_more_draws_keep_those_of_fewer():
    assert np.array_equal(plan(n_draws=2).chosen, plan(n_draws=5).chosen[:, :2])


def test_regions_that_are_left_out_say_why():
    assert plan(min_units=4).left_out == {"root": "not a named region"}
    session = make_session(n_units=40, regions=("CA1",) * 4 + ("DG",) * 4 + ("VISp", "LP"))
    found = plan_matrix(session, MatrixSettings(n_units=10, min_units=2))
    assert found.regions == ("CA1", "DG")
    assert found.left_out["VISp"] == "4 units, fewer than 10"


def test_a_coarser_level_joins_regions():
    found = plan(level="cosmos")
    assert found.regions == ("Isocortex", "HPF")
    assert found.sizes == {"Isocortex": 8, "HPF": 24}
    assert found.members("HPF").sum() == 24


def test_units_that_the_recording_lacks_stand_for_nothing():
    is_missing = np.zeros(SESSION.n_units, dtype=bool)
    is_missing[:3] = True
    found = plan_matrix(SESSION, MatrixSettings(min_units=4), is_missing)
    assert found.sizes["CA1"] == 13
    assert not set(found.chosen.ravel().tolist()) & {0, 1, 2}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"min_units": 9}, "only CA1 has as many. Lower --min-units"),
        ({"min_units": 50}, "none has as many"),
        ({"n_units": 12}, "Lower --units"),
    ],
)
def test_too_few_regions_are_a_sentence(settings, said):
    with pytest.raises(DataError, match=said):
        plan(**settings)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"n_draws": 0}, "--draws is 0, but must lie between 1 and 1000"),
        ({"min_units": 1}, "--min-units is 1"),
        ({"n_units": 1}, "--units is 1"),
    ],
)
def test_settings_out_of_range_name_their_flag(settings, said):
    with pytest.raises(ConfigError, match=said):
        MatrixSettings(**settings)


def test_an_unknown_level_offers_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'cosmos'"):
        MatrixSettings(level="cosmo")
