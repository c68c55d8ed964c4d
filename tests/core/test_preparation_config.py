from __future__ import annotations

import dataclasses

import pytest

from mtm_core import config_io, resources
from mtm_core.config import PreparationConfig
from mtm_core.config_fields import settings_of
from mtm_core.config_io import load_preparation, preparation_from_dict, preparation_to_dict
from mtm_core.errors import ConfigError, UnknownNameError

PRESETS = resources.list_preparations()


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_writes_every_setting_out_and_is_named_as_its_file(name):
    written = config_io.read_tree(resources.preparation_path(name))["prepare"]
    config = load_preparation(name)
    assert config.preset == name
    assert preparation_to_dict(config) == written
    assert preparation_from_dict(written) == config


def test_the_default_preset_is_the_defaults():
    assert load_preparation() == PreparationConfig()
    assert PRESETS == ["brain-wide-map", "default", "paper"]


def test_all_presets_give_the_hundred_bins_of_the_paper():
    for name in PRESETS:
        config = load_preparation(name)
        assert (config.align, config.window_start_s, config.bin_size_s) == ("stim_on", -0.5, 0.02)
        assert config.n_bins == 100


def test_the_paper_preset_keeps_everything():
    paper = load_preparation("paper")
    assert (paper.units, paper.trials, paper.region_level) == ("all", "event", "given")
    assert (paper.named_regions_only, paper.min_region_units) == (False, 1)
    assert paper.sample_at == "right_edge"


def test_the_brain_wide_map_asks_for_error_trials_beside_the_default_rules():
    changed = {
        name
        for name, value in preparation_to_dict(load_preparation("brain-wide-map")).items()
        if value != preparation_to_dict(PreparationConfig())[name]
    }
    assert changed == {"preset", "min_error_trials"}


def test_settings_are_changed_by_their_flags():
    config = load_preparation(
        "paper",
        [
            ("--prepare.align", "first_movement"),
            ("prepare.regions", ["CA1", "DG"]),
            ("prepare.bin_size_s", "0.01"),
            ("prepare.drop_silence", "false"),
        ],
    )
    assert (config.preset, config.align, config.regions) == (
        "paper",
        "first_movement",
        ("CA1", "DG"),
    )
    assert (config.n_bins, config.drop_silence, config.units) == (200, False, "all")


def test_an_empty_list_of_regions_is_all_of_them():
    assert load_preparation("default", [("prepare.regions", "")]).regions == ()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"window_start_s": 2.0}, "window_end_s 1.5 must lie after --prepare.window_start_s 2"),
        ({"window_start_s": 1.5}, "must lie after"),
        ({"bin_size_s": 0.03}, "whole bins. The nearest valid value is 0.0298507"),
        ({"bin_size_s": 3.0}, "whole bins. The nearest valid value is 2"),
        ({"bin_size_s": 0.0}, "--prepare.bin_size_s is 0.0, but must be at least 0.001"),
        ({"min_region_units": 0}, "must be at least 1"),
        ({"regions": ("CA1", "CA1")}, "--prepare.regions names a value twice"),
    ],
)
def test_impossible_settings_are_named_with_the_nearest_valid_value(changed, text):
    with pytest.raises(ConfigError, match=text.replace(".", r"\.")):
        PreparationConfig(**changed)


@pytest.mark.parametrize("bin_size_s", [0.02, 0.01, 0.05, 0.1, 0.005, 1 / 3, 2.0])
def test_bins_that_divide_the_window_but_for_rounding_are_taken(bin_size_s):
    assert PreparationConfig(bin_size_s=bin_size_s).n_bins == round(2 / bin_size_s)


def test_misspelt_words_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'paper'"):
        load_preparation("papr")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'prepare\.align'"):
        load_preparation("default", [("prepare.algin", "stim_on")])
    with pytest.raises(UnknownNameError, match="Did you mean 'stim_on'"):
        load_preparation("default", [("prepare.align", "stimon")])
    with pytest.raises(UnknownNameError, match=r"no setting 'prepare\.preset'"):
        load_preparation("default", [("prepare.preset", "paper")])


def test_a_preset_can_be_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[prepare]\npreset = "mine"\nalign = "go_cue"\n')
    config = load_preparation(str(path))
    assert (config.preset, config.align) == ("mine", "go_cue")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[model]\nwidth = 3\n", "one section, [prepare]"),
        ("prepare = 3\n", "one section, [prepare]"),
        ("[prepare]\nalgin = 3\n", "Did you mean 'prepare.align'"),
        ("[prepare]\nbin_size_s = 0\n", "must be at least"),
        ("[prepare\n", "is not a TOML file"),
    ],
)
def test_what_is_no_file_of_preparation_settings_is_refused_by_name(tmp_path, text, fault):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_preparation(str(path))
    assert "mine.toml" in str(caught.value)
    assert fault in str(caught.value)


def test_every_setting_is_documented_and_those_a_person_changes_are_listed():
    settings = settings_of(PreparationConfig)
    assert all(setting.doc for setting in settings.values())
    names = {field.name for field in dataclasses.fields(PreparationConfig)} - {"preset"}
    assert {s.name for s in config_io.preparation_settings().values()} == names
    assert set(config_io.preparation_settings()) == {f"prepare.{name}" for name in names}
