"""The form of the preparation, made from the settings class."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation, preparation_settings
from mtm_core.errors import ConfigError
from mtm_core.resources import list_preparations
from mtm_viewer.presenters.preparation_form import (
    PRESETS,
    changed_fields,
    form_fields,
    make_config,
    preparation_words,
    preset_words,
    read_settings,
    write_settings,
)

FIELDS = {field.name: field for field in form_fields(PreparationConfig())}


def test_every_setting_has_a_line_with_its_documentation_and_its_default():
    assert len(FIELDS) == len(preparation_settings())
    for setting in preparation_settings().values():
        field = FIELDS[setting.name]
        assert setting.doc.replace("`", "") in field.help
        assert "Default: " in field.help
        assert field.label != setting.name


@pytest.mark.parametrize(
    ("name", "kind", "unit"),
    [
        ("align", "choice", ""),
        ("window_start_s", "number", "s"),
        ("min_rate_hz", "number", "spikes/s"),
        ("min_region_units", "number", "units"),
        ("drop_silence", "flag", ""),
        ("regions", "words", ""),
    ],
)
def test_each_setting_has_the_field_of_its_kind(name, kind, unit):
    assert (FIELDS[name].kind, FIELDS[name].unit) == (kind, unit)


def test_choices_are_in_words():
    assert FIELDS["align"].choices["first_movement"] == "first movement"
    assert FIELDS["min_region_units"].is_whole
    assert "Default: \N{MINUS SIGN}0.5." in FIELDS["window_start_s"].help
    assert FIELDS["drop_silence"].help.endswith("Default: yes.")
    assert FIELDS["regions"].help.endswith("Default: every one.")


def test_every_preset_is_offered():
    assert set(PRESETS) == set(list_preparations())


def test_what_is_wrong_is_said_in_the_words_of_the_form():
    values = asdict(PreparationConfig()) | {"bin_size_s": 0.03}
    with pytest.raises(ConfigError, match=r"'Bin size' 0\.03 does not divide"):
        make_config(values)
    assert make_config(asdict(PreparationConfig())) == PreparationConfig()


def test_a_changed_preset_says_what_was_changed():
    paper = load_preparation("paper")
    assert changed_fields(paper) == ()
    assert preset_words(paper) == "paper"
    changed = load_preparation("paper", [("prepare.units", "good")])
    assert preset_words(changed) == "paper, changed: units"


def test_the_settings_in_a_line():
    assert preparation_words(PreparationConfig()) == (
        "good units in named regions, clean trials, "
        "\N{MINUS SIGN}0.5 to 1.5 s around stimulus onset, 100 bins of 20 ms"
    )
    chosen = PreparationConfig(units="all", regions=("CA1", "DG"), trials="event")
    assert preparation_words(chosen).startswith(
        "all units of CA1, DG, all trials that have the event"
    )
    assert preparation_words(load_preparation("paper")).startswith("all units, all trials")


def test_settings_survive_between_runs():
    config = PreparationConfig(regions=("CA1",), align="go_cue")
    assert read_settings(write_settings(config)) == config


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"align": "nothing"}', '{"unknown": 1}'])
def test_settings_that_cannot_be_used_are_the_defaults(text):
    assert read_settings(text) == load_preparation()
