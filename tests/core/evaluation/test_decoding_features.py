from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.table import Column
from mtm_core.errors import ConfigError, MaskError, MissingFieldError
from mtm_core.evaluation.decoding_features import (
    FEATURES,
    choose_prompt,
    cut_features,
    read_features,
)
from mtm_core.evaluation.decoding_targets import find_target
from mtm_core.inference import Reconstructor
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.evaluation.behaving import (
    N_BEFORE,
    make_behaving_session,
    with_trials,
    with_window,
)

SESSION = make_behaving_session(n_trials=30)
CHECKPOINT = make_checkpoint(SESSION)
BOUND = Reconstructor(CHECKPOINT, SESSION)


def cut(name: str, until: str = "auto", session=SESSION):
    return cut_features(session, find_target(session, name), until)


def test_choice_ends_before_the_movement():
    found = cut("choice")
    assert found.until == "movement"
    seconds = SESSION.trials.values("first_movement_s")
    ends = SESSION.bin_start_s + SESSION.bin_size_s
    np.testing.assert_array_equal(found.is_kept, ends <= seconds[:, None] + 1e-9)
    assert found.is_usable.all()


def test_block_ends_before_the_stimulus():
    found = cut("block")
    assert found.until == "stimulus"
    np.testing.assert_array_equal(found.is_kept.sum(axis=1), N_BEFORE)


@pytest.mark.parametrize("name", ["reward", "contrast_side", "wheel_speed"])
def test_others_keep_the_whole_window(name):
    assert cut(name).until == "end"
    assert not cut(name).is_early


def test_a_signal_keeps_the_whole_window_whatever_is_asked():
    assert not cut("wheel_speed", "0.01").is_early


def test_a_time_can_be_given():
    np.testing.assert_array_equal(cut("choice", "0.02").is_kept.sum(axis=1), N_BEFORE + 2)


def test_a_movement_is_found_by_its_reaction_time():
    seconds = SESSION.trials.values("first_movement_s")
    session = with_trials(SESSION, first_movement_s=None, reaction_time_s=seconds)
    np.testing.assert_array_equal(
        cut("choice", "movement", session).is_kept, cut("choice").is_kept
    )


def test_trials_that_cannot_be_cut_are_left_out():
    seconds = SESSION.trials.values("first_movement_s").copy()
    seconds[2] = -0.039  # within the first bin
    is_known = np.arange(30) != 5
    session = with_trials(SESSION, first_movement_s=Column(seconds, is_known))
    assert np.flatnonzero(~cut("choice", session=session).is_usable).tolist() == [2, 5]


def test_what_is_not_cut_is_told():
    session = with_trials(SESSION, first_movement_s=None)
    found = cut("choice", session=session)
    assert found.until == "end"
    assert "NOT cut at the movement" in found.warnings[0]
    found = cut("block", session=with_window(SESSION, 0.0))
    assert found.until == "end"
    assert "does not account for that" in found.warnings[0]


def test_a_cut_that_was_asked_for_is_not_left_out_silently():
    session = with_trials(SESSION, first_movement_s=None, stim_on_s=None)
    with pytest.raises(MissingFieldError, match=r"no times of movement\. Give --until end"):
        cut("choice", "movement", session)
    assert cut("choice", "stimulus", session).is_early  # the window is aligned to it
    other = replace(session, provenance=replace(session.provenance, align_event="go cue"))
    with pytest.raises(MissingFieldError, match="no times of the stimulus"):
        cut("choice", "stimulus", other)
    with pytest.raises(ConfigError, match="must be a number of seconds"):
        cut("choice", "lunch")
    with pytest.raises(ConfigError, match="leaves no bin"):
        cut("choice", "-1")


def test_the_model_sees_nothing_behind_the_cut():
    found = cut("choice")
    counts = SESSION.counts.copy()
    counts[~found.is_kept] = 9
    later = Reconstructor(CHECKPOINT, replace(SESSION, counts=counts))
    for prompt in ("neuron", "causal"):
        before = read_features(BOUND, ("log_rate", "states"), found, prompt, None)
        after = read_features(later, ("log_rate", "states"), found, prompt, None)
        for name in before:
            np.testing.assert_array_equal(before[name], after[name])


def test_an_uncut_window_is_seen_whole():
    found = cut("reward")
    counts = SESSION.counts.copy()
    counts[:, -1] = 9
    later = Reconstructor(CHECKPOINT, replace(SESSION, counts=counts))
    before = read_features(BOUND, FEATURES, found, "neuron", None)
    after = read_features(later, FEATURES, found, "neuron", None)
    for name in FEATURES:
        assert (before[name] != after[name]).any()


def test_hidden_states_are_left_out_where_there_are_none(monkeypatch):
    model = type(CHECKPOINT.model)
    monkeypatch.delattr(model, "states")
    monkeypatch.setattr(model, "forward", lambda self, batch: torch.zeros_like(batch.inputs))
    found = read_features(BOUND, FEATURES, cut("reward"), "neuron", None)
    assert list(found) == ["log_rate", "counts"]


def test_features_have_the_shapes_of_what_they_are():
    found = read_features(BOUND, FEATURES, cut("reward"), "neuron", None)
    assert list(found) == list(FEATURES)
    assert found["log_rate"].shape == SESSION.counts.shape
    assert found["states"].shape == (30, 12, SMALL_MODEL.width)
    np.testing.assert_array_equal(found["counts"], SESSION.counts)


def test_a_region_alone_sees_nothing_else():
    found = cut("reward")
    counts = SESSION.counts.copy()
    is_inside = SESSION.region == "CA1"
    counts[:, :, ~is_inside] = 9
    other = Reconstructor(CHECKPOINT, replace(SESSION, counts=counts))
    here = read_features(BOUND, FEATURES, found, "intra_region", "CA1")
    there = read_features(other, FEATURES, found, "intra_region", "CA1")
    for name in FEATURES:
        np.testing.assert_array_equal(here[name], there[name])
    assert here["log_rate"].shape[2] == here["counts"].shape[2] == is_inside.sum()


def test_a_region_that_is_not_there_is_refused():
    with pytest.raises(MaskError, match=r"no region 'CA2'\. Did you mean 'CA1'"):
        read_features(BOUND, FEATURES, cut("reward"), "neuron", "CA2")


def test_units_that_a_session_lacks_are_no_features():
    part = SESSION.take_units(np.arange(10))
    bound = Reconstructor(CHECKPOINT, part, allow_overlap=True)
    found = read_features(bound, FEATURES, cut("reward"), "neuron", None)
    assert found["counts"].shape[2] == found["log_rate"].shape[2] == 10
    gone = Reconstructor(CHECKPOINT, SESSION.take_units(np.arange(6)), allow_overlap=True)
    with pytest.raises(MaskError, match="none of the checkpoint's units in DG"):
        read_features(gone, FEATURES, cut("reward"), "neuron", "DG")


@pytest.mark.parametrize(
    ("schemes", "name", "region", "prompt"),
    [
        (("neuron", "causal", "intra_region", "inter_region"), "reward", None, "neuron"),
        (("neuron", "causal", "intra_region", "inter_region"), "wheel_speed", None, "causal"),
        (("neuron", "causal", "intra_region", "inter_region"), "choice", None, "causal"),
        (("neuron", "causal", "intra_region", "inter_region"), "reward", "CA1", "intra_region"),
        (("temporal",), "reward", None, "none"),
        (("inter_region",), "reward", None, "inter_region"),
    ],
)
def test_the_prompt_suits_target_and_model(schemes, name, region, prompt):
    config = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=schemes))
    bound = Reconstructor(make_checkpoint(SESSION, config), SESSION)
    assert choose_prompt(bound, find_target(SESSION, name), cut(name), region) == prompt
