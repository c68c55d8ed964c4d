from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.data.units import select_units, unit_rate_hz
from mtm_core.errors import DataError, MissingFieldError, UnknownNameError
from tests.core.sessions import make_session


@pytest.fixture
def session():
    """Eight units: CA1 x 3, DG x 2, root, void, and one without a region."""
    made = make_session(n_units=8, regions=("CA1", "CA1", "CA1", "DG", "DG", "root", "void", ""))
    good = Column(np.arange(8) % 2 == 0, np.arange(8) != 4)
    return replace(made, units=Table({**made.units.columns, "is_good": good}))


def _kept(session, **criteria):
    return [int(name[-1]) for name in select_units(session, **criteria).unit_id]


@pytest.mark.parametrize(
    ("criteria", "kept"),
    [
        ({}, [0, 1, 2, 3, 4, 5, 6, 7]),
        ({"regions": ["DG", "root"]}, [3, 4, 5]),
        ({"named_only": True}, [0, 1, 2, 3, 4]),
        ({"good_only": True}, [0, 2, 6]),
        ({"min_region_units": 3}, [0, 1, 2]),
        ({"good_only": True, "min_region_units": 2}, [0, 2]),
    ],
)
def test_units_are_kept_that_meet_every_criterion(session, criteria, kept):
    assert _kept(session, **criteria) == kept


def test_the_notes_say_how_many_units_were_kept(session):
    chosen = select_units(session, regions=["CA1"])
    assert chosen.provenance.notes[-1] == "3 of 8 units were kept."
    assert len(session.provenance.notes) == 1


def test_a_region_that_does_not_occur_is_refused(session):
    with pytest.raises(UnknownNameError, match=r"no region in this session 'CA2'.*'CA1'"):
        select_units(session, regions=["CA2"])


def test_a_criterion_that_needs_an_absent_field_names_it(session):
    units = Table({k: c for k, c in session.units.columns.items() if k != "is_good"})
    with pytest.raises(MissingFieldError, match="is_good"):
        select_units(replace(session, units=units), good_only=True)


def test_criteria_that_no_unit_meets_are_refused(session):
    with pytest.raises(DataError, match="None of the 8 units"):
        select_units(session, min_region_units=4)


def test_rates_are_spikes_per_second_over_the_chosen_trials():
    session = make_session(n_trials=4, n_bins=5, n_units=3, bin_size_s=0.02)
    expected = session.counts[[0, 2]].sum(axis=(0, 1)) / (2 * 5 * 0.02)
    assert unit_rate_hz(session, np.array([0, 2])) == pytest.approx(expected)
