"""Whoever a model is compared with answers the same trials under the same mask."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config import DataConfig, TrainConfig
from mtm_core.errors import MismatchError, UnknownNameError
from mtm_core.evaluation.opponents import (
    Contender,
    Opponent,
    check_comparable,
    opponent_name,
    rival_of,
    short_name,
)
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_masked import BASELINES, MaskedBaselines
from mtm_core.models.session_split import split_for
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60)
SPEC = tasks.inter_region("CA1")


@pytest.fixture(scope="module")
def own():
    return Reconstructor(make_checkpoint(SESSION), SESSION)


@pytest.fixture(scope="module")
def parts(own):
    return split_for(SESSION, own.checkpoint.manifest)[0]


def last(contender, trials, **how):
    *_, answer = contender.answers(SPEC, trials, **how)
    return answer


def test_a_model_untold_is_the_same_model_under_the_prompt_none(own, parts):
    opponent = Opponent(kind="prompt", prompt="none")
    contender = Contender(
        opponent=opponent, own=own, bound=rival_of(opponent, own.checkpoint, SESSION)
    )
    untold = last(contender, parts.test)
    expected = Reconstructor(own.checkpoint, SESSION, prompt="none").complete(SPEC, parts.test)
    assert np.array_equal(untold.log_rate, expected.log_rate)
    told = own.complete(SPEC, parts.test)
    assert not np.allclose(told.log_rate, untold.log_rate)
    assert np.array_equal(told.mask.is_scored, untold.mask.is_scored)


def test_another_model_answers_in_the_units_of_the_first(own, parts):
    turned = SESSION.take_units(np.arange(SESSION.n_units)[::-1])
    other = make_checkpoint(turned, seed=3)
    opponent = Opponent(kind="model")
    contender = Contender(opponent=opponent, own=own, bound=rival_of(opponent, other, SESSION))
    answer = last(contender, parts.test)
    expected = Reconstructor(other, SESSION).complete(SPEC, parts.test)
    assert np.array_equal(answer.log_rate, expected.log_rate[..., ::-1])


@pytest.mark.parametrize("name", BASELINES)
def test_a_baseline_answers_all_at_once(own, parts, name):
    data = BaselineData.from_session(SESSION, parts.train, parts.val)
    contender = Contender(opponent=Opponent(kind=name), own=own, baselines=MaskedBaselines(data))
    answer = last(contender, parts.test)
    assert answer.is_final
    assert np.array_equal(answer.mask.is_scored, own.resolve(SPEC).is_scored)
    assert opponent_name(contender.opponent, "") == BASELINES[name]
    if name == "poisson_regression":
        stopped = Contender(opponent=Opponent(kind=name), own=own, baselines=MaskedBaselines(data))
        assert not list(stopped.answers(SPEC, parts.test, should_stop=lambda: True))


def test_a_baseline_needs_the_recording(own, parts):
    with pytest.raises(ValueError, match="needs the recording"):
        last(Contender(opponent=Opponent(kind="psth"), own=own), parts.test)


def test_names_say_what_is_compared(own):
    name = short_name(own.checkpoint)
    assert name == "MtM (untrained)"
    assert opponent_name(Opponent(kind="model"), name) == name
    told = Opponent(kind="prompt", prompt="inter_region")
    assert opponent_name(told, name) == "MtM (untrained) told inter-region"
    assert not told.is_baseline


@pytest.mark.parametrize(
    ("kind", "prompt"), [("oracle", ""), ("prompt", "whisper"), ("prompt", "")]
)
def test_an_unknown_opponent_is_refused(kind, prompt):
    with pytest.raises(UnknownNameError):
        Opponent(kind=kind, prompt=prompt)


def test_models_that_cannot_be_compared_are_told(own):
    manifest = own.checkpoint.manifest
    check_comparable(manifest, manifest)
    fewer = make_checkpoint(SESSION.take_units(np.arange(20))).manifest
    with pytest.raises(MismatchError, match="same units"):
        check_comparable(manifest, fewer)
    seed = TrainConfig(model=SMALL_MODEL, data=DataConfig(split_seed=1))
    with pytest.raises(MismatchError, match="test trials"):
        check_comparable(manifest, make_checkpoint(SESSION, seed).manifest)
    with pytest.raises(MismatchError, match="other bins: 10 of 10 ms and 5 of 20 ms"):
        check_comparable(manifest, replace(manifest, n_bins=5, bin_size_s=0.02))
