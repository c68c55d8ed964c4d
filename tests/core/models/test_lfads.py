from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.config_model import LfadsConfig
from mtm_core.errors import ConfigError
from mtm_core.masking.masked_batch import MaskedBatch, mask_counts, prompt_index
from mtm_core.models.build import build_model
from mtm_core.models.family import Family
from mtm_core.models.lfads import Lfads
from mtm_core.models.session_part import SessionFacts
from tests.core.models.turns import plain_loop, sparse_counts

N_TRIALS, N_BINS, N_UNITS = 4, 7, 9
SMALL = LfadsConfig(
    input_width=8,
    encoder_width=6,
    initial_dims=4,
    generator_width=8,
    factors=5,
    controller_width=6,
    inferred_inputs=3,
)
VARIANTS = {
    "default": SMALL,
    "prompted": replace(SMALL, prompt="added"),
    "no controller": replace(SMALL, controller=False),
    "plain": replace(
        SMALL,
        input_prior="gaussian",
        mask_flag=False,
        standardise=False,
        output_bias="mean",
        unit_history=False,
    ),
}


def make_counts() -> torch.Tensor:
    rates = torch.linspace(0.2, 2.0, N_UNITS).expand(N_TRIALS, N_BINS, N_UNITS)
    return torch.poisson(rates, generator=torch.Generator().manual_seed(0))


def make_model(config: LfadsConfig) -> Lfads:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(1)
        model = build_model(config, SessionFacts(psth=make_counts().mean(dim=0)))
        assert isinstance(model, Lfads)
        for parameter in model.parameters():  # away from the start, where read-out is almost 0
            parameter.data += 0.2 * torch.randn_like(parameter)
    return model.eval()


def hide(counts: torch.Tensor, is_hidden: torch.Tensor, prompt: str) -> MaskedBatch:
    full = is_hidden.expand(counts.shape)
    index = torch.full((len(counts),), prompt_index(prompt))
    return mask_counts(counts, full, full, index, index == prompt_index("causal"))


def some_hidden() -> torch.Tensor:
    return torch.rand(N_BINS, N_UNITS, generator=torch.Generator().manual_seed(3)) < 0.3


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
@pytest.mark.parametrize("prompt", ["neuron", "intra_region", "causal"])
def test_one_at_a_time_equals_one_forward_pass_per_unit(config: LfadsConfig, prompt: str) -> None:
    model, counts = make_model(config), make_counts()
    base = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    base[:, 7:] = True
    base[4:, 2] = True
    units = torch.tensor([0, 8, 2, 5])
    fast = model.predict_one_at_a_time(counts, base, units, prompt_index(prompt))
    for column, unit in enumerate(units):
        is_hidden = base.clone()
        is_hidden[:, unit] = True
        with torch.inference_mode():
            plain = model(hide(counts, is_hidden, prompt))[..., unit]
        torch.testing.assert_close(fast[..., column], plain, rtol=1e-5, atol=1e-5)


def test_a_silent_pair_is_answered_from_the_pass_without_turns() -> None:
    model = make_model(replace(SMALL, mask_flag=False, standardise=False))
    counts = sparse_counts(N_TRIALS, N_BINS, N_UNITS)
    is_hidden, units = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool), [0, 1, 5]
    n_passes = []
    model.trunk.register_forward_hook(lambda _, inputs, out: n_passes.append(len(inputs[0])))
    found = model.in_turn(counts, is_hidden, prompt_index("neuron"))(torch.tensor(units))
    assert sum(n_passes) < (len(units) + 1) * N_TRIALS
    expected = plain_loop(model, counts, is_hidden, units, "neuron")
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_evaluation_takes_the_means_and_training_draws() -> None:
    model = make_model(replace(SMALL, dropout=0.0, unit_dropout=0.0))
    batch = hide(make_counts(), some_hidden(), "neuron")
    assert torch.equal(model(batch), model(batch))
    model.train()
    assert not torch.equal(model(batch), model(batch))


def test_the_penalty_is_the_divergence_per_scored_entry_and_rises_slowly() -> None:
    model = make_model(replace(SMALL, kl_initial=2.0, kl_inputs=3.0, kl_warmup=0.5))
    batch = hide(make_counts(), some_hidden(), "neuron")
    unrolled = model.trunk(
        model.first(batch.inputs, batch.is_hidden),
        batch.prompt,
        batch.is_causal,
        is_random=False,
    )
    initial, inputs = unrolled.initial_divergence.sum(), unrolled.input_divergence.sum()
    full = (2 * initial + 3 * inputs) / batch.is_scored.sum()
    assert initial > 0
    assert inputs > 0
    for share, weight in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 1.0)):
        _, penalty = model.training_output(batch, torch.tensor(share))
        torch.testing.assert_close(penalty, weight * full)
    at_once = make_model(replace(model.config, kl_warmup=0.0))
    torch.testing.assert_close(at_once.training_output(batch, torch.tensor(0.0))[1], full)


def make_facts(n_units: int = N_UNITS) -> SessionFacts:
    return SessionFacts(psth=torch.full((N_BINS, n_units), 0.5))


def test_a_causal_trial_knows_nothing_before_its_first_bin() -> None:
    model, counts = make_model(SMALL), make_counts()
    batch = hide(counts, some_hidden(), "causal")
    first = model.first(batch.inputs, batch.is_hidden)
    unrolled = model.trunk(first, batch.prompt, batch.is_causal, is_random=False)
    assert (unrolled.initial_divergence == 0).all()
    assert (unrolled.input_divergence > 0).all()


def test_without_a_controller_a_causal_trial_is_read_by_unit_history_alone() -> None:
    model, counts = make_model(replace(SMALL, controller=False, unit_history=False)), make_counts()
    nothing = torch.zeros(N_BINS, N_UNITS, dtype=torch.bool)
    log_rate = model(hide(counts, nothing, "causal"))
    torch.testing.assert_close(log_rate, log_rate[:1].expand_as(log_rate))


def test_causal_masks_need_the_controller() -> None:
    config = replace(SMALL, controller=False)
    with pytest.raises(ConfigError, match=r"Leave causal out of --masking\.schemes, or keep"):
        TrainConfig(model=config)
    TrainConfig(model=config, masking=MaskingConfig(schemes=("coordinated_dropout",)))


def test_an_autoregressive_prior_expects_the_last_inputs_again() -> None:
    inputs = make_model(SMALL).trunk.inputs
    assert inputs is not None
    draws = torch.ones(N_TRIALS, N_BINS, SMALL.inferred_inputs)
    prior, kept = inputs.prior(draws), inputs.kept.sigmoid()
    assert (prior.mean[:, 0] == 0).all()
    torch.testing.assert_close(prior.mean[:, 1:], kept.expand_as(prior.mean[:, 1:]))
    # The variance of the series stays what it was at the first bin.
    first, later = prior.log_variance[0].exp(), prior.log_variance[1:].exp()
    torch.testing.assert_close(kept**2 * first + later, first.expand_as(later))
    independent = make_model(VARIANTS["plain"]).trunk.inputs
    assert independent is not None
    assert (independent.prior(draws).mean == 0).all()


def test_permuting_the_units_permutes_the_predictions() -> None:
    permuted = torch.randperm(N_UNITS, generator=torch.Generator().manual_seed(4))
    model, other, counts = make_model(SMALL), make_model(SMALL), make_counts()
    for name, tensor in [*other.part.named_parameters(), *other.part.named_buffers()]:
        if tensor.shape[-1:] == (N_UNITS,):
            tensor.data = tensor.data[..., permuted].clone()
        elif name.startswith("read_out"):
            tensor.data = tensor.data[permuted].clone()
    one = model(hide(counts, some_hidden(), "neuron"))
    two = other(hide(counts[..., permuted], some_hidden()[:, permuted], "neuron"))
    torch.testing.assert_close(two, one[..., permuted], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("config", VARIANTS.values(), ids=VARIANTS)
def test_a_trial_does_not_feel_the_others_of_its_batch(config: LfadsConfig) -> None:
    model, counts = make_model(config), make_counts()
    whole = model(hide(counts, some_hidden(), "neuron"))
    for trial in range(N_TRIALS):
        alone = model(hide(counts[[trial]], some_hidden(), "neuron"))
        torch.testing.assert_close(alone[0], whole[trial], rtol=1e-5, atol=1e-5)


def test_sessions_share_everything_but_the_ways_in_and_out() -> None:
    family = Family(SMALL, {"one": make_facts(), "two": make_facts(5)})
    one, two = family.member("one"), family.member("two")
    assert one.trunk is two.trunk
    assert {name.split(".")[0] for name, _ in one.part.named_parameters()} == {
        "read_in",
        "read_out",
        "history",
    }


def test_hidden_states_are_the_factors() -> None:
    model = make_model(replace(SMALL, unit_history=False))
    batch = hide(make_counts(), some_hidden(), "neuron")
    states = model.states(batch)
    assert states.shape == (N_TRIALS, N_BINS, SMALL.factors)
    log_rate = model.part.read_out(states, batch.prompt).clamp(max=3.0) + model.part.offset
    torch.testing.assert_close(log_rate, model(batch))


def test_description_names_the_sizes() -> None:
    assert SMALL.describe() == "lfads, generator 8, factors 5, 3 inputs"
    assert VARIANTS["no controller"].describe().endswith("no controller")
