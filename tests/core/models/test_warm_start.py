from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.data.session import Session
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.build import build_model
from mtm_core.models.family import Family
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import ComponentReadIn, LinearReadIn
from mtm_core.models.read_out import PromptReadOut
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.warm_problems import Regressions
from mtm_core.models.warm_start import warm_start
from mtm_core.training.validation import FixedValidation, JointValidation, keep_what_helps
from tests.core.sessions import make_session

CONFIG = Ndt1Config(width=12, layers=1, heads=2, mlp_width=8, read_in="components")
N_TRAIN, N_VAL = 60, 30


@pytest.fixture(scope="module")
def session() -> Session:
    return make_session(n_trials=120, n_bins=10, n_units=24, mean_count=1.0, seed=3)


@pytest.fixture(scope="module")
def counts(session: Session) -> torch.Tensor:
    return torch.from_numpy(session.counts.astype(np.float32))


@pytest.fixture(scope="module")
def started(session: Session, counts: torch.Tensor) -> Ndt1:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = build(counts)
    warm_start(model, counts[:N_TRAIN], counts[N_TRAIN : N_TRAIN + N_VAL], session.region)
    return model.eval()


def build(counts: torch.Tensor, config: Ndt1Config = CONFIG) -> Ndt1:
    train = counts[:N_TRAIN]
    model = build_model(config, SessionFacts(psth=train.mean(dim=0), n_trials=len(train)))
    assert isinstance(model, Ndt1)
    return model


def score(model: Ndt1, session: Session, counts: torch.Tensor) -> dict[str, float]:
    sampler = MaskSampler(MaskingConfig(), session.region)
    mean = counts[:N_TRAIN].mean(dim=(0, 1))
    return FixedValidation(sampler, counts[N_TRAIN + N_VAL :], mean, 0, 16).score(model)


def test_every_task_is_predicted_on_trials_never_seen(
    started: Ndt1, session: Session, counts: torch.Tensor
) -> None:
    scores = score(started, session, counts)
    assert min(scores.values()) > 0.01
    assert scores["neuron"] > 0.03


def test_a_warm_start_beats_the_psth_that_it_starts_from(
    started: Ndt1, session: Session, counts: torch.Tensor
) -> None:
    bare = build(counts).eval()
    before, after = score(bare, session, counts), score(started, session, counts)
    assert all(after[name] > before[name] for name in before)


FITTED = replace(
    CONFIG, width=16, component_scale="noise", component_copies=3, component_prior="learnt"
)


def test_noise_scale_three_copies_and_a_learnt_prior_predict_too(
    session: Session, counts: torch.Tensor
) -> None:
    model = build(counts, FITTED)
    before = score(model.eval(), session, counts)
    warm_start(model, counts[:N_TRAIN], counts[N_TRAIN : N_TRAIN + N_VAL], session.region)
    after = score(model.eval(), session, counts)
    assert all(after[name] > before[name] for name in before)
    assert after["neuron"] > 0.03


def test_validation_trials_choose_but_do_not_fit(session: Session, counts: torch.Tensor) -> None:
    """Other validation counts may choose another penalty or kernel, never other components."""
    loadings = []
    for shift in (0, 1):
        model = build(counts)
        val = counts[N_TRAIN : N_TRAIN + N_VAL].roll(shift, dims=0) + shift
        warm_start(model, counts[:N_TRAIN], val, session.region)
        assert isinstance(model.part.read_in, ComponentReadIn)
        loadings.append(model.part.read_in.loading.clone())
    assert torch.equal(*loadings)


def test_a_unit_is_fitted_on_the_scores_that_it_gets_when_hidden(
    started: Ndt1, session: Session, counts: torch.Tensor
) -> None:
    """The fit takes a visible unit out of its own scores; a pass hides it.

    They differ by the visible share, which counts the unit in the fit: with the two dozen units
    here that still matters a little.
    """
    test = counts[N_TRAIN + N_VAL :]
    units = torch.arange(test.shape[2])
    nothing = torch.zeros(test.shape[1:], dtype=torch.bool)
    prompt = prompt_index("neuron")
    hidden = started.predict_one_at_a_time(test, nothing, units, prompt)
    weight, bias = started.part.read_out.rows(units, prompt)
    assert isinstance(started.part.read_in, ComponentReadIn)
    kernels = tuple(started.part.read_in.start_kernel[prompt].tolist())
    regressions = Regressions.of(started, test, len(test), session.region)
    ((_, problem),) = regressions.problems("neuron", kernels)
    with_self = replace(problem, own=(), own_loading=())
    rates = {}
    for without_self, chosen in ((True, problem), (False, with_self)):
        with torch.no_grad():
            rates[without_self] = chosen.log_rate(weight, bias)
    error = {key: (rate - hidden).square().mean() for key, rate in rates.items()}
    assert error[True] < 0.25 * error[False]


def test_the_same_trials_give_the_same_bits(session: Session, counts: torch.Tensor) -> None:
    states = []
    for _ in range(2):
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(0)
            model = build(counts)
        warm_start(model, counts[:N_TRAIN], counts[N_TRAIN : N_TRAIN + N_VAL], session.region)
        states.append(model.state_dict())
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_another_read_in_cannot_be_warm_started(session: Session, counts: torch.Tensor) -> None:
    model = build(counts, replace(CONFIG, read_in="linear"))
    assert isinstance(model.part.read_in, LinearReadIn)
    with pytest.raises(TypeError, match="components"):
        warm_start(model, counts[:N_TRAIN], counts[N_TRAIN:], session.region)


def test_layers_that_hurt_are_bypassed_and_layers_that_help_are_not(
    started: Ndt1, session: Session, counts: torch.Tensor
) -> None:
    sampler = MaskSampler(MaskingConfig(), session.region)
    mean = counts[:N_TRAIN].mean(dim=(0, 1))
    judge = FixedValidation(sampler, counts[N_TRAIN + N_VAL :], mean, 0, 16)
    harmful = Family(CONFIG, {"": SessionFacts(psth=counts[:N_TRAIN].mean(dim=0))}).eval()
    harmful.member().load_state_dict(started.state_dict())
    neuron = prompt_index("neuron")
    with torch.no_grad():
        harmful.trunk.output_gain[neuron] = 3.0
    kept, scores = keep_what_helps(harmful, JointValidation([judge]))
    assert (kept.trunk.output_gain[neuron] == 0).all()
    assert (harmful.trunk.output_gain[neuron] == 3).all()
    assert scores == pytest.approx(judge.score(kept))
    assert scores == pytest.approx(judge.score(started))


def test_schemes_that_share_a_prompt_share_the_decision_to_bypass(
    started: Ndt1, session: Session, counts: torch.Tensor
) -> None:
    schemes = MaskingConfig(schemes=("inter_region", "region_subset"))
    sampler, mean = MaskSampler(schemes, session.region), counts[:N_TRAIN].mean(dim=(0, 1))
    judge = FixedValidation(sampler, counts[N_TRAIN + N_VAL :], mean, 0, 16)
    harmful = Family(CONFIG, {"": SessionFacts(psth=counts[:N_TRAIN].mean(dim=0))}).eval()
    harmful.member().load_state_dict(started.state_dict())
    with torch.no_grad():
        harmful.trunk.output_gain[prompt_index("inter_region")] = 3.0
    kept, scores = keep_what_helps(harmful, JointValidation([judge]))
    assert (kept.trunk.output_gain[prompt_index("inter_region")] == 0).all()
    assert scores == pytest.approx(judge.score(kept))
    assert scores.keys() == {"inter_region", "region_subset"}


def test_bypassing_restores_the_started_kernels(started: Ndt1) -> None:
    model = build(torch.ones(N_TRAIN, 10, 24)).eval()
    model.load_state_dict(started.state_dict())
    assert isinstance(model.part.read_in, ComponentReadIn)
    assert isinstance(model.part.read_out, PromptReadOut)
    with torch.no_grad():
        for changed in (model.part.read_in.mix, model.part.read_in.log_softening):
            changed += 0.5
        model.trunk.output_gain += 0.5
    for prompt in range(len(model.trunk.output_gain)):
        model.bypass_layers(prompt)
    for name, tensor in started.state_dict().items():
        torch.testing.assert_close(model.state_dict()[name], tensor)
