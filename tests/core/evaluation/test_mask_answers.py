"""What answers are made from does not depend on who asks."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import DataError
from mtm_core.evaluation.mask_answers import (
    control_donors,
    in_units_of,
    is_temporal,
    mask_for,
    mixed_order,
)
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60)
SHOWN = np.arange(3, 60, 4)


def test_an_order_holds_every_trial_once_and_follows_the_seed():
    order = mixed_order("s", SHOWN)
    assert sorted(order) == SHOWN.tolist()
    assert (mixed_order("s", SHOWN) == order).all()
    assert (mixed_order("s", SHOWN, seed=1) != order).any()


def test_donors_are_other_shown_trials_whatever_the_order():
    order = mixed_order("s", SHOWN)
    donors = control_donors(SESSION, SHOWN, order)
    assert set(donors) <= set(SHOWN)
    assert (donors != order).all()
    in_place = control_donors(SESSION, SHOWN, SHOWN)
    assert dict(zip(order, donors, strict=True)) == dict(zip(SHOWN, in_place, strict=True))
    with pytest.raises(DataError):
        control_donors(SESSION, SHOWN[:1], SHOWN[:1])


def test_the_temporal_baseline_is_told_nothing():
    spec = tasks.inter_region("CA1")
    assert is_temporal(["temporal"])
    assert mask_for(["temporal"], spec).prompt == "none"
    assert mask_for(["neuron", "temporal"], spec) is spec


def test_an_answer_is_brought_into_another_order_of_units():
    turned = SESSION.take_units(np.arange(SESSION.n_units)[::-1])
    bound = Reconstructor(make_checkpoint(SESSION), SESSION)
    answer = bound.complete(tasks.inter_region("CA1"), SHOWN[:4])
    assert in_units_of(answer, SESSION, SESSION) is answer
    moved = in_units_of(answer, SESSION, turned)
    assert np.array_equal(moved.log_rate, answer.log_rate[..., ::-1])
