from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import pytest

from mtm_core import config_io, config_model, resources
from mtm_core.config import OptimConfig, TrainConfig
from mtm_core.config_fields import Bounds, settings_of
from mtm_core.config_model import Ndt1Config
from mtm_core.errors import ConfigError, UnknownNameError

PRESETS = resources.list_presets()


@dataclass(frozen=True, kw_only=True)
class OtherModelConfig(Ndt1Config):
    architecture: Literal["other"] = "other"
    """Which architecture."""
    depth: Annotated[int, Bounds(1, 9)] = 3
    """How deep."""


def test_settings_survive_toml():
    changed = config_io.apply_overrides(
        TrainConfig(name='a "name"'),
        [("model.dropout", "1e-05"), ("optim.clip_norm", "none"), ("masking.schemes", "causal")],
    )
    assert config_io.from_dict(tomllib.loads(config_io.to_toml(changed))) == changed


def test_toml_holds_every_setting_under_its_documentation():
    text = config_io.to_toml(TrainConfig())
    assert "# Width of a token.\nwidth = 64\n" in text
    sections = config_io.section_classes("ndt1").values()
    assert text.count(" = ") == sum(len(settings_of(cls)) for cls in (TrainConfig, *sections))


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_loads_and_is_named_as_its_file(name):
    preset = config_io.load_preset(name)
    assert preset.name == name
    assert config_io.from_dict(tomllib.loads(config_io.to_toml(preset))) == preset


def test_the_four_presets_are_there():
    wanted = {"quick", "quick-temporal", "paper-ndt1-mtm", "paper-ndt1-temporal"}
    assert wanted <= set(PRESETS)


@pytest.mark.parametrize("name", ["paper-ndt1-mtm", "paper-ndt1-temporal"])
def test_paper_presets_hold_the_published_settings(name):
    paper = config_io.load_preset(name)
    model, optim = paper.model, paper.optim
    assert (model.width, model.layers, model.heads, model.mlp_width) == (512, 5, 8, 1024)
    assert (model.dropout, model.embedding_dropout, model.positions) == (0.4, 0.2, "learnt")
    assert (optim.lr, optim.weight_decay, optim.batch_size, optim.epochs) == (1e-4, 0.01, 16, 1000)
    assert (optim.steps, optim.clip_norm, optim.average_decay) == (None, None, None)
    assert paper.run.seed == 42


def test_temporal_presets_train_one_scheme_without_a_prompt():
    for name in ("quick-temporal", "paper-ndt1-temporal"):
        preset = config_io.load_preset(name)
        assert preset.masking.schemes == ("temporal",)
        assert preset.model.prompt == "none"


def test_a_preset_can_be_a_file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text('name = "mine"\n[optim]\nlr = 1\n')
    mine = config_io.load_preset(str(path))
    assert mine == replace(TrainConfig(name="mine"), optim=OptimConfig(lr=1.0))
    assert type(mine.optim.lr) is float


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = ", "is not a TOML file"),
        ("[modle]\nwidth = 3", "Did you mean 'model'?"),
        ("[model]\nwidht = 3", "Did you mean 'model.width'?"),
        ("model = 3", "[model] must be a section with fields, not '3'"),
        ("[model]\nwidth = 63", "must be even"),
        ('[model]\narchitecture = "ntd1"', "Did you mean 'ndt1'?"),
        ("[model]\nwidth = [1]", "--model.width must be a whole number"),
        ("[optim]\nlr = true", "--optim.lr must be a number"),
        ("[masking]\nschemes = [3]", "--masking.schemes must be a word, not 3"),
        ('colour = "red"', "There is no setting or section 'colour'"),
        ("x = 1\n" * 200_000, "too large"),
    ],
)
def test_a_wrong_settings_file_is_named_and_explained(tmp_path, text, said):
    path = tmp_path / "wrong.toml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        config_io.read_toml(path)
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_text_or_not_there_is_told(tmp_path):
    path = tmp_path / "binary.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not a TOML file"):
        config_io.read_toml(path)
    with pytest.raises(ConfigError, match="no such file"):
        config_io.load_preset(str(tmp_path / "none.toml"))


def test_an_unknown_preset_names_the_nearest():
    with pytest.raises(UnknownNameError, match=r"Did you mean 'quick'\?"):
        config_io.load_preset("quik")


@pytest.mark.parametrize(
    ("key", "typed", "value"),
    [
        ("--model.width", "32", 32),
        ("model.dropout", "0", 0.0),
        ("model.mask_flag", "False", False),
        ("optim.steps", "none", None),
        ("optim.clip_norm", "None", None),
        ("run.device", "cuda:1", "cuda:1"),
        ("masking.schemes", ["neuron", "causal"], ("neuron", "causal")),
        ("masking.schemes", "neuron, causal", ("neuron", "causal")),
        ("name", "mine", "mine"),
    ],
)
def test_typed_text_becomes_a_value_of_the_fields_type(key, typed, value):
    start = TrainConfig()
    changed = config_io.apply_overrides(start, [(key, typed)])
    section, _, name = key.lstrip("-").rpartition(".")
    found = getattr(getattr(changed, section) if section else changed, name)
    assert found == value
    assert type(found) is type(value)
    assert start == TrainConfig()


@pytest.mark.parametrize(
    ("key", "typed", "said"),
    [
        ("--model.widht", "32", "Did you mean 'model.width'?"),
        ("--model.width", "wide", "--model.width must be a whole number, not 'wide'"),
        ("--model.mask_flag", "maybe", "--model.mask_flag must be true or false, not 'maybe'"),
        ("--model.width", "none", "--model.width must be a whole number, not 'none'"),
        ("--masking.schemes", "", "--masking.schemes needs at least one value"),
        ("--model.architecture", "ndt2x", "There is no architecture 'ndt2x'"),
    ],
)
def test_a_wrong_override_names_the_flag(key, typed, said):
    with pytest.raises(ConfigError) as caught:
        config_io.apply_overrides(TrainConfig(), [(key, typed)])
    assert said in str(caught.value)


def test_model_flags_reach_whichever_architecture_is_chosen(monkeypatch):
    monkeypatch.setitem(config_model.ARCHITECTURES, "other", OtherModelConfig)
    assert "model.depth" in config_io.all_settings()
    assert settings_of(OtherModelConfig)["width"].doc == settings_of(Ndt1Config)["width"].doc
    start = TrainConfig(model=Ndt1Config(width=128))
    changed = config_io.apply_overrides(
        start, [("--model.depth", "5"), ("--model.architecture", "other")]
    )
    # The width of one architecture means nothing to the other.
    assert changed.model == OtherModelConfig(depth=5)
    assert config_io.from_dict(tomllib.loads(config_io.to_toml(changed))) == changed
    with pytest.raises(UnknownNameError, match=r"model\.depth"):
        config_io.apply_overrides(start, [("--model.depth", "5")])
