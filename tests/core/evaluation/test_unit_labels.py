from __future__ import annotations

import pytest

from mtm_core.evaluation.unit_labels import region_colour, region_ranks


def test_regions_without_an_atlas_colour_are_greys_of_their_own():
    greys = {region_colour(name) for name in ("root", "void", "no such region")}
    assert len(greys) == 3
    for grey in greys:
        assert grey[1:3] == grey[3:5] == grey[5:7]


def test_unnamed_regions_stand_after_all_others():
    ranks = region_ranks(["VISp", "void", "CA1", "root", "no such region"])
    assert ranks["root"] > max(ranks["VISp"], ranks["CA1"])
    assert ranks["void"] == ranks["root"]
    assert "no such region" not in ranks


@pytest.mark.parametrize(("first", "second"), [("VISp", "CA1"), ("CA1", "CA3"), ("CA3", "DG")])
def test_regions_stand_in_the_order_of_the_atlas(first, second):
    ranks = region_ranks([first, second])
    assert ranks[first] < ranks[second]
