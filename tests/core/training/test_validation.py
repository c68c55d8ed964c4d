from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig
from mtm_core.data.batch import collate
from mtm_core.masking.mixture import MaskSampler
from mtm_core.training.validation import FixedValidation
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

SCHEMES = ("neuron", "causal", "intra_region", "inter_region")


class Answers(torch.nn.Module):
    """A model that knows what to answer, whatever it is given."""

    def __init__(self, answer):
        super().__init__()
        self.answer = answer

    def forward(self, batch):
        return self.answer(batch)


@pytest.fixture(scope="module")
def session():
    return make_session(mean_count=1.0)


@pytest.fixture(scope="module")
def sampler(session):
    return MaskSampler(MaskingConfig(schemes=SCHEMES), session.region)


@pytest.fixture(scope="module")
def counts(session):
    return collate(session, np.arange(10))


@pytest.fixture
def validation(sampler, counts):
    return FixedValidation(sampler, counts, counts.mean(dim=(0, 1)), seed=0, batch_size=3)


def test_the_null_model_scores_zero(validation, counts):
    null = counts.mean(dim=(0, 1)).log()
    scores = validation.score(Answers(lambda batch: null.expand_as(batch.targets)))
    assert scores == pytest.approx(dict.fromkeys(SCHEMES, 0.0), abs=1e-9)


def test_scores_are_the_formula_over_scored_entries(sampler, counts, validation):
    log_rate = torch.linspace(-2, 1, counts[0].numel()).view(counts[0].shape)
    scores = validation.score(Answers(lambda batch: log_rate.expand_as(batch.targets)))
    mean = counts.double().mean(dim=(0, 1))
    for name, batch in sampler.fixed_masks(counts, 0).items():
        k = counts.double()
        model = log_rate.double().exp() - k * log_rate.double()
        null = mean - k * mean.log()
        scored = batch.is_scored
        bits = (null - model)[scored].sum() / math.log(2) / k[scored].sum()
        assert scores[name] == pytest.approx(float(bits), rel=1e-5)


def test_visible_entries_do_not_count(validation, counts):
    mean = counts.mean(dim=(0, 1)).log()

    def wrong_where_visible(batch):
        return torch.where(batch.is_scored, mean.expand_as(batch.targets), 9.0)

    scores = validation.score(Answers(wrong_where_visible))
    assert scores == pytest.approx(dict.fromkeys(SCHEMES, 0.0), abs=1e-9)


def test_masks_are_the_same_at_every_call_and_of_the_seed(session, sampler, counts):
    model = make_checkpoint(session).model
    mean = counts.mean(dim=(0, 1))
    first = FixedValidation(sampler, counts, mean, 0, 4)
    assert first.score(model) == first.score(model)
    assert FixedValidation(sampler, counts, mean, 0, 4).score(model) == first.score(model)
    assert FixedValidation(sampler, counts, mean, 1, 4).score(model) != first.score(model)


def test_batches_are_a_matter_of_memory_only(session, sampler, counts):
    model = make_checkpoint(session).model
    mean = counts.mean(dim=(0, 1))
    by_size = [FixedValidation(sampler, counts, mean, 0, n).score(model) for n in (1, 4, 100)]
    assert by_size[0] == pytest.approx(by_size[1])
    assert by_size[0] == pytest.approx(by_size[2])


def test_a_model_in_training_is_scored_without_dropout_and_left_in_training(session, validation):
    model = make_checkpoint(session).model
    expected = validation.score(model)
    model.train()
    assert validation.score(model) == expected
    assert model.training


def test_silence_scores_zero_and_a_unit_silent_in_training_is_no_infinity(session, sampler):
    silent = torch.zeros(4, session.n_bins, session.n_units)
    validation = FixedValidation(sampler, silent, torch.zeros(session.n_units), 0, 4)
    answer = Answers(lambda batch: batch.targets)
    assert validation.score(answer) == dict.fromkeys(SCHEMES, 0.0)
    one = FixedValidation(sampler, silent + 1, torch.zeros(session.n_units), 0, 4)
    assert all(math.isfinite(score) for score in one.score(answer).values())
