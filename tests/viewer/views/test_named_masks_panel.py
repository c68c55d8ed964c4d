"""The list of named masks: what can be done is switched on, and told with the name."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt

from mtm_viewer.views.named_masks_panel import DEEDS, NamedLine, NamedMasksPanel

pytestmark = pytest.mark.gui
LINES = [NamedLine(name="a", words="CA1 hidden"), NamedLine(name="b", words="DG hidden")]


@pytest.fixture
def panel(qtbot):
    widget = NamedMasksPanel()
    qtbot.addWidget(widget)
    widget.draw(LINES, can_name=True)
    return widget


def test_without_masks_it_says_so(panel):
    panel.draw((), can_name=False)
    assert not panel.empty.isHidden()
    assert panel.list.isHidden()
    assert not any(button.isEnabled() for button in panel.buttons.values())
    assert not panel.name.isEnabled()


def test_a_name_is_told_once_and_the_field_is_empty_then(panel, qtbot):
    assert not panel.save.isEnabled()
    panel.name.setText("  hippocampus ")
    assert panel.save.isEnabled()
    with qtbot.waitSignal(panel.named) as heard:
        panel.save.click()
    assert heard.args == ["hippocampus"]
    with qtbot.assertNotEmitted(panel.named):
        qtbot.keyClick(panel.name, Qt.Key.Key_Return)


@pytest.mark.parametrize("deed", list(DEEDS))
def test_each_button_tells_its_deed_and_the_chosen_mask(panel, qtbot, deed):
    panel.list.setCurrentRow(1)
    with qtbot.waitSignal(panel.deed_chosen) as heard:
        panel.buttons[deed].click()
    assert heard.args == [deed, "b"]


def test_enter_in_the_list_uses_the_mask(panel, qtbot):
    with qtbot.waitSignal(panel.deed_chosen) as heard:
        panel.list.itemActivated.emit(panel.list.item(0))
    assert heard.args == ["use", "a"]


def test_the_chosen_mask_stays_chosen_when_others_come(panel):
    panel.list.setCurrentRow(1)
    panel.draw([NamedLine(name="0", words=""), *LINES], can_name=False)
    assert panel.chosen == "b"
    assert panel.buttons["use"].isEnabled()
    assert not panel.save.isEnabled()


def test_a_line_says_what_the_mask_hides(panel):
    item = panel.list.item(0)
    assert item.toolTip() == "a: CA1 hidden"
    assert item.data(Qt.ItemDataRole.AccessibleTextRole) == "a, CA1 hidden"
