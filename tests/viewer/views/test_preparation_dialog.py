"""The form of the preparation as a dialog."""

from __future__ import annotations

import pytest
from PyQt6.QtWidgets import QDialogButtonBox, QMessageBox, QWidget

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation, preparation_settings
from mtm_core.data.preparation_report import PreparationReport
from mtm_viewer.theme import LIGHT
from mtm_viewer.views.dialogs import ask_about_trials
from mtm_viewer.views.preparation_dialog import PreparationDialog

pytestmark = pytest.mark.gui


@pytest.fixture
def dialog(qtbot):
    window = QWidget()
    qtbot.addWidget(window)
    dialog = PreparationDialog(PreparationConfig(), LIGHT, "Prepare", window)
    dialog.show()
    yield dialog
    del window


def button(dialog, kind: str):
    return dialog.buttons.button(getattr(QDialogButtonBox.StandardButton, kind))


def test_the_form_returns_what_it_was_given(dialog):
    assert dialog.config() == PreparationConfig()
    for name in ("paper", "brain-wide-map"):
        dialog.show_config(load_preparation(name))
        assert dialog.config() == load_preparation(name)


def test_every_setting_can_be_changed(dialog):
    assert set(dialog.fields) == {s.name for s in preparation_settings().values()}
    dialog.fields["align"].setCurrentIndex(dialog.fields["align"].findData("go_cue"))
    dialog.fields["window_start_s"].setValue(-0.1)
    dialog.fields["min_region_units"].setValue(7)
    dialog.fields["named_regions_only"].setChecked(False)
    dialog.fields["regions"].setText("CA1,  DG,")
    config = dialog.config()
    assert (config.align, config.window_start_s, config.min_region_units) == ("go_cue", -0.1, 7)
    assert (config.named_regions_only, config.regions) == (False, ("CA1", "DG"))


def test_numbers_are_written_without_zeros_at_their_end(dialog):
    assert dialog.fields["bin_size_s"].text() == "0.02 s"
    assert dialog.fields["min_region_units"].text() == "5 units"


def test_a_preset_fills_the_form_and_changes_are_named(dialog):
    dialog.preset.setCurrentIndex(dialog.preset.findData("paper"))
    dialog.preset.activated.emit(dialog.preset.currentIndex())
    assert dialog.config() == load_preparation("paper")
    dialog.fields["min_region_units"].setValue(3)
    assert "Changed: fewest units in a region." in dialog.preset_words.text()
    button(dialog, "Reset").click()
    assert dialog.config() == load_preparation("paper")


def test_what_does_not_go_together_is_said_at_once(dialog, qtbot):
    dialog.fields["bin_size_s"].setValue(0.03)
    assert "'Bin size' 0.03 does not divide" in dialog.problem.text()
    assert not button(dialog, "Ok").isEnabled()
    dialog.fields["bin_size_s"].setValue(0.05)
    assert button(dialog, "Ok").isEnabled()
    assert "40 bins of 50 ms" in dialog.summary.text()
    with qtbot.waitSignal(dialog.chosen) as chosen:
        button(dialog, "Ok").click()
    assert chosen.args[0].bin_size_s == 0.05


def test_every_default_is_explained(dialog):
    for setting in preparation_settings().values():
        field = dialog.fields[setting.name]
        assert "Default: " in field.toolTip()
        assert field.accessibleName()
        assert field.accessibleDescription() == field.toolTip()


def test_a_loss_of_many_trials_is_asked_about(qtbot, qapp):
    report = PreparationReport(
        rules=(),
        settings={},
        n_units_given=5,
        n_units_kept=5,
        units_dropped=(),
        n_trials_given=100,
        n_trials_kept=60,
        trials_dropped=(("slow", 30), ("no-go", 10)),
        behaviors_missing=(),
    )
    done: list[str] = []
    box = ask_about_trials(None, report, {"Go on": lambda: done.append("gone on")})
    assert isinstance(box, QMessageBox)
    assert box.text() == "40 % of the trials would be left out"
    assert "60 of 100 trials kept" in box.informativeText()
    assert "30 slow" in box.informativeText()
    names = {each.accessibleName(): each for each in box.buttons()}
    assert set(names) == {"Go on", "Cancel"}
    names["Cancel"].click()
    assert done == []
    qtbot.wait(10)
