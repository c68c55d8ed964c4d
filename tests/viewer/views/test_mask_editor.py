"""Editing a custom mask by rule, bins and prompt."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import Qt

from mtm_viewer.presenters.mask_choice import HiddenParts
from mtm_viewer.views.mask_editor import EditorDrawable, MaskEditor
from tests.core.sessions import make_session

pytestmark = pytest.mark.gui
SESSION = make_session(n_bins=40)
RATES = np.linspace(0, 23, 24)


def drawable(parts: HiddenParts | None = None, prompt: str | None = None) -> EditorDrawable:
    return EditorDrawable(
        session=SESSION, rate_hz=RATES, parts=parts or HiddenParts(), prompt=prompt
    )


@pytest.fixture
def editor(qtbot):
    editor = MaskEditor()
    qtbot.addWidget(editor)
    editor.draw(drawable())
    with qtbot.waitExposed(editor):
        editor.show()
    return editor


def test_typing_a_rule_counts_its_units_live(editor, qtbot):
    qtbot.keyClicks(editor.rule, "rate_hz > 19.5")
    qtbot.waitUntil(lambda: editor.count.text().startswith("4 of 24 units where "), timeout=2000)


def test_half_a_rule_says_what_is_wrong_and_is_not_entered(editor, qtbot):
    qtbot.keyClicks(editor.rule, "rate_hz >")
    with qtbot.assertNotEmitted(editor.rule_entered):
        qtbot.keyClick(editor.rule, Qt.Key.Key_Return)
    assert editor.count.isVisible()
    assert "rate_hz" in editor.count.text()


def test_a_field_that_the_session_lacks_is_named(editor, qtbot):
    qtbot.keyClicks(editor.rule, 'probe == "probe00"')
    qtbot.waitUntil(lambda: "probe" in editor.count.text(), timeout=2000)
    assert "Enter hides" not in editor.count.text()


def test_enter_hides_by_the_rule_once(editor, qtbot):
    qtbot.keyClicks(editor.rule, 'region == "CA1"')
    entered: list[str] = []
    editor.rule_entered.connect(entered.append)
    editor.rule_entered.connect(lambda rule: editor.draw(drawable(HiddenParts(rule=rule))))
    qtbot.keyClick(editor.rule, Qt.Key.Key_Return)
    editor.rule.clearFocus()
    assert entered == ['region == "CA1"']
    assert editor.count.text() == "8 of 24 units where region is CA1: hidden"


def test_an_emptied_rule_is_entered_as_none(editor, qtbot):
    editor.draw(drawable(HiddenParts(rule='region == "CA1"')))
    editor.rule.clear()
    with qtbot.waitSignal(editor.rule_entered) as entered:
        qtbot.keyClick(editor.rule, Qt.Key.Key_Return)
    assert entered.args == [""]


def test_undo_does_not_wipe_what_is_being_typed(editor, qtbot):
    editor.rule.setFocus()
    qtbot.keyClicks(editor.rule, "depth_um")
    editor.draw(drawable(HiddenParts(regions=("CA1",))))
    assert editor.rule.text() == "depth_um"


def test_switching_bins_on_proposes_the_last_tenth(editor, qtbot):
    with qtbot.waitSignal(editor.bins_entered) as entered:
        editor.only_bins.click()
    assert entered.args == [(36, 40)]


def test_bins_are_shown_in_ms(editor):
    editor.draw(drawable(HiddenParts(bins=(10, 20))))
    assert (editor.first.value(), editor.last.value()) == (10, 19)
    assert editor.span.text() == "bins 10 to 19 of 0 to 39"
    assert (editor.first.text(), editor.last.text()) == ("100 ms", "200 ms")


def test_a_turned_range_is_put_right(editor, qtbot):
    editor.draw(drawable(HiddenParts(bins=(10, 20))))
    with qtbot.waitSignal(editor.bins_entered) as entered:
        editor.first.setValue(30)
    assert entered.args == [(19, 31)]


def test_switching_bins_off_hides_all_of_them(editor, qtbot):
    editor.draw(drawable(HiddenParts(bins=(10, 20))))
    with qtbot.waitSignal(editor.bins_entered) as entered:
        editor.only_bins.click()
    assert entered.args == [None]


@pytest.mark.parametrize(("text", "prompt"), [("inter-region", "inter_region"), (None, None)])
def test_a_prompt_is_picked_or_left_to_the_mask(editor, qtbot, text, prompt):
    place = 0 if text is None else editor.prompt.findText(text)
    with qtbot.waitSignal(editor.prompt_chosen) as chosen:
        editor.prompt.activated.emit(place) if place == 0 else editor.prompt.setCurrentIndex(place)
        if place:
            editor.prompt.activated.emit(place)
    assert chosen.args == [prompt]


def test_everything_is_shown_again_by_one_button(editor, qtbot):
    assert not editor.clear.isEnabled()
    editor.draw(drawable(HiddenParts(regions=("CA1",))))
    with qtbot.waitSignal(editor.cleared):
        editor.clear.click()


def test_drawing_says_nothing(editor, qtbot):
    with (
        qtbot.assertNotEmitted(editor.bins_entered),
        qtbot.assertNotEmitted(editor.rule_entered),
        qtbot.assertNotEmitted(editor.prompt_chosen),
    ):
        editor.draw(drawable(HiddenParts(rule="rate_hz > 2", bins=(3, 9)), prompt="causal"))
    assert editor.prompt.currentData() == "causal"


def test_without_a_mask_nothing_can_be_edited(editor):
    editor.draw(None)
    assert not editor.isEnabled()
