from __future__ import annotations

import numpy as np
import pytest

from mtm_core.config import PreparationConfig
from mtm_core.data.dropping import choose
from mtm_core.data.unit_rules import (
    at_region_level,
    check_units_left,
    choose_by_counts,
    unit_reasons,
    unit_rules,
)
from mtm_core.errors import DataError, MissingFieldError, UnknownNameError
from tests.core.data.raw_sessions import make_units

REGIONS = ("VISp2/3", "VISp5", "CA1", "root", "void", "", "fiber tracts")


def kept(table, **settings):
    config = PreparationConfig(**{"units": "all", "named_regions_only": False, **settings})
    units = at_region_level(table, config.region_level)
    return np.flatnonzero(choose(units.n_rows, unit_reasons(units, config)).is_kept).tolist()


def test_the_region_is_at_the_level_asked_for_and_the_given_one_is_not_lost():
    units = make_units(REGIONS)
    beryl = at_region_level(units, "beryl")
    names = ["VISp", "VISp", "CA1", "root", "void", "", "root"]
    assert beryl.values("region").tolist() == names
    assert beryl.values("region_given").tolist() == list(REGIONS)
    cosmos = at_region_level(beryl, "cosmos")
    assert cosmos.values("region")[:3].tolist() == ["Isocortex", "Isocortex", "HPF"]
    given = at_region_level(cosmos, "given")
    assert given.values("region").tolist() == list(REGIONS)
    assert not given.has("region_given")


def test_named_regions_are_named_at_the_chosen_level():
    units = make_units(REGIONS)
    assert kept(units, named_regions_only=True) == [0, 1, 2]
    assert kept(units, named_regions_only=True, region_level="given") == [0, 1, 2, 6]
    assert kept(units) == list(range(7))


def test_regions_are_chosen_by_name_at_the_chosen_level():
    units = make_units(REGIONS)
    assert kept(units, regions=("VISp",)) == [0, 1]
    assert kept(units, regions=("HPF",), region_level="cosmos") == [2]
    with pytest.raises(
        UnknownNameError, match=r"no region at the Beryl level .* 'VISp5'. Did you"
    ):
        kept(units, regions=("VISp5",))


def test_only_good_units_are_kept_unless_all_are_wanted():
    units = make_units(("CA1",) * 3, is_good=[True, False, True])
    assert kept(units, units="good") == [0, 2]
    assert kept(units, units="all") == [0, 1, 2]
    with pytest.raises(MissingFieldError, match="is_good"):
        kept(make_units(("CA1",)), units="good")


def test_region_sizes_are_counted_after_slow_units_are_gone():
    units = make_units(("CA1",) * 3 + ("DG",) * 2)
    rate = np.array([5.0, 5.0, 0.1, 5.0, 5.0])
    config = PreparationConfig(min_rate_hz=1.0, min_region_units=3)
    choice = choose_by_counts(units, rate, config)
    assert not choice.is_kept.any()
    assert choice.dropped == (("in a region of fewer than 3", 4), ("below 1 Hz", 1))
    assert choose_by_counts(units, rate, PreparationConfig(min_region_units=3)).is_kept.sum() == 3


def test_a_unit_exactly_at_the_lowest_rate_is_kept():
    choice = choose_by_counts(
        make_units(("CA1",)), np.array([1.0]), PreparationConfig(min_rate_hz=1, min_region_units=1)
    )
    assert choice.is_kept.all()


def test_nothing_left_is_said_with_every_reason():
    units = make_units(("root",) * 4)
    choice = choose(4, unit_reasons(units, PreparationConfig(units="all")))
    with pytest.raises(DataError, match=r"left of 4 units: 4 without a named region. Loosen"):
        check_units_left(choice)
    with pytest.raises(DataError, match="there are none"):
        check_units_left(choose(0, []), "clusters")


def test_rules_are_said_in_words():
    words = unit_rules(PreparationConfig(min_rate_hz=2, regions=("CA1", "DG")))
    assert words == (
        "Units: those that pass every quality criterion.",
        "Regions: at the Beryl level.",
        "Units below 2 spikes/s are left out.",
        "Units of CA1, DG only.",
        "Units in root, in void or without a region are left out.",
        "Regions of fewer than 5 units are left out.",
    )
    paper = PreparationConfig(
        units="all", region_level="given", named_regions_only=False, min_region_units=1
    )
    assert unit_rules(paper) == ("Units: all with a spike.", "Regions: as given.")
