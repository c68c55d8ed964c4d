from __future__ import annotations

import pytest

from mtm_core.errors import ConfigError
from mtm_core.resources import list_sweeps, sweep_path
from mtm_core.sweep.spec import Range, read_spec
from tests.core.sweep.specs import CONFIG, make_spec


@pytest.mark.parametrize("name", list_sweeps())
def test_a_bundled_sweep_can_be_read(name):
    spec = read_spec(sweep_path(name))
    assert spec.search
    assert spec.n_trials >= 10


def test_the_example_explains_every_setting_of_a_sweep():
    from mtm_core.config_fields import settings_of
    from mtm_core.config_sweep import SweepConfig

    text = sweep_path("example").read_text(encoding="utf-8")
    assert [name for name in settings_of(SweepConfig) if f"\n{name} = " not in text] == []


def test_a_trial_has_the_preset_what_is_fixed_and_its_own_values(tmp_path):
    spec = make_spec(tmp_path, 'name = "mine"', fixed="optim.steps = 7")
    config = spec.config({"optim.lr": 0.01, "model.layers": 1})
    assert (config.name, config.optim.steps, config.optim.lr) == ("mine", 7, 0.01)
    assert (config.model.layers, config.model.width) == (1, CONFIG.model.width)


def test_dotted_keys_in_quotes_mean_the_same(tmp_path):
    one = make_spec(tmp_path, search='"optim.lr" = [0.1, 0.2]', fixed='"optim.steps" = 7')
    other = make_spec(tmp_path, search="optim.lr = [0.1, 0.2]", fixed="optim.steps = 7")
    assert one == other


def test_a_list_of_words_is_one_value(tmp_path):
    spec = make_spec(
        tmp_path,
        'judge = "tasks"',
        search='masking.schemes = [["neuron", "causal"], ["temporal"]]',
    )
    assert spec.search["masking.schemes"] == ("neuron,causal", "temporal")
    config = spec.config({"masking.schemes": "neuron,causal"})
    assert config.masking.schemes == ("neuron", "causal")


def test_a_grid_has_every_combination(tmp_path):
    spec = make_spec(
        tmp_path,
        'sampler = "grid"\ntrials = 2',
        search="model.layers = { low = 1, high = 3 }\n"
        "model.dropout = { low = 0.0, high = 0.2, step = 0.1 }",
    )
    assert spec.n_trials == 9
    assert spec.grid()[1] == {"model.layers": 1, "model.dropout": pytest.approx(0.1)}


def test_a_range_with_steps_holds_its_points_only():
    domain = Range(low=0.0, high=0.5, step=0.1)
    assert 0.3 in domain
    assert 0.35 not in domain
    assert 0.6 not in domain
    assert "0.3" not in domain


def test_the_presets_own_values_come_first_if_the_search_holds_them(tmp_path):
    assert make_spec(tmp_path).start() == {"optim.lr": 3e-3, "model.layers": 2}
    assert make_spec(tmp_path, search="model.layers = [1, 3]").start() is None


def test_more_trials_are_the_same_sweep(tmp_path):
    one, other = make_spec(tmp_path, "trials = 2"), make_spec(tmp_path, "trials = 5")
    assert one.settings() == other.settings()
    assert one.settings() != make_spec(tmp_path, "seeds = [1]").settings()


@pytest.mark.parametrize(
    ("sweep", "sections", "said"),
    [
        ("trials = 0", {}, r"sweep\.trials is 0, but must be at least 1"),
        ("trails = 3", {}, r"no setting 'sweep\.trails'\. Did you mean 'sweep\.trials'"),
        ("sessions = []", {}, r"sweep\.sessions needs at least one session"),
        ("", {"search": ""}, "nothing to search"),
        ("", {"search": "optim.lrr = [1]"}, "Did you mean 'optim.lr'"),
        ("", {"search": "optim.lr = 0.1"}, "searched over a list of values, or over a range"),
        ("", {"search": "optim.lr = { low = 1, hgh = 2 }"}, "Did you mean 'high'"),
        ("", {"search": "optim.lr = { low = 1 }"}, "has no range from 1 to None"),
        ("", {"search": "model.prompt = { low = 1, high = 2 }"}, "give a list of values"),
        ("", {"search": "optim.lr = { low = 2, high = 1 }"}, "low must lie below high"),
        ("", {"search": "optim.lr = { low = 0, high = 1, log = true }"}, "above 0"),
        ("", {"search": "optim.lr = { low = 1, high = 2, step = -1 }"}, "step must be above 0"),
        ("", {"search": "model.layers = [1, 900]"}, "nearest valid value"),
        ("", {"search": "data.bin_factor = [1, 2]"}, "cannot be searched"),
        ("", {"search": "run.seed = [1, 2]"}, "cannot be searched"),
        ("", {"search": "masking.neuron_ratio = [0.1, 0.2]"}, 'set judge = "tasks"'),
        ("", {"fixed": "optim.lr = 0.1"}, "both fixed and searched"),
        ("", {"fixed": "optim = 3"}, "no setting 'optim'"),
        ('sampler = "grid"', {}, "a grid needs a list of values, or a range with a step"),
        ("prune = true", {"search": "optim.steps = [2, 4]"}, r"sweep\.prune compares trials"),
    ],
)
def test_what_cannot_be_searched_is_said_with_the_file(tmp_path, sweep, sections, said):
    with pytest.raises(ConfigError, match=said) as caught:
        make_spec(tmp_path, sweep, **sections)
    assert str(caught.value).startswith(str(tmp_path / "spec.toml"))


def test_a_section_that_is_none_is_named(tmp_path):
    path = tmp_path / "spec.toml"
    path.write_text("[serach]\n")
    with pytest.raises(ConfigError, match="Did you mean 'search'"):
        read_spec(path)
    path.write_text("search = 3\n")
    with pytest.raises(ConfigError, match=r"\[search\] must be a section"):
        read_spec(path)
