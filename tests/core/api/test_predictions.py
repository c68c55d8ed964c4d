from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from mtm_core.api.masks import hide
from mtm_core.api.models import train
from mtm_core.api.predictions import reconstruct
from mtm_core.api.scores import evaluate
from mtm_core.errors import UnknownNameError
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def session():
    return make_session()


@pytest.fixture(scope="module")
def model(session, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "own"
    return train(session, folder, settings={"optim.steps": 2, "run.threads": 1})


@pytest.fixture(scope="module")
def region(session):
    return session.region_names()[0]


def test_a_prediction_has_rates_counts_and_what_was_hidden(model, session, region):
    predicted = reconstruct(model, session, hide(region=region))
    n_test = len(model.manifest.split["test"])
    assert predicted.rate_hz.shape == (n_test, session.n_bins, session.n_units)
    assert np.array_equal(predicted.counts, session.counts[predicted.trials])
    assert np.array_equal(predicted.is_hidden.all(axis=0), session.region == region)
    assert np.array_equal(predicted.is_scored, predicted.is_hidden)
    assert (predicted.rate_hz > 0).all()


def test_what_is_hidden_does_not_reach_its_prediction(model, session, region):
    is_hidden = session.region == region
    other = session.counts.copy()
    other[:, :, is_hidden] = 9
    changed = dataclasses.replace(session, counts=other)
    rows = [0, 1, 2]
    one = reconstruct(model, session, hide(region=region), rows).rate_hz[:, :, is_hidden]
    two = reconstruct(model, changed, hide(region=region), rows).rate_hz[:, :, is_hidden]
    assert np.allclose(one, two, rtol=1e-5)


def test_the_prompt_suits_the_mask_unless_another_is_wanted(model, session, region):
    mask, rows = hide(region=region), [0]
    assert reconstruct(model, session, mask, rows).mask.prompt == "inter_region"
    assert reconstruct(model, session, mask, rows, prompt="own").mask.prompt == "neuron"
    assert reconstruct(model, session, mask, rows, prompt="causal").mask.prompt == "causal"
    with pytest.raises(UnknownNameError):
        reconstruct(model, session, mask, rows, prompt="casual")


@pytest.mark.parametrize("part", ["train", "val", "all"])
def test_trials_are_chosen_by_part(part, model, session, region):
    split = model.manifest.split
    n = session.n_trials if part == "all" else len(split[part])
    assert len(reconstruct(model, session, hide(region=region), part).trials) == n


def test_scores_are_those_of_an_evaluation_of_the_same_task(model, session, region):
    scored = [score.name for score in reconstruct(model, session, hide(region=region)).scores()]
    assert scored[0] == "quick"
    assert "PSTH, all trials" in scored
    report = evaluate(model, session, ["inter_region"], shuffle=False)
    by_region = report.tasks["inter_region"].per_region
    score = reconstruct(model, session, hide(region=region)).scores()[0]
    assert by_region[region].bps_pooled == pytest.approx(score.bps_pooled, abs=1e-6)


def test_a_rule_may_look_at_rates(model, session):
    rate_hz = session.counts.mean(axis=(0, 1)) / session.bin_size_s
    middle = float(np.median(rate_hz))
    predicted = reconstruct(model, session, hide(f"rate_hz > {middle}"), [0])
    assert 0 < predicted.is_hidden.all(axis=0).sum() < session.n_units
