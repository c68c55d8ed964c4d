from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError, MissingFieldError


def _table():
    depth = Column(np.array([10.0, 0.0, 30.0]), np.array([True, False, True]))
    return Table({"region": Column.full(np.array(["CA1", "DG", "CA1"])), "depth_um": depth})


def test_rows_are_taken_with_their_validity_and_the_table_stays_as_it_was():
    table = _table()
    taken = table.take(np.array([1, 2]))
    assert taken.values("region").tolist() == ["DG", "CA1"]
    assert taken.column("depth_um").is_valid.tolist() == [False, True]
    assert table.n_rows == 3


def test_a_field_that_is_absent_is_named_with_those_that_are_there():
    with pytest.raises(MissingFieldError, match=r"no field 'probe'. It has: depth_um, region"):
        _table().column("probe")


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(DataError, match="'b' has 1 rows, others 2"):
        Table({"a": Column.full(np.zeros(2)), "b": Column.full(np.zeros(1))})


@pytest.mark.parametrize("name", ["a", "b"])
def test_a_single_value_is_no_column(name):
    columns = {key: Column.full(np.zeros(2)) for key in ("a", "b")}
    columns[name] = Column(np.array(1.0), np.array(True))
    with pytest.raises(DataError, match=f"'{name}' is a single value"):
        Table(columns)


def test_a_table_without_columns_has_no_rows():
    assert Table({}).n_rows == 0
