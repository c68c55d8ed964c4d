from __future__ import annotations

import numpy as np
import pytest

from mtm_core.api.masks import hide
from mtm_core.errors import MaskError, RuleError
from mtm_core.masking.spec import MaskSpec
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def session():
    return make_session()


def test_units_are_hidden_by_rule_region_or_id(session):
    region = session.region_names()[0]
    wanted = session.region == region
    by_id = hide(units=session.unit_id[wanted])
    masks = [hide(f'region == "{region}"'), hide(region=region), by_id]
    for mask in masks:
        hidden = mask.resolve(session).is_hidden
        assert np.array_equal(hidden, np.broadcast_to(wanted, hidden.shape))


def test_bins_alone_are_hidden_of_every_unit(session):
    hidden = hide(bins=(2, 4)).resolve(session).is_hidden
    assert hidden[2:4].all()
    assert hidden.sum() == 2 * session.n_units


def test_only_some_of_what_is_hidden_is_scored(session):
    first, second = session.region_names()[:2]
    mask = hide(f'region in ("{first}", "{second}")', score=f'region == "{first}"')
    scored = mask.resolve(session).is_scored
    assert np.array_equal(scored.any(axis=0), session.region == first)


def test_units_predicted_in_turn_need_no_other_mask(session):
    region = session.region_names()[0]
    mask = hide(score=f'region == "{region}"', one_at_a_time=True)
    assert mask.one_at_a_time
    assert MaskSpec.from_json(mask.to_json()) == mask


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({}, "What shall be hidden"),
        ({"region": "CA1", "units": ["a"]}, "not by two"),
        ({"region": "CA1", "one_at_a_time": True}, "needs score"),
    ],
)
def test_a_mask_that_says_too_little_or_too_much_is_refused(arguments, part):
    with pytest.raises(MaskError, match=part):
        hide(**arguments)


def test_a_rule_that_is_none_is_refused():
    with pytest.raises(RuleError):
        hide("import os")
