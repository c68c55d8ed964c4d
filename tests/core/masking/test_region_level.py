from __future__ import annotations

import numpy as np
import pytest

from mtm_core.masking.region_level import (
    all_others_visible,
    level_labels,
    only_region_visible,
    units_at_level,
)
from tests.core.sessions import make_session

SESSION = make_session(n_units=12, regions=("CA1", "DG", "VISp", ""))


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("given", ["CA1"] * 3 + ["DG"] * 3 + ["VISp"] * 3 + [""] * 3),
        ("cosmos", ["HPF"] * 6 + ["Isocortex"] * 3 + [""] * 3),
    ],
)
def test_labels_are_those_of_the_level(level, expected):
    assert level_labels(SESSION, level).tolist() == expected


@pytest.mark.parametrize(
    ("level", "region"), [("given", "DG"), ("beryl", "DG"), ("cosmos", "HPF")]
)
def test_units_of_a_region_are_chosen_at_every_level(level, region):
    chosen = units_at_level(level, region).select(SESSION)
    assert np.array_equal(chosen, level_labels(SESSION, level) == region)


def test_only_the_row_is_visible_and_only_the_column_is_scored():
    mask = only_region_visible("cosmos", "HPF", "Isocortex").resolve(SESSION)
    assert mask.is_hidden[0].tolist() == [False] * 6 + [True] * 6
    assert mask.is_scored[0].tolist() == [False] * 6 + [True] * 3 + [False] * 3
    assert mask.prompt == "inter_region"


def test_without_a_column_all_that_is_hidden_is_scored():
    mask = only_region_visible("given", "CA1", None, "neuron").resolve(SESSION)
    assert np.array_equal(mask.is_scored, mask.is_hidden)
    assert mask.prompt == "neuron"


def test_all_but_the_column_is_visible():
    mask = all_others_visible("given", "DG").resolve(SESSION)
    assert np.array_equal(mask.is_hidden[0], SESSION.region == "DG")
