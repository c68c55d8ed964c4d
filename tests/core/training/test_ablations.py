"""Every switch that an ablation needs: from the command line to weights that it changes."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
import torch
from torch import Tensor

from mtm_core import config_io
from mtm_core.cli.__main__ import main
from mtm_core.config import SchemeName
from mtm_core.data.session_file import write_session
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.tensor_file import open_tensors
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import TINY

SHORT = {
    **TINY,
    "optim.steps": "2",
    "optim.batch_size": "28",  # every training trial: enough draws for any switch of masks to show
    "run.validate_every": "2",
    "run.checkpoint_every": "2",
}
SUBSETS = ("neuron", "causal", "intra_region", "inter_region", "region_subset")
SWITCHES: dict[str, dict[str, str]] = {
    **{f"{name} alone": {"masking.schemes": name} for name in get_args(SchemeName)},
    "region subsets too": {"masking.schemes": " ".join(SUBSETS)},
    "without prompt": {"model.prompt": "none"},
    "prefix prompt": {"model.prompt": "prefix"},
    "ratio 0.1": {"masking.neuron_ratio": "0.1", "masking.causal_ratio": "0.1"},
    "ratio 0.6": {"masking.neuron_ratio": "0.6"},
    "temporal ratio": {"masking.schemes": "temporal", "masking.temporal_ratio": "0.6"},
    "token ratio": {"masking.schemes": "random_token", "masking.token_ratio": "0.6"},
    "learnt positions": {"model.positions": "learnt"},
    "rotary positions": {"model.positions": "rotary"},
    "no binary mask input": {"model.read_in": "linear", "model.mask_flag": "false"},
    "regions drawn by name": {"masking.region_draw": "name"},
    "only large regions": {"masking.min_region_units": "7"},
    "loss as a sum": {"optim.loss": "sum"},
    "one scheme per batch": {"masking.mixing": "batch"},
    "components by noise": {"model.component_scale": "noise"},
    "components three times": {"model.component_copies": "3"},
    "learnt prior": {"model.component_prior": "learnt"},
    "fitted softening": {
        "model.component_softening": "fitted",
        "masking.schemes": " ".join(SUBSETS),
    },
}


@pytest.fixture(scope="module")
def session_file(tmp_path_factory) -> Path:
    """A session of 12 units in CA1, six in DG and six in VISp."""
    path = tmp_path_factory.mktemp("ablations") / "s.h5"
    write_session(make_session(regions=("CA1", "CA1", "DG", "VISp")), path)
    return path


def train(session_file: Path, run_dir: Path, switch: dict[str, str]) -> dict[str, Tensor]:
    """Train two steps from the command line; return every weight."""
    words = [w for key, value in {**SHORT, **switch}.items() for w in (f"--{key}", *value.split())]
    assert main(["train", "--session", str(session_file), "--out", str(run_dir), *words]) == 0
    load_checkpoint(RunFolder(run_dir).model_path)  # what was trained can be used
    return open_tensors(RunFolder(run_dir).model_path).read()


@pytest.fixture(scope="module")
def usual(session_file, tmp_path_factory) -> dict[str, Tensor]:
    return train(session_file, tmp_path_factory.mktemp("usual") / "run", {})


@pytest.mark.parametrize("switch", SWITCHES.values(), ids=SWITCHES)
def test_a_switch_reaches_the_weights(switch, session_file, usual, tmp_path):
    found = train(session_file, tmp_path / "run", switch)
    config = RunFolder(tmp_path / "run").read_config()
    typed = [(key, value.split() if " " in value else value) for key, value in switch.items()]
    assert config_io.apply_overrides(config, typed) == config
    same = found.keys() == usual.keys() and all(
        found[name].shape == usual[name].shape and torch.equal(found[name], usual[name])
        for name in found
    )
    assert not same


def test_without_the_binary_mask_input_nothing_reads_it(session_file, tmp_path):
    told, untold = (
        train(session_file, tmp_path / flag, {"model.read_in": "linear", "model.mask_flag": flag})
        for flag in ("true", "false")
    )
    assert [name for name in told if "flag_in" in name]
    assert not [name for name in untold if "flag_in" in name]


@pytest.mark.parametrize("flag", ["mask_flag", "standardise"])
def test_a_switch_that_would_do_nothing_is_refused(session_file, tmp_path, flag, capsys):
    words = ["--session", str(session_file), "--out", str(tmp_path), f"--model.{flag}", "false"]
    assert main(["train", *words]) == 2
    error = capsys.readouterr().err
    assert f"--model.{flag} false" in error
    assert "--model.read_in linear" in error


@pytest.mark.parametrize(
    ("flag", "value"),
    [
        ("component_scale", "noise"),
        ("component_copies", "3"),
        ("component_prior", "learnt"),
        ("component_softening", "fitted"),
    ],
)
def test_a_switch_of_components_is_refused_without_them(
    session_file, tmp_path, flag, value, capsys
):
    words = ["--session", str(session_file), "--out", str(tmp_path), f"--model.{flag}", value]
    assert main(["train", *words, "--model.read_in", "linear"]) == 2
    error = capsys.readouterr().err
    assert f"--model.{flag} {value} does nothing" in error
    assert "--model.read_in components" in error


def test_the_same_settings_give_the_same_weights(session_file, usual, tmp_path):
    """So that a difference above is the switch's doing."""
    again = train(session_file, tmp_path / "run", {})
    assert all(torch.equal(again[name], usual[name]) for name in usual)


@pytest.mark.parametrize("read_in", ["linear", "components"])
def test_without_prompt_no_trained_number_depends_on_the_scheme(session_file, tmp_path, read_in):
    switch = {"model.prompt": "none", "model.read_in": read_in}
    found = train(session_file, tmp_path / "run", switch)
    gain = found["trunk.output_gain"]
    assert (gain[1:] == gain[1]).all()  # as they started: nothing reads them
