from __future__ import annotations

import pytest

from mtm_core.config import (
    DataConfig,
    MaskingConfig,
    OptimConfig,
    RunConfig,
    TrainConfig,
)
from mtm_core.config_model import ARCHITECTURES, Ndt1Config
from mtm_core.errors import ConfigError, UnknownNameError

IMPOSSIBLE = [
    (Ndt1Config, {"width": 0}, "--model.width is 0, but must be at least 2 (the nearest"),
    (Ndt1Config, {"width": 9000}, "at most 8192"),
    (Ndt1Config, {"width": 63}, "must be even. The nearest valid value is 64"),
    (Ndt1Config, {"width": 64, "heads": 5}, "--model.width 64 into even parts. The nearest"),
    (Ndt1Config, {"heads": 5}, "valid value is 4"),
    (Ndt1Config, {"width": 6, "heads": 3, "layers": 0}, "--model.layers"),
    (Ndt1Config, {"dropout": 1.2}, "--model.dropout is 1.2, but must be at most 0.95"),
    (Ndt1Config, {"dropout": float("nan")}, "--model.dropout must be a number, not nan"),
    (Ndt1Config, {"dropout": True}, "--model.dropout must be a number, not True"),
    (Ndt1Config, {"width": 64.0}, "--model.width must be a whole number, not 64.0"),
    (Ndt1Config, {"width": "64"}, "--model.width must be a whole number, not '64'"),
    (Ndt1Config, {"mask_flag": 1}, "--model.mask_flag must be true or false, not 1"),
    (Ndt1Config, {"layers": None}, "--model.layers cannot be none"),
    (Ndt1Config, {"positions": "lernt"}, "Did you mean 'learnt'?"),
    (Ndt1Config, {"architecture": "ndt9"}, "--model.architecture"),
    (DataConfig, {"split": "blocks"}, "Did you mean 'blocked'?"),
    (DataConfig, {"test_fraction": 0.0}, "--data.test_fraction is 0.0, but must be at least 0.01"),
    (DataConfig, {"folds": 3, "fold": 4}, "--data.fold 4 is beyond --data.folds 3"),
    (DataConfig, {"folds": 2, "val_fraction": 0.5}, "--data.folds 2 and --data.val_fraction 0.5"),
    (DataConfig, {"folds": 1}, "at least 2"),
    (DataConfig, {"test_fraction": 0.6, "val_fraction": 0.5}, "too few trials to train on"),
    (MaskingConfig, {"schemes": ()}, "--masking.schemes needs at least one value"),
    (MaskingConfig, {"schemes": ("neuron", "neuron")}, "names a value twice"),
    (MaskingConfig, {"schemes": ("nueron",)}, "Did you mean 'neuron'?"),
    (MaskingConfig, {"schemes": "neuron"}, "--masking.schemes needs at least one value"),
    (MaskingConfig, {"neuron_ratio": 0.0}, "--masking.neuron_ratio"),
    (OptimConfig, {"steps": 0}, "--optim.steps is 0, but must be at least 1"),
    (OptimConfig, {"lr": 11.0}, "--optim.lr is 11.0, but must be at most 10.0"),
    (OptimConfig, {"average_decay": 1.0}, "--optim.average_decay"),
    (RunConfig, {"device": "cuad"}, "Did you mean 'cuda'?"),
    (RunConfig, {"seed": -1}, "--run.seed is -1, but must be at least 0"),
    (TrainConfig, {"name": 3}, "--name must be a word, not 3"),
]


@pytest.mark.parametrize(("cls", "values", "said"), IMPOSSIBLE)
def test_an_impossible_value_names_the_flag_and_the_nearest_valid_one(cls, values, said):
    with pytest.raises(ConfigError) as caught:
        cls(**values)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_a_misspelt_word_carries_the_nearest_known_one():
    with pytest.raises(UnknownNameError) as caught:
        Ndt1Config(prompt="prefixx")
    assert caught.value.nearest == "prefix"


@pytest.mark.parametrize("device", ["auto", "cpu", "mps", "cuda", "cuda:3"])
def test_devices_are_taken_by_their_names(device):
    assert RunConfig(device=device).device == device


@pytest.mark.parametrize(
    ("settings", "n_trials", "n_steps"),
    [
        ({"epochs": 1, "batch_size": 32}, 64, 2),
        ({"epochs": 1, "batch_size": 32}, 65, 3),
        ({"epochs": 10, "batch_size": 16}, 100, 63),
        ({"epochs": 10, "steps": 7}, 100, 7),
    ],
)
def test_steps_override_epochs(settings, n_trials, n_steps):
    assert OptimConfig(**settings).n_steps(n_trials) == n_steps


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        TrainConfig().name = "other"  # type: ignore[misc]


def test_every_architecture_is_named_as_it_is_registered():
    assert {cls().architecture: cls for cls in ARCHITECTURES.values()} == ARCHITECTURES
