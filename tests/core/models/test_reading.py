from __future__ import annotations

import numpy as np
import pytest
import torch

from mtm_core.config import TrainConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.errors import DataError, UnknownNameError
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=20, n_bins=9, n_units=18)
CHECKPOINT = make_checkpoint(SESSION)
BOUND = Reconstructor(CHECKPOINT, SESSION)
TRIALS = np.array([5, 2, 11])


def test_what_is_read_is_what_a_mask_of_the_same_entries_predicts():
    spec = MaskSpec(blocks=(Block(UnitChoice.of_region("CA1"), (3, 9)),), prompt="inter_region")
    is_hidden = spec.resolve(SESSION).is_hidden
    read = BOUND.read(TRIALS, "inter_region", is_hidden)
    np.testing.assert_array_equal(read.log_rate, BOUND.complete(spec, TRIALS).log_rate)


@pytest.mark.parametrize("read_in", ["linear", "two_layer", "components"])
def test_hidden_states_are_what_the_read_out_reads(read_in):
    config = Ndt1Config(
        width=16, layers=2, heads=2, mlp_width=16, read_in=read_in, unit_history=False
    )
    checkpoint = make_checkpoint(SESSION, TrainConfig(model=config))
    read = Reconstructor(checkpoint, SESSION).read(TRIALS, "neuron")
    part = checkpoint.model.part
    states = torch.from_numpy(read.states)
    with torch.no_grad():
        log_rate = part.read_out(states, torch.full((3,), 1)).clamp(max=3.0) + part.offset
    assert states.shape == (3, 9, SMALL_MODEL.width)
    np.testing.assert_allclose(read.log_rate, log_rate.numpy(), atol=1e-5)


def test_each_trial_may_hide_another_part():
    is_hidden = np.zeros((3, 9, 18), dtype=bool)
    is_hidden[1, 4:] = True
    read = BOUND.read(TRIALS, "neuron", is_hidden)
    whole = BOUND.read(TRIALS, "neuron")
    np.testing.assert_allclose(read.states[[0, 2]], whole.states[[0, 2]], atol=1e-6)
    assert np.abs(read.states[1] - whole.states[1]).max() > 1e-3


def test_causal_states_do_not_know_the_future():
    is_hidden = np.zeros((9, 18), dtype=bool)
    is_hidden[5:] = True
    part, whole = BOUND.read(TRIALS, "causal", is_hidden), BOUND.read(TRIALS, "causal")
    np.testing.assert_allclose(part.states[:, :5], whole.states[:, :5], atol=1e-6)
    assert np.abs(part.states[:, 5:] - whole.states[:, 5:]).max() > 1e-3


def test_units_that_a_session_lacks_are_hidden():
    rows = np.arange(12)
    part = Reconstructor(CHECKPOINT, SESSION.take_units(rows), allow_overlap=True)
    is_hidden = np.arange(18) >= 12
    np.testing.assert_allclose(
        part.read(TRIALS, "neuron").states,
        BOUND.read(TRIALS, "neuron", np.broadcast_to(is_hidden, (9, 18))).states,
        atol=1e-6,
    )


def test_trials_do_not_depend_on_how_many_are_read():
    many = BOUND.read(np.arange(20), "neuron")
    one = BOUND.read(np.array([7]), "neuron")
    np.testing.assert_allclose(many.log_rate[7], one.log_rate[0], atol=1e-5)


def test_an_architecture_may_have_no_hidden_states(monkeypatch):
    monkeypatch.delattr(type(CHECKPOINT.model), "states")
    monkeypatch.setattr(
        type(CHECKPOINT.model), "forward", lambda self, batch: torch.zeros_like(batch.inputs)
    )
    assert BOUND.read(TRIALS, "neuron").states is None


def test_a_wrong_prompt_or_trial_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'neuron'"):
        BOUND.read(TRIALS, "neurons")
    with pytest.raises(DataError, match="rows from 0 to 19"):
        BOUND.read(np.array([20]), "neuron")
