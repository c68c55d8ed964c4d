from __future__ import annotations

import numpy as np
import pytest
from iblatlas.regions import BrainRegions

from mtm_core.data.regions import load_regions, region_columns, region_info, sort_regions
from mtm_core.errors import UnknownNameError

ABOVE_BERYL = ("ACA", "AUD", "LS", "MB", "SSp", "TH", "TT")


@pytest.fixture(scope="module")
def atlas():
    return BrainRegions()


def test_the_table_equals_iblatlas(atlas):
    """Names, colours and both levels of every region; only the Beryl rule departs from it."""
    right = np.arange(len(atlas.id) // 2 + 1)
    n_compared = 0
    for i in right:
        info = region_info(str(atlas.acronym[i]))
        beryl = str(atlas.acronym[atlas.mappings["Beryl"][i]])
        assert info.name == atlas.name[i]
        assert info.color_hex == "#" + bytes(atlas.rgb[i].tolist()).hex()
        assert info.cosmos == atlas.acronym[atlas.mappings["Cosmos"][i]]
        assert info.beryl == beryl or (beryl == "root" and info.beryl == info.acronym)
        n_compared += 1
    assert n_compared == len(load_regions()) == 1328


@pytest.mark.parametrize("acronym", ABOVE_BERYL)
def test_areas_above_the_beryl_level_keep_their_own_acronym(atlas, acronym):
    assert atlas.acronym2acronym(acronym, mapping="Beryl").tolist() == ["root"]
    assert region_info(acronym).beryl == acronym


@pytest.mark.parametrize(
    ("acronym", "beryl", "cosmos"),
    [
        ("CA1", "CA1", "HPF"),
        ("VISp6a", "VISp", "Isocortex"),
        ("TH", "TH", "TH"),
        ("root", "root", "root"),
        ("void", "void", "void"),
        ("fiber tracts", "root", "root"),
        ("cc", "root", "root"),
    ],
)
def test_levels(acronym, beryl, cosmos):
    info = region_info(acronym)
    assert (info.beryl, info.cosmos) == (beryl, cosmos)


def test_a_region_knows_its_place_in_the_tree():
    info = region_info("CA1")
    assert (info.name, info.parent) == ("Field CA1", "CA")
    assert info.color_hex == "#7ed04b"
    assert info.graph_order > region_info("VISp").graph_order > region_info("root").graph_order


def test_a_region_that_the_atlas_lacks_is_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no region 'CAA1'. Did you mean 'CA1'"):
        region_info("CAA1")


def test_columns_mark_units_without_a_region_and_keep_unknown_names():
    columns = region_columns(["TH", "", "my nucleus"])
    assert columns["region_beryl"].values.tolist() == ["TH", "", "my nucleus"]
    assert columns["region_cosmos"].values.tolist() == ["TH", "", "my nucleus"]
    for column in columns.values():
        assert column.is_valid.tolist() == [True, False, True]


def test_regions_are_sorted_as_in_the_atlas_then_unknown_ones_then_unnamed_ones():
    names = ["void", "zz", "root", "aa", "CA1", "VISp"]
    assert sort_regions(names) == ["VISp", "CA1", "aa", "zz", "root", "void"]
