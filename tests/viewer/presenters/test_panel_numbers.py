"""Tables of numbers as text: every digit, absence as an empty cell."""

from __future__ import annotations

import csv

import numpy as np

from mtm_viewer.presenters.panel_numbers import NumberColumn, NumberTable, PanelNumbers

RATE = np.array([[0.1, 1 / 3], [2e-9, 12345.678]])
TABLE = NumberTable(
    name="units",
    columns=(
        NumberColumn(name="unit_id", values=np.array(['a,"b', "c"])),
        NumberColumn(name="rate", values=RATE, unit="spikes/s", labels=("-5 ms", "5 ms")),
        NumberColumn(
            name="depth",
            values=np.array([1.5, 0.0], dtype=np.float32),
            unit="um",
            is_known=np.array([True, False]),
        ),
    ),
)
NUMBERS = PanelNumbers(title="Two\nunits", tables=(TABLE,), notes=(("trials", "66 test"),))


def test_numbers_come_back_to_the_last_digit():
    head, *rows = csv.reader(TABLE.to_text().splitlines())
    assert head == ["unit_id", "rate -5 ms (spikes/s)", "rate 5 ms (spikes/s)", "depth (um)"]
    assert [row[0] for row in rows] == ['a,"b', "c"]
    assert np.array_equal(np.array([row[1:3] for row in rows], dtype=float), RATE)
    assert [row[3] for row in rows] == ["1.5", ""]


def test_title_and_choices_stand_above_each_in_a_line():
    lines = NUMBERS.to_text(TABLE, "\t").splitlines()
    assert lines[:2] == ["# Two units", "# trials: 66 test"]
    assert lines[2].split("\t")[1] == "rate -5 ms (spikes/s)"


def test_numbers_of_single_precision_come_back_too():
    values = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    column = NumberColumn(name="v", values=values, labels=("a", "b", "c", "d"))
    assert np.array_equal(column.cells().astype(np.float32), values)
