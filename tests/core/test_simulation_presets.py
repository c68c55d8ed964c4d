from __future__ import annotations

import dataclasses
import tomllib

import pytest

from mtm_core import resources
from mtm_core.config_simulation import SimulationConfig
from mtm_core.errors import ConfigError, UnknownNameError
from mtm_core.simulation_presets import load_simulation, simulation_settings


@pytest.mark.parametrize("name", resources.list_simulations())
def test_every_preset_sets_every_setting_and_bears_its_name(name):
    config = load_simulation(name)
    assert config.name == name
    stored = tomllib.loads(resources.simulation_path(name).read_text())["simulate"]
    assert set(stored) == {field.name for field in dataclasses.fields(SimulationConfig)}


def test_the_large_preset_has_the_shape_of_the_paper():
    config = load_simulation("ibl-large")
    assert 400 <= config.good_units <= 1000
    assert len(config.regions) >= 5
    assert config.probes == 2
    assert config.coupling_gain > 0
    assert load_simulation("ibl-small").good_units == 110


def test_settings_are_changed_as_typed():
    config = load_simulation("tiny", [("--simulate.regions", ["CA1,LP", "PO"])])
    assert config.regions == ("CA1", "LP", "PO")


def test_a_file_of_ones_own_will_do(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('[simulate]\nname = "mine"\ntrials = 7\n')
    assert load_simulation(str(path)) == SimulationConfig(name="mine", trials=7)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("trials = 7", "one section"),
        ("[simulate]\n[data]\n", "one section"),
        ("[simulate]\ntrails = 7\n", "Did you mean 'simulate.trials'"),
    ],
)
def test_other_files_are_refused_by_name(tmp_path, text, said):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=said) as error:
        load_simulation(str(path))
    assert "mine.toml" in str(error.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"max_delay": "1"}, "--simulate.max_delay is 1, but must be at least"),
        ({"probes": "8"}, "At most 5 here"),
        ({"good_units": "4"}, "--simulate.good_units is 4, but must be at least 5"),
        ({"name": "a/b"}, "names a folder"),
        ({"trials": "0"}, "--simulate.trials is 0"),
        ({"regions": ["CA1", "CA1"]}, "twice"),
    ],
)
def test_impossible_settings_name_the_flag(settings, said):
    with pytest.raises(ConfigError, match=said):
        load_simulation("tiny", [(f"simulate.{k}", v) for k, v in settings.items()])


def test_unknown_names_offer_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'ibl-large'"):
        load_simulation("ibl-larg")
    with pytest.raises(UnknownNameError, match=r"Did you mean 'simulate\.trials'"):
        load_simulation("tiny", [("simulate.trial", "3")])
    assert all(setting.doc for setting in simulation_settings().values())
