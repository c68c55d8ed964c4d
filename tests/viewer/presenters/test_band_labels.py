from __future__ import annotations

import itertools

import pytest

from mtm_core.evaluation.row_order import RegionBand
from mtm_viewer.presenters.band_labels import place_labels

BANDS = (RegionBand("VISp", 0, 60), RegionBand("CA1", 60, 66), RegionBand("DG", 66, 126))


def test_names_stand_in_the_middle_of_their_regions():
    assert place_labels(BANDS, 0, 126, 3.0, 12.0) == ((30.0, "VISp"), (63.0, "CA1"), (96.0, "DG"))


def test_a_region_too_thin_for_its_name_goes_without():
    names = [name for _, name in place_labels(BANDS, 0, 126, 1.0, 12.0)]
    assert names == ["VISp", "DG"]


def test_no_two_names_come_closer_than_a_line_of_text():
    bands = tuple(RegionBand(f"R{k}", 9 * k, 9 * k + 9) for k in range(20))
    rows = [row for row, _ in place_labels(bands, 0, 180, 1.0, 14.0)]
    assert len(rows) > 5
    assert all(b - a >= 14.0 for a, b in itertools.pairwise(rows))


@pytest.mark.parametrize(("first", "last", "expected"), [(0, 40, 20.0), (40, 126, 50.0)])
def test_the_name_of_a_region_that_is_partly_in_view_stands_in_that_part(first, last, expected):
    placed = {name: row for row, name in place_labels(BANDS, first, last, 3.0, 12.0)}
    assert placed["VISp"] == expected


def test_regions_out_of_view_have_no_name():
    assert place_labels(BANDS, 70, 120, 3.0, 12.0) == ((95.0, "DG"),)
