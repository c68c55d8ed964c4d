from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt

from mtm_viewer.views.bin_spin import BinSpin

pytestmark = pytest.mark.gui


@pytest.fixture
def ends(qtbot):
    made = BinSpin(), BinSpin(is_end=True)
    for spin in made:
        qtbot.addWidget(spin)
        spin.set_bins(100, -0.5, 0.02)
    return made


def test_a_bin_is_shown_by_its_time(ends):
    first, last = ends
    first.setValue(0)
    last.setValue(99)
    assert (first.text(), last.text()) == ("\N{MINUS SIGN}500 ms", "1500 ms")


@pytest.mark.parametrize(
    ("typed", "n_first", "n_last"),
    [("0", 25, 24), ("110 ms", 30, 29), ("-500", 0, 0), ("9999", 99, 99), ("0,1", 25, 24)],
)
def test_a_time_is_typed(ends, qtbot, typed, n_first, n_last):
    for spin, wanted in zip(ends, (n_first, n_last), strict=True):
        spin.show()
        spin.selectAll()
        qtbot.keyClicks(spin, typed)
        qtbot.keyClick(spin, Qt.Key.Key_Return)
        assert spin.value() == wanted


def test_what_is_no_time_changes_nothing(ends, qtbot):
    first, _ = ends
    first.setValue(7)
    first.selectAll()
    qtbot.keyClicks(first, "-")
    qtbot.keyClick(first, Qt.Key.Key_Return)
    assert first.value() == 7
