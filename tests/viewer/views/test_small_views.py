"""Recipes, selectors, status line, palette, dialogs, first page."""

from __future__ import annotations

from pathlib import Path

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontMetrics
from PyQt6.QtWidgets import QLabel, QMessageBox

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.presenters.recipes import RECIPES
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.dialogs import LogView, ShortcutSheet, tell_problem
from mtm_viewer.views.model_bar import ModelBar
from mtm_viewer.views.palette import CommandPalette
from mtm_viewer.views.recipe_bar import RecipeBar
from mtm_viewer.views.status import Badge, ElidedLabel, StatusLine

pytestmark = pytest.mark.gui


@pytest.fixture
def shown(qtbot):
    """Show a widget and take care of its end."""

    def show(widget):
        qtbot.addWidget(widget)
        with qtbot.waitExposed(widget):
            widget.show()
        return widget

    return show


def test_each_recipe_has_a_button_that_says_what_a_click_does(shown):
    bar = shown(RecipeBar())
    assert list(bar.buttons) == list(RECIPES)
    for name, button in bar.buttons.items():
        assert button.accessibleName() == f"{RECIPES[name].title} recipe"
        assert button.toolTip().startswith(RECIPES[name].help)
        words, fonts = RECIPES[name], (button._title_font(), button._small_font())
        for text, font in zip((words.title, words.click), fonts, strict=True):
            assert button.width() > QFontMetrics(font).horizontalAdvance(text)


def test_choosing_a_recipe_says_which_and_drawing_does_not(shown, qtbot):
    bar = shown(RecipeBar())
    with qtbot.assertNotEmitted(bar.recipe_chosen):
        bar.draw("inter_region")
    with qtbot.waitSignal(bar.recipe_chosen) as chosen:
        bar.buttons["custom"].click()
    assert chosen.args == ["custom"]
    bar.draw("intra_region")
    assert [name for name, b in bar.buttons.items() if b.isChecked()] == ["intra_region"]


def test_the_text_of_a_recipe_is_readable_in_both_themes(shown):
    bar = shown(RecipeBar())
    for theme in (LIGHT, DARK):
        bar.set_theme(theme)
        assert not bar.grab().toImage().isNull()


def test_models_are_listed_with_a_way_to_open_another(shown, qtbot):
    bar = shown(ModelBar())
    bar.draw_models(["MtM (demo)", "Temporal baseline (demo)"], 1)
    assert bar.model.currentText() == "Temporal baseline (demo)"
    bar.model.setCurrentIndex(0)
    with qtbot.waitSignal(bar.model_chosen) as chosen:
        bar.model.activated.emit(0)
    assert chosen.args == [0]
    bar.model.setCurrentIndex(bar.model.count() - 1)
    with qtbot.waitSignal(bar.open_requested):
        bar.model.activated.emit(bar.model.count() - 1)
    assert bar.model.currentText() == "Temporal baseline (demo)"


def test_models_trained_here_can_be_opened(shown, qtbot):
    bar = shown(ModelBar())
    bar.draw_models(["MtM (demo)"], 0)
    bar.draw_own({Path("runs/a/model.safetensors"): "Trained here: a"})
    row = bar.model.findText("Trained here: a")
    bar.model.setCurrentIndex(row)
    with qtbot.waitSignal(bar.own_chosen) as chosen, qtbot.assertNotEmitted(bar.model_chosen):
        bar.model.activated.emit(row)
    assert chosen.args == [Path("runs/a/model.safetensors")]
    assert bar.model.currentText() == "MtM (demo)"  # until it is open
    bar.draw_own({})
    assert bar.model.findText("Trained here: a") == -1


def test_without_a_model_the_selector_says_so(shown, qtbot):
    bar = shown(ModelBar())
    bar.draw_models([], 0)
    assert bar.model.currentText() == "no model for this session"
    with qtbot.assertNotEmitted(bar.model_chosen):
        bar.model.activated.emit(0)


def test_without_a_baseline_the_difference_stands_in_for_it(shown):
    bar = shown(ModelBar())
    bar.draw_third("temporal", has_baseline=False)
    assert bar.third.currentText() == "Difference"
    assert bar.third.findData("temporal") == -1


def test_rows_and_third_panel_are_chosen_by_value(shown, qtbot):
    bar = shown(ModelBar())
    bar.draw_third("temporal", has_baseline=True)
    bar.draw_rows(is_focused=True, region="CA1")
    assert bar.rows.currentText() == "CA1 only"
    bar.rows.setCurrentIndex(0)
    with qtbot.waitSignal(bar.focus_chosen) as focus:
        bar.rows.activated.emit(0)
    assert focus.args == [False]
    place = bar.third.findData("difference")
    bar.third.setCurrentIndex(place)
    with qtbot.waitSignal(bar.third_chosen) as third:
        bar.third.activated.emit(place)
    assert third.args == ["difference"]


def test_the_busy_badge_comes_with_a_way_to_stop(shown, qtbot):
    line = shown(StatusLine())
    assert not line.busy.isVisible()
    line.draw_busy(is_busy=True)
    qtbot.waitUntil(line.busy.isVisible, timeout=2000)
    line.draw_progress(12, 66)
    assert (line.progress.value(), line.progress.maximum()) == (12, 66)
    with qtbot.waitSignal(line.cancelled):
        line.cancel.click()
    line.draw_busy(is_busy=False)
    assert not line.busy.isVisible()


def test_answers_that_come_at_once_do_not_flicker(shown, qtbot):
    line = shown(StatusLine())
    line.draw_busy(is_busy=True)
    line.draw_busy(is_busy=False)
    qtbot.wait(80)
    assert not line.busy.isVisible()


def test_the_window_does_not_move_when_the_badge_comes(shown, qtbot):
    line = shown(StatusLine())
    line.set_theme(LIGHT)
    height = line.height()
    line.draw_busy(is_busy=True)
    qtbot.waitUntil(line.busy.isVisible, timeout=2000)
    assert line.height() == height
    assert line.cancel.height() <= line.height()


def test_devices_are_listed_in_capitals(shown, qtbot):
    line = shown(StatusLine())
    line.draw_devices(("cuda", "cpu"), "cpu")
    assert line.device.currentText() == "CPU"
    line.device.setCurrentIndex(0)
    with qtbot.waitSignal(line.device_chosen) as chosen:
        line.device.activated.emit(0)
    assert chosen.args == ["cuda"]


def test_a_line_too_long_for_its_room_is_whole_in_its_tooltip(shown):
    label = shown(ElidedLabel("What is hidden"))
    label.setText("CA1 hidden: 46 of 812 units, inter-region prompt")
    label.resize(60, 20)
    assert label.toolTip() == "CA1 hidden: 46 of 812 units, inter-region prompt"
    assert label.minimumSizeHint().width() == 0


def test_a_badge_gives_its_reason(shown):
    badge = shown(Badge("Mask unlike the training masks"))
    badge.draw("Not trained for this", "no training scheme hides such a pattern")
    assert badge.isVisible()
    assert badge.toolTip() == "no training scheme hides such a pattern"
    badge.draw("", "")
    assert not badge.isVisible()


@pytest.fixture
def palette(qtbot):
    registry = CommandRegistry()
    registry.add(
        Command(id="undo", title="Undo", run=lambda: None, menu="Edit", shortcut="Ctrl+Z"),
        Command(id="open", title="Open session…", run=lambda: None, menu="Session"),
        Command(id="ca1", title="Click region CA1", run=lambda: None),
    )
    palette = CommandPalette(registry)
    qtbot.addWidget(palette)
    palette.open_fresh()
    qtbot.waitExposed(palette)
    return palette


def texts(palette: CommandPalette) -> list[str]:
    return [palette.found.item(row).text() for row in range(palette.found.count())]


def test_the_palette_lists_commands_with_menu_and_keys(palette):
    assert texts(palette) == ["Edit: Undo    Ctrl+Z", "Session: Open session", "Click region CA1"]


def test_the_palette_is_worked_by_the_keyboard_alone(palette, qtbot):
    qtbot.keyClicks(palette.search, "o")
    qtbot.keyClick(palette.search, Qt.Key.Key_Down)
    with qtbot.waitSignal(palette.chosen) as chosen:
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)
    assert chosen.args == ["undo"]
    assert not palette.isVisible()


def test_the_palette_finds_regions(palette, qtbot):
    qtbot.keyClicks(palette.search, "CA1")
    assert texts(palette) == ["Click region CA1"]


def test_nothing_found_chooses_nothing(palette, qtbot):
    qtbot.keyClicks(palette.search, "zebra")
    with qtbot.assertNotEmitted(palette.chosen):
        qtbot.keyClick(palette.search, Qt.Key.Key_Return)


def test_a_problem_is_a_sentence_with_ways_out(qtbot, qapp):
    done: list[str] = []
    box = tell_problem(
        None, "It does not fit", "Other units.", {"Use the overlap": lambda: done.append("used")}
    )
    assert isinstance(box, QMessageBox)
    assert (box.text(), box.informativeText()) == ("It does not fit", "Other units.")
    names = {button.accessibleName(): button for button in box.buttons()}
    assert set(names) == {"Use the overlap", "Close"}
    names["Use the overlap"].click()
    assert done == ["used"]
    qtbot.waitUntil(lambda: not _is_alive(box), timeout=2000)


def test_the_shortcut_sheet_lists_keys_and_titles(shown):
    commands = {"Edit": [Command(id="u", title="Undo", run=lambda: None, shortcut="Ctrl+Z")]}
    sheet = shown(ShortcutSheet(commands))
    said = [label.text() for label in sheet.findChildren(QLabel)]
    assert said == ["Edit", "Ctrl+Z", "Undo"]


def test_the_log_can_be_read_and_copied(shown):
    log = shown(LogView(["first", "second"]))
    assert log.text.toPlainText() == "first\nsecond"
    assert log.text.isReadOnly()


def _is_alive(widget) -> bool:
    try:
        return widget.isVisible()
    except RuntimeError:
        return False
